/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_BUNDLE_H
#define STORE_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/pkcs8.h"

/*
 * Whatever an administrator is handed, as a list of items: certificates, keys
 * and CRLs out of PEM, DER, PKCS#7, PKCS#12 and bare base64, in any mixture.
 * What a file is, its content tells, never its name.  No files, no store.
 */
#define BUNDLE_SIZE_MAX		(32u << 20)	/* bytes of a file */
#define BUNDLE_ITEMS_MAX	20000		/* in a file */

enum bundle_kind {
	BUNDLE_CERT,
	BUNDLE_KEY,
	BUNDLE_CRL,
	BUNDLE_OTHER	/* something else, or nothing that can be read */
};
const char *bundle_kind_name(enum bundle_kind);	/* as in smimectl's JSON */

struct bundle_item {
	enum bundle_kind kind;
	char		*where;		/* in it: "line 12, bag 2"; or "" */
	struct buf	 der;		/* of a key: PrivateKeyInfo */
	/* EncryptedPrivateKeyInfo of a key that came under a passphrase. */
	struct buf	 wrapped;
	bool		 is_locked;	/* another passphrase might open it */
	bool		 is_signature;	/* came in one (DESIGN.md 9.9) */
	char		*reason;	/* why der is empty; NULL: it is not */
};

struct bundle {
	struct bundle_item	*items;		/* in the order of the file */
	size_t			 n;
	bool			 is_full;	/* the last item says so */
};

/*
 * Every item that can be read is read, whatever stands beside it; the others
 * are in the list with their reason.  A file without anything known is one
 * BUNDLE_OTHER.  Keys come unlocked, and keep their protection: that of
 * PKCS#8 byte for byte, any other as PBES2 under the same passphrase
 * (DESIGN.md 9.10).
 *
 * False (ERR_DATA): more than BUNDLE_SIZE_MAX bytes.  *out: bundle_free().
 */
bool	bundle_read(const uint8_t *, size_t len, const struct passphrases *,
	    struct bundle **out, struct err *);
/* A file that could not be read, as one BUNDLE_OTHER with that reason. */
struct bundle *bundle_of_error(const struct err *);
/* Is there anything that another passphrase might open? */
bool	bundle_is_locked(const struct bundle *);
void	bundle_free(struct bundle *);

#endif
