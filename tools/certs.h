/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_CERTS_H
#define TOOLS_CERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "store/cert.h"
#include "store/custody.h"

/*
 * Certificates as smimectl finds and tells them: by ID, one after another,
 * and as the object that --json documents.
 */

/*
 * Calls fn for each certificate of the store; false as soon as fn is, with its
 * err.
 */
typedef bool certs_fn(void *arg, struct custody *, const struct cert_entry *,
	    const struct cert_facts *, struct err *);
bool	certs_walk(struct custody *, int64_t now, certs_fn *, void *arg,
	    struct err *);

/*
 * Those of an ID: an address, or 8 or more digits from the start of a
 * fingerprint, with or without colons and blanks.  None is an error
 * (ERR_DATA).  The caller's: cert_entry_free().
 */
bool	certs_find(struct custody *, const char *id, int64_t now,
	    struct cert_entry **out, size_t *n, struct err *);
/* Exactly one, or ERR_DATA with all that match listed in the reason. */
bool	certs_find_one(struct custody *, const char *id, int64_t now,
	    struct cert_entry **out, struct err *);

/* All with the public key of this one; freed as above. */
bool	certs_of_key(struct custody *, const struct cert_facts *, int64_t now,
	    struct cert_entry **out, size_t *n, struct err *);

/*
 * {"fingerprint", "subject", ...} of DESIGN.md 6, and what else is known.
 * soon_days: how near an expiry has to be to count as an issue.
 */
json_t	*certs_json(const struct cert_entry *, const struct cert_facts *,
	    int64_t now, int soon_days);

/*
 * The issues that other certificates decide, added to such an object: a newer
 * one of the same address is used instead; the private key has no usable
 * certificate.  Asks the custody.
 */
bool	certs_add_others(struct custody *, const struct cert_entry *,
	    const struct cert_facts *, int64_t now, json_t *, struct err *);

/* "alice@example.org", or the subject of what names no address. */
const char *certs_title(const struct cert_facts *);

/* Whole days until then, 0 for what is past. */
int64_t	certs_days_left(int64_t until, int64_t now);

#define CERTS_SOON_DAYS	30
/* Days as an argument: 0 to ten years.  False for anything else. */
bool	certs_parse_days(const char *, int *days);

#endif
