/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "store/bundle.h"
#include "store/ber.h"
#include "store/pem.h"
#include "tests/lib/pki.h"
#include "tests/lib/test.h"

/*
 * One certificate for Alice with its key (EC), one for her CA, in every form
 * that people hand on.  What a bundle holds is told in one line:
 *
 *	certificate key*	a certificate, a key that keeps its passphrase
 *	other?			something that another passphrase might open
 *	certificate!		a certificate that cannot be read
 *	certificate~		one that came in a signature
 */
static struct pki_cert	 ca, alice;
static EVP_PKEY		*ca_key, *alice_key, *rsa_key;

static struct buf
take_bio(BIO *bio)
{
	struct buf	 buf = { 0 };
	char		*data;
	long		 len = BIO_get_mem_data(bio, &data);

	buf_add(&buf, data, (size_t)len);
	BIO_free(bio);
	return buf;
}

static struct buf
text(const char *s)
{
	struct buf	 buf = { 0 };

	buf_adds(&buf, s);
	return buf;
}

static char *
pem_of(const struct pki_cert *cert)
{
	BIO		*bio = BIO_new(BIO_s_mem());
	struct buf	 buf;

	PEM_write_bio_X509(bio, cert->x509);
	buf = take_bio(bio);
	return buf_take_str(&buf);
}

static char *
key_pem(EVP_PKEY *key, const EVP_CIPHER *cipher, bool traditional)
{
	BIO		*bio = BIO_new(BIO_s_mem());
	char		 word[] = "secret";
	struct buf	 buf;

	if (traditional)
		PEM_write_bio_PrivateKey_traditional(bio, key, cipher,
		    NULL, 0, NULL, cipher == NULL ? NULL : word);
	else
		PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, NULL, 0, NULL,
		    cipher == NULL ? NULL : word);
	buf = take_bio(bio);
	return buf_take_str(&buf);
}

/* --- the forms ------------------------------------------------------------ */

static struct buf
make_pem_both(void)
{
	struct buf	 buf = { 0 };
	char		*cert = pem_of(&alice), *key = key_pem(alice_key, NULL,
			    false);

	buf_addf(&buf, "%s%s", cert, key);
	free(cert);
	free(key);
	return buf;
}

static struct buf
make_noisy(void)
{
	struct buf	 buf = { 0 };
	char		*cert = pem_of(&alice), *ca_pem = pem_of(&ca);

	buf_addf(&buf, "Bag Attributes\n    friendlyName: Alice\n%s"
	    "\n-----BEGIN nothing\nHere is the other one -----, regards\n%s\n"
	    "-- \nBob\n", cert, ca_pem);
	free(cert);
	free(ca_pem);
	return buf;
}

/* Each line end becomes what is wanted, each line gets what stands before. */
static struct buf
make_lines(const char *before, const char *end)
{
	struct buf	 buf = { 0 };
	char		*cert = pem_of(&alice), *line, *rest = cert;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0')
			buf_addf(&buf, "%s%s%s", before, line, end);
	free(cert);
	return buf;
}

static struct buf
make_crlf(void)
{
	return make_lines("", "\r\n");
}

static struct buf
make_quoted(void)
{
	return make_lines("> ", "\n");
}

static struct buf
make_one_line(void)
{
	return make_lines("", " ");
}

static struct buf
make_bom(void)
{
	struct buf	 buf = text("\xef\xbb\xbf");
	struct buf	 lines = make_lines("", "\n");

	buf_add(&buf, lines.data, lines.len);
	buf_free(&lines);
	return buf;
}

static struct buf
make_utf16(const char *mark, size_t mark_len, bool big)
{
	struct buf	 buf = { 0 };
	char		*cert = pem_of(&alice);

	buf_add(&buf, mark, mark_len);
	for (const char *c = cert; *c != '\0'; c++) {
		if (big)
			buf_addc(&buf, '\0');
		buf_addc(&buf, *c);
		if (!big)
			buf_addc(&buf, '\0');
	}
	free(cert);
	return buf;
}

