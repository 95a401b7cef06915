/* SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "store/keywrap.h"

/* version, nonce, ciphertext, tag */
#define VERSION		1
#define NONCE_LEN	12
#define TAG_LEN		16
#define KEY_LEN		KEYWRAP_KEY_LEN
#define OVERHEAD	(1 + NONCE_LEN + TAG_LEN)

/*
 * "smime-milter", version, what, NUL, id: the KDF's context and the
 * cipher's associated data alike.
 */
static void
describe(struct buf *context, const char *what, const void *id, size_t id_len)
{
	buf_adds(context, "smime-milter");
	buf_addc(context, VERSION);
	buf_add(context, what, strlen(what) + 1);
	buf_add(context, id, id_len);
}

static bool
derive(const uint8_t *master, const struct buf *context, uint8_t key[KEY_LEN],
    struct err *err)
{
	EVP_KDF		*kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX	*ctx = EVP_KDF_CTX_new(kdf);
	OSSL_PARAM	 params[4];
	bool		 is_ok;

	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
	    (char *)(uintptr_t)"SHA2-256", 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
	    (void *)(uintptr_t)master, MASTER_KEY_LEN);
	params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO,
	    context->data, context->len);
	params[3] = OSSL_PARAM_construct_end();
	is_ok = ctx != NULL && EVP_KDF_derive(ctx, key, KEY_LEN, params) == 1;
	if (!is_ok)
		err_openssl(err, ERR_TEMP, "cannot derive a key");
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return is_ok;
}

bool
keywrap_seal(const uint8_t master[MASTER_KEY_LEN], const char *what,
    const void *id, size_t id_len, const void *plain, size_t len,
    struct buf *out, struct err *err)
{
	EVP_CIPHER_CTX	*ctx = NULL;
	struct buf	 context = { 0 };
	uint8_t		 key[KEY_LEN], *p;
	int		 n = 0, rest = 0;
	bool		 is_ok = false;

	describe(&context, what, id, id_len);
	buf_clear(out);
	buf_reserve(out, len + OVERHEAD);
	if (!buf_ok(out, "a sealed key", err) ||
	    !buf_ok(&context, "a sealed key", err))
		goto out;
	if (len > INT_MAX - OVERHEAD) {
		err_set(err, ERR_DATA, "too large to be sealed");
		goto out;
	}
	if (!derive(master, &context, key, err))
		goto out;
	p = out->data;
	p[0] = VERSION;
	if (RAND_bytes(p + 1, NONCE_LEN) != 1 ||
	    (ctx = EVP_CIPHER_CTX_new()) == NULL ||
	    EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, p + 1) != 1 ||
	    EVP_EncryptUpdate(ctx, NULL, &n, context.data,
	    (int)context.len) != 1 ||
	    EVP_EncryptUpdate(ctx, p + 1 + NONCE_LEN, &n, plain,
	    (int)len) != 1 ||
	    EVP_EncryptFinal_ex(ctx, p + 1 + NONCE_LEN + n, &rest) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN,
	    p + 1 + NONCE_LEN + len) != 1) {
		err_openssl(err, ERR_TEMP, "cannot seal a key");
		goto out;
	}
	out->len = len + OVERHEAD;
	is_ok = true;
out:
	OPENSSL_cleanse(key, sizeof(key));
	EVP_CIPHER_CTX_free(ctx);
	buf_free(&context);
	return is_ok;
}

bool
keywrap_open(const uint8_t master[MASTER_KEY_LEN], const char *what,
    const void *id, size_t id_len, const void *sealed, size_t len,
    struct buf *out, struct err *err)
{
	EVP_CIPHER_CTX	*ctx = NULL;
	struct buf	 context = { 0 };
	const uint8_t	*p = sealed;
	uint8_t		 key[KEY_LEN], tag[TAG_LEN];
	size_t		 plain_len;
	int		 n = 0, rest = 0;
	bool		 is_ok = false;

	buf_clear(out);
	if (len < OVERHEAD || len > INT_MAX || p[0] != VERSION)
		return err_set(err, ERR_DATA,
		    "a sealed secret is cut off or of an unknown version");
	plain_len = len - OVERHEAD;
	describe(&context, what, id, id_len);
	buf_reserve(out, plain_len + 1);
	if (!buf_ok(out, "an unsealed key", err) ||
	    !buf_ok(&context, "an unsealed key", err) ||
	    !derive(master, &context, key, err))
		goto out;
	memcpy(tag, p + len - TAG_LEN, TAG_LEN);
	if ((ctx = EVP_CIPHER_CTX_new()) == NULL ||
	    EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, p + 1) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN,
	    tag) != 1 ||
	    EVP_DecryptUpdate(ctx, NULL, &n, context.data,
	    (int)context.len) != 1 ||
	    EVP_DecryptUpdate(ctx, out->data, &n, p + 1 + NONCE_LEN,
	    (int)plain_len) != 1) {
		err_openssl(err, ERR_TEMP, "cannot unseal a key");
		goto out;
	}
	if (EVP_DecryptFinal_ex(ctx, out->data + n, &rest) != 1) {
		err_openssl(err, ERR_DATA, "a sealed secret was altered, or "
		    "another master key sealed it");
		goto out;
	}
	out->len = plain_len;
	is_ok = true;
out:
	if (!is_ok && out->data != NULL)
		OPENSSL_cleanse(out->data, out->cap);
	OPENSSL_cleanse(key, sizeof(key));
	EVP_CIPHER_CTX_free(ctx);
	buf_free(&context);
	return is_ok;
}

bool
keywrap_derive(const uint8_t master[MASTER_KEY_LEN], const char *what,
    const void *id, size_t id_len, uint8_t out[KEYWRAP_KEY_LEN],
    struct err *err)
{
	struct buf	 context = { 0 };
	bool		 is_ok;

	describe(&context, what, id, id_len);
	is_ok = buf_ok(&context, "a derived key", err) &&
	    derive(master, &context, out, err);
	buf_free(&context);
	return is_ok;
}
