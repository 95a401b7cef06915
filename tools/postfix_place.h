/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_POSTFIX_PLACE_H
#define TOOLS_POSTFIX_PLACE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Where somebody listens or connects to, as Postfix writes it:
 * "[127.0.0.1]:10026", "localhost:smtp", "10026".
 */
struct postfix_place {
	char	*host;		/* without brackets; "" where there is none */
	char	*port;		/* number or name; "" where there is none */
	bool	 is_bracketed;	/* no MX record is looked up for the host */
};

/* As smtp(8) reads it: a lone word is a host. */
void	postfix_place_parse(struct postfix_place *, const char *, size_t len);
/* As master(8) reads the name of an inet service: a lone word is a port. */
void	postfix_place_of_service(struct postfix_place *, const char *name);
void	postfix_place_free(struct postfix_place *);	/* its contents */

/* An address of this host that no other can reach, or "localhost". */
bool	postfix_place_is_loopback(const char *host);
/*
 * May a connection to it be one to the inet service of this name?  "localhost"
 * is several addresses, and a service without host listens on all.
 */
bool	postfix_place_reaches(const struct postfix_place *,
	    const char *service);

#endif
