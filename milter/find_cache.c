/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "milter/find_cache.h"
#include "milter/vault_wire.h"

/* An address has one place; whoever comes later to the same one takes it. */
struct place {
	char		*addr;		/* NULL: free */
	enum cert_use	 use;
	uint64_t	 generation;
	int64_t		 at, until;	/* good from, and before */
	uint8_t		*finding;	/* as it comes over the wire */
	size_t		 len;
};

struct find_cache {
	pthread_mutex_t	 mutex;
	struct place	 places[FIND_CACHE_PLACES];
};

struct find_cache *
find_cache_new(void)
{
	struct find_cache	*cache = mem_alloc(sizeof(*cache));

	pthread_mutex_init(&cache->mutex, NULL);
	return cache;
}

void
find_cache_free(struct find_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < FIND_CACHE_PLACES; i++) {
		free(cache->places[i].addr);
		free(cache->places[i].finding);
	}
	pthread_mutex_destroy(&cache->mutex);
	free(cache);
}

/* FNV-1a: who makes addresses collide gains a question to the vault. */
static struct place *
place_of(struct find_cache *cache, const char *addr, enum cert_use use)
{
	uint32_t	 hash = 2166136261u + (uint32_t)use;

	for (const char *p = addr; *p != '\0'; p++)
		hash = (hash ^ (uint8_t)*p) * 16777619u;
	return &cache->places[(hash ^ hash >> 16) % FIND_CACHE_PLACES];
}

static bool
is_good(const struct place *place, const char *addr, enum cert_use use,
    uint64_t generation, int64_t now)
{
	return place->addr != NULL && place->generation == generation &&
	    place->use == use && now >= place->at && now < place->until &&
	    strcmp(place->addr, addr) == 0;
}

bool
find_cache_get(struct find_cache *cache, const char *addr, enum cert_use use,
    uint64_t generation, int64_t now, struct finding **out)
{
	const struct place	*place = place_of(cache, addr, use);
	struct wire_reader	 reader;

	*out = NULL;
	if (generation == 0)
		return false;
	pthread_mutex_lock(&cache->mutex);
	if (is_good(place, addr, use, generation, now)) {
		reader = (struct wire_reader){ .p = place->finding,
		    .left = place->len };
		*out = wire_get_finding(&reader);
	}
	pthread_mutex_unlock(&cache->mutex);
	return *out != NULL;
}

void
find_cache_put(struct find_cache *cache, const char *addr, enum cert_use use,
    uint64_t generation, int64_t now, const struct finding *finding)
{
	struct place	*place = place_of(cache, addr, use), former;
	struct place	 fresh = { .use = use, .generation = generation,
			    .at = now, .until = now + FIND_CACHE_SECONDS };
	struct buf	 bytes = { .max = FIND_CACHE_LEN_MAX };

	wire_put_finding(&bytes, finding);
	if (generation == 0 || bytes.failed) {
		buf_free(&bytes);
		return;
	}
	if (finding->der != NULL && finding->n > 0 &&
	    finding->candidates[0].not_after < fresh.until)
		fresh.until = finding->candidates[0].not_after + 1;
	fresh.addr = mem_str(addr);
	fresh.finding = bytes.data;
	fresh.len = bytes.len;
	pthread_mutex_lock(&cache->mutex);
	former = *place;
	*place = fresh;
	pthread_mutex_unlock(&cache->mutex);
	free(former.addr);
	free(former.finding);
}
