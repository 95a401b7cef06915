/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/addr.h"

#include "tests/lib/test.h"

#define LOCAL_64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char	*what;
	const char	*in;
	const char	*want;		/* NULL: refused */
} rows[] = {
	{ "as it is", "a@example.org", "a@example.org" },
	{ "letters lower, in both parts (RFC 8550, section 3)",
	    "Al.Ice@EXAMPLE.org", "al.ice@example.org" },
	{ "angle brackets off", "<a@example.org>", "a@example.org" },
	{ "a source route is skipped", "<@one,@two:a@example.org>",
	    "a@example.org" },
	{ "a final dot of the domain goes", "a@example.org.", "a@example.org" },
	{ "plus and all of atext stay", "a+b!#$%&'*/=?^_`{|}~-@x.org",
	    "a+b!#$%&'*/=?^_`{|}~-@x.org" },
	{ "needless quotes go", "\"a.b\"@example.org", "a.b@example.org" },
	{ "needless escapes go", "\"a\\b\"@example.org", "ab@example.org" },
	{ "needed quotes stay", "\"a b\"@example.org", "\"a b\"@example.org" },
	{ "an @ in quotes is no separator", "\"a@b\"@example.org",
	    "\"a@b\"@example.org" },
	{ "an escaped quote stays escaped", "\"a\\\"b\"@example.org",
	    "\"a\\\"b\"@example.org" },
	{ "doubled dots are kept, as some give out such addresses",
	    "a..b@example.org", "a..b@example.org" },
	{ "U-labels become A-labels", "a@K\xc3\x96LN.example",
	    "a@xn--kln-sna.example" },
	{ "A-labels of either case are the same", "a@XN--KLN-SNA.example",
	    "a@xn--kln-sna.example" },
	{ "UTF-8 in the local part stays (RFC 6531)",
	    "j\xc3\xb6rg@example.org", "j\xc3\xb6rg@example.org" },
	{ "a literal", "a@[IPv6:2001:DB8::1]", "a@[ipv6:2001:db8::1]" },
	{ "64 bytes of local part", LOCAL_64 "@x.org", LOCAL_64 "@x.org" },

	{ "65 bytes of local part", LOCAL_64 "a@x.org", NULL },
	{ "empty", "", NULL },
	{ "empty in brackets", "<>", NULL },
	{ "no @", "postmaster", NULL },
	{ "two @", "a@b@example.org", NULL },
	{ "no local part", "@example.org", NULL },
	{ "empty quotes", "\"\"@example.org", NULL },
	{ "no domain", "a@", NULL },
	{ "an empty label", "a@example..org", NULL },
	{ "a leading dot", "a@.example.org", NULL },
	{ "white space", "a b@example.org", NULL },
	{ "white space in the domain", "a@exam ple.org", NULL },
	{ "a second address", "a@example.org,b@example.org", NULL },
	{ "a display name", "A <a@example.org>", NULL },
	{ "a line end", "a@example.org\n", NULL },
	{ "a header smuggled in", "a@example.org\r\nBcc: x@example.org", NULL },
	{ "DEL", "a\x7f@example.org", NULL },
	{ "quotes without end", "\"a@example.org", NULL },
	{ "quotes that end early", "\"a\"b\"@example.org", NULL },
	{ "no UTF-8", "j\xf6rg@example.org", NULL },
	{ "overlong UTF-8", "\xc0\xaf@example.org", NULL },
	{ "a literal without end", "a@[192.0.2.1", NULL },
	{ "brackets in a literal", "a@[[192.0.2.1]]", NULL },
};

static const struct {
	const char	*what;
	const char	*addr;
	const char	*member;
	bool		 want;
} members[] = {
	{ "the address", "a@example.org", "A@Example.org", true },
	{ "another", "b@example.org", "a@example.org", false },
	{ "the domain", "a@example.org", "@EXAMPLE.org", true },
	{ "a domain is not those below", "a@x.example.org", "@example.org",
	    false },
	{ "a domain is not one that ends so", "a@badexample.org",
	    "@example.org", false },
	{ "with a dot: the domain", "a@example.org", "@.example.org", true },
	{ "with a dot: those below", "a@x.y.example.org", "@.example.org",
	    true },
	{ "with a dot: not one that ends so", "a@badexample.org",
	    "@.example.org", false },
	{ "a local part that looks like a domain",
	    "\"x@example.org\"@evil.example", "@example.org", false },
	{ "U-labels", "a@xn--kln-sna.example", "@k\xc3\xb6ln.example", true },
};

static void
test_normalise(void)
{
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		const char	*in = rows[i].in;
		char		 out[ADDR_MAX], again[ADDR_MAX];
		struct err	 err = { 0 };
		bool		 ok = addr_normalise(in, strlen(in), out,
				    &err);

		test_row(rows[i].what);
		CHECK_STR(ok ? out : NULL, rows[i].want);
		if (!ok) {
			CHECK_INT(err.kind, ERR_MESSAGE);
			CHECK(strpbrk(err.reason, "\r\n\x7f") == NULL);
			continue;
		}
		CHECK(addr_normalise(out, strlen(out), again, &err));
		CHECK_STR(again, out);
	}
	test_row("NUL ends nothing");
	CHECK(!addr_normalise("a@example.org\0x", 15, (char[ADDR_MAX]){ 0 },
	    &(struct err){ 0 }));
}

static void
test_members(void)
{
	for (size_t i = 0; i < TEST_LEN(members); i++) {
		char		 member[ADDR_MAX];
		struct err	 err = { 0 };

		test_row(members[i].what);
		CHECK_OK(addr_member_normalise(members[i].member, member,
		    &err), err);
		CHECK_INT(addr_is_member(members[i].addr, member),
		    members[i].want);
	}
	test_row("a member that is none");
	CHECK(!addr_member_normalise("@", (char[ADDR_MAX]){ 0 },
	    &(struct err){ 0 }));
	CHECK(!addr_member_normalise("example.org", (char[ADDR_MAX]){ 0 },
	    &(struct err){ 0 }));
}

int
main(void)
{
	test_normalise();
	test_members();
	return test_done("addr");
}
