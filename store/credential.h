/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_CREDENTIAL_H
#define STORE_CREDENTIAL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "base/err.h"
#include "base/text.h"
#include "store/record.h"
#include "store/store.h"
#include "store/trust.h"

/*
 * A certificate ready to sign with: parsed, with its intermediates and its
 * unlocked key.  To make one costs four times an RSA signature, so the last
 * ones used are kept.  Counted, for threads may sign with it while it is
 * put out; the key is wiped when the last lets go.
 */
struct credential {
	struct fingerprint	 fp;
	uint64_t		 generation;	/* of the store it comes from */
	X509			*cert;
	STACK_OF(X509)		*chain;		/* intermediates, no root */
	EVP_PKEY		*key;
	_Atomic unsigned	 n_refs;
};

/*
 * From the store; wants store_begin_read().  ERR_DATA: there is no key.
 * One reference is the caller's.
 */
struct credential *credential_load(struct store *, struct trust *,
	    const struct cert_record *, int64_t now, struct err *);
void	credential_release(struct credential *);	/* NULL is fine */

struct credential_cache;

struct credential_cache *credential_cache_new(size_t max);
void	credential_cache_free(struct credential_cache *);
/* With a reference of the caller's; NULL if not kept or of another store. */
struct credential *credential_cache_get(struct credential_cache *,
	    const struct fingerprint *, uint64_t generation);
/* Takes a reference of its own; the one used longest ago goes. */
void	credential_cache_put(struct credential_cache *, struct credential *);
/* Forgets all, so that a key that was removed is not in memory either. */
void	credential_cache_clear(struct credential_cache *);

#endif
