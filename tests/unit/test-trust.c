/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/trust.h"
#include "tests/lib/scratch_store.h"

static struct err err;
static EVP_PKEY	*root_key, *sub_key, *leaf_key;

static struct trust_verdict
judge(struct store *store, struct trust *trust, const struct pki_cert *cert,
    enum cert_state state, int64_t now)
{
	struct cert_record	 record = scratch_record(cert, state);
	struct trust_verdict	 verdict;

	REQUIRE_OK(store_begin_read(store, &err), err);
	REQUIRE_OK(trust_judge(trust, &record, now, &verdict, &err), err);
	store_end_read(store);
	record_free_cert(&record);
	return verdict;
}

/*
 * Root, an intermediate, a leaf; what is special about them; how the two CAs
 * stand in the store; and who is trusted by whom, or why not.
 */
static const struct {
	const char	*what;
	struct pki_spec	 root;
	struct pki_spec	 sub;
	enum cert_state	 root_state;
	enum cert_state	 sub_state;
	enum cert_state	 leaf_state;
	bool		 is_trusted;
	const char	*text;
} rows[] = {
	{ "a root that is an anchor", { 0 }, { 0 },
	    CERT_ANCHOR, CERT_CHAIN, CERT_CHAIN, true, "CN=Root" },
	{ "an intermediate that is an anchor", { 0 }, { 0 },
	    CERT_CHAIN, CERT_ANCHOR, CERT_CHAIN, true, "CN=Sub" },
	{ "no anchor", { 0 }, { 0 },
	    CERT_CHAIN, CERT_CHAIN, CERT_CHAIN, false,
	    "no trusted CA: CN=Root" },
	{ "no anchor, but trusted itself", { 0 }, { 0 },
	    CERT_CHAIN, CERT_CHAIN, CERT_TRUSTED, true, "itself" },
	{ "an anchor above, and distrusted itself", { 0 }, { 0 },
	    CERT_ANCHOR, CERT_CHAIN, CERT_DISTRUSTED, false, "distrusted" },
	{ "a distrusted intermediate below an anchor", { 0 }, { 0 },
	    CERT_ANCHOR, CERT_DISTRUSTED, CERT_CHAIN, false,
	    "issued by a distrusted CA: CN=Sub" },
	{ "a distrusted root above a trusted leaf", { 0 }, { 0 },
	    CERT_DISTRUSTED, CERT_CHAIN, CERT_TRUSTED, false,
	    "issued by a distrusted CA: CN=Root" },
	{ "an intermediate that has expired", { 0 },
	    { .from = -900, .until = -1 },
	    CERT_ANCHOR, CERT_CHAIN, CERT_CHAIN, false,
	    "certificate has expired: CN=Sub" },
	{ "an anchor that has expired", { .from = -900, .until = -1 }, { 0 },
	    CERT_ANCHOR, CERT_CHAIN, CERT_CHAIN, false,
	    "certificate has expired: CN=Root" },
	{ "an intermediate that is signed with SHA-1", { 0 },
	    { .md = "SHA1" }, CERT_ANCHOR, CERT_CHAIN, CERT_CHAIN, false,
	    "CA signature digest algorithm too weak: CN=Sub" },
	{ "an intermediate that may not sign certificates", { 0 },
	    { .ku = "digitalSignature" },
	    CERT_ANCHOR, CERT_CHAIN, CERT_CHAIN, false,
	    "issuer missing: CN=Sub" },
	{ "an intermediate for web servers only", { 0 },
	    { .eku = "serverAuth" }, CERT_ANCHOR, CERT_CHAIN, CERT_CHAIN,
	    false, "a CA above it is not for mail" },
};

static void
test_verdicts(void)
{
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		struct pki_spec		 root_spec = rows[i].root;
		struct pki_spec		 sub_spec = rows[i].sub;
		struct pki_spec		 leaf_spec = { .cn = "A",
					    .alt = "email:a@example.org" };
		struct pki_cert		 root, sub, leaf;
		struct trust_verdict	 verdict;
		struct trust		*trust;
		struct store		*store;
		char			 name[32];

		test_row(rows[i].what);
		root_spec.cn = "Root";
		root_spec.is_ca = true;
		sub_spec.cn = "Sub";
		sub_spec.is_ca = true;
		root = pki_issue(&root_spec, root_key, NULL);
		sub = pki_issue(&sub_spec, sub_key, &root);
		leaf = pki_issue(&leaf_spec, leaf_key, &sub);
		snprintf(name, sizeof(name), "verdict%zu", i);
		store = scratch_store(name);
		trust = trust_new(store);
		scratch_put(store, &root, rows[i].root_state);
		scratch_put(store, &sub, rows[i].sub_state);
		verdict = judge(store, trust, &leaf, rows[i].leaf_state,
		    PKI_NOW);
		CHECK_INT(verdict.is_trusted, rows[i].is_trusted);
		CHECK_STR(verdict.text, rows[i].text);
		trust_free(trust);
		store_close(store);
		pki_free(&root);
		pki_free(&sub);
		pki_free(&leaf);
	}
	test_row(NULL);
}

