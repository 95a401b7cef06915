/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "store/bundle_impl.h"
#include "store/cert.h"
#include "store/ber.h"
#include "store/pem.h"

/* --- its items ---------------------------------------------------------- */

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

void
bundle_add_refused(struct bundle *bundle, enum bundle_kind kind,
    const char *where, const char *reason)
{
	struct err	 err;

	err_set(&err, ERR_DATA, "%s", reason);
	bundle_add_unread(bundle, kind, where, &err);
}

void
bundle_add_bytes(struct bundle *bundle, enum bundle_kind kind,
    const char *where, const uint8_t *der, size_t len)
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
		bundle_add_bytes(bundle, BUNDLE_CERT, where, der, len);
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
		bundle_add_bytes(bundle, BUNDLE_CRL, where, der, len);
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

/* --- a file ------------------------------------------------------------- */

/* Longer than the file says: a DER file that was cut off, not text. */
static bool
is_cut_der(const uint8_t *data, size_t len)
{
	return len >= 4 && data[0] == DER_SEQUENCE &&
	    (data[1] == 0x82 || data[1] == 0x83);
}

static void
read_bytes(struct bundle_reader *r, const uint8_t *data, size_t len)
{
	static const uint8_t	 mark[] = { 0xef, 0xbb, 0xbf };
	const uint8_t		*p = data;
	size_t			 rest = len;
	struct buf		 text = { 0 };
	struct ber		 d;

	if ((ber_expect(&p, &rest, DER_SEQUENCE, &d) && d.whole_len > 16) ||
	    is_cut_der(data, len))
		bundle_read_der(r, "", data, len);
	else if (pem_from_utf16(data, len, &text))
		bundle_read_text(r, (const char *)text.data, text.len);
	else {
		/* UTF-8's mark is not in the way of a search. */
		if (len >= sizeof(mark) &&
		    memcmp(data, mark, sizeof(mark)) == 0) {
			data += sizeof(mark);
			len -= sizeof(mark);
		}
		bundle_read_text(r, (const char *)data, len);
	}
	buf_free(&text);
}

bool
bundle_read(const uint8_t *data, size_t len,
    const struct passphrases *passphrases, struct bundle **out,
    struct err *err)
{
	struct bundle_reader	 r = { .passphrases = passphrases };

	*out = NULL;
	if (len > BUNDLE_SIZE_MAX)
		return err_set(err, ERR_DATA, "larger than the %u MB that a "
		    "file of certificates may have", BUNDLE_SIZE_MAX >> 20);
	r.bundle = mem_alloc(sizeof(*r.bundle));
	if (len > 0)
		read_bytes(&r, data, len);
	if (r.bundle->n == 0)
		bundle_add_refused(r.bundle, BUNDLE_OTHER, "", len == 0 ?
		    "it is empty" : "no certificate or key in it");
	if (r.bundle->is_full)
		add_item(r.bundle, BUNDLE_OTHER, "")->reason =
		    mem_strf("more than %d items: the rest was not read",
		    BUNDLE_ITEMS_MAX);
	*out = r.bundle;
	return true;
}
