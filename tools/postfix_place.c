/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <netinet/in.h>

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "tools/postfix_place.h"

static void
set(struct postfix_place *place, const char *host, size_t len,
    const char *port)
{
	if (len >= 5 && strncasecmp(host, "ipv6:", 5) == 0) {
		host += 5;
		len -= 5;
	}
	place->host = mem_strn(host, len);
	place->port = mem_str(port);
}

void
postfix_place_parse(struct postfix_place *place, const char *text, size_t len)
{
	char		*copy = mem_strn(text, len);
	const char	*end = strchr(copy, ']');

	place->is_bracketed = copy[0] == '[' && end != NULL;
	if (place->is_bracketed)
		set(place, copy + 1, (size_t)(end - copy) - 1,
		    end[1] == ':' ? end + 2 : "");
	else if ((end = strrchr(copy, ':')) != NULL)
		set(place, copy, (size_t)(end - copy), end + 1);
	else
		set(place, copy, strlen(copy), "");
	free(copy);
}

void
postfix_place_of_service(struct postfix_place *place, const char *name)
{
	if (strchr(name, ':') != NULL) {
		postfix_place_parse(place, name, strlen(name));
		return;
	}
	place->is_bracketed = false;
	set(place, "", 0, name);
}

void
postfix_place_free(struct postfix_place *place)
{
	free(place->host);
	free(place->port);
}

bool
postfix_place_is_loopback(const char *host)
{
	struct in_addr	 v4;
	struct in6_addr	 v6;

	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, host, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6);
	return strcasecmp(host, "localhost") == 0;
}

/* A port by its number or its name; -1: no such name. */
static int
port_number(const char *port)
{
	const struct servent	*service;
	char			*end;
	long			 n = strtol(port, &end, 10);

	if (*port != '\0' && *end == '\0' && n >= 0 && n <= 65535)
		return (int)n;
	service = getservbyname(port, "tcp");
	return service == NULL ? -1 : ntohs((uint16_t)service->s_port);
}

static bool
is_same_port(const char *a, const char *b)
{
	const int	 n = port_number(a);

	return strcmp(a, b) == 0 || (n != -1 && n == port_number(b));
}

static bool
is_localhost(const char *host)
{
	return strcasecmp(host, "localhost") == 0;
}

bool
postfix_place_reaches(const struct postfix_place *place, const char *service)
{
	struct postfix_place	 own;
	bool			 is_it;

	postfix_place_of_service(&own, service);
	is_it = is_same_port(place->port, own.port) && (own.host[0] == '\0' ||
	    strcasecmp(own.host, place->host) == 0 ||
	    (is_localhost(own.host) &&
	    postfix_place_is_loopback(place->host)) ||
	    (is_localhost(place->host) &&
	    postfix_place_is_loopback(own.host)));
	postfix_place_free(&own);
	return is_it;
}
