/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SMIME_CONTENT_TYPE_H
#define SMIME_CONTENT_TYPE_H

#include <stdbool.h>
#include <stddef.h>

#define CONTENT_TYPE_MAX	128	/* "type/subtype" with its NUL */
#define CONTENT_PARAM_MAX	256	/* a parameter's value with its NUL */

/*
 * Read the value of a Content-Type field (RFC 2045, section 5.1) into lower
 * case "type/subtype".  False where it is garbage; out is "" then.
 */
bool	content_type_parse(const char *value, char out[CONTENT_TYPE_MAX]);

/*
 * A parameter of a Content-Type or Content-Disposition value, unquoted,
 * comments passed over; name without case.  False if there is none, it is
 * given more than once, or it is longer than out.  RFC 2231 continuations are
 * joined, its charset prefix stays.
 */
bool	content_type_param(const char *value, const char *name,
	    char out[CONTENT_PARAM_MAX]);

/* Is it "multipart/..." (prefix with the slash) or the like? */
bool	content_type_under(const char *type, const char *prefix);

#endif
