/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SMIME_CANON_H
#define SMIME_CANON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/pieces.h"
#include "smime/headers.h"
#include "smime/scan.h"

enum canon_how {
	CANON_FAST,	/* the mail's own bytes */
	CANON_SPLICED,	/* some parts re-encoded, all else as it was */
	CANON_OPAQUE	/* cannot be made safe for transport: embed it */
};

/*
 * The entity to sign (RFC 8551, section 3.1): the mail's Content-* fields,
 * an empty line, the body; in CRLF lines.
 */
struct canon {
	enum canon_how	 how;
	char		 why[160];	/* not for CANON_FAST */
	struct pieces	*entity;	/* points into the body given */
	bool		 is_whole;	/* canon_header() and the body, nothing else */
};

/*
 * What stands before a 7-bit body in the entity: all Content-* fields in
 * order, "Content-Type: text/plain; charset=us-ascii" if that field is not
 * among them (RFC 2045, section 5.2), and the empty line.  Known before the
 * body comes, so that hashing can begin with it.
 */
void	canon_header(const struct headers *, struct buf *);

/*
 * Make the entity to sign.  seen: findings over this body, as scan_end() gave
 * them.  The preamble and epilogue of the top-level multipart are left out:
 * no reader shows them, and Outlook refuses signatures over them.
 *
 * A leaf that transport could change is re-encoded (RFC 8551, 3.1.3): text
 * as quoted-printable, the rest as base64; a label of 8bit or binary that is
 * no longer true becomes 7bit, since Postfix and Sendmail rewrite by label.
 * Nothing is guessed: 8-bit text without a charset is labelled utf-8 if it
 * is that, and left without one otherwise.  Parts that carry another's
 * signature are never touched: if one of them needs it, or the header of a part
 * does, how is CANON_OPAQUE and entity is the mail as it came.
 * The result is scanned again before it is called FAST or SPLICED.
 *
 * ERR_MESSAGE: one of entity.h's limits; ERR_TEMP: memory.
 * out->entity is the caller's (canon_clear()) and borrows from body.
 */
bool	canon_entity(const struct headers *, const uint8_t *body, size_t len,
	    unsigned seen, struct canon *out, struct err *);
/* The mail's fields and body with nothing left out, to be encrypted alone. */
struct pieces *canon_as_is(const struct headers *, const uint8_t *body,
	    size_t len);
void	canon_clear(struct canon *);
const char *canon_how_name(enum canon_how);	/* "fast", "spliced", "opaque" */

#endif
