/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tools/milter_list.h"

char *
milter_list_address(const struct listener *listener)
{
	const char	*colon = strchr(listener->spec, ':');
	const char	*at = strchr(listener->spec, '@');

	if (listener->path != NULL)
		return mem_strf("unix:%s", listener->path);
	if (at == NULL)
		return mem_strf("inet:localhost:%s", colon + 1);
	return mem_strf("inet:%s%s%s:%.*s",
	    strchr(at, ':') != NULL ? "[" : "", at + 1,
	    strchr(at, ':') != NULL ? "]" : "", (int)(at - colon - 1),
	    colon + 1);
}

bool
milter_list_next(const char **p, char **address, char **options)
{
	const char	*end;
	size_t		 len;

	*p += strspn(*p, " \t,");
	if (**p == '\0')
		return false;
	if (**p != '{') {
		len = strcspn(*p, " \t,");
		*address = mem_strn(*p, len);
		*options = mem_str("");
		*p += len;
		return true;
	}
	*p += 1 + strspn(*p + 1, " \t");
	end = strchr(*p, '}');
	if (end == NULL)
		end = *p + strlen(*p);
	len = strcspn(*p, " \t,}");
	*address = mem_strn(*p, len);
	*options = mem_strn(*p + len, (size_t)(end - *p) - len);
	*p = end + (*end == '}');
	return true;
}

const struct listener *
milter_list_listener(const struct postconf *pc, const struct config *config,
    const struct postconf_service *service, const char *address)
{
	const char	*queue = postconf_get(pc, NULL, "queue_directory");
	char		*whole;

	/* A path without "/", or seen from a chroot, is below the queue. */
	if (strncmp(address, "unix:", 5) == 0 && (address[5] != '/' ||
	    (service != NULL && service->is_chroot)))
		whole = mem_strf("unix:%s%s%s", queue, address[5] == '/' ?
		    "" : "/", address + 5);
	else
		whole = mem_str(address);
	for (size_t i = 0; i < config->n_listeners; i++) {
		const struct listener	*l = &config->listeners[i];
		char			*ours = milter_list_address(l);
		bool			 is_it = strcmp(ours, whole) == 0 ||
		    strcmp(ours, address) == 0;

		free(ours);
		if (is_it) {
			free(whole);
			return l;
		}
	}
	free(whole);
	return NULL;
}