static struct buf
make_utf16_little(void)
{
	return make_utf16("\xff\xfe", 2, false);
}

static struct buf
make_utf16_big(void)
{
	return make_utf16("\xfe\xff", 2, true);
}

static struct buf
make_utf16_unmarked(void)
{
	return make_utf16("", 0, false);
}

static struct buf
make_bare(void)
{
	struct buf	 buf = { 0 };
	char		*cert = pem_of(&alice), *line, *rest = cert;

	buf_adds(&buf, "Hello\n\nour certificate:\n");
	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '-' && *line != '\0')
			buf_addf(&buf, "  %s\n", line);
	buf_adds(&buf, "Regards\n");
	free(cert);
	return buf;
}

static struct buf
make_cut_off(void)
{
	struct buf	 buf = { 0 };
	char		*cert = pem_of(&alice), *ca_pem = pem_of(&ca);

	buf_addf(&buf, "%.200s\n%s", cert, ca_pem);
	free(cert);
	free(ca_pem);
	return buf;
}

static struct buf
make_damaged(void)
{
	struct buf	 buf = { 0 };
	char		*cert = pem_of(&alice), *ca_pem = pem_of(&ca);

	cert[100] = '*';
	buf_addf(&buf, "%s%s", cert, ca_pem);
	free(cert);
	free(ca_pem);
	return buf;
}

static struct buf
make_trusted(void)
{
	BIO	*bio = BIO_new(BIO_s_mem());
	X509	*copy = X509_dup(alice.x509);

	X509_alias_set1(copy, (const unsigned char *)"Alice", 5);
	PEM_write_bio_X509_AUX(bio, copy);
	X509_free(copy);
	return take_bio(bio);
}

static struct buf
make_der(void)
{
	struct buf	 buf = { 0 };

	buf_add(&buf, alice.der, alice.der_len);
	return buf;
}

static struct buf
make_der_twice(void)
{
	struct buf	 buf = make_der();

	buf_add(&buf, ca.der, ca.der_len);
	return buf;
}

static struct buf
make_der_cut(void)
{
	struct buf	 buf = make_der();

	buf.len -= 10;
	return buf;
}

static struct buf
make_pkcs7(bool is_pem, bool is_signed, bool is_stream)
{
	BIO			*bio = BIO_new(BIO_s_mem());
	BIO			*in = BIO_new_mem_buf("text", 4);
	STACK_OF(X509)		*certs = sk_X509_new_null();
	CMS_ContentInfo		*cms;

	sk_X509_push(certs, ca.x509);
	if (is_signed)
		cms = CMS_sign(alice.x509, alice_key, certs, in,
		    CMS_BINARY | (is_stream ? CMS_STREAM : 0));
	else {
		sk_X509_push(certs, alice.x509);
		cms = CMS_sign(NULL, NULL, certs, NULL, CMS_PARTIAL);
	}
	pki_must(cms != NULL, "CMS_sign");
	if (is_pem)
		PEM_write_bio_CMS_stream(bio, cms, NULL, 0);
	else if (is_stream)
		i2d_CMS_bio_stream(bio, cms, in, CMS_STREAM);
	else
		i2d_CMS_bio(bio, cms);
	CMS_ContentInfo_free(cms);
	sk_X509_free(certs);
	BIO_free(in);
	return take_bio(bio);
}

static struct buf
make_pkcs7_der(void)
{
	return make_pkcs7(false, false, false);
}

static struct buf
make_pkcs7_pem(void)
{
	return make_pkcs7(true, false, false);
}

static struct buf
make_pkcs7_stream(void)
{
	return make_pkcs7(false, true, true);
}

static struct buf
make_signature(void)
{
	return make_pkcs7(false, true, false);
}

