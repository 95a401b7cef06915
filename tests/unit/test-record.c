/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/evp.h>

#include "base/mem.h"
#include "store/record.h"
#include "tests/lib/test.h"

static struct err err;

static void
fill(struct cert_record *record)
{
	struct cert_facts	*facts = &record->facts;

	memset(record, 0, sizeof(*record));
	record->state = CERT_CHAIN;
	record->added = 1780272000;
	record->source = mem_str("partner.p7b");
	record->added_by = mem_str("root (alice)");
	record->der = mem_dup("0\202certificate", 13);
	record->der_len = 13;
	memset(facts->fp.bytes, 1, 32);
	facts->not_before = -5;
	facts->not_after = INT64_MAX;
	facts->key_kind = CERT_KEY_EC;
	facts->key_bits = 256;
	strcpy(facts->curve, "P-256");
	facts->uses = CERT_MAY_SIGN;
	facts->faults = CERT_FAULT_WEAK_DIGEST;
	facts->is_ca = true;
	memset(facts->spki, 2, 32);
	memset(facts->issuer, 3, 32);
	memset(facts->issuer_serial, 4, 32);
	facts->subject_hash = 0xfedcba98;
	facts->issuer_hash = 7;
	facts->ski.len = CERT_KEYID_MAX;
	memset(facts->ski.bytes, 5, CERT_KEYID_MAX);
	facts->subject = mem_str("CN=A");
	facts->issuer_name = mem_str("");
	facts->addresses = mem_array(2, sizeof(char *));
	facts->addresses[facts->n_addresses++] = mem_str("a@example.org");
	facts->addresses[facts->n_addresses++] = mem_str("b@example.org");
}

static void
test_cert_comes_back(void)
{
	struct cert_record	 in, out;
	struct buf		 bytes = { 0 }, again = { 0 };

	fill(&in);
	record_encode_cert(&in, &bytes);
	REQUIRE_OK(record_decode_cert(bytes.data, bytes.len, &out, &err), err);
	CHECK_INT(out.state, CERT_CHAIN);
	CHECK_INT(out.added, in.added);
	CHECK_STR(out.source, "partner.p7b");
	CHECK_STR(out.added_by, "root (alice)");
	CHECK_MEM(out.der, out.der_len, in.der, in.der_len);
	CHECK_INT(out.facts.not_before, -5);
	CHECK_INT(out.facts.not_after, INT64_MAX);
	CHECK_STR(out.facts.curve, "P-256");
	CHECK(out.facts.is_ca && !out.facts.is_self_signed);
	CHECK_INT(out.facts.subject_hash, 0xfedcba98);
	CHECK_INT(out.facts.ski.len, CERT_KEYID_MAX);
	CHECK_INT(out.facts.aki.len, 0);
	CHECK_INT(out.facts.n_addresses, 2);
	CHECK_STR(out.facts.addresses[1], "b@example.org");
	/* What was not named above is the same, too. */
	record_encode_cert(&out, &again);
	CHECK_MEM(again.data, again.len, bytes.data, bytes.len);
	record_free_cert(&in);
	record_free_cert(&out);
	buf_free(&bytes);
	buf_free(&again);
}

static void
test_key_comes_back(void)
{
	struct key_record	 in = { .protection = KEY_PASSPHRASE,
				    .added = 9 }, out;
	struct buf		 bytes = { 0 };

	in.source = mem_str("a.pem");
	buf_adds(&in.sealed, "sealed");
	buf_adds(&in.wrapped, "wrapped");
	record_encode_key(&in, &bytes);
	REQUIRE_OK(record_decode_key(bytes.data, bytes.len, &out, &err), err);
	CHECK_INT(out.protection, KEY_PASSPHRASE);
	CHECK_STR(out.source, "a.pem");
	CHECK_MEM(out.sealed.data, out.sealed.len, "sealed", 6);
	CHECK_MEM(out.wrapped.data, out.wrapped.len, "wrapped", 7);
	record_free_key(&out);
	record_free_key(&in);
	buf_free(&bytes);
}

