/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_VAULT_UPLOAD_H
#define MILTER_VAULT_UPLOAD_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "milter/vault_wire.h"

/*
 * What administrators send in pieces, put together.  There is one at a time:
 * who begins another takes its place, and the former has to begin anew
 * (ERR_TEMP).  So what an administrator who went away has sent is in memory
 * until the next one comes, and no longer.
 */
#define VAULT_UPLOAD_MAX	(32u << 20)	/* bytes of a whole */

/*
 * Add a piece.  With the last one *is_whole is set, and the bytes are moved to
 * *whole, which is the caller's.
 */
bool	vault_upload_add(const struct wire_piece *, struct buf *whole,
	    bool *is_whole, struct err *);

#endif
