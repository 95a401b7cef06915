/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/cert.h"
#include "store/credential.h"

struct place {
	struct credential	*credential;	/* NULL: free */
	uint64_t	 used;		/* when, by the cache's count */
};

struct credential_cache {
	pthread_mutex_t	 lock;
	struct place	*places;
	size_t		 max;
	uint64_t	 count;		/* of uses */
};

void
credential_release(struct credential *credential)
{
	if (credential == NULL || atomic_fetch_sub(&credential->n_refs, 1) != 1)
		return;
	X509_free(credential->cert);
	sk_X509_pop_free(credential->chain, X509_free);
	EVP_PKEY_free(credential->key);
	X509_free(credential->reply);
	signed_frame_free(atomic_load(&credential->frame));
	free(credential->addr);
	free(credential);
}

void
credential_give_frame(struct credential *credential,
    struct signed_frame *frame)
{
	struct signed_frame	*none = NULL;

	if (!atomic_compare_exchange_strong(&credential->frame, &none, frame))
		signed_frame_free(frame);
}

static void
set_use(struct credential *credential, const struct credential_use *use)
{
	credential->addr = mem_str(use->addr);
	credential->at = use->at;
	credential->until = use->at + CREDENTIAL_SECONDS;
	if (use->not_after < credential->until)
		credential->until = use->not_after + 1;
	credential->reply = use->reply;
	credential->n_refs = 1;
}

struct credential *
credential_again(const struct credential *former,
    const struct credential_use *use)
{
	struct credential	*credential = mem_alloc(sizeof(*credential));

	credential->fp = former->fp;
	credential->generation = former->generation;
	credential->cert = former->cert;
	credential->chain = X509_chain_up_ref(former->chain);
	credential->key = former->key;
	if (credential->chain == NULL || X509_up_ref(former->cert) != 1 ||
	    EVP_PKEY_up_ref(former->key) != 1)
		abort();
	memcpy(credential->spki, former->spki, sizeof(credential->spki));
	set_use(credential, use);
	return credential;
}

bool
credential_has_chain(const struct credential *credential, int64_t now)
{
	time_t	 t = (time_t)now;

	for (int i = 0; i < sk_X509_num(credential->chain); i++)
		if (X509_cmp_time(X509_get0_notAfter(sk_X509_value(
		    credential->chain, i)), &t) <= 0)
			return false;
	return true;
}

bool
credential_is_for(const struct credential *credential, const char *addr,
    int64_t now)
{
	return strcmp(credential->addr, addr) == 0 && now >= credential->at &&
	    now < credential->until;
}

/* What goes along with a signature: all above the signer but a root. */
static bool
load_chain(struct trust *trust, const struct cert_record *record, int64_t now,
    STACK_OF(X509) *chain, struct err *err)
{
	struct cert_record	*issuers;
	size_t			 n;
	bool			 is_ok;

	is_ok = trust_issuers(trust, record, now, &issuers, &n, err);
	for (size_t i = 0; i < n; i++) {
		X509	*x509;

		if (is_ok && !issuers[i].facts.is_self_signed) {
			x509 = cert_parse(issuers[i].der, issuers[i].der_len,
			    err);
			is_ok = x509 != NULL;
			if (is_ok && sk_X509_push(chain, x509) == 0)
				abort();
		}
		record_free_cert(&issuers[i]);
	}
	free(issuers);
	return is_ok;
}

struct credential *
credential_load(struct store *store, struct trust *trust,
    const struct cert_record *record, const struct credential_use *use,
    struct err *err)
{
	struct credential	*credential;
	STACK_OF(X509)	*chain = sk_X509_new_null();
	X509		*cert = NULL;
	EVP_PKEY	*key = NULL;

	if (chain == NULL)
		abort();
	if ((cert = cert_parse(record->der, record->der_len, err)) == NULL ||
	    !load_chain(trust, record, use->at, chain, err) ||
	    !key_unlock(store, record->facts.spki, &key, err))
		goto fail;
	if (key == NULL) {
		err_set(err, ERR_DATA, "certificate has no private key here");
		goto fail;
	}
	if (X509_check_private_key(cert, key) != 1) {
		err_openssl(err, ERR_TEMP,
		    "the certificate's key is not its own");
		goto fail;
	}
	credential = mem_alloc(sizeof(*credential));
	credential->fp = record->facts.fp;
	credential->generation = store_generation(store);
	credential->cert = cert;
	credential->chain = chain;
	credential->key = key;
	memcpy(credential->spki, record->facts.spki, sizeof(credential->spki));
	set_use(credential, use);
	return credential;
fail:
	X509_free(use->reply);
	X509_free(cert);
	sk_X509_pop_free(chain, X509_free);
	EVP_PKEY_free(key);
	return NULL;
}

struct credential_cache *
credential_cache_new(size_t max)
{
	struct credential_cache	*cache = mem_alloc(sizeof(*cache));

	pthread_mutex_init(&cache->lock, NULL);
	cache->places = mem_array(max, sizeof(*cache->places));
	cache->max = max;
	return cache;
}

void
credential_cache_free(struct credential_cache *cache)
{
	if (cache == NULL)
		return;
	credential_cache_clear(cache);
	pthread_mutex_destroy(&cache->lock);
	free(cache->places);
	free(cache);
}

/*
 * A few hundred places are gone through in a microsecond or two, next to a
 * signature of two hundred.  Where the fingerprint is, else the oldest.
 */
static struct place *
find_place(struct credential_cache *cache, const struct fingerprint *fp)
{
	struct place	*oldest = &cache->places[0];

	for (size_t i = 0; i < cache->max; i++) {
		struct place	*place = &cache->places[i];

		if (place->credential != NULL &&
		    text_fp_equal(&place->credential->fp, fp))
			return place;
		if (place->used < oldest->used)
			oldest = place;
	}
	return oldest;
}

struct credential *
credential_cache_get(struct credential_cache *cache,
    const struct fingerprint *fp, uint64_t generation)
{
	struct credential	*credential;
	struct place	*place;

	pthread_mutex_lock(&cache->lock);
	place = find_place(cache, fp);
	credential = place->credential;
	if (credential != NULL && text_fp_equal(&credential->fp, fp) &&
	    credential->generation == generation) {
		place->used = ++cache->count;
		atomic_fetch_add(&credential->n_refs, 1);
	} else
		credential = NULL;
	pthread_mutex_unlock(&cache->lock);
	return credential;
}

void
credential_cache_put(struct credential_cache *cache,
    struct credential *credential)
{
	struct credential	*former;
	struct place	*place;

	atomic_fetch_add(&credential->n_refs, 1);
	pthread_mutex_lock(&cache->lock);
	place = find_place(cache, &credential->fp);
	former = place->credential;
	place->credential = credential;
	place->used = ++cache->count;
	pthread_mutex_unlock(&cache->lock);
	credential_release(former);
}

void
credential_cache_clear(struct credential_cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	for (size_t i = 0; i < cache->max; i++) {
		credential_release(cache->places[i].credential);
		cache->places[i] = (struct place){ NULL, 0 };
	}
	pthread_mutex_unlock(&cache->lock);
}
