/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SMIME_MIMEOUT_H
#define SMIME_MIMEOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/pieces.h"

/*
 * A MIME entity that was made here: its header fields as values behind the
 * colon (leading space included, folds as "\n\t") and its body.
 */
struct mime_made {
	char		*content_type;
	char		*encoding;	/* NULL: no such field */
	char		*disposition;	/* NULL: no such field */
	struct pieces	*body;
};

void	mimeout_clear(struct mime_made *);

#define MIMEOUT_BOUNDARY_LEN	48	/* with the NUL */

/*
 * A random boundary of which no line of the entity is a beginning or a
 * continuation (RFC 2046, section 5.1.1).
 */
bool	mimeout_boundary(const struct pieces *entity,
	    char out[MIMEOUT_BOUNDARY_LEN], struct err *);

/*
 * multipart/signed of an entity and its detached SignedData (RFC 8551,
 * section 3.5.3).  Both are consumed, also on failure.
 */
bool	mimeout_signed_take(struct pieces *entity, const char *micalg,
	    struct buf *signed_data, struct mime_made *out, struct err *);

/* application/pkcs7-mime; der is consumed (RFC 8551, section 3.2). */
void	mimeout_pkcs7_take(struct pieces *der, const char *smime_type,
	    struct mime_made *out);

/* The fields, the empty line and the body as one entity; made is emptied. */
struct pieces *mimeout_entity_take(struct mime_made *made);

#endif
