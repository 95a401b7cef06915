/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/revoke.h"
#include "store/trust.h"
#include "tests/lib/scratch_store.h"

static struct err err;
static EVP_PKEY		*root_key, *sub_key, *other_key, *leaf_key;
static struct pki_cert	 root, sub, impostor, no_crl_sign, leaf;

static const ASN1_INTEGER *
serial_of(const struct pki_cert *cert)
{
	return X509_get0_serialNumber(cert->x509);
}

/* The verdict on a list that a CA signed over a leaf, and its reason. */
static struct put_result
put(struct store *store, const struct pki_crl_spec *spec,
    const struct pki_cert *by, const struct pki_cert *revoked)
{
	const ASN1_INTEGER	*serials[] = { serial_of(revoked) };
	struct put_result	 result = { 0 };
	struct put_crl		 put = { .source = "test" };
	struct crl		 crl;
	size_t			 len;
	uint8_t			*der = pki_crl(spec, by, serials, 1, &len);

	if (!crl_read(der, len, &crl, &err)) {
		result.verdict = PUT_REFUSED;
		result.reason = strdup(err.reason);
	} else {
		REQUIRE_OK(store_begin_write(store, &err), err);
		REQUIRE_OK(revoke_put(store, &crl, &put, PKI_NOW, &result,
		    &err), err);
		REQUIRE_OK(store_commit(store, &err), err);
		crl_free(&crl);
	}
	OPENSSL_free(der);
	return result;
}

static void
expect_put(struct store *store, const struct pki_crl_spec *spec,
    const struct pki_cert *by, const struct pki_cert *revoked,
    enum put_verdict verdict, const char *reason)
{
	struct put_result	 result = put(store, spec, by, revoked);

	CHECK_INT(result.verdict, verdict);
	if (reason == NULL || result.reason == NULL ||
	    strstr(result.reason, reason) == NULL)
		CHECK_STR(result.reason, reason);
	free(result.reason);
}

static struct trust_verdict
judge(struct store *store, const struct pki_cert *cert, enum cert_state state)
{
	struct cert_record	 record = scratch_record(cert, state);
	struct trust		*trust = trust_new(store);
	struct trust_verdict	 verdict;

	REQUIRE_OK(store_begin_read(store, &err), err);
	REQUIRE_OK(trust_judge(trust, &record, PKI_NOW, &verdict, &err), err);
	store_end_read(store);
	trust_free(trust);
	record_free_cert(&record);
	return verdict;
}

/* A list alone, signed by the CA that issued the leaf: is it taken? */
static const struct {
	const char		*what;
	struct pki_crl_spec	 spec;
	const struct pki_cert	*by;
	enum put_verdict	 verdict;
	const char		*reason;
} lists[] = {
	{ "a list", { .reason = -1 }, &sub, PUT_ADDED, NULL },
	{ "one that is stale", { .from = -60, .until = -1 }, &sub, PUT_ADDED,
	    NULL },
	{ "one for users' certificates only", { .nid =
	    NID_issuing_distribution_point, .value = "critical,onlyuser:TRUE" },
	    &sub, PUT_ADDED, NULL },
	{ "one from tomorrow", { .from = 1 }, &sub, PUT_REFUSED,
	    "not valid before 2026-06-02" },
	{ "one of another CA by the same name", { 0 }, &impostor,
	    PUT_REFUSED, "not signed by the CA whose name it bears, CN=Sub" },
	{ "one of a CA that is not here", { 0 }, &leaf, PUT_REFUSED,
	    "import the certificate of CN=A first" },
	{ "one of a CA that may not sign lists", { 0 }, &no_crl_sign,
	    PUT_REFUSED, "must not sign revocation lists" },
	{ "a delta", { .nid = NID_delta_crl, .value = "critical,DER:020101" }, &sub,
	    PUT_REFUSED, "a delta CRL" },
	{ "an indirect one", { .nid = NID_issuing_distribution_point,
	    .value = "critical,indirectCRL:TRUE" }, &sub, PUT_REFUSED,
	    "an indirect CRL" },
	{ "one for attribute certificates", { .nid =
	    NID_issuing_distribution_point, .value = "critical,onlyAA:TRUE" },
	    &sub, PUT_REFUSED, "attribute certificates" },
	{ "one with an extension that nobody knows", { .extra = "1.2.3.4" },
	    &sub, PUT_REFUSED, "critical extension" },
};

