/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_LISTENING_H
#define MILTER_LISTENING_H

#include <sys/types.h>

#include "base/err.h"
#include "policy/config_socket.h"

/*
 * Sockets that the supervisor listens at, and that outlive whoever serves
 * them.  *fd is the caller's.
 *
 * A file at the path of a unix socket is replaced if it is a socket where
 * nobody listens; ERR_CONFIG: somebody does, or it is another file.
 */
bool	listening_unix(const char *path, int type, mode_t, int *fd,
	    struct err *);
bool	listening_at(const struct config_socket *, mode_t, int *fd,
	    struct err *);

#endif
