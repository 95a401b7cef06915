/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/mem.h"
#include "milter/find_cache.h"
#include "tests/lib/test.h"

#define ADDR	"bob@example.net"
#define THEN	1000		/* when it was found */

static int64_t	 expires = 4711;	/* the certificate that is found */

/* Is what was found for ADDR to encrypt, in generation 7, still given? */
static const struct {
	const char	*what;
	const char	*addr;
	enum cert_use	 use;
	uint64_t	 generation;
	int64_t		 now;
	bool		 is_given;
} rows[] = {
	{ "at once", ADDR, CERT_USE_ENCRYPT, 7, THEN, true },
	{ "for some seconds", ADDR, CERT_USE_ENCRYPT, 7,
	    THEN + FIND_CACHE_SECONDS - 1, true },
	{ "not for ever", ADDR, CERT_USE_ENCRYPT, 7,
	    THEN + FIND_CACHE_SECONDS, false },
	{ "not before: the clock was set back", ADDR, CERT_USE_ENCRYPT, 7,
	    THEN - 1, false },
	{ "not for another use", ADDR, CERT_USE_SIGN, 7, THEN, false },
	{ "not for another address", "rob@example.net", CERT_USE_ENCRYPT, 7,
	    THEN, false },
	{ "not from a store that changed", ADDR, CERT_USE_ENCRYPT, 8, THEN,
	    false },
	{ "not without a generation", ADDR, CERT_USE_ENCRYPT, 0, THEN, false },
};

/* A certificate of so many bytes; none at all: nobody was found. */
static struct finding *
make_finding(size_t len)
{
	struct finding	*finding = mem_alloc(sizeof(*finding));

	finding->reason = mem_str(len == 0 ? "no certificate" : NULL);
	if (len == 0)
		return finding;
	finding->n = 1;
	finding->candidates = mem_array(1, sizeof(*finding->candidates));
	finding->candidates[0].not_after = expires;
	finding->der = mem_alloc(len);
	memset(finding->der, 0x5a, len);
	finding->der_len = len;
	return finding;
}

static void
put(struct find_cache *cache, const char *addr, uint64_t generation,
    size_t len)
{
	struct finding	*finding = make_finding(len);

	find_cache_put(cache, addr, CERT_USE_ENCRYPT, generation, THEN,
	    finding);
	finding_free(finding);
}

static bool
is_given(struct find_cache *cache, const char *addr, size_t len)
{
	struct finding	*finding, *want = make_finding(len);
	bool		 is_given;

	is_given = find_cache_get(cache, addr, CERT_USE_ENCRYPT, 7, THEN,
	    &finding);
	CHECK(is_given == (finding != NULL));
	if (is_given) {
		CHECK_INT(finding->n, want->n);
		CHECK_STR(finding->reason, want->reason);
		CHECK_MEM(finding->der, finding->der_len, want->der,
		    want->der_len);
		CHECK(finding->n == 0 ||
		    finding->candidates[0].not_after == expires);
	}
	finding_free(finding);
	finding_free(want);
	return is_given;
}

static void
test_rows(void)
{
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		struct find_cache	*cache = find_cache_new();
		struct finding		*finding;

		test_row(rows[i].what);
		put(cache, ADDR, 7, 1000);
		CHECK(find_cache_get(cache, rows[i].addr, rows[i].use,
		    rows[i].generation, rows[i].now, &finding) ==
		    rows[i].is_given);
		finding_free(finding);
		find_cache_free(cache);
	}
}

/* More addresses than places: what is given is right, and most are. */
static void
test_many(void)
{
	struct find_cache	*cache = find_cache_new();
	char			 addr[32];
	size_t			 n = FIND_CACHE_PLACES, n_given = 0;

	test_row("many addresses");
	for (size_t i = 0; i < n; i++) {
		snprintf(addr, sizeof(addr), "u%zu@example.net", i);
		put(cache, addr, 7, i);
	}
	for (size_t i = 0; i < n; i++) {
		snprintf(addr, sizeof(addr), "u%zu@example.net", i);
		n_given += is_given(cache, addr, i);
	}
	CHECK(n_given > n / 2);
	find_cache_free(cache);
}

int
main(void)
{
	struct find_cache	*cache = find_cache_new();

	test_rows();
	test_many();
	test_row("nobody is an answer, too");
	put(cache, ADDR, 7, 0);
	CHECK(is_given(cache, ADDR, 0));
	test_row("the last is what counts");
	put(cache, ADDR, 7, 500);
	CHECK(is_given(cache, ADDR, 500));
	test_row("a certificate is kept no longer than it is valid");
	expires = THEN - 1;
	put(cache, ADDR, 7, 500);
	CHECK(!is_given(cache, ADDR, 500));
	expires = THEN;
	put(cache, ADDR, 7, 500);
	CHECK(is_given(cache, ADDR, 500));
	test_row("what is too large is not kept, and does no harm");
	put(cache, "large@example.net", 7, FIND_CACHE_LEN_MAX + 1);
	CHECK(!is_given(cache, "large@example.net", 0));
	find_cache_free(cache);
	return test_done("find_cache");
}
