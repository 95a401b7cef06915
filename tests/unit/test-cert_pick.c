/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/cert_pick.h"
#include "tests/lib/test.h"

/* A certificate by its name; what it says of time; what is against it. */
struct row {
	uint8_t		 name;
	int64_t		 not_before;
	int64_t		 not_after;
	const char	*reason;
};

static const struct {
	const char	*what;
	struct row	 rows[4];
	const char	*order;
	const char	*reason;
} cases[] = {
	{ "none at all", { { 0 } }, "", "no certificate" },
	{ "one that is usable", { { 'a', 1, 9, NULL } }, "a", NULL },
	{ "the newest first, in whatever order they come",
	    { { 'a', 1, 9, NULL }, { 'b', 3, 9, NULL }, { 'c', 2, 9, NULL } },
	    "bca", NULL },
	{ "of two as new, the one that lasts longer",
	    { { 'a', 1, 8, NULL }, { 'b', 1, 9, NULL } }, "ba", NULL },
	{ "of two alike, the lower fingerprint",
	    { { 'b', 1, 9, NULL }, { 'a', 1, 9, NULL } }, "ab", NULL },
	{ "an unusable newest one hides no usable one",
	    { { 'a', 5, 9, "expired 2026-03-01" }, { 'b', 1, 9, NULL } },
	    "ba", NULL },
	{ "one that is not usable", { { 'a', 1, 9, "expired 2026-03-01" } },
	    "a", "certificate expired 2026-03-01" },
	{ "two that are not usable: the newest tells why",
	    { { 'a', 1, 9, "expired 2026-03-01" }, { 'b', 2, 9, "weak" } },
	    "ba", "certificate weak; none of 2 is usable" },
};

int
main(void)
{
	for (size_t i = 0; i < TEST_LEN(cases); i++) {
		struct candidate	 list[4];
		char			 order[5] = "", *reason;
		size_t			 n = 0;

		test_row(cases[i].what);
		memset(list, 0, sizeof(list));
		for (; n < 4 && cases[i].rows[n].name != 0; n++) {
			list[n].fp.bytes[31] = cases[i].rows[n].name;
			list[n].not_before = cases[i].rows[n].not_before;
			list[n].not_after = cases[i].rows[n].not_after;
			list[n].reason =
			    (char *)(uintptr_t)cases[i].rows[n].reason;
		}
		cert_pick_sort(list, n);
		for (size_t j = 0; j < n; j++)
			order[j] = (char)list[j].fp.bytes[31];
		CHECK_STR(order, cases[i].order);
		reason = cert_pick_reason(list, n);
		CHECK_STR(reason, cases[i].reason);
		free(reason);
	}
	return test_done("cert_pick");
}
