/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/group.h"
#include "tests/lib/test.h"

static const struct {
	const char	*member;
	size_t		 set;
} members[] = {
	{ "@example.org", 1 },
	{ "boss@example.org", 2 },
	{ "@.example.net", 3 },
	{ "@sub.example.net", 0 },
	{ "@.org", 5 },
	{ "\"a@b\"@q.example", 4 },
};

static const struct {
	const char	*what;
	const char	*addr;
	size_t		 set;
} rows[] = {
	{ "an address by its domain", "a@example.org", 1 },
	{ "the first set wins, though another names the address",
	    "boss@example.org", 1 },
	{ "a domain below another is not that domain",
	    "a@sub.example.org", 5 },
	{ "a domain and below: the domain itself", "a@example.net", 3 },
	{ "a domain and below: below", "a@x.y.example.net", 3 },
	{ "an earlier set inside of it", "a@sub.example.net", 0 },
	{ "a name that only ends alike", "a@badexample.net", GROUP_NONE },
	{ "a top-level domain", "a@other.org", 5 },
	{ "an @ in the local part", "\"a@b\"@q.example", 4 },
	{ "its domain is what follows the last @", "\"x@example.org\"@z.z",
	    GROUP_NONE },
	{ "an address literal", "a@[192.0.2.1]", GROUP_NONE },
	{ "a member that is inside an earlier one", "@example.org", 1 },
	{ "a domain and below is not inside a domain", "@.example.org", 5 },
	{ "a domain and below inside another", "@.x.example.net", 3 },
	{ "nothing at all", "", GROUP_NONE },
};

int
main(void)
{
	struct group_table	*table = group_table_new();

	for (size_t i = 0; i < TEST_LEN(members); i++)
		CHECK(group_table_add(table, members[i].member,
		    members[i].set) == GROUP_NONE);
	test_row("a member that is there already stays with its set");
	CHECK_INT(group_table_add(table, "@example.org", 7), 1);
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		test_row(rows[i].what);
		CHECK_INT(group_table_find(table, rows[i].addr), rows[i].set);
	}
	test_row("a sub-address counts without its tag");
	CHECK_INT(group_table_find(table, "one+x@tag.example"), GROUP_NONE);
	group_table_add(table, "one@tag.example", 20);
	group_table_add(table, "@.tag.example", 21);
	group_table_add(table, "one+own@tag.example", 22);
	CHECK_INT(group_table_find_tagged(table, "one+x@tag.example", "+"),
	    20);
	CHECK_INT(group_table_find_tagged(table, "one+x@tag.example", ""),
	    21);
	CHECK_INT(group_table_find_tagged(table, "two+x@tag.example", "+"),
	    21);
	test_row("unless it is a member itself");
	CHECK_INT(group_table_find_tagged(table, "one+own@tag.example", "+"),
	    21);
	test_row("they are still found after the table has grown");
	for (size_t i = 0; i < 1000; i++) {
		char	 member[32];

		snprintf(member, sizeof(member), "u%zu@many.example", i);
		CHECK(group_table_add(table, member, 100 + i) == GROUP_NONE);
	}
	CHECK_INT(group_table_find(table, "u999@many.example"), 1099);
	CHECK_INT(group_table_find(table, "a@example.org"), 1);
	group_table_free(table);
	group_table_free(NULL);
	return test_done("group");
}
