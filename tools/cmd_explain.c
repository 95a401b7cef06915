/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/identity.h"
#include "tools/advice.h"
#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/walk.h"

/*
 * explain: what would become of a mail, and how that comes about.  It stops
 * at the decision.
 */

static json_t *
json_candidates(const struct finding *finding)
{
	json_t	*list = json_array();

	for (size_t i = 0; finding != NULL && i < finding->n; i++) {
		const struct candidate	*c = &finding->candidates[i];

		json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:b, "
		    "s:b, s:o}",
		    "fingerprint", out_json_fp(&c->fp),
		    "not_before", out_json_time(c->not_before),
		    "not_after", out_json_time(c->not_after),
		    "has_key", c->has_key,
		    "usable", c->reason == NULL,
		    "reason", out_json_str(c->reason)));
	}
	return list;
}

static const char *
lookup_reason(const struct finding *finding, const struct err *lookup)
{
	if (finding != NULL)
		return finding->reason;
	return lookup->kind == ERR_NONE ? NULL : lookup->reason;
}

/* Where a rule stands in the configuration; null: it does not. */
static json_t *
json_line(const struct walk *w, const char *label)
{
	int	 line = config_line(access_config(w->access), label);

	return line > 0 ? json_integer(line) : json_null();
}

/* How it is known who is sending, and by what he may use this address. */
static json_t *
json_grant(const struct walk *w)
{
	char	*grant = NULL;
	json_t	*text;

	if (w->journey.is_authorised)
		grant = identity_grant(access_config(w->access),
		    w->mail->login, w->mail->client, w->journey.from);
	text = out_json_str(grant);
	free(grant);
	return text;
}

static json_t *
json_sender(const struct walk *w)
{
	const struct journey	*j = &w->journey;

	return json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:s, s:o, s:o, "
	    "s:o}",
	    "address", out_json_str(j->from[0] != '\0' ? j->from : NULL),
	    "envelope", out_json_str(w->mail->sender),
	    "login", out_json_str(w->mail->login),
	    "client", out_json_str(w->mail->client),
	    "authorised", j->is_authorised,
	    "authorised_by", json_grant(w),
	    "unauthorised", out_json_str(j->is_authorised ||
	    j->unauthorised.kind == ERR_NONE ? NULL : j->unauthorised.reason),
	    "sign", j->has_rule ? config_want_name(j->rule.sign) : "never",
	    "sign_by", out_json_str(j->has_rule ? j->rule.sign_by : NULL),
	    "certificates", json_candidates(j->sender_finding),
	    "reason", out_json_str(lookup_reason(j->sender_finding,
	    &j->sender_lookup)));
}

/* What a recipient gets who was not refused by himself. */
static const char *
fate(const struct decision *d)
{
	switch (d->verdict) {
	case VERDICT_REJECT:
		return "refused";
	case VERDICT_TEMPFAIL:
		return "waits";
	case VERDICT_GO:
		break;
	}
	if (d->do_sign)
		return d->do_encrypt ? "signed and encrypted" :
		    "signed, in clear";
	return d->do_encrypt ? "encrypted, not signed" :
	    "in clear, not signed";
}

static json_t *
json_recipient(const struct walk *w, size_t i)
{
	const struct journey		*j = &w->journey;
	const struct journey_recipient	*r = &j->recipients[i];
	const struct rule_recipient	*rule = j->has_rule &&
	    i < j->rule.n_recipients ? &j->rule.recipients[i] : NULL;

	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:s}",
	    "address", out_json_str(r->addr),
	    "encrypt", rule != NULL ? config_want_name(rule->encrypt) :
	    "never",
	    "encrypt_by", out_json_str(rule != NULL ? rule->encrypt_by :
	    NULL),
	    "line", rule != NULL ? json_line(w, rule->encrypt_by) :
	    json_null(),
	    "certificates", json_candidates(r->finding),
	    "reason", out_json_str(lookup_reason(r->finding, &r->lookup)),
	    "fate", fate(&j->decision));
}

