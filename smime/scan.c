/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "smime/scan.h"

/* Compilers turn these into one register's worth at a time. */
#define LANES	16
typedef uint8_t	 lanes __attribute__((vector_size(LANES)));

/*
 * Text is looked at a group at a time for whatever could be a finding; of one
 * without, the end of its last line is all that is still of interest.
 */
#define GROUP	256
#define STEP	8	/* to where a group can begin */

static uint64_t
any_of(lanes l)
{
	uint64_t	 halves[2];

	memcpy(halves, &l, LANES);
	return halves[0] | halves[1];
}

static void
note_bytes(struct scan *scan, lanes high, lanes nul)
{
	if ((any_of(high) & UINT64_C(0x8080808080808080)) != 0)
		scan->found |= SCAN_8BIT;
	if (any_of(nul) != 0)
		scan->found |= SCAN_NUL;
}

/* --- line by line ---------------------------------------------------------------- */

/* Up to 255 blocks, so that no lane's count overflows. */
static void
look_at_blocks(struct scan *scan, const uint8_t *p, size_t n)
{
	lanes	 block, high = { 0 }, nul = { 0 }, cr = { 0 };

	for (; n > 0; n--, p += LANES) {
		memcpy(&block, p, LANES);
		high |= block;
		nul |= (lanes)(block == 0);
		cr -= (lanes)(block == '\r');	/* true is -1 */
	}
	note_bytes(scan, high, nul);
	for (size_t i = 0; i < LANES; i++)
		scan->n_cr += cr[i];
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
	size_t	 n = scan->line_len;

	if (len == 0)
		return;
	scan->before = len > 1 ? p[len - 2] : scan->last;
	scan->last = p[len - 1];
	scan->line_len += len;
	if (n >= sizeof(scan->head))
		return;
	for (; n < sizeof(scan->head) && len > 0; n++, len--)
		scan->head[n] = *p++;
	if (n == sizeof(scan->head) && memcmp(scan->head, "From ", n) == 0)
		scan->found |= SCAN_FROM;
}

static void
end_line(struct scan *scan, bool has_lf)
{
	bool	 has_cr = has_lf && scan->line_len > 0 && scan->last == '\r';
	size_t	 len = scan->line_len - (has_cr ? 1 : 0);
	uint8_t	 tail = has_cr ? scan->before : scan->last;

	if (has_cr)
		scan->n_cr--;
	else if (has_lf)
		scan->found |= SCAN_BARE_LF;
	if (len > SCAN_LINE_MAX)
		scan->found |= SCAN_LONG;
	if (len > 0 && (tail == ' ' || tail == '\t'))
		scan->found |= SCAN_BLANK;
	scan->line_len = 0;
}

static void
add_lines(struct scan *scan, const uint8_t *p, size_t len)
{
	const uint8_t	*end = p + len, *lf;

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

/* --- group by group -------------------------------------------------------------- */

/* CR and LF apart, a blank before a CR, an F that begins a line; p[-1] is read. */
static bool
is_plain(struct scan *scan, const uint8_t *p)
{
	lanes	 byte, before, high = { 0 }, nul = { 0 }, odd = { 0 };

	for (size_t i = 0; i < GROUP; i += LANES) {
		memcpy(&byte, p + i, LANES);
		memcpy(&before, p + i - 1, LANES);
		high |= byte;
		nul |= (lanes)(byte == 0);
		odd |= (lanes)((before == '\r') ^ (byte == '\n'));
		odd |= (lanes)((byte == '\r') &
		    ((before == ' ') | (before == '\t')));
		odd |= (lanes)((before == '\n') & (byte == 'F'));
	}
	note_bytes(scan, high, nul);
	return any_of(odd) == 0;
}

/* How much has to be looked at line by line before a group can begin. */
static size_t
not_yet(const struct scan *scan)
{
	size_t	 len = scan->line_len;

	if (len > SCAN_LINE_MAX - GROUP)
		return GROUP;
	/* Its start could be "From ", its end an LF without the blank. */
	return len > 0 && (len < sizeof(scan->head) || scan->last == '\r') ?
	    STEP : 0;
}

static void
add_group(struct scan *scan, const uint8_t *p)
{
	const uint8_t	*lf = memrchr(p, '\n', GROUP), *end = p + GROUP;

	if (lf != NULL) {
		scan->line_len = 0;
		p = lf + 1;
	}
	add_to_line(scan, p, (size_t)(end - p));
	if (end[-1] == '\r')
		scan->n_cr++;
}

void
scan_add(struct scan *scan, const void *data, size_t len)
{
	const uint8_t	*p = data, *end = p + len;
	size_t		 n = STEP;	/* nothing is before the first byte */

	while (end - p >= GROUP) {
		if (n == 0 && is_plain(scan, p)) {
			add_group(scan, p);
			p += GROUP;
		} else {
			n = n == 0 ? GROUP : n;
			add_lines(scan, p, n);
			p += n;
		}
		n = not_yet(scan);
	}
	if (p < end)
		add_lines(scan, p, (size_t)(end - p));
}

unsigned
scan_end(struct scan *scan)
{
	if (scan->line_len > 0)
		end_line(scan, false);
	if (scan->n_cr > 0)
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
