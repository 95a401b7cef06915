/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_POSTFIX_CHECK_H
#define TOOLS_POSTFIX_CHECK_H

#include "policy/config.h"
#include "tools/postconf.h"

/*
 * What is wrong with a Postfix that is to use the listeners of a
 * configuration.  Each finding is about a service or setting of Postfix.
 */
typedef void postfix_finding_fn(void *arg, const char *about,
	    const char *finding);

/* By the settings alone. */
void	postfix_check(const struct postconf *, const struct config *,
	    postfix_finding_fn *, void *arg);
/* In postfix_sockets.c: can each service reach the sockets that it is told? */
void	postfix_check_sockets(const struct postconf *, const struct config *,
	    postfix_finding_fn *, void *arg);

#endif
