/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "smime/scan.h"

/* Compilers turn these into one register's worth at a time. */
#define LANES	16
typedef uint8_t	 lanes __attribute__((vector_size(LANES)));

/* Up to 255 blocks, so that no lane's count overflows. */
static void
look_at_blocks(struct scan *scan, const uint8_t *p, size_t n)
{
	lanes	 block, high = { 0 }, nul = { 0 }, cr = { 0 };
	uint8_t	 any_high = 0, any_nul = 0;

	for (; n > 0; n--, p += LANES) {
		memcpy(&block, p, LANES);
		high |= block;
		nul |= (lanes)(block == 0);
		cr -= (lanes)(block == '\r');	/* true is -1 */
	}
	for (size_t i = 0; i < LANES; i++) {
		any_high |= high[i];
		any_nul |= nul[i];
		scan->n_cr += cr[i];
	}
	if (any_high > 127)
		scan->found |= SCAN_8BIT;
	if (any_nul != 0)
		scan->found |= SCAN_NUL;
}

/* What needs no line: 8-bit, NUL, and the number of CRs. */
static void
look_at_bytes(struct scan *scan, const uint8_t *p, size_t len)
{
	uint8_t	 rest[LANES];

	while (len >= LANES) {
		size_t	 n = len / LANES < 255 ? len / LANES : 255;

		look_at_blocks(scan, p, n);
		p += n * LANES;
		len -= n * LANES;
	}
	if (len > 0) {
		memset(rest, 'x', sizeof(rest));
		memcpy(rest, p, len);
		look_at_blocks(scan, rest, 1);
	}
}

static void
add_to_line(struct scan *scan, const uint8_t *p, size_t len)
{
	if (len == 0)
		return;
	for (size_t i = scan->line_len; i < sizeof(scan->head) &&
	    i - scan->line_len < len; i++)
		scan->head[i] = p[i - scan->line_len];
	scan->before = len > 1 ? p[len - 2] : scan->last;
	scan->last = p[len - 1];
	scan->line_len += len;
}

static void
end_line(struct scan *scan, bool has_lf)
{
	bool	 has_cr = has_lf && scan->line_len > 0 && scan->last == '\r';
	size_t	 len = scan->line_len - (has_cr ? 1 : 0);
	uint8_t	 tail = has_cr ? scan->before : scan->last;

	if (has_cr)
		scan->n_crlf++;
	else if (has_lf)
		scan->found |= SCAN_BARE_LF;
	if (len > SCAN_LINE_MAX)
		scan->found |= SCAN_LONG;
	if (len > 0 && (tail == ' ' || tail == '\t'))
		scan->found |= SCAN_BLANK;
	if (len >= 5 && memcmp(scan->head, "From ", 5) == 0)
		scan->found |= SCAN_FROM;
	scan->line_len = 0;
}

void
scan_add(struct scan *scan, const void *data, size_t len)
{
	const uint8_t	*p = data, *end = p + len, *lf;

	if (len == 0)
		return;
	look_at_bytes(scan, p, len);
	while ((lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		add_to_line(scan, p, (size_t)(lf - p));
		end_line(scan, true);
		p = lf + 1;
		if (p == end)
			return;
	}
	add_to_line(scan, p, (size_t)(end - p));
}

unsigned
scan_end(struct scan *scan)
{
	if (scan->line_len > 0)
		end_line(scan, false);
	if (scan->n_cr != scan->n_crlf)
		scan->found |= SCAN_BARE_CR;
	return scan->found;
}

unsigned
scan_bytes(const void *data, size_t len)
{
	struct scan	 scan = { 0 };

	scan_add(&scan, data, len);
	return scan_end(&scan);
}

const char *
scan_words(unsigned found, char *out, size_t out_len)
{
	static const struct {
		unsigned	 finding;
		const char	*words;
	} table[] = {
		{ SCAN_8BIT, "8-bit bytes" },
		{ SCAN_NUL, "NUL bytes" },
		{ SCAN_BARE_CR, "CR without LF" },
		{ SCAN_BARE_LF, "LF without CR" },
		{ SCAN_LONG, "lines over 998 bytes" },
		{ SCAN_BLANK, "blanks at line ends" },
		{ SCAN_FROM, "\"From \" at line starts" },
	};
	size_t	 len = 0;

	snprintf(out, out_len, "nothing");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if ((found & table[i].finding) == 0 || len >= out_len)
			continue;
		len += (size_t)snprintf(out + len, out_len - len, "%s%s",
		    len == 0 ? "" : ", ", table[i].words);
	}
	return out;
}
