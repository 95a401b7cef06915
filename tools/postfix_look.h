/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_POSTFIX_LOOK_H
#define TOOLS_POSTFIX_LOOK_H

#include "tools/postfix_check.h"

/*
 * A look at a Postfix: what the files behind postfix_check.h share.  Where a
 * service may be NULL, main.cf is meant.
 */
struct postfix_look {
	const struct postconf	*pc;
	const struct config	*config;
	postfix_finding_fn	*tell;
	void			*arg;
};

void	postfix_look_found(const struct postfix_look *, const char *about,
	    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Finds a setting that is not empty, or is not as wanted. */
void	postfix_look_empty(const struct postfix_look *,
	    const struct postconf_service *, const char *name,
	    const char *why);
void	postfix_look_value(const struct postfix_look *,
	    const struct postconf_service *, const char *name,
	    const char *wanted, const char *why);

/* Is one of our listeners of this role in a service's list of milters? */
bool	postfix_look_asks(const struct postfix_look *,
	    const struct postconf_service *, const char *list, enum role);

/* The cleanup(8) that a service hands mail to; NULL: there is none. */
const struct postconf_service *postfix_look_cleanup(
	    const struct postfix_look *, const struct postconf_service *);

/* The line of master.cf that counts, of those with one name? */
bool	postfix_look_counts(const struct postfix_look *,
	    const struct postconf_service *);

/* An inet service that no other host can reach? */
bool	postfix_look_is_loopback(const struct postfix_look *,
	    const struct postconf_service *);

#endif
