/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICY_CONFIG_SOCKET_H
#define POLICY_CONFIG_SOCKET_H

#include <stdbool.h>

/*
 * Where something listens, as libmilter writes it: unix:/PATH,
 * inet:PORT@HOST or inet6:PORT@HOST, the host being an IP address or
 * localhost; without a host, every address of this machine.
 */
struct config_socket {
	int	 family;	/* AF_UNIX, AF_INET, AF_INET6 */
	char	 path[108];	/* AF_UNIX */
	int	 port;
	char	 host[46];	/* "" is every address */
	bool	 is_loopback;
};

/* NULL, or in words what is wanted instead of it: "a port from 1 to 65535". */
const char	*config_socket_parse(const char *spec,
		    struct config_socket *);

#endif
