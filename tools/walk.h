/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_WALK_H
#define TOOLS_WALK_H

#include <stdbool.h>

#include "milter/journey.h"
#include "policy/decide.h"
#include "tools/cmd.h"
#include "tools/files.h"
#include "tools/open.h"

/*
 * A mail walks the daemon's own journey without an MTA: what explain and seal
 * share.
 */
struct envelope {
	const char	*from;		/* --from: of the envelope */
	const char	*to;		/* --to: with commas between */
	const char	*login;
	const char	*client;	/* an address, or "local" */
};

/* False: stop, with *status. */
bool	walk_options(struct cmd_context *, int argc, char **argv,
	    struct envelope *, int *status);

/* Who got no further than RCPT TO. */
struct walk_refused {
	char		*addr;
	struct decision	 decision;
};

/* A mail at the end of its journey, and what it needed on the way. */
struct walk {
	struct access		*access;
	struct mail		*mail;		/* for the other recipients */
	struct walk_refused	*refused;
	size_t			 n_refused;
	struct journey		 journey;	/* not begun if all are refused */
};

/*
 * source   the mail; NULL: one from the sender to all, with nothing in it
 * is_dry   stop at the decision
 *
 * journey.decision and .edits are there in any case.  Pass a zeroed walk, and
 * call walk_end() whether it went well or not.
 */
bool	walk_run(struct cmd_context *, const struct envelope *,
	    const struct file *source, bool is_dry, struct walk *,
	    struct err *);
void	walk_end(struct walk *);

#endif
