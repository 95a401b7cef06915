/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_STORE_META_H
#define STORE_STORE_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

/* What a store says of itself: its version, and which master key is its. */

/*
 * master, of MASTER_KEY_LEN bytes, holds the key given, and then the one, of
 * it and the options' spares, that fits.  ERR_CONFIG: another version than
 * this program's, or none of the keys.
 */
bool	store_meta_check(struct store *, const struct store_options *,
	    uint8_t *master, struct err *);
/* The version as it is written; what: whose it is, for the reason. */
bool	store_meta_check_version(const char *what, const uint8_t *, size_t len,
	    struct err *);
bool	store_meta_is_there(struct store *, bool *is_there, struct err *);
/* In the transaction at hand. */
bool	store_meta_put(struct store *, const uint8_t *master, struct err *);
/* What tells the right master key from others. */
bool	store_meta_put_check(struct store *, const uint8_t *master,
	    struct err *);

#endif
