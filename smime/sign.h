/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SMIME_SIGN_H
#define SMIME_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alg.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/pieces.h"
#include "smime/mimeout.h"

/* A hash over an entity that is still arriving. */
struct sign_hash;

/* ERR_TEMP: memory. */
bool	sign_hash_new(enum digest, struct sign_hash **out, struct err *);
void	sign_hash_add(struct sign_hash *, const void *, size_t len);
/* Once; a failure of any sign_hash_add() shows here. */
bool	sign_hash_end(struct sign_hash *, uint8_t out[DIGEST_LEN_MAX],
	    struct err *);
enum digest sign_hash_digest(const struct sign_hash *);
void	sign_hash_free(struct sign_hash *);

/* The hash of a whole entity. */
bool	sign_hash_pieces(const struct pieces *, enum digest,
	    uint8_t hash[DIGEST_LEN_MAX], struct err *);

/*
 * multipart/signed: the entity as it is, then the signature.  Both are
 * consumed.  hash is the one that was signed; sign_check() comes first.
 */
bool	sign_detached_take(struct pieces *entity, struct buf *signed_data,
	    enum digest, const uint8_t *hash, struct mime_made *out,
	    struct err *);

/*
 * application/pkcs7-mime; smime-type=signed-data: the entity inside the
 * SignedData, as DER.  Both are consumed; checked as above.
 */
bool	sign_opaque_take(struct pieces *entity, struct buf *signed_data,
	    enum digest, const uint8_t *hash, struct mime_made *out,
	    struct err *);

#endif
