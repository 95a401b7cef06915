/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "tools/milter_list.h"
#include "tools/postfix_check.h"

struct check {
	const struct postconf	*pc;
	const struct config	*config;
	postfix_finding_fn	*tell;
	void			*arg;
	bool			 is_used;	/* some service asks us */
	bool			 has_seal;	/* some service does the second pass */
};

static void find(const struct check *, const char *, const char *, ...)
    __attribute__((format(printf, 3, 4)));

static void
find(const struct check *c, const char *about, const char *fmt, ...)
{
	char	 text[1024];
	va_list	 ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->tell(c->arg, about, text);
}

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
is_accepting(const struct check *c, const struct postconf_service *service,
    const char *options)
{
	const char	*own = strstr(options, "default_action");

	if (own != NULL)
		return strstr(own, "accept") != NULL;
	return is_same(postconf_get(c->pc, service,
	    "milter_default_action"), "accept");
}

/*
 * Our listener in a service's list, and what is wrong with its place there;
 * NULL: we are not in it.
 */
static const struct listener *
check_list(const struct check *c, const struct postconf_service *service,
    const char *name, const char *about)
{
	const char		*p = postconf_get(c->pc, service, name);
	char			*address, *options, *signer = NULL;
	const struct listener	*found = NULL, *l;

	while (milter_list_next(&p, &address, &options)) {
		l = milter_list_listener(c->pc, c->config, service,
		    address);
		if (l == NULL && found == NULL && is_signer(address)) {
			free(signer);
			signer = mem_str(address);
		}
		if (l != NULL) {
			found = l;
			if (signer != NULL)
				find(c, about, "%s: %s comes before "
				    "smime-milter, which breaks its "
				    "signature; it has to come after", name,
				    signer);
			if (is_accepting(c, service, options))
				find(c, about, "milter_default_action = "
				    "accept: while the filter is away mail "
				    "leaves unsigned and in clear; wanted "
				    "tempfail");
		}
		free(address);
		free(options);
	}
	free(signer);
	return found;
}

/* --- what is done to mail afterwards ------------------------------------------------ */

static void
check_empty(const struct check *c, const struct postconf_service *service,
    const char *name, const char *why)
{
	const char	*value = postconf_get(c->pc, service, name);

	if (value[0] != '\0')
		find(c, service == NULL ? "main.cf" : service->name,
		    "%s = %s: %s", name, value, why);
}

static void
check_value(const struct check *c, const struct postconf_service *service,
    const char *name, const char *wanted, const char *why)
{
	const char	*value = postconf_get(c->pc, service, name);

	if (!is_same(value, wanted))
		find(c, service->name, "%s = %s, wanted %s: %s", name, value,
		    wanted, why);
}

/* Which transport does a content_filter name, and where does it go? */
static char *
filter_transport(const char *filter, const char **next)
{
	const char	*colon = strchr(filter, ':');

	*next = colon == NULL ? "" : colon + 1;
	return mem_strn(filter, colon == NULL ? strlen(filter) :
	    (size_t)(colon - filter));
}

static const char *
port_of(const char *host_and_port)
{
	const char	*colon = strrchr(host_and_port, ':');

	return colon == NULL ? host_and_port : colon + 1;
}

/* Mail that leaves after the last pass: what was signed must stay so. */
static void
check_delivery(const struct check *c, const char *hop)
{
	static const char *const	 names[] = { "smtp_generic_maps",
	    "smtp_header_checks", "smtp_mime_header_checks",
	    "smtp_nested_header_checks", "smtp_body_checks" };

	for (size_t i = 0; i < c->pc->n_services; i++) {
		const struct postconf_service	*s = &c->pc->services[i];

		if (!is_same(s->command, "smtp") || is_same(s->name, hop) ||
		    postconf_find(c->pc, s->name, s->type) != s)
			continue;
		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			check_empty(c, s, names[k], k == 0 ?
			    "it changes From after the signature, which is "
			    "then another's" :
			    "it may change what was signed");
	}
}

/* --- two passes ------------------------------------------------------------------------ */

static void
check_hop(const struct check *c, const char *transport)
{
	static const char *const	 names[] = { "smtp_generic_maps",
	    "smtp_header_checks", "smtp_mime_header_checks",
	    "smtp_nested_header_checks", "smtp_body_checks" };
	const struct postconf_service	*hop = postconf_find(c->pc, transport,
	    "unix");
	char				*limit;

	if (hop == NULL) {
		find(c, "master.cf", "there is no service %s, which "
		    "content_filter names", transport);
		return;
	}
	limit = mem_strf("%s_destination_recipient_limit", transport);
	if (!is_same(postconf_get(c->pc, NULL, limit), "1"))
		find(c, "main.cf", "%s is not 1: mail is not split by "
		    "recipient", limit);
	free(limit);
	check_value(c, hop, "disable_mime_output_conversion", "yes",
	    "8-bit mail is converted after it was stamped, and refused then");
	check_value(c, hop, "smtp_line_length_limit", "0",
	    "long lines are broken after mail was stamped, which is refused "
	    "then");
	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
		check_empty(c, hop, names[k],
		    "it changes mail after it was stamped, which is refused "
		    "then");
	check_empty(c, hop, "smtp_fallback_relay", "mail that the second pass "
	    "does not take, or not now, goes there with its stamp, unsigned "
	    "and in clear");
}