/* Which of the two comes first is the encoder's affair: SET OF is sorted. */
static struct buf
make_pkcs7_damaged(void)
{
	struct buf	 buf = make_pkcs7_der();
	uint8_t		*at = memmem(buf.data, buf.len, ca.der, ca.der_len);

	pki_must(at != NULL, "find the CA");
	at[6] = 0x30;	/* its version is no INTEGER any more */
	at[5] = 0x05;
	return buf;
}

static struct buf
make_p12(const char *word, int pbe, const EVP_MD *md)
{
	BIO		*bio = BIO_new(BIO_s_mem());
	STACK_OF(X509)	*chain = sk_X509_new_null();
	PKCS12		*p12;

	sk_X509_push(chain, ca.x509);
	p12 = PKCS12_create_ex(word, "Alice", alice_key, alice.x509, chain,
	    pbe, pbe, 10, -1, 0, pkcs8_libctx(), NULL);
	pki_must(p12 != NULL, "PKCS12_create");
	if (md != NULL)
		PKCS12_set_mac(p12, word, -1, NULL, 0, 10, md);
	i2d_PKCS12_bio(bio, p12);
	PKCS12_free(p12);
	sk_X509_free(chain);
	return take_bio(bio);
}

static struct buf
make_p12_modern(void)
{
	return make_p12("secret", NID_aes_256_cbc, EVP_sha256());
}

static struct buf
make_p12_3des(void)
{
	return make_p12("secret", NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
	    EVP_sha1());
}

static struct buf
make_p12_rc2(void)
{
	return make_p12("secret", NID_pbe_WithSHA1And40BitRC2_CBC,
	    EVP_sha1());
}

static struct buf
make_p12_empty_word(void)
{
	return make_p12("", NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
	    EVP_sha1());
}

static struct buf
make_p12_no_word(void)
{
	return make_p12(NULL, NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
	    EVP_sha1());
}

static struct buf
make_p12_no_mac(void)
{
	return make_p12("secret", NID_aes_256_cbc, NULL);
}

static struct buf
make_key(EVP_PKEY *key, const EVP_CIPHER *cipher, bool traditional)
{
	char		*pem = key_pem(key, cipher, traditional);
	struct buf	 buf = text(pem);

	free(pem);
	return buf;
}

static struct buf
make_pkcs8(void)
{
	return make_key(alice_key, NULL, false);
}

static struct buf
make_pkcs8_locked(void)
{
	return make_key(alice_key, EVP_aes_128_cbc(), false);
}

static struct buf
make_rsa(void)
{
	return make_key(rsa_key, NULL, true);
}

static struct buf
make_ec(void)
{
	struct buf	 key = make_key(alice_key, NULL, true);
	struct buf	 buf = text("-----BEGIN EC PARAMETERS-----\n"
			    "BggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n");

	buf_add(&buf, key.data, key.len);
	buf_free(&key);
	return buf;
}

static struct buf
make_rsa_locked(void)
{
	return make_key(rsa_key, EVP_des_ede3_cbc(), true);
}

static struct buf
make_ec_locked(void)
{
	return make_key(alice_key, EVP_aes_256_cbc(), true);
}

static struct buf
make_public(void)
{
	BIO	*bio = BIO_new(BIO_s_mem());

	PEM_write_bio_PUBKEY(bio, alice_key);
	return take_bio(bio);
}

static struct buf
make_request(void)
{
	BIO		*bio = BIO_new(BIO_s_mem());
	X509_REQ	*req = X509_to_X509_REQ(alice.x509, alice_key,
			    EVP_sha256());

	PEM_write_bio_X509_REQ(bio, req);
	X509_REQ_free(req);
	return take_bio(bio);
}

static struct buf
make_crl(void)
{
	BIO		*bio = BIO_new(BIO_s_mem());
	X509_CRL	*crl = X509_CRL_new();
	ASN1_TIME	*when = ASN1_TIME_set(NULL, (time_t)PKI_NOW);

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca.x509));
	X509_CRL_set1_lastUpdate(crl, when);
	X509_CRL_sign(crl, ca_key, EVP_sha256());
	PEM_write_bio_X509_CRL(bio, crl);
	X509_CRL_free(crl);
	ASN1_TIME_free(when);
	return take_bio(bio);
}

