/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SMIME_TRANSFORM_H
#define SMIME_TRANSFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alg.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/pieces.h"
#include "smime/canon.h"
#include "smime/encrypt.h"
#include "smime/headers.h"
#include "smime/scan.h"
#include "smime/sign.h"

/*
 * A mail in, what has to be changed in it out: sign, encrypt, or sign and then
 * encrypt (RFC 8551, section 3.7).  No clock, no store, no MTA.
 */
enum transform_format {
	TRANSFORM_DETACHED,	/* multipart/signed where that is possible */
	TRANSFORM_OPAQUE	/* signed-data always */
};

/* Where the signature comes from: custody_sign(), by way of the journey. */
typedef bool transform_sign_fn(void *arg, enum digest,
	    const uint8_t hash[DIGEST_LEN_MAX], struct buf *signed_data,
	    struct err *);

struct transform_request {
	const struct headers		*headers;
	const uint8_t			*body;
	size_t				 body_len;
	struct scan			*scan;		/* fed the body; NULL: done here */
	struct sign_hash		*hash;		/* fed canon_header(), body; NULL: done here */

	bool				 sign;
	enum transform_format		 format;
	enum digest			 digest;
	transform_sign_fn		*signer;
	void				*signer_arg;

	bool				 encrypt;
	struct encrypt_options		 options;
	const struct encrypt_cert	*recipients;
	size_t				 n_recipients;
};

#define TRANSFORM_SET_MAX	4

/* A field that the mail has exactly once afterwards. */
struct transform_field {
	const char	*name;
	char		*value;		/* leading space included, folds "\n\t" */
};

/*
 * All or nothing: the edits that make the new mail.  Remove every instance
 * of each name in `remove`, make each field in `set` be there once, in this
 * order, replace the body.
 */
struct transform_result {
	char			**remove;	/* Content-*, Bcc: those that the mail has and set lacks */
	size_t			  n_remove;
	struct transform_field	  set[TRANSFORM_SET_MAX];
	size_t			  n_set;
	struct pieces		 *body;		/* borrows from the request's body */
	enum canon_how		  how;		/* of the signed entity */
	char			  why[160];	/* why not CANON_FAST; may be "" */
	enum cipher		  cipher;	/* that was used, if encrypted */
};

/*
 * False: nothing came out, the mail is to be left as it is or answered by the
 * kind of err.  ERR_MESSAGE: a limit (names the limit); ERR_DATA: a
 * certificate; ERR_TEMP and ERR_BUG: try again.
 * *out is the caller's: transform_result_free().
 */
bool	transform_mail(const struct transform_request *,
	    struct transform_result **out, struct err *);
void	transform_result_free(struct transform_result *);

#endif
