/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <time.h>

#include <openssl/cms.h>
#include <openssl/pem.h>

#include "store/signed_frame.h"
#include "store/signer.h"
#include "tests/lib/pki.h"
#include "tests/lib/scratch.h"
#include "tests/lib/test.h"

static const char	 content[] = "Content-Type: text/plain\r\n\r\nHi\r\n";

static struct err err;

static struct pki_spec	 ca_spec = { .cn = "CA", .is_ca = true, .until = 9000 };
static struct pki_spec	 sub_spec = { .cn = "Sub", .is_ca = true,
			    .until = 9000 };
static struct pki_spec	 leaf_spec = { .cn = "A", .alt = "email:a@example.org",
			    .eku = "emailProtection", .until = 9000 };

static void
hash_content(enum digest digest, uint8_t *out)
{
	EVP_Digest(content, strlen(content), out, NULL,
	    EVP_get_digestbyname(alg_digest_openssl(digest)), NULL);
}

static CMS_ContentInfo *
parse(const struct buf *der)
{
	const unsigned char	*p = der->data;
	CMS_ContentInfo		*cms = d2i_CMS_ContentInfo(NULL, &p,
				    (long)der->len);

	REQUIRE(cms != NULL && p == der->data + der->len);
	return cms;
}

static CMS_SignerInfo *
the_signer(CMS_ContentInfo *cms)
{
	STACK_OF(CMS_SignerInfo)	*infos = CMS_get0_SignerInfos(cms);

	REQUIRE(sk_CMS_SignerInfo_num(infos) == 1);
	return sk_CMS_SignerInfo_value(infos, 0);
}

/* "openssl cms -verify", as somebody else's program. */
static void
check_with_openssl(const struct buf *der, const struct pki_cert *root)
{
	char	 command[1024];
	FILE	*pem = fopen(scratch_path("root.pem"), "w");

	REQUIRE(pem != NULL && PEM_write_X509(pem, root->x509) == 1);
	fclose(pem);
	scratch_write(scratch_path("sig.der"), der->data, der->len);
	scratch_write(scratch_path("content"), content, strlen(content));
	snprintf(command, sizeof(command), "openssl cms -verify -binary "
	    "-inform DER -in '%s' -content '%s' -CAfile '%s' -purpose "
	    "smimesign -out /dev/null 2>'%s'", scratch_path("sig.der"),
	    scratch_path("content"), scratch_path("root.pem"),
	    scratch_path("log"));
	CHECK_INT(system(command), 0);
}

static void
test_verifies(void)
{
	static const struct {
		const char	*key;
		enum digest	 digest;
		bool		 use_pss;
		int		 algorithm;	/* in the SignerInfo */
	} rows[] = {
		{ "RSA2048", DIGEST_SHA256, false, NID_rsaEncryption },
		{ "RSA2048", DIGEST_SHA512, false, NID_rsaEncryption },
		{ "RSA2048", DIGEST_SHA256, true, NID_rsassaPss },
		{ "RSA2048", DIGEST_SHA384, true, NID_rsassaPss },
		{ "RSA2048", DIGEST_SHA512, true, NID_rsassaPss },
		{ "RSA-PSS", DIGEST_SHA256, false, NID_rsassaPss },
		{ "P-256", DIGEST_SHA256, false, NID_ecdsa_with_SHA256 },
		{ "P-256", DIGEST_SHA256, true, NID_ecdsa_with_SHA256 },
		{ "P-384", DIGEST_SHA384, false, NID_ecdsa_with_SHA384 },
		{ "P-521", DIGEST_SHA512, false, NID_ecdsa_with_SHA512 },
	};
	EVP_PKEY	*ca_key = pki_key("P-256"), *sub_key = pki_key("P-256");
	struct pki_cert	 root = pki_issue(&ca_spec, ca_key, NULL);
	struct pki_cert	 sub = pki_issue(&sub_spec, sub_key, &root);
	STACK_OF(X509)	*chain = sk_X509_new_null();

	sk_X509_push(chain, sub.x509);
	/* Named twice: is put in once. */
	sk_X509_push(chain, sub.x509);
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		EVP_PKEY	*key = pki_key(rows[i].key);
		struct pki_cert	 cert = pki_issue(&leaf_spec, key, &sub);
		struct signer	 signer = { cert.x509, chain, key, NULL,
				    rows[i].use_pss };
		uint8_t		 hash[DIGEST_LEN_MAX];
		struct buf	 out = { 0 };
		CMS_ContentInfo	*cms;
		X509_ALGOR	*digest, *signature;
		STACK_OF(X509)	*certs;
		unsigned char	*again = NULL;
		int		 len;

		test_row(rows[i].key);
		hash_content(rows[i].digest, hash);
		REQUIRE_OK(signer_sign(&signer, rows[i].digest, hash, &out,
		    &err), err);
		check_with_openssl(&out, &root);
		cms = parse(&out);
		CMS_SignerInfo_get0_algs(the_signer(cms), NULL, NULL, &digest,
		    &signature);
		CHECK_INT(OBJ_obj2nid(digest->algorithm), EVP_MD_get_type(
		    EVP_get_digestbyname(alg_digest_openssl(rows[i].digest))));
		CHECK_INT(OBJ_obj2nid(signature->algorithm),
		    rows[i].algorithm);
		certs = CMS_get1_certs(cms);
		CHECK_INT(sk_X509_num(certs), 2);
		CHECK(CMS_get0_content(cms) == NULL ||
		    *CMS_get0_content(cms) == NULL);
		/* DER: written again it is the same. */
		len = i2d_CMS_ContentInfo(cms, &again);
		CHECK_MEM(again, (size_t)len, out.data, out.len);
		OPENSSL_free(again);
		sk_X509_pop_free(certs, X509_free);
		CMS_ContentInfo_free(cms);
		buf_free(&out);
		pki_free(&cert);
		EVP_PKEY_free(key);
	}
	test_row(NULL);
	sk_X509_free(chain);
	pki_free(&sub);
	pki_free(&root);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(sub_key);
}

