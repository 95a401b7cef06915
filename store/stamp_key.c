/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <openssl/crypto.h>

#include "store/keywrap.h"
#include "store/stamp_key.h"
#include "store/table.h"

#define WHAT		"stamp v1"	/* what the present one is derived for */
#define FORMER		"stamp"		/* the record of those before it */
#define FORMER_LEN	(sizeof(FORMER) - 1)
#define ENTRY_LEN	(8 + STAMP_KEY_LEN)

/* --- the record: when retired, the key; newest first ----------------------- */

static void
put_entry(struct buf *out, const struct stamp_key *key)
{
	for (int i = 7; i >= 0; i--)
		buf_addc(out, (char)((uint64_t)key->retired >> (8 * i)));
	buf_add(out, key->bytes, sizeof(key->bytes));
}

static void
get_entry(const uint8_t *p, struct stamp_key *key)
{
	uint64_t	 retired = 0;

	for (int i = 0; i < 8; i++)
		retired = retired << 8 | p[i];
	key->retired = (int64_t)retired;
	memcpy(key->bytes, p + 8, sizeof(key->bytes));
}

static bool
add_former(struct store *store, struct stamp_keys *keys, struct err *err)
{
	struct buf	 sealed = { 0 }, plain = { .is_secret = true };
	bool		 found, is_ok = false;

	if (!table_get(store, TABLE_META, FORMER, FORMER_LEN, &sealed, &found,
	    err))
		goto out;
	if (!found) {
		is_ok = true;
		goto out;
	}
	if (!keywrap_open(store_master_key(store), FORMER, "", 0, sealed.data,
	    sealed.len, &plain, err) || plain.len % ENTRY_LEN != 0) {
		err_set(err, ERR_TEMP, "the record of former stamp keys is "
		    "damaged");
		goto out;
	}
	for (size_t at = 0; at < plain.len && keys->n < STAMP_KEYS_MAX;
	    at += ENTRY_LEN)
		get_entry(plain.data + at, &keys->list[keys->n++]);
	is_ok = true;
out:
	buf_free(&sealed);
	buf_free(&plain);
	return is_ok;
}

/* --- for the vault, and for a change of the master key ---------------------- */

bool
stamp_key_read(struct store *store, struct stamp_keys *keys, struct err *err)
{
	memset(keys, 0, sizeof(*keys));
	keys->n = 1;
	if (keywrap_derive(store_master_key(store), WHAT, "", 0,
	    keys->list[0].bytes, err) && add_former(store, keys, err))
		return true;
	stamp_key_wipe(keys);
	return false;
}

void
stamp_key_wipe(struct stamp_keys *keys)
{
	OPENSSL_cleanse(keys, sizeof(*keys));
}

bool
stamp_key_retire(struct store *store, const uint8_t new_master[MASTER_KEY_LEN],
    int64_t now, struct err *err)
{
	struct stamp_keys	 keys;
	struct buf		 plain = { .is_secret = true }, sealed = { 0 };
	bool			 is_ok;

	if (!stamp_key_read(store, &keys, err))
		return false;
	keys.list[0].retired = now;
	/* There will be one more in front. */
	for (size_t i = 0; i < keys.n && i < STAMP_KEYS_MAX - 1; i++)
		put_entry(&plain, &keys.list[i]);
	is_ok = buf_ok(&plain, "a stamp key", err) &&
	    keywrap_seal(new_master, FORMER, "", 0, plain.data, plain.len,
	    &sealed, err) &&
	    table_put(store, TABLE_META, FORMER, FORMER_LEN, sealed.data,
	    sealed.len, err);
	stamp_key_wipe(&keys);
	buf_free(&plain);
	buf_free(&sealed);
	return is_ok;
}
