/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>

#include <openssl/cms.h>
#include <openssl/pem.h>

#include "store/cert.h"
#include "store/credential.h"
#include "store/custody.h"
#include "store/store.h"
#include "tests/lib/pki.h"
#include "tests/lib/scratch.h"
#include "tests/lib/test.h"

static EVP_PKEY	*ca_key, *alice_key, *bob_key, *other_key;
static struct err err;

/* What the stores that are opened show of their generation. */
static _Atomic uint64_t	 shown;

static struct custody *
open_custody(const char *dir, bool create)
{
	struct store_options	 options = { .dir = dir,
				    .lock_timeout_ms = 1000,
				    .generation = &shown };
	struct store		*store = NULL;

	memset(options.master_key, 7, sizeof(options.master_key));
	if (create)
		REQUIRE_OK(store_create(&options, &err), err);
	REQUIRE_OK(store_open(&options, &store, &err), err);
	return custody_of_store_take(store);
}

static struct put_result
put(struct custody *custody, const struct pki_cert *cert,
    enum cert_state state)
{
	struct put_cert		 one = { cert->der, cert->der_len, state,
				    "test" };
	struct put_result	 result;

	REQUIRE_OK(custody_put_certs(custody, &one, 1, PKI_NOW, &result, &err),
	    err);
	return result;
}

static struct put_result
put_key(struct custody *custody, const EVP_PKEY *key)
{
	struct put_key		 one = { .source = "test" };
	struct put_result	 result;
	size_t			 len;
	uint8_t			*der = pki_pkcs8(key, &len);

	one.plain = der;
	one.plain_len = len;
	REQUIRE_OK(custody_put_key(custody, &one, PKI_NOW, &result, &err), err);
	OPENSSL_free(der);
	return result;
}

static void
check_verdict(struct put_result result, enum put_verdict verdict,
    enum cert_state state, const char *reason)
{
	CHECK_INT(result.verdict, verdict);
	if (verdict != PUT_REFUSED)
		CHECK_STR(cert_state_name(result.state),
		    cert_state_name(state));
	if (reason == NULL)
		CHECK_STR(result.reason, NULL);
	else if (result.reason == NULL || strstr(result.reason, reason) == NULL)
		CHECK_STR(result.reason, reason);
	free(result.reason);
}

static struct fingerprint
fp_of(const struct pki_cert *cert)
{
	struct cert_facts	 facts;
	struct fingerprint	 fp;

	REQUIRE_OK(cert_read(cert->der, cert->der_len, &facts, &err), err);
	fp = facts.fp;
	cert_facts_free(&facts);
	return fp;
}

/* Who is found, and if nobody, why. */
static void
check_find(struct custody *custody, const char *addr, enum cert_use use,
    const struct pki_cert *want, const char *reason)
{
	struct finding	*finding = NULL;

	REQUIRE_OK(custody_find(custody, addr, use, PKI_NOW, &finding, &err),
	    err);
	if (want != NULL)
		CHECK_MEM(finding->der, finding->der_len, want->der,
		    want->der_len);
	else
		CHECK(finding->der == NULL);
	if (reason == NULL)
		CHECK_STR(finding->reason, NULL);
	else if (finding->reason == NULL ||
	    strstr(finding->reason, reason) == NULL)
		CHECK_STR(finding->reason, reason);
	finding_free(finding);
}

static const struct pki_spec	 root_spec = { .cn = "Root", .is_ca = true,
				    .ku = "critical,keyCertSign,cRLSign",
				    .from = -3000, .until = 3000 };
static const struct pki_spec	 sub_spec = { .cn = "Sub", .is_ca = true,
				    .ku = "critical,keyCertSign,cRLSign",
				    .from = -2000, .until = 2000 };

static struct pki_spec
leaf(const char *cn, const char *alt)
{
	return (struct pki_spec){ .cn = cn, .alt = alt,
	    .ku = "critical,digitalSignature,keyEncipherment,keyAgreement",
	    .eku = "emailProtection", .from = -1000, .until = 1000 };
}

