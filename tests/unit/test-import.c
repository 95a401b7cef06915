/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/pem.h>

#include "store/import.h"
#include "store/store.h"
#include "tests/lib/pki.h"
#include "tests/lib/scratch.h"
#include "tests/lib/test.h"

static struct err	 err;
static EVP_PKEY		*root_key, *sub_key, *alice_key, *bob_key;
static struct pki_cert	 root, sub, alice, bob, alice_new, server, expired,
			 self_signed;

static struct custody *
open_custody(const char *name)
{
	struct store_options	 options = { .dir = scratch_folder(name),
				    .lock_timeout_ms = 1000 };
	struct store		*store = NULL;

	memset(options.master_key, 7, sizeof(options.master_key));
	REQUIRE_OK(store_create(&options, &err), err);
	REQUIRE_OK(store_open(&options, &store, &err), err);
	return custody_of_store_take(store);
}

/* A file as PEM: certificates, NULL at the end, then perhaps a key. */
static struct bundle *
file_of(const struct pki_cert *const *certs, EVP_PKEY *key, const char *more)
{
	BIO			*bio = BIO_new(BIO_s_mem());
	struct passphrases	 none = { 0 };
	struct bundle		*bundle = NULL;
	char			*data;
	long			 len;

	for (; *certs != NULL; certs++)
		PEM_write_bio_X509(bio, (*certs)->x509);
	if (key != NULL)
		PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL,
		    NULL);
	if (more != NULL)
		BIO_puts(bio, more);
	len = BIO_get_mem_data(bio, &data);
	REQUIRE_OK(bundle_read((uint8_t *)data, (size_t)len, &none, &bundle,
	    &err), err);
	BIO_free(bio);
	return bundle;
}

static bool
same_custody(void *arg, size_t n_done, struct custody **out, struct err *e)
{
	(void)n_done;
	(void)e;
	*out = arg;
	return true;
}

/* "certificate added trusted; key added; key refused", and the reasons. */
static char *
run(struct custody *custody, const struct bundle *bundle,
    const struct import_options *given, bool trust_all, char **reasons)
{
	static const char *const	 verdicts[] = {
		[PUT_ADDED] = "added",
		[PUT_KNOWN] = "known",
		[PUT_REFUSED] = "refused",
	};
	struct import_options		 options = *given;
	struct import_file		 file = { .bundle = bundle,
					    .source = "test",
					    .trust_all = trust_all };
	struct buf			 text = { 0 }, why = { 0 };

	options.custody = same_custody;
	options.arg = custody;
	REQUIRE_OK(import_files(&file, 1, &options, &err), err);
	CHECK_INT(file.report.n, bundle->n);
	for (size_t i = 0; i < file.report.n; i++) {
		const struct import_item	*item = &file.report.items[i];

		buf_addf(&text, "%s%s %s%s%s", i == 0 ? "" : "; ",
		    bundle_kind_name(item->kind), verdicts[item->verdict],
		    item->kind == BUNDLE_CERT &&
		    item->verdict != PUT_REFUSED ? " " : "",
		    item->kind == BUNDLE_CERT &&
		    item->verdict != PUT_REFUSED ?
		    cert_state_name(item->state) : "");
		buf_addf(&why, "%s;", item->reason == NULL ? "" :
		    item->reason);
		CHECK(item->verdict != PUT_REFUSED || item->reason != NULL);
	}
	import_report_free(&file.report);
	*reasons = buf_take_str(&why);
	return buf_take_str(&text);
}

/* Each into a store of its own, so that the order does not matter. */
static const struct {
	const char		*what;
	const struct pki_cert	*certs[4];
	EVP_PKEY		**key;
	const char		*more;		/* text after them */
	bool			 no_trust;
	bool			 trust_all;
	const char		*want;
	const char		*reason;	/* part of them; or NULL */
} rows[] = {
	{ "a certificate and its key", { &alice }, &alice_key, NULL,
	    false, false, "certificate added trusted; key added", NULL },
	{ "a certificate, its key, its chain", { &alice, &sub, &root },
	    &alice_key, NULL, false, false,
	    "certificate added trusted; certificate added chain; "
	    "certificate added chain; key added", NULL },
	{ "one CA certificate by itself", { &root }, NULL, NULL,
	    false, false, "certificate added anchor", NULL },
	{ "the same CA certificate twice", { &root, &root }, NULL, NULL,
	    false, false,
	    "certificate added anchor; certificate known anchor", NULL },
	{ "two CA certificates", { &root, &sub }, NULL, NULL, false, false,
	    "certificate added chain; certificate added chain",
	    "--trust-all" },
	{ "two CA certificates, all trusted", { &root, &sub }, NULL, NULL,
	    false, true,
	    "certificate added anchor; certificate added anchor", NULL },
	{ "a CA and a leaf, all trusted", { &root, &alice }, NULL, NULL,
	    false, true,
	    "certificate added chain; certificate added trusted", NULL },
	{ "a CA without trust", { &root }, NULL, NULL, true, false,
	    "certificate added chain", NULL },
	{ "a leaf without trust", { &alice }, NULL, NULL, true, false,
	    "certificate added chain", NULL },
	{ "a key by itself", { NULL }, &alice_key, NULL, false, false,
	    "key refused", "neither in the files nor in the store" },
	{ "somebody else's key", { &alice }, &bob_key, NULL, false, false,
	    "certificate added trusted; key refused", "neither in the file" },
	{ "not for mail, beside a good one", { &server, &alice }, NULL, NULL,
	    false, false, "certificate refused; certificate added trusted",
	    "the certificate is not for mail" },
	{ "not for mail, with its key", { &server }, &bob_key, NULL,
	    false, false, "certificate refused; key refused",
	    "its certificate was refused" },
	{ "expired", { &expired }, NULL, NULL, false, false,
	    "certificate added trusted", "expired 2026-05-22; kept" },
	{ "self-signed, CA:TRUE, with an address", { &self_signed }, NULL,
	    NULL, false, false, "certificate added trusted", NULL },
	{ "damage beside a good one", { &alice }, NULL,
	    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	    false, false, "certificate added trusted; other refused",
	    "cut off or damaged" },
};

