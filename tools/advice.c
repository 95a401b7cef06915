/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "policy/identity.h"
#include "tools/advice.h"
#include "tools/out.h"

#define NAMED_MAX	5	/* recipients, one sentence each */

struct advice {
	const struct walk	*walk;
	const struct config	*config;
	const struct journey	*journey;
	json_t			*list;
};

static void	 add(struct advice *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));

static void
add(struct advice *a, const char *fmt, ...)
{
	char	 text[1000];
	va_list	 ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_array_append_new(a->list, out_json_str(text));
}

char *
advice_place(const struct config *config, const char *label)
{
	int	 line = config_line(config, label);

	if (line > 0)
		return mem_strf("%s (line %d)", label, line);
	if (strcmp(label, config->default_group.label) == 0)
		return mem_strf("%s (built in)", label);
	return mem_str(label);		/* a wish */
}

/* --- who is sending ------------------------------------------------------- */

/* A line of the identities file that would allow it. */
static void
add_identity(struct advice *a, const char *who)
{
	const struct authorize	*authorize = &a->config->authorize;
	const char		*from = a->journey->from;

	if (authorize->identities_file != NULL)
		add(a, "let %s have the line \"%s %s\"",
		    authorize->identities_file, who, from);
	else
		add(a, "set identities in authorize to the path of a file "
		    "with the line \"%s %s\"", who, from);
}

static void
advise_client(struct advice *a, const char *client)
{
	const struct authorize	*authorize = &a->config->authorize;
	char			*who;

	if (strcmp(client, "local") == 0) {
		if (!authorize->local)
			add(a, "set local = true in authorize");
		add_identity(a, "local");
		return;
	}
	add(a, "let the sender log in, or have %s in the networks of "
	    "authorize", client);
	who = mem_strf("net:%s", client);
	add_identity(a, who);
	free(who);
}

static void
advise_sender(struct advice *a)
{
	const struct mail	*mail = a->walk->mail;
	const struct journey	*j = a->journey;
	char			*who;

	if (j->from[0] == '\0') {
		add(a, "the mail needs one From field with one plain mailbox "
		    "(smime-milter.conf(5), \"The From field\")");
		return;
	}
	/* What the identities allow, the Sender and Resent fields forbid. */
	if ((who = identity_grant(a->config, mail->login, mail->client,
	    j->from)) != NULL) {
		free(who);
		add(a, "the fields Sender and Resent-* have to be absent, or "
		    "Sender to name an address of this sender");
		return;
	}
	if (mail->login == NULL && mail->client == NULL) {
		add(a, "say with --login or --client who is sending: nobody "
		    "else is authorised");
		return;
	}
	if (mail->login == NULL) {
		advise_client(a, mail->client);
		return;
	}
	if (!a->config->authorize.authenticated)
		add(a, "set authenticated = true in authorize");
	who = text_safe(mail->login, strlen(mail->login), 100);
	add_identity(a, who);
	free(who);
}

/* --- what the rules want -------------------------------------------------- */

static bool
has_bad_wish(const struct journey *j)
{
	return j->wishes.sign == WISH_BAD || j->wishes.encrypt == WISH_BAD;
}

/* Whoever wants it so: a section of the file, or the sender himself. */
static void
add_change(struct advice *a, const char *label, const char *option,
    const char *effect)
{
	char	*place;

	if (strncmp(label, "X-", 2) == 0) {
		add(a, "without \"%s\" %s", label, effect);
		return;
	}
	place = advice_place(a->config, label);
	add(a, "with another \"%s\" in %s %s", option, place, effect);
	free(place);
}

/* "group a (line 3) or recipients b (line 9)": those of a contradiction. */
static void
add_place(const struct advice *a, const char *label, char **list)
{
	char	*mark = mem_strf("%s has ", label), *place, *old = *list;

	if (strstr(a->journey->rule.refusal, mark) != NULL) {
		place = advice_place(a->config, label);
		*list = mem_strf("%s%s%s", old == NULL ? "" : old,
		    old == NULL ? "" : " or ", place);
		free(place);
		free(old);
	}
	free(mark);
}

static void
advise_contradiction(struct advice *a)
{
	const struct config	*config = a->config;
	char			*list = NULL;

	add_place(a, config->default_group.label, &list);
	for (size_t i = 0; i < config->n_groups; i++)
		add_place(a, config->groups[i].label, &list);
	for (size_t i = 0; i < config->n_recipients; i++)
		add_place(a, config->recipients[i].label, &list);
	if (list != NULL)
		add(a, "change %s, or send to these recipients apart", list);
	free(list);
}

static void
advise_refusal(struct advice *a)
{
	const struct journey	*j = a->journey;

	if (has_bad_wish(j)) {
		add(a, "the sender has to state each wish once, as yes or no");
		return;
	}
	if (strncmp(j->rule.refusal, "X-", 2) == 0)
		add(a, "without the wish it goes as the rules have it");
	advise_contradiction(a);
}

