/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SMIME_QP_H
#define SMIME_QP_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Quoted-printable that no transport touches (RFC 2045, section 6.7;
 * RFC 8551, section 3.1.3), which GMime's encoder does not give: lines of at
 * most 76 bytes that end in CRLF; "=20" and "=09" at line ends; "=46rom " and
 * "=2D-" at line starts, the latter so that no line becomes a delimiter; a CR
 * or LF that is not part of a CRLF becomes =0D or =0A.  Decodes to the bytes
 * given.
 */
void	qp_encode(const uint8_t *, size_t len, struct buf *out);

#endif
