/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_MAILFILE_H
#define TOOLS_MAILFILE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "milter/edits.h"
#include "milter/mail.h"

/*
 * A mail in a file, as the MTA would have handed it over: header fields, then
 * the body in CRLF lines.  Any LF ends a line; an mbox's "From " line in
 * front is skipped; the first line that is no field begins the body.
 */

/* Adds to the mail.  ERR_MESSAGE: NUL in a header field. */
bool	mailfile_parse(const struct buf *, struct mail *, struct err *);

/* The mail with these edits, as the MTA would send it, in CRLF lines. */
bool	mailfile_write(const struct mail *, const struct edits *, FILE *,
	    struct err *);

#endif
