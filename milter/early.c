/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "milter/early.h"
#include "milter/lookup.h"
#include "policy/group.h"

/* The label of a group, if all of them require encryption; else NULL. */
static const char *
required_of_all(const struct config *config)
{
	if (config->default_group.options.encrypt != WANT_REQUIRE)
		return NULL;
	for (size_t i = 0; i < config->n_groups; i++)
		if (config->groups[i].options.encrypt != WANT_REQUIRE)
			return NULL;
	return config->default_group.label;
}

/*
 * Before a stamp an address may be an alias, which has no certificate; and a
 * seal listener's client is the MTA itself.
 */
bool
early_is_possible(const struct config *config, enum role role)
{
	if (!config->enabled || !config->refuse_at_rcpt ||
	    role != ROLE_DIRECT)
		return false;
	for (size_t i = 0; i < config->n_recipients; i++)
		if (config->recipients[i].has_encrypt &&
		    config->recipients[i].encrypt == WANT_REQUIRE)
			return true;
	return required_of_all(config) != NULL;
}

/* Who requires it of everybody's mail to this address; NULL: nobody. */
static const char *
required_by(const struct config *config, const char *recipient)
{
	size_t	 i = group_table_find_tagged(config->recipients_members,
		    recipient, config->subaddress_delimiter);

	if (i != GROUP_NONE && config->recipients[i].has_encrypt &&
	    config->recipients[i].encrypt == WANT_REQUIRE)
		return config->recipients[i].label;
	return required_of_all(config);
}

static bool
is_asked(const struct config *config, enum role role, const struct mail *mail)
{
	if (!early_is_possible(config, role) || mail->login == NULL)
		return false;
	/* A report may be exempt; and local mail cannot be refused here. */
	return mail->sender[0] != '\0' && (mail->client == NULL ||
	    strcmp(mail->client, "local") != 0);
}

bool
early_refuses(const struct config *config, enum role role,
    struct custody *custody, struct find_cache *found, const struct mail *mail,
    const char *recipient, int64_t now, struct decision *decision)
{
	const char		*by = required_by(config, recipient);
	struct rule_recipient	 wants = { NULL, WANT_NEVER, WANT_REQUIRE, by,
				    by };
	struct rule		 rule = { .group = &config->default_group,
				    .options = config->default_group.options,
				    .sign = WANT_NEVER, .sign_by = by,
				    .recipients = &wants, .n_recipients = 1 };
	struct fact_recipient	 known = { .addr = recipient };
	struct facts		 facts = { .is_authorised = true, .n_from = 1,
				    .is_login = true, .role = ROLE_DIRECT,
				    .recipients = &known, .n_recipients = 1 };
	struct finding		*finding = NULL;
	struct err		 err = { 0 };
	struct lookup		 lookup = { .custody = custody,
				    .found = found, .now = now,
				    .delimiters =
				    config->subaddress_delimiter };

	if (by == NULL || !is_asked(config, role, mail))
		return false;
	lookup_encrypt(&lookup, recipient, &finding, &err);
	known.cert = lookup_fact(finding, &err, &known.reason);
	decide(&rule, &facts, decision);
	finding_free(finding);
	return decision->verdict != VERDICT_GO;
}
