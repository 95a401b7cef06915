/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_DAEMON_H
#define TOOLS_DAEMON_H

#include <stdbool.h>

#include "base/err.h"

/*
 * Where the daemon of this configuration answers an administrator, see
 * milter/vault_client.h; *out is the caller's.  What is wrong with the file is
 * told even if no daemon runs.
 */
bool	daemon_socket(const char *config_path, char **out, struct err *);
/* False, always: nobody listens there. */
bool	daemon_absent(const char *socket, struct err *);

#endif
