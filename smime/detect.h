/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SMIME_DETECT_H
#define SMIME_DETECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "smime/content_type.h"
#include "smime/headers.h"

enum mail_kind {
	MAIL_PLAIN,
	MAIL_SIGNED,		/* multipart/signed, of S/MIME */
	MAIL_SIGNED_OPAQUE,	/* pkcs7-mime; smime-type=signed-data */
	MAIL_ENCRYPTED,		/* enveloped-data or authEnveloped-data */
	MAIL_SMIME_OTHER,	/* other smime-types, or .p7m, .p7s by name */
	MAIL_PGP_SIGNED,	/* multipart/signed, not of S/MIME */
	MAIL_PGP_ENCRYPTED,	/* multipart/encrypted */
	MAIL_PGP_INLINE		/* armour in a text body */
};

/* What a mail already is. */
struct detected {
	enum mail_kind	 kind;
	char		 type[CONTENT_TYPE_MAX];	/* "text/calendar" */
	bool		 has_method;	/* text/calendar with method= */
};

/*
 * By the mail's header fields alone (DESIGN.md 9.1): a file name never makes
 * a mail MAIL_ENCRYPTED, nor does one of several Content-Type fields.
 */
void	detect_headers(const struct headers *, struct detected *);

/*
 * What only the body shows: inline OpenPGP, and that a MAIL_ENCRYPTED or
 * MAIL_SIGNED_OPAQUE mail holds no such thing (it becomes MAIL_SMIME_OTHER).
 * To be called after detect_headers() with the whole body.
 */
void	detect_body(const struct headers *, const uint8_t *body, size_t len,
	    struct detected *);

/* "signed", "encrypted", ...: for log lines and reasons. */
const char *detect_name(enum mail_kind);

/*
 * What mail it is that another program has dealt with in a way of its own, and
 * that is left as it is where nothing is required; NULL for all other.
 */
const char *detect_left_alone(enum mail_kind);

/* Whether "sign" or "encrypt" is satisfied by what the mail already is. */
bool	detect_is_signed(enum mail_kind);
bool	detect_is_encrypted(enum mail_kind);

#endif
