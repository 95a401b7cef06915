/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_ALG_H
#define BASE_ALG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The algorithms that the configuration can name; one table has the rest. */
enum digest {
	DIGEST_SHA256,
	DIGEST_SHA384,
	DIGEST_SHA512
};

enum cipher {
	CIPHER_AES128_CBC,
	CIPHER_AES256_CBC,
	CIPHER_AES128_GCM,
	CIPHER_AES256_GCM,
	CIPHER_AUTO	/* AES-256-GCM where all can read it, else AES-256-CBC */
};

#define DIGEST_LEN_MAX	64

/* "sha-256", which is also its micalg (RFC 8551, section 3.5.3.2). */
const char	*alg_digest_name(enum digest);
size_t		 alg_digest_len(enum digest);
/* The name that EVP_MD_fetch() and EVP_CIPHER_fetch() know it by. */
const char	*alg_digest_openssl(enum digest);
bool		 alg_digest_parse(const char *, enum digest *);

/*
 * DER of RSASSA-PSS-params (RFC 4055, section 3.1): the digest, MGF1 with it,
 * and a salt of its length.
 */
#define ALG_PSS_LEN	54
void		 alg_pss_parameters(enum digest, uint8_t out[ALG_PSS_LEN]);

/* "aes-256-cbc" */
const char	*alg_cipher_name(enum cipher);
const char	*alg_cipher_openssl(enum cipher);	/* not for CIPHER_AUTO */
bool		 alg_cipher_is_aead(enum cipher);
bool		 alg_cipher_parse(const char *, enum cipher *);

#endif
