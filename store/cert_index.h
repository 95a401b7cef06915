/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_CERT_INDEX_H
#define STORE_CERT_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "store/record.h"
#include "store/store.h"

/*
 * Certificate records by fingerprint, and the ways to a fingerprint.  Wants
 * store_begin_read() or store_begin_write(); false is ERR_TEMP, a damaged
 * record included, for then nobody knows what the answer would have been.
 */

/* What leads to a certificate; the first byte of a key, so never changed. */
enum cert_index {
	CERT_INDEX_ADDRESS = 'a',	/* normalised, no NUL */
	CERT_INDEX_ISSUER_SERIAL = 'i',	/* cert_facts.issuer_serial */
	CERT_INDEX_SPKI = 'k',		/* cert_facts.spki */
	CERT_INDEX_SUBJECT = 'n',	/* of CAs: subject_hash, big-endian */
	CERT_INDEX_SKI = 's'		/* subject key identifier */
};

#define CERT_INDEX_MAX	4096	/* certificates under one value */

struct fingerprint_list {
	struct fingerprint	*list;
	size_t			 n;
};

/* The caller's: record_free_cert(). */
bool	cert_index_get(struct store *, const struct fingerprint *,
	    struct cert_record *, bool *found, struct err *);
/* As cert_index_get(), but what is not there is ERR_DATA. */
bool	cert_index_need(struct store *, const struct fingerprint *,
	    struct cert_record *, struct err *);
/* Adds, or replaces the record of the same fingerprint. */
bool	cert_index_put(struct store *, const struct cert_record *,
	    struct err *);
bool	cert_index_remove(struct store *, const struct cert_record *,
	    struct err *);

/* By what ("address") the index does not lead to it; NULL: by all it should. */
bool	cert_index_missing(struct store *, const struct cert_facts *,
	    const char **what, struct err *);
/* Is this key of the index one of the certificate that it leads to? */
bool	cert_index_is_true(struct store *, const uint8_t *key, size_t len,
	    bool *is_true, struct err *);

/* In the order of fingerprints; the caller frees out->list. */
bool	cert_index_find(struct store *, enum cert_index, const void *value,
	    size_t len, struct fingerprint_list *out, struct err *);
bool	cert_index_find_subject(struct store *, uint32_t subject_hash,
	    struct fingerprint_list *out, struct err *);

/*
 * All records of one address.  On failure, too, the caller frees the *n
 * records, and the array.
 */
bool	cert_index_at_address(struct store *, const char *addr,
	    struct cert_record **out, size_t *n, struct err *);

/*
 * Records in the order of their fingerprints, from the first that is not
 * below `from`, at most max.  The caller frees each, and the array.
 */
bool	cert_index_list(struct store *, const struct fingerprint *from,
	    size_t max, struct cert_record **out, size_t *n, struct err *);

#endif
