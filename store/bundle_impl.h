/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_BUNDLE_IMPL_H
#define STORE_BUNDLE_IMPL_H

#include "store/bundle.h"

/* What the readers of a bundle's formats share: each adds what it finds. */
struct bundle_reader {
	struct bundle			*bundle;
	const struct passphrases	*passphrases;
};

/*
 * bundle_der.c: one element, or several in a row as "cat *.der" makes them:
 * certificates, CRLs, keys, PKCS#7, PKCS#12.
 */
void	bundle_read_der(struct bundle_reader *, const char *where,
	    const uint8_t *, size_t len);
/* bundle_pem.c: PEM with anything around it, or else bare base64. */
void	bundle_read_text(struct bundle_reader *, const char *, size_t len);

/* --- bundle.c: a new item ----------------------------------------------- */

/* A new item at the end; NULL when the bundle is full.  where is copied. */
struct bundle_item *bundle_add(struct bundle *, enum bundle_kind,
	    const char *where);
/* The same, unread, with the reason. */
void	bundle_add_unread(struct bundle *, enum bundle_kind,
	    const char *where, const struct err *);
void	bundle_add_refused(struct bundle *, enum bundle_kind,
	    const char *where, const char *reason);
/* As they are, once they are known to be what they should. */
void	bundle_add_bytes(struct bundle *, enum bundle_kind, const char *where,
	    const uint8_t *, size_t len);
/* The same, looked at first. */
void	bundle_add_cert(struct bundle *, const char *where, const uint8_t *,
	    size_t len);
void	bundle_add_crl(struct bundle *, const char *where, const uint8_t *,
	    size_t len);
/*
 * A plain PKCS#8 key, which is moved.  passphrase: what it was under, to be
 * protected by again; NULL or "" if by nothing.
 */
void	bundle_add_key_take(struct bundle *, const char *where,
	    struct buf *plain, const char *passphrase);

#endif
