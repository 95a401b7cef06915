/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/der.h"
#include "smime/cert_cache.h"
#include "smime/sign_check.h"

/*
 * OpenSSL's own way decodes every certificate inside, which takes as long as
 * an RSA signature; so the structure is walked here, and the signer's
 * certificate remembered.
 */
struct oid {
	uint8_t	 bytes[10];
	size_t	 len;
};

static const struct oid	 oid_data = { { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
    0x01, 0x07, 0x01 }, 9 };
static const struct oid	 oid_signed_data = { { 0x2a, 0x86, 0x48, 0x86, 0xf7,
    0x0d, 0x01, 0x07, 0x02 }, 9 };
static const struct oid	 oid_content_type = { { 0x2a, 0x86, 0x48, 0x86, 0xf7,
    0x0d, 0x01, 0x09, 0x03 }, 9 };
static const struct oid	 oid_message_digest = { { 0x2a, 0x86, 0x48, 0x86,
    0xf7, 0x0d, 0x01, 0x09, 0x04 }, 9 };
static const struct oid	 oid_rsa_pss = { { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
    0x01, 0x01, 0x0a }, 9 };
static const struct oid	 oid_rsa = { { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
    0x01, 0x01, 0x01 }, 9 };

/* The names of a digest, and of ECDSA with it (RFC 5754, RFC 5758). */
static const struct {
	struct oid	 digest;
	struct oid	 ecdsa;
} algorithms[] = {
	[DIGEST_SHA256] = {
		{ { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01 }, 9 },
		{ { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 }, 8 } },
	[DIGEST_SHA384] = {
		{ { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02 }, 9 },
		{ { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03 }, 8 } },
	[DIGEST_SHA512] = {
		{ { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03 }, 9 },
		{ { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04 }, 8 } },
};

static bool
is_oid(struct der content, const struct oid *oid)
{
	return der_is(content, oid->bytes, oid->len);
}

/* Parts of a SignedData, content octets without tag and length. */
struct parts {
	struct der	 announced;	/* the digest, an OID */
	struct der	 certificates;
	struct der	 issuer;	/* the signer's certificate's */
	struct der	 serial;
	struct der	 digest;	/* an OID */
	struct der	 attributes;
	struct der	 algorithm;	/* of the signature, an OID */
	struct der	 parameters;	/* and what comes with it */
	struct der	 signature;
};

static bool
take_algorithm(struct der *der, struct der *oid, struct der *parameters)
{
	return der_take(der, DER_SEQUENCE, parameters) &&
	    der_take(parameters, DER_OID, oid);
}

/* None, or NULL: hashes, PKCS #1 v1.5 and ECDSA have both (RFC 5754). */
static bool
has_no_parameters(struct der parameters)
{
	return parameters.p == parameters.end ||
	    der_is(parameters, "\x05\x00", 2);
}

static bool
take_digest(struct der *der, struct der *oid)
{
	struct der	 parameters;

	return take_algorithm(der, oid, &parameters) &&
	    has_no_parameters(parameters);
}

/* RFC 5652, section 5.3. */
static bool
read_signer(struct der signer, struct parts *parts)
{
	struct der	 skip, sid;

	return der_take(&signer, DER_INTEGER, &skip) &&
	    der_take(&signer, DER_SEQUENCE, &sid) &&
	    der_take(&sid, DER_SEQUENCE, &parts->issuer) &&
	    der_take(&sid, DER_INTEGER, &parts->serial) &&
	    take_digest(&signer, &parts->digest) &&
	    der_take(&signer, DER_CONTEXT(0), &parts->attributes) &&
	    take_algorithm(&signer, &parts->algorithm, &parts->parameters) &&
	    der_take(&signer, DER_OCTETS, &parts->signature);
}

static bool
unreadable(struct err *err)
{
	return err_set(err, ERR_BUG, "it cannot be read");
}