static void
advise_sign(struct advice *a)
{
	const struct journey	*j = a->journey;

	if (j->decision.do_sign)
		return;
	if (j->rule.sign == WANT_NEVER) {
		add_change(a, j->rule.sign_by, "sign",
		    "the mail would be signed");
		return;
	}
	if (j->sender_finding == NULL || j->sender_finding->der != NULL)
		return;
	if (j->sender_finding->n == 0)
		add(a, "to have it signed: smimectl import a certificate for "
		    "%s with its key", j->from);
	else
		add(a, "to have it signed: mend what is told of the "
		    "certificates for %s (smimectl show %s), or import "
		    "another with its key", j->from, j->from);
	if (j->rule.sign == WANT_REQUIRE)
		add_change(a, j->rule.sign_by, "sign",
		    "the mail would go unsigned");
}

/* --- recipients ----------------------------------------------------------- */

static void
advise_certificate(struct advice *a, const char *addr,
    const struct finding *finding)
{
	if (finding == NULL || finding->n == 0)
		add(a, "to have it encrypted: smimectl import a certificate "
		    "for %s", addr);
	else
		add(a, "to have it encrypted: mend what is told of the "
		    "certificates for %s (smimectl show %s), or import "
		    "another", addr, addr);
}

static void
advise_encrypt(struct advice *a)
{
	const struct journey		*j = a->journey;
	const struct rule_recipient	*required = NULL, *never = NULL;
	size_t				 n_missing = 0, n_usable = 0;

	if (j->decision.do_encrypt)
		return;
	for (size_t i = 0; i < j->rule.n_recipients; i++) {
		const struct journey_recipient	*r = &j->recipients[i];
		const struct rule_recipient	*rule = &j->rule.recipients[i];

		if (rule->encrypt == WANT_REQUIRE && required == NULL)
			required = rule;
		if (rule->encrypt == WANT_NEVER && never == NULL)
			never = rule;
		n_usable += journey_is_used(r);
		if (r->finding == NULL || journey_is_used(r))
			continue;
		if (n_missing++ < NAMED_MAX)
			advise_certificate(a, r->addr, r->finding);
	}
	if (never != NULL)
		add_change(a, never->encrypt_by, "encrypt",
		    "the mail could be encrypted");
	if (n_missing > 0 && required != NULL)
		add_change(a, required->encrypt_by, "encrypt",
		    "the mail would go in clear");
	else if (n_missing > 0 && n_usable > 0)
		add_change(a, j->rule.group->label, "mixed",
		    "another answer is given to mail that can be encrypted "
		    "to some only");
}

/* What decide() says of a mail is where it tells these two. */
static void
advise_exceptions(struct advice *a)
{
	const struct journey	*j = a->journey;

	if (strstr(j->decision.reason, "hidden recipient") != NULL) {
		add(a, "name all recipients in To or Cc, or send to the "
		    "others apart; where each has a copy of his own (role = "
		    "stamp and seal) nobody is revealed");
		add_change(a, j->rule.group->label, "hidden",
		    "another answer is given");
	}
	if (strstr(j->decision.reason, "(skip-") != NULL)
		add(a, "take the type out of the list that is named, or ask "
		    "for it by X-SMIME-Sign: yes or X-SMIME-Encrypt: yes");
}

static void
advise_also(struct advice *a)
{
	const struct journey	*j = a->journey;

	for (size_t i = 0; i < j->n_also; i++)
		if (j->also[i].finding != NULL &&
		    !journey_is_used(&j->also[i]))
			add(a, "smimectl import a certificate for %s, or take "
			    "it out of also-encrypt-to", j->also[i].addr);
}

static void
advise_early(struct advice *a)
{
	for (size_t i = 0; i < a->walk->n_refused && i < NAMED_MAX; i++)
		advise_certificate(a, a->walk->refused[i].addr, NULL);
	if (a->walk->n_refused > 0)
		add(a, "with refuse-at-rcpt = false it would be answered at "
		    "the end of the mail, for all recipients");
}

/* --- the whole ------------------------------------------------------------ */

static bool
has_failed_lookup(const struct journey *j)
{
	if (j->sender_lookup.kind != ERR_NONE)
		return true;
	for (size_t i = 0; i < j->n_recipients; i++)
		if (j->recipients[i].lookup.kind != ERR_NONE)
			return true;
	return false;
}

/* Does anything of this mail depend on who has sent it? */
static bool
wants_anything(const struct rule *rule)
{
	if (rule->sign != WANT_NEVER)
		return true;
	for (size_t i = 0; i < rule->n_recipients; i++)
		if (rule->recipients[i].encrypt != WANT_NEVER)
			return true;
	return false;
}

static void
advise(struct advice *a)
{
	const struct journey	*j = a->journey;

	if (!a->config->enabled) {
		add(a, "set enabled = true in %s", a->config->path);
		return;
	}
	advise_early(a);
	if (!j->has_rule)
		return;
	if (!j->is_authorised && wants_anything(&j->rule)) {
		advise_sender(a);
		return;
	}
	if (j->rule.refusal != NULL) {
		advise_refusal(a);
		return;
	}
	if (has_failed_lookup(j))
		add(a, "find out why certificates cannot be looked up: "
		    "smimectl check, the daemon's log");
	if (detect_is_encrypted(j->detected.kind))
		return;
	if (!detect_is_signed(j->detected.kind))
		advise_sign(a);
	advise_encrypt(a);
	advise_exceptions(a);
	advise_also(a);
}

json_t *
advice_new(const struct walk *walk)
{
	struct advice	 a = { walk, access_config(walk->access),
			    &walk->journey, json_array() };

	advise(&a);
	return a.list;
}
