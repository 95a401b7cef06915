/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_FILTER_H
#define MILTER_FILTER_H

#include <sys/types.h>

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "milter/process.h"

struct config;
struct listener;

/* What the supervisor hands to a new filter; all descriptors stay its own. */
struct filter_start {
	const struct config		*config;
	uint32_t			 generation;
	const struct listener		*listener;
	const struct process_user	*user;
	pid_t				 supervisor;
	const int			*channels;	/* to the vault */
	size_t				 n_channels;
	int				 control;	/* see control.h */
	int				 log;
	int				 ready;		/* see report.h; -1: nobody waits */
};

/* After SIGTERM: look at once whether there is something left to do. */
#define FILTER_WAKE	SIGUSR1

/*
 * A filter process: opens its socket, becomes the unprivileged user, answers
 * the MTA until SIGTERM, finishes the mails in hand.  Does not return.
 */
_Noreturn void	filter_main(const struct filter_start *);

#endif
