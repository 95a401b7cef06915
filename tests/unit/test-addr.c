/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/addr.h"
#include "tests/lib/test.h"

#define L10	"abcdefghij"
#define L60	L10 L10 L10 L10 L10 L10

static const struct {
	const char	*what;
	const char	*in;
	const char	*out;		/* NULL: refused */
} rows[] = {
	{ "as it is", "a@example.org", "a@example.org" },
	{ "letters become small", "Alice.B@Example.ORG",
	    "alice.b@example.org" },
	{ "angle brackets go", "<a@example.org>", "a@example.org" },
	{ "a source route goes", "<@relay.example,@b.example:a@example.org>",
	    "a@example.org" },
	{ "a tag stays", "a+tag@example.org", "a+tag@example.org" },
	{ "needless quotes go", "\"a.b\"@example.org", "a.b@example.org" },
	{ "a needless escape goes", "\"a\\b\"@example.org",
	    "ab@example.org" },
	{ "needed quotes stay", "\"a b\"@example.org",
	    "\"a b\"@example.org" },
	{ "an @ in quotes", "\"A@b\"@example.org", "\"a@b\"@example.org" },
	{ "a quote in quotes", "\"a\\\"b\"@example.org",
	    "\"a\\\"b\"@example.org" },
	{ "a backslash in quotes", "\"a\\\\b\"@example.org",
	    "\"a\\\\b\"@example.org" },
	{ "an escaped backslash before the end", "\"a\\\\\"@example.org",
	    "\"a\\\\\"@example.org" },
	{ "two dots need quotes, which stay", "\"a..b\"@example.org",
	    "\"a..b\"@example.org" },
	{ "two dots without quotes, which exist", "a..b@example.org",
	    "a..b@example.org" },
	{ "a dot at the end of the domain goes", "a@example.org.",
	    "a@example.org" },
	{ "a domain with an underscore", "a@_b.example", "a@_b.example" },
	{ "an address literal", "a@[IPv6:2001:DB8::1]",
	    "a@[ipv6:2001:db8::1]" },
	{ "a non-ASCII domain as A-labels", "a@b\xc3\xbc" "cher.example",
	    "a@xn--bcher-kva.example" },
	{ "its capital too", "a@B\xc3\x9c" "CHER.example",
	    "a@xn--bcher-kva.example" },
	{ "a fullwidth dot or letter is what it stands for",
	    "a@\xef\xbd\x85xample\xe3\x80\x82org", "a@example.org" },
	{ "a non-ASCII local part stays", "\xc3\xbc@example.org",
	    "\xc3\xbc@example.org" },
	{ "a local part of 64", L60 "abcd@example.org",
	    L60 "abcd@example.org" },

	{ "nothing", "", NULL },
	{ "empty brackets", "<>", NULL },
	{ "no @", "a", NULL },
	{ "two @", "a@b@c", NULL },
	{ "no local part", "@example.org", NULL },
	{ "an empty quoted local part", "\"\"@example.org", NULL },
	{ "no domain", "a@", NULL },
	{ "a domain of a dot", "a@.", NULL },
	{ "an empty label", "a@b..c", NULL },
	{ "a dot first", "a@.b", NULL },
	{ "a blank", "a b@example.org", NULL },
	{ "a blank before", " a@example.org", NULL },
	{ "a blank in the domain", "a@exa mple.org", NULL },
	{ "a line end", "a@example.org\n", NULL },
	{ "a control character in quotes", "\"a\tb\"@example.org", NULL },
	{ "DEL", "a\x7f@example.org", NULL },
	{ "a C1 control character", "a\xc2\x85@example.org", NULL },
	{ "no UTF-8", "\xff@example.org", NULL },
	{ "overlong UTF-8", "\xc0\xaf@example.org", NULL },
	{ "quotes that do not close", "\"a@example.org", NULL },
	{ "quotes that end and begin inside", "\"a\\\\\"b\\\\\"c\"@d.e",
	    NULL },
	{ "a blank in a literal", "a@[192.0 .2.1]", NULL },
	{ "quotes inside a word", "a\"b\"c@example.org", NULL },
	{ "something after quotes", "\"a\"b@example.org", NULL },
	{ "two quoted words", "\"a\".\"b\"@example.org", NULL },
	{ "a comment", "a(b)@example.org", NULL },
	{ "two addresses", "a@example.org,b@example.org", NULL },
	{ "a display name", "A <a@example.org>", NULL },
	{ "brackets left open", "<a@example.org", NULL },
	{ "a local part of 65", L60 "abcde@example.org", NULL },
	{ "a label of 64", "a@" L60 "abcd.org", NULL },
	{ "a literal without its end", "a@[192.0.2.1", NULL },
	{ "an empty literal", "a@[]", NULL },
	{ "a slash in the domain", "a@b/c.example", NULL },
	{ "a fullwidth @ in the domain", "a@b\xef\xbc\xa0" "c.example",
	    NULL },
	{ "a fullwidth slash in the domain", "a@b\xef\xbc\x8f" "c.example",
	    NULL },
	{ "an ideographic blank in the domain", "a@b\xe3\x80\x80" "c.d",
	    NULL },
	{ "a non-ASCII domain that IDNA refuses", "a@\xe2\x80\xae.example",
	    NULL },
};

