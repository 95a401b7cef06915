/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config_socket.h"

static const char *
parse_unix(const char *path, struct config_socket *out)
{
	_Static_assert(sizeof(out->path) ==
	    sizeof(((struct sockaddr_un *)NULL)->sun_path), "a whole path");

	if (path[0] != '/')
		return "a path that begins with / after \"unix:\"";
	if (strlen(path) >= sizeof(out->path))
		return "a path of at most 107 bytes";
	strcpy(out->path, path);
	return NULL;
}

static bool
is_loopback(const char *host)
{
	uint8_t	 v4[4];
	uint8_t	 v6[16];
	char	 text[INET6_ADDRSTRLEN];

	if (strcmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, v4) == 1)
		return v4[0] == 127;
	return inet_pton(AF_INET6, host, v6) == 1 &&
	    inet_ntop(AF_INET6, v6, text, sizeof(text)) != NULL &&
	    strcmp(text, "::1") == 0;
}

/* PORT@HOST.  libmilter listens on all of them where there is no host. */
static const char *
parse_inet(const char *rest, struct config_socket *out)
{
	char		*end;
	long		 port = strtol(rest, &end, 10);
	const char	*host = *end == '@' ? end + 1 : "";
	uint8_t		 addr[16];

	if (rest[0] < '0' || rest[0] > '9' || port < 1 || port > 65535 ||
	    (*end != '@' && *end != '\0'))
		return "a port from 1 to 65535, as in inet:8891@127.0.0.1";
	if (strlen(host) >= sizeof(out->host) || (host[0] != '\0' &&
	    strcmp(host, "localhost") != 0 &&
	    inet_pton(out->family, host, addr) != 1))
		return "an IP address or localhost after \"@\"";
	out->port = (int)port;
	strcpy(out->host, host);
	out->is_loopback = is_loopback(host);
	return NULL;
}

const char *
config_socket_parse(const char *spec, struct config_socket *out)
{
	*out = (struct config_socket){ .family = AF_UNIX };
	if (strncmp(spec, "unix:", 5) == 0)
		return parse_unix(spec + 5, out);
	out->family = AF_INET;
	if (strncmp(spec, "inet:", 5) == 0)
		return parse_inet(spec + 5, out);
	out->family = AF_INET6;
	if (strncmp(spec, "inet6:", 6) == 0)
		return parse_inet(spec + 6, out);
	return "unix:/PATH, inet:PORT@HOST or inet6:PORT@HOST";
}
