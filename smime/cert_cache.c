/* SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "smime/cert_cache.h"

#define SLOTS		2048	/* 20 MB or so when full */
#define HASHED		32	/* of the bytes at the end, a signature's */

/* A lock each, so that mails wait for one another only over one certificate. */
struct slot {
	pthread_mutex_t	 lock;
	uint8_t		*der;	/* NULL: empty */
	size_t		 len;
	X509		*x509;
};

static struct slot	 slots[SLOTS];
static pthread_once_t	 once = PTHREAD_ONCE_INIT;

static void
make_locks(void)
{
	for (size_t i = 0; i < SLOTS; i++)
		pthread_mutex_init(&slots[i].lock, NULL);
}

/* FNV-1a; a signature's bytes are as good as random. */
static struct slot *
slot_of(const uint8_t *der, size_t len)
{
	uint32_t	 hash = 2166136261u;

	for (size_t i = len > HASHED ? len - HASHED : 0; i < len; i++)
		hash = (hash ^ der[i]) * 16777619u;
	return &slots[hash % SLOTS];
}

static X509 *
recall(struct slot *slot, const uint8_t *der, size_t len)
{
	X509	*x509 = NULL;

	pthread_mutex_lock(&slot->lock);
	if (slot->der != NULL && slot->len == len &&
	    memcmp(slot->der, der, len) == 0) {
		x509 = slot->x509;
		X509_up_ref(x509);
	}
	pthread_mutex_unlock(&slot->lock);
	return x509;
}

static void
keep(struct slot *slot, const uint8_t *der, size_t len, X509 *x509)
{
	uint8_t	*copy = mem_dup(der, len), *former;
	X509	*former_x509;

	X509_up_ref(x509);
	pthread_mutex_lock(&slot->lock);
	former = slot->der;
	former_x509 = slot->x509;
	slot->der = copy;
	slot->len = len;
	slot->x509 = x509;
	pthread_mutex_unlock(&slot->lock);
	free(former);
	X509_free(former_x509);
}

X509 *
cert_cache_get(const uint8_t *der, size_t len)
{
	struct slot		*slot;
	const unsigned char	*p = der;
	X509			*x509;

	if (len == 0 || len > LONG_MAX)
		return NULL;
	pthread_once(&once, make_locks);
	slot = slot_of(der, len);
	if ((x509 = recall(slot, der, len)) != NULL)
		return x509;
	x509 = d2i_X509(NULL, &p, (long)len);
	if (x509 == NULL || p != der + len) {
		X509_free(x509);
		return NULL;
	}
	keep(slot, der, len, x509);
	return x509;
}
