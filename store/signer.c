/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>

#include "base/der.h"
#include "store/signer.h"

static const EVP_MD *
digest_md(enum digest digest)
{
	switch (digest) {
	case DIGEST_SHA384:
		return EVP_sha384();
	case DIGEST_SHA512:
		return EVP_sha512();
	case DIGEST_SHA256:
		break;
	}
	return EVP_sha256();
}

/*
 * What the sender's own program can read.  OpenSSL's list would invite
 * replies in RC2-40 and DES.
 */
static bool
add_capabilities(CMS_SignerInfo *si)
{
	STACK_OF(X509_ALGOR)	*list = NULL;
	bool			 is_ok;

	is_ok = CMS_add_simple_smimecap(&list, NID_aes_256_cbc, -1) == 1 &&
	    CMS_add_simple_smimecap(&list, NID_aes_128_cbc, -1) == 1 &&
	    CMS_add_smimecap(si, list) == 1;
	sk_X509_ALGOR_pop_free(list, X509_ALGOR_free);
	return is_ok;
}

/*
 * Bytes that are DER already, as an attribute of one value.  Only this
 * function takes them so: the others read the type's sign bit as a flag.
 */
static bool
add_der_attribute(CMS_SignerInfo *si, int nid, const struct buf *der)
{
	ASN1_STRING	*value = ASN1_STRING_type_new(V_ASN1_OTHER);
	X509_ATTRIBUTE	*attr;
	bool		 is_ok;

	if (value == NULL || der->failed ||
	    ASN1_STRING_set(value, der->data, (int)der->len) != 1 ||
	    (attr = X509_ATTRIBUTE_create(nid, V_ASN1_OTHER, value)) == NULL) {
		ASN1_STRING_free(value);
		return false;
	}
	is_ok = CMS_signed_add1_attr(si, attr) == 1;
	X509_ATTRIBUTE_free(attr);
	return is_ok;
}

/*
 * SMIMEEncryptionKeyPreference (RFC 8551, section 2.5.3): the choice
 * issuerAndSerialNumber, [0] IMPLICIT.  OpenSSL has no type for it.
 */
static bool
add_key_preference(CMS_SignerInfo *si, const X509 *cert)
{
	struct buf	 value = { 0 };
	unsigned char	*name = NULL, *serial = NULL;
	int		 name_len, serial_len;
	bool		 is_ok = false;

	name_len = i2d_X509_NAME(X509_get_issuer_name(cert), &name);
	serial_len = i2d_ASN1_INTEGER(X509_get0_serialNumber(cert), &serial);
	if (name_len > 0 && serial_len > 0) {
		der_head(&value, DER_CONTEXT(0),
		    (size_t)(name_len + serial_len));
		buf_add(&value, name, (size_t)name_len);
		buf_add(&value, serial, (size_t)serial_len);
		is_ok = add_der_attribute(si, NID_id_smime_aa_encrypKeyPref,
		    &value);
	}
	OPENSSL_free(name);
	OPENSSL_free(serial);
	buf_free(&value);
	return is_ok;
}

/* CMS_add1_cert() fails on what is there already. */
static bool
add_once(STACK_OF(X509) *certs, X509 *cert)
{
	for (int i = 0; i < sk_X509_num(certs); i++)
		if (X509_cmp(sk_X509_value(certs, i), cert) == 0)
			return true;
	return sk_X509_push(certs, cert) != 0;
}

static STACK_OF(X509) *
certificates(const struct signer *signer)
{
	STACK_OF(X509)	*certs = sk_X509_new_null();
	bool		 is_ok;

	is_ok = certs != NULL && add_once(certs, signer->cert) &&
	    (signer->encrypt == NULL || add_once(certs, signer->encrypt));
	for (int i = 0; is_ok && i < sk_X509_num(signer->chain); i++)
		is_ok = add_once(certs, sk_X509_value(signer->chain, i));
	if (is_ok)
		return certs;
	sk_X509_free(certs);
	return NULL;
}

bool
signer_is_pss(const EVP_PKEY *key, bool use_pss)
{
	int	 kind = EVP_PKEY_get_base_id(key);

	return kind == EVP_PKEY_RSA_PSS || (kind == EVP_PKEY_RSA && use_pss);
}

bool
signer_set_pss(EVP_PKEY_CTX *ctx)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

bool
signer_must_verify(const EVP_PKEY *key)
{
	return EVP_PKEY_get_base_id(key) != EVP_PKEY_EC;
}

