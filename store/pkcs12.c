/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include "base/mem.h"
#include "store/bundle_impl.h"
#include "store/pkcs12.h"

#define NESTING_MAX	4	/* bags of bags */

struct reader {
	struct bundle		*bundle;
	const char		*where;
	struct passphrases	 passphrases;	/* borrowed words */
	const char		*word;	/* what opened it so far */
	bool			 is_open;	/* word is known to be right */
	unsigned int		 n_bags;
};

static void
add_unread(struct reader *r, enum bundle_kind kind, const char *where,
    bool is_locked, const struct err *err)
{
	bundle_add_unread(r->bundle, kind, where, err);
	if (!r->bundle->is_full)
		r->bundle->items[r->bundle->n - 1].is_locked = is_locked;
}

static bool
refuse_locked(const struct reader *r, struct err *err)
{
	return err_set(err, ERR_DATA, r->passphrases.n == 0 ?
	    "PKCS#12 under a passphrase, and none was given" :
	    "no passphrase given opens this PKCS#12 file");
}

/* RFC 9579; OpenSSL reads it from 3.4 on. */
static bool
is_pbmac1(const X509_ALGOR *alg)
{
	static const uint8_t	 oid[] = {	/* 1.2.840.113549.1.5.14 */
		0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0e
	};

	return OBJ_length(alg->algorithm) == sizeof(oid) &&
	    memcmp(OBJ_get0_data(alg->algorithm), oid, sizeof(oid)) == 0;
}

/* Find the passphrase by the file's own check value, if it has one. */
static bool
check_mac(struct reader *r, PKCS12 *p12, bool *is_locked, struct err *err)
{
	const X509_ALGOR	*alg = NULL;
	const ASN1_INTEGER	*rounds = NULL;
	int64_t			 n = 1;

	if (!PKCS12_mac_present(p12))
		return true;
	PKCS12_get0_mac(NULL, &alg, NULL, &rounds, p12);
	if (is_pbmac1(alg))
		return err_set(err, ERR_DATA, "PKCS#12 with the check value "
		    "PBMAC1 (RFC 9579), which cannot be read here: export it "
		    "anew with the older HMAC check value");
	if (rounds != NULL && (ASN1_INTEGER_get_int64(&n, rounds) != 1 ||
	    n < 1 || n > PKCS8_ROUNDS_MAX))
		return err_set(err, ERR_DATA, "its check value asks for more "
		    "than %d rounds", PKCS8_ROUNDS_MAX);
	for (size_t i = 0; passphrases_get(&r->passphrases, i, &r->word); i++) {
		ERR_clear_error();
		if (PKCS12_verify_mac(p12, r->word,
		    r->word == NULL ? 0 : (int)strlen(r->word)) == 1) {
			r->is_open = true;
			return true;
		}
		if (pkcs8_is_unsupported(err))
			return false;
	}
	*is_locked = true;
	return refuse_locked(r, err);
}

static void
read_cert_bag(struct reader *r, const char *where, const PKCS12_SAFEBAG *bag)
{
	X509		*cert = PKCS12_SAFEBAG_get1_cert(bag);
	uint8_t		*der = NULL;
	int		 len = cert == NULL ? 0 : i2d_X509(cert, &der);
	struct err	 err;

	if (len > 0)
		bundle_add_cert(r->bundle, where, der, (size_t)len);
	else {
		err_openssl(&err, ERR_DATA, "no readable certificate");
		bundle_add_unread(r->bundle, BUNDLE_CERT, where, &err);
	}
	OPENSSL_free(der);
	X509_free(cert);
}

static void
read_crl_bag(struct reader *r, const char *where, const PKCS12_SAFEBAG *bag)
{
	X509_CRL	*crl = PKCS12_SAFEBAG_get1_crl(bag);
	uint8_t		*der = NULL;
	int		 len = crl == NULL ? 0 : i2d_X509_CRL(crl, &der);
	struct err	 err;

	if (len > 0)
		bundle_add_crl(r->bundle, where, der, (size_t)len);
	else {
		err_openssl(&err, ERR_DATA, "no readable CRL");
		bundle_add_unread(r->bundle, BUNDLE_CRL, where, &err);
	}
	OPENSSL_free(der);
	X509_CRL_free(crl);
}

static void
read_key_bag(struct reader *r, const char *where, const PKCS12_SAFEBAG *bag)
{
	uint8_t		*der = NULL;
	struct buf	 plain = { .is_secret = true };
	int		 len = i2d_PKCS8_PRIV_KEY_INFO(
			    PKCS12_SAFEBAG_get0_p8inf(bag), &der);

	if (len > 0)
		buf_add(&plain, der, (size_t)len);
	bundle_add_key_take(r->bundle, where, &plain, NULL);
	OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
}

static void
read_shrouded_bag(struct reader *r, const char *where,
    const PKCS12_SAFEBAG *bag)
{
	struct buf	 plain = { 0 };
	const char	*word = NULL;
	bool		 is_locked = false;
	struct err	 err;

	if (pkcs8_unlock(PKCS12_SAFEBAG_get0_pkcs8(bag), &r->passphrases,
	    &plain, &word, &is_locked, &err))
		bundle_add_key_take(r->bundle, where, &plain, word);
	else
		add_unread(r, BUNDLE_KEY, where, is_locked, &err);
	buf_free(&plain);
}

