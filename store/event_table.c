/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/event_table.h"
#include "store/table.h"

/* A key is its row's letter and a number that counts on for ever. */
#define KEY_LEN		9
#define NUMBER_MAX	((uint64_t)1 << 62)	/* a backup may have others */
/*
 * Numbers looked at for each event that is added.  One, but where a backup was
 * made while the oldest went, numbers are missing.
 */
#define DROP_MAX	100

static const char letters[EVENT_ROWS] = {
	[EVENT_ROW_MAIL] = 'm',
	[EVENT_ROW_ADMIN] = 'a',
};

static enum event_row
row_of(enum event_kind kind)
{
	return kind < EVENT_IMPORT ? EVENT_ROW_MAIL : EVENT_ROW_ADMIN;
}

static void
make_key(enum event_row row, uint64_t number, uint8_t key[KEY_LEN])
{
	key[0] = (uint8_t)letters[row];
	for (int i = 0; i < 8; i++)
		key[1 + i] = (uint8_t)(number >> (56 - 8 * i));
}

static bool
parse_key(enum event_row row, const uint8_t *key, size_t len, uint64_t *number)
{
	if (len != KEY_LEN || key[0] != (uint8_t)letters[row])
		return false;
	*number = 0;
	for (int i = 1; i < KEY_LEN; i++)
		*number = *number << 8 | key[i];
	return true;
}

bool
event_table_is_key(const uint8_t *key, size_t len)
{
	uint64_t	 number;

	return (parse_key(EVENT_ROW_MAIL, key, len, &number) ||
	    parse_key(EVENT_ROW_ADMIN, key, len, &number)) &&
	    number > 0 && number <= NUMBER_MAX;
}

/* The numbers of a row: from *first to before *end, both 1 if it is empty. */
struct span {
	enum event_row	 row;
	uint64_t	 first;
	uint64_t	 end;
};

static bool
note_first(void *arg, const uint8_t *key, size_t key_len, const uint8_t *value,
    size_t len, bool *more, struct err *err)
{
	struct span	*span = arg;

	(void)value;
	(void)len;
	(void)err;
	parse_key(span->row, key, key_len, &span->first);
	*more = false;
	return true;
}

static bool
find_span(struct store *store, enum event_row row, struct span *span,
    struct err *err)
{
	uint8_t		 key[KEY_LEN];
	struct buf	 last = { 0 };
	bool		 found, is_ok;

	*span = (struct span){ row, 1, 1 };
	make_key(row, UINT64_MAX, key);
	is_ok = table_last(store, TABLE_EVENTS, key, sizeof(key), &last,
	    &found, err);
	if (is_ok && found && parse_key(row, last.data, last.len,
	    &span->end)) {
		span->end++;
		make_key(row, 0, key);
		is_ok = table_walk(store, TABLE_EVENTS, key, sizeof(key),
		    note_first, span, err);
	}
	buf_free(&last);
	return is_ok;
}

static bool
drop_oldest(struct store *store, struct span *span, struct err *err)
{
	uint8_t	 key[KEY_LEN];

	for (int i = 0; i < DROP_MAX &&
	    span->end - span->first > EVENT_TABLE_MAX; i++) {
		make_key(span->row, span->first, key);
		if (!table_delete(store, TABLE_EVENTS, key, sizeof(key), err))
			return false;
		span->first++;
	}
	return true;
}

static bool
add_one(struct store *store, struct span *span, const struct event *event,
    struct buf *bytes, struct err *err)
{
	uint8_t	 key[KEY_LEN];

	event_encode(event, bytes);
	make_key(span->row, span->end++, key);
	return buf_ok(bytes, "an event", err) &&
	    table_put(store, TABLE_EVENTS, key, sizeof(key), bytes->data,
	    bytes->len, err) && drop_oldest(store, span, err);
}

bool
event_table_add(struct store *store, const struct event *events, size_t n,
    struct err *err)
{
	struct span	 spans[EVENT_ROWS];
	struct buf	 bytes = { 0 };
	bool		 is_ok = true;

