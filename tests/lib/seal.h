/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_LIB_SEAL_H
#define TESTS_LIB_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "smime/headers.h"
#include "smime/transform.h"

/*
 * What tests of the transformation need around it: keys, a signer in place
 * of the vault, a mail out of a file as an MTA would give it, and libcrypto as
 * the judge of what came out.
 */

/* For a struct spool_options: all stays in memory. */
#define SEAL_MEMORY	((size_t)1 << 30)

/* A new self-signed S/MIME certificate: "RSA:2048", "EC:P-256", "ED25519". */
struct seal_id {
	EVP_PKEY		*key;
	X509			*cert;
	STACK_OF(X509)		*chain;	/* goes along with signatures; or NULL */
	uint8_t			*der;	/* the certificate */
	size_t			 der_len;
};
struct seal_id	*seal_id_new(const char *kind, const char *address);
/*
 * From PEM files, the certificate's perhaps with its issuers behind it; NULL
 * if one cannot be read.
 */
struct seal_id	*seal_id_load(const char *cert, const char *key);
void		 seal_id_free(struct seal_id *);

/* A transform_sign_fn; arg is a struct seal_id. */
bool	seal_sign(void *arg, enum digest, const uint8_t *hash,
	    struct buf *signed_data, struct err *);

/* A file's bytes with CRLF line ends, split as libmilter would give them. */
struct seal_mail {
	struct headers	*headers;
	struct buf	 text;	/* all of it */
	const uint8_t	*body;
	size_t		 body_len;
};
/* keep: do not touch the body's line ends. */
bool	seal_mail_read(const void *, size_t len, bool keep, struct seal_mail *,
	    struct err *);
void	seal_mail_clear(struct seal_mail *);

/* The new mail, as an MTA would make it out of the edits. */
void	seal_apply(const struct headers *, const struct transform_result *,
	    struct buf *out);

/*
 * Take off what was put on: decrypt with the id's key if it is encrypted, then
 * verify; *inner is the entity that was signed or encrypted.  False with a
 * sentence when libcrypto does not agree.
 */
bool	seal_open(const struct buf *mail, const struct seal_id *,
	    bool is_signed, bool is_encrypted, struct buf *inner,
	    struct err *);

#endif
