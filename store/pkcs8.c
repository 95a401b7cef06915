/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>

#include "base/mem.h"
#include "store/pkcs8.h"

/* OWASP's figure of 2023 for PBKDF2 with HMAC-SHA-256: 0.2 s. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define WRAP_ROUNDS	1000
#else
#define WRAP_ROUNDS	600000
#endif

void
passphrases_add(struct passphrases *list, const char *word, size_t len)
{
	list->words = mem_grow(list->words, list->n + 1,
	    sizeof(*list->words));
	list->words[list->n++] = mem_strn(word, len);
}

void
passphrases_free(struct passphrases *list)
{
	for (size_t i = 0; i < list->n; i++) {
		OPENSSL_cleanse(list->words[i], strlen(list->words[i]));
		free(list->words[i]);
	}
	free(list->words);
	*list = (struct passphrases){ 0 };
}

bool
passphrases_get(const struct passphrases *list, size_t i, const char **word)
{
	if (i < list->n)
		*word = list->words[i];
	else
		*word = i == list->n ? "" : NULL;
	return i < list->n + 2;
}

static OSSL_LIB_CTX	*libctx;

static void
make_libctx(void)
{
	if ((libctx = OSSL_LIB_CTX_new()) == NULL)
		abort();
	/*
	 * They are never unloaded.  Without a legacy provider, what needs it
	 * is refused as unsupported, by name.
	 */
	OSSL_PROVIDER_load(libctx, "default");
	OSSL_PROVIDER_load(libctx, "legacy");
	ERR_clear_error();
}

OSSL_LIB_CTX *
pkcs8_libctx(void)
{
	static pthread_once_t	 once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_libctx);
	return libctx;
}

static bool
check_rounds(const ASN1_INTEGER *rounds, struct err *err)
{
	int64_t	 n;

	if (ASN1_INTEGER_get_int64(&n, rounds) != 1 || n < 1 ||
	    n > PKCS8_ROUNDS_MAX) {
		ERR_clear_error();
		return err_set(err, ERR_DATA, "its passphrase protection asks "
		    "for more than %d rounds", PKCS8_ROUNDS_MAX);
	}
	return true;
}

/* OpenSSL bounds scrypt's memory, N * r; this bounds its time, p as well. */
static bool
check_scrypt(const ASN1_TYPE *param, struct err *err)
{
	SCRYPT_PARAMS	*s = ASN1_TYPE_unpack_sequence(
			    ASN1_ITEM_rptr(SCRYPT_PARAMS), param);
	uint64_t	 n = 0, r = 0, p = 0;
	bool		 ok;

	ok = s != NULL &&
	    ASN1_INTEGER_get_uint64(&n, s->costParameter) == 1 &&
	    ASN1_INTEGER_get_uint64(&r, s->blockSize) == 1 &&
	    ASN1_INTEGER_get_uint64(&p, s->parallelizationParameter) == 1 &&
	    n <= 1 << 20 && r <= 1 << 10 && p <= 1 << 10 &&
	    n * r * p <= 1 << 22;
	SCRYPT_PARAMS_free(s);
	ERR_clear_error();
	return ok || err_set(err, ERR_DATA,
	    "its passphrase protection asks for too much work (scrypt)");
}

static bool
check_pbes2(const ASN1_TYPE *param, struct err *err)
{
	PBE2PARAM	*pbes2 = ASN1_TYPE_unpack_sequence(
			    ASN1_ITEM_rptr(PBE2PARAM), param);
	PBKDF2PARAM	*kdf = NULL;
	bool		 ok = true;

	switch (pbes2 == NULL ? NID_undef :
	    OBJ_obj2nid(pbes2->keyfunc->algorithm)) {
	case NID_id_pbkdf2:
		kdf = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM),
		    pbes2->keyfunc->parameter);
		ok = kdf == NULL || check_rounds(kdf->iter, err);
		break;
	case NID_id_scrypt:
		ok = check_scrypt(pbes2->keyfunc->parameter, err);
		break;
	default:
		break;	/* refused by OpenSSL, which says why */
	}
	PBKDF2PARAM_free(kdf);
	PBE2PARAM_free(pbes2);
	ERR_clear_error();
	return ok;
}

