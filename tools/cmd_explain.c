/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "milter/journey.h"
#include "tools/cmd.h"
#include "tools/files.h"
#include "tools/mailfile.h"
#include "tools/open.h"
#include "tools/out.h"

/*
 * explain and seal: a mail walks the daemon's own journey, without an MTA.
 * explain stops at the decision and tells how it came about; seal writes the
 * mail that the MTA would have sent.
 */
struct envelope {
	const char	*from;		/* --from: of the envelope */
	const char	*to;		/* --to: with commas between */
	const char	*login;
	const char	*client;	/* an address, or "local" */
};

enum {
	OPT_FROM = CMD_OPTION,
	OPT_TO,
	OPT_LOGIN,
	OPT_CLIENT
};

static const struct option	 options[] = {
	{ "from", required_argument, NULL, OPT_FROM },
	{ "to", required_argument, NULL, OPT_TO },
	{ "login", required_argument, NULL, OPT_LOGIN },
	{ "client", required_argument, NULL, OPT_CLIENT },
	CMD_OPTIONS
};

static bool
read_options(struct cmd_context *ctx, int argc, char **argv,
    struct envelope *envelope, int *status)
{
	int	 opt;

	while ((opt = getopt_long(argc, argv, CMD_SHORT, options,
	    NULL)) != -1)
		switch (opt) {
		case OPT_FROM:
			envelope->from = optarg;
			break;
		case OPT_TO:
			envelope->to = optarg;
			break;
		case OPT_LOGIN:
			envelope->login = optarg;
			break;
		case OPT_CLIENT:
			envelope->client = optarg;
			break;
		default:
			if (!cmd_option(ctx, argv[0], opt, status))
				return false;
		}
	if (envelope->from != NULL && envelope->to != NULL)
		return true;
	fputs("smimectl: --from and --to are needed\n", stderr);
	*status = cmd_usage(argv[0]);
	return false;
}

static void
add_recipients(struct mail *mail, const char *to)
{
	while (*to != '\0') {
		size_t	 len = strcspn(to, ",");
		char	*addr = mem_strn(to, len), *plain;

		plain = mail_strip_brackets(addr);
		if (plain[0] != '\0')
			mail_add_recipient(mail, plain);
		free(plain);
		free(addr);
		to += len;
		to += *to == ',';
	}
}

/* Without a mail: one from the sender to all, with nothing in it. */
static void
make_mail(struct mail *mail, const struct envelope *envelope)
{
	char	*from = mem_strf(" <%s>", mail->sender);
	char	*to = mem_strf(" %s", envelope->to);

	mail_add_header(mail, "From", from);
	mail_add_header(mail, "To", to);
	free(from);
	free(to);
}

/* source NULL: there is none. */
static bool
build_mail(const struct config *config, const struct envelope *envelope,
    const struct file *source, struct mail **out, struct err *err)
{
	struct spool_options	 spool = { .dir = config->spool_dir,
	    .memory_max = SIZE_MAX / 2, .max = config->max_message_size };
	struct mail		*mail = mail_new(&spool);

	free(mail->sender);
	mail->sender = mail_strip_brackets(envelope->from);
	add_recipients(mail, envelope->to);
	if (envelope->login != NULL)
		mail_set(&mail->login, envelope->login);
	mail_set(&mail->client, envelope->client);
	if (source == NULL)
		make_mail(mail, envelope);
	else if (!mailfile_parse(&source->bytes, mail, err)) {
		mail_free(mail);
		return false;
	}
	*out = mail;
	return true;
}

/* A mail at the end of its journey, and what it needed on the way. */
struct walk {
	struct access	*access;
	struct mail	*mail;
	struct journey	 journey;
};

static bool
walk(struct cmd_context *ctx, const struct envelope *envelope,
    const struct file *source, bool is_dry, struct walk *w, struct err *err)
{
	struct custody	*custody;

	if (!access_open(ctx, ACCESS_FOR_GOOD, &w->access, err) ||
	    !build_mail(access_config(w->access), envelope, source, &w->mail,
	    err) ||
	    !access_custody(w->access, &custody, err))
		return false;
	journey_run(&(struct journey_request){
	    .config = access_config(w->access),
	    .role = ROLE_DIRECT,
	    .custody = custody,
	    .mail = w->mail,
	    .now = ctx->now,
	    .is_dry = is_dry,
	}, &w->journey);
	access_release(w->access);
	return true;
}

static void
end_walk(struct walk *w)
{
	journey_clear(&w->journey);
	mail_free(w->mail);
	access_close(w->access);
}

/* --- explain ------------------------------------------------------------------ */

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

static json_t *
json_sender(const struct walk *w)
{
	const struct journey	*j = &w->journey;

	return json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:s, s:o, s:o}",
	    "address", out_json_str(j->from[0] != '\0' ? j->from : NULL),
	    "envelope", out_json_str(j->sender),
	    "login", out_json_str(w->mail->login),
	    "client", out_json_str(w->mail->client),
	    "authorised", j->is_authorised,
	    "unauthorised", out_json_str(j->is_authorised ? NULL :
	    j->unauthorised.reason),
	    "sign", j->has_rule ? config_want_name(j->rule.sign) : "never",
	    "certificates", json_candidates(j->sender_finding),
	    "reason", out_json_str(lookup_reason(j->sender_finding,
	    &j->sender_lookup)));
}

static json_t *
json_recipient(const struct journey *j, size_t i)
{
	const struct journey_recipient	*r = &j->recipients[i];

	return json_pack("{s:o, s:s, s:o, s:o}",
	    "address", out_json_str(r->addr),
	    "encrypt", j->has_rule && i < j->rule.n_recipients ?
	    config_want_name(j->rule.recipients[i].encrypt) : "never",
	    "certificates", json_candidates(r->finding),
	    "reason", out_json_str(lookup_reason(r->finding, &r->lookup)));
}

