/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "store/cert_key.h"
#include "store/ber.h"

#define RSA_BITS_MAX	16384	/* beyond it, using one is a way to stall us */

/* The curves that S/MIME programs read (RFC 5753, RFC 8551, section 2.3). */
static const struct {
	int		 nid;
	const char	*name;
} curves[] = {
	{ NID_X9_62_prime256v1, "P-256" },
	{ NID_secp384r1, "P-384" },
	{ NID_secp521r1, "P-521" },
};
#define CURVES	(sizeof(curves) / sizeof(curves[0]))

static EC_GROUP	*groups[CURVES];

static void
make_groups(void)
{
	for (size_t i = 0; i < CURVES; i++)
		if ((groups[i] = EC_GROUP_new_by_curve_name(curves[i].nid)) ==
		    NULL)
			abort();
}

/* --- the usual keys ----------------------------------------------------------- */

/* RSAPublicKey (RFC 8017, A.1.1) with positive numbers as DER wants them. */
static bool
read_rsa(const uint8_t *p, size_t len, struct cert_facts *facts)
{
	struct ber	 both, n, e;
	uint32_t	 bits;

	if (!ber_expect(&p, &len, DER_SEQUENCE, &both) || len != 0 ||
	    !ber_expect(&both.data, &both.len, DER_INTEGER, &n) ||
	    !ber_expect(&both.data, &both.len, DER_INTEGER, &e) ||
	    both.len != 0 || n.len < 2 || e.len < 1 || e.data[0] >= 0x80)
		return false;
	if (n.data[0] == 0) {
		n.data++;
		n.len--;
		if (n.data[0] < 0x80)
			return false;
	} else if (n.data[0] >= 0x80)
		return false;
	bits = (uint32_t)(n.len - 1) * 8;
	for (unsigned int first = n.data[0]; first != 0; first >>= 1)
		bits++;
	facts->key_kind = CERT_KEY_RSA;
	facts->key_bits = bits;
	return true;
}

/* An uncompressed point (RFC 5480, section 2.2) that is on its curve. */
static bool
read_ec(const X509_ALGOR *algorithm, const uint8_t *p, size_t len,
    struct cert_facts *facts)
{
	static pthread_once_t	 once = PTHREAD_ONCE_INIT;
	const void		*oid;
	EC_POINT		*point;
	int			 type, nid;
	bool			 is_ok;

	X509_ALGOR_get0(NULL, &type, &oid, algorithm);
	if (type != V_ASN1_OBJECT || len == 0 ||
	    p[0] != POINT_CONVERSION_UNCOMPRESSED)
		return false;
	nid = OBJ_obj2nid(oid);
	pthread_once(&once, make_groups);
	for (size_t i = 0; i < CURVES; i++) {
		if (curves[i].nid != nid)
			continue;
		if ((point = EC_POINT_new(groups[i])) == NULL)
			abort();
		is_ok = EC_POINT_oct2point(groups[i], point, p, len, NULL) ==
		    1;
		EC_POINT_free(point);
		facts->key_kind = CERT_KEY_EC;
		facts->key_bits = (uint32_t)EC_GROUP_order_bits(groups[i]);
		strcpy(facts->curve, curves[i].name);
		return is_ok;
	}
	return false;
}

static bool
read_usual(const X509_PUBKEY *pub, struct cert_facts *facts)
{
	ASN1_OBJECT		*oid;
	const unsigned char	*p;
	X509_ALGOR		*algorithm;
	int			 len;

	if (X509_PUBKEY_get0_param(&oid, &p, &len, &algorithm, pub) != 1 ||
	    len < 0)
		return false;
	switch (OBJ_obj2nid(oid)) {
	case NID_rsaEncryption:
		return read_rsa(p, (size_t)len, facts);
	case NID_X9_62_id_ecPublicKey:
		return read_ec(algorithm, p, (size_t)len, facts);
	default:
		return false;
	}
}

/* --- any key, by OpenSSL -------------------------------------------------------- */

/* A key of its own: pub may have been read where no decoders are. */
static EVP_PKEY *
decode(const X509_PUBKEY *pub)
{
	unsigned char		*der = NULL;
	const unsigned char	*p;
	EVP_PKEY		*key = NULL;
	int			 len = i2d_X509_PUBKEY(pub, &der);

	p = der;
	if (len > 0)
		key = d2i_PUBKEY(NULL, &p, len);
	OPENSSL_free(der);
	return key;
}

