/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "smime/scan.h"
#include "tests/lib/test.h"

static const struct {
	const char	*what;
	const char	*bytes;
	size_t		 len;		/* 0: that of the string */
	unsigned	 want;
} rows[] = {
	{ "nothing at all", "", 0, 0 },
	{ "clean lines", "one\r\ntwo\r\n", 0, 0 },
	{ "no line end at the end", "one\r\ntwo", 0, 0 },
	{ "empty lines", "\r\n\r\n\r\n", 0, 0 },
	{ "controls other than NUL are 7-bit", "a\x1b$B\x07\x7f\r\n", 0, 0 },
	{ "tab and blank inside a line", "a\tb c\r\n", 0, 0 },
	{ "8-bit", "gr\xc3\xbc\xc3\x9f\r\n", 0, SCAN_8BIT },
	{ "8-bit as the very last byte", "a\r\n\xff", 0, SCAN_8BIT },
	{ "NUL", "a\0b\r\n", 5, SCAN_NUL },
	{ "NUL far in", "0123456789abcdef\0\r\n", 19, SCAN_NUL },
	{ "a lone CR inside a line", "a\rb\r\n", 0, SCAN_BARE_CR },
	{ "CR CR LF", "a\r\r\n", 0, SCAN_BARE_CR },
	{ "CR at the very end", "a\r", 0, SCAN_BARE_CR },
	{ "a lone LF", "a\nb\r\n", 0, SCAN_BARE_LF },
	{ "LF first", "\n", 0, SCAN_BARE_LF },
	{ "LF CR", "a\n\rb\r\n", 0, SCAN_BARE_LF | SCAN_BARE_CR },
	{ "blank at a line's end", "a \r\n", 0, SCAN_BLANK },
	{ "tab at a line's end", "a\t\r\n", 0, SCAN_BLANK },
	{ "a line of one blank", "a\r\n \r\nb\r\n", 0, SCAN_BLANK },
	{ "blank before a lone LF", "a \nb\r\n", 0, SCAN_BLANK | SCAN_BARE_LF },
	{ "blank at the very end", "a\r\nb ", 0, SCAN_BLANK },
	{ "blank at a line's start", "a\r\n b\r\n", 0, 0 },
	{ "From_ at the start", "From me\r\n", 0, SCAN_FROM },
	{ "From_ at a line's start", "a\r\nFrom me\r\n", 0, SCAN_FROM },
	{ "From_ after a lone LF", "a\nFrom me\r\n", 0, SCAN_FROM | SCAN_BARE_LF },
	{ "From_ inside a line", "a From me\r\n", 0, 0 },
	{ "From: and Fromage", "From: me\r\nFromage\r\n", 0, 0 },
	{ "From and nothing more", "From\r\n", 0, 0 },
	{ "From_ and the end", "From ", 0, SCAN_FROM | SCAN_BLANK },
	{ ">From_", ">From me\r\n", 0, 0 },
	{ "all at once", "From \0\xff\n\r", 9, SCAN_FROM | SCAN_NUL |
	    SCAN_8BIT | SCAN_BARE_LF | SCAN_BARE_CR },
};

static size_t
row_len(size_t i)
{
	return rows[i].len != 0 ? rows[i].len : strlen(rows[i].bytes);
}

static void
test_rows(void)
{
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		test_row(rows[i].what);
		CHECK_INT(scan_bytes(rows[i].bytes, row_len(i)),
		    rows[i].want);
	}
}

/* Chunks end anywhere, between CR and LF too. */
static void
test_splits(void)
{
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		size_t		 len = row_len(i);
		struct scan	 bytewise = { 0 };

		test_row(rows[i].what);
		for (size_t at = 0; at <= len; at++) {
			struct scan	 scan = { 0 };

			scan_add(&scan, rows[i].bytes, at);
			scan_add(&scan, rows[i].bytes + at, len - at);
			CHECK_INT(scan_end(&scan), rows[i].want);
			/* Asked twice, it says the same. */
			CHECK_INT(scan_end(&scan), rows[i].want);
		}
		for (size_t at = 0; at < len; at++)
			scan_add(&bytewise, rows[i].bytes + at, 1);
		CHECK_INT(scan_end(&bytewise), rows[i].want);
	}
}

static void
test_line_length(void)
{
	static char	 line[SCAN_LINE_MAX + 10];

	memset(line, 'x', sizeof(line));
	test_row("998 bytes and CRLF");
	memcpy(line + SCAN_LINE_MAX, "\r\n", 2);
	CHECK_INT(scan_bytes(line, SCAN_LINE_MAX + 2), 0);
	test_row("998 bytes and the end");
	CHECK_INT(scan_bytes(line, SCAN_LINE_MAX), 0);
	test_row("999 bytes");
	memcpy(line + SCAN_LINE_MAX, "x\r\n", 3);
	CHECK_INT(scan_bytes(line, SCAN_LINE_MAX + 3), SCAN_LONG);
	test_row("999 bytes and the end");
	CHECK_INT(scan_bytes(line, SCAN_LINE_MAX + 1), SCAN_LONG);
}

