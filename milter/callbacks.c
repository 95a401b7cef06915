/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libmilter/mfapi.h>

#include "base/mem.h"
#include "milter/callbacks.h"
#include "milter/log.h"

#define ACTIONS		(SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_CHGBODY)
#define NO_REPLIES	(SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | \
			    SMFIP_NR_RCPT | SMFIP_NR_DATA | SMFIP_NR_HDR | \
			    SMFIP_NR_EOH | SMFIP_NR_BODY)
#define NOT_NEEDED	(SMFIP_NOHELO | SMFIP_NOUNKNOWN | SMFIP_NODATA | \
			    SMFIP_NOEOH)
#define CHUNK		65535	/* libmilter's own limit for one packet */
#define REPLY_MAX	900	/* of 980 that smfi_setreply() takes */

static struct filter	*filter;

static const sfsistat	 answers[] = {
	[EDITS_TEMPFAIL] = SMFIS_TEMPFAIL,
	[EDITS_REJECT] = SMFIS_REJECT,
	[EDITS_ACCEPT] = SMFIS_ACCEPT,
};

/* One connection: what was agreed with its MTA, and its session. */
struct connection {
	unsigned long	 protocol;
	struct session	*session;
};

/* Steps that the MTA does not wait for must not be answered. */
static sfsistat
go_on(const struct connection *c, unsigned long no_reply)
{
	return (c->protocol & no_reply) != 0 ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long protocol,
    unsigned long f2, unsigned long f3, unsigned long *want_actions,
    unsigned long *want_protocol, unsigned long *want_f2,
    unsigned long *want_f3)
{
	struct connection	*c;

	(void)f2;
	(void)f3;
	if ((ACTIONS & ~actions) != 0) {
		log_line(LOG_ERR, "the MTA does not let its milters change "
		    "header and body: no mail can be handled");
		return SMFIS_REJECT;
	}
	*want_actions = ACTIONS;
	*want_protocol = protocol & (SMFIP_HDR_LEADSPC | NO_REPLIES |
	    NOT_NEEDED);
	if (session_answers_rcpt(filter))
		*want_protocol &= ~(unsigned long)SMFIP_NR_RCPT;
	*want_f2 = 0;
	*want_f3 = 0;
	c = mem_alloc(sizeof(*c));
	c->protocol = *want_protocol;
	c->session = session_new(filter,
	    (c->protocol & SMFIP_HDR_LEADSPC) != 0);
	smfi_setpriv(ctx, c);
	return SMFIS_CONTINUE;
}

/* The client's address as text, NULL for what has none; and its port. */
static const char *
address_text(const struct sockaddr *addr, char *out, socklen_t len,
    in_port_t *port)
{
	const struct sockaddr_in	*v4 = (const void *)addr;
	const struct sockaddr_in6	*v6 = (const void *)addr;

	*port = 0;
	if (addr == NULL)
		return NULL;
	if (addr->sa_family == AF_INET) {
		*port = ntohs(v4->sin_port);
		return inet_ntop(AF_INET, &v4->sin_addr, out, len);
	}
	if (addr->sa_family == AF_INET6) {
		*port = ntohs(v6->sin6_port);
		return inet_ntop(AF_INET6, &v6->sin6_addr, out, len);
	}
	return NULL;
}

static sfsistat
on_connect(SMFICTX *ctx, char *host, struct sockaddr *addr)
{
	struct connection	*c = smfi_getpriv(ctx);
	char			 text[INET6_ADDRSTRLEN];
	const char		*client;
	in_port_t		 port;

	(void)host;
	if (c == NULL)
		return SMFIS_TEMPFAIL;
	client = address_text(addr, text, sizeof(text), &port);
	session_connect(c->session, client, port);
	return go_on(c, SMFIP_NR_CONN);
}

/* SIZE=12345 among the arguments of MAIL FROM (RFC 1870); a hint only. */
static size_t
announced_size(char **argv)
{
	for (int i = 1; argv[i] != NULL; i++)
		if (strncasecmp(argv[i], "SIZE=", 5) == 0) {
			unsigned long long	 n = strtoull(argv[i] + 5,
			    NULL, 10);

			return n > SIZE_MAX / 4 ? SIZE_MAX / 4 : (size_t)n;
		}
	return 0;
}

