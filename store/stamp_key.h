/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_STAMP_KEY_H
#define STORE_STAMP_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

/*
 * What stamps are made and checked with (DESIGN.md 9.5): a key derived from
 * the master key, and those of former master keys, which smimectl rewrap
 * leaves in the store, sealed under the present one.
 */
#define STAMP_KEY_LEN	32
#define STAMP_KEYS_MAX	8	/* the present one and seven before it */

struct stamp_key {
	uint8_t	 bytes[STAMP_KEY_LEN];
	int64_t	 retired;	/* when its master key went; 0: the present one */
};

/*
 * The first makes stamps, and all check them; a former one only those that
 * were made before `retired`, for stamp-lifetime after it.  Secret:
 * stamp_key_wipe().
 */
struct stamp_keys {
	struct stamp_key	 list[STAMP_KEYS_MAX];	/* newest first */
	size_t			 n;			/* 1 or more */
};

/* Wants store_begin_read() or store_begin_write(). */
bool	stamp_key_read(struct store *, struct stamp_keys *, struct err *);
void	stamp_key_wipe(struct stamp_keys *);

/*
 * The store gets another master key: keep what is derived from the present
 * one.  Wants store_begin_write(), before the change.
 */
bool	stamp_key_retire(struct store *, const uint8_t new_master[MASTER_KEY_LEN],
	    int64_t now, struct err *);

#endif