static struct buf
make_openssh(void)
{
	return text("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE"
	    "AAAAA\n-----END OPENSSH PRIVATE KEY-----\n");
}

static struct buf
make_openpgp(void)
{
	return text("-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: 1\n\nmQEN"
	    "\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n");
}

static struct buf
make_nothing(void)
{
	return (struct buf){ 0 };
}

static struct buf
make_noise(void)
{
	return text("Dear colleague,\n\nthere is nothing in here.\n");
}

/* --- what is read of them ------------------------------------------------ */

static const struct {
	const char	*what;
	struct buf	(*make)(void);
	const char	*word;		/* NULL: none is given */
	const char	*want;
	const char	*reason;	/* part of the first; NULL: none */
} rows[] = {
	{ "PEM, certificate and key", make_pem_both, NULL,
	    "certificate key", NULL },
	{ "PEM between bag attributes and prose", make_noisy, NULL,
	    "certificate certificate", NULL },
	{ "PEM, CRLF", make_crlf, NULL, "certificate", NULL },
	{ "PEM, quoted in a mail", make_quoted, NULL, "certificate", NULL },
	{ "PEM, all on one line", make_one_line, NULL, "certificate", NULL },
	{ "PEM after UTF-8's mark", make_bom, NULL, "certificate", NULL },
	{ "PEM in UTF-16, little end first", make_utf16_little, NULL,
	    "certificate", NULL },
	{ "PEM in UTF-16, big end first", make_utf16_big, NULL,
	    "certificate", NULL },
	{ "PEM in UTF-16 without its mark", make_utf16_unmarked, NULL,
	    "certificate", NULL },
	{ "base64 without armour, in prose", make_bare, NULL,
	    "certificate", NULL },
	{ "the first is cut off, the second is read", make_cut_off, NULL,
	    "certificate! certificate", "END line is missing" },
	{ "the first is damaged, the second is read", make_damaged, NULL,
	    "certificate! certificate", "not base64" },
	{ "TRUSTED CERTIFICATE", make_trusted, NULL, "certificate", NULL },
	{ "DER", make_der, NULL, "certificate", NULL },
	{ "DER, one after the other", make_der_twice, NULL,
	    "certificate certificate", NULL },
	{ "DER that is cut off", make_der_cut, NULL, "other!", "cut off" },
	{ "PKCS#7, DER", make_pkcs7_der, NULL,
	    "certificate certificate", NULL },
	{ "PKCS#7, PEM", make_pkcs7_pem, NULL,
	    "certificate certificate", NULL },
	{ "a signature, indefinite lengths", make_pkcs7_stream, NULL,
	    "certificate~ certificate~", NULL },
	{ "a signature", make_signature, NULL,
	    "certificate~ certificate~", NULL },
	{ "PKCS#12, AES-256", make_p12_modern, "secret",
	    "certificate certificate key*", NULL },
	{ "PKCS#12, 3DES", make_p12_3des, "secret",
	    "certificate certificate key*", NULL },
	{ "PKCS#12, RC2-40", make_p12_rc2, "secret",
	    "certificate certificate key*", NULL },
	{ "PKCS#12 under the empty passphrase", make_p12_empty_word, NULL,
	    "certificate certificate key", NULL },
	{ "PKCS#12 under no passphrase", make_p12_no_word, NULL,
	    "certificate certificate key", NULL },
	{ "PKCS#12 without a check value", make_p12_no_mac, "secret",
	    "certificate certificate key*", NULL },
	{ "PKCS#12, no passphrase given", make_p12_rc2, NULL,
	    "other?", "none was given" },
	{ "PKCS#12, wrong passphrase", make_p12_rc2, "wrong",
	    "other?", "no passphrase given opens" },
	{ "PKCS#12 without a check value, wrong", make_p12_no_mac, "wrong",
	    "other? key?", "no passphrase given opens" },
	{ "PKCS#8", make_pkcs8, NULL, "key", NULL },
	{ "encrypted PKCS#8", make_pkcs8_locked, "secret", "key*", NULL },
	{ "encrypted PKCS#8, wrong passphrase", make_pkcs8_locked, "wrong",
	    "key?", "no passphrase given opens" },
	{ "RSA PRIVATE KEY", make_rsa, NULL, "key", NULL },
	{ "EC PARAMETERS and EC PRIVATE KEY", make_ec, NULL, "key", NULL },
	{ "RSA PRIVATE KEY, 3DES", make_rsa_locked, "secret", "key*", NULL },
	{ "EC PRIVATE KEY, AES", make_ec_locked, "secret", "key*", NULL },
	{ "EC PRIVATE KEY, AES, wrong", make_ec_locked, "wrong",
	    "key?", "no passphrase given opens" },
	{ "EC PRIVATE KEY, AES, none given", make_ec_locked, NULL,
	    "key?", "none was given" },
	{ "a CRL", make_crl, NULL, "crl", NULL },
	{ "an OpenSSH key", make_openssh, NULL, "key!", "ssh-keygen" },
	{ "OpenPGP", make_openpgp, NULL, "other!", "OpenPGP" },
	{ "a request", make_request, NULL, "other!", "request" },
	{ "a public key", make_public, NULL, "other!", "public key" },
	{ "nothing", make_nothing, NULL, "other!", "empty" },
	{ "prose", make_noise, NULL, "other!", "no certificate" },
};

