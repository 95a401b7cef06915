/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/cert_key.h"
#include "tests/lib/pki.h"
#include "tests/lib/test.h"

#define KU_BOTH		"critical,digitalSignature,keyEncipherment"
#define MAIL		"emailProtection"
#define A		"email:a@example.org"

static struct err err;

/* The table of the gate: what is asked of each, and what it answers. */
static const struct {
	const char	*what;
	const char	*key;
	struct pki_spec	 spec;
	const char	*addr;
	const char	*sign;		/* reason against; NULL: usable */
	const char	*encrypt;
} gate[] = {
	{ "an RSA certificate for both", "RSA2048",
	    { .alt = A, .ku = KU_BOTH, .eku = MAIL }, "a@example.org",
	    NULL, NULL },
	{ "an EC certificate for both", "P-256",
	    { .alt = A, .ku = "digitalSignature,keyAgreement", .eku = MAIL },
	    "a@example.org", NULL, NULL },
	{ "EC with keyEncipherment, which EC keys cannot", "P-256",
	    { .alt = A, .ku = KU_BOTH, .eku = MAIL }, "a@example.org",
	    NULL, "is not for encryption by its key usage" },
	{ "RSA with keyAgreement, which RSA keys cannot", "RSA2048",
	    { .alt = A, .ku = "digitalSignature,keyAgreement" },
	    "a@example.org", NULL, "is not for encryption by its key usage" },
	{ "for signing only", "RSA2048",
	    { .alt = A, .ku = "digitalSignature", .eku = MAIL },
	    "a@example.org", NULL, "is not for encryption by its key usage" },
	{ "nonRepudiation signs mail", "RSA2048",
	    { .alt = A, .ku = "nonRepudiation", .eku = MAIL },
	    "a@example.org", NULL, "is not for encryption by its key usage" },
	{ "for encryption only", "RSA2048",
	    { .alt = A, .ku = "keyEncipherment", .eku = MAIL },
	    "a@example.org", "is not for signing by its key usage", NULL },
	{ "without key usage: all", "RSA2048", { .alt = A, .eku = MAIL },
	    "a@example.org", NULL, NULL },
	{ "without extended key usage: all", "RSA2048",
	    { .alt = A, .ku = KU_BOTH }, "a@example.org", NULL, NULL },
	{ "for any extended use", "RSA2048",
	    { .alt = A, .eku = "anyExtendedKeyUsage" }, "a@example.org",
	    NULL, NULL },
	{ "for a web server", "RSA2048", { .alt = A, .eku = "serverAuth" },
	    "a@example.org", "extended key usage lacks emailProtection",
	    "extended key usage lacks emailProtection" },
	{ "key usage of a CA's CRL signer", "RSA2048",
	    { .alt = A, .ku = "cRLSign" }, "a@example.org",
	    "neither signing nor encryption",
	    "neither signing nor encryption" },
	{ "expired", "P-256", { .alt = A, .from = -400, .until = -92 },
	    "a@example.org", "expired 2026-03-01", "expired 2026-03-01" },
	{ "not yet valid", "P-256", { .alt = A, .from = 30 },
	    "a@example.org", "not valid before 2026-07-01",
	    "not valid before 2026-07-01" },
	{ "for somebody else", "P-256", { .alt = A }, "b@example.org",
	    "is not for b@example.org", "is not for b@example.org" },
	{ "for two addresses, asked for the second", "P-256",
	    { .alt = "email:b@example.org,email:a@example.org" },
	    "a@example.org", NULL, NULL },
	{ "capital letters in the certificate", "P-256",
	    { .alt = "email:A.Body@EXAMPLE.org" }, "a.body@example.org",
	    NULL, NULL },
	/* Latin-1 is what X509V3_EXT_conf() makes UTF-8 of. */
	{ "a SmtpUTF8Mailbox", "P-256",
	    { .alt = "otherName:1.3.6.1.5.5.7.8.9;UTF8:j\366rg@example.org" },
	    "j\303\266rg@example.org", NULL, NULL },
	{ "an address in the subject, no subjectAltName", "P-256",
	    { .subject_email = "a@example.org" }, "a@example.org", NULL, NULL },
	{ "an address in the subject beside one in subjectAltName", "P-256",
	    { .subject_email = "a@example.org", .alt = "email:b@example.org" },
	    "a@example.org", "is not for a@example.org",
	    "is not for a@example.org" },
	{ "an address in the subject beside a DNS name", "P-256",
	    { .subject_email = "a@example.org", .alt = "DNS:example.org" },
	    "a@example.org", NULL, NULL },
	{ "no address at all", "P-256", { .alt = "DNS:example.org" }, NULL,
	    "names no mail address", "names no mail address" },
	{ "a small RSA key", "RSA1024", { .alt = A }, "a@example.org",
	    "weak key (RSA 1024)", "weak key (RSA 1024)" },
	{ "an Ed25519 key", "ED25519", { .alt = A }, "a@example.org",
	    "has a key (Ed25519) that cannot be used",
	    "has a key (Ed25519) that cannot be used" },
	{ "a key for RSASSA-PSS alone", "RSA-PSS", { .alt = A, .ku = KU_BOTH },
	    "a@example.org", NULL, "has a key (RSA-PSS) that can sign only" },
	{ "an EC key on a rare curve", "P-192", { .alt = A }, "a@example.org",
	    "has a key (EC prime192v1) that cannot be used",
	    "has a key (EC prime192v1) that cannot be used" },
	{ "P-521", "P-521", { .alt = A }, "a@example.org", NULL, NULL },
	{ "a critical extension that nobody knows", "P-256",
	    { .alt = A, .extra = "1.2.3.4.5" }, "a@example.org",
	    "critical and unknown", "critical and unknown" },
	{ "self-signed with SHA-1, which says nothing", "RSA2048",
	    { .alt = A, .md = "SHA1" }, "a@example.org", NULL, NULL },
	{ "self-signed, CA:TRUE, with an address: a leaf", "P-256",
	    { .alt = A, .is_ca = true }, "a@example.org", NULL, NULL },
	{ "self-signed, CA:TRUE, without one: a CA", "P-256",
	    { .is_ca = true }, NULL, "belongs to a CA", "belongs to a CA" },
};