static void
read_bags(struct reader *r, const STACK_OF(PKCS12_SAFEBAG) *bags,
    unsigned int depth)
{
	struct err	 err;

	for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++) {
		const PKCS12_SAFEBAG	*bag = sk_PKCS12_SAFEBAG_value(bags, i);
		char			*where;

		if (r->bundle->is_full)
			return;
		where = mem_strf("%s%sbag %u", r->where,
		    r->where[0] == '\0' ? "" : ", ", ++r->n_bags);
		switch (PKCS12_SAFEBAG_get_nid(bag)) {
		case NID_certBag:
			read_cert_bag(r, where, bag);
			break;
		case NID_crlBag:
			read_crl_bag(r, where, bag);
			break;
		case NID_keyBag:
			read_key_bag(r, where, bag);
			break;
		case NID_pkcs8ShroudedKeyBag:
			read_shrouded_bag(r, where, bag);
			break;
		case NID_safeContentsBag:
			if (depth < NESTING_MAX) {
				read_bags(r, PKCS12_SAFEBAG_get0_safes(bag),
				    depth + 1);
				break;
			}
			/* FALLTHROUGH */
		default:
			err_set(&err, ERR_DATA, "neither a certificate, a key "
			    "nor a CRL");
			bundle_add_unread(r->bundle, BUNDLE_OTHER, where, &err);
			break;
		}
		free(where);
	}
}

/* The parts of a file may be encrypted apart, without any check value. */
static STACK_OF(PKCS12_SAFEBAG) *
decrypt(struct reader *r, PKCS7 *part, bool *is_locked, struct err *err)
{
	const X509_ALGOR		*alg =
	    part->d.encrypted->enc_data->algorithm;
	STACK_OF(PKCS12_SAFEBAG)	*bags = NULL;

	if (!pkcs8_is_affordable(alg, err))
		return NULL;
	for (size_t i = 0; bags == NULL; i++) {
		if (!r->is_open &&
		    !passphrases_get(&r->passphrases, i, &r->word))
			break;
		ERR_clear_error();
		bags = PKCS12_unpack_p7encdata(part, r->word,
		    r->word == NULL ? 0 : (int)strlen(r->word));
		if (bags == NULL && pkcs8_is_unsupported(err))
			return NULL;
		if (bags == NULL && r->is_open) {
			err_openssl(err, ERR_DATA,
			    "a part of this PKCS#12 file is damaged");
			return NULL;
		}
	}
	if (bags == NULL) {
		*is_locked = true;
		refuse_locked(r, err);
	}
	r->is_open = bags != NULL;
	return bags;
}

static void
read_part(struct reader *r, PKCS7 *part)
{
	STACK_OF(PKCS12_SAFEBAG)	*bags = NULL;
	bool				 is_locked = false;
	struct err			 err;

	if (PKCS7_type_is_data(part)) {
		if ((bags = PKCS12_unpack_p7data(part)) == NULL)
			err_openssl(&err, ERR_DATA,
			    "a part of this PKCS#12 file is damaged");
	} else if (PKCS7_type_is_encrypted(part) &&
	    part->d.encrypted != NULL)
		bags = decrypt(r, part, &is_locked, &err);
	else
		err_set(&err, ERR_DATA, "a part of this PKCS#12 file is "
		    "not under a passphrase, which is not supported");
	if (bags == NULL)
		add_unread(r, BUNDLE_OTHER, r->where, is_locked, &err);
	else
		read_bags(r, bags, 0);
	sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}

static STACK_OF(PKCS7) *
unpack(struct reader *r, PKCS12 *p12, bool *is_locked, struct err *err)
{
	STACK_OF(PKCS7)	*parts;

	if (!check_mac(r, p12, is_locked, err))
		return NULL;
	if ((parts = PKCS12_unpack_authsafes(p12)) == NULL)
		err_openssl(err, ERR_DATA, "a PKCS#12 file that is damaged, "
		    "or signed instead of under a passphrase");
	return parts;
}

void
pkcs12_read(struct bundle *bundle, const char *where, const uint8_t *data,
    size_t len, const struct passphrases *passphrases)
{
	struct reader	 r = { .bundle = bundle, .where = where,
			    .passphrases = *passphrases };
	STACK_OF(PKCS7)	*parts = NULL;
	/* Its library context comes along only through a BIO. */
	PKCS12		*p12 = PKCS12_init_ex(NID_pkcs7_data,
			    pkcs8_libctx(), NULL);
	BIO		*in = BIO_new_mem_buf(data, (int)len);
	size_t		 before = bundle->n;
	bool		 is_locked = false;
	struct err	 err;

	if (p12 == NULL || in == NULL || d2i_PKCS12_bio(in, &p12) == NULL)
		err_openssl(&err, ERR_DATA, "a damaged PKCS#12 file");
	else
		parts = unpack(&r, p12, &is_locked, &err);
	if (parts == NULL)
		add_unread(&r, BUNDLE_OTHER, where, is_locked, &err);
	for (int i = 0; i < sk_PKCS7_num(parts); i++)
		read_part(&r, sk_PKCS7_value(parts, i));
	if (bundle->n == before) {
		err_set(&err, ERR_DATA, "a PKCS#12 file with nothing in it");
		bundle_add_unread(bundle, BUNDLE_OTHER, where, &err);
	}
	sk_PKCS7_pop_free(parts, PKCS7_free);
	PKCS12_free(p12);
	BIO_free(in);
	ERR_clear_error();
}
