/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/mem.h"
#include "base/pieces.h"

#define LINE_IN		48	/* bytes that make a line of 64 characters */
#define LINE_OUT	(64 + 2)
#define LINES_AT_ONCE	512	/* 32 KiB of text, below libmilter's 64 KiB */

struct piece {
	const uint8_t	*data;
	size_t		 len;
	bool		 is_base64;
	struct buf	 owned;
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

	pieces->list = mem_grow(pieces->list, pieces->n + 1,
	    sizeof(*pieces->list));
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

void
pieces_add_base64_take(struct pieces *pieces, struct buf *buf)
{
	pieces_add_take(pieces, buf);
	pieces->list[pieces->n - 1].is_base64 = true;
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

static size_t
base64_len(size_t len)
{
	size_t	 lines = len / LINE_IN, rest = len % LINE_IN;

	return lines * LINE_OUT + (rest == 0 ? 0 : (rest + 2) / 3 * 4 + 2);
}

size_t
pieces_len(const struct pieces *pieces)
{
	size_t	 len = 0;

	for (size_t i = 0; i < pieces->n; i++)
		len += pieces->list[i].is_base64 ?
		    base64_len(pieces->list[i].len) : pieces->list[i].len;
	return len;
}

static bool
walk_base64(const struct piece *piece, pieces_fn *fn, void *arg,
    struct err *err)
{
	uint8_t		*text = mem_alloc(LINES_AT_ONCE * LINE_OUT + 1);
	const uint8_t	*p = piece->data;
	size_t		 left = piece->len;
	bool		 is_ok = true;

	while (left > 0 && is_ok) {
		size_t	 n = 0;

		for (int i = 0; i < LINES_AT_ONCE && left > 0; i++) {
			size_t	 in = left < LINE_IN ? left : LINE_IN;

			n += (size_t)EVP_EncodeBlock(text + n, p, (int)in);
			text[n++] = '\r';
			text[n++] = '\n';
			p += in;
			left -= in;
		}
		is_ok = fn(arg, text, n, err);
	}
	free(text);
	return is_ok;
}

bool
pieces_walk(const struct pieces *pieces, pieces_fn *fn, void *arg,
    struct err *err)
{
	if (pieces->failed)
		return err_set(err, ERR_TEMP, "the new mail: no memory");
	for (size_t i = 0; i < pieces->n; i++) {
		const struct piece	*piece = &pieces->list[i];

		if (piece->is_base64) {
			if (!walk_base64(piece, fn, arg, err))
				return false;
		} else if (piece->len > 0) {
			if (!fn(arg, piece->data, piece->len, err))
				return false;
		}
	}
	return true;
}

void
pieces_free(struct pieces *pieces)
{
	if (pieces == NULL)
		return;
	for (size_t i = 0; i < pieces->n; i++)
		buf_free(&pieces->list[i].owned);
	free(pieces->list);
	free(pieces);
}