static void
test_files(void)
{
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		char			 name[16];
		struct custody		*custody;
		struct bundle		*bundle = file_of(rows[i].certs,
					    rows[i].key == NULL ? NULL :
					    *rows[i].key, rows[i].more);
		struct import_options	 options = {
			.no_trust = rows[i].no_trust,
			.now = PKI_NOW };
		char			*got, *reasons;

		snprintf(name, sizeof(name), "files%zu", i);
		custody = open_custody(name);
		test_row(rows[i].what);
		got = run(custody, bundle, &options, rows[i].trust_all,
		    &reasons);
		CHECK_STR(got, rows[i].want);
		if (rows[i].reason != NULL &&
		    strstr(reasons, rows[i].reason) == NULL)
			CHECK_STR(reasons, rows[i].reason);
		free(got);
		free(reasons);
		bundle_free(bundle);
		custody_close(custody);
	}
	test_row(NULL);
}

static void
import_again(struct custody *custody, const struct pki_cert *cert,
    EVP_PKEY *key, bool dry_run, const char *want)
{
	const struct pki_cert	*certs[] = { cert, NULL };
	struct bundle		*bundle = file_of(certs, key, NULL);
	struct import_options	 options = { .dry_run = dry_run,
				    .now = PKI_NOW };
	char			*reasons, *got = run(custody, bundle,
				    &options, false, &reasons);

	CHECK_STR(got, want);
	free(got);
	free(reasons);
	bundle_free(bundle);
}

/* One file after the other into the same store. */
static void
test_story(void)
{
	struct custody	*custody = open_custody("story");
	struct finding	*finding = NULL;

	import_again(custody, &alice, alice_key, true,
	    "certificate added trusted; key added");
	/* Nothing is there yet: that was a dry run. */
	import_again(custody, NULL, alice_key, true, "key refused");
	import_again(custody, &alice, NULL, false,
	    "certificate added trusted");
	import_again(custody, NULL, alice_key, true, "key added");
	import_again(custody, NULL, alice_key, false, "key added");
	import_again(custody, &alice, alice_key, false,
	    "certificate known trusted; key known");
	import_again(custody, &alice, alice_key, true,
	    "certificate known trusted; key known");
	/* Renewed with the same key, the key is found at once. */
	import_again(custody, &alice_new, NULL, false,
	    "certificate added trusted");
	REQUIRE_OK(custody_find(custody, "alice@example.org", CERT_USE_SIGN,
	    PKI_NOW, &finding, &err), err);
	CHECK_MEM(finding->der, finding->der_len, alice_new.der,
	    alice_new.der_len);
	finding_free(finding);
	custody_close(custody);
}

/* A signature's certificates were chosen by whoever made it. */
static void
test_signature(void)
{
	const struct pki_cert	*certs[] = { &alice, NULL };
	struct bundle		*bundle = file_of(certs, NULL, NULL);
	struct import_options	 options = { .now = PKI_NOW };
	struct custody		*custody = open_custody("signature");
	char			*got, *reasons;

	bundle->items[0].is_signature = true;
	got = run(custody, bundle, &options, false, &reasons);
	CHECK_STR(got, "certificate added chain");
	free(got);
	free(reasons);
	bundle_free(bundle);
	custody_close(custody);
}

int
main(void)
{
	static const char	 ku[] =
	    "critical,digitalSignature,keyEncipherment,keyAgreement";
	struct pki_spec		 ca = { .cn = "Root", .is_ca = true };
	struct pki_spec		 leaf = { .cn = "Alice", .ku = ku,
				    .alt = "email:alice@example.org",
				    .eku = "emailProtection" };
	struct pki_spec		 spec;

	root_key = pki_key("P-256");
	sub_key = pki_key("P-256");
	alice_key = pki_key("P-256");
	bob_key = pki_key("P-256");
	root = pki_issue(&ca, root_key, NULL);
	ca.cn = "Sub";
	sub = pki_issue(&ca, sub_key, &root);
	alice = pki_issue(&leaf, alice_key, &sub);
	spec = leaf;
	spec.from = -10;
	alice_new = pki_issue(&spec, alice_key, &sub);
	spec = leaf;
	spec.alt = "email:bob@example.org";
	bob = pki_issue(&spec, bob_key, &sub);
	spec.eku = "serverAuth";
	server = pki_issue(&spec, bob_key, &sub);
	spec = leaf;
	spec.from = -100;
	spec.until = -10;
	expired = pki_issue(&spec, alice_key, &sub);
	spec = leaf;
	spec.is_ca = true;
	self_signed = pki_issue(&spec, alice_key, NULL);

	test_files();
	test_story();
	test_signature();

	pki_free(&root);
	pki_free(&sub);
	pki_free(&alice);
	pki_free(&alice_new);
	pki_free(&bob);
	pki_free(&server);
	pki_free(&expired);
	pki_free(&self_signed);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(sub_key);
	EVP_PKEY_free(alice_key);
	EVP_PKEY_free(bob_key);
	return test_done("import");
}
