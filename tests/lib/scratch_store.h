/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_LIB_SCRATCH_STORE_H
#define TESTS_LIB_SCRATCH_STORE_H

/* A new, open store below the temporary folder; its master key is all 7. */

#include "store/cert_index.h"
#include "store/key.h"
#include "store/store.h"
#include "tests/lib/pki.h"
#include "tests/lib/scratch.h"
#include "tests/lib/test.h"

static inline struct store *
scratch_store(const char *name)
{
	struct store_options	 options = { .lock_timeout_ms = 1000 };
	struct store		*store = NULL;
	struct err		 err;

	options.dir = scratch_folder(name);
	memset(options.master_key, 7, sizeof(options.master_key));
	REQUIRE_OK(store_create(&options, &err), err);
	REQUIRE_OK(store_open(&options, &store, &err), err);
	return store;
}

/* A record as an import would make it; freed with record_free_cert(). */
static inline struct cert_record
scratch_record(const struct pki_cert *cert, enum cert_state state)
{
	struct cert_record	 record = { .state = state, .added = PKI_NOW };
	struct err		 err;

	REQUIRE_OK(cert_read(cert->der, cert->der_len, &record.facts, &err),
	    err);
	record.source = strdup("test");
	record.der = malloc(cert->der_len);
	memcpy(record.der, cert->der, cert->der_len);
	record.der_len = cert->der_len;
	return record;
}

static inline void
scratch_put(struct store *store, const struct pki_cert *cert,
    enum cert_state state)
{
	struct cert_record	 record = scratch_record(cert, state);
	struct err		 err;

	REQUIRE_OK(store_begin_write(store, &err), err);
	REQUIRE_OK(cert_index_put(store, &record, &err), err);
	REQUIRE_OK(store_commit(store, &err), err);
	record_free_cert(&record);
}

static inline void
scratch_put_key(struct store *store, const EVP_PKEY *key)
{
	struct put_key	 put = { .source = "test" };
	uint8_t		*der = pki_pkcs8(key, &put.plain_len);
	uint8_t		 id[KEY_ID_LEN];
	EVP_PKEY	*parsed;
	struct err	 err;

	put.plain = der;
	REQUIRE_OK(key_parse(der, put.plain_len, &parsed, id, &err), err);
	EVP_PKEY_free(parsed);
	REQUIRE_OK(store_begin_write(store, &err), err);
	REQUIRE_OK(key_put(store, "test", id, &put, PKI_NOW, &err), err);
	REQUIRE_OK(store_commit(store, &err), err);
	OPENSSL_free(der);
}

#endif
