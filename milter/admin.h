/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_ADMIN_H
#define MILTER_ADMIN_H

#include <stdbool.h>

#include "base/err.h"
#include "milter/process.h"

/*
 * STORE/admin.sock, where smimectl reaches the daemon.  It outlives any vault,
 * so that smimectl finds the daemon whatever happens to its processes.
 * Belongs to the store's owner, mode 0600.
 *
 * *fd listens, *path is the caller's.  ERR_CONFIG: there is no store, or
 * another daemon listens there.
 */
bool	admin_open(const char *store, const struct process_user *owner,
	    int *fd, char **path, struct err *);

#endif