static void
test_chain_of_trust(void)
{
	struct custody		*custody = open_custody(scratch_folder("chain"),
				    true);
	EVP_PKEY		*sub_key = pki_key("P-256");
	struct pki_cert		 root = pki_issue(&root_spec, ca_key, NULL);
	struct pki_cert		 sub = pki_issue(&sub_spec, sub_key, &root);
	struct pki_spec		 spec = leaf("Bob", "email:Bob@Example.org");
	struct pki_cert		 bob = pki_issue(&spec, bob_key, &sub);
	struct fingerprint	 root_fp = fp_of(&root), sub_fp = fp_of(&sub),
				 bob_fp = fp_of(&bob);
	struct cert_entry	*chain;
	size_t			 n;

	check_find(custody, "bob@example.org", CERT_USE_ENCRYPT, NULL,
	    "no certificate");
	check_verdict(put(custody, &bob, CERT_CHAIN), PUT_ADDED, CERT_CHAIN,
	    NULL);
	check_find(custody, "bob@example.org", CERT_USE_ENCRYPT, NULL,
	    "issuer missing: CN=Sub");
	check_verdict(put(custody, &sub, CERT_CHAIN), PUT_ADDED, CERT_CHAIN,
	    NULL);
	check_find(custody, "bob@example.org", CERT_USE_ENCRYPT, NULL,
	    "issuer missing: CN=Root");
	check_verdict(put(custody, &root, CERT_CHAIN), PUT_ADDED, CERT_CHAIN,
	    NULL);
	check_find(custody, "bob@example.org", CERT_USE_ENCRYPT, NULL,
	    "no trusted CA: CN=Root");
	REQUIRE_OK(custody_set_state(custody, &root_fp, CERT_ANCHOR, &err),
	    err);
	check_find(custody, "bob@example.org", CERT_USE_ENCRYPT, &bob, NULL);

	/* An intermediate is an anchor without its root. */
	REQUIRE_OK(custody_set_state(custody, &root_fp, CERT_CHAIN, &err),
	    err);
	REQUIRE_OK(custody_set_state(custody, &sub_fp, CERT_ANCHOR, &err), err);
	check_find(custody, "bob@example.org", CERT_USE_ENCRYPT, &bob, NULL);

	REQUIRE_OK(custody_chain(custody, &bob_fp, PKI_NOW, &chain, &n, &err),
	    err);
	CHECK_INT(n, 2);
	if (n == 2) {
		CHECK_MEM(chain[0].der, chain[0].der_len, sub.der, sub.der_len);
		CHECK_MEM(chain[1].der, chain[1].der_len, root.der,
		    root.der_len);
	}
	cert_entry_free(chain, n);

	/* What a distrusted CA issued is not used, trusted leaf or not. */
	REQUIRE_OK(custody_set_state(custody, &sub_fp, CERT_DISTRUSTED, &err),
	    err);
	REQUIRE_OK(custody_set_state(custody, &bob_fp, CERT_TRUSTED, &err),
	    err);
	check_find(custody, "bob@example.org", CERT_USE_ENCRYPT, NULL,
	    "issued by a distrusted CA: CN=Sub");
	REQUIRE_OK(custody_remove(custody, &sub_fp, false, &err), err);
	check_find(custody, "bob@example.org", CERT_USE_ENCRYPT, &bob, NULL);
	CHECK(!custody_set_state(custody, &sub_fp, CERT_CHAIN, &err));
	CHECK_INT(err.kind, ERR_DATA);
	CHECK(!custody_set_state(custody, &bob_fp, CERT_ANCHOR, &err));
	custody_close(custody);
	pki_free(&root);
	pki_free(&sub);
	pki_free(&bob);
	EVP_PKEY_free(sub_key);
}

