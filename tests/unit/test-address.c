/* SPDX-License-Identifier: BSD-2-Clause */
#include "smime/address.h"
#include "tests/lib/test.h"

static const struct {
	const char	*what;
	const char	*from;
	const char	*want;		/* NULL: cannot tell */
} authors[] = {
	{ "a bare address", " a@example.org", "a@example.org" },
	{ "a name and an address", " Ann <A@Example.ORG>", "a@example.org" },
	{ "a quoted name", " \"Ann, <b@x.org>\" <a@example.org>",
	    "a@example.org" },
	{ "a dot in the name", " Dr. Ann <a@example.org>", "a@example.org" },
	{ "an encoded name", " =?utf-8?Q?B=C3=A4r?= <a@example.org>",
	    "a@example.org" },
	{ "a name in raw UTF-8", " B\xc3\xa4r <a@example.org>",
	    "a@example.org" },
	{ "comments", " a@example.org (Ann (of Org))", "a@example.org" },
	{ "a fold", " Ann\n\t<a@example.org>", "a@example.org" },
	{ "brackets alone", " <a@example.org>", "a@example.org" },
	{ "a quoted local part", " \"a.b\"@example.org", "a.b@example.org" },
	{ "two mailboxes", " a@example.org, b@example.org", NULL },
	{ "a comma at the end", " a@example.org,", NULL },
	{ "a group", " Us: a@example.org;", NULL },
	{ "an empty group", " undisclosed:;", NULL },
	{ "an address as the name", " ceo@example.org <a@example.org>", NULL },
	{ "two addresses in brackets", " <a@example.org> <b@example.org>",
	    NULL },
	{ "something behind", " <a@example.org> x", NULL },
	{ "a source route", " <@x.org:a@example.org>", NULL },
	{ "blanks inside", " a @ example.org", NULL },
	{ "no domain", " ann", NULL },
	{ "two @", " a@b@example.org", NULL },
	{ "empty", " ", NULL },
	{ "brackets empty", " Ann <>", NULL },
	{ "no end of the brackets", " Ann <a@example.org", NULL },
	{ "no end of the quotes", " \"Ann <a@example.org>", NULL },
	{ "no end of the comment", " a@example.org (Ann", NULL },
	{ "an address literal", " a@[192.0.2.1]", NULL },
	{ "a semicolon for a comma", " a@example.org; b@example.org", NULL },
	{ "a NUL in words", " a@example.org\\0", NULL },
};

static void
test_authors(void)
{
	for (size_t i = 0; i < TEST_LEN(authors); i++) {
		struct headers	*headers = headers_new();
		char		 out[ADDR_MAX] = "";
		struct err	 err = { 0 };
		bool		 is_ok;

		test_row(authors[i].what);
		REQUIRE(headers_add(headers, "From", authors[i].from, &err));
		is_ok = address_from(headers, out, &err);
		CHECK(is_ok == (authors[i].want != NULL));
		if (is_ok)
			CHECK_STR(out, authors[i].want);
		else
			CHECK_INT(err.kind, ERR_MESSAGE);
		headers_free(headers);
	}
}

static void
test_counts(void)
{
	struct headers	*headers = headers_new();
	char		 out[ADDR_MAX];
	struct err	 err;

	test_row("no From, no Sender");
	CHECK(!address_from(headers, out, &err));
	CHECK_STR(err.reason, "the mail has no From field");
	CHECK_OK(address_sender(headers, out, &err), err);
	CHECK_STR(out, "");
	test_row("two From");
	headers_add(headers, "From", " a@example.org", &err);
	headers_add(headers, "FROM", " a@example.org", &err);
	CHECK(!address_from(headers, out, &err));
	CHECK_STR(err.reason, "the mail has more than one From field");
	test_row("one Sender");
	headers_add(headers, "Sender", " s@example.org", &err);
	CHECK_OK(address_sender(headers, out, &err), err);
	CHECK_STR(out, "s@example.org");
	headers_free(headers);
}

/* All that a list shows, in order. */
static const struct {
	const char	*what;
	const char	*value;
	const char	*want;
} lists[] = {
	{ "one", " a@x.org", "a@x.org" },
	{ "two, with names", " A <a@X.org>, \"B, b\" <b@x.org>",
	    "a@x.org b@x.org" },
	{ "a fold and comments", " (x, y) a@x.org (z),\n\t<b@x.org>",
	    "a@x.org b@x.org" },
	{ "a group and one more", " Us: a@x.org, B <b@x.org>;, c@x.org",
	    "a@x.org b@x.org c@x.org" },
	{ "an empty group", " undisclosed-recipients:;", "" },
	{ "garbage between", " nonsense, <a@x.org>, @, <>, b@", "a@x.org" },
	{ "an address as the name", " b@x.org <a@x.org>", "a@x.org" },
	{ "an unquoted comma in the name", " Doe, J <a@x.org>", "a@x.org" },
	{ "two addresses without comma", " a@x.org b@x.org", "" },
	{ "semicolons", " a@x.org; b@x.org;", "a@x.org b@x.org" },
	{ "no end of quotes", " \"A <a@x.org>", "" },
	{ "no end of brackets", " A <a@x.org", "" },
	{ "an address inside quotes is none", " \"<b@x.org>\" <a@x.org>",
	    "a@x.org" },
	{ "what GMime leaks on", " ~m-~le~EFRrxaleFr=rg>", "" },
	{ "nothing", "", "" },
};

static void
check_list(struct address_list *list, const char *want)
{
	char	 got[200] = "";

	for (size_t i = 0; i < list->n; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s",
		    i == 0 ? "" : " ", list->addrs[i]);
	CHECK_STR(got, want);
	address_list_free(list);
}

static void
test_lists(void)
{
	struct headers	*headers;
	struct err	 err;

	for (size_t i = 0; i < TEST_LEN(lists); i++) {
		test_row(lists[i].what);
		headers = headers_new();
		headers_add(headers, "Cc", lists[i].value, &err);
		check_list(address_visible(headers), lists[i].want);
		headers_free(headers);
	}
	test_row("To and Cc and no other, of any number");
	headers = headers_new();
	headers_add(headers, "To", " a@x.org", &err);
	headers_add(headers, "Cc", " b@x.org", &err);
	headers_add(headers, "tO", " c@x.org", &err);
	headers_add(headers, "Bcc", " d@x.org", &err);
	headers_add(headers, "From", " e@x.org, f@x.org", &err);
	headers_add(headers, "From", " g@x.org", &err);
	check_list(address_visible(headers), "a@x.org c@x.org b@x.org");
	test_row("all authors");
	check_list(address_authors(headers), "e@x.org f@x.org g@x.org");
	headers_free(headers);
}

int
main(void)
{
	test_authors();
	test_counts();
	test_lists();
	return test_done("address");
}