static void
test_crl_comes_back(void)
{
	struct crl_record	 in = { .added = 9, .this_update = -1,
				    .next_update = 77, .number = "0a",
				    .n_revoked = 3, .issuer = mem_str("CN=I"),
				    .source = mem_str("list.crl") };
	struct crl_record	 out;
	struct buf		 bytes = { 0 }, again = { 0 };

	memset(in.fp.bytes, 6, 32);
	record_encode_crl(&in, &bytes);
	REQUIRE_OK(record_decode_crl(bytes.data, bytes.len, &out, &err), err);
	CHECK_INT(out.this_update, -1);
	CHECK_INT(out.next_update, 77);
	CHECK_INT(out.n_revoked, 3);
	CHECK_STR(out.number, "0a");
	CHECK_STR(out.issuer, "CN=I");
	CHECK_STR(out.source, "list.crl");
	record_encode_crl(&out, &again);
	CHECK_MEM(again.data, again.len, bytes.data, bytes.len);
	record_free_crl(&out);
	test_row("a certificate is no list");
	bytes.data[0] = 'C';
	CHECK(!record_decode_crl(bytes.data, bytes.len, &out, &err));
	test_row(NULL);
	record_free_crl(&in);
	buf_free(&bytes);
	buf_free(&again);
}

static void
test_revoked_come_back(void)
{
	static struct crl_revoked	 in[RECORD_REVOKED_MAX];
	static struct crl_revoked	 out[RECORD_REVOKED_MAX];
	struct buf			 bytes = { 0 };
	size_t				 n;

	for (size_t i = 0; i < RECORD_REVOKED_MAX; i++) {
		in[i].serial.len = (uint8_t)(1 + i % (CRL_SERIAL_MAX + 1));
		memset(in[i].serial.bytes, (int)i, in[i].serial.len);
		in[i].date = (int64_t)i * 1000;
		in[i].reason = (int8_t)(i % (CRL_REASONS + 1)) - 1;
	}
	record_encode_revoked(in, RECORD_REVOKED_MAX, &bytes);
	REQUIRE_OK(record_decode_revoked(bytes.data, bytes.len, out, &n, &err),
	    err);
	CHECK_INT(n, RECORD_REVOKED_MAX);
	for (size_t i = 0; i < n; i++)
		CHECK(crl_serial_compare(&in[i].serial, &out[i].serial) == 0 &&
		    in[i].date == out[i].date &&
		    in[i].reason == out[i].reason);
	test_row("one bit changed");
	bytes.data[20] ^= 1;
	CHECK(!record_decode_revoked(bytes.data, bytes.len, out, &n, &err));
	test_row(NULL);
	buf_free(&bytes);
}

/* With a checksum that fits, so that what is behind it is tried. */
static void
seal(struct buf *bytes)
{
	uint8_t	 digest[EVP_MAX_MD_SIZE];

	EVP_Digest(bytes->data, bytes->len - 8, digest, NULL, EVP_sha256(),
	    NULL);
	memcpy(bytes->data + bytes->len - 8, digest, 8);
}

static void
check_refused(const struct buf *bytes, const char *reason)
{
	struct cert_record	 out;

	CHECK(!record_decode_cert(bytes->data, bytes->len, &out, &err));
	CHECK_INT(err.kind, ERR_DATA);
	if (strstr(err.reason, reason) == NULL)
		CHECK_STR(err.reason, reason);
	/* Nothing is left that would have to be freed. */
	CHECK(out.der == NULL && out.facts.addresses == NULL);
}

static void
test_damaged(void)
{
	struct cert_record	 record;
	struct buf		 bytes = { 0 };
	size_t			 len;

	fill(&record);
	record_encode_cert(&record, &bytes);
	len = bytes.len;
	test_row("one bit changed, anywhere");
	for (size_t i = 1; i < len; i++) {
		bytes.data[i] ^= 0x10;
		check_refused(&bytes, "checksum");
		bytes.data[i] ^= 0x10;
	}
	test_row("cut off, anywhere");
	for (bytes.len = 0; bytes.len < len; bytes.len++)
		check_refused(&bytes, "");
	test_row("cut off, with a checksum that fits");
	for (size_t n = 10; n < len; n++) {
		struct buf	 cut = { 0 };

		buf_add(&cut, bytes.data, n);
		seal(&cut);
		check_refused(&cut, "fields are wrong");
		buf_free(&cut);
	}
	bytes.len = len;
	test_row("a newer version");
	bytes.data[1] = 2;
	seal(&bytes);
	check_refused(&bytes, "a record is of version 2");
	bytes.data[1] = 1;
	test_row("another kind of record");
	bytes.data[0] = 'K';
	seal(&bytes);
	check_refused(&bytes, "of another kind");
	bytes.data[0] = 'C';
	test_row("a state that there is not");
	bytes.data[2] = 9;
	seal(&bytes);
	check_refused(&bytes, "fields are wrong");
	test_row(NULL);
	record_free_cert(&record);
	buf_free(&bytes);
}

int
main(void)
{
	test_cert_comes_back();
	test_key_comes_back();
	test_crl_comes_back();
	test_revoked_come_back();
	test_damaged();
	return test_done("record");
}
