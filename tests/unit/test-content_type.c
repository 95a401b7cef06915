/* SPDX-License-Identifier: BSD-2-Clause */
#include "smime/content_type.h"
#include "tests/lib/test.h"

static const struct {
	const char	*what;
	const char	*value;
	const char	*want;		/* "": garbage */
} types[] = {
	{ "the usual", " text/plain; charset=utf-8", "text/plain" },
	{ "upper case", "TEXT/HTML", "text/html" },
	{ "comments and folds", " (a (b) \\) c) text\n\t/ (x) plain (y)",
	    "text/plain" },
	{ "a semicolon and nothing", "text/plain;", "text/plain" },
	{ "no subtype", "text", "" },
	{ "an empty subtype", "text/", "" },
	{ "empty", "", "" },
	{ "a parameter without semicolon", "text/plain charset=utf-8", "" },
	{ "two slashes", "text/plain/x", "" },
	{ "a comment without end", "text/plain (", "text/plain" },
	{ "8-bit", "text/pl\xc3\xa4in", "" },
	{ "too long", "text/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "" },
};

static const struct {
	const char	*what;
	const char	*value;
	const char	*name;
	const char	*want;		/* NULL: none */
} params[] = {
	{ "the usual", "a/b; charset=utf-8", "charset", "utf-8" },
	{ "names have no case", "a/b; CharSet=UTF-8", "charset", "UTF-8" },
	{ "quoted", "a/b; boundary=\"x; y=z\"", "boundary", "x; y=z" },
	{ "a quoted quote", "a/b; n=\"x\\\"y\"", "n", "x\"y" },
	{ "the second", "a/b; x=1; y=2", "y", "2" },
	{ "no space", "a/b;x=1;y=2", "y", "2" },
	{ "a fold before", "a/b;\n\tx=1", "x", "1" },
	{ "blanks around =", "a/b; x = 1 ", "x", "1" },
	{ "a comment behind", "a/b; x=1 (one)", "x", "1" },
	{ "a name inside another's quotes", "a/b; x=\"; y=2\"", "y", NULL },
	{ "a name inside a comment", "a/b (; y=2)", "y", NULL },
	{ "tspecials without quotes", "a/b; boundary=----=_Part_1/2?",
	    "boundary", "----=_Part_1/2?" },
	{ "twice", "a/b; x=1; x=2", "x", NULL },
	{ "twice the same", "a/b; x=1; x=1", "x", NULL },
	{ "no end of quotes", "a/b; x=\"1", "x", NULL },
	{ "two words", "a/b; x=1 2; y=3", "x", NULL },
	{ "and what follows them", "a/b; x=1 2; y=3", "y", "3" },
	{ "none", "a/b", "x", NULL },
	{ "empty", "a/b; x=\"\"", "x", "" },
	{ "RFC 2231, in pieces", "a/b; n*0=\"sm\"; n*1=ime; n*2*=.p7m",
	    "n", "smime.p7m" },
	{ "RFC 2231, with charset", "a/b; n*=utf-8''x.p7m", "n",
	    "utf-8''x.p7m" },
	{ "RFC 2231, no first piece", "a/b; n*1=x", "n", NULL },
};

int
main(void)
{
	char	 type[CONTENT_TYPE_MAX], value[CONTENT_PARAM_MAX];
	char	 text[CONTENT_PARAM_MAX + 20];

	for (size_t i = 0; i < TEST_LEN(types); i++) {
		test_row(types[i].what);
		CHECK(content_type_parse(types[i].value, type) ==
		    (types[i].want[0] != '\0'));
		CHECK_STR(type, types[i].want);
	}
	for (size_t i = 0; i < TEST_LEN(params); i++) {
		bool	 found = content_type_param(params[i].value,
		    params[i].name, value);

		test_row(params[i].what);
		CHECK(found == (params[i].want != NULL));
		CHECK_STR(value, found ? params[i].want : "");
	}
	test_row("a value as long as can be, and one byte more");
	snprintf(text, sizeof(text), "a/b; x=%0*d", CONTENT_PARAM_MAX - 1, 7);
	CHECK(content_type_param(text, "x", value));
	snprintf(text, sizeof(text), "a/b; x=%0*d", CONTENT_PARAM_MAX, 7);
	CHECK(!content_type_param(text, "x", value));
	return test_done("content_type");
}
