/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A filter that does nothing: what libmilter and the way of a mail's bytes to
 * a filter and back cost by themselves, on this machine.
 *
 *	null-milter SOCKET
 *
 * Like smime-milter it answers no step before the last, keeps the body, sets
 * Content-Type and sends a body of the same length back.
 */
#include <err.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <libmilter/mfapi.h>

#define ACTIONS		(SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_CHGBODY)
#define STEPS		(SMFIP_HDR_LEADSPC | SMFIP_NR_CONN | SMFIP_NR_HELO | \
			    SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_DATA | \
			    SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY | \
			    SMFIP_NOHELO | SMFIP_NOUNKNOWN | SMFIP_NODATA | \
			    SMFIP_NOEOH)
#define CHUNK		65535

/* One connection's mail; the room is kept for the next one. */
struct body {
	uint8_t	*data;
	size_t	 len;
	size_t	 room;
};

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
    unsigned long f2, unsigned long f3, unsigned long *want_actions,
    unsigned long *want_steps, unsigned long *want_f2, unsigned long *want_f3)
{
	(void)f2;
	(void)f3;
	if ((steps & STEPS) != STEPS || (actions & ACTIONS) != ACTIONS)
		return SMFIS_REJECT;
	*want_actions = ACTIONS;
	*want_steps = STEPS;
	*want_f2 = *want_f3 = 0;
	smfi_setpriv(ctx, calloc(1, sizeof(struct body)));
	return SMFIS_CONTINUE;
}

static sfsistat
on_connect(SMFICTX *ctx, char *host, struct sockaddr *addr)
{
	(void)ctx;
	(void)host;
	(void)addr;
	return SMFIS_NOREPLY;
}

static sfsistat
on_envelope(SMFICTX *ctx, char **argv)
{
	(void)ctx;
	(void)argv;
	return SMFIS_NOREPLY;
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	(void)ctx;
	(void)name;
	(void)value;
	return SMFIS_NOREPLY;
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *data, size_t len)
{
	struct body	*body = smfi_getpriv(ctx);

	if (body->len + len > body->room) {
		body->room = 2 * (body->len + len);
		if ((body->data = realloc(body->data, body->room)) == NULL)
			err(2, "realloc");
	}
	memcpy(body->data + body->len, data, len);
	body->len += len;
	return SMFIS_NOREPLY;
}

static sfsistat
on_end(SMFICTX *ctx)
{
	struct body	*body = smfi_getpriv(ctx);
	size_t		 len = body->len;

	body->len = 0;
	if (smfi_chgheader(ctx, (char *)(uintptr_t)"Content-Type", 1,
	    (char *)(uintptr_t)" multipart/signed") != MI_SUCCESS)
		return SMFIS_TEMPFAIL;
	for (size_t at = 0; at < len; at += CHUNK)
		if (smfi_replacebody(ctx, body->data + at, (int)(len - at <
		    CHUNK ? len - at : CHUNK)) != MI_SUCCESS)
			return SMFIS_TEMPFAIL;
	return SMFIS_ACCEPT;
}

static sfsistat
on_close(SMFICTX *ctx)
{
	struct body	*body = smfi_getpriv(ctx);

	if (body != NULL)
		free(body->data);
	free(body);
	smfi_setpriv(ctx, NULL);
	return SMFIS_CONTINUE;
}

int
main(int argc, char **argv)
{
	struct smfiDesc	 desc = {
		.xxfi_name = (char *)(uintptr_t)"null-milter",
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = ACTIONS,
		.xxfi_connect = on_connect,
		.xxfi_envfrom = on_envelope,
		.xxfi_envrcpt = on_envelope,
		.xxfi_header = on_header,
		.xxfi_body = on_body,
		.xxfi_eom = on_end,
		.xxfi_close = on_close,
		.xxfi_negotiate = on_negotiate,
	};

	if (argc != 2)
		errx(2, "usage: null-milter SOCKET");
	if (smfi_setconn(argv[1]) != MI_SUCCESS ||
	    smfi_register(desc) != MI_SUCCESS)
		errx(2, "%s: libmilter does not take it", argv[1]);
	return smfi_main() == MI_SUCCESS ? 0 : 1;
}
