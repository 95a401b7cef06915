/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/cert_index.h"
#include "store/table.h"
#include "tests/lib/scratch_store.h"

static struct err err;

static size_t
find(struct store *store, enum cert_index kind, const void *value, size_t len)
{
	struct fingerprint_list	 fps;

	REQUIRE_OK(store_begin_read(store, &err), err);
	REQUIRE_OK(cert_index_find(store, kind, value, len, &fps, &err), err);
	store_end_read(store);
	free(fps.list);
	return fps.n;
}

static size_t
find_address(struct store *store, const char *addr)
{
	return find(store, CERT_INDEX_ADDRESS, addr, strlen(addr));
}

static size_t
find_subject(struct store *store, uint32_t hash)
{
	struct fingerprint_list	 fps;

	REQUIRE_OK(store_begin_read(store, &err), err);
	REQUIRE_OK(cert_index_find_subject(store, hash, &fps, &err), err);
	store_end_read(store);
	free(fps.list);
	return fps.n;
}

static bool
count(void *arg, const uint8_t *key, size_t key_len, const uint8_t *value,
    size_t len, bool *more, struct err *unused)
{
	(void)key;
	(void)key_len;
	(void)value;
	(void)len;
	(void)more;
	(void)unused;
	++*(size_t *)arg;
	return true;
}

static size_t
entries(struct store *store, enum table table)
{
	size_t	 n = 0;

	REQUIRE_OK(store_begin_read(store, &err), err);
	REQUIRE_OK(table_walk(store, table, "", 0, count, &n, &err), err);
	store_end_read(store);
	return n;
}

static void
test_ways_in_and_out(void)
{
	struct store		*store = scratch_store("ways");
	EVP_PKEY		*key = pki_key("P-256");
	struct pki_spec		 spec = { .cn = "A", .is_ca = true,
				    .alt = "email:a@example.org,"
				    "email:b@example.org" };
	struct pki_spec		 spec2 = { .cn = "B",
				    .alt = "email:b@example.org" };
	struct pki_cert		 one = pki_issue(&spec, key, NULL);
	struct pki_cert		 two = pki_issue(&spec2, key, NULL);
	struct cert_record	 record = scratch_record(&one, CERT_CHAIN), got;
	const struct cert_facts	*f = &record.facts;
	bool			 found;

	scratch_put(store, &one, CERT_CHAIN);
	scratch_put(store, &two, CERT_CHAIN);
	/* Again, with another state: no entry twice. */
	scratch_put(store, &one, CERT_TRUSTED);
	CHECK_INT(find_address(store, "a@example.org"), 1);
	CHECK_INT(find_address(store, "b@example.org"), 2);
	CHECK_INT(find_address(store, "a@example.or"), 0);
	CHECK_INT(find_address(store, "a@example.orgx"), 0);
	CHECK_INT(find_address(store, ""), 0);
	CHECK_INT(find(store, CERT_INDEX_ISSUER_SERIAL, f->issuer_serial, 32),
	    1);
	CHECK_INT(find(store, CERT_INDEX_SPKI, f->spki, 32), 2);
	CHECK_INT(find(store, CERT_INDEX_SKI, f->ski.bytes, f->ski.len), 2);
	CHECK_INT(find(store, CERT_INDEX_SKI, f->ski.bytes, f->ski.len - 1u),
	    0);
	CHECK_INT(find_subject(store, f->subject_hash), 1);

	REQUIRE_OK(store_begin_read(store, &err), err);
	REQUIRE_OK(cert_index_get(store, &f->fp, &got, &found, &err), err);
	store_end_read(store);
	CHECK(found);
	CHECK_INT(got.state, CERT_TRUSTED);
	CHECK_MEM(got.der, got.der_len, one.der, one.der_len);
	record_free_cert(&got);

	REQUIRE_OK(store_begin_write(store, &err), err);
	REQUIRE_OK(cert_index_remove(store, &record, &err), err);
	REQUIRE_OK(store_commit(store, &err), err);
	CHECK_INT(find_address(store, "a@example.org"), 0);
	CHECK_INT(find_address(store, "b@example.org"), 1);
	CHECK_INT(find_subject(store, f->subject_hash), 0);
	/* Of the other: address, issuer and serial, public key, key id. */
	CHECK_INT(entries(store, TABLE_INDEX), 4);
	CHECK_INT(entries(store, TABLE_CERTS), 1);
	record_free_cert(&record);
	store_close(store);
	pki_free(&one);
	pki_free(&two);
	EVP_PKEY_free(key);
}

/* A record that cannot be read is never as if it were not there. */
static void
test_damaged(void)
{
	struct store		*store = scratch_store("damaged");
	EVP_PKEY		*key = pki_key("P-256");
	struct pki_spec		 spec = { .cn = "A",
				    .alt = "email:a@example.org" };
	struct pki_cert		 cert = pki_issue(&spec, key, NULL);
	struct cert_record	 record = scratch_record(&cert, CERT_TRUSTED);
	struct cert_record	*list, got;
	struct fingerprint	 first = { { 0 } };
	struct buf		 bytes = { 0 };
	bool			 found;
	size_t			 n;

	record_encode_cert(&record, &bytes);
	bytes.data[bytes.len / 2] ^= 1;
	REQUIRE_OK(store_begin_write(store, &err), err);
	REQUIRE_OK(table_put(store, TABLE_CERTS, record.facts.fp.bytes, 32,
	    bytes.data, bytes.len, &err), err);
	REQUIRE_OK(store_commit(store, &err), err);
	REQUIRE_OK(store_begin_read(store, &err), err);
	CHECK(!cert_index_get(store, &record.facts.fp, &got, &found, &err));
	CHECK_INT(err.kind, ERR_TEMP);
	CHECK(strstr(err.reason, "checksum") != NULL);
	CHECK(!cert_index_list(store, &first, 10, &list, &n, &err));
	store_end_read(store);
	record_free_cert(&record);
	buf_free(&bytes);
	store_close(store);
	pki_free(&cert);
	EVP_PKEY_free(key);
}

int
main(void)
{
	test_ways_in_and_out();
	test_damaged();
	return test_done("cert_index");
}
