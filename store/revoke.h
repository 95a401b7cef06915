/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_REVOKE_H
#define STORE_REVOKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/err.h"
#include "store/cert.h"
#include "store/crl.h"
#include "store/custody.h"
#include "store/store.h"

/*
 * The revocation lists that CAs have published and an administrator has
 * imported (DESIGN.md 9.9).  A list belongs to the CA whose key has signed it,
 * and is kept until a newer one of the same CA and scope replaces it, until
 * it is removed, or until the CA's last certificate is.  Nothing is ever
 * fetched.
 *
 * A stale list still counts: what was revoked stays so.
 *
 * Wants store_begin_read(), or store_begin_write() for what changes; false is
 * ERR_TEMP.
 */

/*
 * Keep a list; refused without its CA, and when a newer one is here.
 * The result's state is not used.
 */
bool	revoke_put(struct store *, const struct crl *, const struct put_crl *,
	    int64_t now, struct put_result *, struct err *);

/*
 * Is this serial number on a list of this CA?  Whether the CA has issued the
 * certificate is for the caller to know.
 */
bool	revoke_find(struct store *, const struct cert_facts *ca,
	    const ASN1_INTEGER *serial, struct crl_revoked *, bool *found,
	    struct err *);

/* The lists of a CA; the caller frees the array. */
bool	revoke_lists(struct store *, const struct cert_facts *ca,
	    struct crl_entry **out, size_t *n, struct err *);

/* Forget all lists of a CA; *n tells how many there were. */
bool	revoke_remove(struct store *, const struct cert_facts *ca, size_t *n,
	    struct err *);
/* The same, unless another certificate of the CA is here. */
bool	revoke_remove_orphans(struct store *, const struct cert_facts *ca,
	    struct err *);

#endif
