/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/master_key.h"
#include "tests/lib/scratch.h"
#include "tests/lib/test.h"

static struct err err;

/* A file as an administrator may have left it, and what is said to it. */
static const struct {
	const char	*what;
	size_t		 len;
	mode_t		 mode;
	bool		 is_link;
	const char	*reason;	/* NULL: it is taken */
} rows[] = {
	{ "as it should be", 32, 0400, false, NULL },
	{ "writable by its owner", 32, 0600, false, NULL },
	{ "readable by the group", 32, 0440, false,
	    "is open to others (mode 0440, 0400 is wanted)" },
	{ "readable by all", 32, 0404, false, "is open to others" },
	{ "too short", 31, 0400, false, "has 31 bytes, 32 are wanted" },
	{ "a line end after it", 33, 0400, false,
	    "has 33 bytes, 32 are wanted" },
	{ "a symbolic link", 32, 0400, true, "is a symbolic link" },
};

static void
test_read(void)
{
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		uint8_t		 key[MASTER_KEY_LEN];
		char		 bytes[64], name[16];
		const char	*path;

		test_row(rows[i].what);
		memset(bytes, 'k', sizeof(bytes));
		snprintf(name, sizeof(name), "key%zu", i);
		path = scratch_path(name);
		scratch_write(path, bytes, rows[i].len);
		REQUIRE(chmod(path, rows[i].mode) == 0);
		if (rows[i].is_link) {
			REQUIRE(symlink(path, scratch_path("link")) == 0);
			path = scratch_path("link");
		}
		CHECK_INT(master_key_read(path, key, &err),
		    rows[i].reason == NULL);
		if (rows[i].reason == NULL) {
			CHECK_MEM(key, sizeof(key), bytes, 32);
			continue;
		}
		CHECK_INT(err.kind, ERR_CONFIG);
		if (strstr(err.reason, rows[i].reason) == NULL)
			CHECK_STR(err.reason, rows[i].reason);
	}
	test_row(NULL);
	CHECK(!master_key_read(scratch_path("missing"),
	    (uint8_t[MASTER_KEY_LEN]){ 0 }, &err));
	CHECK(strstr(err.reason, "No such file") != NULL);
	CHECK(!master_key_read(scratch_folder("folder"),
	    (uint8_t[MASTER_KEY_LEN]){ 0 }, &err));
	CHECK(strstr(err.reason, "is not a regular file") != NULL);
}

static void
test_create(void)
{
	const char	*path = scratch_path("new");
	uint8_t		 key[MASTER_KEY_LEN], other[MASTER_KEY_LEN];
	struct stat	 st;

	REQUIRE_OK(master_key_create(path, &err), err);
	REQUIRE(stat(path, &st) == 0);
	CHECK_INT(st.st_mode & 07777, 0400);
	REQUIRE_OK(master_key_read(path, key, &err), err);
	/* Never over another. */
	CHECK(!master_key_create(path, &err));
	CHECK_INT(err.kind, ERR_CONFIG);
	REQUIRE_OK(master_key_create(scratch_path("new2"), &err), err);
	REQUIRE_OK(master_key_read(scratch_path("new2"), other, &err), err);
	CHECK(memcmp(key, other, sizeof(key)) != 0);
}

/* systemd's credential goes first, where there is one. */
static void
test_credential(void)
{
	uint8_t		 key[MASTER_KEY_LEN];
	const char	*dir = scratch_folder("credentials");
	char		 file[300], bytes[32];

	REQUIRE(setenv("CREDENTIALS_DIRECTORY", dir, 1) == 0);
	REQUIRE_OK(master_key_read(scratch_path("new"), key, &err), err);
	memset(bytes, 'c', sizeof(bytes));
	snprintf(file, sizeof(file), "%s/master.key", dir);
	scratch_write(file, bytes, sizeof(bytes));
	REQUIRE_OK(master_key_read(scratch_path("new"), key, &err), err);
	CHECK_MEM(key, sizeof(key), bytes, 32);
	/* The mask of its access control list shows as the group's bits. */
	REQUIRE(chmod(file, 0440) == 0);
	REQUIRE_OK(master_key_read(scratch_path("new"), key, &err), err);
	REQUIRE(chmod(file, 0444) == 0);
	CHECK(!master_key_read(scratch_path("new"), key, &err));
	unsetenv("CREDENTIALS_DIRECTORY");
}

int
main(void)
{
	unsetenv("CREDENTIALS_DIRECTORY");
	test_read();
	test_create();
	test_credential();
	return test_done("master_key");
}