/* Filters see the generation; one that was taken over may write it. */
static void
test_shown_generation(void)
{
	struct custody		*custody = open_custody(scratch_folder("shown"),
				    true);
	struct pki_cert		 root = pki_issue(&root_spec, ca_key, NULL);
	struct pki_spec		 spec = leaf("Bob", "email:bob@example.org");
	struct pki_cert		 bob = pki_issue(&spec, bob_key, &root);
	struct fingerprint	 root_fp = fp_of(&root);
	uint64_t		 before;

	put(custody, &root, CERT_ANCHOR);
	put(custody, &bob, CERT_CHAIN);
	check_find(custody, "bob@example.org", CERT_USE_ENCRYPT, &bob, NULL);
	before = shown;
	REQUIRE_OK(custody_set_state(custody, &root_fp, CERT_DISTRUSTED, &err),
	    err);
	CHECK_INT(shown, before + 1);
	shown = before;
	check_find(custody, "bob@example.org", CERT_USE_ENCRYPT, NULL,
	    "issued by a distrusted CA: CN=Root");
	custody_close(custody);
	pki_free(&root);
	pki_free(&bob);
}

/* Judged at 1000; is it still for Alice to sign with? */
static const struct {
	const char	*what;
	int64_t		 not_after;
	int64_t		 now;
	const char	*addr;
	bool		 is_for;
} judged[] = {
	{ "a moment ago", 9000, 1004, "alice@example.org", true },
	{ "too long ago", 9000, 1000 + CREDENTIAL_SECONDS,
	    "alice@example.org", false },
	{ "the clock was set back", 9000, 999, "alice@example.org", false },
	{ "for another address", 9000, 1000, "bob@example.org", false },
	{ "its last second", 1002, 1002, "alice@example.org", true },
	{ "expired meanwhile", 1002, 1003, "alice@example.org", false },
};

static void
test_judged(void)
{
	struct pki_spec		 spec = leaf("Alice",
				    "email:alice@example.org");
	struct pki_cert		 alice = pki_issue(&spec, alice_key, NULL);
	const unsigned char	*p = alice.der;
	struct credential	 former = { .key = alice_key,
				    .chain = sk_X509_new_null() };

	former.cert = d2i_X509(NULL, &p, (long)alice.der_len);
	REQUIRE(former.cert != NULL && former.chain != NULL);
	for (size_t i = 0; i < TEST_LEN(judged); i++) {
		struct credential_use	 use = { .addr = "alice@example.org",
		    .at = 1000, .not_after = judged[i].not_after };
		struct credential	*credential = credential_again(&former,
		    &use);

		test_row(judged[i].what);
		CHECK(credential_is_for(credential, judged[i].addr,
		    judged[i].now) == judged[i].is_for);
		credential_release(credential);
	}
	sk_X509_free(former.chain);
	X509_free(former.cert);
	pki_free(&alice);
}

/* An intermediate ends before the certificates below it do. */
static void
test_chain_ends(void)
{
	static const struct {
		const char	*what;
		int64_t		 now;
		bool		 has_chain;
	} rows[] = {
		{ "both are valid", PKI_NOW, true },
		{ "a second before one ends", PKI_NOW + PKI_DAY - 1, true },
		{ "one has ended", PKI_NOW + PKI_DAY + 1, false },
	};
	struct pki_spec		 short_spec = sub_spec;
	struct pki_cert		 root = pki_issue(&root_spec, ca_key, NULL);
	struct pki_cert		 sub = pki_issue(&sub_spec, other_key, &root);
	struct pki_cert		 lower;
	struct credential	 credential = { .chain = sk_X509_new_null() };

	short_spec.until = 1;
	lower = pki_issue(&short_spec, bob_key, &sub);
	CHECK(credential_has_chain(&credential, PKI_NOW));
	sk_X509_push(credential.chain, sub.x509);
	sk_X509_push(credential.chain, lower.x509);
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		test_row(rows[i].what);
		CHECK(credential_has_chain(&credential, rows[i].now) ==
		    rows[i].has_chain);
	}
	test_row(NULL);
	sk_X509_free(credential.chain);
	pki_free(&root);
	pki_free(&sub);
	pki_free(&lower);
}

