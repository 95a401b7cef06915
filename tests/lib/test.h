/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_LIB_TEST_H
#define TESTS_LIB_TEST_H

/*
 * The checks of a unit test.  A failed one prints where, what was wanted and
 * what came, and the test goes on; test_done() gives the exit status.  In a
 * table, name the row first: a failure is then printed under its sentence.
 *
 *	int
 *	main(void)
 *	{
 *		for (size_t i = 0; i < TEST_LEN(rows); i++) {
 *			test_row(rows[i].what);
 *			CHECK_STR(f(rows[i].in), rows[i].want);
 *		}
 *		return test_done("addr");
 *	}
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned int	 test_n_checks, test_n_failed;
static const char	*test_row_what;

#define TEST_LEN(table)	(sizeof(table) / sizeof((table)[0]))

/* The sentence under which the next failures are printed; NULL for none. */
static inline void
test_row(const char *what)
{
	test_row_what = what;
}

/* Counts a check; true when it holds, else its place has been printed. */
static inline bool
test_check(bool ok, const char *file, int line, const char *text)
{
	test_n_checks++;
	if (ok)
		return true;
	test_n_failed++;
	printf("%s:%d: failed: %s\n", file, line, text);
	if (test_row_what != NULL)
		printf("\tin: %s\n", test_row_what);
	return false;
}

static inline void
test_check_str(const char *got, const char *want, const char *file, int line,
    const char *text)
{
	bool	 ok = got == want || (got != NULL && want != NULL &&
		    strcmp(got, want) == 0);

	if (test_check(ok, file, line, text))
		return;
	printf("\tgot:  %s%s%s\n", got ? "\"" : "", got ? got : "NULL",
	    got ? "\"" : "");
	printf("\twant: %s%s%s\n", want ? "\"" : "", want ? want : "NULL",
	    want ? "\"" : "");
}

static inline void
test_check_int(intmax_t got, intmax_t want, const char *file, int line,
    const char *text)
{
	if (!test_check(got == want, file, line, text))
		printf("\tgot:  %jd\n\twant: %jd\n", got, want);
}

static inline void
test_check_mem(const void *got, size_t got_len, const void *want,
    size_t want_len, const char *file, int line, const char *text)
{
	bool	 ok = got_len == want_len &&
		    (want_len == 0 || memcmp(got, want, want_len) == 0);

	if (!test_check(ok, file, line, text))
		printf("\tgot:  %zu bytes: \"%.*s\"\n"
		    "\twant: %zu bytes: \"%.*s\"\n",
		    got_len, (int)(got_len < 400 ? got_len : 400),
		    got_len > 0 ? (const char *)got : "",
		    want_len, (int)(want_len < 400 ? want_len : 400),
		    want_len > 0 ? (const char *)want : "");
}

#define CHECK(cond) \
	((void)test_check((cond), __FILE__, __LINE__, #cond))
#define CHECK_STR(got, want) \
	test_check_str((got), (want), __FILE__, __LINE__, #got)
#define CHECK_INT(got, want) \
	test_check_int((intmax_t)(got), (intmax_t)(want), __FILE__, __LINE__, \
	    #got)
#define CHECK_MEM(got, got_len, want, want_len) \
	test_check_mem((got), (got_len), (want), (want_len), __FILE__, \
	    __LINE__, #got)
/* What the rest of the test cannot do without. */
#define REQUIRE(cond) \
	do { \
		if (!test_check((cond), __FILE__, __LINE__, #cond)) \
			exit(1); \
	} while (0)
/* A call that takes a struct err named err last: its reason on failure. */
#define CHECK_OK(call, err) \
	do { \
		if (!test_check((call), __FILE__, __LINE__, #call)) \
			printf("\terr:  %s\n", (err).reason); \
	} while (0)
#define REQUIRE_OK(call, err) \
	do { \
		if (!test_check((call), __FILE__, __LINE__, #call)) { \
			printf("\terr:  %s\n", (err).reason); \
			exit(1); \
		} \
	} while (0)

/* The exit status: 1 if a check failed, or if nothing was checked at all. */
static inline int
test_done(const char *name)
{
	if (test_n_checks == 0 || test_n_failed > 0) {
		printf("not ok: %s: %u of %u checks failed\n", name,
		    test_n_failed, test_n_checks);
		return 1;
	}
	printf("ok %u checks (%s)\n", test_n_checks, name);
	return 0;
}

#endif
