/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/alg.h"

static const struct {
	const char	*name;
	const char	*openssl;
	size_t		 len;
} digests[] = {
	[DIGEST_SHA256] = { "sha-256", "SHA2-256", 32 },
	[DIGEST_SHA384] = { "sha-384", "SHA2-384", 48 },
	[DIGEST_SHA512] = { "sha-512", "SHA2-512", 64 },
};

static const struct {
	const char	*name;
	const char	*openssl;
	bool		 is_aead;
} ciphers[] = {
	[CIPHER_AES128_CBC] = { "aes-128-cbc", "AES-128-CBC", false },
	[CIPHER_AES256_CBC] = { "aes-256-cbc", "AES-256-CBC", false },
	[CIPHER_AES128_GCM] = { "aes-128-gcm", "AES-128-GCM", true },
	[CIPHER_AES256_GCM] = { "aes-256-gcm", "AES-256-GCM", true },
	[CIPHER_AUTO] = { "auto", NULL, false },
};

#define COUNT(table)	(sizeof(table) / sizeof((table)[0]))

const char *
alg_digest_name(enum digest d)
{
	return digests[d].name;
}

size_t
alg_digest_len(enum digest d)
{
	return digests[d].len;
}

const char *
alg_digest_openssl(enum digest d)
{
	return digests[d].openssl;
}

bool
alg_digest_parse(const char *name, enum digest *d)
{
	for (size_t i = 0; i < COUNT(digests); i++)
		if (strcmp(name, digests[i].name) == 0) {
			*d = (enum digest)i;
			return true;
		}
	return false;
}

const char *
alg_cipher_name(enum cipher c)
{
	return ciphers[c].name;
}

const char *
alg_cipher_openssl(enum cipher c)
{
	return ciphers[c].openssl;
}

bool
alg_cipher_is_aead(enum cipher c)
{
	return ciphers[c].is_aead;
}

bool
alg_cipher_parse(const char *name, enum cipher *c)
{
	for (size_t i = 0; i < COUNT(ciphers); i++)
		if (strcmp(name, ciphers[i].name) == 0) {
			*c = (enum cipher)i;
			return true;
		}
	return false;
}

void
alg_pss_parameters(enum digest digest, uint8_t out[ALG_PSS_LEN])
{
	static const uint8_t	 arcs[] = {
		[DIGEST_SHA256] = 1,
		[DIGEST_SHA384] = 2,
		[DIGEST_SHA512] = 3,
	};
	const uint8_t		 arc = arcs[digest];
	const uint8_t		 der[ALG_PSS_LEN] = {
		0x30, 0x34, 0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86,
		0x48, 0x01, 0x65, 0x03, 0x04, 0x02, arc, 0x05, 0x00, 0xa1,
		0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
		0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86,
		0x48, 0x01, 0x65, 0x03, 0x04, 0x02, arc, 0x05, 0x00, 0xa2,
		0x03, 0x02, 0x01, (uint8_t)alg_digest_len(digest)
	};

	memcpy(out, der, sizeof(der));
}
