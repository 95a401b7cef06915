/* SPDX-License-Identifier: BSD-2-Clause */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include <openssl/x509.h>

#include "store/bundle.h"
#include "store/cert.h"
#include "store/crl.h"
#include "store/import.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What is read of a list is in order. */
static void
try_crl(const struct bundle_item *item)
{
	struct crl	 crl;
	struct err	 err;
	char		 text[CRL_TEXT_LEN];

	if (!crl_read(item->der.data, item->der.len, &crl, &err))
		return;
	for (size_t i = 0; i < crl.n; i++) {
		assert(i == 0 || crl_serial_compare(&crl.list[i - 1].serial,
		    &crl.list[i].serial) <= 0);
		crl_text(&crl.list[i], text);
	}
	crl_free(&crl);
}

/*
 * Every file has at least one item; an item has bytes or a reason, never both.
 * A certificate that was read reads again, from these very bytes, and so does
 * a key.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char			 word[] = "secret", *list[] = { word };
	struct passphrases	 passphrases = { list, 1 };
	struct bundle		*bundle;
	struct err		 err;

	if (!bundle_read(data, len, &passphrases, &bundle, &err))
		return 0;
	assert(bundle->n > 0);
	for (size_t i = 0; i < bundle->n; i++) {
		const struct bundle_item	*item = &bundle->items[i];
		EVP_PKEY			*key = NULL;
		X509				*cert = NULL;

		assert((item->reason == NULL) == (item->der.len > 0));
		assert(item->wrapped.len == 0 || item->kind == BUNDLE_KEY);
		if (item->kind == BUNDLE_CERT && item->reason == NULL) {
			cert = cert_parse(item->der.data, item->der.len, &err);
			assert(cert != NULL);
		}
		if (item->kind == BUNDLE_CRL && item->reason == NULL)
			try_crl(item);
		if (item->kind == BUNDLE_KEY && item->reason == NULL)
			assert(pkcs8_load(item->der.data, item->der.len, &key,
			    &err));
		EVP_PKEY_free(key);
		X509_free(cert);
	}
	import_count_cas(bundle);
	bundle_free(bundle);
	return 0;
}
