/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"
#include "tests/lib/test.h"

#define FP	"3f9a12cd00112233445566778899aabb" \
		"ccddeeff0123456789abcdef01234567"

static const struct {
	const char	*what;
	const char	*in;
	int		 digits;
} fp_rows[] = {
	{ "all of one", FP, 64 },
	{ "a prefix", "3F9a12CD", 8 },
	{ "with colons and blanks", "3f:9a 12:cd", 8 },
	{ "an odd number of digits", "3f9", 3 },
	{ "nothing", "", 0 },
	{ "65 digits", FP "0", -1 },
	{ "another letter", "3g", -1 },
	{ "an address", "a@b.c", -1 },
};

static const struct {
	const char	*what;
	const char	*in;
	size_t		 max;
	const char	*out;
} safe_rows[] = {
	{ "plain text", "a b@c", 80, "a b@c" },
	{ "a line end", "a\r\nb", 80, "a\\x0d\\x0ab" },
	{ "quotes and backslashes", "\"\\", 80, "\\x22\\x5c" },
	{ "an escape", "\x1b[31m", 80, "\\x1b[31m" },
	{ "DEL", "\x7f", 80, "\\x7f" },
	{ "UTF-8", "\xc3\xbc", 80, "\xc3\xbc" },
	{ "C1", "\xc2\x9b", 80, "\\xc2\\x9b" },
	{ "a mark that turns the direction", "\xe2\x80\xae", 80,
	    "\\xe2\\x80\\xae" },
	{ "a zero-width space", "\xe2\x80\x8b", 80, "\\xe2\\x80\\x8b" },
	{ "bytes that are no UTF-8", "\xff" "a", 80, "\\xffa" },
	{ "a character cut off", "\xe2\x82", 80, "\\xe2\\x82" },
	{ "just as long", "abcd", 4, "abcd" },
	{ "too long", "abcde", 4, "abcd..." },
	{ "an escape is not cut", "ab\n", 4, "ab..." },
	{ "a character is not cut", "abc\xc3\xbc", 4, "abc..." },
	{ "nothing", "", 4, "" },
}, name_rows[] = {
	{ "its own escapes", "CN=a\\, b\\\"c\\\\", 80, "CN=a\\, b\\\"c\\\\" },
	{ "UTF-8 in a name", "CN=\xc3\xbc", 80, "CN=\xc3\xbc" },
	{ "a line end in a name", "CN=a\n", 80, "CN=a\\0A" },
	{ "a mark that turns the direction of a name", "\xe2\x80\xae", 80,
	    "\\E2\\80\\AE" },
	{ "no UTF-8 in a name", "CN=\xff", 80, "CN=\\FF" },
	{ "a name that is too long", "CN=abcde", 6, "CN=abc..." },
};

static const struct {
	const char	*what;
	const char	*in;
	bool		 is_utf8;
} utf8_rows[] = {
	{ "ASCII", "abc", true },
	{ "nothing", "", true },
	{ "two bytes", "\xc2\x80", true },
	{ "three bytes", "\xef\xbf\xbf", true },
	{ "four bytes", "\xf4\x8f\xbf\xbf", true },
	{ "a byte that only continues", "\x80", false },
	{ "two bytes, overlong", "\xc1\xbf", false },
	{ "three bytes, overlong", "\xe0\x9f\xbf", false },
	{ "four bytes, overlong", "\xf0\x8f\xbf\xbf", false },
	{ "a surrogate", "\xed\xa0\x80", false },
	{ "beyond the last", "\xf4\x90\x80\x80", false },
	{ "five bytes", "\xf8\x88\x80\x80\x80", false },
	{ "cut off", "a\xe2\x82", false },
	{ "a wrong continuation", "\xe2\x28\xa1", false },
};

static const struct {
	int64_t		 when;
	const char	*time;
	const char	*date;
} time_rows[] = {
	{ 0, "1970-01-01T00:00:00Z", "1970-01-01" },
	{ -1, "1969-12-31T23:59:59Z", "1969-12-31" },
	{ 1764032455, "2025-11-25T01:00:55Z", "2025-11-25" },
	{ 253402300799, "9999-12-31T23:59:59Z", "9999-12-31" },
	{ INT64_MAX, "(time 9223372036854775807)",
	    "(time 9223372036854775807)" },
};