static void
test_displacing(void)
{
	struct custody		*custody =
				    open_custody(scratch_folder("displace"),
				    true);
	struct pki_spec		 spec = leaf("Bob", "email:bob@example.org");
	struct pki_spec		 newer = spec;
	struct pki_cert		 bob, mallory, renewed;
	struct fingerprint	 mallory_fp, bob_fp;

	newer.from = -10;
	bob = pki_issue(&spec, bob_key, NULL);
	renewed = pki_issue(&newer, bob_key, NULL);
	mallory = pki_issue(&newer, other_key, NULL);
	mallory_fp = fp_of(&mallory);
	bob_fp = fp_of(&bob);

	check_verdict(put(custody, &bob, CERT_TRUSTED), PUT_ADDED,
	    CERT_TRUSTED, NULL);
	check_verdict(put(custody, &bob, CERT_TRUSTED), PUT_KNOWN,
	    CERT_TRUSTED, NULL);
	check_verdict(put(custody, &mallory, CERT_TRUSTED), PUT_ADDED,
	    CERT_CHAIN, "confirm this one with: smimectl trust ");
	check_find(custody, "bob@example.org", CERT_USE_ENCRYPT, &bob, NULL);
	/* The same key again is a renewal. */
	check_verdict(put(custody, &renewed, CERT_TRUSTED), PUT_ADDED,
	    CERT_TRUSTED, NULL);
	check_find(custody, "bob@example.org", CERT_USE_ENCRYPT, &renewed,
	    NULL);
	REQUIRE_OK(custody_set_state(custody, &mallory_fp, CERT_TRUSTED, &err),
	    err);
	/* A distrusted key does not come back in another certificate. */
	REQUIRE_OK(custody_set_state(custody, &bob_fp, CERT_DISTRUSTED, &err),
	    err);
	newer.from = -5;
	pki_free(&renewed);
	renewed = pki_issue(&newer, bob_key, NULL);
	check_verdict(put(custody, &renewed, CERT_TRUSTED), PUT_REFUSED, 0,
	    "has the public key of a certificate that is distrusted");
	custody_close(custody);
	pki_free(&bob);
	pki_free(&mallory);
	pki_free(&renewed);
}

/* Verify with libcrypto as a recipient would; returns the signed attributes. */
static void
check_signed_data(const struct buf *der, const struct pki_cert *root,
    const char *content, int n_certs)
{
	const unsigned char	*p = der->data;
	CMS_ContentInfo		*cms = d2i_CMS_ContentInfo(NULL, &p,
				    (long)der->len);
	X509_STORE		*store = X509_STORE_new();
	BIO			*in = BIO_new_mem_buf(content, -1);
	STACK_OF(X509)		*certs = CMS_get1_certs(cms);
	STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(cms);
	CMS_SignerInfo		*si = sk_CMS_SignerInfo_value(infos, 0);

	X509_STORE_add_cert(store, root->x509);
	CHECK_INT(CMS_verify(cms, NULL, store, in, NULL,
	    CMS_BINARY | CMS_DETACHED), 1);
	CHECK_INT(sk_X509_num(certs), n_certs);
	CHECK_INT(CMS_signed_get_attr_count(si), 5);
	CHECK(CMS_signed_get_attr_by_NID(si, NID_pkcs9_signingTime, -1) >= 0);
	CHECK(CMS_signed_get_attr_by_NID(si, NID_SMIMECapabilities, -1) >= 0);
	CHECK(CMS_signed_get_attr_by_NID(si,
	    NID_id_smime_aa_signingCertificateV2, -1) >= 0);
	sk_X509_pop_free(certs, X509_free);
	BIO_free(in);
	X509_STORE_free(store);
	CMS_ContentInfo_free(cms);
}

