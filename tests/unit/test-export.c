/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "store/bundle.h"
#include "store/export.h"
#include "tests/lib/pki.h"
#include "tests/lib/test.h"

static struct err	 err;
static EVP_PKEY		*ca_key, *alice_key;
static struct pki_cert	 ca, alice;

static struct cert_entry
entry_of(const struct pki_cert *cert)
{
	return (struct cert_entry){ .der = cert->der,
	    .der_len = cert->der_len };
}

/* What libcrypto reads from a PEM file, with a passphrase or none. */
static EVP_PKEY *
read_key(const struct buf *pem, const char *word)
{
	BIO		*bio = BIO_new_mem_buf(pem->data, (int)pem->len);
	char		 copy[32] = "";
	EVP_PKEY	*key;

	if (word != NULL)
		strcpy(copy, word);
	key = PEM_read_bio_PrivateKey(bio, NULL, NULL, copy);
	BIO_free(bio);
	ERR_clear_error();
	return key;
}

static void
check_key(const struct buf *pem, const char *word, bool opens)
{
	EVP_PKEY	*key = read_key(pem, word);

	CHECK((key != NULL) == opens);
	if (key != NULL)
		CHECK(EVP_PKEY_eq(key, alice_key) == 1);
	EVP_PKEY_free(key);
}

static struct passphrases
words(const char *word)
{
	struct passphrases	 list = { 0 };

	if (word != NULL)
		passphrases_add(&list, word, strlen(word));
	return list;
}

static struct export_key
stored_key(const char *word)
{
	struct export_key	 key = { .protection = word == NULL ?
				    KEY_SEALED : KEY_PASSPHRASE };
	size_t			 len;
	uint8_t			*plain = pki_pkcs8(alice_key, &len);

	if (word == NULL)
		buf_add(&key.bytes, plain, len);
	else
		REQUIRE_OK(pkcs8_wrap(plain, len, word, &key.bytes, &err),
		    err);
	OPENSSL_free(plain);
	return key;
}

static const struct {
	const char	*what;
	const char	*came_under;	/* NULL: in clear */
	const char	*given;		/* NULL: none */
	bool		 unprotected;
	const char	*opens;		/* what opens the export; NULL: fails */
} keys[] = {
	{ "in clear, exported under a new passphrase", NULL, "new", false,
	    "new" },
	{ "in clear, no passphrase given: refused", NULL, NULL, false, NULL },
	{ "in clear, the empty one given: refused", NULL, "", false, NULL },
	{ "in clear, exported in clear", NULL, NULL, true, "" },
	{ "under a passphrase, which it keeps", "old", NULL, false, "old" },
	{ "under a passphrase, another given: keeps its own", "old", "new",
	    false, "old" },
	{ "under a passphrase, in clear", "old", "old", true, "" },
	{ "under a passphrase, in clear, wrong: refused", "old", "new", true,
	    NULL },
};

static void
test_keys(void)
{
	for (size_t i = 0; i < TEST_LEN(keys); i++) {
		struct export_key	 key = stored_key(keys[i].came_under);
		struct passphrases	 list = words(keys[i].given);
		struct buf		 plain = { 0 }, out = { 0 };
		bool			 ok;

		test_row(keys[i].what);
		ok = keys[i].unprotected ?
		    export_key_plain(&key, &list, &plain, &err) &&
		    export_pem("PRIVATE KEY", &plain, &out, &err) :
		    export_key_pem(&key, &list, &out, &err);
		CHECK_INT(ok, keys[i].opens != NULL);
		if (ok) {
			check_key(&out, keys[i].opens, true);
			if (keys[i].opens[0] != '\0')
				check_key(&out, "wrong", false);
		} else
			CHECK_INT(err.kind, ERR_DATA);
		passphrases_free(&list);
		buf_free(&plain);
		buf_free(&out);
		buf_free(&key.bytes);
	}
	test_row(NULL);
}

