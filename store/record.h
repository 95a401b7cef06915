/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/cert.h"
#include "store/crl.h"
#include "store/custody.h"

/*
 * Records as bytes: a kind and a version byte, fields in fixed order, the
 * first eight bytes of SHA-256 over all before.  Pure; what is read is checked
 * byte by byte, for a disk is input like any other.
 */

#define RECORD_SOURCE_MAX	1024	/* bytes of a source kept */
#define RECORD_WHO_MAX		256	/* of who added it */
#define RECORD_KEY_MAX		65536	/* bytes of a key, either form */

struct cert_record {
	enum cert_state		 state;
	int64_t			 added;		/* seconds since the epoch */
	char			*source;	/* what it was imported from */
	char			*added_by;	/* by whom; "" if not known */
	struct cert_facts	 facts;
	uint8_t			*der;
	size_t			 der_len;
};

struct key_record {
	enum key_protection	 protection;
	int64_t			 added;
	char			*source;
	char			*added_by;
	struct buf		 sealed;	/* by keywrap_seal() */
	struct buf		 wrapped;	/* as it came; or empty */
};

/* What is kept of a CRL, beside its entries. */
struct crl_record {
	struct fingerprint	 fp;		/* SHA-256 over its DER */
	int64_t			 added;		/* seconds since the epoch */
	int64_t			 this_update;
	int64_t			 next_update;	/* 0: not said */
	char			 number[CRL_NUMBER_LEN];
	uint32_t		 n_revoked;
	char			*issuer;
	char			*source;	/* what it was imported from */
};

#define RECORD_REVOKED_MAX	256	/* entries of a CRL in one record */

void	record_encode_cert(const struct cert_record *, struct buf *out);
void	record_encode_key(const struct key_record *, struct buf *out);
void	record_encode_crl(const struct crl_record *, struct buf *out);
void	record_encode_revoked(const struct crl_revoked *, size_t n,
	    struct buf *out);

/* ERR_DATA: cut off, altered, or written by a newer version. */
bool	record_decode_cert(const uint8_t *, size_t len, struct cert_record *,
	    struct err *);
bool	record_decode_key(const uint8_t *, size_t len, struct key_record *,
	    struct err *);
bool	record_decode_crl(const uint8_t *, size_t len, struct crl_record *,
	    struct err *);
/* In the order in which they were written. */
bool	record_decode_revoked(const uint8_t *, size_t len,
	    struct crl_revoked out[RECORD_REVOKED_MAX], size_t *n,
	    struct err *);

void	record_free_cert(struct cert_record *);
void	record_free_key(struct key_record *);
void	record_free_crl(struct crl_record *);

#endif
