/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "store/bundle_impl.h"
#include "store/cert.h"
#include "store/ber.h"
#include "store/pkcs12.h"

/* EncryptedPrivateKeyInfo: what comes so is kept so, byte for byte. */
static void
read_wrapped_key(struct bundle_reader *r, const char *where, const uint8_t *der,
    size_t len)
{
	struct bundle_item	*item;
	const uint8_t		*p = der;
	struct buf		 plain = { 0 };
	X509_SIG		*sig = d2i_X509_SIG(NULL, &p, (long)len);
	const char		*word = NULL;
	struct err		 err;
	bool			 is_locked = false;

	if (sig == NULL)
		err_openssl(&err, ERR_DATA, "no readable protected key");
	else if (pkcs8_unlock(sig, r->passphrases, &plain, &word, &is_locked,
	    &err)) {
		size_t	 before = r->bundle->n;

		bundle_add_key_take(r->bundle, where, &plain, NULL);
		item = r->bundle->n > before ? &r->bundle->items[before] : NULL;
		if (item != NULL && item->reason == NULL && word != NULL &&
		    word[0] != '\0')
			buf_add(&item->wrapped, der, len);
		X509_SIG_free(sig);
		return;
	}
	X509_SIG_free(sig);
	if ((item = bundle_add(r->bundle, BUNDLE_KEY, where)) != NULL) {
		item->is_locked = is_locked;
		item->reason = mem_str(err.reason);
	}
}

static void
read_plain_key(struct bundle_reader *r, const char *where, const uint8_t *der,
    size_t len)
{
	struct buf	 plain = { .is_secret = true };

	buf_add(&plain, der, len);
	bundle_add_key_take(r->bundle, where, &plain, NULL);
}

static void
read_traditional_key(struct bundle_reader *r, const char *where,
    const uint8_t *der, size_t len, const char *passphrase)
{
	struct buf	 plain = { .is_secret = true };
	struct err	 err;

	if (pkcs8_of_traditional(der, len, &plain, &err))
		bundle_add_key_take(r->bundle, where, &plain, passphrase);
	else
		bundle_add_unread(r->bundle, BUNDLE_KEY, where, &err);
	buf_free(&plain);
}

static const uint8_t	 oid_signed_data[] = {	/* 1.2.840.113549.1.7.2 */
	0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02
};

static bool
is_oid(const struct ber *d, const uint8_t *oid, size_t len)
{
	return d->tag == DER_OID && d->len == len &&
	    memcmp(d->data, oid, len) == 0;
}

/* Each certificate by itself, so that a damaged one spoils no other. */
static void
read_cert_set(struct bundle_reader *r, const char *where, const struct ber *set,
    enum bundle_kind kind)
{
	const uint8_t	*p = set->data;
	size_t		 len = set->len;
	unsigned int	 n = 0;
	struct ber	 d;

	while (ber_next(&p, &len, &d)) {
		char	*at = mem_strf("%s%s%s %u", where,
			    where[0] == '\0' ? "" : ", ",
			    bundle_kind_name(kind), ++n);

		/* Attribute certificates and the like have other tags. */
		if (d.tag != DER_SEQUENCE)
			bundle_add_refused(r->bundle, BUNDLE_OTHER, at,
			    "not an X.509 certificate");
		else if (kind == BUNDLE_CERT)
			bundle_add_cert(r->bundle, at, d.whole, d.whole_len);
		else
			bundle_add_crl(r->bundle, at, d.whole, d.whole_len);
		free(at);
	}
	if (len > 2)
		bundle_add_refused(r->bundle, BUNDLE_OTHER, where,
		    "the rest of its certificates cannot be read");
}

/*
 * SignedData (RFC 5652, 5.1): version, digest algorithms, content, [0]
 * certificates, [1] CRLs, signers.  Without signers it is a bag of
 * certificates; with them it is a signature, whose certificates somebody
 * else has chosen.
 */
static void
read_signed_data(struct bundle_reader *r, const char *where,
    const struct ber *d)
{
	const uint8_t	*p = d->data;
	size_t		 len = d->len, before = r->bundle->n;
	struct ber	 field, signers = { 0 };

	while (ber_next(&p, &len, &field))
		if (field.tag == DER_CONTEXT(0))
			read_cert_set(r, where, &field, BUNDLE_CERT);
		else if (field.tag == DER_CONTEXT(1))
			read_cert_set(r, where, &field, BUNDLE_CRL);
		else
			signers = field;
	if (r->bundle->n == before)
		bundle_add_refused(r->bundle, BUNDLE_OTHER, where,
		    "a PKCS#7 file without certificates");
	for (size_t i = before; i < r->bundle->n; i++)
		r->bundle->items[i].is_signature = signers.len > 0;
}

