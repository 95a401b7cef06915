/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/pem.h>

#include "store/key.h"
#include "store/table.h"
#include "tests/lib/scratch_store.h"

static struct err err;

/* A key as PKCS#8 under a passphrase. */
static uint8_t *
encrypt(const EVP_PKEY *key, size_t *len)
{
	BIO	*bio = BIO_new(BIO_s_mem());
	uint8_t	*copy;
	char	*data;

	REQUIRE(i2d_PKCS8PrivateKey_bio(bio, key, EVP_aes_256_cbc(), "secret",
	    6, NULL, NULL) == 1);
	*len = (size_t)BIO_get_mem_data(bio, &data);
	copy = malloc(*len);
	memcpy(copy, data, *len);
	BIO_free(bio);
	return copy;
}

static void
put(struct store *store, const uint8_t *id, const struct put_key *key)
{
	REQUIRE_OK(store_begin_write(store, &err), err);
	REQUIRE_OK(key_put(store, "test", id, key, PKI_NOW, &err), err);
	REQUIRE_OK(store_commit(store, &err), err);
}

/* In no file of the store does any 24-byte piece of the secret stand. */
static void
check_not_on_disk(const uint8_t *secret, size_t len)
{
	char	 command[512];
	FILE	*files;
	char	 path[256];

	snprintf(command, sizeof(command), "ls %s/key/*", scratch_dir);
	files = popen(command, "r");
	while (fgets(path, sizeof(path), files) != NULL) {
		static uint8_t	 data[4 << 20];
		FILE		*file;
		size_t		 n;

		path[strcspn(path, "\n")] = '\0';
		file = fopen(path, "r");
		n = fread(data, 1, sizeof(data), file);
		fclose(file);
		/* The version and algorithm in front are no secret. */
		for (size_t at = 30; at + 24 <= len; at++)
			CHECK(memmem(data, n, secret + at, 24) == NULL);
	}
	pclose(files);
}

static void
test_kinds(void)
{
	struct store		*store = scratch_store("key");
	EVP_PKEY		*key = pki_key("P-256");
	EVP_PKEY		*other = pki_key("P-256");
	EVP_PKEY		*parsed, *unlocked;
	struct put_key		 one = { .source = "a.pem" };
	size_t			 len, other_len;
	uint8_t			*plain = pki_pkcs8(key, &len);
	uint8_t			*other_plain = pki_pkcs8(other, &other_len);
	uint8_t			 id[KEY_ID_LEN], other_id[KEY_ID_LEN];
	uint8_t			*wrapped;
	enum key_protection	 protection;
	struct buf		 out = { 0 };
	bool			 found;

	REQUIRE_OK(key_parse(plain, len, &parsed, id, &err), err);
	CHECK_INT(EVP_PKEY_eq(parsed, key), 1);
	EVP_PKEY_free(parsed);
	REQUIRE_OK(key_parse(other_plain, other_len, &parsed, other_id, &err),
	    err);
	EVP_PKEY_free(parsed);

	REQUIRE_OK(store_begin_read(store, &err), err);
	REQUIRE_OK(key_unlock(store, id, &unlocked, &err), err);
	CHECK(unlocked == NULL);
	store_end_read(store);

	one.plain = plain;
	one.plain_len = len;
	put(store, id, &one);
	one.plain = other_plain;
	one.plain_len = other_len;
	wrapped = encrypt(other, &one.wrapped_len);
	one.wrapped = wrapped;
	put(store, other_id, &one);

	REQUIRE_OK(store_begin_read(store, &err), err);
	test_row("came unprotected: given back as it is");
	REQUIRE_OK(key_export(store, id, &protection, &out, &err), err);
	CHECK_INT(protection, KEY_SEALED);
	CHECK(out.is_secret);
	CHECK_MEM(out.data, out.len, plain, len);
	buf_free(&out);
	test_row("came under a passphrase: the very bytes that came");
	out.is_secret = false;
	REQUIRE_OK(key_export(store, other_id, &protection, &out, &err), err);
	CHECK_INT(protection, KEY_PASSPHRASE);
	CHECK_MEM(out.data, out.len, wrapped, one.wrapped_len);
	test_row("and is unlocked for signing");
	REQUIRE_OK(key_unlock(store, other_id, &unlocked, &err), err);
	CHECK_INT(EVP_PKEY_eq(unlocked, other), 1);
	EVP_PKEY_free(unlocked);
	store_end_read(store);

	test_row("a record put in another's place");
	REQUIRE_OK(store_begin_write(store, &err), err);
	REQUIRE_OK(table_get(store, TABLE_KEYS, other_id, KEY_ID_LEN, &out,
	    &found, &err), err);
	REQUIRE_OK(table_put(store, TABLE_KEYS, id, KEY_ID_LEN, out.data,
	    out.len, &err), err);
	REQUIRE_OK(store_commit(store, &err), err);
	REQUIRE_OK(store_begin_read(store, &err), err);
	CHECK(!key_unlock(store, id, &unlocked, &err));
	CHECK_INT(err.kind, ERR_TEMP);
	store_end_read(store);
	test_row("what is on the disk");
	check_not_on_disk(plain, len);
	check_not_on_disk(other_plain, other_len);
	test_row(NULL);
	buf_free(&out);
	free(wrapped);
	OPENSSL_free(plain);
	OPENSSL_free(other_plain);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	store_close(store);
}

static void
test_no_key(void)
{
	EVP_PKEY	*key = pki_key("RSA2048"), *parsed = NULL;
	size_t		 len;
	uint8_t		*plain = pki_pkcs8(key, &len);
	uint8_t		 id[KEY_ID_LEN];

	CHECK(!key_parse(plain, len - 1, &parsed, id, &err));
	CHECK_INT(err.kind, ERR_DATA);
	CHECK(!key_parse((const uint8_t *)"junk", 4, &parsed, id, &err));
	CHECK(!key_parse(plain, 0, &parsed, id, &err));
	/* The last number of an RSA key, its CRT coefficient. */
	plain[len - 1] ^= 4;
	CHECK(!key_parse(plain, len, &parsed, id, &err));
	CHECK_INT(err.kind, ERR_DATA);
	CHECK(parsed == NULL);
	OPENSSL_free(plain);
	EVP_PKEY_free(key);
}

int
main(void)
{
	test_kinds();
	test_no_key();
	return test_done("key");
}
