/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/key_rate.h"
#include "tests/lib/test.h"

#define SECOND	1000000LL

static const uint8_t	 alice[KEY_ID_LEN] = { 1 };
static const uint8_t	 bob[KEY_ID_LEN] = { 2 };
/* In the same chain as Alice's. */
static const uint8_t	 carol[KEY_ID_LEN] = { 1, 0, 3 };

static const struct {
	const char	*label;
	const uint8_t	*key;
	uint32_t	 per_minute;
	int64_t		 at;		/* seconds; the rows follow each other */
	int		 wanted;	/* asked for at once */
	int		 allowed;
} rows[] = {
	{ "a minute's worth at once, not more", alice, 6, 0, 8, 6 },
	{ "another key has its own", bob, 6, 0, 8, 6 },
	{ "one that begins alike, too", carol, 6, 0, 8, 6 },
	{ "after nine seconds not one more", alice, 6, 9, 2, 0 },
	{ "after ten one more", alice, 6, 10, 2, 1 },
	{ "after half a minute two more", alice, 6, 30, 9, 2 },
	{ "half of it, a minute later", alice, 6, 90, 3, 3 },
	{ "the rest of it", alice, 6, 90, 9, 3 },
	{ "a day later no more than a minute's", alice, 6, 86400, 9, 6 },
	{ "a new limit counts at once", alice, 60, 86400, 100, 0 },
	{ "and by its own measure", alice, 60, 86410, 100, 10 },
	{ "no limit", alice, 0, 86410, 1000, 1000 },
	{ "the largest limit", bob, 100000, 86410, 100001, 100000 },
	{ "one in a minute", carol, 1, 86410, 2, 1 },
	{ "is one in a minute", carol, 1, 86469, 1, 0 },
	{ "after a minute", carol, 1, 86470, 1, 1 },
};

int
main(void)
{
	struct key_rate	*rate = key_rate_new();

	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		int	 allowed = 0;

		test_row(rows[i].label);
		for (int k = 0; k < rows[i].wanted; k++)
			if (key_rate_take(rate, rows[i].key,
			    rows[i].per_minute, rows[i].at * SECOND))
				allowed++;
		CHECK_INT(allowed, rows[i].allowed);
	}
	test_row("thousands of keys");
	for (int i = 0; i < 5000; i++) {
		uint8_t	 id[KEY_ID_LEN] = { (uint8_t)(i >> 8), (uint8_t)i, 9 };

		CHECK(key_rate_take(rate, id, 1, 90000 * SECOND));
		CHECK(!key_rate_take(rate, id, 1, 90000 * SECOND));
	}
	key_rate_free(rate);
	return test_done("key_rate");
}