static void
test_signing(void)
{
	static const char	 content[] = "Content-Type: text/plain\r\n"
				    "\r\nHi\r\n";
	struct custody		*custody = open_custody(scratch_folder("sign"),
				    true);
	EVP_PKEY		*sub_key = pki_key("P-256");
	struct pki_cert		 root = pki_issue(&root_spec, ca_key, NULL);
	struct pki_cert		 sub = pki_issue(&sub_spec, sub_key, &root);
	struct pki_spec		 spec = leaf("Alice",
				    "email:alice@example.org");
	struct pki_cert		 alice = pki_issue(&spec, alice_key, &sub);
	struct sign_request	 request = { .from = "alice@example.org",
				    .digest = DIGEST_SHA256 };
	struct buf		 out = { 0 };
	enum key_protection	 protection;

	request.fp = fp_of(&alice);
	EVP_Digest(content, strlen(content), request.hash, NULL, EVP_sha256(),
	    NULL);
	put(custody, &root, CERT_ANCHOR);
	put(custody, &sub, CERT_CHAIN);
	check_verdict(put_key(custody, alice_key), PUT_REFUSED, 0,
	    "no certificate with its public key");
	check_verdict(put_key(custody, ca_key), PUT_REFUSED, 0,
	    "belongs to a CA");
	put(custody, &alice, CERT_TRUSTED);
	check_find(custody, "alice@example.org", CERT_USE_SIGN, NULL,
	    "has no private key here");
	CHECK(!custody_sign(custody, &request, &out, &err));
	CHECK_INT(err.kind, ERR_DATA);
	check_verdict(put_key(custody, alice_key), PUT_ADDED, CERT_TRUSTED,
	    NULL);
	check_verdict(put_key(custody, alice_key), PUT_KNOWN, CERT_TRUSTED,
	    NULL);
	check_find(custody, "alice@example.org", CERT_USE_SIGN, &alice, NULL);

	/* Twice: the second time from the cache; root not included. */
	for (int i = 0; i < 2; i++) {
		REQUIRE_OK(custody_sign(custody, &request, &out, &err), err);
		check_signed_data(&out, &root, content, 2);
	}
	request.digest = DIGEST_SHA512;
	EVP_Digest(content, strlen(content), request.hash, NULL, EVP_sha512(),
	    NULL);
	REQUIRE_OK(custody_sign(custody, &request, &out, &err), err);
	check_signed_data(&out, &root, content, 2);
	request.from = "bob@example.org";
	CHECK(!custody_sign(custody, &request, &out, &err));
	CHECK_STR(err.reason, "sign as bob@example.org: certificate is not "
	    "for bob@example.org");

	REQUIRE_OK(custody_get_key(custody, &request.fp, &protection, &out,
	    &err), err);
	CHECK_INT(protection, KEY_SEALED);
	CHECK(out.is_secret && out.len > 0);
	REQUIRE_OK(custody_remove(custody, &request.fp, true, &err), err);
	request.from = "alice@example.org";
	CHECK(!custody_sign(custody, &request, &out, &err));
	CHECK(!custody_remove(custody, &request.fp, true, &err));
	CHECK_INT(err.kind, ERR_DATA);
	put_key(custody, alice_key);
	/* The last certificate takes its key along. */
	REQUIRE_OK(custody_remove(custody, &request.fp, false, &err), err);
	put(custody, &alice, CERT_TRUSTED);
	check_find(custody, "alice@example.org", CERT_USE_SIGN, NULL,
	    "has no private key here");
	buf_free(&out);
	custody_close(custody);
	pki_free(&root);
	pki_free(&sub);
	pki_free(&alice);
	EVP_PKEY_free(sub_key);
}

