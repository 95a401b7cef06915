/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/event.h"
#include "store/fields.h"

#define VERSION	1

static const char *const kind_names[] = {
	[EVENT_MAIL] = "mail",
	[EVENT_SIGNATURE] = "signature",
	[EVENT_GAP] = "gap",
	[EVENT_IMPORT] = "import",
	[EVENT_REMOVAL] = "removal",
	[EVENT_TRUST] = "trust",
	[EVENT_EXPORT] = "export",
	[EVENT_REWRAP] = "rewrap",
};

static const char *const field_names[EVENT_FIELDS] = {
	[EVENT_WHO] = "who",
	[EVENT_QUEUE_ID] = "queue_id",
	[EVENT_ACTION] = "action",
	[EVENT_GROUP] = "group",
	[EVENT_FROM] = "from",
	[EVENT_LOGIN] = "login",
	[EVENT_TO] = "to",
	[EVENT_CERT] = "cert",
	[EVENT_CIPHER] = "cipher",
	[EVENT_DIGEST] = "digest",
	[EVENT_ABOUT] = "about",
	[EVENT_SOURCE] = "source",
	[EVENT_REASON] = "reason",
};

const char *
event_kind_name(enum event_kind kind)
{
	return kind_names[kind];
}

const char *
event_field_name(enum event_field field)
{
	return field_names[field];
}

static size_t
max_of(enum event_field field)
{
	return field == EVENT_TO ? EVENT_TO_MAX : EVENT_TEXT_MAX;
}

void
event_set(struct event *event, enum event_field field, const char *text)
{
	free(event->text[field]);
	event->text[field] = NULL;
	if (text != NULL && text[0] != '\0')
		event->text[field] = mem_strn(text,
		    strnlen(text, max_of(field)));
}

void
event_setf(struct event *event, enum event_field field, const char *fmt, ...)
{
	char	 text[EVENT_TEXT_MAX + 1];
	va_list	 ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	event_set(event, field, text);
}

void
event_add_address(struct event *event, enum event_field field,
    const char *addr)
{
	char	*before = event->text[field];
	size_t	 len = before == NULL ? 0 : strlen(before) + 1;

	/* Whole or not at all: half an address is another one. */
	if (len + strlen(addr) > max_of(field))
		return;
	event->text[field] = before == NULL ? mem_str(addr) :
	    mem_strf("%s %s", before, addr);
	free(before);
}

void
event_free(struct event *event)
{
	for (size_t i = 0; i < EVENT_FIELDS; i++)
		free(event->text[i]);
	memset(event, 0, sizeof(*event));
}

/* One of several words? */
static bool
has_word(const char *text, const char *word)
{
	size_t	 len = strlen(word), n;

	for (; text != NULL && *text != '\0'; text += n + (text[n] == ' ')) {
		n = strcspn(text, " ");
		if (n == len && strncasecmp(text, word, len) == 0)
			return true;
	}
	return false;
}

bool
event_concerns(const struct event *event, const char *addr)
{
	static const enum event_field	 fields[] = {
		EVENT_FROM, EVENT_LOGIN, EVENT_TO, EVENT_ABOUT
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (has_word(event->text[fields[i]], addr))
			return true;
	return false;
}

/* --- as bytes: the texts that are there, each after its number -------------- */

void
event_encode(const struct event *event, struct buf *out)
{
	buf_clear(out);
	fields_begin(out, 'E', VERSION);
	fields_put_int(out, event->kind, 1);
	fields_put_int(out, (uint64_t)event->at, 8);
	fields_put_int(out, event->is_failed, 1);
	fields_put_int(out, event->n_recipients, 4);
	for (size_t i = 0; i < EVENT_FIELDS; i++) {
		if (event->text[i] == NULL)
			continue;
		fields_put_int(out, i, 1);
		fields_put_str(out, event->text[i],
		    max_of((enum event_field)i));
	}
	fields_end(out);
}

static void
take_texts(struct fields_reader *r, struct event *event)
{
	while (!r->failed && r->left > 0) {
		unsigned	 i = fields_take_choice(r, EVENT_FIELDS - 1);
		char		*text = fields_take_str(r,
				    max_of((enum event_field)i));

		/* Each once. */
		if (text == NULL || event->text[i] != NULL) {
			r->failed = true;
			free(text);
		} else
			event->text[i] = text;
	}
}

bool
event_decode(const uint8_t *data, size_t len, struct event *event,
    struct err *err)
{
	struct fields_reader	 r;

	memset(event, 0, sizeof(*event));
	if (!fields_open(data, len, 'E', VERSION, &r, err))
		return false;
	event->kind = (enum event_kind)fields_take_choice(&r,
	    EVENT_KIND_LAST);
	event->at = (int64_t)fields_take_int(&r, 8);
	event->is_failed = fields_take_choice(&r, 1) != 0;
	event->n_recipients = (uint32_t)fields_take_int(&r, 4);
	take_texts(&r, event);
	if (fields_close(&r, err))
		return true;
	event_free(event);
	return false;
}
