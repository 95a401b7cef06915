/* SPDX-License-Identifier: BSD-2-Clause */
#include "smime/headers.h"
#include "tests/lib/test.h"

static const struct {
	const char	*what;
	const char	*name;
	const char	*value;
	const char	*want;		/* as written; NULL: refused */
} rows[] = {
	{ "a plain field", "Subject", " hello", "Subject: hello\r\n" },
	{ "no space after the colon", "Subject", "x", "Subject:x\r\n" },
	{ "an empty value", "Subject", "", "Subject:\r\n" },
	{ "a tab instead of a space", "X", "\tx", "X:\tx\r\n" },
	{ "a fold as libmilter gives it", "X", " a\n\tb\n c",
	    "X: a\r\n\tb\r\n c\r\n" },
	{ "a fold with CR", "X", " a\r\n\tb", "X: a\r\n\tb\r\n" },
	{ "a line end at the end", "X", " a\r\n", "X: a\r\n" },
	{ "a line that would be a field of its own", "X", " a\nBcc: b",
	    "X: a\r\n Bcc: b\r\n" },
	{ "a line end that would end the header", "X", " a\n\nb",
	    "X: a\r\n \r\n b\r\n" },
	{ "8-bit in the value", "X", " gr\xc3\xbc", "X: gr\xc3\xbc\r\n" },
	{ "a blank before the colon", "Subject ", " x", "Subject: x\r\n" },
	{ "an odd name that others let pass", "X\xc3\xbc", " x",
	    "X\xc3\xbc: x\r\n" },
	{ "no name", "", " x", NULL },
	{ "a name of blanks", "  ", " x", NULL },
	{ "a colon in the name", "a:b", " x", NULL },
	{ "a line end in the name", "a\nb", " x", NULL },
};

static void
test_rows(void)
{
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		struct headers	*headers = headers_new();
		struct buf	 out = { 0 };
		struct err	 err = { 0 };
		bool		 is_ok;

		test_row(rows[i].what);
		is_ok = headers_add(headers, rows[i].name, rows[i].value,
		    &err);
		CHECK(is_ok == (rows[i].want != NULL));
		if (is_ok && rows[i].want != NULL) {
			headers_write(&out, headers_at(headers, 0)->name,
			    headers_at(headers, 0)->value);
			CHECK_MEM(out.data, out.len, rows[i].want,
			    strlen(rows[i].want));
		} else
			CHECK_INT(err.kind, ERR_MESSAGE);
		buf_free(&out);
		headers_free(headers);
	}
}

static void
test_order(void)
{
	struct headers	*headers = headers_new();
	struct err	 err;

	test_row("fields by name, without case, in order of arrival");
	CHECK_OK(headers_add(headers, "To", " 1", &err), err);
	CHECK_OK(headers_add(headers, "X", " 2", &err), err);
	CHECK_OK(headers_add(headers, "tO", " 3", &err), err);
	CHECK_INT(headers_count(headers), 3);
	CHECK_INT(headers_count_name(headers, "TO"), 2);
	CHECK_STR(headers_find(headers, "to", 0), " 1");
	CHECK_STR(headers_find(headers, "to", 1), " 3");
	CHECK_STR(headers_find(headers, "to", 2), NULL);
	CHECK_STR(headers_find(headers, "t", 0), NULL);
	headers_free(headers);
	headers_free(NULL);

	test_row("names that move inside");
	CHECK(headers_is_content("content-TYPE"));
	CHECK(headers_is_content("Content-X-Odd"));
	CHECK(!headers_is_content("Content"));
	CHECK(!headers_is_content("X-Content-Type"));
	CHECK(!headers_is_content("MIME-Version"));
}

static void
test_limits(void)
{
	struct headers	*headers = headers_new();
	struct err	 err = { 0 };
	char		*value = malloc(HEADERS_BYTES_MAX + 1);

	test_row("too many fields");
	for (int i = 0; i < HEADERS_MAX; i++)
		REQUIRE_OK(headers_add(headers, "X", "", &err), err);
	CHECK(!headers_add(headers, "X", "", &err));
	CHECK_INT(err.kind, ERR_MESSAGE);
	CHECK_STR(err.reason, "the mail has more than 2000 header fields");
	headers_free(headers);

	test_row("too many bytes");
	headers = headers_new();
	REQUIRE(value != NULL);
	memset(value, 'x', HEADERS_BYTES_MAX);
	value[HEADERS_BYTES_MAX] = '\0';
	CHECK(!headers_add(headers, "X", value, &err));
	CHECK_STR(err.reason, "the mail's header is larger than 1048576 "
	    "bytes");
	CHECK_OK(headers_add(headers, "X", value + 1, &err), err);
	CHECK(!headers_add(headers, "X", "", &err));
	headers_free(headers);
	free(value);
}

int
main(void)
{
	test_rows();
	test_order();
	test_limits();
	return test_done("headers");
}
