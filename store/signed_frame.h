/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_SIGNED_FRAME_H
#define STORE_SIGNED_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "base/alg.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * What stays the same from one signature of a signer to the next: a SignedData
 * that OpenSSL wrote, taken apart, into which another digest, time and
 * signature are put (RFC 5652, section 5.3).  To build one anew costs as much
 * as two or three ECDSA signatures.  Nothing in it changes once it is made;
 * threads may share it.
 */
struct signed_frame;

/*
 * Of what signer_sign() made with this key.  NULL, without a reason, where it
 * has another form; then there is no frame, and each is built anew.
 */
struct signed_frame *signed_frame_new(const struct buf *signed_data,
	    EVP_PKEY *key, enum digest, bool use_pss);
void	signed_frame_free(struct signed_frame *);	/* NULL is fine */
/* Was it made so? */
bool	signed_frame_is_for(const struct signed_frame *, enum digest,
	    bool use_pss);
/*
 * Another SignedData, with this digest and time.  What RSA made has been
 * verified, as by signer_sign().  False is ERR_TEMP.
 */
bool	signed_frame_sign(const struct signed_frame *, const uint8_t *hash,
	    int64_t now, struct buf *out, struct err *err);

#endif
