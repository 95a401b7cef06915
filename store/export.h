/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_EXPORT_H
#define STORE_EXPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/custody.h"
#include "store/pkcs8.h"

/*
 * What the store gave, as files that other programs read.  Pure: entries and
 * keys come from custody_lookup(), custody_chain() and custody_get_key().
 * Each call adds to *out.  Errors: ERR_DATA, unless memory is short.
 */

/* A CERTIFICATE block, after a line that says whose it is. */
bool	export_pem_cert(const struct cert_entry *, struct buf *out,
	    struct err *);
/* Any bytes under any label, in the lines of RFC 7468. */
bool	export_pem(const char *label, const struct buf *der, struct buf *out,
	    struct err *);

/* A key as custody_get_key() gives it. */
struct export_key {
	enum key_protection	 protection;	/* not KEY_NONE */
	struct buf		 bytes;
};

/*
 * In clear, for PKCS#12 and --unprotected.  A key under a passphrase opens
 * with one of those given.
 */
bool	export_key_plain(const struct export_key *,
	    const struct passphrases *, struct buf *plain, struct err *);
/*
 * An ENCRYPTED PRIVATE KEY block.  A key that came under a passphrase stays
 * as it is, and none is needed; any other is put under the first one given.
 */
bool	export_key_pem(const struct export_key *, const struct passphrases *,
	    struct buf *out, struct err *);

struct export_p12 {
	const struct cert_entry	*cert;
	const struct cert_entry	*chain;		/* may be NULL */
	size_t			 n_chain;
	const struct buf	*plain_key;	/* PrivateKeyInfo; or NULL */
	const char		*passphrase;
	const char		*name;		/* shown by mail programs */
	/*
	 * 3DES and HMAC-SHA-1 for devices that know no better, in place of
	 * AES-256 (PBES2) and HMAC-SHA-256.
	 */
	bool			 is_legacy;
};
bool	export_pkcs12(const struct export_p12 *, struct buf *out,
	    struct err *);

#endif