/* RFC 5652, sections 3 and 5.1. */
static bool
read_parts(struct der all, struct parts *parts, struct err *err)
{
	struct der	 info, oid, wrap, data, skip, digests, encap, signers,
			 signer;

	if (!der_take(&all, DER_SEQUENCE, &info))
		return unreadable(err);
	if (all.p != all.end)
		return err_set(err, ERR_BUG, "bytes after its end");
	if (!der_take(&info, DER_OID, &oid) ||
	    !der_take(&info, DER_CONTEXT(0), &wrap) ||
	    !der_take(&wrap, DER_SEQUENCE, &data) ||
	    !der_take(&data, DER_INTEGER, &skip) ||
	    !der_take(&data, DER_SET, &digests) ||
	    !take_digest(&digests, &parts->announced) ||
	    digests.p != digests.end ||
	    !der_take(&data, DER_SEQUENCE, &encap) ||
	    !der_take(&data, DER_CONTEXT(0), &parts->certificates))
		return unreadable(err);
	if (!is_oid(oid, &oid_signed_data) ||
	    !der_take(&encap, DER_OID, &oid) || encap.p != encap.end)
		return err_set(err, ERR_BUG, "no detached SignedData");
	if (der_tag(&data) == DER_CONTEXT(1) &&		/* CRLs */
	    !der_take(&data, DER_CONTEXT(1), &skip))
		return unreadable(err);
	if (!der_take(&data, DER_SET, &signers))
		return unreadable(err);
	if (der_count(signers) != 1)
		return err_set(err, ERR_BUG, "not exactly one signer");
	if (!der_take(&signers, DER_SEQUENCE, &signer) ||
	    !read_signer(signer, parts))
		return unreadable(err);
	return true;
}

/* The one value of the one attribute with this name (RFC 5652, section 11). */
static bool
find_attribute(struct der attributes, const struct oid *name, int tag,
    struct der *value)
{
	struct der	 attribute, oid, values;
	size_t		 n = 0;

	while (der_take(&attributes, DER_SEQUENCE, &attribute)) {
		if (!der_take(&attribute, DER_OID, &oid))
			return false;
		if (!is_oid(oid, name))
			continue;
		n++;
		if (!der_take(&attribute, DER_SET, &values) ||
		    !der_take(&values, tag, value) || values.p != values.end)
			return false;
	}
	return n == 1;
}

/* Do the signed attributes say what is being sent? */
static bool
check_attributes(const struct parts *parts, enum digest digest,
    const uint8_t *hash, struct err *err)
{
	struct der	 value;

	if (!is_oid(parts->digest, &algorithms[digest].digest) ||
	    !is_oid(parts->announced, &algorithms[digest].digest))
		return err_set(err, ERR_BUG, "not made with %s",
		    alg_digest_name(digest));
	if (!find_attribute(parts->attributes, &oid_content_type, DER_OID,
	    &value) || !is_oid(value, &oid_data))
		return err_set(err, ERR_BUG, "contentType is not data");
	if (!find_attribute(parts->attributes, &oid_message_digest,
	    DER_OCTETS, &value) || !der_is(value, hash,
	    alg_digest_len(digest)))
		return err_set(err, ERR_BUG,
		    "messageDigest is not the mail's");
	return true;
}

static bool
is_same(struct der a, struct der b)
{
	return der_is(a, b.p, (size_t)(b.end - b.p));
}

/* RFC 5280, section 4.1: version [0], serialNumber, signature, issuer. */
static bool
is_signers(struct der certificate, const struct parts *parts)
{
	struct der	 tbs, skip, serial, issuer;

	if (!der_take(&certificate, DER_SEQUENCE, &tbs))
		return false;
	if (der_tag(&tbs) == DER_CONTEXT(0) &&
	    !der_take(&tbs, DER_CONTEXT(0), &skip))
		return false;
	return der_take(&tbs, DER_INTEGER, &serial) &&
	    der_take(&tbs, DER_SEQUENCE, &skip) &&
	    der_take(&tbs, DER_SEQUENCE, &issuer) &&
	    is_same(serial, parts->serial) && is_same(issuer, parts->issuer);
}

