/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_IDENTITY_H
#define STORE_IDENTITY_H

#include <stdatomic.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "base/text.h"

/*
 * A certificate ready to sign with: parsed, with its intermediates and its
 * unlocked key.  To make one costs four times an RSA signature, so the last
 * ones used are kept.  Counted, for threads may sign with it while it is
 * put out; the key is wiped when the last lets go.
 */
struct identity {
	struct fingerprint	 fp;
	uint64_t		 generation;	/* of the store it comes from */
	X509			*cert;
	STACK_OF(X509)		*chain;		/* intermediates, no root */
	EVP_PKEY		*key;
	_Atomic unsigned	 n_refs;
};

/* All three become its own; one reference is the caller's. */
struct identity	*identity_new_take(const struct fingerprint *,
		    uint64_t generation, X509 *, STACK_OF(X509) *, EVP_PKEY *);
void		 identity_release(struct identity *);	/* NULL is fine */

struct identity_cache;

struct identity_cache	*identity_cache_new(size_t max);
void	identity_cache_free(struct identity_cache *);
/* With a reference of the caller's; NULL if not kept or of another store. */
struct identity *identity_cache_get(struct identity_cache *,
	    const struct fingerprint *, uint64_t generation);
/* Takes a reference of its own; the one used longest ago goes. */
void	identity_cache_put(struct identity_cache *, struct identity *);
/* Forgets all, so that a key that was removed is not in memory either. */
void	identity_cache_clear(struct identity_cache *);

#endif
