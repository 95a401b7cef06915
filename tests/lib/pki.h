/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_LIB_PKI_H
#define TESTS_LIB_PKI_H

/*
 * Certificates and keys made for one test, by libcrypto: any day, any
 * weakness.  A failure ends the test, for nothing would be tested without.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define PKI_DAY		((int64_t)24 * 3600)
/* 2026-06-01T00:00:00Z, the day on which tests stand. */
#define PKI_NOW		((int64_t)1780272000)

struct pki_spec {
	const char	*cn;
	const char	*alt;		/* "email:a@example.org"; or NULL */
	const char	*subject_email;	/* in the subject; NULL: none */
	const char	*ku;		/* NULL: none */
	const char	*eku;		/* NULL: none */
	bool		 is_ca;
	int64_t		 from;		/* days from PKI_NOW; 0 is -30 */
	int64_t		 until;		/* days from PKI_NOW; 0 is 365 */
	const char	*md;		/* NULL: SHA256 */
	const char	*extra;		/* OID, critical, nobody knows it */
};

struct pki_cert {
	X509		*x509;
	EVP_PKEY	*key;
	uint8_t		*der;
	size_t		 der_len;
};

static inline void
pki_must(bool ok, const char *what)
{
	if (ok)
		return;
	printf("pki.h: %s failed\n", what);
	exit(1);
}

/* EVP_PKEY_Q_keygen() does not know this one; 2048 bits is its default. */
static inline EVP_PKEY *
pki_pss_key(void)
{
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
	EVP_PKEY	*key = NULL;

	pki_must(EVP_PKEY_keygen_init(ctx) > 0 &&
	    EVP_PKEY_generate(ctx, &key) > 0, "RSA-PSS");
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static inline EVP_PKEY *
pki_key(const char *kind)
{
	EVP_PKEY	*key;

	if (strcmp(kind, "RSA-PSS") == 0)
		key = pki_pss_key();
	else if (strncmp(kind, "RSA", 3) == 0)
		key = EVP_RSA_gen((unsigned)atoi(kind + 3));
	else if (strncmp(kind, "P-", 2) == 0)
		key = EVP_EC_gen(kind);
	else
		key = EVP_PKEY_Q_keygen(NULL, NULL, kind);
	pki_must(key != NULL, kind);
	return key;
}

static inline void
pki_add_ext(X509 *x509, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION	*ext;

	if (value == NULL)
		return;
	ext = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
	pki_must(ext != NULL && X509_add_ext(x509, ext, -1), value);
	X509_EXTENSION_free(ext);
}

static inline void
pki_add_unknown(X509 *x509, const char *oid)
{
	ASN1_OBJECT		*obj = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING	*data = ASN1_OCTET_STRING_new();
	X509_EXTENSION		*ext;

	ASN1_OCTET_STRING_set(data, (const unsigned char *)"\5\0", 2);
	ext = X509_EXTENSION_create_by_OBJ(NULL, obj, 1, data);
	pki_must(ext != NULL && X509_add_ext(x509, ext, -1), oid);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(data);
	ASN1_OBJECT_free(obj);
}

static inline void
pki_name(X509_NAME *name, const char *cn, const char *email)
{
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	    (const unsigned char *)cn, -1, -1, 0);
	if (email != NULL)
		X509_NAME_add_entry_by_NID(name, NID_pkcs9_emailAddress,
		    MBSTRING_ASC, (const unsigned char *)email, -1, -1, 0);
}

/* Signed by the issuer, by itself if that is NULL.  The key is kept. */
static inline struct pki_cert
pki_issue(const struct pki_spec *spec, EVP_PKEY *key,
    const struct pki_cert *issuer)
{
	static long	 serial = 1000;
	struct pki_cert	 cert = { X509_new(), key, NULL, 0 };
	X509		*by = issuer == NULL ? cert.x509 : issuer->x509;
	EVP_PKEY	*by_key = issuer == NULL ? key : issuer->key;
	bool		 has_md = !EVP_PKEY_is_a(by_key, "ED25519");
	int64_t		 from = spec->from == 0 ? -30 : spec->from;
	int64_t		 until = spec->until == 0 ? 365 : spec->until;
	X509V3_CTX	 ctx;
	int		 len;

	X509_set_version(cert.x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert.x509), ++serial);
	pki_name(X509_get_subject_name(cert.x509), spec->cn,
	    spec->subject_email);
	X509_set_issuer_name(cert.x509, X509_get_subject_name(by));
	ASN1_TIME_set(X509_getm_notBefore(cert.x509),
	    (time_t)(PKI_NOW + from * PKI_DAY));
	ASN1_TIME_set(X509_getm_notAfter(cert.x509),
	    (time_t)(PKI_NOW + until * PKI_DAY));
	X509_set_pubkey(cert.x509, key);
	X509V3_set_ctx(&ctx, by, cert.x509, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&ctx);
	pki_add_ext(cert.x509, &ctx, NID_basic_constraints,
	    spec->is_ca ? "critical,CA:TRUE" : NULL);
	pki_add_ext(cert.x509, &ctx, NID_key_usage, spec->ku);
	pki_add_ext(cert.x509, &ctx, NID_ext_key_usage, spec->eku);
	pki_add_ext(cert.x509, &ctx, NID_subject_alt_name, spec->alt);
	pki_add_ext(cert.x509, &ctx, NID_subject_key_identifier, "hash");
	pki_add_ext(cert.x509, &ctx, NID_authority_key_identifier,
	    issuer == NULL ? NULL : "keyid");
	if (spec->extra != NULL)
		pki_add_unknown(cert.x509, spec->extra);
	pki_must(X509_sign(cert.x509, by_key, !has_md ? NULL :
	    EVP_get_digestbyname(spec->md == NULL ? "SHA256" : spec->md)) > 0,
	    "X509_sign");
	len = i2d_X509(cert.x509, &cert.der);
	pki_must(len > 0, "i2d_X509");
	cert.der_len = (size_t)len;
	return cert;
}

