/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_KEY_H
#define STORE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/custody.h"
#include "store/record.h"
#include "store/store.h"

#define KEY_ID_LEN	32	/* SHA-256 over the SubjectPublicKeyInfo */

/*
 * Private keys by their public key, so that a renewed certificate for the
 * same key has it at once.  Wants store_begin_read() or _write(); false is
 * ERR_TEMP unless said otherwise.
 */

/*
 * A plain PKCS#8 PrivateKeyInfo (RFC 5958) as a key that OpenSSL has checked
 * against itself, and its public key's hash.  ERR_DATA: no such thing.
 * Freed with EVP_PKEY_free().
 */
bool	key_parse(const uint8_t *plain, size_t len, EVP_PKEY **out,
	    uint8_t id[KEY_ID_LEN], struct err *);

bool	key_protection_of(struct store *, const uint8_t id[KEY_ID_LEN],
	    enum key_protection *, struct err *);
/* Adds or replaces; key->plain is sealed under the master key. */
bool	key_put(struct store *, const char *who, const uint8_t id[KEY_ID_LEN],
	    const struct put_key *, int64_t now, struct err *);
/* Seal it under the master key that the store is about to get. */
bool	key_rewrap(struct store *, const uint8_t id[KEY_ID_LEN],
	    const uint8_t new_master[MASTER_KEY_LEN], struct err *);
/*
 * Does it open, and is it the half of this public key?  ERR_DATA: what is
 * wrong with it.
 */
bool	key_verify(struct store *, const uint8_t id[KEY_ID_LEN],
	    struct err *);
bool	key_remove(struct store *, const uint8_t id[KEY_ID_LEN], struct err *);

/* The key ready for use; *out is NULL if there is none. */
bool	key_unlock(struct store *, const uint8_t id[KEY_ID_LEN],
	    EVP_PKEY **out, struct err *);
/*
 * The key for export: as it came under its passphrase, else the plain
 * PrivateKeyInfo, out->is_secret set.
 */
bool	key_export(struct store *, const uint8_t id[KEY_ID_LEN],
	    enum key_protection *, struct buf *out, struct err *);

#endif
