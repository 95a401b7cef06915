/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define ADDR_MAX	512	/* bytes of a normalised address, with its NUL */

/*
 * One mail address, as it stands in an envelope, a certificate or the
 * configuration, brought to the one form under which addresses are compared
 * and indexed: no angle brackets, ASCII letters lower case, the domain in
 * A-labels, a quoted local part without needless quotes, no source route.
 * RFC 8550, section 3 wants domains compared without case, local parts too.
 *
 * Fails (ERR_MESSAGE) on what is no addr-spec: no or several "@" outside
 * quotes, empty parts, controls, NUL, white space, over 64 + 255 bytes,
 * invalid UTF-8, a domain that IDNA refuses.
 */
bool	addr_normalise(const char *in, size_t len, char out[ADDR_MAX],
	    struct err *);

/* What follows the last "@" of a normalised address. */
const char *addr_domain(const char *normalised);

/*
 * A sub-address without its tag: "bob+lists@example.org" cut at the first of
 * these delimiters, each a character, in its local part.  False: there is
 * none, nothing stands before it, or the local part is quoted.
 */
bool	addr_without_tag(const char *normalised, const char *delimiters,
	    char out[ADDR_MAX]);

/*
 * Does a normalised address fall under a member as the configuration names
 * it: "user@example.org" itself, "@example.org" all of the domain,
 * "@.example.org" all of the domain and of those below it.
 * The member is normalised by addr_member_normalise().
 */
bool	addr_is_member(const char *normalised, const char *member);
bool	addr_member_normalise(const char *in, char out[ADDR_MAX],
	    struct err *);

#endif
