/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"

#include "tests/lib/test.h"

static const struct {
	const char	*what;
	const char	*in;
	size_t		 max;
	const char	*want;
} safe_rows[] = {
	{ "plain text as it is", "a@example.org", 80, "a@example.org" },
	{ "UTF-8 as it is", "K\xc3\xb6ln \xe2\x82\xac", 80,
	    "K\xc3\xb6ln \xe2\x82\xac" },
	{ "a line end", "a\r\nX: y", 80, "a\\x0d\\x0aX: y" },
	{ "quotes and backslashes", "\"\\", 80, "\\x22\\x5c" },
	{ "escape sequences", "\x1b[2J", 80, "\\x1b[2J" },
	{ "C1 controls in UTF-8", "\xc2\x9b", 80, "\\xc2\\x9b" },
	{ "right-to-left override", "a\xe2\x80\xae" "b", 80,
	    "a\\xe2\\x80\\xaeb" },
	{ "no UTF-8", "\xff\xc3", 80, "\\xff\\xc3" },
	{ "a surrogate", "\xed\xa0\x80", 80, "\\xed\\xa0\\x80" },
	{ "cut", "abcdef", 4, "abcd..." },
	{ "as long as allowed", "abcd", 4, "abcd" },
	{ "never cut within an escape", "abc\n", 4, "abc..." },
	{ "never cut within a character", "abc\xc3\xb6", 4, "abc..." },
	{ "empty", "", 80, "" },
};

static const struct {
	const char	*what;
	const char	*in;
	int		 want;		/* digits */
	uint8_t		 first, second;
} fp_rows[] = {
	{ "a prefix", "3f9a12cd", 8, 0x3f, 0x9a },
	{ "upper case", "3F9A", 4, 0x3f, 0x9a },
	{ "colons, as openssl prints it", "3F:9A:12", 6, 0x3f, 0x9a },
	{ "an odd number of digits", "3f9", 3, 0x3f, 0x90 },
	{ "nothing", "", 0, 0, 0 },
	{ "all of it", "00112233445566778899aabbccddeeff"
	    "00112233445566778899aabbccddeeff", 64, 0x00, 0x11 },
	{ "a digit too many", "00112233445566778899aabbccddeeff"
	    "00112233445566778899aabbccddeeff0", -1, 0x00, 0x11 },
	{ "an address", "alice@example.org", -1, 0, 0 },
};

int
main(void)
{
	struct fingerprint	 fp, same;
	char			 out[TEXT_FP_LEN], when[TEXT_TIME_LEN];

	for (size_t i = 0; i < TEST_LEN(safe_rows); i++) {
		char	*got = text_safe(safe_rows[i].in,
			    strlen(safe_rows[i].in), safe_rows[i].max);

		test_row(safe_rows[i].what);
		CHECK_STR(got, safe_rows[i].want);
		free(got);
	}
	for (size_t i = 0; i < TEST_LEN(fp_rows); i++) {
		int	 n = text_fp_parse(fp_rows[i].in, &fp);

		test_row(fp_rows[i].what);
		CHECK_INT(n, fp_rows[i].want);
		if (n <= 0)
			continue;
		CHECK_INT(fp.bytes[0], fp_rows[i].first);
		CHECK_INT(fp.bytes[1], fp_rows[i].second);
	}
	test_row("a fingerprint there and back");
	for (size_t i = 0; i < sizeof(fp.bytes); i++)
		fp.bytes[i] = (uint8_t)(i * 37);
	text_fp(&fp, out);
	CHECK_INT(text_fp_parse(out, &same), 64);
	CHECK(text_fp_equal(&fp, &same));
	same.bytes[31] ^= 1;
	CHECK(!text_fp_equal(&fp, &same));

	test_row("times are UTC (RFC 3339)");
	text_time(0, when);
	CHECK_STR(when, "1970-01-01T00:00:00Z");
	text_time(1795568455, when);
	CHECK_STR(when, "2026-11-25T01:00:55Z");
	text_date(4102444800, when);
	CHECK_STR(when, "2100-01-01");
	text_time(INT64_MAX, when);
	CHECK(strlen(when) < TEXT_TIME_LEN);

	test_row("UTF-8 (RFC 3629)");
	CHECK(text_is_utf8("", 0));
	CHECK(text_is_utf8("a\0b", 3));
	CHECK(text_is_utf8("\xf4\x8f\xbf\xbf", 4));
	CHECK(!text_is_utf8("\xf4\x90\x80\x80", 4));
	CHECK(!text_is_utf8("\xc0\x80", 2));
	CHECK(!text_is_utf8("\xe2\x82", 2));
	CHECK(!text_is_utf8("\x80", 1));
	return test_done("text");
}
