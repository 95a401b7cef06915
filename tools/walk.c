/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/mem.h"
#include "milter/early.h"
#include "tools/mailfile.h"
#include "tools/walk.h"

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

bool
walk_options(struct cmd_context *ctx, int argc, char **argv,
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

static bool
build_mail(const struct config *config, const struct envelope *envelope,
    const struct file *source, struct mail **out, struct err *err)
{
	struct spool_options	 spool = { .dir = config->spool_dir,
	    .memory_max = SIZE_MAX / 2, .max = config->max_message_size };
	struct mail		*mail = mail_new(&spool);

	free(mail->sender);
	mail->sender = mail_strip_brackets(envelope->from);
	if (envelope->login != NULL && envelope->login[0] != '\0')
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

/* --- RCPT TO -------------------------------------------------------------- */

static bool
is_refused(const struct cmd_context *ctx, struct walk *w,
    struct custody *custody, const char *addr)
{
	char		 normalised[ADDR_MAX];
	struct decision	 decision;
	struct err	 ignored;

	if (!addr_normalise(addr, strlen(addr), normalised, &ignored) ||
	    !early_refuses(access_config(w->access), ROLE_DIRECT, custody,
	    NULL, w->mail, normalised, ctx->now, &decision))
		return false;
	w->refused = mem_grow(w->refused, w->n_refused + 1,
	    sizeof(*w->refused));
	w->refused[w->n_refused++] = (struct walk_refused){
	    mem_str(normalised), decision };
	return true;
}

static void
add_recipients(const struct cmd_context *ctx, struct walk *w,
    struct custody *custody, const char *to)
{
	const struct config	*config = access_config(w->access);

	while (*to != '\0') {
		size_t	 len = strcspn(to, ",");
		char	*addr = mem_strn(to, len), *plain;

		plain = mail_strip_brackets(addr);
		if (plain[0] != '\0' &&
		    mail_has_room(w->mail, config->max_recipients) &&
		    !is_refused(ctx, w, custody, plain))
			mail_add_recipient(w->mail, plain);
		free(plain);
		free(addr);
		to += len;
		to += *to == ',';
	}
}

/* Nobody is left to send to: the last answer is what the client heard. */
static void
end_at_rcpt(struct walk *w)
{
	const struct decision	*d = &w->refused[w->n_refused - 1].decision;
	char			 code[4];

	w->journey.decision = *d;
	snprintf(code, sizeof(code), "%03u", (unsigned)d->code % 1000);
	edits_answer(&w->journey.edits, d->verdict == VERDICT_REJECT ?
	    EDITS_REJECT : EDITS_TEMPFAIL, code, d->enhanced, d->reply);
}

/* --- the whole ------------------------------------------------------------ */

bool
walk_run(struct cmd_context *ctx, const struct envelope *envelope,
    const struct file *source, bool is_dry, struct walk *w, struct err *err)
{
	struct custody	*custody;

	if (!access_open(ctx, ACCESS_FOR_GOOD, &w->access, err) ||
	    !build_mail(access_config(w->access), envelope, source, &w->mail,
	    err) ||
	    !access_custody(w->access, &custody, err))
		return false;
	add_recipients(ctx, w, custody, envelope->to);
	if (w->mail->n_recipients == 0 && w->n_refused > 0)
		end_at_rcpt(w);
	else
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

void
walk_end(struct walk *w)
{
	journey_clear(&w->journey);
	for (size_t i = 0; i < w->n_refused; i++)
		free(w->refused[i].addr);
	free(w->refused);
	mail_free(w->mail);
	access_close(w->access);
}
