/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_CRL_H
#define STORE_CRL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/err.h"
#include "base/text.h"

/*
 * A certificate revocation list (RFC 5280, section 5): what a CA says of its
 * own certificates.  Pure; whose it is and where it is kept is revoke.h's.
 */
#define CRL_SERIAL_MAX	64		/* bytes of a serial number */
#define CRL_NUMBER_LEN	(2 * 20 + 2)	/* of a CRL, in hex */
#define CRL_REASONS	11		/* values of CRLReason: 0 to 10 */
#define CRL_TEXT_LEN	80

/* A serial number so that bytes compare as numbers do: sign, length, value. */
struct crl_serial {
	uint8_t	 len;				/* of bytes */
	uint8_t	 bytes[CRL_SERIAL_MAX + 1];	/* zeros after len */
};

struct crl_revoked {
	struct crl_serial	 serial;
	int64_t			 date;
	int8_t			 reason;	/* CRLReason; -1: not said */
};

struct crl {
	X509_CRL		*x509;
	struct fingerprint	 fp;		/* SHA-256 over the DER */
	uint32_t		 issuer_hash;	/* as cert_facts.issuer_hash */
	char			*issuer;	/* RFC 2253, safe to print */
	int64_t			 this_update;
	int64_t			 next_update;	/* 0: not said */
	char			 number[CRL_NUMBER_LEN];	/* or "" */
	/*
	 * SHA-256 over issuingDistributionPoint, zeros without: a CA may
	 * have several lists at once, each for a part of its certificates.
	 */
	uint8_t			 scope[32];
	struct crl_revoked	*list;		/* in the order of serials */
	size_t			 n;
};

/*
 * ERR_DATA: no list, or one that says something that cannot be understood as
 * "these certificates of mine are revoked": a delta, an indirect one, one for
 * attribute certificates, an unknown critical extension (RFC 5280, 5.2).
 * The caller's: crl_free().
 */
bool	crl_read(const uint8_t *der, size_t len, struct crl *, struct err *);
void	crl_free(struct crl *);

/* False when it is longer than CRL_SERIAL_MAX. */
bool	crl_serial(const ASN1_INTEGER *, struct crl_serial *);
int	crl_serial_compare(const struct crl_serial *,
	    const struct crl_serial *);

/* "revoked 2026-03-01 (key compromise)" */
void	crl_text(const struct crl_revoked *, char out[CRL_TEXT_LEN]);

#endif
