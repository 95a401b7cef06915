/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/event_table.h"
#include "tools/cmd.h"
#include "tools/open.h"
#include "tools/out.h"

#define DEFAULT_COUNT	20

enum {
	OPT_ADDRESS = CMD_OPTION,
	OPT_FAILED
};

/* Newest first, as they come. */
struct found {
	struct event	*list;
	size_t		 n;
};

static void
add_page(struct found *found, struct event_page *page)
{
	if (page->n == 0)
		return;
	found->list = mem_grow(found->list, found->n + page->n,
	    sizeof(*found->list));
	memcpy(found->list + found->n, page->list,
	    page->n * sizeof(*page->list));
	found->n += page->n;
	page->n = 0;
}

static bool
find_events(const struct cmd_context *ctx, const struct event_query *wanted,
    struct found *found, struct err *err)
{
	struct event_query	 query = *wanted;
	struct event_cursor	 cursor = { 0 };
	struct event_page	 page = { 0 };
	struct access		*access = NULL;
	struct custody		*custody;
	bool			 is_ok;

	is_ok = access_open(ctx, ACCESS_FOR_GOOD, &access, err) &&
	    access_custody(access, &custody, err);
	while (is_ok && !page.is_end && found->n < wanted->max) {
		query.max = wanted->max - found->n;
		event_page_free(&page);
		is_ok = custody_events(custody, &query, &cursor, &page, err);
		if (is_ok)
			add_page(found, &page);
	}
	event_page_free(&page);
	access_close(access);
	return is_ok;
}

/* "a b" as ["a", "b"]. */
static json_t *
words(const char *text)
{
	json_t	*array = json_array();
	size_t	 n;

	for (; text != NULL && *text != '\0'; text += n + (text[n] == ' ')) {
		char	*word;

		n = strcspn(text, " ");
		word = mem_strn(text, n);
		json_array_append_new(array, out_json_str(word));
		free(word);
	}
	return array;
}

static json_t *
event_json(const struct event *event)
{
	json_t	*row = json_pack("{s:o, s:s, s:b}", "time",
		    out_json_time(event->at), "event",
		    event_kind_name(event->kind), "failed", event->is_failed);

	if (event->kind == EVENT_MAIL) {
		json_object_set_new(row, "nrcpt",
		    json_integer(event->n_recipients));
		json_object_set_new(row, "to", words(event->text[EVENT_TO]));
	}
	for (size_t i = 0; i < EVENT_FIELDS; i++)
		if (event->text[i] != NULL && i != EVENT_TO)
			json_object_set_new(row,
			    event_field_name((enum event_field)i),
			    out_json_str(event->text[i]));
	return row;
}

static void
print_json(const struct found *found)
{
	json_t	*rows = json_array();

	for (size_t i = found->n; i-- > 0;)
		json_array_append_new(rows, event_json(&found->list[i]));
	out_json_take(json_pack("{s:o}", "events", rows));
}

/* As in the log: brackets around addresses, quotes around sentences. */
static void
print_field(enum event_field field, const char *text)
{
	char	*safe = text_safe(text, strlen(text), EVENT_TO_MAX);

	switch (field) {
	case EVENT_FROM:
	case EVENT_TO:
		printf(" %s=<%s>", event_field_name(field), safe);
		break;
	case EVENT_CERT:
		printf(" cert=%.16s", safe);
		break;
	case EVENT_ABOUT:
	case EVENT_SOURCE:
	case EVENT_REASON:
	case EVENT_WHO:
		printf(" %s=\"%s\"", event_field_name(field), safe);
		break;
	default:
		printf(" %s=%s", event_field_name(field), safe);
	}
	free(safe);
}

static void
print_event(const struct event *event)
{
	const char	*id = event->text[EVENT_QUEUE_ID];
	char		 at[TEXT_TIME_LEN];

	text_time(event->at, at);
	printf("%s %s", at, event_kind_name(event->kind));
	if (id != NULL) {
		char	*safe = text_safe(id, strlen(id), 64);

		printf(" %s:", safe);
		free(safe);
	}
	for (size_t i = 0; i < EVENT_FIELDS; i++) {
		if (i == EVENT_TO && event->kind == EVENT_MAIL)
			printf(" nrcpt=%u", (unsigned)event->n_recipients);
		if (i != EVENT_QUEUE_ID && event->text[i] != NULL)
			print_field((enum event_field)i, event->text[i]);
	}
	putchar('\n');
}

static bool
parse_count(const char *text, size_t *n)
{
	char		*end;
	unsigned long	 value = strtoul(text, &end, 10);

	*n = value;
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' &&
	    value > 0 && value <= EVENT_ROWS * EVENT_TABLE_MAX;
}

static bool
parse_address(const char *text, char out[ADDR_MAX])
{
	struct err	 err;

	if (addr_normalise(text, strlen(text), out, &err))
		return true;
	fprintf(stderr, "smimectl: %s\n", err.reason);
	return false;
}

int
cmd_log(struct cmd_context *ctx, int argc, char **argv)
{
	static const struct option	 options[] = {
		{ "address", required_argument, NULL, OPT_ADDRESS },
		{ "failed", no_argument, NULL, OPT_FAILED },
		CMD_OPTIONS
	};
	struct event_query	 query = { .max = DEFAULT_COUNT };
	struct found		 found = { 0 };
	char			 addr[ADDR_MAX];
	struct err		 err;
	int			 opt, status = CMD_OK;

	while ((opt = getopt_long(argc, argv, "n:" CMD_SHORT, options,
	    NULL)) != -1)
		if (opt == 'n') {
			if (!parse_count(optarg, &query.max))
				return cmd_usage(argv[0]);
		} else if (opt == OPT_ADDRESS) {
			if (!parse_address(optarg, addr))
				return CMD_USAGE;
			query.addr = addr;
		} else if (opt == OPT_FAILED)
			query.is_failed = true;
		else if (!cmd_option(ctx, argv[0], opt, &status))
			return status;
	if (optind != argc)
		return cmd_usage(argv[0]);
	if (!find_events(ctx, &query, &found, &err))
		status = cmd_fail(&err);
	else if (ctx->is_json)
		print_json(&found);
	else
		for (size_t i = found.n; i-- > 0;)
			print_event(&found.list[i]);
	for (size_t i = 0; i < found.n; i++)
		event_free(&found.list[i]);
	free(found.list);
	return status;
}
