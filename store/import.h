/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_IMPORT_H
#define STORE_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/bundle.h"
#include "store/cert.h"
#include "store/custody.h"

/*
 * The items of one file into the store, each with a verdict of its own:
 * certificates first, all at once, then revocation lists and keys, which need
 * their certificate there.  What trust is asked for follows from the file (DESIGN.md 6, 9.9):
 *
 *	a leaf				trusted, for its addresses
 *	CA certificates, nothing else	an anchor if there is one; several
 *					only by the administrator's word
 *	CA certificates beside others	material for chains
 *	out of a signature		material for chains
 */
struct import_options {
	bool	 no_trust;	/* everything is material for chains */
	bool	 trust_all;	/* several CA certificates become anchors */
	bool	 dry_run;	/* look, but put nothing into the store */
	int64_t	 now;
};

struct import_item {
	enum bundle_kind	 kind;
	char			*where;		/* in the file; or "" */
	enum put_verdict	 verdict;
	enum cert_state		 state;		/* of a certificate, as it is */
	char			*reason;	/* of a refusal; a remark; NULL */
	bool			 has_facts;
	struct cert_facts	 facts;		/* a key's: of its certificate */
	char			*crl_issuer;	/* of a list; else NULL */
};

struct import_report {
	struct import_item	*items;		/* in the order of the bundle */
	size_t			 n;
};

/*
 * How many CA certificates a file holds that holds nothing else, so that the
 * administrator can be asked about more than one; 0 for any other file.
 */
size_t	import_count_cas(const struct bundle *);

/*
 * False (ERR_TEMP) when the store or vault does not answer; the report then
 * tells what was done until there.  *report: import_report_free().
 */
bool	import_bundle(struct custody *, const struct bundle *,
	    const char *source, const struct import_options *,
	    struct import_report *, struct err *);
void	import_report_free(struct import_report *);

#endif
