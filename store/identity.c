/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/identity.h"

struct place {
	struct identity	*identity;	/* NULL: free */
	uint64_t	 used;		/* when, by the cache's count */
};

struct identity_cache {
	pthread_mutex_t	 lock;
	struct place	*places;
	size_t		 max;
	uint64_t	 count;		/* of uses */
};

struct identity *
identity_new_take(const struct fingerprint *fp, uint64_t generation,
    X509 *cert, STACK_OF(X509) *chain, EVP_PKEY *key)
{
	struct identity	*identity = mem_alloc(sizeof(*identity));

	identity->fp = *fp;
	identity->generation = generation;
	identity->cert = cert;
	identity->chain = chain;
	identity->key = key;
	identity->n_refs = 1;
	return identity;
}

void
identity_release(struct identity *identity)
{
	if (identity == NULL || atomic_fetch_sub(&identity->n_refs, 1) != 1)
		return;
	X509_free(identity->cert);
	sk_X509_pop_free(identity->chain, X509_free);
	EVP_PKEY_free(identity->key);
	free(identity);
}

struct identity_cache *
identity_cache_new(size_t max)
{
	struct identity_cache	*cache = mem_alloc(sizeof(*cache));

	pthread_mutex_init(&cache->lock, NULL);
	cache->places = mem_array(max, sizeof(*cache->places));
	cache->max = max;
	return cache;
}

void
identity_cache_free(struct identity_cache *cache)
{
	if (cache == NULL)
		return;
	identity_cache_clear(cache);
	pthread_mutex_destroy(&cache->lock);
	free(cache->places);
	free(cache);
}

/*
 * A few hundred places are gone through in a microsecond or two, next to a
 * signature of two hundred.  Where the fingerprint is, else the oldest.
 */
static struct place *
find_place(struct identity_cache *cache, const struct fingerprint *fp)
{
	struct place	*oldest = &cache->places[0];

	for (size_t i = 0; i < cache->max; i++) {
		struct place	*place = &cache->places[i];

		if (place->identity != NULL &&
		    text_fp_equal(&place->identity->fp, fp))
			return place;
		if (place->used < oldest->used)
			oldest = place;
	}
	return oldest;
}

struct identity *
identity_cache_get(struct identity_cache *cache, const struct fingerprint *fp,
    uint64_t generation)
{
	struct identity	*identity;
	struct place	*place;

	pthread_mutex_lock(&cache->lock);
	place = find_place(cache, fp);
	identity = place->identity;
	if (identity != NULL && text_fp_equal(&identity->fp, fp) &&
	    identity->generation == generation) {
		place->used = ++cache->count;
		atomic_fetch_add(&identity->n_refs, 1);
	} else
		identity = NULL;
	pthread_mutex_unlock(&cache->lock);
	return identity;
}

void
identity_cache_put(struct identity_cache *cache, struct identity *identity)
{
	struct identity	*former;
	struct place	*place;

	atomic_fetch_add(&identity->n_refs, 1);
	pthread_mutex_lock(&cache->lock);
	place = find_place(cache, &identity->fp);
	former = place->identity;
	place->identity = identity;
	place->used = ++cache->count;
	pthread_mutex_unlock(&cache->lock);
	identity_release(former);
}

void
identity_cache_clear(struct identity_cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	for (size_t i = 0; i < cache->max; i++) {
		identity_release(cache->places[i].identity);
		cache->places[i] = (struct place){ NULL, 0 };
	}
	pthread_mutex_unlock(&cache->lock);
}
