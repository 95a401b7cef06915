/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_OPEN_H
#define TOOLS_OPEN_H

#include <stdbool.h>

#include "base/err.h"
#include "policy/config.h"
#include "store/custody.h"
#include "tools/cmd.h"

/*
 * The way to the store: the vault, if the daemon runs; else the store
 * itself, under its lock (DESIGN.md 2, 9.7).  As root, smimectl becomes the
 * store's owner on the way, so files that the administrator named are read
 * before.
 */
struct access;

enum access_mode {
	ACCESS_FOR_GOOD,	/* root is given up: foreign bytes follow */
	ACCESS_FOR_NOW		/* root comes back at access_close() */
};

/*
 * Read the configuration, find the vault or else the master key, and become
 * the owner of the store.  *out is the caller's: access_close().
 */
bool	access_open(const struct cmd_context *, enum access_mode,
	    struct access **out, struct err *);
const struct config *access_config(const struct access *);

/*
 * The custody, borrowed until access_release(), which gives the store's lock
 * back.  Nobody is asked anything in between: the daemon may be waiting for
 * the lock.  A daemon that has started meanwhile has the store.
 */
bool	access_custody(struct access *, struct custody **, struct err *);
void	access_release(struct access *);
/*
 * The same for work that takes long: what was borrowed is given back every
 * half second, so that a daemon that starts gets the store (DESIGN.md 9.7).
 */
bool	access_custody_again(struct access *, struct custody **,
	    struct err *);
void	access_close(struct access *);

/*
 * Become this user in every respect, without a way back.  Groups are his main
 * one only.  Does nothing for somebody who is not root.
 */
bool	access_become(uid_t, gid_t, struct err *);

#endif
