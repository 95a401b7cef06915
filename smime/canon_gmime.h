/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SMIME_CANON_GMIME_H
#define SMIME_CANON_GMIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "smime/entity.h"

/*
 * Bytes of a leaf as its encoding label says; 7bit, 8bit and binary are
 * copied.  ERR_MESSAGE: the encoding is unknown.
 */
bool	canon_gmime_decode(enum entity_encoding, struct span in, struct buf *out,
	    struct err *);

/*
 * As quoted-printable in CRLF lines of at most 76 bytes, with "=20" and
 * "=09" at line ends and "=46rom " at line starts (RFC 2045, section 6.7;
 * RFC 8551, section 3.1.3).  CR and LF that are no line end become =0D, =0A.
 */
bool	canon_gmime_qp(struct span in, struct buf *out, struct err *);

/* As base64 in CRLF lines of 76 characters. */
bool	canon_gmime_base64(struct span in, struct buf *out, struct err *);

#endif