static void
print_json(const struct walk *w)
{
	const struct journey	*j = &w->journey;
	json_t			*recipients = json_array();

	for (size_t i = 0; i < j->n_recipients; i++)
		json_array_append_new(recipients, json_recipient(j, i));
	out_json_take(json_pack("{s:s, s:o, s:s, s:o, s:o, s:o}",
	    "action", decide_action_name(&j->decision),
	    "group", out_json_str(j->has_rule ? j->rule.group->name : NULL),
	    "reason", j->decision.reason,
	    "reply", out_json_str(j->decision.verdict == VERDICT_GO ? NULL :
	    j->decision.reply),
	    "sender", json_sender(w),
	    "recipients", recipients));
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

static void
print_sender(const struct walk *w)
{
	const struct journey	*j = &w->journey;

	printf("sender %s\n", j->from[0] != '\0' ? j->from : "(unclear)");
	printf("  known by: %s%s\n", w->mail->login != NULL ? "login " :
	    w->mail->client != NULL ? "client " : "nothing",
	    w->mail->login != NULL ? w->mail->login :
	    w->mail->client != NULL ? w->mail->client : "");
	printf("  may use this From address: %s%s\n", j->is_authorised ?
	    "yes" : "no, ", j->is_authorised ? "" : j->unauthorised.reason);
	if (!j->has_rule)
		return;
	printf("  group: %s (line %d): sign = %s, encrypt = %s\n",
	    j->rule.group->name, j->rule.group->line,
	    config_want_name(j->rule.group->options.sign),
	    config_want_name(j->rule.group->options.encrypt));
	printf("  signing this mail: %s, by %s\n",
	    config_want_name(j->rule.sign), j->rule.sign_by);
	if (j->rule.note != NULL)
		printf("  note: %s\n", j->rule.note);
	print_lookup("certificate to sign with", j->sender_finding,
	    &j->sender_lookup);
}

static void
print_recipient(const struct journey *j, size_t i)
{
	const struct journey_recipient	*r = &j->recipients[i];

	printf("recipient %s\n", r->addr);
	if (j->has_rule && i < j->rule.n_recipients)
		printf("  encrypting to it: %s, by %s\n",
		    config_want_name(j->rule.recipients[i].encrypt),
		    j->rule.recipients[i].encrypt_by);
	print_lookup("certificate to encrypt to", r->finding, &r->lookup);
}

static void
print_text(const struct walk *w)
{
	const struct journey	*j = &w->journey;

	print_sender(w);
	for (size_t i = 0; i < j->n_recipients; i++)
		print_recipient(j, i);
	if (j->detected.kind != MAIL_PLAIN)
		printf("the mail is %s already\n",
		    detect_name(j->detected.kind));
	printf("action: %s\n", decide_action_name(&j->decision));
	if (j->decision.reason[0] != '\0')
		printf("reason: %s\n", j->decision.reason);
	if (j->decision.verdict != VERDICT_GO)
		printf("answer: %03d %s %s\n", j->decision.code,
		    j->decision.enhanced, j->decision.reply);
}

int
cmd_explain(struct cmd_context *ctx, int argc, char **argv)
{
	struct envelope	 envelope = { 0 };
	struct files	 files = { 0 };
	struct walk	 w = { 0 };
	struct err	 err = { 0 };
	int		 status;

	if (!read_options(ctx, argc, argv, &envelope, &status))
		return status;
	if (argc - optind > 1)
		return cmd_usage(argv[0]);
	if (argc - optind == 1)
		files_read(&files, argv[optind]);
	status = CMD_OK;
	if (files.n > 0 && files.list[0].err.kind != ERR_NONE)
		status = cmd_fail(&files.list[0].err);
	else if (!walk(ctx, &envelope, files.n > 0 ? &files.list[0] : NULL,
	    true, &w, &err))
		status = cmd_fail(&err);
	else if (ctx->is_json)
		print_json(&w);
	else
		print_text(&w);
	end_walk(&w);
	files_free(&files);
	return status;
}

/* --- seal ------------------------------------------------------------------------- */

static int
print_sealed(const struct walk *w, const struct file *source, struct err *err)
{
	const struct edits	*edits = &w->journey.edits;

	if (edits->answer != EDITS_ACCEPT) {
		fprintf(stderr, "%s %s %s\n", edits->code, edits->xcode,
		    edits->text);
		return CMD_FAILED;
	}
	if (!edits_has_changes(edits)) {
		if (fwrite(source->bytes.data, 1, source->bytes.len,
		    stdout) == source->bytes.len)
			return CMD_OK;
		err_errno(err, ERR_TEMP, "write the mail");
		return cmd_fail(err);
	}
	if (!mailfile_write(w->mail, edits, stdout, err))
		return cmd_fail(err);
	return CMD_OK;
}

int
cmd_seal(struct cmd_context *ctx, int argc, char **argv)
{
	struct envelope	 envelope = { 0 };
	struct files	 files = { 0 };
	struct walk	 w = { 0 };
	struct err	 err = { 0 };
	int		 status;

	if (!read_options(ctx, argc, argv, &envelope, &status))
		return status;
	if (argc != optind)
		return cmd_usage(argv[0]);
	files_read(&files, "-");
	if (files.n == 0 || files.list[0].err.kind != ERR_NONE)
		status = files.n == 0 ? CMD_FAILED :
		    cmd_fail(&files.list[0].err);
	else if (!walk(ctx, &envelope, &files.list[0], false, &w, &err))
		status = cmd_fail(&err);
	else
		status = print_sealed(&w, &files.list[0], &err);
	end_walk(&w);
	files_free(&files);
	return status;
}