static void
test_listing(void)
{
	struct custody		*custody = open_custody(scratch_folder("list"),
				    true);
	struct cert_entry	*entries;
	struct fingerprint	 last, *after = NULL;
	char			 hex[TEXT_FP_LEN];
	size_t			 n, total = 0;

	for (int i = 0; i < 7; i++) {
		char		 alt[64], cn[16];
		struct pki_spec	 spec;
		struct pki_cert	 cert;

		snprintf(alt, sizeof(alt), "email:u%d@example.org", i);
		snprintf(cn, sizeof(cn), "U%d", i);
		spec = leaf(cn, alt);
		cert = pki_issue(&spec, other_key, NULL);
		check_verdict(put(custody, &cert, CERT_TRUSTED), PUT_ADDED,
		    CERT_TRUSTED, NULL);
		pki_free(&cert);
	}
	for (;;) {
		REQUIRE_OK(custody_list(custody, after, 3, PKI_NOW, &entries,
		    &n, &err), err);
		if (n == 0)
			break;
		for (size_t i = 0; i < n; i++) {
			CHECK_STR(entries[i].trusted_by, "itself");
			CHECK_STR(entries[i].source, "test");
			CHECK_INT(entries[i].added, PKI_NOW);
			if (total + i > 0)
				CHECK(memcmp(last.bytes, entries[i].fp.bytes,
				    32) < 0);
			last = entries[i].fp;
		}
		total += n;
		after = &last;
		cert_entry_free(entries, n);
	}
	free(entries);
	CHECK_INT(total, 7);
	text_fp(&last, hex);
	hex[9] = '\0';
	REQUIRE_OK(custody_lookup(custody, hex, PKI_NOW, &entries, &n, &err),
	    err);
	CHECK_INT(n, 1);
	CHECK(n == 1 && text_fp_equal(&entries[0].fp, &last));
	cert_entry_free(entries, n);
	REQUIRE_OK(custody_lookup(custody, "u3@example.org", PKI_NOW, &entries,
	    &n, &err), err);
	CHECK_INT(n, 1);
	cert_entry_free(entries, n);
	CHECK(!custody_lookup(custody, "nonsense", PKI_NOW, &entries, &n,
	    &err));
	CHECK_INT(err.kind, ERR_DATA);
	custody_close(custody);
}

/*
 * Who was refused at first, and what the same file would have done from
 * another hand: who has a key here is never displaced, and a second
 * certificate by the CA that issued the first is no stranger.
 */
static void
test_same_issuer(void)
{
	struct custody	*custody = open_custody(scratch_folder("issuer"), true);
	struct pki_cert	 ca = pki_issue(&root_spec, ca_key, NULL);
	struct pki_spec	 fake_spec = root_spec;
	struct pki_cert	 fake_ca = pki_issue(&fake_spec, other_key, NULL);
	struct pki_spec	 spec = leaf("Bob", "email:bob@example.org");
	struct pki_spec	 own = leaf("Alice", "email:alice@example.org");
	struct pki_cert	 first = pki_issue(&spec, bob_key, &ca);
	struct pki_cert	 second = pki_issue(&spec, alice_key, &ca);
	struct pki_cert	 forged = pki_issue(&spec, other_key, &fake_ca);
	struct pki_cert	 alice = pki_issue(&own, alice_key, &ca);
	struct pki_cert	 alice2 = pki_issue(&own, other_key, &ca);

	put(custody, &ca, CERT_CHAIN);
	put(custody, &fake_ca, CERT_CHAIN);
	check_verdict(put(custody, &first, CERT_TRUSTED), PUT_ADDED,
	    CERT_TRUSTED, NULL);
	check_verdict(put(custody, &second, CERT_TRUSTED), PUT_ADDED,
	    CERT_TRUSTED, NULL);
	check_verdict(put(custody, &forged, CERT_TRUSTED), PUT_ADDED,
	    CERT_CHAIN, "bob@example.org has another certificate here");
	check_verdict(put(custody, &alice, CERT_TRUSTED), PUT_ADDED,
	    CERT_TRUSTED, NULL);
	check_verdict(put_key(custody, alice_key), PUT_ADDED, CERT_TRUSTED,
	    NULL);
	check_verdict(put(custody, &alice2, CERT_TRUSTED), PUT_ADDED,
	    CERT_CHAIN, "alice@example.org has another certificate here");
	custody_close(custody);
	pki_free(&ca);
	pki_free(&fake_ca);
	pki_free(&first);
	pki_free(&second);
	pki_free(&forged);
	pki_free(&alice);
	pki_free(&alice2);
}

#define THREADS		4
#define TURNS		60

static struct custody		*shared;
static struct sign_request	 shared_request;
static struct fingerprint	 stranger_fp;