	for (int row = 0; is_ok && row < EVENT_ROWS; row++)
		is_ok = find_span(store, (enum event_row)row, &spans[row],
		    err);
	for (size_t i = 0; is_ok && i < n; i++)
		is_ok = add_one(store, &spans[row_of(events[i].kind)],
		    &events[i], &bytes, err);
	buf_free(&bytes);
	return is_ok;
}

/* --- listing: both rows backwards, the later of their heads first --------------- */

struct listing {
	struct store		*store;
	struct event_cursor	*cursor;
	struct event		 heads[EVENT_ROWS];
	bool			 has_head[EVENT_ROWS];
	size_t			 n_seen;
};

/* The next of a row.  One that was dropped since is the row's end. */
static bool
read_head(struct listing *l, int row, struct err *err)
{
	struct buf	 bytes = { 0 };
	uint8_t		 key[KEY_LEN];
	bool		 found = false, is_ok = true;

	if (l->has_head[row] || l->cursor->next[row] == 0)
		return true;
	make_key((enum event_row)row, l->cursor->next[row], key);
	is_ok = table_get(l->store, TABLE_EVENTS, key, sizeof(key), &bytes,
	    &found, err);
	if (is_ok && !found)
		l->cursor->next[row] = 0;
	else if (is_ok && !event_decode(bytes.data, bytes.len,
	    &l->heads[row], err)) {
		err->kind = ERR_TEMP;
		is_ok = err_prefix(err, "event %c%llu", letters[row],
		    (unsigned long long)l->cursor->next[row]);
	} else if (is_ok)
		l->has_head[row] = true;
	buf_free(&bytes);
	return is_ok;
}

static bool
begin(struct listing *l, struct err *err)
{
	struct span	 span;

	if (l->cursor->has_begun)
		return true;
	for (int row = 0; row < EVENT_ROWS; row++) {
		if (!find_span(l->store, (enum event_row)row, &span, err))
			return false;
		l->cursor->next[row] = span.end - 1;
	}
	l->cursor->has_begun = true;
	return true;
}

/* -1: there is none left. */
static int
pick_row(const struct listing *l)
{
	int	 best = -1;

	for (int row = 0; row < EVENT_ROWS; row++)
		if (l->has_head[row] && (best == -1 ||
		    l->heads[row].at > l->heads[best].at))
			best = row;
	return best;
}

static bool
is_wanted(const struct event_query *query, const struct event *event)
{
	return (!query->is_failed || event->is_failed) &&
	    (query->addr == NULL || event_concerns(event, query->addr));
}

static bool
next_event(struct listing *l, const struct event_query *query,
    struct event_page *page, struct err *err)
{
	int	 row;

	for (int i = 0; i < EVENT_ROWS; i++)
		if (!read_head(l, i, err))
			return false;
	if ((row = pick_row(l)) == -1) {
		page->is_end = true;
		return true;
	}
	l->cursor->next[row]--;
	l->has_head[row] = false;
	l->n_seen++;
	if (is_wanted(query, &l->heads[row]))
		page->list[page->n++] = l->heads[row];
	else
		event_free(&l->heads[row]);
	return true;
}

bool
event_table_list(struct store *store, const struct event_query *query,
    struct event_cursor *cursor, struct event_page *page, struct err *err)
{
	struct listing	 l = { .store = store, .cursor = cursor };
	size_t		 max = query->max < EVENT_TABLE_SCAN ? query->max :
			    EVENT_TABLE_SCAN;
	bool		 is_ok;

	*page = (struct event_page){ .list = mem_array(max,
	    sizeof(*page->list)) };
	is_ok = begin(&l, err);
	while (is_ok && !page->is_end && page->n < max &&
	    l.n_seen < EVENT_TABLE_SCAN)
		is_ok = next_event(&l, query, page, err);
	for (int row = 0; row < EVENT_ROWS; row++)
		if (l.has_head[row])
			event_free(&l.heads[row]);
	if (!is_ok)
		event_page_free(page);
	return is_ok;
}

void
event_page_free(struct event_page *page)
{
	for (size_t i = 0; i < page->n; i++)
		event_free(&page->list[i]);
	free(page->list);
	*page = (struct event_page){ 0 };
}