/* The key is freed apart: several certificates may have the same. */
static inline void
pki_free(struct pki_cert *cert)
{
	X509_free(cert->x509);
	OPENSSL_free(cert->der);
	memset(cert, 0, sizeof(*cert));
}

/* A CRL as it is to be; signed by pki_crl(). */
struct pki_crl_spec {
	long		 number;	/* 0: none */
	int64_t		 from;		/* days from PKI_NOW; 0 is -1 */
	int64_t		 until;		/* days from PKI_NOW; 0 is 30 */
	int		 reason;	/* of each entry; -1: none */
	/* An extension of the list, its value as in openssl.cnf. */
	int		 nid;		/* 0: none */
	const char	*value;
	const char	*extra;		/* OID, critical, nobody knows it */
};

static inline void
pki_crl_add(X509_CRL *crl, const ASN1_INTEGER *serial, int reason)
{
	X509_REVOKED	*entry = X509_REVOKED_new();
	ASN1_TIME	*when = ASN1_TIME_set(NULL, (time_t)(PKI_NOW -
			    PKI_DAY));
	ASN1_ENUMERATED	*why = ASN1_ENUMERATED_new();

	X509_REVOKED_set_serialNumber(entry,
	    (ASN1_INTEGER *)(uintptr_t)serial);
	X509_REVOKED_set_revocationDate(entry, when);
	if (reason >= 0) {
		ASN1_ENUMERATED_set(why, reason);
		X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, why, 0, 0);
	}
	pki_must(X509_CRL_add0_revoked(crl, entry) == 1, "add to a CRL");
	ASN1_ENUMERATED_free(why);
	ASN1_TIME_free(when);
}

static inline void
pki_crl_exts(X509_CRL *crl, const struct pki_crl_spec *spec)
{
	ASN1_INTEGER		*number = ASN1_INTEGER_new();
	ASN1_OCTET_STRING	*data = ASN1_OCTET_STRING_new();
	X509_EXTENSION		*ext;

	if (spec->number != 0) {
		ASN1_INTEGER_set(number, spec->number);
		X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0);
	}
	if (spec->nid != 0) {
		X509V3_CTX	 ctx;

		X509V3_set_ctx(&ctx, NULL, NULL, NULL, crl, 0);
		X509V3_set_ctx_nodb(&ctx);
		ext = X509V3_EXT_conf_nid(NULL, &ctx, spec->nid, spec->value);
		pki_must(ext != NULL && X509_CRL_add_ext(crl, ext, -1),
		    spec->value);
		X509_EXTENSION_free(ext);
	}
	if (spec->extra != NULL) {
		ASN1_OBJECT	*obj = OBJ_txt2obj(spec->extra, 1);

		ASN1_OCTET_STRING_set(data, (const unsigned char *)"\5\0", 2);
		ext = X509_EXTENSION_create_by_OBJ(NULL, obj, 1, data);
		X509_CRL_add_ext(crl, ext, -1);
		X509_EXTENSION_free(ext);
		ASN1_OBJECT_free(obj);
	}
	ASN1_OCTET_STRING_free(data);
	ASN1_INTEGER_free(number);
}

/*
 * The list of a CA, of n serial numbers; the name is the CA's, the signature
 * that of its key.  Its DER is freed with OPENSSL_free().
 */
static inline uint8_t *
pki_crl(const struct pki_crl_spec *spec, const struct pki_cert *ca,
    const ASN1_INTEGER *const *serials, size_t n, size_t *len)
{
	X509_CRL	*crl = X509_CRL_new();
	int64_t		 from = spec->from == 0 ? -1 : spec->from;
	int64_t		 until = spec->until == 0 ? 30 : spec->until;
	ASN1_TIME	*this_update = ASN1_TIME_set(NULL,
			    (time_t)(PKI_NOW + from * PKI_DAY));
	ASN1_TIME	*next_update = ASN1_TIME_set(NULL,
			    (time_t)(PKI_NOW + until * PKI_DAY));
	uint8_t		*der = NULL;
	int		 der_len;

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->x509));
	X509_CRL_set1_lastUpdate(crl, this_update);
	X509_CRL_set1_nextUpdate(crl, next_update);
	for (size_t i = 0; i < n; i++)
		pki_crl_add(crl, serials[i], spec->reason);
	pki_crl_exts(crl, spec);
	pki_must(X509_CRL_sign(crl, ca->key, EVP_sha256()) > 0,
	    "X509_CRL_sign");
	der_len = i2d_X509_CRL(crl, &der);
	pki_must(der_len > 0, "i2d_X509_CRL");
	X509_CRL_free(crl);
	ASN1_TIME_free(this_update);
	ASN1_TIME_free(next_update);
	*len = (size_t)der_len;
	return der;
}

/* A plain PKCS#8 PrivateKeyInfo; freed with OPENSSL_free(). */
static inline uint8_t *
pki_pkcs8(const EVP_PKEY *key, size_t *len)
{
	PKCS8_PRIV_KEY_INFO	*info = EVP_PKEY2PKCS8(key);
	uint8_t			*der = NULL;
	int			 n = i2d_PKCS8_PRIV_KEY_INFO(info, &der);

	pki_must(n > 0, "PKCS#8");
	PKCS8_PRIV_KEY_INFO_free(info);
	*len = (size_t)n;
	return der;
}

#endif
