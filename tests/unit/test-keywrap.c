/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/keywrap.h"
#include "tests/lib/test.h"

static const uint8_t	 master[MASTER_KEY_LEN] = { 1, 2, 3 };
static const uint8_t	 other_master[MASTER_KEY_LEN] = { 1, 2, 4 };
static const char	 secret[] = "the private key";

static struct err err;

static void
test_opens_as_itself(void)
{
	struct buf	 sealed = { 0 }, again = { 0 };
	struct buf	 plain = { .is_secret = true };

	REQUIRE_OK(keywrap_seal(master, "key", "id", 2, secret,
	    sizeof(secret), &sealed, &err), err);
	CHECK(memmem(sealed.data, sealed.len, secret, 8) == NULL);
	REQUIRE_OK(keywrap_open(master, "key", "id", 2, sealed.data,
	    sealed.len, &plain, &err), err);
	CHECK_MEM(plain.data, plain.len, secret, sizeof(secret));
	/* A nonce is never used twice, so nothing is sealed alike twice. */
	REQUIRE_OK(keywrap_seal(master, "key", "id", 2, secret,
	    sizeof(secret), &again, &err), err);
	CHECK_INT(again.len, sealed.len);
	CHECK(memcmp(again.data, sealed.data, sealed.len) != 0);
	buf_free(&sealed);
	buf_free(&again);
	buf_free(&plain);
}

static void
test_refused(void)
{
	static const struct {
		const char	*what;
		const uint8_t	*master;
		const char	*label;
		const char	*id;
	} rows[] = {
		{ "another master key", other_master, "key", "id" },
		{ "moved to another owner", master, "key", "ie" },
		{ "taken for something else", master, "kez", "id" },
		{ "the border between what and whose moved", master, "ke",
		    "y\0id" },
	};
	struct buf	 sealed = { 0 }, plain = { .is_secret = true };

	REQUIRE_OK(keywrap_seal(master, "key", "id", 2, secret,
	    sizeof(secret), &sealed, &err), err);
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		test_row(rows[i].what);
		CHECK(!keywrap_open(rows[i].master, rows[i].label, rows[i].id,
		    2, sealed.data, sealed.len, &plain, &err));
		CHECK_INT(err.kind, ERR_DATA);
		CHECK_INT(plain.len, 0);
	}
	test_row("one bit changed, anywhere");
	for (size_t i = 0; i < 8 * sealed.len; i++) {
		sealed.data[i / 8] ^= (uint8_t)(1u << i % 8);
		CHECK(!keywrap_open(master, "key", "id", 2, sealed.data,
		    sealed.len, &plain, &err));
		sealed.data[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	test_row("cut off, anywhere");
	for (size_t len = 0; len < sealed.len; len++)
		CHECK(!keywrap_open(master, "key", "id", 2, sealed.data, len,
		    &plain, &err));
	test_row(NULL);
	buf_free(&sealed);
	buf_free(&plain);
}

static void
test_empty(void)
{
	struct buf	 sealed = { 0 }, plain = { .is_secret = true };

	REQUIRE_OK(keywrap_seal(master, "check", "", 0, "", 0, &sealed, &err),
	    err);
	REQUIRE_OK(keywrap_open(master, "check", "", 0, sealed.data,
	    sealed.len, &plain, &err), err);
	CHECK_INT(plain.len, 0);
	buf_free(&sealed);
	buf_free(&plain);
}

int
main(void)
{
	test_opens_as_itself();
	test_refused();
	test_empty();
	return test_done("keywrap");
}