static void
check_reason(const struct cert_facts *facts, enum cert_use use,
    const char *addr, const char *want)
{
	bool	 is_usable;

	err_clear(&err);
	is_usable = cert_usable(facts, use, addr, PKI_NOW, &err);
	CHECK_INT(is_usable, want == NULL);
	if (want == NULL)
		return;
	CHECK_INT(err.kind, ERR_DATA);
	if (strstr(err.reason, want) == NULL)
		CHECK_STR(err.reason, want);
}

static void
test_gate(void)
{
	for (size_t i = 0; i < TEST_LEN(gate); i++) {
		struct pki_spec		 spec = gate[i].spec;
		EVP_PKEY		*key = pki_key(gate[i].key);
		struct pki_cert		 cert;
		struct cert_facts	 facts;

		test_row(gate[i].what);
		spec.cn = "A";
		cert = pki_issue(&spec, key, NULL);
		REQUIRE_OK(cert_read(cert.der, cert.der_len, &facts, &err),
		    err);
		check_reason(&facts, CERT_USE_SIGN, gate[i].addr, gate[i].sign);
		check_reason(&facts, CERT_USE_ENCRYPT, gate[i].addr,
		    gate[i].encrypt);
		cert_facts_free(&facts);
		pki_free(&cert);
		EVP_PKEY_free(key);
	}
	test_row(NULL);
}

/* The last second of notAfter is valid still (RFC 5280, section 4.1.2.5). */
static void
test_last_second(void)
{
	EVP_PKEY		*key = pki_key("P-256");
	struct pki_spec		 spec = { .cn = "A", .alt = A };
	struct pki_cert		 cert = pki_issue(&spec, key, NULL);
	struct cert_facts	 f;

	REQUIRE_OK(cert_read(cert.der, cert.der_len, &f, &err), err);
	CHECK_INT(f.not_before, PKI_NOW - 30 * PKI_DAY);
	CHECK_INT(f.not_after, PKI_NOW + 365 * PKI_DAY);
	CHECK(cert_usable(&f, CERT_USE_SIGN, NULL, f.not_before, &err));
	CHECK(!cert_usable(&f, CERT_USE_SIGN, NULL, f.not_before - 1, &err));
	CHECK(cert_usable(&f, CERT_USE_SIGN, NULL, f.not_after, &err));
	CHECK(!cert_usable(&f, CERT_USE_SIGN, NULL, f.not_after + 1, &err));
	cert_facts_free(&f);
	pki_free(&cert);
	EVP_PKEY_free(key);
}

