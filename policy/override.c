/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "policy/override.h"

#define WORD_MAX	4096	/* of an encoded-word; RFC 2047 has 75 */

static const char	 blanks[] = " \t\r\n";

static const struct tag {
	const char	*text;
	bool		 is_sign;	/* else encrypt */
	enum wish	 wish;
} tags[] = {
	{ "[sign]",		true,	WISH_YES },
	{ "[nosign]",		true,	WISH_NO },
	{ "[encrypt]",		false,	WISH_YES },
	{ "[noencrypt]",	false,	WISH_NO },
};

static bool
is_blank(char c)
{
	return c != '\0' && strchr(blanks, c) != NULL;
}

static void
set_bad(struct wishes *wishes, enum wish *wish, const char *where,
    const char *why)
{
	*wish = WISH_BAD;
	if (wishes->reason[0] == '\0')
		snprintf(wishes->reason, sizeof(wishes->reason), "%s %s",
		    where, why);
}

/* Tags and header together must say one thing. */
static void
merge(struct wishes *wishes, enum wish *wish, enum wish said, const char *what)
{
	if (said == WISH_NONE || *wish == WISH_BAD)
		return;
	if (said == WISH_BAD)
		set_bad(wishes, wish, "the Subject", "has such a tag twice");
	else if (*wish != WISH_NONE && *wish != said)
		set_bad(wishes, wish, what, "and a tag in the Subject differ");
	else
		*wish = said;
}

/* --- headers ---------------------------------------------------------- */

static enum wish *
wish_of_header(struct wishes *wishes, const char *name)
{
	if (strcasecmp(name, "X-SMIME-Sign") == 0)
		return &wishes->sign;
	if (strcasecmp(name, "X-SMIME-Encrypt") == 0)
		return &wishes->encrypt;
	return NULL;
}

bool
override_is_header(const char *name)
{
	struct wishes	 none;

	return wish_of_header(&none, name) != NULL;
}

void
override_add_header(struct wishes *wishes, const char *name,
    const char *value, size_t len)
{
	enum wish	*wish = wish_of_header(wishes, name), said;
	bool		 is_sign = wish == &wishes->sign;
	bool		*has = is_sign ? &wishes->has_sign :
			    &wishes->has_encrypt;
	const char	*where = is_sign ? "X-SMIME-Sign" : "X-SMIME-Encrypt";

	if (wish == NULL)
		return;
	for (; len > 0 && is_blank(value[0]); value++)
		len--;
	while (len > 0 && is_blank(value[len - 1]))
		len--;
	if (len == 3 && strncasecmp(value, "yes", 3) == 0)
		said = WISH_YES;
	else if (len == 2 && strncasecmp(value, "no", 2) == 0)
		said = WISH_NO;
	else {
		set_bad(wishes, wish, where, "is neither yes nor no");
		return;
	}
	if (*has)
		set_bad(wishes, wish, where, "is there more than once");
	else
		merge(wishes, wish, said, where);
	*has = true;
}

/* --- the Subject ------------------------------------------------------ */

/*
 * A Subject is read as a row of pieces: plain text, encoded-words, and the
 * blanks between two encoded-words, which do not count (RFC 2047, section
 * 6.2).  What all of them say stands in one row of bytes, where tags are
 * looked for and cut; each piece is then written again from what is left of
 * its bytes.  A proper encoded-word only gets shorter by that, and keeps its
 * character set, so that it stays within the 75 characters it had.
 */
struct piece {
	const char	*raw;
	size_t		 raw_len;
	size_t		 charset_len;	/* of "=?charset", 0: plain text */
	char		 encoding;	/* 'B' or 'Q' */
	size_t		 begin, end;	/* in the row */
};

struct row {
	struct piece	*pieces;
	size_t		 n;
	struct buf	 bytes;
	bool		*is_cut;	/* one per byte */
};

static int
hex_digit(char c)
{
	const char	*digits = "0123456789abcdef", *found;

	found = c == '\0' ? NULL :
	    strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
	return found == NULL ? -1 : (int)(found - digits);
}

