/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tools/postfix_place.h"
#include "tools/postfix_split.h"
#include "tools/postfix_table.h"

#define LEAVES	"mail would leave with its stamp, unsigned and in clear"

static bool
is_same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* --- where a content_filter leads ----------------------------------------------- */

/* What listens at a place has to be the second pass, whichever it is. */
static void
check_listens(const struct postfix_look *look, const char *about,
    const char *filter, const struct postfix_place *place)
{
	bool	 is_there = false;

	for (size_t i = 0; i < look->pc->n_services; i++) {
		const struct postconf_service	*s = &look->pc->services[i];

		if (!is_same(s->type, "inet") ||
		    !postfix_look_counts(look, s) ||
		    !postfix_place_reaches(place, s->name))
			continue;
		is_there = true;
		if (!is_same(s->command, "smtpd") || !postfix_look_asks(look,
		    s, "smtpd_milters", ROLE_SEAL))
			postfix_look_found(look, about, "content_filter = %s: "
			    "the %s at %s does not ask the listener of role "
			    "seal: " LEAVES, filter, s->command, s->name);
	}
	if (!is_there)
		postfix_look_found(look, about, "content_filter = %s: no "
		    "smtpd in master.cf listens there", filter);
}

/* One of the destinations that a content_filter names behind its transport. */
static void
check_destination(const struct postfix_look *look, const char *about,
    const char *filter, const struct postconf_service *hop, const char *text,
    size_t len)
{
	struct postfix_place	 place;

	postfix_place_parse(&place, text, len);
	if (place.port[0] == '\0') {
		free(place.port);
		place.port = mem_str(postconf_get(look->pc, hop,
		    "smtp_tcp_port"));
	}
	if (!postfix_place_is_loopback(place.host))
		postfix_look_found(look, about, "content_filter = %s leads to "
		    "%s: " LEAVES "; wanted the second pass on 127.0.0.1",
		    filter, place.host);
	else if (!place.is_bracketed)
		postfix_look_found(look, about, "content_filter = %s: without "
		    "brackets the MX record of %s decides where it leads; "
		    "wanted [%s]:%s", filter, place.host, place.host,
		    place.port);
	else
		check_listens(look, about, filter, &place);
	postfix_place_free(&place);
}

static void
check_destinations(const struct postfix_look *look, const char *about,
    const char *filter, const struct postconf_service *hop)
{
	const char	*colon = strchr(filter, ':');
	const char	*next = colon == NULL ? "" : colon + 1;

	if (next[0] == '\0')
		next = postconf_get(look->pc, NULL, "default_filter_nexthop");
	if (next[0] == '\0')
		postfix_look_found(look, about, "content_filter = %s names no "
		    "destination, so that mail goes to its recipient's: "
		    LEAVES, filter);
	while (*(next += strspn(next, ", \t")) != '\0') {
		const size_t	 len = strcspn(next, ", \t");

		check_destination(look, about, filter, hop, next, len);
		next += len;
	}
}

/* --- the first pass --------------------------------------------------------------- */

static char *
filter_transport(const char *filter)
{
	return mem_strn(filter, strcspn(filter, ":"));
}

static void
check_hop(const struct postfix_look *look, const struct postconf_service *hop)
{
	static const char *const	 names[] = { "smtp_generic_maps",
	    "smtp_header_checks", "smtp_mime_header_checks",
	    "smtp_nested_header_checks", "smtp_body_checks" };
	char				*limit = mem_strf(
	    "%s_destination_recipient_limit", hop->name);

	if (!is_same(postconf_get(look->pc, NULL, limit), "1"))
		postfix_look_found(look, "main.cf", "%s is not 1: mail is not "
		    "split by recipient", limit);
	free(limit);
	postfix_look_value(look, hop, "disable_mime_output_conversion", "yes",
	    "8-bit mail is converted after it was stamped, and refused then");
	postfix_look_value(look, hop, "smtp_line_length_limit", "0",
	    "long lines are broken after mail was stamped, which is refused "
	    "then");
	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
		postfix_look_empty(look, hop, names[k],
		    "it changes mail after it was stamped, which is refused "
		    "then");
	postfix_look_empty(look, hop, "smtp_fallback_relay", "mail that the "
	    "second pass does not take, or not now, goes there with its "
	    "stamp, unsigned and in clear");
}

