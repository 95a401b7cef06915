/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "store/bundle.h"
#include "store/cert.h"
#include "store/der.h"
#include "store/pem.h"
#include "store/pkcs12.h"

struct reader {
	struct bundle			*bundle;
	const struct passphrases	*passphrases;
};

const char *
bundle_kind_name(enum bundle_kind kind)
{
	static const char *const	 names[] = {
		[BUNDLE_CERT] = "certificate",
		[BUNDLE_KEY] = "key",
		[BUNDLE_CRL] = "crl",
		[BUNDLE_OTHER] = "other",
	};

	return names[kind];
}

static struct bundle_item *
add_item(struct bundle *bundle, enum bundle_kind kind, const char *where)
{
	struct bundle_item	*item;

	/* Grown by doubling; the capacity is the next power of two. */
	if ((bundle->n & (bundle->n - 1)) == 0)
		bundle->items = mem_grow(bundle->items,
		    bundle->n == 0 ? 1 : 2 * bundle->n, sizeof(*item));
	item = &bundle->items[bundle->n++];
	*item = (struct bundle_item){ .kind = kind, .where = mem_str(where) };
	return item;
}

struct bundle_item *
bundle_add(struct bundle *bundle, enum bundle_kind kind, const char *where)
{
	if (bundle->n < BUNDLE_ITEMS_MAX)
		return add_item(bundle, kind, where);
	bundle->is_full = true;
	return NULL;
}

void
bundle_add_unread(struct bundle *bundle, enum bundle_kind kind,
    const char *where, const struct err *err)
{
	struct bundle_item	*item = bundle_add(bundle, kind, where);

	if (item != NULL)
		item->reason = mem_str(err->reason);
}

static void
add_refused(struct bundle *bundle, enum bundle_kind kind, const char *where,
    const char *reason)
{
	struct err	 err;

	err_set(&err, ERR_DATA, "%s", reason);
	bundle_add_unread(bundle, kind, where, &err);
}

static void
add_bytes(struct bundle *bundle, enum bundle_kind kind, const char *where,
    const uint8_t *der, size_t len)
{
	struct bundle_item	*item = bundle_add(bundle, kind, where);

	if (item == NULL)
		return;
	buf_add(&item->der, der, len);
	if (item->der.failed)
		item->reason = mem_str("no memory for it");
}

void
bundle_add_cert(struct bundle *bundle, const char *where, const uint8_t *der,
    size_t len)
{
	struct err	 err;

	if (cert_is_readable(der, len, &err))
		add_bytes(bundle, BUNDLE_CERT, where, der, len);
	else
		bundle_add_unread(bundle, BUNDLE_CERT, where, &err);
}

void
bundle_add_crl(struct bundle *bundle, const char *where, const uint8_t *der,
    size_t len)
{
	const uint8_t	*p = der;
	X509_CRL	*crl = d2i_X509_CRL(NULL, &p, (long)len);
	struct err	 err;

	if (crl == NULL) {
		err_openssl(&err, ERR_DATA, "no readable CRL");
		bundle_add_unread(bundle, BUNDLE_CRL, where, &err);
	} else
		add_bytes(bundle, BUNDLE_CRL, where, der, len);
	X509_CRL_free(crl);
}

void
bundle_add_key_take(struct bundle *bundle, const char *where,
    struct buf *plain, const char *passphrase)
{
	struct buf		 wrapped = { 0 };
	struct bundle_item	*item;
	EVP_PKEY		*key = NULL;
	struct err		 err;

	if (!pkcs8_load(plain->data, plain->len, &key, &err) ||
	    (passphrase != NULL && passphrase[0] != '\0' &&
	    !pkcs8_wrap(plain->data, plain->len, passphrase, &wrapped, &err)))
		bundle_add_unread(bundle, BUNDLE_KEY, where, &err);
	else if ((item = bundle_add(bundle, BUNDLE_KEY, where)) != NULL) {
		item->der = *plain;
		item->wrapped = wrapped;
		*plain = (struct buf){ 0 };
		wrapped = (struct buf){ 0 };
	}
	EVP_PKEY_free(key);
	buf_free(&wrapped);
	buf_free(plain);
}