static X509 *
find_certificate(const struct parts *parts, struct err *err)
{
	struct der	 list = parts->certificates, certificate;
	const uint8_t	*start;
	X509		*x509;

	for (;;) {
		start = list.p;
		if (!der_take(&list, DER_SEQUENCE, &certificate)) {
			err_set(err, ERR_BUG,
			    "the signer's certificate is not in it");
			return NULL;
		}
		if (is_signers(certificate, parts))
			break;
	}
	x509 = cert_cache_get(start, (size_t)(list.p - start));
	if (x509 == NULL)
		err_openssl(err, ERR_BUG, "the signer's certificate");
	return x509;
}

static bool
is_pss(const struct parts *parts, enum digest digest)
{
	uint8_t	 want[ALG_PSS_LEN];

	alg_pss_parameters(digest, want);
	return is_oid(parts->algorithm, &oid_rsa_pss) &&
	    der_is(parts->parameters, want, sizeof(want));
}

/* Is it a way to sign for this key, and with this digest? */
static bool
fits_key(const struct parts *parts, enum digest digest, EVP_PKEY *key,
    bool *use_pss)
{
	*use_pss = is_pss(parts, digest);
	if (!*use_pss && !has_no_parameters(parts->parameters))
		return false;
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
		return *use_pss || is_oid(parts->algorithm, &oid_rsa);
	case EVP_PKEY_RSA_PSS:
		return *use_pss;
	case EVP_PKEY_EC:
		return is_oid(parts->algorithm, &algorithms[digest].ecdsa);
	}
	return false;
}

static bool
set_pss(EVP_PKEY_CTX *ctx)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

/*
 * The attributes are signed as a SET, not with the tag that they have inside
 * (RFC 5652, section 5.4).
 */
static bool
verify(const struct parts *parts, enum digest digest, EVP_PKEY *key,
    bool use_pss, struct err *err)
{
	struct der	 signature = parts->signature;
	struct buf	 set = { 0 };
	EVP_MD_CTX	*ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX	*key_ctx;
	size_t		 len = (size_t)(parts->attributes.end -
			    parts->attributes.p);
	bool		 is_ok;

	buf_reserve(&set, len + 8);
	der_head(&set, DER_SET, len);
	buf_add(&set, parts->attributes.p, len);
	is_ok = !set.failed && ctx != NULL &&
	    EVP_DigestVerifyInit_ex(ctx, &key_ctx, alg_digest_openssl(digest),
	    NULL, NULL, key, NULL) == 1 && (!use_pss || set_pss(key_ctx)) &&
	    EVP_DigestVerify(ctx, signature.p,
	    (size_t)(signature.end - signature.p), set.data, set.len) == 1;
	if (!is_ok)
		err_openssl(err, ERR_BUG, "the signature does not verify");
	EVP_MD_CTX_free(ctx);
	buf_free(&set);
	return is_ok;
}

static bool
check_signature(const struct parts *parts, enum digest digest,
    struct err *err)
{
	X509		*x509;
	EVP_PKEY	*key;
	bool		 is_ok, use_pss;

	if ((x509 = find_certificate(parts, err)) == NULL)
		return false;
	if ((key = X509_get0_pubkey(x509)) == NULL)
		is_ok = err_openssl(err, ERR_BUG, "the signer's key");
	else if (!fits_key(parts, digest, key, &use_pss))
		is_ok = err_set(err, ERR_BUG,
		    "an algorithm that is not its key's");
	else
		is_ok = verify(parts, digest, key, use_pss, err);
	X509_free(x509);
	return is_ok;
}

bool
sign_check(const uint8_t *der, size_t len, enum digest digest,
    const uint8_t *hash, struct err *err)
{
	struct parts	 parts;

	if (read_parts((struct der){ der, der + len }, &parts, err) &&
	    check_attributes(&parts, digest, hash, err) &&
	    check_signature(&parts, digest, err))
		return true;
	return err_prefix(err, "check the new signature");
}
