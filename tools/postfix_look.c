/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/milter_list.h"
#include "tools/postfix_look.h"
#include "tools/postfix_place.h"

void
postfix_look_found(const struct postfix_look *look, const char *about,
    const char *fmt, ...)
{
	char	 text[1024];
	va_list	 ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	look->tell(look->arg, about, text);
}

static const char *
where(const struct postconf_service *service)
{
	return service == NULL ? "main.cf" : service->name;
}

void
postfix_look_empty(const struct postfix_look *look,
    const struct postconf_service *service, const char *name, const char *why)
{
	const char	*value = postconf_get(look->pc, service, name);

	if (value[0] != '\0')
		postfix_look_found(look, where(service), "%s = %s: %s", name,
		    value, why);
}

void
postfix_look_value(const struct postfix_look *look,
    const struct postconf_service *service, const char *name,
    const char *wanted, const char *why)
{
	const char	*value = postconf_get(look->pc, service, name);

	if (strcmp(value, wanted) != 0)
		postfix_look_found(look, where(service), "%s = %s, wanted %s: "
		    "%s", name, value, wanted, why);
}

bool
postfix_look_asks(const struct postfix_look *look,
    const struct postconf_service *service, const char *list, enum role role)
{
	const char	*p = postconf_get(look->pc, service, list);
	char		*address, *options;
	bool		 is_asked = false;

	while (milter_list_next(&p, &address, &options)) {
		const struct listener	*l = milter_list_listener(look->pc,
		    look->config, service, address);

		if (l != NULL && l->role == role)
			is_asked = true;
		free(address);
		free(options);
	}
	return is_asked;
}

const struct postconf_service *
postfix_look_cleanup(const struct postfix_look *look,
    const struct postconf_service *service)
{
	return postconf_find(look->pc, postconf_get(look->pc, service,
	    "cleanup_service_name"), "unix");
}

bool
postfix_look_counts(const struct postfix_look *look,
    const struct postconf_service *service)
{
	return postconf_find(look->pc, service->name, service->type) ==
	    service;
}

bool
postfix_look_is_loopback(const struct postfix_look *look,
    const struct postconf_service *service)
{
	const char		*interfaces = postconf_get(look->pc, service,
	    "inet_interfaces");
	struct postfix_place	 own;
	bool			 is_only;

	postfix_place_of_service(&own, service->name);
	is_only = own.host[0] != '\0' ? postfix_place_is_loopback(own.host) :
	    postfix_place_is_loopback(interfaces) ||
	    strcmp(interfaces, "loopback-only") == 0;
	postfix_place_free(&own);
	return is_only;
}