static char *
describe(const struct bundle *bundle)
{
	struct buf	 buf = { 0 };

	for (size_t i = 0; i < bundle->n; i++) {
		const struct bundle_item	*item = &bundle->items[i];

		buf_addf(&buf, "%s%s%s%s", i == 0 ? "" : " ",
		    bundle_kind_name(item->kind),
		    item->wrapped.len > 0 ? "*" : "",
		    item->is_signature ? "~" : "");
		if (item->reason != NULL)
			buf_addc(&buf, item->is_locked ? '?' : '!');
		CHECK((item->reason == NULL) == (item->der.len > 0));
	}
	return buf_take_str(&buf);
}

static struct bundle *
read_with(const struct buf *buf, const char *word)
{
	struct passphrases	 passphrases = { 0 };
	struct bundle		*bundle = NULL;
	struct err		 err;

	if (word != NULL)
		passphrases_add(&passphrases, word, strlen(word));
	REQUIRE_OK(bundle_read(buf->data, buf->len, &passphrases, &bundle,
	    &err), err);
	passphrases_free(&passphrases);
	return bundle;
}

static void
test_forms(void)
{
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		struct buf	 buf = rows[i].make();
		struct bundle	*bundle = read_with(&buf, rows[i].word);
		char		*got = describe(bundle);
		const char	*reason = bundle->items[0].reason;

		test_row(rows[i].what);
		CHECK_STR(got, rows[i].want);
		if (rows[i].reason == NULL)
			CHECK_STR(reason, NULL);
		else if (reason == NULL ||
		    strstr(reason, rows[i].reason) == NULL)
			CHECK_STR(reason, rows[i].reason);
		free(got);
		bundle_free(bundle);
		buf_free(&buf);
	}
	test_row(NULL);
}

