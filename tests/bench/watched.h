/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_BENCH_WATCHED_H
#define TESTS_BENCH_WATCHED_H

#include <sys/types.h>

#include <stddef.h>
#include <time.h>

/*
 * What the daemon uses: the supervisor and its children, all of them running
 * as long as they are watched.  Errors end the program.
 */
#define WATCHED_MAX	32

struct watched {
	pid_t		 pids[WATCHED_MAX];
	clockid_t	 clocks[WATCHED_MAX];
	size_t		 n;
};

struct watched	 watched_find(pid_t supervisor);
/* Of all threads that ever were, user and system. */
double		 watched_cpu_ms(const struct watched *);
/* What all processes together have resident now, and at their peaks. */
long		 watched_now_kib(const struct watched *);
long		 watched_peak_kib(const struct watched *);
/* Peaks count from here. */
void		 watched_forget_peak(const struct watched *);

#endif