static void
decode_q(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int	 high = -1, low = -1;

		if (text[i] == '=' && i + 2 < len) {
			high = hex_digit(text[i + 1]);
			low = hex_digit(text[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			buf_addc(out, (char)(high << 4 | low));
			i += 2;
		} else
			buf_addc(out, text[i] == '_' ? ' ' : text[i]);
	}
}

static const char	 base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void
decode_b(struct buf *out, const char *text, size_t len)
{
	uint32_t	 bits = 0;
	int		 n = 0;

	for (size_t i = 0; i < len && text[i] != '='; i++) {
		const char	*at = strchr(base64, text[i]);

		if (at == NULL)
			continue;
		bits = bits << 6 | (uint32_t)(at - base64);
		if ((n += 6) >= 8) {
			n -= 8;
			buf_addc(out, (char)(bits >> n & 0xff));
		}
	}
}

static void
encode_q(struct buf *out, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char	 c = bytes[i];

		if (c == ' ')
			buf_addc(out, '_');
		else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') ||
		    (c > ' ' && c < 0x7f && strchr("!*+-/.,:;()'", c) != NULL))
			buf_addc(out, c);
		else
			buf_addf(out, "=%02X", (unsigned char)c);
	}
}

static void
encode_b(struct buf *out, const char *bytes, size_t len)
{
	const uint8_t	*p = (const uint8_t *)bytes;

	for (; len > 0; p += 3) {
		size_t		 n = len < 3 ? len : 3;
		uint32_t	 bits = (uint32_t)p[0] << 16;

		if (n > 1)
			bits |= (uint32_t)p[1] << 8;
		if (n > 2)
			bits |= p[2];
		buf_addc(out, base64[bits >> 18]);
		buf_addc(out, base64[bits >> 12 & 63]);
		buf_addc(out, n > 1 ? base64[bits >> 6 & 63] : '=');
		buf_addc(out, n > 2 ? base64[bits & 63] : '=');
		len -= n;
	}
}

/* Is there an encoded-word (RFC 2047, section 2) here?  Its length, or 0. */
static size_t
match_word(const char *p, size_t len, struct piece *piece)
{
	const char	*end, *q1, *q2, *close;

	if (len > WORD_MAX)
		len = WORD_MAX;
	end = p + len;
	if (len < 8 || p[0] != '=' || p[1] != '?' ||
	    (q1 = memchr(p + 2, '?', len - 2)) == NULL || q1 == p + 2 ||
	    end - q1 < 5 || q1[2] != '?' || strchr("BbQq", q1[1]) == NULL)
		return 0;
	q2 = q1 + 2;
	if ((close = memmem(q2 + 1, (size_t)(end - q2 - 1), "?=", 2)) == NULL)
		return 0;
	for (const char *c = p; c < close; c++)
		if (is_blank(*c) || (unsigned char)*c < 0x20)
			return 0;
	piece->raw = p;
	piece->raw_len = (size_t)(close + 2 - p);
	piece->charset_len = (size_t)(q1 - p);
	piece->encoding = q1[1] == 'B' || q1[1] == 'b' ? 'B' : 'Q';
	return piece->raw_len;
}

static struct piece *
add_piece(struct row *row, const struct piece *piece)
{
	row->pieces = mem_grow(row->pieces, row->n + 1, sizeof(*piece));
	row->pieces[row->n] = *piece;
	row->pieces[row->n].begin = row->pieces[row->n].end = row->bytes.len;
	return &row->pieces[row->n++];
}

static void
add_text(struct row *row, const char *raw, size_t len)
{
	struct piece	*piece;

	if (len == 0)
		return;
	piece = add_piece(row, &(struct piece){ .raw = raw, .raw_len = len });
	buf_add(&row->bytes, raw, len);
	piece->end = row->bytes.len;
}

static void
add_word(struct row *row, const struct piece *word)
{
	struct piece	*piece = add_piece(row, word);
	const char	*text = word->raw + word->charset_len + 3;
	size_t		 len = word->raw_len - word->charset_len - 5;

	if (word->encoding == 'B')
		decode_b(&row->bytes, text, len);
	else
		decode_q(&row->bytes, text, len);
	piece->end = row->bytes.len;
}

/* Blanks between encoded-words are written again but say nothing. */
static bool
is_gap(const struct row *row, const char *raw, size_t len)
{
	if (len == 0 || row->n == 0 || row->pieces[row->n - 1].charset_len == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_blank(raw[i]))
			return false;
	return true;
}

static void
read_row(struct row *row, const char *value, size_t len)
{
	size_t	 text = 0, i = 0;

	while (i < len) {
		struct piece	 word = { 0 };
		size_t		 n = match_word(value + i, len - i, &word);

		if (n == 0) {
			i++;
			continue;
		}
		if (is_gap(row, value + text, i - text))
			add_piece(row, &(struct piece){ .raw = value + text,
			    .raw_len = i - text });
		else
			add_text(row, value + text, i - text);
		add_word(row, &word);
		i += n;
		text = i;
	}
	add_text(row, value + text, len - text);
}

