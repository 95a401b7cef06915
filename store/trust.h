/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_TRUST_H
#define STORE_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "base/err.h"
#include "store/record.h"
#include "store/store.h"

/*
 * Whether a certificate is trusted: by itself, or because it chains to an
 * anchor, with nothing distrusted or revoked in the chain (DESIGN.md 9.9;
 * RFC 5280, section 6; RFC 8550, section 2.3).  Purpose, address and time of the
 * certificate itself are cert_usable()'s.
 *
 * Verdicts are remembered until the store changes, for an hour at most, and
 * never past a moment at which a certificate of the chain begins or ends.
 * Any number of threads; all calls want store_begin_read() or _write().
 */
struct trust;

struct trust_verdict {
	bool	 is_trusted;
	bool	 is_revoked;	/* itself; text says when */
	char	 text[224];	/* by whom: "itself", an anchor; or why not */
};

struct trust	*trust_new(struct store *);	/* borrowed */
void		 trust_free(struct trust *);

/* False with ERR_TEMP when the store cannot tell. */
bool	trust_judge(struct trust *, const struct cert_record *, int64_t now,
	    struct trust_verdict *, struct err *);

/*
 * The issuing certificates that the store has, nearest first, a root
 * included; of several the one that is trusted, valid, and newest.  Ends
 * where an issuer is missing.  The caller frees each record, and the array.
 */
bool	trust_issuers(struct trust *, const struct cert_record *, int64_t now,
	    struct cert_record **out, size_t *n, struct err *);

#endif
