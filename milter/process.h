/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_PROCESS_H
#define MILTER_PROCESS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* What a process of the daemon does to itself before it begins its work. */

struct process_user {
	char	*name;
	uid_t	 uid;
	gid_t	 gid;
};

/* ERR_CONFIG: there is no such user. */
bool	process_find_user(const char *name, struct process_user *,
	    struct err *);

/*
 * Become this user for good, with its own group and no other; as another than
 * root nothing is changed.  Then: no core files, not dumpable, no new
 * privileges, and SIGTERM when the parent dies.  Fails if the parent is gone.
 */
bool	process_confine(const struct process_user *, pid_t parent,
	    struct err *);

/* Close all descriptors above 2 but these; fds is sorted in place. */
void	process_keep_only(int *fds, size_t n);

/* A detached thread that no signal reaches. */
bool	process_thread(void *(*fn)(void *), void *arg, struct err *);

/* As many descriptors as the system allows. */
void	process_raise_files(void);

#endif
