/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/stat.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tools/milter_list.h"
#include "tools/postfix_look.h"

/* May Postfix's user connect, by the socket's owner, group and mode? */
static bool
may_connect(const char *user, const struct stat *st)
{
	const struct passwd	*pw = getpwnam(user);
	gid_t			 groups[128];
	int			 n = 128;

	if (pw == NULL || (st->st_mode & S_IWOTH) != 0)
		return true;
	if (st->st_uid == pw->pw_uid)
		return (st->st_mode & S_IWUSR) != 0;
	if ((st->st_mode & S_IWGRP) == 0 ||
	    getgrouplist(user, pw->pw_gid, groups, &n) == -1)
		return false;
	for (int i = 0; i < n; i++)
		if (groups[i] == st->st_gid)
			return true;
	return false;
}

static void
check_socket(const struct postfix_look *look, const struct postconf_service *s,
    const char *address)
{
	const char	*queue = postconf_get(look->pc, NULL, "queue_directory");
	const char	*user = postconf_get(look->pc, NULL, "mail_owner");
	bool		 is_below = s->is_chroot || address[5] != '/';
	char		*path = mem_strf("%s%s%s", is_below ? queue : "",
	    is_below && address[5] != '/' ? "/" : "", address + 5);
	char		*text = NULL;
	struct stat	 st;

	if (stat(path, &st) == -1)
		text = mem_strf("the socket %s cannot be reached (%s): %s",
		    path, strerror(errno), s->is_chroot ?
		    "the service runs in a chroot, wanted \"n\" in the fifth "
		    "column of master.cf" : "does the daemon run?");
	else if (!S_ISSOCK(st.st_mode))
		text = mem_strf("%s is no socket", path);
	else if (!may_connect(user, &st))
		text = mem_strf("%s may not connect to the socket %s; wanted "
		    "group = \"%s\" in its listener", user, path, user);
	if (text != NULL)
		postfix_look_found(look, s->name, "%s", text);
	free(text);
	free(path);
}

static void
check_sockets_of(const struct postfix_look *look,
    const struct postconf_service *s, const char *name)
{
	const char	*p = postconf_get(look->pc, s, name);
	char		*address, *options;

	while (milter_list_next(&p, &address, &options)) {
		if (strncmp(address, "unix:", 5) == 0 &&
		    milter_list_listener(look->pc, look->config, s,
		    address) != NULL)
			check_socket(look, s, address);
		free(address);
		free(options);
	}
}

void
postfix_check_sockets(const struct postconf *pc, const struct config *config,
    postfix_finding_fn *tell, void *arg)
{
	const struct postfix_look	 look = { pc, config, tell, arg };

	for (size_t i = 0; i < pc->n_services; i++) {
		const struct postconf_service	*s = &pc->services[i];

		if (!postfix_look_counts(&look, s))
			continue;
		if (strcmp(s->command, "smtpd") == 0)
			check_sockets_of(&look, s, "smtpd_milters");
		if (strcmp(s->name, "cleanup") == 0)
			check_sockets_of(&look, s, "non_smtpd_milters");
	}
}
