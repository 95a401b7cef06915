/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "tools/milter_list.h"
#include "tools/postfix_alias.h"
#include "tools/postfix_check.h"
#include "tools/postfix_split.h"
#include "tools/postfix_table.h"

/*
 * The services that ask the filter, and what is done to mail after it.  What
 * two passes need besides is in postfix_split.c.
 */

static bool
is_same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* --- lists of milters ------------------------------------------------------------ */

static bool
is_signer(const char *address)
{
	static const char *const	 words[] = { "dkim", "arc", "rspamd",
	    ":8891", ":11332" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasestr(address, words[i]) != NULL)
			return true;
	return false;
}

/* What a service does if the filter is away, by the list's own option or not. */
static bool
is_accepting(const struct postfix_look *look,
    const struct postconf_service *service, const char *options)
{
	const char	*own = strstr(options, "default_action");

	if (own != NULL)
		return strstr(own, "accept") != NULL;
	return is_same(postconf_get(look->pc, service,
	    "milter_default_action"), "accept");
}

/*
 * Our listener in a service's list, and what is wrong with its place there;
 * NULL: we are not in it.
 */
static const struct listener *
check_list(const struct postfix_look *look,
    const struct postconf_service *service, const char *name,
    const char *about)
{
	const char		*p = postconf_get(look->pc, service, name);
	char			*address, *options, *signer = NULL;
	const struct listener	*found = NULL, *l;

	while (milter_list_next(&p, &address, &options)) {
		l = milter_list_listener(look->pc, look->config, service,
		    address);
		if (l == NULL && found == NULL && is_signer(address)) {
			free(signer);
			signer = mem_str(address);
		}
		if (l != NULL) {
			found = l;
			if (signer != NULL)
				postfix_look_found(look, about, "%s: %s comes "
				    "before smime-milter, which breaks its "
				    "signature; it has to come after", name,
				    signer);
			if (is_accepting(look, service, options))
				postfix_look_found(look, about,
				    "milter_default_action = accept: while "
				    "the filter is away mail leaves unsigned "
				    "and in clear; wanted tempfail");
		}
		free(address);
		free(options);
	}
	free(signer);
	return found;
}

/* --- what is done to mail afterwards ------------------------------------------------ */

/*
 * Tables of which an answer may change mail; to tell where one does not hurt,
 * somebody has to look at them.
 */
static void
check_tables(const struct postfix_look *look, const struct postconf_service *s,
    const char *name, const char *why)
{
	static const char *const	 changes[] = { "REPLACE", "PREPEND",
	    "IGNORE", "STRIP", NULL };
	char				*unreadable, *table;

	table = postfix_table_with(postconf_get(look->pc, s, name), changes,
	    &unreadable);
	if (table != NULL)
		postfix_look_found(look, s->name, "%s: %s has REPLACE, "
		    "PREPEND, IGNORE or STRIP, %s: look what it does", name,
		    table, why);
	else if (unreadable != NULL)
		postfix_look_found(look, s->name, "%s: %s cannot be read "
		    "here: look that it has no REPLACE, PREPEND, IGNORE or "
		    "STRIP, %s", name, unreadable, why);
	free(table);
	free(unreadable);
}

/* Between the filter and the queue, and where mail takes another turn. */
static void
check_behind(const struct postfix_look *look,
    const struct postconf_service *service, enum role role)
{
	const struct postconf_service	*cleanup = postfix_look_cleanup(look,
	    service);

	if (cleanup != NULL)
		check_tables(look, cleanup, "milter_header_checks",
		    "which may change the fields that the filter makes");
	if (role == ROLE_DIRECT)
		postfix_look_empty(look, service, "content_filter", "mail "
		    "goes through another filter after it was signed: look "
		    "that nothing there, nor any header_checks when it comes "
		    "back, changes it (a disclaimer, a mark in the Subject)");
}

/* Mail that leaves after the last pass: what was signed must stay so. */
static void
check_delivery(const struct postfix_look *look,
    const struct postconf_service *s)
{
	static const char *const	 checks[] = { "header_checks",
	    "mime_header_checks", "nested_header_checks", "body_checks" };
	char				*name = mem_strf("%s_generic_maps",
	    s->command);

	postfix_look_empty(look, s, name, "it changes From after the "
	    "signature, which is then another's");
	free(name);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		name = mem_strf("%s_%s", s->command, checks[i]);
		check_tables(look, s, name, "which may change what was "
		    "signed");
		free(name);
	}
}

/* --- services ---------------------------------------------------------------------- */

