/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_POSTFIX_SPLIT_H
#define TOOLS_POSTFIX_SPLIT_H

#include "tools/postfix_look.h"

/* What is to be found where Postfix is to have two passes. */

/* A service whose mail is stamped: does it lead to the second pass only? */
void	postfix_split_stamped(const struct postfix_look *,
	    const struct postconf_service *);
/* A service of the second pass. */
void	postfix_split_sealed(const struct postfix_look *,
	    const struct postconf_service *);
/* What concerns all of Postfix. */
void	postfix_split_all(const struct postfix_look *);

/* Is it a transport from the first pass to the second? */
bool	postfix_split_is_hop(const struct postfix_look *, const char *name);

#endif
