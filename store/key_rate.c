/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/key_rate.h"

#define WINDOW_US	(60 * 1000000LL)
#define CHAINS		1024	/* a power of two */

/*
 * A key's signatures, each of which lasts the same part of a minute, one after
 * the other: when the last one ends tells how many there were.
 */
struct use {
	struct use	*next;
	uint8_t		 id[KEY_ID_LEN];
	int64_t		 until_us;
};

struct key_rate {
	pthread_mutex_t	 lock;
	struct use	*chains[CHAINS];
};

struct key_rate *
key_rate_new(void)
{
	struct key_rate	*rate = mem_alloc(sizeof(*rate));

	pthread_mutex_init(&rate->lock, NULL);
	return rate;
}

void
key_rate_free(struct key_rate *rate)
{
	if (rate == NULL)
		return;
	for (size_t i = 0; i < CHAINS; i++)
		while (rate->chains[i] != NULL) {
			struct use	*use = rate->chains[i];

			rate->chains[i] = use->next;
			free(use);
		}
	pthread_mutex_destroy(&rate->lock);
	free(rate);
}

/* The key's use, else NULL; uses that are over go from its chain. */
static struct use *
find(struct use **link, const uint8_t *id, int64_t now_us)
{
	struct use	*found = NULL, *use;

	while ((use = *link) != NULL) {
		if (memcmp(use->id, id, KEY_ID_LEN) == 0)
			found = use;
		else if (use->until_us <= now_us) {
			*link = use->next;
			free(use);
			continue;
		}
		link = &use->next;
	}
	return found;
}

bool
key_rate_take(struct key_rate *rate, const uint8_t id[KEY_ID_LEN],
    uint32_t per_minute, int64_t now_us)
{
	/* A hash is as good in its first bytes as in all. */
	size_t		 at = ((size_t)id[0] << 8 | id[1]) % CHAINS;
	struct use	*use;
	int64_t		 until_us = now_us;
	bool		 is_ok;

	if (per_minute == 0)
		return true;
	pthread_mutex_lock(&rate->lock);
	use = find(&rate->chains[at], id, now_us);
	if (use != NULL && use->until_us > now_us)
		until_us = use->until_us;
	until_us += WINDOW_US / per_minute;
	is_ok = until_us - now_us <= WINDOW_US;
	if (is_ok && use == NULL) {
		use = mem_alloc(sizeof(*use));
		memcpy(use->id, id, KEY_ID_LEN);
		use->next = rate->chains[at];
		rate->chains[at] = use;
	}
	if (is_ok)
		use->until_us = until_us;
	pthread_mutex_unlock(&rate->lock);
	return is_ok;
}