static void
test_lists(void)
{
	struct store	*store = scratch_store("lists");

	scratch_put(store, &root, CERT_ANCHOR);
	scratch_put(store, &sub, CERT_CHAIN);
	scratch_put(store, &no_crl_sign, CERT_CHAIN);
	for (size_t i = 0; i < TEST_LEN(lists); i++) {
		struct cert_record	 ca = scratch_record(&sub, CERT_CHAIN);
		size_t			 n;

		test_row(lists[i].what);
		expect_put(store, &lists[i].spec, lists[i].by, &leaf,
		    lists[i].verdict, lists[i].reason);
		CHECK_INT(judge(store, &leaf, CERT_CHAIN).is_revoked,
		    lists[i].verdict == PUT_ADDED);
		REQUIRE_OK(store_begin_write(store, &err), err);
		REQUIRE_OK(revoke_remove(store, &ca.facts, &n, &err), err);
		REQUIRE_OK(store_commit(store, &err), err);
		CHECK_INT(n, lists[i].verdict == PUT_ADDED);
		record_free_cert(&ca);
	}
	test_row(NULL);
	store_close(store);
}

/* One list after the other from the same CA; who is revoked after each. */
static const struct {
	const char		*what;
	struct pki_crl_spec	 spec;
	const struct pki_cert	*revokes;
	enum put_verdict	 verdict;
	const char		*reason;
	bool			 is_leaf_revoked;
} sequence[] = {
	{ "the first", { .number = 5 }, &leaf, PUT_ADDED, NULL, true },
	{ "the same again", { .number = 5 }, &leaf, PUT_KNOWN, NULL, true },
	{ "an older one", { .number = 4 }, &sub, PUT_REFUSED,
	    "a newer list of this CA is here, of 2026-05-31", true },
	{ "an older one with a larger number, which counts",
	    { .number = 256, .from = -3 }, &sub, PUT_ADDED, NULL, false },
	{ "one without a number, so the date counts", { .from = -4 }, &leaf,
	    PUT_REFUSED, "newer", false },
	{ "another scope stands beside it", { .number = 1, .nid =
	    NID_issuing_distribution_point, .value = "onlyuser:TRUE" }, &leaf,
	    PUT_ADDED, NULL, true },
	{ "a newer one of the first scope leaves it alone", { .number = 300 },
	    &sub, PUT_ADDED, NULL, true },
};

static void
test_sequence(void)
{
	struct store	*store = scratch_store("sequence");

	scratch_put(store, &root, CERT_ANCHOR);
	scratch_put(store, &sub, CERT_CHAIN);
	for (size_t i = 0; i < TEST_LEN(sequence); i++) {
		test_row(sequence[i].what);
		expect_put(store, &sequence[i].spec, &sub,
		    sequence[i].revokes, sequence[i].verdict,
		    sequence[i].reason);
		CHECK_INT(judge(store, &leaf, CERT_CHAIN).is_revoked,
		    sequence[i].is_leaf_revoked);
	}
	test_row(NULL);
	store_close(store);
}

