/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SMIME_ADDRESS_H
#define SMIME_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/err.h"
#include "smime/headers.h"

#define ADDRESS_LIST_MAX	10000	/* mailboxes taken from one mail */

struct address_list {
	char	**addrs;	/* normalised by addr_normalise() */
	size_t	  n;
};

/*
 * The author whom a signature would speak for: the one mailbox of the one
 * From field.  ERR_MESSAGE, with the reason in words, for anything that two
 * readers could read differently: no or several From fields, several
 * mailboxes, a group, obsolete syntax, something left over.  The strict
 * grammar of RFC 5322, section 3.4 and GMime have to agree on the address.
 */
bool	address_from(const struct headers *, char out[ADDR_MAX], struct err *);

/* The same for Sender; true with "" where there is no such field. */
bool	address_sender(const struct headers *, char out[ADDR_MAX],
	    struct err *);

/*
 * The recipients whom a reader sees: the mailboxes of all To and Cc fields,
 * members of groups included.  What cannot be read is left out, which makes
 * such a recipient a hidden one: the safe side.  Freed with
 * address_list_free().
 */
struct address_list *address_visible(const struct headers *);
/*
 * All mailboxes that any From field names, however doubtful its grammar: for
 * finding the strictest rule among them, never for telling who wrote.
 */
struct address_list *address_authors(const struct headers *);
bool	address_list_has(const struct address_list *, const char *normalised);
void	address_list_free(struct address_list *);

#endif