static const struct postconf_service *
seal_service(const struct check *c, const char *port)
{
	for (size_t i = 0; i < c->pc->n_services; i++) {
		const struct postconf_service	*s = &c->pc->services[i];

		if (is_same(s->type, "inet") && is_same(s->command, "smtpd") &&
		    is_same(port_of(s->name), port))
			return s;
	}
	return NULL;
}

static bool
asks_role(const struct check *c, const struct postconf_service *s,
    enum role role)
{
	const char	*p = postconf_get(c->pc, s, "smtpd_milters");
	char		*address, *options;
	bool		 is_asked = false;

	while (milter_list_next(&p, &address, &options)) {
		const struct listener	*l = milter_list_listener(c->pc,
		    c->config, s, address);

		if (l != NULL && l->role == role)
			is_asked = true;
		free(address);
		free(options);
	}
	return is_asked;
}

/* A service whose mail was stamped has to send it on to the second pass. */
static void
check_stamped(const struct check *c, const struct postconf_service *service)
{
	const char			*filter = postconf_get(c->pc, service,
	    "content_filter");
	const char			*next;
	char				*transport;
	const struct postconf_service	*seal;

	if (filter[0] == '\0') {
		find(c, service->name, "mail is stamped, but there is no "
		    "content_filter that leads to the second pass: it would "
		    "leave with its stamp, unsigned and in clear");
		return;
	}
	transport = filter_transport(filter, &next);
	check_hop(c, transport);
	seal = seal_service(c, port_of(next));
	if (seal == NULL)
		find(c, service->name, "content_filter = %s: no smtpd in "
		    "master.cf listens there", filter);
	else if (!asks_role(c, seal, ROLE_SEAL))
		find(c, service->name, "content_filter = %s: the smtpd there "
		    "does not ask the listener of role seal: mail would leave "
		    "with its stamp, unsigned and in clear", filter);
	free(transport);
}

static bool
is_loopback_only(const struct check *c, const struct postconf_service *s)
{
	const char	*colon = strrchr(s->name, ':');
	const char	*interfaces = postconf_get(c->pc, s,
	    "inet_interfaces");

	if (colon != NULL)
		return strncmp(s->name, "127.", 4) == 0 ||
		    strncmp(s->name, "localhost:", 10) == 0 ||
		    strncmp(s->name, "[::1]:", 6) == 0 ||
		    strncmp(s->name, "::1:", 4) == 0;
	return is_same(interfaces, "loopback-only") ||
	    is_same(interfaces, "localhost") ||
	    is_same(interfaces, "127.0.0.1");
}

static void
check_sealed(const struct check *c, const struct postconf_service *s)
{
	const char	*overrides = postconf_get(c->pc, s,
	    "receive_override_options");

	if (!is_loopback_only(c, s))
		find(c, s->name, "others than this host can reach the second "
		    "pass; wanted 127.0.0.1:%s", port_of(s->name));
	check_empty(c, s, "content_filter",
	    "mail would go round in circles after the second pass");
	check_empty(c, s, "local_header_rewrite_clients",
	    "fields are added or rewritten after mail was stamped, which is "
	    "refused then");
	if (strstr(overrides, "no_address_mappings") == NULL)
		find(c, s->name, "receive_override_options lacks "
		    "no_address_mappings: aliases are expanded after the "
		    "split");
	if (strstr(overrides, "no_header_body_checks") == NULL)
		find(c, s->name, "receive_override_options lacks "
		    "no_header_body_checks: mail may change after it was "
		    "stamped");
}

/* In seconds; Postfix's units. */
static long
seconds_of(const char *text)
{
	char	*end;
	long	 n = strtol(text, &end, 10);

	return *end == 'w' ? n * 7 * 86400 : *end == 'd' ? n * 86400 :
	    *end == 'h' ? n * 3600 : *end == 'm' ? n * 60 : n;
}

static void
check_split(const struct check *c)
{
	static const char *const	 returning[] = { "bounce", "defer",
	    "trace" };
	const char			*queue = postconf_get(c->pc, NULL,
	    "maximal_queue_lifetime");
	const struct postconf_service	*s;

	if (!c->has_seal)
		find(c, "master.cf", "no service asks the listener of role "
		    "seal: mail that was stamped is not signed");
	if (seconds_of(queue) > c->config->stamp_lifetime)
		find(c, "main.cf", "maximal_queue_lifetime = %s is longer "
		    "than stamp-lifetime (%d s): mail that waited long is "
		    "refused", queue, c->config->stamp_lifetime);
	check_empty(c, NULL, "sender_canonical_maps",
	    "senders change after mail was stamped, which is refused then");
	check_empty(c, NULL, "canonical_maps",
	    "senders change after mail was stamped, which is refused then");
	check_empty(c, NULL, "masquerade_domains",
	    "senders change after mail was stamped, which is refused then");
	for (size_t i = 0; i < 3; i++)
		if ((s = postconf_find(c->pc, returning[i], "unix")) != NULL &&
		    is_same(postconf_get(c->pc, s, "cleanup_service_name"),
		    "cleanup"))
			find(c, s->name, "what is returned to senders may "
			    "have a stamp in it; wanted cleanup_service_name="
			    "smimereturn");
}

