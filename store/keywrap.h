/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_KEYWRAP_H
#define STORE_KEYWRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"

/*
 * Secrets under the master key: AES-256-GCM with a random nonce, under a key
 * of their own (HKDF, RFC 5869, over what they are and whose).  What is sealed
 * opens only as the same thing of the same owner, so that a blob moved to
 * another record is refused.
 *
 * what  a short name: "key", "check"
 * id    whose, such as a public key's hash; may be empty
 */
bool	keywrap_seal(const uint8_t master[MASTER_KEY_LEN], const char *what,
	    const void *id, size_t id_len, const void *plain, size_t len,
	    struct buf *out, struct err *);

/*
 * ERR_DATA: altered, moved, or sealed under another master key.  out should
 * be secret; it is empty on failure.
 */
bool	keywrap_open(const uint8_t master[MASTER_KEY_LEN], const char *what,
	    const void *id, size_t id_len, const void *sealed, size_t len,
	    struct buf *out, struct err *);

/* The derived key alone, for what is not sealed.  The caller wipes it. */
#define KEYWRAP_KEY_LEN	32
bool	keywrap_derive(const uint8_t master[MASTER_KEY_LEN], const char *what,
	    const void *id, size_t id_len, uint8_t out[KEYWRAP_KEY_LEN],
	    struct err *);

#endif
