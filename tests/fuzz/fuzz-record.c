/* SPDX-License-Identifier: BSD-2-Clause */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "store/record.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What decodes is written again as the very same bytes. */
static void
try_both(const uint8_t *data, size_t len)
{
	struct cert_record	 cert;
	struct key_record	 key;
	struct crl_record	 crl;
	struct crl_revoked	 revoked[RECORD_REVOKED_MAX];
	size_t			 n;
	struct buf		 again = { 0 };
	struct err		 err;

	if (record_decode_cert(data, len, &cert, &err)) {
		record_encode_cert(&cert, &again);
		assert(again.len == len && memcmp(again.data, data, len) == 0);
		record_free_cert(&cert);
	}
	if (record_decode_key(data, len, &key, &err)) {
		record_encode_key(&key, &again);
		assert(again.len == len && memcmp(again.data, data, len) == 0);
		record_free_key(&key);
	}
	if (record_decode_crl(data, len, &crl, &err)) {
		record_encode_crl(&crl, &again);
		assert(again.len == len && memcmp(again.data, data, len) == 0);
		record_free_crl(&crl);
	}
	if (record_decode_revoked(data, len, revoked, &n, &err)) {
		record_encode_revoked(revoked, n, &again);
		assert(again.len == len && memcmp(again.data, data, len) == 0);
	}
	buf_free(&again);
}

/* As it is, and with the checksum that no mutation would find. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t	 digest[EVP_MAX_MD_SIZE], *copy = malloc(len + 8);

	try_both(data, len);
	EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL);
	memcpy(copy, data, len);
	memcpy(copy + len, digest, 8);
	try_both(copy, len + 8);
	free(copy);
	return 0;
}