/* --- all of it ----------------------------------------------------------------------------- */

static bool
has_role(const struct config *config, enum role role)
{
	for (size_t i = 0; i < config->n_listeners; i++)
		if (config->listeners[i].role == role)
			return true;
	return false;
}

/*
 * Said of this service alone: with logins for all in main.cf, services that
 * take mail back from other filters have them, too.
 */
static bool
takes_logins(const struct check *c, const struct postconf_service *s)
{
	char	*key = mem_strf("%s/%s", s->name, s->type);
	bool	 is_said = false;

	for (size_t i = 0; i < c->pc->n_params; i++)
		if (is_same(c->pc->params[i].service, key) && is_same(
		    c->pc->params[i].name, "smtpd_sasl_auth_enable"))
			is_said = is_same(c->pc->params[i].value, "yes");
	free(key);
	return is_said;
}

static void
check_smtpd(struct check *c, const struct postconf_service *s)
{
	const struct listener	*l = check_list(c, s, "smtpd_milters",
	    s->name);

	if (l == NULL && takes_logins(c, s))
		find(c, s->name, "smtpd_milters does not ask the filter, but "
		    "people log in there: their mail leaves unsigned and in "
		    "clear");
	if (l == NULL)
		return;
	c->is_used = true;
	if (strstr(postconf_get(c->pc, s, "receive_override_options"),
	    "no_milters") != NULL)
		find(c, s->name, "receive_override_options has no_milters: "
		    "the filter is not asked");
	check_empty(c, s, "smtpd_milter_maps",
	    "it may take the filter away for some clients");
	if (l->role == ROLE_STAMP)
		check_stamped(c, s);
	if (l->role != ROLE_SEAL)
		return;
	c->has_seal = true;
	check_sealed(c, s);
}

/*
 * What Postfix has to tell the postmaster passes no content_filter.  Bounces
 * do neither, but bounce(8) has a cleanup service of its own for them.
 */
static void
check_notices(const struct check *c)
{
	const char	*value = postconf_get(c->pc, NULL,
	    "internal_mail_filter_classes");

	if (strstr(value, "notify") != NULL)
		find(c, "main.cf", "internal_mail_filter_classes = %s: what "
		    "Postfix tells the postmaster is stamped and leaves with "
		    "the stamp; wanted it without notify", value);
}

/* The sendmail command's mail is filtered by cleanup(8), for pickup(8). */
static void
check_local(struct check *c)
{
	const struct postconf_service	*cleanup = postconf_find(c->pc,
	    "cleanup", "unix");
	const struct postconf_service	*pickup = postconf_find(c->pc,
	    "pickup", "unix");
	const struct listener		*l = check_list(c, cleanup,
	    "non_smtpd_milters", "cleanup");

	if (l == NULL) {
		if (c->config->authorize.local)
			find(c, "main.cf", "non_smtpd_milters does not ask "
			    "the filter, but local = true: mail from the "
			    "sendmail command is not signed");
		return;
	}
	c->is_used = true;
	if (l->role == ROLE_STAMP && pickup != NULL)
		check_stamped(c, pickup);
	if (l->role == ROLE_STAMP)
		check_notices(c);
	if (l->role == ROLE_SEAL)
		find(c, "main.cf", "non_smtpd_milters asks the listener of "
		    "role seal: wanted that of role stamp, or direct");
}

void
postfix_check(const struct postconf *pc, const struct config *config,
    postfix_finding_fn *tell, void *arg)
{
	struct check	 c = { .pc = pc, .config = config, .tell = tell,
	    .arg = arg };
	const char	*next, *filter = "";
	char		*hop;

	for (size_t i = 0; i < pc->n_services; i++) {
		const struct postconf_service	*s = &pc->services[i];

		if (!is_same(s->command, "smtpd") ||
		    postconf_find(pc, s->name, s->type) != s)
			continue;
		check_smtpd(&c, s);
		if (strncmp(postconf_get(pc, s, "content_filter"), "smimehop",
		    8) == 0)
			filter = postconf_get(pc, s, "content_filter");
	}
	check_local(&c);
	if (!c.is_used)
		find(&c, "master.cf", "no service asks one of the listeners "
		    "(smtpd_milters)");
	if (has_role(config, ROLE_STAMP))
		check_split(&c);
	hop = filter_transport(filter, &next);
	check_delivery(&c, hop);
	free(hop);
}