/* Who revokes whom, and what becomes of the leaf. */
static const struct {
	const char		*what;
	const struct pki_cert	*by;
	const struct pki_cert	*revoked;
	int			 reason;
	enum cert_state		 sub_state;
	enum cert_state		 leaf_state;
	bool			 is_trusted;
	const char		*text;
} verdicts[] = {
	{ "the leaf, by its issuer", &sub, &leaf, 1, CERT_CHAIN, CERT_CHAIN,
	    false, "revoked 2026-05-31 (key compromise)" },
	{ "the leaf, and no reason is given", &sub, &leaf, -1, CERT_CHAIN,
	    CERT_CHAIN, false, "revoked 2026-05-31" },
	{ "the leaf, which is on hold", &sub, &leaf, 6, CERT_CHAIN,
	    CERT_CHAIN, false, "revoked 2026-05-31 (on hold)" },
	{ "the leaf, although it is trusted itself", &sub, &leaf, 4,
	    CERT_CHAIN, CERT_TRUSTED, false,
	    "revoked 2026-05-31 (superseded)" },
	{ "the leaf's number, by a CA that did not issue it", &root, &leaf, 1,
	    CERT_CHAIN, CERT_CHAIN, true, "CN=Root" },
	{ "its issuer, by the root", &root, &sub, 2, CERT_CHAIN, CERT_CHAIN,
	    false, "issued by a revoked CA: CN=Sub" },
	{ "its issuer, though that is an anchor", &root, &sub, 2, CERT_ANCHOR,
	    CERT_CHAIN, false, "issued by a revoked CA: CN=Sub" },
	{ "its issuer, and it is trusted itself", &root, &sub, 2, CERT_CHAIN,
	    CERT_TRUSTED, false, "issued by a revoked CA: CN=Sub" },
	{ "somebody else", &sub, &root, 1, CERT_CHAIN, CERT_CHAIN, true,
	    "CN=Root" },
};

static void
test_verdicts(void)
{
	for (size_t i = 0; i < TEST_LEN(verdicts); i++) {
		struct pki_crl_spec	 spec = { .reason = verdicts[i].reason };
		struct trust_verdict	 verdict;
		struct store		*store;
		char			 name[32];

		test_row(verdicts[i].what);
		snprintf(name, sizeof(name), "verdict%zu", i);
		store = scratch_store(name);
		scratch_put(store, &root, CERT_ANCHOR);
		scratch_put(store, &sub, verdicts[i].sub_state);
		expect_put(store, &spec, verdicts[i].by, verdicts[i].revoked,
		    PUT_ADDED, NULL);
		verdict = judge(store, &leaf, verdicts[i].leaf_state);
		CHECK_INT(verdict.is_trusted, verdicts[i].is_trusted);
		CHECK_STR(verdict.text, verdicts[i].text);
		store_close(store);
	}
	test_row(NULL);
}

/* Several pages of numbers: each is found, its neighbours are not. */
static void
test_many(void)
{
	enum { N = 1000 };
	struct store		*store = scratch_store("many");
	struct cert_record	 ca = scratch_record(&sub, CERT_CHAIN);
	ASN1_INTEGER		*serials[N];
	struct pki_crl_spec	 spec = { 0 };
	struct put_crl		 put = { .source = "test" };
	struct put_result	 result;
	struct crl_revoked	 hit;
	struct crl		 crl;
	struct crl_entry	*entries;
	size_t			 len, n;
	uint8_t			*der;
	unsigned int		 n_wrong = 0;
	bool			 found;

	scratch_put(store, &root, CERT_ANCHOR);
	scratch_put(store, &sub, CERT_CHAIN);
	for (long i = 0; i < N; i++) {
		/* Every third number, from negative ones on, out of order. */
		serials[i] = ASN1_INTEGER_new();
		ASN1_INTEGER_set(serials[i], (i * 7 % N - 100) * 3);
	}
	der = pki_crl(&spec, &sub, (const ASN1_INTEGER *const *)serials, N,
	    &len);
	REQUIRE_OK(crl_read(der, len, &crl, &err), err);
	REQUIRE_OK(store_begin_write(store, &err), err);
	REQUIRE_OK(revoke_put(store, &crl, &put, PKI_NOW, &result, &err), err);
	REQUIRE_OK(store_commit(store, &err), err);
	crl_free(&crl);

	REQUIRE_OK(store_begin_read(store, &err), err);
	for (long i = -310; i < 3 * N - 290; i++) {
		ASN1_INTEGER_set(serials[0], i);
		REQUIRE_OK(revoke_find(store, &ca.facts, serials[0], &hit,
		    &found, &err), err);
		if (found != (i % 3 == 0 && i >= -300 && i < 3 * N - 300))
			n_wrong++;
	}
	CHECK_INT(n_wrong, 0);
	REQUIRE_OK(revoke_lists(store, &ca.facts, &entries, &n, &err), err);
	CHECK_INT(n, 1);
	CHECK_INT(entries[0].n_revoked, N);
	free(entries);
	store_end_read(store);
	for (size_t i = 0; i < N; i++)
		ASN1_INTEGER_free(serials[i]);
	OPENSSL_free(der);
	record_free_cert(&ca);
	store_close(store);
}