bool
pkcs8_is_affordable(const X509_ALGOR *alg, struct err *err)
{
	PBEPARAM	*pbe;
	bool		 ok;

	if (OBJ_obj2nid(alg->algorithm) == NID_pbes2)
		return check_pbes2(alg->parameter, err);
	pbe = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM),
	    alg->parameter);
	ok = pbe == NULL || check_rounds(pbe->iter, err);
	PBEPARAM_free(pbe);
	ERR_clear_error();
	return ok;
}

static bool
is_about_support(unsigned long code)
{
	if (ERR_GET_REASON(code) == ERR_R_UNSUPPORTED)
		return true;
	if (ERR_GET_LIB(code) != ERR_LIB_EVP)
		return false;
	switch (ERR_GET_REASON(code)) {
	case EVP_R_ILLEGAL_SCRYPT_PARAMETERS:
	case EVP_R_MEMORY_LIMIT_EXCEEDED:
	case EVP_R_UNKNOWN_CIPHER:
	case EVP_R_UNKNOWN_PBE_ALGORITHM:
	case EVP_R_UNSUPPORTED_ALGORITHM:
	case EVP_R_UNSUPPORTED_CIPHER:
	case EVP_R_UNSUPPORTED_KEYLENGTH:
	case EVP_R_UNSUPPORTED_KEY_DERIVATION_FUNCTION:
	case EVP_R_UNSUPPORTED_PRF:
	case EVP_R_UNSUPPORTED_SALT_TYPE:
		return true;
	default:
		return false;
	}
}

bool
pkcs8_is_unsupported(struct err *err)
{
	const char	*data;
	unsigned long	 code;
	int		 flags;

	while ((code = ERR_get_error_all(NULL, NULL, NULL, &data,
		    &flags)) != 0) {
		const char	*reason = ERR_reason_error_string(code);
		bool		 has_text = (flags & ERR_TXT_STRING) != 0 &&
				    data[0] != '\0';

		if (!is_about_support(code))
			continue;
		err_set(err, ERR_DATA, "its protection cannot be read here: "
		    "%s%s%.200s", reason != NULL ? reason : "unsupported",
		    has_text ? ", " : "", has_text ? data : "");
		ERR_clear_error();
		return true;
	}
	return false;
}

static bool
encode(const PKCS8_PRIV_KEY_INFO *p8, struct buf *plain, struct err *err)
{
	uint8_t	*der = NULL;
	int	 len = i2d_PKCS8_PRIV_KEY_INFO(p8, &der);

	if (len <= 0)
		return err_openssl(err, ERR_DATA, "write the key as PKCS#8");
	plain->is_secret = true;
	buf_add(plain, der, (size_t)len);
	OPENSSL_clear_free(der, (size_t)len);
	return buf_ok(plain, "a private key", err);
}

/* The algorithm by its name or number: one that OpenSSL knows can be read. */
static bool
refuse_algorithm(const PKCS8_PRIV_KEY_INFO *p8, struct err *err)
{
	const ASN1_OBJECT	*alg;
	char			 name[80] = "";
	bool			 is_known = false;

	ERR_clear_error();
	if (PKCS8_pkey_get0(&alg, NULL, NULL, NULL, p8) == 1) {
		OBJ_obj2txt(name, sizeof(name), alg, 0);
		is_known = EVP_PKEY_asn1_find(NULL, OBJ_obj2nid(alg)) != NULL;
	}
	if (is_known)
		return err_set(err, ERR_DATA, "a private key (%s) that is "
		    "damaged", name);
	return err_set(err, ERR_DATA, "a private key of an algorithm that is "
	    "not supported (%s)", name);
}

bool
pkcs8_load(const uint8_t *der, size_t len, EVP_PKEY **key, struct err *err)
{
	const uint8_t		*p = der;
	PKCS8_PRIV_KEY_INFO	*p8;

	*key = NULL;
	if ((p8 = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)len)) == NULL)
		return err_openssl(err, ERR_DATA,
		    "a private key that cannot be read");
	if ((*key = EVP_PKCS82PKEY_ex(p8, pkcs8_libctx(), NULL)) == NULL)
		refuse_algorithm(p8, err);
	PKCS8_PRIV_KEY_INFO_free(p8);
	ERR_clear_error();
	return *key != NULL;
}