/* PKCS#12 as others read it: libcrypto here, NSS and GnuTLS in t5xx. */
static void
test_pkcs12(bool is_legacy)
{
	struct cert_entry	 cert = entry_of(&alice), chain = entry_of(&ca);
	struct export_key	 key = stored_key(NULL);
	struct export_p12	 p12 = { .cert = &cert, .chain = &chain,
				    .n_chain = 1, .plain_key = &key.bytes,
				    .passphrase = "pässword",
				    .name = "alice@example.org",
				    .is_legacy = is_legacy };
	struct buf		 out = { 0 };
	const uint8_t		*p;
	const X509_ALGOR	*mac = NULL;
	STACK_OF(X509)		*cas = NULL;
	EVP_PKEY		*got_key = NULL;
	X509			*got = NULL;
	PKCS12			*file;

	test_row(is_legacy ? "PKCS#12 for old devices" : "PKCS#12");
	REQUIRE_OK(export_pkcs12(&p12, &out, &err), err);
	p = out.data;
	REQUIRE((file = d2i_PKCS12(NULL, &p, (long)out.len)) != NULL);
	PKCS12_get0_mac(NULL, &mac, NULL, NULL, file);
	CHECK_INT(OBJ_obj2nid(mac->algorithm),
	    is_legacy ? NID_sha1 : NID_sha256);
	CHECK(PKCS12_parse(file, "wrong", &got_key, &got, &cas) != 1);
	ERR_clear_error();
	REQUIRE(PKCS12_parse(file, "pässword", &got_key, &got, &cas) == 1);
	CHECK(X509_cmp(got, alice.x509) == 0);
	CHECK(EVP_PKEY_eq(got_key, alice_key) == 1);
	CHECK_INT(sk_X509_num(cas), 1);
	CHECK_STR((const char *)X509_alias_get0(got, NULL),
	    "alice@example.org");
	sk_X509_pop_free(cas, X509_free);
	EVP_PKEY_free(got_key);
	X509_free(got);
	PKCS12_free(file);
	buf_free(&out);
	buf_free(&key.bytes);
	test_row(NULL);
}

/* What is exported is what would be imported. */
static void
test_round_trip(void)
{
	struct cert_entry	 cert = entry_of(&alice);
	struct export_key	 key = stored_key("secret");
	struct passphrases	 list = words("secret");
	struct buf		 out = { 0 };
	struct bundle		*bundle = NULL;
	size_t			 column = 0, longest = 0;

	CHECK_OK(export_pem_cert(&cert, &out, &err), err);
	CHECK(strncmp((const char *)out.data, "subject=CN=Alice\n", 17) == 0);
	CHECK_OK(export_key_pem(&key, &list, &out, &err), err);
	REQUIRE_OK(bundle_read(out.data, out.len, &list, &bundle, &err), err);
	REQUIRE(bundle->n == 2);
	CHECK_MEM(bundle->items[0].der.data, bundle->items[0].der.len,
	    alice.der, alice.der_len);
	CHECK_MEM(bundle->items[1].wrapped.data, bundle->items[1].wrapped.len,
	    key.bytes.data, key.bytes.len);
	for (size_t i = 0; i < out.len; i++) {
		column = out.data[i] == '\n' ? 0 : column + 1;
		longest = column > longest ? column : longest;
	}
	CHECK_INT(longest, 64);
	bundle_free(bundle);
	passphrases_free(&list);
	buf_free(&key.bytes);
	buf_free(&out);
}

int
main(void)
{
	struct pki_spec	 ca_spec = { .cn = "CA", .is_ca = true };
	struct pki_spec	 spec = { .cn = "Alice",
			    .alt = "email:alice@example.org" };

	ca_key = pki_key("P-256");
	alice_key = pki_key("RSA2048");
	ca = pki_issue(&ca_spec, ca_key, NULL);
	alice = pki_issue(&spec, alice_key, &ca);
	test_keys();
	test_pkcs12(false);
	test_pkcs12(true);
	test_round_trip();
	pki_free(&alice);
	pki_free(&ca);
	EVP_PKEY_free(alice_key);
	EVP_PKEY_free(ca_key);
	return test_done("export");
}