/* Distrust is of a name and key, not of the one certificate. */
static void
test_renewed_distrusted_ca(void)
{
	struct store	*store = scratch_store("renewed");
	struct trust	*trust = trust_new(store);
	struct pki_spec	 root_spec = { .cn = "Root", .is_ca = true };
	struct pki_spec	 sub_spec = { .cn = "Sub", .is_ca = true };
	struct pki_spec	 leaf_spec = { .cn = "A",
			    .alt = "email:a@example.org" };
	struct pki_cert	 root = pki_issue(&root_spec, root_key, NULL);
	struct pki_cert	 old = pki_issue(&sub_spec, sub_key, &root);
	struct pki_cert	 renewed = pki_issue(&sub_spec, sub_key, &root);
	struct pki_cert	 leaf = pki_issue(&leaf_spec, leaf_key, &renewed);

	scratch_put(store, &root, CERT_ANCHOR);
	scratch_put(store, &renewed, CERT_CHAIN);
	CHECK(judge(store, trust, &leaf, CERT_CHAIN, PKI_NOW).is_trusted);
	scratch_put(store, &old, CERT_DISTRUSTED);
	CHECK(!judge(store, trust, &leaf, CERT_CHAIN, PKI_NOW).is_trusted);
	trust_free(trust);
	store_close(store);
	pki_free(&root);
	pki_free(&old);
	pki_free(&renewed);
	pki_free(&leaf);
}

/* Another CA by the same name does not help an issuer's impostor. */
static void
test_impostor(void)
{
	struct store	*store = scratch_store("impostor");
	struct trust	*trust = trust_new(store);
	struct pki_spec	 ca_spec = { .cn = "Root", .is_ca = true };
	struct pki_spec	 leaf_spec = { .cn = "A",
			    .alt = "email:a@example.org" };
	struct pki_cert	 root = pki_issue(&ca_spec, root_key, NULL);
	struct pki_cert	 fake = pki_issue(&ca_spec, sub_key, NULL);
	struct pki_cert	 leaf = pki_issue(&leaf_spec, leaf_key, &fake);

	scratch_put(store, &root, CERT_ANCHOR);
	CHECK_STR(judge(store, trust, &leaf, CERT_CHAIN, PKI_NOW).text,
	    "issuer missing: CN=Root");
	scratch_put(store, &fake, CERT_CHAIN);
	CHECK_STR(judge(store, trust, &leaf, CERT_CHAIN, PKI_NOW).text,
	    "no trusted CA: CN=Root");
	trust_free(trust);
	store_close(store);
	pki_free(&root);
	pki_free(&fake);
	pki_free(&leaf);
}

/* A verdict ends with the first certificate that it rests upon. */
static void
test_remembered(void)
{
	struct store	*store = scratch_store("remembered");
	struct trust	*trust = trust_new(store);
	struct pki_spec	 ca_spec = { .cn = "Root", .is_ca = true, .until = 1 };
	struct pki_spec	 leaf_spec = { .cn = "A",
			    .alt = "email:a@example.org" };
	struct pki_cert	 root = pki_issue(&ca_spec, root_key, NULL);
	struct pki_cert	 leaf = pki_issue(&leaf_spec, leaf_key, &root);
	int64_t		 end = PKI_NOW + PKI_DAY;

	CHECK(!judge(store, trust, &leaf, CERT_CHAIN, PKI_NOW).is_trusted);
	scratch_put(store, &root, CERT_ANCHOR);
	CHECK(judge(store, trust, &leaf, CERT_CHAIN, end - 60).is_trusted);
	CHECK(judge(store, trust, &leaf, CERT_CHAIN, end - 1).is_trusted);
	CHECK(!judge(store, trust, &leaf, CERT_CHAIN, end + 1).is_trusted);
	/* The clock went back. */
	CHECK(judge(store, trust, &leaf, CERT_CHAIN, end - 60).is_trusted);
	trust_free(trust);
	store_close(store);
	pki_free(&root);
	pki_free(&leaf);
}

int
main(void)
{
	root_key = pki_key("P-256");
	sub_key = pki_key("P-256");
	leaf_key = pki_key("P-256");
	test_verdicts();
	test_renewed_distrusted_ca();
	test_impostor();
	test_remembered();
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(sub_key);
	EVP_PKEY_free(leaf_key);
	return test_done("trust");
}