/*
 * With logins for all in main.cf, services on loopback that take mail back from
 * other filters have them, too; there it has to be said of the service itself.
 */
static bool
takes_logins(const struct postfix_look *look, const struct postconf_service *s)
{
	char	*key;
	bool	 is_said = false;

	if (!is_same(s->type, "inet") || !postfix_look_is_loopback(look, s))
		return is_same(postconf_get(look->pc, s,
		    "smtpd_sasl_auth_enable"), "yes");
	key = mem_strf("%s/%s", s->name, s->type);
	for (size_t i = 0; i < look->pc->n_params; i++)
		if (is_same(look->pc->params[i].service, key) && is_same(
		    look->pc->params[i].name, "smtpd_sasl_auth_enable"))
			is_said = is_same(look->pc->params[i].value, "yes");
	free(key);
	return is_said;
}

/* Returns whether it asks us. */
static bool
check_smtpd(const struct postfix_look *look, const struct postconf_service *s)
{
	const struct listener	*l = check_list(look, s, "smtpd_milters",
	    s->name);

	if (l == NULL && takes_logins(look, s))
		postfix_look_found(look, s->name, "smtpd_milters does not ask "
		    "the filter, but people log in there: their mail leaves "
		    "unsigned and in clear");
	if (l == NULL)
		return false;
	if (strstr(postconf_get(look->pc, s, "receive_override_options"),
	    "no_milters") != NULL)
		postfix_look_found(look, s->name, "receive_override_options "
		    "has no_milters: the filter is not asked");
	postfix_look_empty(look, s, "smtpd_milter_maps",
	    "it may take the filter away for some clients");
	postfix_look_empty(look, s, "smtpd_proxy_filter", "mail is handed on "
	    "there without asking the filter: it leaves unsigned and in "
	    "clear");
	check_behind(look, s, l->role);
	if (l->role == ROLE_STAMP)
		postfix_split_stamped(look, s);
	if (l->role == ROLE_SEAL)
		postfix_split_sealed(look, s);
	return true;
}

/*
 * What pickup(8) takes from the sendmail command, and qmqpd(8), is filtered by
 * cleanup(8).  Returns whether it asks us.
 */
static bool
check_cleanup(const struct postfix_look *look)
{
	const struct listener	*l = check_list(look, postconf_find(look->pc,
	    "cleanup", "unix"), "non_smtpd_milters", "cleanup");

	if (l == NULL && look->config->authorize.local)
		postfix_look_found(look, "main.cf", "non_smtpd_milters does "
		    "not ask the filter, but local = true: mail from the "
		    "sendmail command is not signed");
	if (l != NULL && l->role == ROLE_SEAL)
		postfix_look_found(look, "main.cf", "non_smtpd_milters asks "
		    "the listener of role seal: wanted that of role stamp, "
		    "or direct");
	for (size_t i = 0; l != NULL && i < look->pc->n_services; i++) {
		const struct postconf_service	*s = &look->pc->services[i];

		if ((!is_same(s->command, "pickup") &&
		    !is_same(s->command, "qmqpd")) ||
		    !postfix_look_counts(look, s))
			continue;
		check_behind(look, s, l->role);
		if (is_same(s->command, "qmqpd") &&
		    look->config->authorize.local)
			postfix_look_found(look, s->name, "its clients are "
			    "local to the filter (local = true), from "
			    "wherever they come; wanted a "
			    "cleanup_service_name without non_smtpd_milters, "
			    "or no qmqpd");
		if (l->role == ROLE_STAMP)
			postfix_split_stamped(look, s);
	}
	return l != NULL;
}

void
postfix_check(const struct postconf *pc, const struct config *config,
    postfix_finding_fn *tell, void *arg)
{
	const struct postfix_look	 look = { pc, config, tell, arg };
	bool				 is_used = check_cleanup(&look);

	for (size_t i = 0; i < pc->n_services; i++) {
		const struct postconf_service	*s = &pc->services[i];

		if (!postfix_look_counts(&look, s))
			continue;
		if (is_same(s->command, "smtpd") && check_smtpd(&look, s))
			is_used = true;
		if ((is_same(s->command, "smtp") ||
		    is_same(s->command, "lmtp")) &&
		    !postfix_split_is_hop(&look, s->name))
			check_delivery(&look, s);
	}
	if (!is_used)
		postfix_look_found(&look, "master.cf", "no service asks one "
		    "of the listeners (smtpd_milters)");
	if (config_has_role(config, ROLE_STAMP))
		postfix_split_all(&look);
	postfix_alias_all(&look);
}