static const struct {
	const char	*what;
	const char	*in;
	const char	*out;
} member_rows[] = {
	{ "an address", "A@Example.org", "a@example.org" },
	{ "a domain", "@Example.ORG", "@example.org" },
	{ "a domain and below", "@.Example.org", "@.example.org" },
	{ "a non-ASCII domain", "@B\xc3\xbc" "cher.example",
	    "@xn--bcher-kva.example" },
	{ "no domain", "@", NULL },
	{ "no domain below", "@.", NULL },
	{ "two dots", "@..example.org", NULL },
	{ "a word", "example.org", NULL },
	{ "an @ too many", "@@example.org", NULL },
	{ "a blank", "@exam ple.org", NULL },
	{ "no UTF-8", "@\xff.example", NULL },
};

static const struct {
	const char	*what;
	const char	*addr;
	const char	*member;
	bool		 is_member;
} is_rows[] = {
	{ "itself", "a@b.c", "a@b.c", true },
	{ "another", "a@b.c", "b@b.c", false },
	{ "its domain", "a@b.c", "@b.c", true },
	{ "not one below", "a@x.b.c", "@b.c", false },
	{ "a domain and below: itself", "a@b.c", "@.b.c", true },
	{ "a domain and below: below", "a@x.y.b.c", "@.b.c", true },
	{ "a name that ends alike", "a@xb.c", "@.b.c", false },
	{ "an @ in quotes", "\"x@b.c\"@d.e", "@b.c", false },
	{ "the domain is after the last @", "\"x@b.c\"@d.e", "@d.e", true },
};

static const struct {
	const char	*what;
	const char	*addr;
	const char	*delimiters;
	const char	*out;
} tag_rows[] = {
	{ "a tag", "bob+lists@x.example", "+", "bob@x.example" },
	{ "an empty one", "bob+@x.example", "+", "bob@x.example" },
	{ "the first delimiter of several", "bob-a+b@x.example", "+-",
	    "bob@x.example" },
	{ "another delimiter", "bob-a@x.example", "+", NULL },
	{ "no delimiter at all", "bob+a@x.example", "", NULL },
	{ "nothing before it", "+a@x.example", "+", NULL },
	{ "only in the domain", "bob@x-y.example", "-", NULL },
	{ "inside quotes", "\"bob+ a\"@x.example", "+", NULL },
	{ "no address", "bob+a", "+", NULL },
};

int
main(void)
{
	char		 out[ADDR_MAX], again[ADDR_MAX];
	struct err	 err;

	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		bool	 is_ok;

		test_row(rows[i].what);
		is_ok = addr_normalise(rows[i].in, strlen(rows[i].in), out,
		    &err);
		CHECK_STR(is_ok ? out : NULL, rows[i].out);
		if (!is_ok) {
			CHECK_INT(err.kind, ERR_MESSAGE);
			continue;
		}
		CHECK(addr_normalise(out, strlen(out), again, &err));
		CHECK_STR(again, out);
	}
	test_row("a NUL");
	CHECK(!addr_normalise("a@b\0c", 5, out, &err));
	CHECK(!addr_normalise("a\0b@c", 5, out, &err));
	test_row("longer than any address");
	{
		char	 text[2000];

		memset(text, 'a', sizeof(text));
		memcpy(text, "a@", 2);
		CHECK(!addr_normalise(text, sizeof(text), out, &err));
		memset(text, '.', 400);
		for (size_t i = 2; i < 400; i += 2)
			text[i] = 'a';
		memcpy(text, "a@", 2);
		CHECK(!addr_normalise(text, 259, out, &err));
	}
	for (size_t i = 0; i < TEST_LEN(member_rows); i++) {
		bool	 is_ok;

		test_row(member_rows[i].what);
		is_ok = addr_member_normalise(member_rows[i].in, out, &err);
		CHECK_STR(is_ok ? out : NULL, member_rows[i].out);
	}
	for (size_t i = 0; i < TEST_LEN(is_rows); i++) {
		test_row(is_rows[i].what);
		CHECK_INT(addr_is_member(is_rows[i].addr, is_rows[i].member),
		    is_rows[i].is_member);
	}
	for (size_t i = 0; i < TEST_LEN(tag_rows); i++) {
		bool	 is_ok;

		test_row(tag_rows[i].what);
		is_ok = addr_without_tag(tag_rows[i].addr,
		    tag_rows[i].delimiters, out);
		CHECK_STR(is_ok ? out : NULL, tag_rows[i].out);
	}
	test_row(NULL);
	CHECK_STR(addr_domain("\"a@b\"@c.d"), "c.d");
	return test_done("addr");
}
