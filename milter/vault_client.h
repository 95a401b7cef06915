/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_VAULT_CLIENT_H
#define MILTER_VAULT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "milter/stamp.h"
#include "milter/stats.h"
#include "store/custody.h"

/*
 * The vault as a custody.  Each channel carries one request at a time; a call
 * waits for a free channel, then for its answer, timeout_ms in all, and
 * fails with ERR_TEMP beyond that.  An answer that comes too late is dropped
 * by its id, it is never taken for another's.
 */

/*
 * Over channels made by the supervisor; the descriptors are taken over.
 * *stamper (may be NULL) is the same vault's, as long as the custody is open.
 */
struct custody *vault_client_new(const int *fds, size_t n, int timeout_ms,
	    struct stamper *);

/*
 * Over the admin socket.  *is_absent is set where no vault listens there
 * (ENOENT, ECONNREFUSED); only then may the caller open the store itself.
 */
bool	vault_client_open_admin(const char *path, struct custody **,
	    bool *is_absent, struct err *);

/*
 * Over the admin socket: let the daemon read its configuration.  True when it
 * counts in all its processes; ERR_CONFIG: what is wrong, it stays as it was.
 */
bool	vault_client_reload(const char *path, bool *is_absent, struct err *);

/* Over the admin socket: what the daemon has counted, but for groups. */
typedef void vault_client_status_fn(void *arg, const struct stats_sample *);
bool	vault_client_status(const char *path, vault_client_status_fn *fn,
	    void *arg, bool *is_absent, struct err *);
/* The last troubles in its log, the newest first; borrowed until fn returns. */
typedef void vault_client_trouble_fn(void *arg, int64_t when,
	    const char *text);
bool	vault_client_troubles(const char *path, vault_client_trouble_fn *fn,
	    void *arg, bool *is_absent, struct err *);

#endif