static const struct piece *
piece_at(const struct row *row, size_t at)
{
	size_t	 i = 0;

	while (at >= row->pieces[i].end)
		i++;
	return &row->pieces[i];
}

/*
 * Cut n bytes, and the blanks that would be left doubled or at the end; but
 * not those that hold an encoded-word and plain text apart.
 */
static void
cut(struct row *row, size_t at, size_t n)
{
	const char		*bytes = (const char *)row->bytes.data;
	const struct piece	*last = piece_at(row, at + n - 1);
	size_t			 end = at + n;
	size_t			 limit = last->end;

	if (at <= last->begin)
		limit = row->bytes.len;
	while (end < limit && is_blank(bytes[end]))
		end++;
	if (end == row->bytes.len)
		while (at > 0 && is_blank(bytes[at - 1]))
			at--;
	for (; at < end; at++)
		row->is_cut[at] = true;
}

/* A second tag about the same thing makes its wish WISH_BAD. */
static bool
cut_tags(struct row *row, enum wish *sign, enum wish *encrypt)
{
	const char	*bytes = (const char *)row->bytes.data;
	bool		 found = false;

	for (size_t i = 0; i < row->bytes.len; i++) {
		for (size_t t = 0; t < sizeof(tags) / sizeof(tags[0]); t++) {
			enum wish	*wish = sign;
			size_t		 n = strlen(tags[t].text);

			if (!tags[t].is_sign)
				wish = encrypt;
			if (row->bytes.len - i < n ||
			    strncasecmp(bytes + i, tags[t].text, n) != 0)
				continue;
			*wish = *wish == WISH_NONE ? tags[t].wish : WISH_BAD;
			cut(row, i, n);
			found = true;
		}
	}
	return found;
}

/* Did a piece that said something lose all of it? */
static bool
is_emptied(const struct row *row, size_t i)
{
	if (i >= row->n || row->pieces[i].begin == row->pieces[i].end)
		return false;
	for (size_t b = row->pieces[i].begin; b < row->pieces[i].end; b++)
		if (!row->is_cut[b])
			return false;
	return true;
}

/*
 * A gap goes with the encoded-word after it, the first one with that before:
 * nothing is glued together, and no line of blanks alone remains.
 */
static bool
is_needless_gap(const struct row *row, size_t i)
{
	const struct piece	*piece = &row->pieces[i];

	if (piece->charset_len > 0 || piece->begin != piece->end)
		return false;
	if (is_emptied(row, i + 1))
		return true;
	return is_emptied(row, i - 1) &&
	    (i < 2 || row->pieces[i - 2].begin != row->pieces[i - 2].end);
}

static void
write_piece(const struct row *row, const struct piece *piece, struct buf *out)
{
	struct buf	 left = { 0 };

	for (size_t i = piece->begin; i < piece->end; i++)
		if (!row->is_cut[i])
			buf_addc(&left, (char)row->bytes.data[i]);
	if (left.len == piece->end - piece->begin)
		buf_add(out, piece->raw, piece->raw_len);
	else if (piece->charset_len == 0)
		buf_add(out, left.data, left.len);
	else if (left.len > 0) {
		buf_add(out, piece->raw, piece->charset_len);
		buf_addf(out, "?%c?", piece->encoding);
		if (piece->encoding == 'B')
			encode_b(out, (const char *)left.data, left.len);
		else
			encode_q(out, (const char *)left.data, left.len);
		buf_adds(out, "?=");
	}
	buf_free(&left);
}

bool
override_add_subject(struct wishes *wishes, const char *value, size_t len,
    struct buf *rest)
{
	struct row	 row = { 0 };
	enum wish	 sign = WISH_NONE, encrypt = WISH_NONE;
	bool		 found;

	read_row(&row, value, len);
	row.is_cut = mem_array(row.bytes.len, sizeof(bool));
	found = cut_tags(&row, &sign, &encrypt);
	for (size_t i = 0; found && i < row.n; i++)
		if (!is_needless_gap(&row, i))
			write_piece(&row, &row.pieces[i], rest);
	merge(wishes, &wishes->sign, sign, "X-SMIME-Sign");
	merge(wishes, &wishes->encrypt, encrypt, "X-SMIME-Encrypt");
	free(row.pieces);
	free(row.is_cut);
	buf_free(&row.bytes);
	return found;
}
