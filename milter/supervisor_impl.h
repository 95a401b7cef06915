/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_SUPERVISOR_IMPL_H
#define MILTER_SUPERVISOR_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "milter/child.h"
#include "milter/process.h"

/* What the supervisor's files share among themselves. */

#define SUPERVISOR_START_MS	60000	/* a vault may wait 30 s for the store's lock */

struct supervisor {
	const char		*config_path;
	struct config		*config;
	uint32_t		 generation;	/* of the configuration */
	struct process_user	 user;
	struct process_user	 filter_user;
	int			 admin;
	char			*admin_path;
	int			 metrics;	/* listens; -1: not configured */
	int			 log_fds[2];	/* here, and the children's end */
	int			 signals;
	struct child		**children;	/* the vault first */
	size_t			 n_children;
	bool			 is_stopping;
};

/* --- supervisor_start.c ---------------------------------------------------- */

/* Reads the configuration, and makes all that children inherit. */
bool	supervisor_prepare(struct supervisor *, const char *path,
	    struct err *);
/* Not running yet; the listener is a filter's. */
bool	supervisor_add_child(struct supervisor *, enum child_kind,
	    const struct listener *, struct err *);
/* ready: see report.h; -1 where nobody waits. */
bool	supervisor_start(struct supervisor *, struct child *, int ready,
	    struct err *);
/* At the daemon's start each process must come up, one after the other. */
bool	supervisor_start_all(struct supervisor *, struct err *);

/* --- supervisor_reload.c --------------------------------------------------- */

/*
 * All files are read and checked first; with an error in any of them,
 * everything stays as it was.  done: see control_send_config().
 */
bool	supervisor_reload(struct supervisor *, int done, struct err *);

#endif