/* What a reader does not see, and what changes how he sees the rest. */
static const struct {
	const char	*what;
	const char	*text;
	bool		 is_visible;
	bool		 reorders;
} sights[] = {
	{ "letters and signs", "a.b+c\xc3\xbc\xe5\xb1\xb1", true, false },
	{ "nothing", "", true, false },
	{ "a blank", "a b", false, false },
	{ "a no-break space", "a\xc2\xa0", false, false },
	{ "a line end", "a\nb", false, true },
	{ "a delete", "a\x7f", false, true },
	{ "a soft hyphen", "a\xc2\xad", false, false },
	{ "a zero width joiner", "a\xe2\x80\x8d", false, false },
	{ "a byte order mark", "\xef\xbb\xbf" "a", false, false },
	{ "a right-to-left mark", "\xe2\x80\x8f", false, false },
	{ "a right-to-left override", "\xe2\x80\xae" "a", false, true },
	{ "an isolate", "\xe2\x81\xa7" "a", false, true },
	{ "no UTF-8", "a\xff", false, false },
	{ "a tag character", "\xf3\xa0\x81\x81", false, false },
};

static void
test_sights(void)
{
	for (size_t i = 0; i < TEST_LEN(sights); i++) {
		const char	*text = sights[i].text;

		test_row(sights[i].what);
		CHECK_INT(text_is_visible(text, strlen(text)),
		    sights[i].is_visible);
		CHECK_INT(text_reorders(text, strlen(text)),
		    sights[i].reorders);
	}
	test_row(NULL);
}

int
main(void)
{
	test_sights();
	struct fingerprint	 fp, other;
	char			 text[TEXT_FP_LEN], when[TEXT_TIME_LEN];
	char			*safe;

	for (size_t i = 0; i < TEST_LEN(fp_rows); i++) {
		test_row(fp_rows[i].what);
		CHECK_INT(text_fp_parse(fp_rows[i].in, &fp),
		    fp_rows[i].digits);
	}
	test_row("there and back");
	CHECK_INT(text_fp_parse(FP, &fp), 64);
	text_fp(&fp, text);
	CHECK_STR(text, FP);
	other = fp;
	CHECK(text_fp_equal(&fp, &other));
	other.bytes[31] ^= 1;
	CHECK(!text_fp_equal(&fp, &other));
	CHECK_INT(text_fp_parse("abc", &fp), 3);
	CHECK_INT(fp.bytes[0], 0xab);
	CHECK_INT(fp.bytes[1], 0xc0);

	for (size_t i = 0; i < TEST_LEN(safe_rows); i++) {
		test_row(safe_rows[i].what);
		safe = text_safe(safe_rows[i].in, strlen(safe_rows[i].in),
		    safe_rows[i].max);
		CHECK_STR(safe, safe_rows[i].out);
		free(safe);
	}
	for (size_t i = 0; i < TEST_LEN(name_rows); i++) {
		test_row(name_rows[i].what);
		safe = text_safe_name(name_rows[i].in,
		    strlen(name_rows[i].in), name_rows[i].max);
		CHECK_STR(safe, name_rows[i].out);
		free(safe);
	}
	test_row("a NUL");
	safe = text_safe("a\0b", 3, 80);
	CHECK_STR(safe, "a\\x00b");
	free(safe);
	for (size_t i = 0; i < TEST_LEN(utf8_rows); i++) {
		test_row(utf8_rows[i].what);
		CHECK_INT(text_is_utf8(utf8_rows[i].in,
		    strlen(utf8_rows[i].in)), utf8_rows[i].is_utf8);
	}
	test_row("a NUL is a character");
	CHECK(text_is_utf8("a\0b", 3));
	for (size_t i = 0; i < TEST_LEN(time_rows); i++) {
		test_row(time_rows[i].time);
		text_time(time_rows[i].when, when);
		CHECK_STR(when, time_rows[i].time);
		text_date(time_rows[i].when, when);
		CHECK_STR(when, time_rows[i].date);
	}
	return test_done("text");
}
