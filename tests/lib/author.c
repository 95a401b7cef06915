/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As whom would a mail with these header fields be signed?  The daemon's own
 * journey answers, for somebody who logged in as alice@example.org and mail
 * that has to be signed, all certificates being there.
 *
 *	author login|any <BLOCKS
 *
 * login: alice has that address and those of @alice.example.  any: every
 * address is hers, so that what counts is how the fields are read.  Each block
 * is its length in decimal, a line end, and so many bytes: header fields with
 * LF.  For each, one line: "sign ADDRESS" and, a tab before each, the From
 * mailboxes as GMime's parser of whole messages has them; or "refuse REASON".
 * A block without From that has To or Cc: "show ADDRESS ADDRESS ..."
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gmime/gmime.h>

#include "base/mem.h"
#include "milter/journey.h"
#include "policy/config_parse.h"
#include "smime/address.h"
#include "tests/lib/fake_custody.h"

static const char	 conf[] =
	"enabled = true\n"
	"default { sign = require  encrypt = never }\n"
	"authorize { identities = ";

static struct config *
make_config(const char *identities)
{
	char			*text = mem_strf("%s\"%s\" }\n", conf,
				    strcmp(identities, "any") == 0 ? "any" :
				    "/ids");
	char			 ids[] = "alice@example.org @alice.example\n";
	struct config_source	 sources[] = {
		{ (char *)"author", text, strlen(text) },
		{ (char *)"/ids", ids, strlen(ids) } };
	struct config		*config;
	struct err		 err;

	if (!config_parse(sources, strstr(text, "/ids") ? 2 : 1, &config,
	    &err))
		errx(2, "%s", err.reason);
	free(text);
	return config;
}

/* Where the field that begins at p ends: a LF that folds nothing, or end. */
static const char *
after_field(const char *p, const char *end)
{
	const char	*lf = p;

	while ((lf = memchr(lf, '\n', (size_t)(end - lf))) != NULL &&
	    lf + 1 < end && (lf[1] == ' ' || lf[1] == '\t'))
		lf++;
	return lf == NULL ? end : lf;
}

/* As libmilter hands them over: a field ends at a NUL in it. */
static void
add_fields(struct mail *mail, const char *p, size_t len)
{
	const char	*end = p + len;

	while (p < end) {
		const char	*next = after_field(p, end);
		char		*field = mem_strn(p, (size_t)(next - p));
		char		*colon = strchr(field, ':');

		if (colon != NULL) {
			*colon = '\0';
			mail_add_header(mail, field, colon + 1);
		}
		free(field);
		p = next + 1;
	}
}

/* What GMime's parser makes of the whole block, by its usual options. */
static void
print_gmime(const char *block, size_t len)
{
	GMimeStream		*stream = g_mime_stream_mem_new_with_buffer(
				    block, len);
	GMimeParser		*parser =
				    g_mime_parser_new_with_stream(stream);
	GMimeMessage		*message = g_mime_parser_construct_message(
				    parser, NULL);
	InternetAddressList	*list = message == NULL ? NULL :
				    g_mime_message_get_from(message);

	for (int i = 0; list != NULL &&
	    i < internet_address_list_length(list); i++) {
		InternetAddress	*addr =
				    internet_address_list_get_address(list, i);

		printf("\t%s",
		    INTERNET_ADDRESS_IS_MAILBOX(addr) ?
		    internet_address_mailbox_get_addr(
		    INTERNET_ADDRESS_MAILBOX(addr)) : "(group)");
	}
	if (message != NULL)
		g_object_unref(message);
	g_object_unref(parser);
	g_object_unref(stream);
}

static void
print_visible(const struct mail *mail)
{
	struct address_list	*list = address_visible(mail->headers);

	printf("show");
	for (size_t i = 0; i < list->n; i++)
		printf(" %s", list->addrs[i]);
	address_list_free(list);
}

static void
answer(const struct config *config, struct custody *custody,
    const char *block, size_t len)
{
	struct spool_options	 spool = { .dir = "/tmp", .memory_max = 1000,
				    .max = 1000 };
	struct mail		*mail = mail_new(&spool);
	struct journey		 j = { 0 };

	mail_set(&mail->sender, "alice@example.org");
	mail_set(&mail->login, "alice@example.org");
	mail_add_recipient(mail, "bob@example.net");
	add_fields(mail, block, len);
	journey_run(&(struct journey_request){ .config = config,
	    .custody = custody, .mail = mail, .is_dry = true }, &j);
	if (headers_count_name(mail->headers, "From") == 0 &&
	    headers_count_name(mail->headers, "To") +
	    headers_count_name(mail->headers, "Cc") > 0)
		print_visible(mail);
	else if (!j.decision.do_sign)
		printf("refuse %s", j.decision.reason);
	else {
		printf("sign %s", j.from);
		print_gmime(block, len);
	}
	putchar('\n');
	journey_clear(&j);
	mail_free(mail);
}

int
main(int argc, char **argv)
{
	struct custody	*custody = custody_new(&fake_custody_ops, NULL);
	struct config	*config;
	size_t		 len;

	if (argc != 2)
		errx(2, "usage: author login|any <BLOCKS");
	config = make_config(argv[1]);
	g_mime_init();
	while (scanf("%zu", &len) == 1 && getchar() == '\n') {
		char	*block = mem_alloc(len + 1);

		if (fread(block, 1, len, stdin) != len)
			errx(2, "a block ends too early");
		answer(config, custody, block, len);
		free(block);
	}
	config_free(config);
	custody_close(custody);
	return 0;
}
