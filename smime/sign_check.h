/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SMIME_SIGN_CHECK_H
#define SMIME_SIGN_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alg.h"
#include "base/err.h"

/*
 * Is this a detached SignedData in DER (RFC 5652, section 5) in which one
 * signer's signature over the signed attributes verifies with a certificate
 * inside, the digest algorithm is the one wanted and messageDigest is this
 * hash?  ERR_BUG or ERR_TEMP if not: what was made must not be sent.
 *
 * Reads what the vault made, and only the forms that it makes: the signer
 * by issuer and serial number, RSA (PKCS #1 v1.5 or PSS) or ECDSA.
 */
bool	sign_check(const uint8_t *der, size_t len, enum digest,
	    const uint8_t *hash, struct err *);

#endif