static bool
has_attr(CMS_SignerInfo *si, int nid)
{
	return CMS_signed_get_attr_by_NID(si, nid, -1) >= 0;
}

static void
test_attributes(void)
{
	EVP_PKEY	*key = pki_key("P-256");
	EVP_PKEY	*reply_key = pki_key("RSA2048");
	struct pki_cert	 cert = pki_issue(&leaf_spec, key, NULL);
	struct pki_cert	 reply = pki_issue(&leaf_spec, reply_key, NULL);
	struct signer	 signer = { cert.x509, NULL, key, NULL, false };
	uint8_t		 hash[DIGEST_LEN_MAX];
	struct buf	 out = { 0 };
	CMS_ContentInfo	*cms;
	CMS_SignerInfo	*si;
	ASN1_TYPE	*caps, *preference;

	hash_content(DIGEST_SHA256, hash);
	REQUIRE_OK(signer_sign(&signer, DIGEST_SHA256, hash, &out, &err), err);
	cms = parse(&out);
	si = the_signer(cms);
	CHECK_INT(CMS_signed_get_attr_count(si), 5);
	CHECK(has_attr(si, NID_pkcs9_contentType));
	CHECK(has_attr(si, NID_pkcs9_messageDigest));
	CHECK(has_attr(si, NID_pkcs9_signingTime));
	CHECK(has_attr(si, NID_id_smime_aa_signingCertificateV2));
	CHECK(!has_attr(si, NID_id_smime_aa_signingCertificate));
	/* aes256-CBC, aes128-CBC, and nothing older. */
	caps = CMS_signed_get0_data_by_OBJ(si,
	    OBJ_nid2obj(NID_SMIMECapabilities), -3, V_ASN1_SEQUENCE);
	CHECK_MEM(((ASN1_STRING *)caps)->data,
	    (size_t)((ASN1_STRING *)caps)->length,
	    "\x30\x1a\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2a"
	    "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x02", 28);
	CMS_ContentInfo_free(cms);

	/* Another certificate to reply to: named, and included. */
	signer.encrypt = reply.x509;
	REQUIRE_OK(signer_sign(&signer, DIGEST_SHA256, hash, &out, &err), err);
	check_with_openssl(&out, &cert);
	cms = parse(&out);
	si = the_signer(cms);
	CHECK_INT(CMS_signed_get_attr_count(si), 6);
	preference = X509_ATTRIBUTE_get0_type(CMS_signed_get_attr(si,
	    CMS_signed_get_attr_by_NID(si, NID_id_smime_aa_encrypKeyPref,
	    -1)), 0);
	CHECK_INT(preference->type, V_ASN1_OTHER);
	CHECK_INT(preference->value.asn1_string->data[0], 0xa0);
	CHECK(memmem(out.data, out.len, reply.der, reply.der_len) != NULL);
	CMS_ContentInfo_free(cms);
	buf_free(&out);
	pki_free(&cert);
	pki_free(&reply);
	EVP_PKEY_free(key);
	EVP_PKEY_free(reply_key);
}