/*
 * The login is asked for here and nowhere else: at later steps libmilter
 * would find the one of an earlier mail on the same connection.
 */
static sfsistat
on_mail(SMFICTX *ctx, char **argv)
{
	struct connection	*c = smfi_getpriv(ctx);

	if (c == NULL)
		return SMFIS_TEMPFAIL;
	session_mail(c->session, argv[0],
	    smfi_getsymval(ctx, (char *)(uintptr_t)"{mail_addr}"),
	    smfi_getsymval(ctx, (char *)(uintptr_t)"{auth_authen}"),
	    announced_size(argv));
	return go_on(c, SMFIP_NR_MAIL);
}

/* smfi_setreply() takes one line and reads "%" as the start of a format. */
static void
set_reply(SMFICTX *ctx, const struct edits *edits)
{
	struct buf	 text = { 0 };
	char		*line;

	for (const char *p = edits->text; *p != '\0' &&
	    text.len < REPLY_MAX; p++) {
		if (*p == '%')
			buf_addc(&text, '%');
		buf_addc(&text, (unsigned char)*p < 0x20 ||
		    (unsigned char)*p > 0x7e ? '?' : *p);
	}
	line = buf_take_str(&text);
	if (smfi_setreply(ctx, (char *)(uintptr_t)edits->code,
	    (char *)(uintptr_t)edits->xcode, line) != MI_SUCCESS)
		log_line(LOG_WARNING, "the MTA gets no text with its %s",
		    edits->code);
	free(line);
}

static sfsistat
on_recipient(SMFICTX *ctx, char **argv)
{
	struct connection	*c = smfi_getpriv(ctx);
	struct edits		 refusal = { 0 };
	bool			 may_answer;
	sfsistat		 answer;

	if (c == NULL)
		return SMFIS_TEMPFAIL;
	may_answer = (c->protocol & SMFIP_NR_RCPT) == 0;
	if (session_recipient(c->session, argv[0],
	    smfi_getsymval(ctx, (char *)(uintptr_t)"{rcpt_addr}"),
	    may_answer ? &refusal : NULL))
		return go_on(c, SMFIP_NR_RCPT);
	answer = answers[refusal.answer];
	set_reply(ctx, &refusal);
	edits_clear(&refusal);
	return answer;
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	struct connection	*c = smfi_getpriv(ctx);

	if (c == NULL)
		return SMFIS_TEMPFAIL;
	session_header(c->session, name, value);
	return go_on(c, SMFIP_NR_HDR);
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *data, size_t len)
{
	struct connection	*c = smfi_getpriv(ctx);

	if (c == NULL)
		return SMFIS_TEMPFAIL;
	session_body(c->session, data, len);
	return go_on(c, SMFIP_NR_BODY);
}

static bool
apply_header(SMFICTX *ctx, const struct header_edit *edit)
{
	if (edit->kind == EDIT_ADD)
		return smfi_addheader(ctx, edit->name, edit->value) ==
		    MI_SUCCESS;
	return smfi_chgheader(ctx, edit->name, edit->index,
	    edit->kind == EDIT_DELETE ? NULL : edit->value) == MI_SUCCESS;
}

/*
 * Small pieces are gathered, so that they do not make small packets; what
 * makes a packet by itself goes out from where it lies.
 */
struct body_out {
	SMFICTX	*ctx;
	uint8_t	*chunk;
	size_t	 room;		/* no more than the whole body needs */
	size_t	 len;
	bool	 has_sent;
};

static bool
replace_body(struct body_out *out, const uint8_t *data, size_t len,
    struct err *err)
{
	if (smfi_replacebody(out->ctx, (unsigned char *)(uintptr_t)data,
	    (int)len) != MI_SUCCESS)
		return err_set(err, ERR_TEMP, "smfi_replacebody failed");
	out->has_sent = true;
	return true;
}