/* One adds and removes, the others look up and sign meanwhile. */
static void *
use_shared(void *arg)
{
	struct pki_cert		*stranger = arg;
	intptr_t		 n_failed = 0;

	for (int i = 0; i < TURNS; i++) {
		struct put_cert		 one = { .state = CERT_TRUSTED };
		struct put_result	 result = { 0 };
		struct finding		*finding = NULL;
		struct buf		 out = { 0 };
		struct err		 why;

		if (stranger != NULL) {
			one.der = stranger->der;
			one.der_len = stranger->der_len;
			one.source = "test";
			n_failed += !custody_put_certs(shared, &one, 1,
			    PKI_NOW, &result, &why) ||
			    !custody_remove(shared, &stranger_fp, false, &why);
			free(result.reason);
			continue;
		}
		n_failed += !custody_find(shared, shared_request.from,
		    CERT_USE_SIGN, PKI_NOW, &finding, &why) ||
		    finding->der == NULL ||
		    !custody_sign(shared, &shared_request, &out, &why);
		finding_free(finding);
		buf_free(&out);
	}
	return (void *)n_failed;
}

/* Decoded by several threads, each has the verdict that is its own. */
#define MANY	250
static void
test_many_at_once(void)
{
	struct custody		*custody = open_custody(
				    scratch_folder("many"), true);
	static struct pki_cert	 certs[MANY];
	static struct put_cert	 puts[MANY];
	static struct put_result results[MANY];
	struct cert_entry	*list;
	size_t			 n;

	for (size_t i = 0; i < MANY; i++) {
		char		 alt[64];
		struct pki_spec	 spec;

		snprintf(alt, sizeof(alt), "email:u%zu@example.org", i);
		spec = leaf("Somebody", alt);
		certs[i] = pki_issue(&spec, bob_key, NULL);
		/* Each tenth is cut off. */
		puts[i] = (struct put_cert){ certs[i].der,
		    certs[i].der_len - (i % 10 == 3), CERT_TRUSTED, "test" };
	}
	REQUIRE_OK(custody_put_certs(custody, puts, MANY, PKI_NOW, results,
	    &err), err);
	for (size_t i = 0; i < MANY; i++) {
		CHECK_INT(results[i].verdict, i % 10 == 3 ? PUT_REFUSED :
		    PUT_ADDED);
		CHECK((results[i].reason != NULL) == (i % 10 == 3));
		free(results[i].reason);
	}
	REQUIRE_OK(custody_lookup(custody, "u247@example.org", PKI_NOW, &list,
	    &n, &err), err);
	REQUIRE(n == 1);
	CHECK_MEM(list->der, list->der_len, certs[247].der,
	    certs[247].der_len);
	cert_entry_free(list, n);
	custody_close(custody);
	for (size_t i = 0; i < MANY; i++)
		pki_free(&certs[i]);
}

static void
test_threads(void)
{
	struct pki_spec	 spec = leaf("Bob", "email:bob@example.org");
	struct pki_spec	 stranger_spec = leaf("C", "email:c@example.org");
	struct pki_cert	 bob = pki_issue(&spec, bob_key, NULL);
	struct pki_cert	 stranger = pki_issue(&stranger_spec, other_key, NULL);
	pthread_t	 threads[THREADS];
	void		*n_failed;

	shared = open_custody(scratch_folder("threads"), true);
	put(shared, &bob, CERT_TRUSTED);
	put_key(shared, bob_key);
	shared_request.fp = fp_of(&bob);
	stranger_fp = fp_of(&stranger);
	shared_request.from = "bob@example.org";
	for (size_t i = 0; i < THREADS; i++)
		REQUIRE(pthread_create(&threads[i], NULL, use_shared,
		    i == 0 ? &stranger : NULL) == 0);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &n_failed);
		CHECK_INT((intptr_t)n_failed, 0);
	}
	custody_close(shared);
	pki_free(&bob);
	pki_free(&stranger);
}

int
main(void)
{
	ca_key = pki_key("P-256");
	alice_key = pki_key("RSA2048");
	bob_key = pki_key("P-256");
	other_key = pki_key("P-256");
	test_chain_of_trust();
	test_shown_generation();
	test_judged();
	test_chain_ends();
	test_displacing();
	test_signing();
	test_listing();
	test_same_issuer();
	test_many_at_once();
	test_threads();
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(alice_key);
	EVP_PKEY_free(bob_key);
	EVP_PKEY_free(other_key);
	return test_done("custody");
}