static json_t *
json_refused(const struct walk_refused *refused)
{
	return json_pack("{s:o, s:s, s:o, s:o, s:s, s:o}",
	    "address", out_json_str(refused->addr),
	    "encrypt", config_want_name(WANT_REQUIRE),
	    "certificates", json_array(),
	    "reason", out_json_str(refused->decision.reason),
	    "fate", fate(&refused->decision),
	    "reply", out_json_str(refused->decision.reply));
}

static json_t *
json_also(const struct journey *j)
{
	json_t	*list = json_array();

	for (size_t i = 0; i < j->n_also; i++)
		if (j->also[i].addr[0] != '\0')
			json_array_append_new(list, json_pack("{s:o, s:o, "
			    "s:o}",
			    "address", out_json_str(j->also[i].addr),
			    "certificates", json_candidates(
			    j->also[i].finding),
			    "reason", out_json_str(lookup_reason(
			    j->also[i].finding, &j->also[i].lookup))));
	return list;
}

static void
print_json(const struct walk *w)
{
	const struct journey	*j = &w->journey;
	json_t			*recipients = json_array();

	for (size_t i = 0; i < w->n_refused; i++)
		json_array_append_new(recipients,
		    json_refused(&w->refused[i]));
	for (size_t i = 0; i < j->n_recipients; i++)
		json_array_append_new(recipients, json_recipient(w, i));
	out_json_take(json_pack("{s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o}",
	    "action", decide_action_name(&j->decision),
	    "group", out_json_str(j->has_rule ? j->rule.group->name : NULL),
	    "group_line", j->has_rule ? json_line(w, j->rule.group->label) :
	    json_null(),
	    "reason", j->decision.reason,
	    "reply", out_json_str(j->decision.verdict == VERDICT_GO ? NULL :
	    j->decision.reply),
	    "sender", json_sender(w),
	    "recipients", recipients,
	    "also_encrypt_to", json_also(j),
	    "advice", advice_new(w)));
}

static void
print_candidates(const struct finding *finding)
{
	for (size_t i = 0; finding != NULL && i < finding->n; i++) {
		const struct candidate	*c = &finding->candidates[i];
		char			 fp[TEXT_FP_LEN];
		char			 until[TEXT_TIME_LEN];

		text_fp(&c->fp, fp);
		text_date(c->not_after, until);
		printf("    %.16s  %s%s%s\n", fp,
		    c->reason != NULL ? c->reason : i == 0 ? "chosen" :
		    "usable, but an older one",
		    c->reason == NULL ? ", valid until " : "",
		    c->reason == NULL ? until : "");
	}
}

static void
print_lookup(const char *what, const struct finding *finding,
    const struct err *lookup)
{
	const char	*reason = lookup_reason(finding, lookup);

	if (finding == NULL && reason == NULL)
		printf("  %s: not looked up, nothing depends on it\n", what);
	else
		printf("  %s: %s\n", what, reason != NULL ? reason :
		    "there is a usable one");
	print_candidates(finding);
}

/* "require, by recipients partner (line 31)" */
static void
print_want(const struct walk *w, const char *what, enum want want,
    const char *by)
{
	char	*place = advice_place(access_config(w->access), by);

	printf("  %s: %s, by %s\n", what, config_want_name(want), place);
	free(place);
}

static void
print_identity(const struct walk *w)
{
	const struct journey	*j = &w->journey;
	const struct mail	*mail = w->mail;
	const char		*who = mail->login != NULL ? mail->login :
				    mail->client != NULL ? mail->client : "";
	char			*shown = text_safe(who, strlen(who), 200);
	char			*grant;

	printf("  known by: %s%s\n", mail->login != NULL ? "login " :
	    mail->client != NULL ? "client " : "nothing", shown);
	free(shown);
	if (!j->is_authorised) {
		printf("  may use this From address: no, %s\n",
		    j->unauthorised.reason);
		return;
	}
	grant = identity_grant(access_config(w->access), mail->login,
	    mail->client, j->from);
	printf("  may use this From address: yes, %s\n", grant);
	free(grant);
}