/* The same as OpenSSL builds in the same second; ECDSA has a random part. */
static void
check_after_frame(const struct signer *signer, enum digest digest,
    const struct pki_cert *root)
{
	bool		 is_random = EVP_PKEY_get_base_id(signer->key) ==
			    EVP_PKEY_EC || signer_is_pss(signer->key,
			    signer->use_pss);
	uint8_t		 hash[DIGEST_LEN_MAX] = { 0 };
	struct buf	 first = { 0 }, built = { 0 }, framed = { 0 };
	struct signed_frame	*frame;
	int64_t		 now;

	REQUIRE_OK(signer_sign(signer, digest, hash, &first, &err), err);
	frame = signed_frame_new(&first, signer->key, digest, signer->use_pss);
	REQUIRE(frame != NULL);
	CHECK(signed_frame_is_for(frame, digest, signer->use_pss));
	CHECK(!signed_frame_is_for(frame, digest, !signer->use_pss));
	CHECK(!signed_frame_is_for(frame, digest == DIGEST_SHA256 ?
	    DIGEST_SHA512 : DIGEST_SHA256, signer->use_pss));
	hash_content(digest, hash);
	do {
		now = (int64_t)time(NULL);
		REQUIRE_OK(signer_sign(signer, digest, hash, &built, &err),
		    err);
	} while (now != (int64_t)time(NULL));
	for (int i = 0; i < 20; i++) {
		REQUIRE_OK(signed_frame_sign(frame, hash, now, &framed, &err),
		    err);
		CMS_ContentInfo_free(parse(&framed));
		if (!is_random)
			CHECK_MEM(framed.data, framed.len, built.data,
			    built.len);
	}
	check_with_openssl(&framed, root);

	/* Nothing of the first one's is left, and the time is the one asked. */
	CHECK(memmem(framed.data, framed.len, first.data + first.len - 32,
	    32) == NULL);
	REQUIRE_OK(signed_frame_sign(frame, hash, 2524607999, &framed, &err),
	    err);
	CHECK(memmem(framed.data, framed.len, "\x17\x0d" "491231235959Z",
	    15) != NULL);
	CHECK(!signed_frame_sign(frame, hash, 2524608000, &framed, &err));
	CHECK_INT(err.kind, ERR_TEMP);

	/* What is not whole, or another thing, is no frame. */
	first.len--;
	CHECK(signed_frame_new(&first, signer->key, digest,
	    signer->use_pss) == NULL);
	first.len++;
	buf_addc(&first, 'x');
	CHECK(signed_frame_new(&first, signer->key, digest,
	    signer->use_pss) == NULL);
	signed_frame_free(frame);
	buf_free(&first);
	buf_free(&built);
	buf_free(&framed);
}

static void
test_frame(void)
{
	static const struct {
		const char	*key;
		enum digest	 digest;
		bool		 use_pss;
		bool		 has_reply;
	} rows[] = {
		{ "RSA2048", DIGEST_SHA256, false, false },
		{ "RSA2048", DIGEST_SHA512, false, true },
		{ "RSA2048", DIGEST_SHA384, true, false },
		{ "RSA-PSS", DIGEST_SHA256, false, true },
		{ "P-256", DIGEST_SHA256, false, false },
		{ "P-256", DIGEST_SHA256, true, true },
		{ "P-384", DIGEST_SHA384, false, false },
		{ "P-521", DIGEST_SHA512, false, true },
	};
	EVP_PKEY	*reply_key = pki_key("P-256");
	struct pki_cert	 reply = pki_issue(&leaf_spec, reply_key, NULL);

	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		EVP_PKEY	*key = pki_key(rows[i].key);
		struct pki_cert	 cert = pki_issue(&leaf_spec, key, NULL);
		struct signer	 signer = { cert.x509, NULL, key,
				    rows[i].has_reply ? reply.x509 : NULL,
				    rows[i].use_pss };

		test_row(rows[i].key);
		check_after_frame(&signer, rows[i].digest, &cert);
		pki_free(&cert);
		EVP_PKEY_free(key);
	}
	test_row(NULL);
	pki_free(&reply);
	EVP_PKEY_free(reply_key);
}

/* Nothing is handed out that nobody could verify. */
static void
test_wrong_pair(void)
{
	EVP_PKEY	*key = pki_key("P-256"), *other = pki_key("P-256");
	struct pki_cert	 cert = pki_issue(&leaf_spec, key, NULL);
	struct signer	 signer = { cert.x509, NULL, other, NULL, false };
	uint8_t		 hash[DIGEST_LEN_MAX] = { 0 };
	struct buf	 out = { 0 };

	CHECK(!signer_sign(&signer, DIGEST_SHA256, hash, &out, &err));
	CHECK_INT(err.kind, ERR_TEMP);
	CHECK_INT(out.len, 0);
	buf_free(&out);
	pki_free(&cert);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

int
main(void)
{
	test_verifies();
	test_attributes();
	test_frame();
	test_wrong_pair();
	return test_done("signer");
}