struct bundle *
bundle_of_error(const struct err *err)
{
	struct bundle	*bundle = mem_alloc(sizeof(*bundle));

	bundle_add_unread(bundle, BUNDLE_OTHER, "", err);
	return bundle;
}

bool
bundle_is_locked(const struct bundle *bundle)
{
	for (size_t i = 0; i < bundle->n; i++)
		if (bundle->items[i].is_locked)
			return true;
	return false;
}

void
bundle_free(struct bundle *bundle)
{
	if (bundle == NULL)
		return;
	for (size_t i = 0; i < bundle->n; i++) {
		free(bundle->items[i].where);
		free(bundle->items[i].reason);
		buf_free(&bundle->items[i].der);
		buf_free(&bundle->items[i].wrapped);
	}
	free(bundle->items);
	free(bundle);
}

/* EncryptedPrivateKeyInfo: what comes so is kept so, byte for byte. */
static void
read_wrapped_key(struct reader *r, const char *where, const uint8_t *der,
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
read_plain_key(struct reader *r, const char *where, const uint8_t *der,
    size_t len)
{
	struct buf	 plain = { .is_secret = true };

	buf_add(&plain, der, len);
	bundle_add_key_take(r->bundle, where, &plain, NULL);
}

static void
read_traditional_key(struct reader *r, const char *where, const uint8_t *der,
    size_t len, const char *passphrase)
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
is_oid(const struct der *d, const uint8_t *oid, size_t len)
{
	return d->tag == DER_OID && d->len == len &&
	    memcmp(d->data, oid, len) == 0;
}

/* Each certificate by itself, so that a damaged one spoils no other. */
static void
read_cert_set(struct reader *r, const char *where, const struct der *set,
    enum bundle_kind kind)
{
	const uint8_t	*p = set->data;
	size_t		 len = set->len;
	unsigned int	 n = 0;
	struct der	 d;

	while (der_next(&p, &len, &d)) {
		char	*at = mem_strf("%s%s%s %u", where,
			    where[0] == '\0' ? "" : ", ",
			    bundle_kind_name(kind), ++n);

		/* Attribute certificates and the like have other tags. */
		if (d.tag != DER_SEQUENCE)
			add_refused(r->bundle, BUNDLE_OTHER, at,
			    "not an X.509 certificate");
		else if (kind == BUNDLE_CERT)
			bundle_add_cert(r->bundle, at, d.whole, d.whole_len);
		else
			bundle_add_crl(r->bundle, at, d.whole, d.whole_len);
		free(at);
	}
	if (len > 2)
		add_refused(r->bundle, BUNDLE_OTHER, where,
		    "the rest of its certificates cannot be read");
}

/*
 * SignedData (RFC 5652, 5.1): version, digest algorithms, content, [0]
 * certificates, [1] CRLs, signers.  Without signers it is a bag of
 * certificates; with them it is a signature, whose certificates somebody
 * else has chosen.
 */
static void
read_signed_data(struct reader *r, const char *where, const struct der *d)
{
	const uint8_t	*p = d->data;
	size_t		 len = d->len, before = r->bundle->n;
	struct der	 field, signers = { 0 };

	while (der_next(&p, &len, &field))
		if (field.tag == DER_CONTEXT(0))
			read_cert_set(r, where, &field, BUNDLE_CERT);
		else if (field.tag == DER_CONTEXT(1))
			read_cert_set(r, where, &field, BUNDLE_CRL);
		else
			signers = field;
	if (r->bundle->n == before)
		add_refused(r->bundle, BUNDLE_OTHER, where,
		    "a PKCS#7 file without certificates");
	for (size_t i = before; i < r->bundle->n; i++)
		r->bundle->items[i].is_signature = signers.len > 0;
}

/* ContentInfo (RFC 5652, 3). */
static void
read_content_info(struct reader *r, const char *where, const struct der *seq)
{
	const uint8_t	*p = seq->data;
	size_t		 len = seq->len;
	struct der	 type, content, data;

	if (!der_next(&p, &len, &type) ||
	    !is_oid(&type, oid_signed_data, sizeof(oid_signed_data)))
		add_refused(r->bundle, BUNDLE_OTHER, where,
		    "a PKCS#7 file of a kind that holds no certificates");
	else if (!der_expect(&p, &len, DER_CONTEXT(0), &content) ||
	    !der_expect(&content.data, &content.len, DER_SEQUENCE, &data))
		add_refused(r->bundle, BUNDLE_OTHER, where,
		    "a damaged PKCS#7 file");
	else
		read_signed_data(r, where, &data);
}

/* SEQUENCE first: a certificate, CRL, request, public or protected key. */
static void
read_sequence_first(struct reader *r, const char *where,
    const struct der *seq)
{
	const uint8_t	*p = seq->data, *q;
	size_t		 len = seq->len;
	struct der	 body, second;
	struct err	 err;
	bool		 is_cert;
	X509_CRL	*crl;

	if (!der_next(&p, &len, &body) || !der_next(&p, &len, &second)) {
		add_refused(r->bundle, BUNDLE_OTHER, where,
		    "neither a certificate nor a key");
		return;
	}
	if (second.tag == DER_OCTETS) {
		read_wrapped_key(r, where, seq->whole, seq->whole_len);
		return;
	}
	if (second.tag == DER_BITS) {
		add_refused(r->bundle, BUNDLE_OTHER, where,
		    "a public key, not a certificate");
		return;
	}
	/* Both begin alike; a CRL that reads as one is one. */
	is_cert = cert_is_readable(seq->whole, seq->whole_len, &err);
	q = seq->whole;
	crl = is_cert ? NULL :
	    d2i_X509_CRL(NULL, &q, (long)seq->whole_len);
	if (crl != NULL)
		add_bytes(r->bundle, BUNDLE_CRL, where, seq->whole,
		    seq->whole_len);
	else if (is_cert)
		add_bytes(r->bundle, BUNDLE_CERT, where, seq->whole,
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
read_integer_first(struct reader *r, const char *where,
    const struct der *seq)
{
	const uint8_t	*p = seq->data;
	size_t		 len = seq->len;
	struct der	 version, second = { 0 };

	if (!der_next(&p, &len, &version) || !der_next(&p, &len, &second))
		add_refused(r->bundle, BUNDLE_OTHER, where,
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
read_element(struct reader *r, const char *where, const struct der *seq)
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
		add_refused(r->bundle, BUNDLE_OTHER, where,
		    "neither a certificate nor a key");
		break;
	}
}

/* One element, or several in a row as "cat *.der" makes them. */
static void
read_der(struct reader *r, const char *where, const uint8_t *data, size_t len)
{
	unsigned int	 n = 0;
	struct der	 d;

	while (!r->bundle->is_full &&
	    der_expect(&data, &len, DER_SEQUENCE, &d)) {
		char	*at = n++ == 0 ? mem_str(where) :
			    mem_strf("%s%selement %u", where,
			    where[0] == '\0' ? "" : ", ", n);

		read_element(r, at, &d);
		free(at);
	}
	if (n == 0)
		add_refused(r->bundle, BUNDLE_OTHER, where,
		    "it is cut off or damaged: no whole DER element");
}

/* TRUSTED CERTIFICATE: OpenSSL's own notes follow, which are left out. */
static void
read_trusted(struct reader *r, const char *where, const struct buf *der)
{
	const uint8_t	*p = der->data;
	size_t		 len = der->len;
	struct der	 d;

	if (der_expect(&p, &len, DER_SEQUENCE, &d))
		bundle_add_cert(r->bundle, where, d.whole, d.whole_len);
	else
		add_refused(r->bundle, BUNDLE_CERT, where,
		    "no readable certificate");
}

static int
give_word(char *out, int size, int is_writing, void *arg)
{
	const char	*word = arg;
	size_t		 len = strlen(word);

	(void)is_writing;
	if (size < 0 || len > (size_t)size)
		return -1;
	memcpy(out, word, len);
	return (int)len;
}

/*
 * A traditional key under a passphrase (RFC 1421 fields, OpenSSL's key
 * derivation).  There is no check value: what decrypts to a key was right.
 */
static bool
unlock_traditional(const struct pem_block *block, const char *word,
    struct buf *out)
{
	EVP_CIPHER_INFO	 cipher;
	struct der	 d;
	const uint8_t	*p;
	size_t		 rest;
	long		 len = (long)block->der.len;
	union {
		const char	*borrowed;
		void		*arg;
	} passphrase = { .borrowed = word };

	if (PEM_get_EVP_CIPHER_INFO(block->header, &cipher) != 1)
		return false;
	out->is_secret = true;
	buf_clear(out);
	buf_add(out, block->der.data, block->der.len);
	if (out->failed || PEM_do_header(&cipher, out->data, &len, give_word,
	    passphrase.arg) != 1)
		return false;
	out->len = (size_t)len;
	p = out->data;
	rest = out->len;
	return der_expect(&p, &rest, DER_SEQUENCE, &d) && rest == 0;
}

static void
read_locked_traditional(struct reader *r, const char *where,
    const struct pem_block *block)
{
	struct bundle_item	*item;
	struct buf		 plain = { 0 }, pkcs8 = { 0 };
	struct err		 err;
	bool			 is_unsupported = false;

	for (size_t i = 0; i < r->passphrases->n && !is_unsupported; i++) {
		const char	*word = r->passphrases->words[i];

		ERR_clear_error();
		if (unlock_traditional(block, word, &plain) &&
		    pkcs8_of_traditional(plain.data, plain.len, &pkcs8, &err)) {
			bundle_add_key_take(r->bundle, where, &pkcs8, word);
			buf_free(&plain);
			return;
		}
		is_unsupported = pkcs8_is_unsupported(&err);
	}
	buf_free(&plain);
	buf_free(&pkcs8);
	if (!is_unsupported)
		err_set(&err, ERR_DATA, r->passphrases->n == 0 ?
		    "the key is under a passphrase, and none was given" :
		    "no passphrase given opens the key");
	if ((item = bundle_add(r->bundle, BUNDLE_KEY, where)) != NULL) {
		item->is_locked = !is_unsupported;
		item->reason = mem_str(err.reason);
	}
}

static bool
ends_with(const char *s, const char *end)
{
	size_t	 n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

/* What other armour holds, in words; NULL for what is ours to read. */
static const char *
foreign_label(const char *label)
{
	if (strcmp(label, "OPENSSH PRIVATE KEY") == 0)
		return "an OpenSSH key: convert it with "
		    "ssh-keygen -p -m PKCS8 -f FILE";
	if (strncmp(label, "PGP ", 4) == 0)
		return "OpenPGP, which is not S/MIME";
	if (ends_with(label, "CERTIFICATE REQUEST"))
		return "a certificate request: the CA's answer to it is needed";
	if (ends_with(label, "PUBLIC KEY"))
		return "a public key, not a certificate";
	if (strcmp(label, "ATTRIBUTE CERTIFICATE") == 0)
		return "an attribute certificate, not an X.509 certificate";
	return NULL;
}

static void
read_block(struct reader *r, const char *where, struct pem_block *block)
{
	const char	*label = block->label;
	bool		 is_key = ends_with(label, "PRIVATE KEY");
	const char	*foreign = foreign_label(label);

	/* openssl writes these before a key; they say nothing more. */
	if (ends_with(label, " PARAMETERS"))
		return;
	if (foreign != NULL)
		add_refused(r->bundle, is_key ? BUNDLE_KEY : BUNDLE_OTHER,
		    where, foreign);
	else if (block->reason != NULL)
		add_refused(r->bundle, is_key ? BUNDLE_KEY :
		    ends_with(label, "CERTIFICATE") ? BUNDLE_CERT :
		    ends_with(label, "CRL") ? BUNDLE_CRL : BUNDLE_OTHER,
		    where, block->reason);
	else if (block->header != NULL && is_key &&
	    strstr(block->header, "ENCRYPTED") != NULL)
		read_locked_traditional(r, where, block);
	else if (strcmp(label, "TRUSTED CERTIFICATE") == 0)
		read_trusted(r, where, &block->der);
	else
		read_der(r, where, block->der.data, block->der.len);
}

static void
read_text(struct reader *r, const char *text, size_t len)
{
	struct pem_reader	 pem;
	struct pem_block	 block;

	pem_init(&pem, text, len);
	while (!r->bundle->is_full && pem_next(&pem, &block)) {
		char	*where = mem_strf("line %zu", block.line);

		read_block(r, where, &block);
		free(where);
		pem_block_free(&block);
	}
	if (pem.has_armour)
		return;
	pem_init(&pem, text, len);
	while (!r->bundle->is_full && pem_next_bare(&pem, &block)) {
		char	*where = mem_strf("line %zu", block.line);

		read_der(r, where, block.der.data, block.der.len);
		free(where);
		pem_block_free(&block);
	}
}

/* Longer than the file says: a DER file that was cut off, not text. */
static bool
is_cut_der(const uint8_t *data, size_t len)
{
	return len >= 4 && data[0] == DER_SEQUENCE &&
	    (data[1] == 0x82 || data[1] == 0x83);
}

static void
read_bytes(struct reader *r, const uint8_t *data, size_t len)
{
	static const uint8_t	 mark[] = { 0xef, 0xbb, 0xbf };
	const uint8_t		*p = data;
	size_t			 rest = len;
	struct buf		 text = { 0 };
	struct der		 d;

	if ((der_expect(&p, &rest, DER_SEQUENCE, &d) && d.whole_len > 16) ||
	    is_cut_der(data, len))
		read_der(r, "", data, len);
	else if (pem_from_utf16(data, len, &text))
		read_text(r, (const char *)text.data, text.len);
	else {
		/* UTF-8's mark is not in the way of a search. */
		if (len >= sizeof(mark) &&
		    memcmp(data, mark, sizeof(mark)) == 0) {
			data += sizeof(mark);
			len -= sizeof(mark);
		}
		read_text(r, (const char *)data, len);
	}
	buf_free(&text);
}

bool
bundle_read(const uint8_t *data, size_t len,
    const struct passphrases *passphrases, struct bundle **out,
    struct err *err)
{
	struct reader	 r = { .passphrases = passphrases };

	*out = NULL;
	if (len > BUNDLE_SIZE_MAX)
		return err_set(err, ERR_DATA, "larger than the %u MB that a "
		    "file of certificates may have", BUNDLE_SIZE_MAX >> 20);
	r.bundle = mem_alloc(sizeof(*r.bundle));
	if (len > 0)
		read_bytes(&r, data, len);
	if (r.bundle->n == 0)
		add_refused(r.bundle, BUNDLE_OTHER, "", len == 0 ?
		    "it is empty" : "no certificate or key in it");
	if (r.bundle->is_full)
		add_item(r.bundle, BUNDLE_OTHER, "")->reason =
		    mem_strf("more than %d items: the rest was not read",
		    BUNDLE_ITEMS_MAX);
	*out = r.bundle;
	return true;
}
