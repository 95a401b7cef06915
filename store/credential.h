/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_CREDENTIAL_H
#define STORE_CREDENTIAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "base/err.h"
#include "base/text.h"
#include "store/key.h"
#include "store/record.h"
#include "store/signed_frame.h"
#include "store/store.h"
#include "store/trust.h"

/*
 * A certificate ready to sign with for an address: parsed, with its
 * intermediates and its unlocked key, and judged fit at a certain time.  To
 * make one costs four times an RSA signature, so the last ones used are kept.
 * Counted, for threads may sign with it while it is put out; the key is wiped
 * when the last lets go.  Nothing in it changes once it is made, but that it
 * gets a frame when it has signed.
 */
struct credential {
	struct fingerprint	 fp;
	uint64_t		 generation;	/* of the store it comes from */
	X509			*cert;
	STACK_OF(X509)		*chain;		/* intermediates, no root */
	EVP_PKEY		*key;
	uint8_t			 spki[KEY_ID_LEN];	/* the key's name */
	char			*addr;		/* it may sign for, */
	int64_t			 at, until;	/* from then, before this time */
	X509			*reply;		/* to encrypt replies to; NULL: cert */
	_Atomic(struct signed_frame *) frame;
	_Atomic unsigned	 n_refs;
};

/* So long it stays judged, if the store does not change and it is valid. */
#define CREDENTIAL_SECONDS	5

/* What it was found to be good for; reply may be NULL, and is taken over. */
struct credential_use {
	const char	*addr;
	int64_t		 at;
	int64_t		 not_after;	/* the certificate's end */
	X509		*reply;
};

/*
 * From the store; wants store_begin_read().  ERR_DATA: there is no key.
 * One reference is the caller's.
 */
struct credential *credential_load(struct store *, struct trust *,
	    const struct cert_record *, const struct credential_use *,
	    struct err *);
/* The same certificate and key for another use; the caller's as well. */
struct credential *credential_again(const struct credential *,
	    const struct credential_use *);
/* Is none of its intermediates past its end, so that the chain still holds? */
bool	credential_has_chain(const struct credential *, int64_t now);
/* Was it judged for this address, and not too long ago? */
bool	credential_is_for(const struct credential *, const char *addr,
	    int64_t now);
/* Takes the frame over; where one is already, that stays.  NULL is fine. */
void	credential_give_frame(struct credential *, struct signed_frame *);
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