/* Lists go with the last certificate of their CA, not before. */
static void
test_orphans(void)
{
	struct store		*store = scratch_store("orphans");
	struct pki_spec		 spec = { .cn = "Sub", .is_ca = true };
	struct pki_crl_spec	 crl = { 0 };
	struct pki_cert		 renewed = pki_issue(&spec, sub_key, &root);
	const struct pki_cert	*certs[] = { &sub, &renewed };

	scratch_put(store, &sub, CERT_CHAIN);
	scratch_put(store, &renewed, CERT_CHAIN);
	expect_put(store, &crl, &sub, &leaf, PUT_ADDED, NULL);
	for (size_t i = 0; i < 2; i++) {
		struct cert_record	 ca = scratch_record(certs[i],
					    CERT_CHAIN);
		struct crl_entry	*entries;
		size_t			 n;

		REQUIRE_OK(store_begin_write(store, &err), err);
		REQUIRE_OK(cert_index_remove(store, &ca, &err), err);
		REQUIRE_OK(revoke_remove_orphans(store, &ca.facts, &err), err);
		REQUIRE_OK(revoke_lists(store, &ca.facts, &entries, &n, &err),
		    err);
		REQUIRE_OK(store_commit(store, &err), err);
		CHECK_INT(n, i == 0);
		free(entries);
		record_free_cert(&ca);
	}
	pki_free(&renewed);
	store_close(store);
}

int
main(void)
{
	struct pki_spec	 root_spec = { .cn = "Root", .is_ca = true };
	struct pki_spec	 sub_spec = { .cn = "Sub", .is_ca = true,
			    .ku = "keyCertSign,cRLSign" };
	struct pki_spec	 silent_spec = { .cn = "Silent", .is_ca = true,
			    .ku = "keyCertSign" };
	struct pki_spec	 leaf_spec = { .cn = "A",
			    .alt = "email:a@example.org" };

	root_key = pki_key("P-256");
	/* The same signature each time, unlike ECDSA. */
	sub_key = pki_key("RSA2048");
	other_key = pki_key("P-256");
	leaf_key = pki_key("P-256");
	root = pki_issue(&root_spec, root_key, NULL);
	sub = pki_issue(&sub_spec, sub_key, &root);
	impostor = pki_issue(&sub_spec, other_key, &root);
	no_crl_sign = pki_issue(&silent_spec, other_key, &root);
	leaf = pki_issue(&leaf_spec, leaf_key, &sub);
	test_lists();
	test_sequence();
	test_verdicts();
	test_many();
	test_orphans();
	pki_free(&root);
	pki_free(&sub);
	pki_free(&impostor);
	pki_free(&no_crl_sign);
	pki_free(&leaf);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(sub_key);
	EVP_PKEY_free(other_key);
	EVP_PKEY_free(leaf_key);
	return test_done("revoke");
}
