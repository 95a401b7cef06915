/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/pem.h"

#define BARE_MIN	64	/* characters; less is no certificate */

static const char	 begin[] = "-----BEGIN ";
static const char	 end[] = "-----END ";
static const char	 dashes[] = "-----";

void
pem_init(struct pem_reader *r, const char *text, size_t len)
{
	*r = (struct pem_reader){ .text = text, .len = len, .line = 1 };
}

void
pem_block_free(struct pem_block *block)
{
	free(block->header);
	buf_free(&block->der);
}

static void
advance(struct pem_reader *r, size_t to)
{
	for (; r->at < to; r->at++)
		if (r->text[r->at] == '\n')
			r->line++;
}

static const char *
find(const char *from, const char *to, const char *what)
{
	return memmem(from, (size_t)(to - from), what, strlen(what));
}

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Space, and the mark that mail programs put before a quoted line. */
static bool
is_filler(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '>';
}

static const char *
decode(const char *p, const char *to, struct buf *out)
{
	uint32_t	 bits = 0;
	unsigned int	 n = 0, n_pad = 0;

	buf_reserve(out, (size_t)(to - p) / 4 * 3 + 3);
	for (; p < to; p++) {
		int	 v = base64_value(*p);

		if (is_filler(*p))
			continue;
		if (*p == '=') {
			n_pad++;
			continue;
		}
		if (v < 0 || n_pad > 0)
			return "what stands between its lines is not base64";
		bits = bits << 6 | (uint32_t)v;
		if (++n % 4 == 0) {
			buf_addc(out, (char)(bits >> 16));
			buf_addc(out, (char)(bits >> 8));
			buf_addc(out, (char)bits);
		}
	}
	if (n % 4 == 1 || n_pad > 2)
		return "its base64 ends in the middle";
	if (n % 4 == 2)
		buf_addc(out, (char)(bits >> 4));
	else if (n % 4 == 3) {
		buf_addc(out, (char)(bits >> 10));
		buf_addc(out, (char)(bits >> 2));
	}
	if (out->failed)
		return "no memory for it";
	return out->len == 0 ? "it is empty" : NULL;
}

/*
 * Fields such as DEK-Info stand before the base64, ended by an empty line
 * (RFC 1421, 4.4).  Base64 has no colon, so that one tells.
 */
static const char *
take_header(const char *p, const char *to, struct pem_block *block)
{
	struct buf	 header = { 0 };
	const char	*colon = memchr(p, ':', (size_t)(to - p));
	bool		 is_line_empty = true;

	if (colon == NULL)
		return p;
	while (p < colon && is_filler(*p))
		p++;
	for (; p < to; p++) {
		if (*p == '\r')
			continue;
		if (*p == '\n' && is_line_empty)
			break;
		is_line_empty = *p == '\n';
		buf_addc(&header, *p);
	}
	block->header = buf_take_str(&header);
	return p;
}

/* "-----BEGIN label-----" at p; false if that is not what it is. */
static bool
take_label(const char **p, const char *to, struct pem_block *block)
{
	const char	*label = *p + strlen(begin);
	const char	*stop = find(label, to, dashes);
	size_t		 len;

	if (stop == NULL)
		return false;
	len = (size_t)(stop - label);
	if (len == 0 || len >= sizeof(block->label))
		return false;
	for (size_t i = 0; i < len; i++)
		if (label[i] < ' ' || label[i] > '~')
			return false;
	memcpy(block->label, label, len);
	block->label[len] = '\0';
	*p = stop + strlen(dashes);
	return true;
}

bool
pem_next(struct pem_reader *r, struct pem_block *block)
{
	const char	*to = r->text + r->len, *p, *body, *stop, *next;

	while ((p = find(r->text + r->at, to, begin)) != NULL) {
		*block = (struct pem_block){ .der.is_secret = true };
		advance(r, (size_t)(p - r->text));
		block->line = r->line;
		if (take_label(&p, to, block))
			break;
		advance(r, r->at + strlen(begin));
	}
	if (p == NULL)
		return false;
	r->has_armour = true;
	stop = find(p, to, end);
	next = find(p, stop != NULL ? stop : to, begin);
	if (stop == NULL || next != NULL) {
		block->reason = "it is cut off: its END line is missing";
		advance(r, (size_t)((next != NULL ? next : to) - r->text));
		return true;
	}
	body = take_header(p, stop, block);
	block->reason = decode(body, stop, &block->der);
	advance(r, (size_t)(stop - r->text));
	return true;
}

/* The line at p, without what surrounds it; *next is where the next begins. */
static size_t
trim_line(const char **p, const char *to, const char **next)
{
	const char	*stop = memchr(*p, '\n', (size_t)(to - *p));

	*next = stop == NULL ? to : stop + 1;
	if (stop == NULL)
		stop = to;
	while (*p < stop && is_filler(**p))
		++*p;
	while (stop > *p && is_filler(stop[-1]))
		stop--;
	return (size_t)(stop - *p);
}

static bool
is_base64_line(const char *p, size_t len)
{
	while (len > 0 && p[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++)
		if (base64_value(p[i]) < 0)
			return false;
	return len > 0;
}

/*
 * A run begins with "MI": base64 of a SEQUENCE whose length takes one
 * octet more than its own, as every certificate, key or container has.  It
 * ends before a line that is no base64, or after padding.
 */
bool
pem_next_bare(struct pem_reader *r, struct pem_block *block)
{
	const char	*to = r->text + r->len, *p, *next, *stop;
	size_t		 n;

	while (r->at < r->len) {
		p = r->text + r->at;
		n = trim_line(&p, to, &next);
		if (n < 3 || memcmp(p, "MI", 2) != 0 || !is_base64_line(p, n)) {
			advance(r, (size_t)(next - r->text));
			continue;
		}
		*block = (struct pem_block){ .line = r->line,
		    .der.is_secret = true };
		do {
			stop = p + n;
			p = next;
			n = trim_line(&p, to, &next);
		} while (stop[-1] != '=' && is_base64_line(p, n));
		/* A word too many at its end is the reader's of DER to see. */
		decode(r->text + r->at, stop, &block->der);
		n = (size_t)(stop - (r->text + r->at));
		advance(r, (size_t)(stop - r->text));
		if (n >= BARE_MIN && block->der.len > 0)
			return true;
		pem_block_free(block);
	}
	return false;
}

bool
pem_from_utf16(const uint8_t *p, size_t len, struct buf *out)
{
	unsigned int	 low;	/* which byte of a pair is the low one */

	if (len < 4)
		return false;
	if ((p[0] == 0xff && p[1] == 0xfe) || (p[1] == 0 && p[3] == 0))
		low = 0;
	else if ((p[0] == 0xfe && p[1] == 0xff) || (p[0] == 0 && p[2] == 0))
		low = 1;
	else
		return false;
	out->is_secret = true;
	buf_reserve(out, len / 2);
	for (size_t i = p[low] == 0xff ? 2 : 0; i + 1 < len; i += 2) {
		uint8_t	 c = p[i + low];

		buf_addc(out, p[i + 1 - low] == 0 && c < 0x80 ?
		    (char)c : '?');
	}
	return !out->failed;
}