/* What comes out is what went in, to the byte. */
static void
test_bytes(void)
{
	struct buf	 in = make_p12_rc2();
	struct bundle	*bundle = read_with(&in, "secret");
	size_t		 key_len;
	uint8_t		*key = pki_pkcs8(alice_key, &key_len);
	struct bundle	*again;

	CHECK_MEM(bundle->items[0].der.data, bundle->items[0].der.len,
	    alice.der, alice.der_len);
	CHECK_MEM(bundle->items[2].der.data, bundle->items[2].der.len,
	    key, key_len);
	/* The protection it got in exchange for RC2 opens with its word. */
	again = read_with(&bundle->items[2].wrapped, "secret");
	CHECK_MEM(again->items[0].der.data, again->items[0].der.len,
	    key, key_len);
	bundle_free(again);
	again = read_with(&bundle->items[2].wrapped, "wrong");
	CHECK(again->items[0].is_locked);
	bundle_free(again);
	bundle_free(bundle);
	buf_free(&in);

	in = make_pkcs8_locked();
	bundle = read_with(&in, "secret");
	again = read_with(&bundle->items[0].wrapped, "secret");
	CHECK_MEM(again->items[0].wrapped.data, again->items[0].wrapped.len,
	    bundle->items[0].wrapped.data, bundle->items[0].wrapped.len);
	CHECK_MEM(again->items[0].der.data, again->items[0].der.len,
	    key, key_len);
	bundle_free(again);
	bundle_free(bundle);
	buf_free(&in);
	OPENSSL_free(key);
}

/* A good certificate beside a damaged one, in whichever order. */
static void
test_neighbour(void)
{
	struct buf	 in = make_pkcs7_damaged();
	struct bundle	*bundle = read_with(&in, NULL);
	size_t		 n_good = 0, n_bad = 0;

	for (size_t i = 0; i < bundle->n; i++)
		if (bundle->items[i].reason == NULL)
			n_good++;
		else
			n_bad++;
	CHECK_INT(n_good, 1);
	CHECK(n_bad > 0);
	bundle_free(bundle);
	buf_free(&in);
}

/* Wherever a file ends, something is said about it. */
static void
test_truncated(void)
{
	struct buf	 in = make_p12_modern();
	size_t		 len = in.len;

	for (in.len = 0; in.len < len; in.len++) {
		struct bundle	*bundle = read_with(&in, "secret");

		CHECK(bundle->n > 0 && bundle->items[0].reason != NULL);
		bundle_free(bundle);
	}
	buf_free(&in);
}

/* The passphrase of one thing is tried on the next. */
static void
test_several_passphrases(void)
{
	struct passphrases	 list = { 0 };
	struct bundle		*bundle;
	struct buf		 in = make_ec_locked();
	struct err		 err;

	passphrases_add(&list, "first", 5);
	passphrases_add(&list, "secret and more", 6);
	REQUIRE_OK(bundle_read(in.data, in.len, &list, &bundle, &err), err);
	CHECK_INT(bundle->n, 1);
	CHECK(bundle->items[0].wrapped.len > 0);
	CHECK(!bundle_is_locked(bundle));
	bundle_free(bundle);
	passphrases_free(&list);
	buf_free(&in);
}

static void
test_limits(void)
{
	struct passphrases	 none = { 0 };
	struct bundle		*bundle = NULL;
	struct buf		 in = { 0 };
	X509_ALGOR		*alg;
	struct err		 err;

	buf_reserve(&in, BUNDLE_SIZE_MAX + 1);
	memset(in.data, ' ', BUNDLE_SIZE_MAX + 1);
	CHECK(!bundle_read(in.data, BUNDLE_SIZE_MAX + 1, &none, &bundle,
	    &err));
	CHECK_INT(err.kind, ERR_DATA);
	buf_free(&in);

	in = (struct buf){ 0 };
	for (int i = 0; i < BUNDLE_ITEMS_MAX + 10; i++)
		buf_adds(&in, "-----BEGIN X-----\nAAAA\n-----END X-----\n");
	bundle = read_with(&in, NULL);
	CHECK_INT(bundle->n, BUNDLE_ITEMS_MAX + 1);
	CHECK_STR(bundle->items[BUNDLE_ITEMS_MAX].reason,
	    "more than 20000 items: the rest was not read");
	CHECK(bundle->is_full);
	bundle_free(bundle);
	buf_free(&in);

	alg = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), PKCS8_ROUNDS_MAX, NULL, 8,
	    NULL, NID_hmacWithSHA256);
	CHECK(pkcs8_is_affordable(alg, &err));
	X509_ALGOR_free(alg);
	alg = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), PKCS8_ROUNDS_MAX + 1, NULL,
	    8, NULL, NID_hmacWithSHA256);
	CHECK(!pkcs8_is_affordable(alg, &err));
	X509_ALGOR_free(alg);
	alg = PKCS5_pbe_set(NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
	    PKCS8_ROUNDS_MAX + 1, NULL, 8);
	CHECK(!pkcs8_is_affordable(alg, &err));
	X509_ALGOR_free(alg);
	alg = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, 16, NULL,
	    16384, 8, 1);
	CHECK(pkcs8_is_affordable(alg, &err));
	X509_ALGOR_free(alg);
	alg = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, 16, NULL,
	    16384, 8, 1000);
	CHECK(alg == NULL || !pkcs8_is_affordable(alg, &err));
	X509_ALGOR_free(alg);
}

