/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_FIND_CACHE_H
#define MILTER_FIND_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/custody.h"

/*
 * What the vault found for an address, kept by a filter for a few seconds, so
 * that mails in a row do not ask the same again.  "Nobody" is kept as well.
 * Nothing kept outlives a change of the store, which generations tell, or the
 * certificate that was found.  For any number of threads; what it takes in
 * memory is limited.
 */
struct find_cache;

#define FIND_CACHE_SECONDS	5	/* its CA may expire meanwhile */
#define FIND_CACHE_PLACES	1024
#define FIND_CACHE_LEN_MAX	4096	/* bytes; larger findings are not kept */

struct find_cache *find_cache_new(void);
void	find_cache_free(struct find_cache *);	/* NULL is fine */

/* *out is the caller's; false: not kept, or no longer good. */
bool	find_cache_get(struct find_cache *, const char *addr, enum cert_use,
	    uint64_t generation, int64_t now, struct finding **out);
/* The generation is the one read before the vault was asked. */
void	find_cache_put(struct find_cache *, const char *addr, enum cert_use,
	    uint64_t generation, int64_t now, const struct finding *);

#endif