/* FILTER in a table goes before content_filter. */
static void
check_tables(const struct postfix_look *look,
    const struct postconf_service *service, const char *about,
    const char *const *names, size_t n)
{
	static const char *const	 filter[] = { "FILTER", NULL };

	for (size_t i = 0; i < n; i++) {
		char	*table = postfix_table_with(postconf_get(look->pc,
		    service, names[i]), filter, NULL);

		if (table != NULL)
			postfix_look_found(look, about, "%s: %s has FILTER, "
			    "which goes before content_filter: where it is "
			    "met " LEAVES, names[i], table);
		free(table);
	}
}

static void
check_other_filters(const struct postfix_look *look,
    const struct postconf_service *service)
{
	static const char *const	 in_smtpd[] = {
	    "smtpd_client_restrictions", "smtpd_helo_restrictions",
	    "smtpd_sender_restrictions", "smtpd_relay_restrictions",
	    "smtpd_recipient_restrictions", "smtpd_data_restrictions",
	    "smtpd_end_of_data_restrictions" };
	static const char *const	 in_cleanup[] = { "header_checks",
	    "mime_header_checks", "nested_header_checks", "body_checks",
	    "milter_header_checks" };
	const struct postconf_service	*cleanup = postfix_look_cleanup(look,
	    service);

	if (is_same(service->command, "smtpd"))
		check_tables(look, service, service->name, in_smtpd,
		    sizeof(in_smtpd) / sizeof(in_smtpd[0]));
	if (cleanup != NULL)
		check_tables(look, cleanup, cleanup->name, in_cleanup,
		    sizeof(in_cleanup) / sizeof(in_cleanup[0]));
}

void
postfix_split_stamped(const struct postfix_look *look,
    const struct postconf_service *service)
{
	const char			*filter = postconf_get(look->pc,
	    service, "content_filter");
	char				*transport;
	const struct postconf_service	*hop;

	if (filter[0] == '\0') {
		postfix_look_found(look, service->name, "mail is stamped, but "
		    "there is no content_filter that leads to the second "
		    "pass: it would leave with its stamp, unsigned and in "
		    "clear");
		return;
	}
	transport = filter_transport(filter);
	hop = postconf_find(look->pc, transport, "unix");
	if (hop == NULL)
		postfix_look_found(look, "master.cf", "there is no service "
		    "%s, which content_filter names", transport);
	else if (!is_same(hop->command, "smtp"))
		postfix_look_found(look, service->name, "content_filter = %s "
		    "leads to %s, wanted smtp and the second pass: " LEAVES,
		    filter, hop->command);
	else {
		check_hop(look, hop);
		check_destinations(look, service->name, filter, hop);
	}
	check_other_filters(look, service);
	free(transport);
}

bool
postfix_split_is_hop(const struct postfix_look *look, const char *name)
{
	bool	 is_hop = false;

	for (size_t i = 0; i < look->pc->n_services; i++) {
		const struct postconf_service	*s = &look->pc->services[i];
		char				*transport;

		if (!is_same(s->command, "pickup") && !postfix_look_asks(look,
		    s, "smtpd_milters", ROLE_STAMP))
			continue;
		transport = filter_transport(postconf_get(look->pc, s,
		    "content_filter"));
		if (is_same(transport, name))
			is_hop = true;
		free(transport);
	}
	return is_hop;
}

/* --- the second pass ---------------------------------------------------------------- */

static void
check_loopback(const struct postfix_look *look,
    const struct postconf_service *s)
{
	struct postfix_place	 own;

	if (postfix_look_is_loopback(look, s))
		return;
	postfix_place_of_service(&own, s->name);
	postfix_look_found(look, s->name, "others than this host can reach "
	    "the second pass; wanted 127.0.0.1:%s", own.port);
	postfix_place_free(&own);
}