static bool
set_pss_parameters(X509_ALGOR *algor, enum digest digest)
{
	uint8_t		 der[ALG_PSS_LEN];
	ASN1_STRING	*value = ASN1_STRING_type_new(V_ASN1_SEQUENCE);

	alg_pss_parameters(digest, der);
	if (value != NULL && ASN1_STRING_set(value, der, sizeof(der)) == 1 &&
	    X509_ALGOR_set0(algor, OBJ_nid2obj(NID_rsassaPss),
	    V_ASN1_SEQUENCE, value) == 1)
		return true;
	ASN1_STRING_free(value);
	return false;
}

/*
 * The signer has to be made with CMS_KEY_PARAM.  OpenSSL names the algorithm
 * only where it hashes the content itself, so that it is done here.
 */
static bool
set_pss(CMS_SignerInfo *si, enum digest digest)
{
	EVP_PKEY_CTX	*ctx = CMS_SignerInfo_get0_pkey_ctx(si);
	X509_ALGOR	*algor;

	CMS_SignerInfo_get0_algs(si, NULL, NULL, NULL, &algor);
	return ctx != NULL && signer_set_pss(ctx) &&
	    set_pss_parameters(algor, digest);
}

static CMS_SignerInfo *
add_signer(CMS_ContentInfo *cms, const struct signer *signer,
    enum digest digest, const uint8_t *hash)
{
	bool		 is_pss = signer_is_pss(signer->key, signer->use_pss);
	CMS_SignerInfo	*si;

	/* Without an explicit digest OpenSSL binds the certificate by SHA-1. */
	si = CMS_add1_signer(cms, signer->cert, signer->key, digest_md(digest),
	    CMS_PARTIAL | CMS_BINARY | CMS_NOCERTS | CMS_NOSMIMECAP |
	    CMS_CADES | (is_pss ? CMS_KEY_PARAM : 0));
	if (si == NULL || (is_pss && !set_pss(si, digest)) ||
	    CMS_signed_add1_attr_by_NID(si, NID_pkcs9_contentType,
	    V_ASN1_OBJECT, OBJ_nid2obj(NID_pkcs7_data), -1) != 1 ||
	    CMS_signed_add1_attr_by_NID(si, NID_pkcs9_messageDigest,
	    V_ASN1_OCTET_STRING, hash, (int)alg_digest_len(digest)) != 1 ||
	    !add_capabilities(si) ||
	    (signer->encrypt != NULL &&
	    !add_key_preference(si, signer->encrypt)) ||
	    CMS_SignerInfo_sign(si) != 1)
		return NULL;
	return si;
}

/* Is it the mail's hash that is in it? */
static bool
is_of_hash(CMS_SignerInfo *si, enum digest digest, const uint8_t *hash)
{
	const ASN1_OCTET_STRING	*signed_hash;

	signed_hash = CMS_signed_get0_data_by_OBJ(si,
	    OBJ_nid2obj(NID_pkcs9_messageDigest), -3, V_ASN1_OCTET_STRING);
	return signed_hash != NULL &&
	    ASN1_STRING_length(signed_hash) == (int)alg_digest_len(digest) &&
	    memcmp(ASN1_STRING_get0_data(signed_hash), hash,
	    alg_digest_len(digest)) == 0;
}

static bool
write_der(CMS_ContentInfo *cms, struct buf *out, struct err *err)
{
	unsigned char	*der = NULL;
	int		 len = i2d_CMS_ContentInfo(cms, &der);

	buf_clear(out);
	if (len > 0)
		buf_add(out, der, (size_t)len);
	OPENSSL_free(der);
	if (len <= 0)
		return err_openssl(err, ERR_TEMP, "write SignedData");
	return buf_ok(out, "SignedData", err);
}

bool
signer_sign(const struct signer *signer, enum digest digest,
    const uint8_t *hash, struct buf *out, struct err *err)
{
	STACK_OF(X509)	*certs = certificates(signer);
	CMS_ContentInfo	*cms = NULL;
	CMS_SignerInfo	*si;
	bool		 is_ok = false;

	ERR_clear_error();
	if (certs == NULL || (cms = CMS_sign(NULL, NULL, certs, NULL,
	    CMS_DETACHED | CMS_PARTIAL | CMS_STREAM | CMS_BINARY)) == NULL) {
		err_openssl(err, ERR_TEMP, "CMS_sign");
		goto out;
	}
	if ((si = add_signer(cms, signer, digest, hash)) == NULL) {
		err_openssl(err, ERR_TEMP, "sign");
		goto out;
	}
	if (!is_of_hash(si, digest, hash) || (signer_must_verify(signer->key) &&
	    CMS_SignerInfo_verify(si) != 1)) {
		err_openssl(err, ERR_TEMP, "the signature just made does not "
		    "verify");
		goto out;
	}
	is_ok = write_der(cms, out, err);
out:
	CMS_ContentInfo_free(cms);
	sk_X509_free(certs);
	ERR_clear_error();
	return is_ok;
}