static void
print_sender(const struct walk *w)
{
	const struct journey	*j = &w->journey;
	char			*place;

	printf("sender %s\n", j->from[0] != '\0' ? j->from : "(unclear)");
	print_identity(w);
	place = advice_place(access_config(w->access), j->rule.group->label);
	printf("  rules: %s: sign = %s, encrypt = %s\n", place,
	    config_want_name(j->rule.group->options.sign),
	    config_want_name(j->rule.group->options.encrypt));
	free(place);
	print_want(w, "signing this mail", j->rule.sign, j->rule.sign_by);
	if (j->rule.note != NULL)
		printf("  note: %s\n", j->rule.note);
	print_lookup("certificate to sign with", j->sender_finding,
	    &j->sender_lookup);
}

static void
print_recipient(const struct walk *w, size_t i)
{
	const struct journey		*j = &w->journey;
	const struct journey_recipient	*r = &j->recipients[i];

	printf("recipient %s\n", r->addr);
	if (j->has_rule)
		print_want(w, "encrypting to it",
		    j->rule.recipients[i].encrypt,
		    j->rule.recipients[i].encrypt_by);
	print_lookup("certificate to encrypt to", r->finding, &r->lookup);
	printf("  the mail to it: %s\n", fate(&j->decision));
}

static void
print_refused(const struct walk_refused *refused)
{
	const struct decision	*d = &refused->decision;

	printf("recipient %s\n  the mail to it: %s at RCPT TO already; the "
	    "others are not concerned\n  answer: %03d %s %s\n",
	    refused->addr, fate(d), d->code, d->enhanced, d->reply);
}

static void
print_advice(const struct walk *w)
{
	json_t	*advice = advice_new(w);

	if (json_array_size(advice) > 0)
		printf("if that is not what was wanted:\n");
	for (size_t i = 0; i < json_array_size(advice); i++)
		printf("  - %s\n", json_string_value(json_array_get(advice,
		    i)));
	json_decref(advice);
}

static void
print_text(const struct walk *w)
{
	const struct journey	*j = &w->journey;

	for (size_t i = 0; i < w->n_refused; i++)
		print_refused(&w->refused[i]);
	if (j->has_rule)
		print_sender(w);
	for (size_t i = 0; i < j->n_recipients; i++)
		print_recipient(w, i);
	for (size_t i = 0; i < j->n_also; i++) {
		if (j->also[i].addr[0] == '\0')
			continue;
		printf("also-encrypt-to %s\n", j->also[i].addr);
		print_lookup("certificate to encrypt to", j->also[i].finding,
		    &j->also[i].lookup);
	}
	if (j->detected.kind != MAIL_PLAIN)
		printf("the mail is %s already\n",
		    detect_name(j->detected.kind));
	printf("action: %s\n", decide_action_name(&j->decision));
	if (j->decision.reason[0] != '\0')
		printf("reason: %s\n", j->decision.reason);
	if (j->decision.verdict != VERDICT_GO)
		printf("answer: %03d %s %s\n", j->decision.code,
		    j->decision.enhanced, j->decision.reply);
	print_advice(w);
}

int
cmd_explain(struct cmd_context *ctx, int argc, char **argv)
{
	struct envelope	 envelope = { 0 };
	struct files	 files = { 0 };
	struct walk	 w = { 0 };
	struct err	 err = { 0 };
	int		 status;

	if (!walk_options(ctx, argc, argv, &envelope, &status))
		return status;
	if (argc - optind > 1)
		return cmd_usage(argv[0]);
	if (argc - optind == 1)
		files_read(&files, argv[optind]);
	status = CMD_OK;
	if (files.n > 0 && files.list[0].err.kind != ERR_NONE)
		status = cmd_fail(&files.list[0].err);
	else if (!walk_run(ctx, &envelope, files.n > 0 ? &files.list[0] : NULL,
	    true, &w, &err))
		status = cmd_fail(&err);
	else if (ctx->is_json)
		print_json(&w);
	else
		print_text(&w);
	walk_end(&w);
	files_free(&files);
	return status;
}
