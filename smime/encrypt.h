/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SMIME_ENCRYPT_H
#define SMIME_ENCRYPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alg.h"
#include "base/err.h"
#include "base/pieces.h"
#include "smime/mimeout.h"

#define ENCRYPT_RECIPIENTS_MAX	1000

struct encrypt_cert {
	const uint8_t	*der;
	size_t		 len;
};

struct encrypt_options {
	enum cipher	 cipher;	/* CIPHER_AUTO: see encrypt_auto() */
	bool		 use_oaep;	/* RSA recipients: OAEP, SHA-256 */
	struct spool_options spool;	/* for the ciphertext */
};

/*
 * Can OpenSSL encrypt to this certificate's key?  ERR_DATA and why not:
 * Ed25519, X25519 and RSA-PSS keys, other curves than P-256, P-384, P-521,
 * DSA, a key usage without keyEncipherment or keyAgreement.
 */
bool	encrypt_can(const struct encrypt_cert *, struct err *);

/*
 * AES-256-GCM if the smimeCapabilities of every certificate (RFC 4262) name
 * it, AES-128-GCM if they name that, else AES-256-CBC.
 */
bool	encrypt_auto(const struct encrypt_cert *, size_t n, enum cipher *,
	    struct err *);

/*
 * The entity as enveloped-data or authEnveloped-data (RFC 8551, 3.3, 3.4)
 * for these certificates, each once, in an order that says nothing.
 * The entity is consumed, what it borrows is needed until return.
 * ERR_DATA: a certificate cannot be used; ERR_TEMP: memory or OpenSSL;
 * ERR_BUG: what came out is not what was wanted.
 */
bool	encrypt_take(struct pieces *entity, const struct encrypt_cert *,
	    size_t n, const struct encrypt_options *, struct mime_made *out,
	    enum cipher *used, struct err *);

#endif