/* Each byte value at each offset within a word. */
static void
test_every_byte(void)
{
	for (int c = 0; c < 256; c++) {
		for (size_t at = 0; at < 17; at++) {
			char		 text[20] = "aaaaaaaaaaaaaaaaa\r\n";
			unsigned	 want = c > 127 ? SCAN_8BIT :
			    c == 0 ? SCAN_NUL : c == '\r' ? SCAN_BARE_CR :
			    c == '\n' ? SCAN_BARE_LF :
			    (c == ' ' || c == '\t') && at == 16 ?
			    SCAN_BLANK : 0;

			text[at] = (char)c;
			CHECK_INT(scan_bytes(text, 19), want);
		}
	}
}

/* As RFC 8551 would have it said, a byte at a time. */
static unsigned
look_slowly(const uint8_t *p, size_t len)
{
	unsigned	 found = 0;
	size_t		 start = 0;

	for (size_t i = 0; i <= len; i++) {
		bool	 has_lf = i < len && p[i] == '\n';
		size_t	 stop = i;

		if (i < len && p[i] > 127)
			found |= SCAN_8BIT;
		if (i < len && p[i] == 0)
			found |= SCAN_NUL;
		if (i < len && p[i] == '\r' &&
		    (i + 1 == len || p[i + 1] != '\n'))
			found |= SCAN_BARE_CR;
		if (!has_lf && i < len)
			continue;
		if (has_lf && i > start && p[i - 1] == '\r')
			stop--;
		else if (has_lf)
			found |= SCAN_BARE_LF;
		if (stop - start > SCAN_LINE_MAX)
			found |= SCAN_LONG;
		if (stop > start && (p[stop - 1] == ' ' ||
		    p[stop - 1] == '\t'))
			found |= SCAN_BLANK;
		if (stop - start >= 5 && memcmp(p + start, "From ", 5) == 0)
			found |= SCAN_FROM;
		start = i + 1;
	}
	return found;
}

static unsigned
in_pieces(const uint8_t *p, size_t len, size_t piece)
{
	struct scan	 scan = { 0 };

	for (size_t at = 0; at < len; at += piece)
		scan_add(&scan, p + at, len - at < piece ? len - at : piece);
	return scan_end(&scan);
}

/* One thing of note at each place of a text that is otherwise clean. */
static void
test_each_place(void)
{
	static const char *const	 what[] = { "\xff", "\r", "\n", " \r\n",
	    "\t\n", "\r\nFrom ", "\nFrom ", "F", "\r\r\n", " ", "\r\n",
	    "\r\nFr", "\r\nFrom\r\n", "\r\n \r\n" };
	static const size_t	 lines[] = { 0, 1, 4, 5, 62, 76, 254, 255, 256,
	    600, 998, 999 };
	uint8_t	 text[1400];

	for (size_t l = 0; l < TEST_LEN(lines); l++)
		for (size_t w = 0; w < TEST_LEN(what); w++)
			for (size_t at = 0; at < 1200; at++) {
				unsigned	 want;

				for (size_t i = 0; i < sizeof(text); i++)
					text[i] = i % (lines[l] + 2) ==
					    lines[l] ? '\r' :
					    i % (lines[l] + 2) ==
					    lines[l] + 1 ? '\n' : 'x';
				memcpy(text + at, what[w], strlen(what[w]));
				want = look_slowly(text, sizeof(text));
				CHECK_INT(scan_bytes(text, sizeof(text)), want);
				CHECK_INT(in_pieces(text, sizeof(text),
				    257 + at % 300), want);
			}
}

/* What few bytes of note make, thrown together. */
static void
test_thrown(void)
{
	static const char	 few[] = "\r\n\r\n\r\n  \tFrom From xxxxxxxxxx";
	uint64_t	 random = 1;
	uint8_t		 text[2000];

	for (int i = 0; i < 20000; i++) {
		size_t		 len = 0;
		unsigned	 want;

		while (len < sizeof(text)) {
			size_t	 run, from;

			random = random * 6364136223846793005u + 1;
			run = (random >> 33) % 90;
			from = (random >> 40) % (sizeof(few) - 1);
			for (size_t k = 0; k < run && len < sizeof(text); k++)
				text[len++] = 'y';
			for (size_t k = 0; k < 1 + (random >> 60) &&
			    from + k < sizeof(few) - 1 && len < sizeof(text);
			    k++)
				text[len++] = (uint8_t)few[from + k];
			/* Mostly clean, or nothing would be found anew. */
			if ((i & 3) != 0 && len + 2 < sizeof(text)) {
				text[len++] = '\r';
				text[len++] = '\n';
			}
		}
		want = look_slowly(text, len);
		CHECK_INT(scan_bytes(text, len), want);
		CHECK_INT(in_pieces(text, len, 1 + (random >> 50) % 900),
		    want);
	}
}

static void
test_words(void)
{
	char	 words[200], small[10];

	test_row(NULL);
	CHECK_STR(scan_words(0, words, sizeof(words)), "nothing");
	CHECK_STR(scan_words(SCAN_8BIT | SCAN_FROM, words, sizeof(words)),
	    "8-bit bytes, \"From \" at line starts");
	CHECK_STR(scan_words(127, small, sizeof(small)), "8-bit byt");
}

int
main(void)
{
	test_rows();
	test_splits();
	test_line_length();
	test_every_byte();
	test_each_place();
	test_thrown();
	test_words();
	return test_done("scan");
}
