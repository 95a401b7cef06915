/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_CHILD_H
#define MILTER_CHILD_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#include "policy/config.h"

/*
 * A filter's channels to the vault.  What needs no answer goes over the first;
 * each of the others has one request at a time.
 */
#define CHILD_CHANNELS	9

enum child_kind { CHILD_VAULT, CHILD_FILTER, CHILD_METRICS };

/*
 * A process that is to run, and the one that does.  The socket pairs belong to
 * the supervisor and outlive any process: a new one inherits its end.
 */
struct child {
	enum child_kind		 kind;
	char			*name;		/* "the vault", "metrics", the listener */
	char			*path;		/* of its unix socket, or NULL */
	const struct listener	*listener;	/* a filter's, in the current config */
	enum role		 role;		/* a filter's, for good */
	int			 filter_ends[CHILD_CHANNELS];	/* a filter's channels */
	int			 vault_ends[CHILD_CHANNELS];
	int			 control[2];	/* the supervisor's end, the child's */
	size_t			 place;		/* among the counters, see stats.h */
	bool			 is_retired;	/* not to be started again */
	pid_t			 pid;		/* 0: not running */
	int64_t			 started_ms;
	int64_t			 heard_ms;	/* its last sign of life; 0: none yet */
	int64_t			 restart_ms;	/* when, if not running */
	int			 delay_ms;
};

/* Not running yet; the listener is a filter's.  NULL: ERR_TEMP. */
struct child	*child_new(enum child_kind, const struct listener *,
		    struct err *);
void	child_free(struct child *);

/* It runs from now on. */
void	child_started(struct child *, pid_t);
/*
 * It ended: when it is to be started again is planned, at once after a long
 * life and ever later after short ones, so that a process that cannot
 * start does not eat the machine.
 */
void	child_ended(struct child *);
/*
 * The vault died: tell who waits for it at a filter's channels, so that mails
 * are answered at once and not when their time is up.
 */
void	child_tell_vault_died(const struct child *filter);
bool	child_is_due(const struct child *);
/*
 * Has it been silent for so long?  A vault that has not said anything
 * yet may be waiting for the store's lock, or recovering it: start_ms.
 */
bool	child_is_silent(const struct child *, int limit_ms, int start_ms);
/* Until the next start is due; at most a second, to see who is silent. */
int	child_wait_ms(struct child *const *, size_t n);

/* Milliseconds on a clock that nobody sets. */
int64_t	child_clock_ms(void);

#endif
