/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_MILTER_LIST_H
#define TOOLS_MILTER_LIST_H

#include <stdbool.h>

#include "policy/config.h"
#include "tools/postconf.h"

/* Postfix's lists of milters (smtpd_milters), and our listeners in them. */

/*
 * The next of a list, "unix:/path" or "{ unix:/path, default_action=accept }":
 * its address and what else stands in the braces, both the caller's.  False
 * past the last.
 */
bool	milter_list_next(const char **list, char **address, char **options);

/* The listener that a service means by an address; NULL: another's. */
const struct listener *milter_list_listener(const struct postconf *,
	    const struct config *, const struct postconf_service *,
	    const char *address);

/* A listener as Postfix names it: "unix:/PATH", "inet:HOST:PORT"; the caller's. */
char	*milter_list_address(const struct listener *);

#endif
