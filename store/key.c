/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "store/key.h"
#include "store/keywrap.h"
#include "store/table.h"

#define WHAT	"key"	/* of keywrap_seal(); part of what is stored */

static bool
hash_public(EVP_PKEY *key, uint8_t id[KEY_ID_LEN])
{
	unsigned char	*spki = NULL;
	int		 len = i2d_PUBKEY(key, &spki);
	bool		 is_ok;

	is_ok = len > 0 && EVP_Digest(spki, (size_t)len, id, NULL,
	    EVP_sha256(), NULL) == 1;
	OPENSSL_free(spki);
	return is_ok;
}

static EVP_PKEY *
decode(const uint8_t *plain, size_t len, struct err *err)
{
	const unsigned char	*p = plain;
	PKCS8_PRIV_KEY_INFO	*info;
	EVP_PKEY		*key = NULL;

	info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)len);
	if (info != NULL && p == plain + len)
		key = EVP_PKCS82PKEY(info);
	if (key == NULL)
		err_openssl(err, ERR_DATA, "no readable private key");
	PKCS8_PRIV_KEY_INFO_free(info);
	return key;
}

/*
 * Half of a broken pair would give signatures that fail, or, with RSA, ones
 * that tell the key.
 */
static bool
check_pair(EVP_PKEY *key, struct err *err)
{
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	bool		 is_ok;

	is_ok = ctx != NULL && EVP_PKEY_pairwise_check(ctx) == 1;
	if (!is_ok)
		err_openssl(err, ERR_DATA, "private key is inconsistent");
	EVP_PKEY_CTX_free(ctx);
	return is_ok;
}

bool
key_parse(const uint8_t *plain, size_t len, EVP_PKEY **out,
    uint8_t id[KEY_ID_LEN], struct err *err)
{
	EVP_PKEY	*key;

	if (len > RECORD_KEY_MAX / 2)
		return err_set(err, ERR_DATA, "private key of %zu bytes", len);
	if ((key = decode(plain, len, err)) == NULL)
		return false;
	if (!check_pair(key, err)) {
		EVP_PKEY_free(key);
		return false;
	}
	if (!hash_public(key, id)) {
		EVP_PKEY_free(key);
		return err_openssl(err, ERR_DATA,
		    "private key without its public half");
	}
	ERR_clear_error();
	*out = key;
	return true;
}

static bool
get_record(struct store *store, const uint8_t id[KEY_ID_LEN],
    struct key_record *record, bool *found, struct err *err)
{
	struct buf	 bytes = { 0 };
	char		 hex[17];
	bool		 is_ok;

	is_ok = table_get(store, TABLE_KEYS, id, KEY_ID_LEN, &bytes, found,
	    err);
	if (is_ok && *found &&
	    !record_decode_key(bytes.data, bytes.len, record, err)) {
		text_hex(id, 8, hex);
		err->kind = ERR_TEMP;
		is_ok = err_prefix(err, "key %s...", hex);
	}
	buf_free(&bytes);
	return is_ok;
}

bool
key_protection_of(struct store *store, const uint8_t id[KEY_ID_LEN],
    enum key_protection *protection, struct err *err)
{
	struct key_record	 record;
	bool			 found;

	*protection = KEY_NONE;
	if (!get_record(store, id, &record, &found, err))
		return false;
	if (found) {
		*protection = record.protection;
		record_free_key(&record);
	}
	return true;
}

static bool
seal_and_put(struct store *store, const uint8_t *master,
    const uint8_t id[KEY_ID_LEN], const uint8_t *plain, size_t plain_len,
    struct key_record *record, struct err *err)
{
	struct buf	 bytes = { 0 };
	bool		 is_ok;

	if (!keywrap_seal(master, WHAT, id, KEY_ID_LEN, plain, plain_len,
	    &record->sealed, err))
		return false;
	record_encode_key(record, &bytes);
	is_ok = buf_ok(&bytes, "a key's record", err) &&
	    table_put(store, TABLE_KEYS, id, KEY_ID_LEN, bytes.data,
	    bytes.len, err);
	buf_free(&bytes);
	return is_ok;
}