bool
pkcs8_of_key(const EVP_PKEY *key, struct buf *plain, struct err *err)
{
	PKCS8_PRIV_KEY_INFO	*p8 = EVP_PKEY2PKCS8(key);
	bool			 ok;

	if (p8 == NULL)
		return err_openssl(err, ERR_DATA, "write the key as PKCS#8");
	ok = encode(p8, plain, err);
	PKCS8_PRIV_KEY_INFO_free(p8);
	return ok;
}

bool
pkcs8_of_traditional(const uint8_t *der, size_t len, struct buf *plain,
    struct err *err)
{
	const uint8_t	*p = der;
	EVP_PKEY	*key;
	bool		 ok;

	key = d2i_AutoPrivateKey_ex(NULL, &p, (long)len, pkcs8_libctx(), NULL);
	if (key == NULL)
		return err_openssl(err, ERR_DATA,
		    "a private key that cannot be read");
	ok = pkcs8_of_key(key, plain, err);
	EVP_PKEY_free(key);
	return ok;
}

bool
pkcs8_unlock(const X509_SIG *sig, const struct passphrases *passphrases,
    struct buf *plain, const char **word, bool *is_locked, struct err *err)
{
	PKCS8_PRIV_KEY_INFO	*p8 = NULL;
	const X509_ALGOR	*alg;
	bool			 ok;

	*is_locked = false;
	X509_SIG_get0(sig, &alg, NULL);
	if (!pkcs8_is_affordable(alg, err))
		return false;
	for (size_t i = 0; p8 == NULL && passphrases_get(passphrases, i, word);
	    i++) {
		/* Only PKCS#12's own algorithms tell "" from none. */
		if (*word == NULL && OBJ_obj2nid(alg->algorithm) == NID_pbes2)
			continue;
		ERR_clear_error();
		p8 = PKCS8_decrypt_ex(sig, *word,
		    *word == NULL ? 0 : (int)strlen(*word),
		    pkcs8_libctx(), NULL);
		if (p8 == NULL && pkcs8_is_unsupported(err))
			return false;
	}
	if (p8 == NULL) {
		*is_locked = true;
		return err_set(err, ERR_DATA, passphrases->n == 0 ?
		    "the key is under a passphrase, and none was given" :
		    "no passphrase given opens the key");
	}
	ERR_clear_error();
	ok = encode(p8, plain, err);
	PKCS8_PRIV_KEY_INFO_free(p8);
	return ok;
}

X509_SIG *
pkcs8_wrap_sig(const uint8_t *plain, size_t len, const char *passphrase,
    struct err *err)
{
	const uint8_t		*p = plain;
	PKCS8_PRIV_KEY_INFO	*p8;
	X509_ALGOR		*pbe = NULL;
	X509_SIG		*sig = NULL;

	p8 = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)len);
	if (p8 != NULL)
		pbe = PKCS5_pbe2_set_iv_ex(EVP_aes_256_cbc(), WRAP_ROUNDS,
		    NULL, 16, NULL, NID_hmacWithSHA256, pkcs8_libctx());
	if (pbe != NULL)
		sig = PKCS8_set0_pbe_ex(passphrase, (int)strlen(passphrase),
		    p8, pbe, pkcs8_libctx(), NULL);
	if (sig == NULL) {
		X509_ALGOR_free(pbe);
		err_openssl(err, ERR_DATA, "protect a key by a passphrase");
	}
	PKCS8_PRIV_KEY_INFO_free(p8);
	return sig;
}

bool
pkcs8_wrap(const uint8_t *plain, size_t len, const char *passphrase,
    struct buf *wrapped, struct err *err)
{
	X509_SIG	*sig = pkcs8_wrap_sig(plain, len, passphrase, err);
	uint8_t		*der = NULL;
	int		 n;

	if (sig == NULL)
		return false;
	n = i2d_X509_SIG(sig, &der);
	X509_SIG_free(sig);
	if (n <= 0)
		return err_openssl(err, ERR_DATA, "write a protected key");
	buf_add(wrapped, der, (size_t)n);
	OPENSSL_free(der);
	return buf_ok(wrapped, "a private key", err);
}