/* Lengths that lie, and nesting without end. */
static void
test_der(void)
{
	static const struct {
		const char	*what;
		const char	*bytes;
		size_t		 len;
		size_t		 want;	/* of the whole element; 0: none */
	} ders[] = {
		{ "empty", "", 0, 0 },
		{ "a header alone", "\x30", 1, 0 },
		{ "short form", "\x30\x01\x00", 3, 3 },
		{ "more than there is", "\x30\x02\x00", 3, 0 },
		{ "long form", "\x30\x81\x01\x00\xff", 5, 4 },
		{ "length cut off", "\x30\x82\x01", 3, 0 },
		{ "length of five octets", "\x30\x85\0\0\0\0\1\0", 8, 0 },
		{ "length of 4 GB", "\x30\x84\xff\xff\xff\xff", 6, 0 },
		{ "indefinite", "\x30\x80\x02\x01\x05\x00\x00", 7, 7 },
		{ "indefinite without its end", "\x30\x80\x02\x01\x05", 5, 0 },
		{ "indefinite primitive", "\x04\x80\x00\x00", 4, 0 },
		{ "indefinite in indefinite",
		    "\x30\x80\x30\x80\x00\x00\x00\x00", 8, 8 },
		{ "high tag number", "\x3f\x81\x00\x00", 4, 0 },
	};
	uint8_t		 deep[200];
	const uint8_t	*p = deep;
	size_t		 len = sizeof(deep);
	struct ber	 d;

	for (size_t i = 0; i < TEST_LEN(ders); i++) {
		p = (const uint8_t *)ders[i].bytes;
		len = ders[i].len;
		test_row(ders[i].what);
		CHECK_INT(ber_next(&p, &len, &d), ders[i].want > 0);
		CHECK_INT(ders[i].len - len, ders[i].want);
		if (ders[i].want > 0)
			CHECK_INT(d.whole_len, ders[i].want);
	}
	test_row("indefinite lengths a hundred deep");
	for (size_t i = 0; i < sizeof(deep); i += 2)
		memcpy(deep + i, i < 100 ? "\x30\x80" : "\0", 2);
	p = deep;
	len = sizeof(deep);
	CHECK(!ber_next(&p, &len, &d));
	test_row(NULL);
}

int
main(void)
{
	struct pki_spec	 ca_spec = { .cn = "CA", .is_ca = true };
	struct pki_spec	 spec = { .cn = "Alice",
			    .alt = "email:alice@example.org" };

	ca_key = pki_key("P-256");
	alice_key = pki_key("P-256");
	rsa_key = pki_key("RSA2048");
	ca = pki_issue(&ca_spec, ca_key, NULL);
	alice = pki_issue(&spec, alice_key, &ca);
	test_forms();
	test_bytes();
	test_neighbour();
	test_truncated();
	test_several_passphrases();
	test_limits();
	test_der();
	pki_free(&alice);
	pki_free(&ca);
	EVP_PKEY_free(alice_key);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(rsa_key);
	return test_done("bundle");
}