static void
read_curve(const EVP_PKEY *key, struct cert_facts *facts)
{
	char	 group[64] = "";
	int	 nid;

	EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
	nid = OBJ_sn2nid(group);
	snprintf(facts->curve, sizeof(facts->curve), "%.15s",
	    group[0] == '\0' ? "unknown" : group);
	for (size_t i = 0; i < CURVES; i++)
		if (nid == curves[i].nid)
			strcpy(facts->curve, curves[i].name);
}

static void
read_any(const X509_PUBKEY *pub, struct cert_facts *facts)
{
	static const struct {
		int			 id;
		enum cert_key_kind	 kind;
	} kinds[] = {
		{ EVP_PKEY_RSA, CERT_KEY_RSA },
		{ EVP_PKEY_RSA_PSS, CERT_KEY_RSA_PSS },
		{ EVP_PKEY_EC, CERT_KEY_EC },
		{ EVP_PKEY_DSA, CERT_KEY_DSA },
		{ EVP_PKEY_ED25519, CERT_KEY_ED25519 },
		{ EVP_PKEY_ED448, CERT_KEY_ED448 },
		{ EVP_PKEY_X25519, CERT_KEY_X25519 },
		{ EVP_PKEY_X448, CERT_KEY_X448 },
	};
	EVP_PKEY	*key = decode(pub);

	facts->key_kind = CERT_KEY_OTHER;
	facts->curve[0] = '\0';
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (key != NULL && EVP_PKEY_get_base_id(key) == kinds[i].id)
			facts->key_kind = kinds[i].kind;
	facts->key_bits = key == NULL || EVP_PKEY_get_bits(key) < 0 ? 0 :
	    (uint32_t)EVP_PKEY_get_bits(key);
	if (facts->key_kind == CERT_KEY_EC)
		read_curve(key, facts);
	EVP_PKEY_free(key);
}

/* --- what it is good for ---------------------------------------------------------- */

static bool
is_our_curve(const char *name)
{
	for (size_t i = 0; i < CURVES; i++)
		if (strcmp(name, curves[i].name) == 0)
			return true;
	return false;
}

void
cert_key_read(const X509_PUBKEY *pub, struct cert_facts *facts)
{
	bool	 is_known = false;

	if (!read_usual(pub, facts))
		read_any(pub, facts);
	switch (facts->key_kind) {
	case CERT_KEY_RSA:
	case CERT_KEY_RSA_PSS:
		is_known = facts->key_bits <= RSA_BITS_MAX;
		if (facts->key_bits < CERT_RSA_BITS_MIN)
			facts->faults |= CERT_FAULT_WEAK_KEY;
		break;
	case CERT_KEY_EC:
		is_known = is_our_curve(facts->curve);
		break;
	default:
		/*
		 * OpenSSL 3.0's CMS fails for Ed25519 and Ed448 ("no default
		 * digest"), does not do X25519 (RFC 8418), and DSA is dead.
		 */
		break;
	}
	if (!is_known)
		facts->faults |= CERT_FAULT_KEY_KIND;
}

void
cert_key_name(const struct cert_facts *facts, char out[32])
{
	static const char *const	 names[] = {
		[CERT_KEY_RSA] = "RSA",
		[CERT_KEY_RSA_PSS] = "RSA-PSS",
		[CERT_KEY_EC] = "EC",
		[CERT_KEY_DSA] = "DSA",
		[CERT_KEY_ED25519] = "Ed25519",
		[CERT_KEY_ED448] = "Ed448",
		[CERT_KEY_X25519] = "X25519",
		[CERT_KEY_X448] = "X448",
		[CERT_KEY_OTHER] = "unknown",
	};

	switch (facts->key_kind) {
	case CERT_KEY_EC:
		snprintf(out, 32, "EC %s", facts->curve);
		break;
	case CERT_KEY_RSA:
	case CERT_KEY_RSA_PSS:
	case CERT_KEY_DSA:
		snprintf(out, 32, "%s %u", names[facts->key_kind],
		    facts->key_bits);
		break;
	default:
		snprintf(out, 32, "%s", names[facts->key_kind]);
		break;
	}
}
