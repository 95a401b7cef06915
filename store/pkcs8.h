/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_PKCS8_H
#define STORE_PKCS8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Private keys in their one form here, PKCS#8 (RFC 5958): PrivateKeyInfo in
 * clear, EncryptedPrivateKeyInfo under a passphrase.
 */

/* Of key derivation at most: a hostile file may ask for years of it. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define PKCS8_ROUNDS_MAX	5000
#else
#define PKCS8_ROUNDS_MAX	10000000
#endif

/* As the administrator gave them; tried in order on each locked thing. */
struct passphrases {
	char	**words;
	size_t	  n;
};

void	passphrases_add(struct passphrases *, const char *, size_t len);
void	passphrases_free(struct passphrases *);	/* wipes them */
/*
 * The i-th to try: the words given, then "", then NULL, which some programs
 * mean by "no passphrase" and which PKCS#12 tells apart from "".
 * False when there are no more.
 */
bool	passphrases_get(const struct passphrases *, size_t i,
	    const char **word);

/*
 * OpenSSL with the legacy provider beside the default one, so that RC2 and
 * single DES can be read here and nowhere else.  Shared, never freed.
 */
OSSL_LIB_CTX *pkcs8_libctx(void);

/*
 * False (ERR_DATA) when this password based algorithm wants more rounds than
 * PKCS8_ROUNDS_MAX, or scrypt more than a few seconds.
 */
bool	pkcs8_is_affordable(const X509_ALGOR *, struct err *);
/*
 * Why an attempt to decrypt failed, from OpenSSL's queue, which is emptied:
 * true when the algorithm is missing here (err says which: ERR_DATA), false
 * when it looks like a wrong passphrase.
 */
bool	pkcs8_is_unsupported(struct err *);

/* The key in plain PKCS#8, which libcrypto can use.  ERR_DATA. */
bool	pkcs8_load(const uint8_t *, size_t len, EVP_PKEY **, struct err *);
bool	pkcs8_of_key(const EVP_PKEY *, struct buf *plain, struct err *);
/* RSAPrivateKey, ECPrivateKey (RFC 5915) or DSA's, into PKCS#8.  ERR_DATA. */
bool	pkcs8_of_traditional(const uint8_t *, size_t len, struct buf *plain,
	    struct err *);

/*
 * Open an EncryptedPrivateKeyInfo with the first passphrase that fits, which
 * is borrowed in *word.  ERR_DATA; *is_locked tells whether another
 * passphrase could open it.
 */
bool	pkcs8_unlock(const X509_SIG *, const struct passphrases *,
	    struct buf *plain, const char **word, bool *is_locked,
	    struct err *);

/* PBES2 (RFC 8018): PBKDF2 with HMAC-SHA-256 and AES-256-CBC. */
bool	pkcs8_wrap(const uint8_t *plain, size_t len, const char *passphrase,
	    struct buf *wrapped, struct err *);
/* The same as an object, for PKCS#12.  The caller frees it. */
X509_SIG *pkcs8_wrap_sig(const uint8_t *plain, size_t len,
	    const char *passphrase, struct err *);

#endif
