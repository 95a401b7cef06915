/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "store/audit.h"
#include "store/key.h"
#include "store/rewrap.h"
#include "store/stamp_key.h"
#include "store/table.h"

#define BATCH	256	/* keys listed at a time */

struct ids {
	uint8_t	 list[BATCH][KEY_ID_LEN];
	size_t	 n;
};

static bool
add_id(void *arg, const uint8_t *key, size_t key_len, const uint8_t *value,
    size_t len, bool *more, struct err *err)
{
	struct ids	*ids = arg;

	(void)value;
	(void)len;
	if (key_len != KEY_ID_LEN)
		return err_set(err, ERR_TEMP, "a private key's record has a "
		    "key of %zu bytes", key_len);
	memcpy(ids->list[ids->n++], key, key_len);
	*more = ids->n < BATCH;
	return true;
}

/* False after the last there can be. */
static bool
next_id(uint8_t id[KEY_ID_LEN])
{
	for (size_t i = KEY_ID_LEN; i-- > 0;)
		if (++id[i] != 0)
			return true;
	return false;
}

static bool
rewrap_keys(struct store *store, const uint8_t *new_master, size_t *n,
    struct err *err)
{
	uint8_t		 from[KEY_ID_LEN] = { 0 };
	struct ids	 ids;

	*n = 0;
	do {
		ids.n = 0;
		/* A walk must not change what it walks through. */
		if (!table_walk(store, TABLE_KEYS, from, sizeof(from), add_id,
		    &ids, err))
			return false;
		for (size_t i = 0; i < ids.n; i++)
			if (!key_rewrap(store, ids.list[i], new_master, err))
				return false;
		*n += ids.n;
		if (ids.n > 0)
			memcpy(from, ids.list[ids.n - 1], sizeof(from));
	} while (ids.n == BATCH && next_id(from));
	return true;
}

bool
rewrap_store(struct store *store, const char *who,
    const uint8_t new_master[MASTER_KEY_LEN], int64_t now, size_t *n,
    struct err *err)
{
	struct audit	 audit = { store, who };

	if (!store_begin_write(store, err))
		return false;
	/* Done before, by one who was killed before he could say so. */
	if (memcmp(new_master, store_master_key(store), MASTER_KEY_LEN) == 0) {
		*n = 0;
		store_abort(store);
		return true;
	}
	if (rewrap_keys(store, new_master, n, err) &&
	    stamp_key_retire(store, new_master, now, err) &&
	    audit_rewrap(&audit, *n, err))
		return store_commit_master_key(store, new_master, err);
	store_abort(store);
	return false;
}
