/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_SIGNER_H
#define STORE_SIGNER_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "base/alg.h"
#include "base/buf.h"
#include "base/err.h"

struct signer {
	X509			*cert;
	const STACK_OF(X509)	*chain;		/* intermediates, no root */
	EVP_PKEY		*key;
	X509			*encrypt;	/* for replies; NULL: cert */
	bool			 use_pss;	/* RSA keys: RSASSA-PSS */
};

/*
 * A detached SignedData (RFC 5652, RFC 8551 section 3.5) in DER over a
 * digest that was computed elsewhere, with contentType, messageDigest,
 * signingTime (now), smimeCapabilities, signingCertificateV2, and
 * SMIMEEncryptionKeyPreference where another certificate is for encryption.
 * RSA signs by PKCS#1 v1.5, or by RSASSA-PSS (RFC 4056) where that is asked for
 * or the key is for nothing else; EC by ECDSA.  What RSA made has been verified;
 * the rest is for the caller to do (smime/sign_check.h).  False is ERR_TEMP.
 */
bool	signer_sign(const struct signer *, enum digest, const uint8_t *hash,
	    struct buf *, struct err *);

/* Does the key sign by RSASSA-PSS, where that is asked for or not? */
bool	signer_is_pss(const EVP_PKEY *, bool use_pss);
/* That padding, and a salt of the digest's length. */
bool	signer_set_pss(EVP_PKEY_CTX *);
/*
 * One fault in an RSA computation gives a signature that tells the key to
 * whoever sees it, so that none leaves this process unverified.  A faulty ECDSA
 * signature tells far less, and to verify one costs more than to make it; it is
 * left to whoever makes the mail, who checks every signature before it is sent
 * (smime/sign_check.h).
 */
bool	signer_must_verify(const EVP_PKEY *);

#endif