/* ContentInfo (RFC 5652, 3). */
static void
read_content_info(struct bundle_reader *r, const char *where,
    const struct ber *seq)
{
	const uint8_t	*p = seq->data;
	size_t		 len = seq->len;
	struct ber	 type, content, data;

	if (!ber_next(&p, &len, &type) ||
	    !is_oid(&type, oid_signed_data, sizeof(oid_signed_data)))
		bundle_add_refused(r->bundle, BUNDLE_OTHER, where,
		    "a PKCS#7 file of a kind that holds no certificates");
	else if (!ber_expect(&p, &len, DER_CONTEXT(0), &content) ||
	    !ber_expect(&content.data, &content.len, DER_SEQUENCE, &data))
		bundle_add_refused(r->bundle, BUNDLE_OTHER, where,
		    "a damaged PKCS#7 file");
	else
		read_signed_data(r, where, &data);
}

/* SEQUENCE first: a certificate, CRL, request, public or protected key. */
static void
read_sequence_first(struct bundle_reader *r, const char *where,
    const struct ber *seq)
{
	const uint8_t	*p = seq->data, *q;
	size_t		 len = seq->len;
	struct ber	 body, second;
	struct err	 err;
	bool		 is_cert;
	X509_CRL	*crl;

	if (!ber_next(&p, &len, &body) || !ber_next(&p, &len, &second)) {
		bundle_add_refused(r->bundle, BUNDLE_OTHER, where,
		    "neither a certificate nor a key");
		return;
	}
	if (second.tag == DER_OCTETS) {
		read_wrapped_key(r, where, seq->whole, seq->whole_len);
		return;
	}
	if (second.tag == DER_BITS) {
		bundle_add_refused(r->bundle, BUNDLE_OTHER, where,
		    "a public key, not a certificate");
		return;
	}
	/* Both begin alike; a CRL that reads as one is one. */
	is_cert = cert_is_readable(seq->whole, seq->whole_len, &err);
	q = seq->whole;
	crl = is_cert ? NULL :
	    d2i_X509_CRL(NULL, &q, (long)seq->whole_len);
	if (crl != NULL)
		bundle_add_bytes(r->bundle, BUNDLE_CRL, where, seq->whole,
		    seq->whole_len);
	else if (is_cert)
		bundle_add_bytes(r->bundle, BUNDLE_CERT, where, seq->whole,
		    seq->whole_len);
	else
		bundle_add_unread(r->bundle, BUNDLE_CERT, where, &err);
	X509_CRL_free(crl);
	ERR_clear_error();
}

/*
 * INTEGER first, a version: PKCS#12 (version 3), PKCS#8 (0 or 1, then an
 * algorithm), a traditional EC key (1, then octets), RSA or DSA (0, then more
 * integers).
 */
static void
read_integer_first(struct bundle_reader *r, const char *where,
    const struct ber *seq)
{
	const uint8_t	*p = seq->data;
	size_t		 len = seq->len;
	struct ber	 version, second = { 0 };

	if (!ber_next(&p, &len, &version) || !ber_next(&p, &len, &second))
		bundle_add_refused(r->bundle, BUNDLE_OTHER, where,
		    "neither a certificate nor a key");
	else if (second.tag == DER_SEQUENCE && version.len == 1 &&
	    version.data[0] == 3)
		pkcs12_read(r->bundle, where, seq->whole, seq->whole_len,
		    r->passphrases);
	else if (second.tag == DER_SEQUENCE)
		read_plain_key(r, where, seq->whole, seq->whole_len);
	else
		read_traditional_key(r, where, seq->whole, seq->whole_len,
		    NULL);
}

static void
read_element(struct bundle_reader *r, const char *where, const struct ber *seq)
{
	switch (seq->len > 0 ? seq->data[0] : 0) {
	case DER_OID:
		read_content_info(r, where, seq);
		break;
	case DER_SEQUENCE:
		read_sequence_first(r, where, seq);
		break;
	case DER_INTEGER:
		read_integer_first(r, where, seq);
		break;
	default:
		bundle_add_refused(r->bundle, BUNDLE_OTHER, where,
		    "neither a certificate nor a key");
		break;
	}
}

/* One element, or several in a row as "cat *.der" makes them. */
void
bundle_read_der(struct bundle_reader *r, const char *where, const uint8_t *data,
    size_t len)
{
	unsigned int	 n = 0;
	struct ber	 d;

	while (!r->bundle->is_full &&
	    ber_expect(&data, &len, DER_SEQUENCE, &d)) {
		char	*at = n++ == 0 ? mem_str(where) :
			    mem_strf("%s%selement %u", where,
			    where[0] == '\0' ? "" : ", ", n);

		read_element(r, at, &d);
		free(at);
	}
	if (n == 0)
		bundle_add_refused(r->bundle, BUNDLE_OTHER, where,
		    "it is cut off or damaged: no whole DER element");
}
