/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_REWRAP_H
#define STORE_REWRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

/*
 * Seal every private key under another master key, in one transaction: killed
 * at any moment, the store opens with the one key or with the other, and all
 * of it does.  Nobody else reads in the meantime, 50 microseconds or so for
 * each key.  *n is how many keys there were, 0 if it is that key already.
 * ERR_TEMP: nothing has changed.
 */
bool	rewrap_store(struct store *, const char *who,
	    const uint8_t new_master[MASTER_KEY_LEN], int64_t now, size_t *n,
	    struct err *);

#endif
