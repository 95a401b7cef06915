/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/pieces.h"

#define LINES_AT_ONCE	992	/* just below libmilter's 64 KiB */
#define STEP		(4 * 65535)	/* of a file; libmilter takes 65535 */

struct piece {
	const uint8_t	*data;
	size_t		 len;
	struct pieces	*encoded;	/* read as base64; data is NULL then */
	struct buf	 owned;
	struct spool	*spool;
};

struct pieces {
	struct piece	*list;
	size_t		 n;
	bool		 failed;
};

struct pieces *
pieces_new(void)
{
	return mem_alloc(sizeof(struct pieces));
}

static struct piece *
add(struct pieces *pieces)
{
	struct piece	*piece;

	/* Twice as many each time: a body may come in as many pieces as bytes. */
	if ((pieces->n & (pieces->n - 1)) == 0)
		pieces->list = mem_grow(pieces->list, pieces->n == 0 ? 1 :
		    2 * pieces->n, sizeof(*pieces->list));
	piece = &pieces->list[pieces->n++];
	memset(piece, 0, sizeof(*piece));
	return piece;
}

void
pieces_add(struct pieces *pieces, const void *data, size_t len)
{
	struct piece	*piece;

	if (len == 0)
		return;
	piece = add(pieces);
	piece->data = data;
	piece->len = len;
}

void
pieces_add_take(struct pieces *pieces, struct buf *buf)
{
	struct piece	*piece = add(pieces);

	/* A buf that lost bytes must not leave a gap in a mail. */
	if (buf->failed)
		pieces->failed = true;
	piece->owned = *buf;
	memset(buf, 0, sizeof(*buf));
	piece->data = piece->owned.data;
	piece->len = piece->owned.len;
}

void
pieces_add_str(struct pieces *pieces, const char *s)
{
	struct buf	 buf = { 0 };

	buf_adds(&buf, s);
	pieces_add_take(pieces, &buf);
}

bool
pieces_add_spool_take(struct pieces *pieces, struct spool *spool,
    struct err *err)
{
	struct piece	*piece = add(pieces);

	piece->spool = spool;
	if (spool_bytes(spool, &piece->data, &piece->len, err))
		return true;
	pieces->failed = true;
	return false;
}

void
pieces_add_base64_take(struct pieces *pieces, struct pieces *more)
{
	add(pieces)->encoded = more;
	pieces->failed |= more->failed;
}

void
pieces_append_take(struct pieces *pieces, struct pieces *more)
{
	for (size_t i = 0; i < more->n; i++)
		*add(pieces) = more->list[i];
	pieces->failed |= more->failed;
	free(more->list);
	free(more);
}

size_t
pieces_len(const struct pieces *pieces)
{
	size_t	 len = 0;

	for (size_t i = 0; i < pieces->n; i++) {
		const struct piece	*piece = &pieces->list[i];

		len += piece->encoded != NULL ?
		    base64_len(pieces_len(piece->encoded)) : piece->len;
	}
	return len;
}

/* Base64 on its way from runs of any length to whole lines. */
struct encoder {
	pieces_fn	*fn;
	void		*arg;
	uint8_t		*text;
	size_t		 len;		/* of text */
	uint8_t		 rest[BASE64_LINE_IN];	/* less than a line */
	size_t		 n_rest;
};

static bool
flush(struct encoder *e, struct err *err)
{
	size_t	 len = e->len;

	e->len = 0;
	return len == 0 || e->fn(e->arg, e->text, len, err);
}

static bool
encode_lines(struct encoder *e, const uint8_t *data, size_t n_lines,
    struct err *err)
{
	while (n_lines > 0) {
		size_t	 n = LINES_AT_ONCE - e->len / BASE64_LINE_OUT;

		n = n < n_lines ? n : n_lines;
		base64_lines(e->text + e->len, data, n);
		e->len += n * BASE64_LINE_OUT;
		data += n * BASE64_LINE_IN;
		n_lines -= n;
		if (e->len == LINES_AT_ONCE * BASE64_LINE_OUT &&
		    !flush(e, err))
			return false;
	}
	return true;
}

static bool
encode_run(void *arg, const uint8_t *data, size_t len, struct err *err)
{
	struct encoder	*e = arg;

	if (e->n_rest > 0) {
		size_t	 n = BASE64_LINE_IN - e->n_rest;

		n = n < len ? n : len;
		memcpy(e->rest + e->n_rest, data, n);
		e->n_rest += n;
		data += n;
		len -= n;
		if (e->n_rest < BASE64_LINE_IN)
			return true;
		e->n_rest = 0;
		if (!encode_lines(e, e->rest, 1, err))
			return false;
	}
	if (!encode_lines(e, data, len / BASE64_LINE_IN, err))
		return false;
	e->n_rest = len % BASE64_LINE_IN;
	memcpy(e->rest, data + len - e->n_rest, e->n_rest);
	return true;
}

static bool
walk_base64(const struct pieces *pieces, pieces_fn *fn, void *arg,
    struct err *err)
{
	size_t		 room = base64_len(pieces_len(pieces));
	struct encoder	 e = { .fn = fn, .arg = arg };
	bool		 is_ok;

	if (room > LINES_AT_ONCE * BASE64_LINE_OUT)
		room = LINES_AT_ONCE * BASE64_LINE_OUT;
	e.text = mem_grow(NULL, room + BASE64_LINE_OUT, 1);
	is_ok = pieces_walk(pieces, encode_run, &e, err);
	if (is_ok && e.n_rest > 0)
		e.len += base64_last(e.text + e.len, e.rest, e.n_rest);
	is_ok = is_ok && flush(&e, err);
	free(e.text);
	return is_ok;
}

/*
 * What lies in a spool's file does not stay in memory, where 64 large mails
 * would be more than all the rest: each step that was read is let go.
 */
static bool
walk_piece(const struct piece *piece, size_t *n_read, pieces_fn *fn,
    void *arg, struct err *err)
{
	size_t	 step = piece->len > STEP && spool_is_mapped(piece->data) ?
		    STEP : piece->len;

	for (size_t at = 0, n; at < piece->len; at += n) {
		n = piece->len - at < step ? piece->len - at : step;
		if (!fn(arg, piece->data + at, n, err))
			return false;
		if ((*n_read += n) >= STEP) {
			spool_have_read(piece->data + at + n);
			*n_read = 0;
		}
	}
	return true;
}

bool
pieces_walk(const struct pieces *pieces, pieces_fn *fn, void *arg,
    struct err *err)
{
	size_t	 n_read = 0;

	if (pieces->failed)
		return err_set(err, ERR_TEMP, "the new mail: no memory");
	for (size_t i = 0; i < pieces->n; i++) {
		const struct piece	*piece = &pieces->list[i];

		if (piece->encoded != NULL) {
			if (!walk_base64(piece->encoded, fn, arg, err))
				return false;
		} else if (!walk_piece(piece, &n_read, fn, arg, err))
			return false;
	}
	return true;
}

void
pieces_free(struct pieces *pieces)
{
	if (pieces == NULL)
		return;
	for (size_t i = 0; i < pieces->n; i++) {
		buf_free(&pieces->list[i].owned);
		spool_free(pieces->list[i].spool);
		pieces_free(pieces->list[i].encoded);
	}
	free(pieces->list);
	free(pieces);
}
