/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_VERIFY_H
#define STORE_VERIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"

/*
 * Every record and every index entry, held against each other; nothing is
 * repaired.
 *
 *	a certificate	its bytes, checksum, fingerprint; that the facts
 *			kept are those it states; each of its index entries
 *	a private key	opens under the master key; is the half of the public
 *			key that it is kept for; has a certificate
 *	an index entry	leads to a certificate that it is true of
 *	lists, events	can be read
 *	the rest	is known
 */
struct verify_finding {
	char	*about;		/* "certificate 3f9a12cd..." */
	char	*text;
};

#define VERIFY_FINDINGS_MAX	100	/* of one page */

struct verify_findings {
	struct verify_finding	*list;
	size_t			 n;
	size_t			 n_records;	/* looked at */
};

#define VERIFY_PAGE	200	/* records looked at in one call */

/* Wants store_begin_read().  An empty cursor is the beginning, and the end. */
bool	verify_page(struct store *, struct buf *cursor,
	    struct verify_findings *, struct err *);
void	verify_add(struct verify_findings *, const char *about,
	    const char *text);
void	verify_findings_free(struct verify_findings *);

#endif
