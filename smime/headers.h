/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SMIME_HEADERS_H
#define SMIME_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define HEADERS_MAX		2000		/* fields of one mail */
#define HEADERS_BYTES_MAX	(1024 * 1024)	/* names and values of all */

/*
 * A mail's header fields in the order of their arrival, bytes kept.
 * A value is what follows the colon: its leading space is part of it, folds
 * are "\n" and white space, as libmilter gives them.
 */
struct header {
	char	*name;
	char	*value;
};

struct headers;

struct headers *headers_new(void);
/*
 * Both are copied.  ERR_MESSAGE: one of the limits above is passed, or the
 * name is empty or has a colon or line end in it.  Blanks behind the name are
 * dropped, so is CR before LF; a line in the value that does not begin with
 * white space gets a space, so that a value never becomes two fields.
 */
bool	headers_add(struct headers *, const char *name, const char *value,
	    struct err *);
void	headers_free(struct headers *);

size_t	headers_count(const struct headers *);
const struct header *headers_at(const struct headers *, size_t i);

/* Names are compared without case; i counts fields of that name, from 0. */
size_t	headers_count_name(const struct headers *, const char *name);
const char *headers_find(const struct headers *, const char *name, size_t i);

/* Does the name begin with "Content-" (RFC 2045, section 9)? */
bool	headers_is_content(const char *name);

/* The field as a mail has it: "Name:value\r\n", folds as CRLF. */
void	headers_write(struct buf *, const char *name, const char *value);

#endif