static void
test_issued_by_another(void)
{
	EVP_PKEY		*key = pki_key("P-256");
	struct pki_spec		 ca_spec = { .cn = "CA", .is_ca = true };
	struct pki_spec		 spec = { .cn = "A", .alt = A, .md = "SHA1" };
	struct pki_cert		 ca = pki_issue(&ca_spec, key, NULL), cert;
	struct cert_facts	 facts, ca_facts;

	cert = pki_issue(&spec, key, &ca);
	REQUIRE_OK(cert_read(cert.der, cert.der_len, &facts, &err), err);
	REQUIRE_OK(cert_read(ca.der, ca.der_len, &ca_facts, &err), err);
	check_reason(&facts, CERT_USE_SIGN, NULL, "weak digest");
	CHECK(!facts.is_self_signed);
	CHECK(ca_facts.is_self_signed && ca_facts.is_ca);
	CHECK_INT(facts.issuer_hash, ca_facts.subject_hash);
	CHECK_MEM(facts.spki, 32, ca_facts.spki, 32);
	CHECK_MEM(facts.aki.bytes, facts.aki.len, ca_facts.ski.bytes,
	    ca_facts.ski.len);
	CHECK_STR(facts.subject, "CN=A");
	CHECK_STR(facts.issuer_name, "CN=CA");
	cert_facts_free(&facts);
	cert_facts_free(&ca_facts);
	pki_free(&cert);
	pki_free(&ca);
	EVP_PKEY_free(key);
}

/* Readable as RFC 4514 has it, and escaped once. */
static void
test_name(void)
{
	EVP_PKEY		*key = pki_key("P-256");
	struct pki_spec		 spec = { .cn = "M\xc3\xbcller, \"Inc.\"\n"
				    "\xe2\x80\xae", .alt = A };
	struct pki_cert		 cert = pki_issue(&spec, key, NULL);
	struct cert_facts	 facts;

	test_row("a comma, quotes, a line end and a mark in a name");
	REQUIRE_OK(cert_read(cert.der, cert.der_len, &facts, &err), err);
	CHECK_STR(facts.subject, "CN=M\xc3\xbcller\\, \\\"Inc.\\\"\\0A"
	    "\\E2\\80\\AE");
	cert_facts_free(&facts);
	pki_free(&cert);
	EVP_PKEY_free(key);
}

/* a@example.org, NUL, .evil.org must be neither of the two. */
static void
test_embedded_nul(void)
{
	EVP_PKEY		*key = pki_key("P-256");
	struct pki_spec		 spec = { .cn = "A",
				    .alt = "email:a@example.orgX.evil.org" };
	struct pki_cert		 cert = pki_issue(&spec, key, NULL);
	uint8_t			*x = memmem(cert.der, cert.der_len,
				    "orgX.evil", 9);
	struct cert_facts	 facts;

	REQUIRE(x != NULL);
	x[3] = '\0';
	REQUIRE_OK(cert_read(cert.der, cert.der_len, &facts, &err), err);
	CHECK_INT(facts.n_addresses, 0);
	CHECK(facts.faults & CERT_FAULT_ADDRESS);
	check_reason(&facts, CERT_USE_ENCRYPT, "a@example.org",
	    "control character");
	cert_facts_free(&facts);
	pki_free(&cert);
	EVP_PKEY_free(key);
}

static void
test_no_certificate(void)
{
	EVP_PKEY		*key = pki_key("P-256");
	struct pki_spec		 spec = { .cn = "A", .alt = A };
	struct pki_cert		 cert = pki_issue(&spec, key, NULL);
	uint8_t			*more = malloc(CERT_DER_MAX + 1);
	struct cert_facts	 facts;

	memset(more, 0, CERT_DER_MAX + 1);
	memcpy(more, cert.der, cert.der_len);
	CHECK(!cert_read(more, cert.der_len + 1, &facts, &err));
	CHECK_STR(err.reason, "certificate is not plain DER");
	CHECK(!cert_read(more, CERT_DER_MAX + 1, &facts, &err));
	CHECK_STR(err.reason, "certificate of 65537 bytes, at most 65536 are "
	    "taken");
	for (size_t len = 0; len < cert.der_len; len += 7) {
		CHECK(!cert_read(more, len, &facts, &err));
		CHECK_INT(err.kind, ERR_DATA);
	}
	free(more);
	pki_free(&cert);
	EVP_PKEY_free(key);
}

