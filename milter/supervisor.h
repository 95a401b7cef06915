/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_SUPERVISOR_H
#define MILTER_SUPERVISOR_H

#include "base/err.h"

/*
 * The parent of the daemon's processes: starts the vault and one filter per
 * listener, starts again what dies, writes their log lines, stops them on
 * SIGTERM.  It never opens the store and reads no mail.
 */
struct supervisor_options {
	const char	*config_path;
	int		 ready;		/* see report.h; -1: nobody waits */
};

/*
 * Returns the exit status once all is stopped.  What keeps it from starting
 * is told through options->ready, or with ready -1 to the log; then 1.
 */
int	supervisor_run(const struct supervisor_options *);

#endif
