/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "store/dump.h"

static const enum table order[] = {
	TABLE_META, TABLE_KEYS, TABLE_CERTS, TABLE_CRLS, TABLE_EVENTS
};
#define N_TABLES	(sizeof(order) / sizeof(order[0]))

struct dump {
	enum table	 table;
	struct buf	*cursor;
	struct buf	*rows;
	size_t		 max;
	bool		 is_full;
};

static void
put_int(struct buf *out, size_t v, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--)
		buf_addc(out, (char)(v >> (8 * i)));
}

static bool
add_row(void *arg, const uint8_t *key, size_t key_len, const uint8_t *value,
    size_t len, bool *more, struct err *err)
{
	struct dump	*dump = arg;
	size_t		 size = DUMP_ROW_HEADER + key_len + len;

	if (size > DUMP_ROW_MAX)
		return err_set(err, ERR_TEMP, "a record of %zu bytes is too "
		    "large to be copied", len);
	if (dump->rows->len > 0 && dump->rows->len + size > dump->max) {
		dump->is_full = true;
		*more = false;
		return true;
	}
	put_int(dump->rows, dump->table, 1);
	put_int(dump->rows, key_len, 2);
	put_int(dump->rows, len, 4);
	buf_add(dump->rows, key, key_len);
	buf_add(dump->rows, value, len);
	/* The first key that can follow: the same with a zero behind. */
	buf_clear(dump->cursor);
	put_int(dump->cursor, dump->table, 1);
	buf_add(dump->cursor, key, key_len);
	buf_addc(dump->cursor, '\0');
	*more = true;
	return buf_ok(dump->rows, "rows of the store", err) &&
	    buf_ok(dump->cursor, "rows of the store", err);
}

/* Where a cursor stands in the order; N_TABLES if it is none of ours. */
static size_t
place_of(const struct buf *cursor)
{
	size_t	 i = 0;

	while (cursor->len > 0 && i < N_TABLES && order[i] != cursor->data[0])
		i++;
	return i;
}

bool
dump_rows(struct store *store, struct buf *cursor, size_t max,
    struct buf *rows, struct err *err)
{
	struct dump	 dump = { .cursor = cursor, .rows = rows,
			    .max = max };
	struct buf	 from = { 0 };
	bool		 is_ok = true;

	buf_clear(rows);
	if (cursor->len > 0)
		buf_add(&from, cursor->data + 1, cursor->len - 1);
	for (size_t i = place_of(cursor); is_ok && !dump.is_full &&
	    i < N_TABLES; i++) {
		dump.table = order[i];
		is_ok = table_walk(store, order[i], from.data, from.len,
		    add_row, &dump, err);
		buf_clear(&from);
	}
	if (rows->len == 0)
		buf_clear(cursor);
	buf_free(&from);
	return is_ok;
}

size_t
dump_parse_row(const uint8_t *p, size_t len, struct dump_row *row)
{
	if (len < DUMP_ROW_HEADER || p[0] >= TABLE_COUNT)
		return 0;
	row->table = (enum table)p[0];
	row->key_len = (size_t)p[1] << 8 | p[2];
	row->len = (size_t)p[3] << 24 | (size_t)p[4] << 16 |
	    (size_t)p[5] << 8 | p[6];
	if (row->len > DUMP_ROW_MAX ||
	    len - DUMP_ROW_HEADER < row->key_len + row->len)
		return 0;
	row->key = p + DUMP_ROW_HEADER;
	row->value = row->key + row->key_len;
	return DUMP_ROW_HEADER + row->key_len + row->len;
}