static bool
flush_body(struct body_out *out, struct err *err)
{
	size_t	 len = out->len;

	out->len = 0;
	return replace_body(out, out->chunk, len, err);
}

static bool
send_body(void *arg, const uint8_t *data, size_t len, struct err *err)
{
	struct body_out	*out = arg;

	while (len > 0) {
		size_t	 n = out->room - out->len;

		if (len >= CHUNK / 2) {
			n = CHUNK < len ? CHUNK : len;
			if ((out->len > 0 && !flush_body(out, err)) ||
			    !replace_body(out, data, n, err))
				return false;
		} else {
			n = n < len ? n : len;
			memcpy(out->chunk + out->len, data, n);
			out->len += n;
			if (out->len == out->room && !flush_body(out, err))
				return false;
		}
		data += n;
		len -= n;
	}
	return true;
}

static bool
send_all(SMFICTX *ctx, const struct pieces *body, struct err *err)
{
	size_t		 len = pieces_len(body);
	struct body_out	 out = { .ctx = ctx,
	    .room = len == 0 ? 1 : len < CHUNK ? len : CHUNK };
	bool		 is_ok;

	out.chunk = mem_grow(NULL, out.room, 1);
	is_ok = pieces_walk(body, send_body, &out, err);
	if (is_ok && (out.len > 0 || !out.has_sent))
		is_ok = flush_body(&out, err);
	free(out.chunk);
	return is_ok;
}

/*
 * Postfix takes the body as finished at the first request that is not a body
 * chunk, so all header changes go first and nothing between or after.
 */
static bool
apply(SMFICTX *ctx, const struct edits *edits)
{
	struct err	 err = { 0 };

	for (size_t i = 0; i < edits->n_headers; i++)
		if (!apply_header(ctx, &edits->headers[i])) {
			log_line(LOG_ERR, "the MTA refused a change of the "
			    "header field %s", edits->headers[i].name);
			return false;
		}
	if (edits->body == NULL || send_all(ctx, edits->body, &err))
		return true;
	log_line(LOG_ERR, "the new body could not be sent: %s", err.reason);
	return false;
}

static sfsistat
on_end(SMFICTX *ctx)
{
	struct connection	*c = smfi_getpriv(ctx);
	struct edits		 edits = { 0 };
	sfsistat		 answer;
	bool			 is_applied;

	if (c == NULL)
		return SMFIS_TEMPFAIL;
	session_end(c->session,
	    smfi_getsymval(ctx, (char *)(uintptr_t)"i"), &edits);
	is_applied = edits.answer != EDITS_ACCEPT || apply(ctx, &edits);
	answer = is_applied ? answers[edits.answer] : SMFIS_TEMPFAIL;
	if (edits.answer != EDITS_ACCEPT && edits.text != NULL)
		set_reply(ctx, &edits);
	session_done(c->session, &edits, is_applied);
	edits_clear(&edits);
	return answer;
}

static sfsistat
on_abort(SMFICTX *ctx)
{
	struct connection	*c = smfi_getpriv(ctx);

	if (c != NULL)
		session_abort(c->session);
	return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *ctx)
{
	struct connection	*c = smfi_getpriv(ctx);

	if (c == NULL)
		return SMFIS_CONTINUE;
	session_free(c->session);
	free(c);
	smfi_setpriv(ctx, NULL);
	return SMFIS_CONTINUE;
}

bool
callbacks_register(struct filter *shared, struct err *err)
{
	struct smfiDesc	 desc = {
		.xxfi_name = (char *)(uintptr_t)"smime-milter",
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = ACTIONS,
		.xxfi_connect = on_connect,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_recipient,
		.xxfi_header = on_header,
		.xxfi_body = on_body,
		.xxfi_eom = on_end,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
		.xxfi_negotiate = on_negotiate,
	};

	filter = shared;
	if (smfi_register(desc) != MI_SUCCESS)
		return err_set(err, ERR_BUG, "smfi_register failed");
	return true;
}