bool
key_put(struct store *store, const char *who,
    const uint8_t id[KEY_ID_LEN], const struct put_key *put, int64_t now, struct err *err)
{
	struct key_record	 record = { 0 };
	bool			 is_ok;

	record.protection = put->wrapped == NULL ? KEY_SEALED : KEY_PASSPHRASE;
	record.added = now;
	record.source = mem_str(put->source);
	record.added_by = mem_str(who);
	if (put->wrapped != NULL)
		buf_add(&record.wrapped, put->wrapped, put->wrapped_len);
	is_ok = seal_and_put(store, store_master_key(store), id, put->plain,
	    put->plain_len, &record, err);
	record_free_key(&record);
	return is_ok;
}

bool
key_remove(struct store *store, const uint8_t id[KEY_ID_LEN], struct err *err)
{
	return table_delete(store, TABLE_KEYS, id, KEY_ID_LEN, err);
}

static bool
unseal(struct store *store, const uint8_t id[KEY_ID_LEN],
    const struct key_record *record, struct buf *plain, struct err *err)
{
	char	 hex[17];

	plain->is_secret = true;
	if (keywrap_open(store_master_key(store), WHAT, id, KEY_ID_LEN,
	    record->sealed.data, record->sealed.len, plain, err))
		return true;
	text_hex(id, 8, hex);
	err->kind = ERR_TEMP;
	return err_prefix(err, "key %s...", hex);
}

bool
key_unlock(struct store *store, const uint8_t id[KEY_ID_LEN], EVP_PKEY **out,
    struct err *err)
{
	struct key_record	 record;
	struct buf		 plain = { .is_secret = true };
	bool			 found, is_ok;

	*out = NULL;
	if (!get_record(store, id, &record, &found, err))
		return false;
	if (!found)
		return true;
	is_ok = unseal(store, id, &record, &plain, err);
	if (is_ok && (*out = decode(plain.data, plain.len, err)) == NULL) {
		err->kind = ERR_TEMP;
		is_ok = false;
	}
	buf_free(&plain);
	record_free_key(&record);
	return is_ok;
}

bool
key_export(struct store *store, const uint8_t id[KEY_ID_LEN],
    enum key_protection *protection, struct buf *out, struct err *err)
{
	struct key_record	 record;
	bool			 found, is_ok = true;

	*protection = KEY_NONE;
	buf_clear(out);
	if (!get_record(store, id, &record, &found, err))
		return false;
	if (!found)
		return true;
	*protection = record.protection;
	if (record.protection == KEY_PASSPHRASE) {
		buf_add(out, record.wrapped.data, record.wrapped.len);
		is_ok = buf_ok(out, "a key", err);
	} else
		is_ok = unseal(store, id, &record, out, err);
	record_free_key(&record);
	return is_ok;
}

bool
key_rewrap(struct store *store, const uint8_t id[KEY_ID_LEN],
    const uint8_t new_master[MASTER_KEY_LEN], struct err *err)
{
	struct key_record	 record;
	struct buf		 plain = { .is_secret = true };
	bool			 found, is_ok;

	if (!get_record(store, id, &record, &found, err))
		return false;
	if (!found)
		return true;
	is_ok = unseal(store, id, &record, &plain, err) &&
	    seal_and_put(store, new_master, id, plain.data, plain.len,
	    &record, err);
	buf_free(&plain);
	record_free_key(&record);
	return is_ok;
}

bool
key_verify(struct store *store, const uint8_t id[KEY_ID_LEN], struct err *err)
{
	struct buf		 bytes = { 0 };
	struct buf		 plain = { .is_secret = true };
	struct key_record	 record = { 0 };
	EVP_PKEY		*key = NULL;
	uint8_t			 public_id[KEY_ID_LEN];
	bool			 found, is_ok;

	is_ok = table_get(store, TABLE_KEYS, id, KEY_ID_LEN, &bytes, &found,
	    err);
	is_ok = is_ok && found &&
	    record_decode_key(bytes.data, bytes.len, &record, err) &&
	    keywrap_open(store_master_key(store), WHAT, id, KEY_ID_LEN,
	    record.sealed.data, record.sealed.len, &plain, err) &&
	    (key = decode(plain.data, plain.len, err)) != NULL;
	if (is_ok && (!hash_public(key, public_id) ||
	    memcmp(public_id, id, KEY_ID_LEN) != 0))
		is_ok = err_set(err, ERR_DATA, "it belongs to another public "
		    "key");
	EVP_PKEY_free(key);
	record_free_key(&record);
	buf_free(&plain);
	buf_free(&bytes);
	return is_ok;
}
