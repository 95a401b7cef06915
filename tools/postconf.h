/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_POSTCONF_H
#define TOOLS_POSTCONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * Postfix's configuration as postconf(1) tells it: main.cf with everything
 * expanded and every default, and the services of master.cf.
 */
struct postconf_service {
	char	*name;		/* "submission", "127.0.0.1:10026" */
	char	*type;		/* "inet", "unix" */
	char	*command;	/* "smtpd" */
	bool	 is_chroot;
};

struct postconf_param {
	char	*service;	/* "submission/inet"; "" in main.cf */
	char	*name;
	char	*value;
};

struct postconf {
	struct postconf_service	*services;
	size_t			 n_services;
	struct postconf_param	*params;
	size_t			 n_params;
};

/* Ask the installed Postfix.  ERR_CONFIG: there is none, or it complains. */
bool	postconf_read(struct postconf *, struct err *);
/* The same from what "postconf -x", "postconf -M", "postconf -Px" print. */
void	postconf_parse(struct postconf *, const char *main_cf,
	    const char *services, const char *overrides);
void	postconf_free(struct postconf *);	/* its contents */

/* What counts in a service (NULL: in main.cf); "" if it is not there. */
const char *postconf_get(const struct postconf *,
	    const struct postconf_service *, const char *name);
/* NULL: there is no such service. */
const struct postconf_service *postconf_find(const struct postconf *,
	    const char *name, const char *type);

#endif