static void
test_issues(void)
{
	EVP_PKEY		*key = pki_key("RSA1024");
	struct pki_spec		 spec = { .cn = "A", .alt = A, .from = -400,
				    .until = -1, .eku = "serverAuth" };
	struct pki_cert		 cert = pki_issue(&spec, key, NULL);
	const char		*issues[CERT_ISSUES_MAX];
	struct cert_facts	 facts;
	char			 name[32];

	REQUIRE_OK(cert_read(cert.der, cert.der_len, &facts, &err), err);
	REQUIRE(cert_issues(&facts, PKI_NOW, issues) == 3);
	CHECK_STR(issues[0], "expired");
	CHECK_STR(issues[1], "weak key");
	CHECK_STR(issues[2], "extended key usage lacks emailProtection");
	REQUIRE(cert_issues(&facts, PKI_NOW - 10 * PKI_DAY, issues) == 3);
	CHECK_STR(issues[2], "expires within 30 days");
	cert_key_name(&facts, name);
	CHECK_STR(name, "RSA 1024");
	cert_facts_free(&facts);
	pki_free(&cert);
	EVP_PKEY_free(key);
}

/* OpenSSL is the judge of the keys that it was not asked about. */
static void
test_keys(void)
{
	static const struct {
		const char	*kind;
		const char	*name;
		uint32_t	 faults;
	} keys[] = {
		{ "RSA2048", "RSA 2048", 0 },
		{ "RSA2044", "RSA 2044", CERT_FAULT_WEAK_KEY },
		{ "RSA-PSS", "RSA-PSS 2048", 0 },
		{ "P-256", "EC P-256", 0 },
		{ "P-384", "EC P-384", 0 },
		{ "P-521", "EC P-521", 0 },
		{ "P-224", "EC secp224r1", CERT_FAULT_KEY_KIND },
		{ "ED25519", "Ed25519", CERT_FAULT_KEY_KIND },
	};
	struct pki_spec	 ca_spec = { .cn = "CA", .is_ca = true };
	struct pki_spec	 spec = { .cn = "A", .alt = A };
	EVP_PKEY	*ca_key = pki_key("P-256");
	struct pki_cert	 ca = pki_issue(&ca_spec, ca_key, NULL);

	for (size_t i = 0; i < TEST_LEN(keys); i++) {
		EVP_PKEY		*key = pki_key(keys[i].kind);
		struct pki_cert		 cert = pki_issue(&spec, key, &ca);
		struct cert_facts	 facts;
		char			 name[32];

		test_row(keys[i].kind);
		REQUIRE_OK(cert_read(cert.der, cert.der_len, &facts, &err),
		    err);
		cert_key_name(&facts, name);
		CHECK_STR(name, keys[i].name);
		CHECK_INT(facts.key_bits, EVP_PKEY_get_bits(key));
		CHECK_INT(facts.faults & (CERT_FAULT_KEY_KIND |
		    CERT_FAULT_WEAK_KEY), keys[i].faults);
		cert_facts_free(&facts);
		pki_free(&cert);
		EVP_PKEY_free(key);
	}
	test_row(NULL);
	pki_free(&ca);
	EVP_PKEY_free(ca_key);
}

/* What nobody could encrypt to must not come in as a good key. */
static void
test_broken_keys(void)
{
	static const char *const	 kinds[] = { "P-256", "RSA2048" };
	struct pki_spec	 ca_spec = { .cn = "CA", .is_ca = true };
	struct pki_spec	 spec = { .cn = "A", .alt = A };
	EVP_PKEY	*ca_key = pki_key("P-256");
	struct pki_cert	 ca = pki_issue(&ca_spec, ca_key, NULL);

	for (size_t i = 0; i < TEST_LEN(kinds); i++) {
		EVP_PKEY		*key = pki_key(kinds[i]);
		struct pki_cert		 cert = pki_issue(&spec, key, &ca);
		const X509_PUBKEY	*pub = X509_get_X509_PUBKEY(cert.x509);
		const unsigned char	*p;
		int			 len;
		uint8_t			*at;
		struct cert_facts	 facts;

		test_row(kinds[i]);
		X509_PUBKEY_get0_param(NULL, &p, &len, NULL, pub);
		at = memmem(cert.der, cert.der_len, p, (size_t)len);
		REQUIRE(at != NULL);
		/* Off its curve; no SEQUENCE. */
		at[i == 0 ? len - 1 : 0] ^= 1;
		REQUIRE_OK(cert_read(cert.der, cert.der_len, &facts, &err),
		    err);
		CHECK(facts.faults & CERT_FAULT_KEY_KIND);
		CHECK(!cert_is_fit(&facts, &err));
		cert_facts_free(&facts);
		pki_free(&cert);
		EVP_PKEY_free(key);
	}
	test_row(NULL);
	pki_free(&ca);
	EVP_PKEY_free(ca_key);
}

int
main(void)
{
	test_keys();
	test_broken_keys();
	test_gate();
	test_last_second();
	test_issued_by_another();
	test_name();
	test_embedded_nul();
	test_no_certificate();
	test_issues();
	return test_done("cert");
}