void
postfix_split_sealed(const struct postfix_look *look,
    const struct postconf_service *s)
{
	const char	*overrides = postconf_get(look->pc, s,
	    "receive_override_options");

	check_loopback(look, s);
	postfix_look_empty(look, s, "content_filter",
	    "mail would go round in circles after the second pass");
	postfix_look_empty(look, s, "local_header_rewrite_clients",
	    "fields are added or rewritten after mail was stamped, which is "
	    "refused then");
	if (strstr(overrides, "no_address_mappings") == NULL)
		postfix_look_found(look, s->name, "receive_override_options "
		    "lacks no_address_mappings: aliases are expanded after "
		    "the split");
	if (strstr(overrides, "no_header_body_checks") == NULL)
		postfix_look_found(look, s->name, "receive_override_options "
		    "lacks no_header_body_checks: mail may change after it "
		    "was stamped");
}

/* --- what concerns all of Postfix ------------------------------------------------------ */

/* In seconds; Postfix's units. */
static long
seconds_of(const char *text)
{
	char	*end;
	long	 n = strtol(text, &end, 10);

	return *end == 'w' ? n * 7 * 86400 : *end == 'd' ? n * 86400 :
	    *end == 'h' ? n * 3600 : *end == 'm' ? n * 60 : n;
}

static bool
has_seal(const struct postfix_look *look)
{
	for (size_t i = 0; i < look->pc->n_services; i++) {
		const struct postconf_service	*s = &look->pc->services[i];

		if (is_same(s->command, "smtpd") &&
		    postfix_look_counts(look, s) &&
		    postfix_look_asks(look, s, "smtpd_milters", ROLE_SEAL))
			return true;
	}
	return false;
}

/* bounce(8) puts what it returns into the queue by a cleanup service. */
static void
check_returned(const struct postfix_look *look)
{
	static const char *const	 names[] = { "bounce", "defer",
	    "trace" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct postconf_service	*s = postconf_find(look->pc,
		    names[i], "unix");

		if (s != NULL && is_same(postconf_get(look->pc, s,
		    "cleanup_service_name"), "cleanup"))
			postfix_look_found(look, s->name, "what is returned "
			    "to senders may have a stamp in it; wanted "
			    "cleanup_service_name=smimereturn");
	}
}

/*
 * What Postfix has to tell the postmaster passes no content_filter.  Bounces
 * do neither, but bounce(8) has a cleanup service of its own for them.
 */
static void
check_notices(const struct postfix_look *look)
{
	const char	*classes = postconf_get(look->pc, NULL,
	    "internal_mail_filter_classes");

	if (strstr(classes, "notify") != NULL && postfix_look_asks(look,
	    postconf_find(look->pc, "cleanup", "unix"), "non_smtpd_milters",
	    ROLE_STAMP))
		postfix_look_found(look, "main.cf",
		    "internal_mail_filter_classes = %s: what Postfix tells "
		    "the postmaster is stamped and leaves with the stamp; "
		    "wanted it without notify", classes);
}

void
postfix_split_all(const struct postfix_look *look)
{
	static const char *const	 rewriting[] = {
	    "sender_canonical_maps", "canonical_maps", "masquerade_domains" };
	const char			*queue = postconf_get(look->pc, NULL,
	    "maximal_queue_lifetime");

	if (!has_seal(look))
		postfix_look_found(look, "master.cf", "no service asks the "
		    "listener of role seal: mail that was stamped is not "
		    "signed");
	if (seconds_of(queue) > look->config->stamp_lifetime)
		postfix_look_found(look, "main.cf", "maximal_queue_lifetime = "
		    "%s is longer than stamp-lifetime (%d s): mail that "
		    "waited long is refused", queue,
		    look->config->stamp_lifetime);
	for (size_t i = 0; i < sizeof(rewriting) / sizeof(rewriting[0]); i++)
		postfix_look_empty(look, NULL, rewriting[i], "senders change "
		    "after mail was stamped, which is refused then");
	check_returned(look);
	check_notices(look);
}
