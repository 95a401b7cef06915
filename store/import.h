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
 * The items of some files into the store, each with a verdict of its own:
 * the certificates of all files first, then revocation lists and keys, which
 * need their certificate there.  What trust is asked for follows from the
 * file (DESIGN.md 6, 9.9):
 *
 *	a leaf				trusted, for its addresses
 *	CA certificates, nothing else	an anchor if there is one; several
 *					only by the administrator's word
 *	CA certificates beside others	material for chains
 *	out of a signature		material for chains
 */
#define IMPORT_BATCH	100	/* certificates in one transaction */

struct import_options {
	bool	 no_trust;	/* everything is material for chains */
	bool	 dry_run;	/* look, but put nothing into the store */
	int64_t	 now;
	/*
	 * The custody for the next batch, valid until this is called again:
	 * who owns it may let others have the store in between.  n_done items
	 * have been gone through.  False (ERR_TEMP) ends the import.
	 */
	bool	(*custody)(void *arg, size_t n_done, struct custody **,
		    struct err *);
	void	*arg;
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

struct import_file {
	const struct bundle	*bundle;	/* borrowed */
	const char		*source;	/* its name */
	bool			 trust_all;	/* several CAs become anchors */
	struct import_report	 report;	/* import_report_free() */
};

/*
 * How many CA certificates a file holds that holds nothing else, so that the
 * administrator can be asked about more than one; 0 for any other file.
 */
size_t	import_count_cas(const struct bundle *);

/*
 * False (ERR_TEMP) when the store or vault does not answer; the reports then
 * tell what was done until there.
 */
bool	import_files(struct import_file *, size_t n,
	    const struct import_options *, struct err *);
void	import_report_free(struct import_report *);

#endif
