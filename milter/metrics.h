/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_METRICS_H
#define MILTER_METRICS_H

#include <sys/types.h>

#include "base/err.h"
#include "milter/process.h"

/*
 * The process that tells Prometheus what was counted, over HTTP.  It has no
 * store, no mail, no way to the vault, can write no file, and only read the
 * counters.
 */
struct metrics_start {
	const struct process_user	*user;
	pid_t				 supervisor;
	int				 listener;	/* already listening */
	int				 control;
	int				 log;
	int				 ready;		/* see report.h */
};

/*
 * Where it listens: a path or port as in the configuration.  *fd is the
 * caller's.  Everybody on this machine may read it, as with a loopback port.
 */
bool	metrics_open(const char *spec, int *fd, struct err *);

_Noreturn void metrics_main(const struct metrics_start *);

#endif
