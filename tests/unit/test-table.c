/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/table.h"
#include "tests/lib/scratch_store.h"

static struct err err;

static void
put(struct store *store, const char *key, const void *value, size_t len)
{
	REQUIRE_OK(table_put(store, TABLE_KEYS, key, strlen(key), value, len,
	    &err), err);
}

static bool
append(void *arg, const uint8_t *key, size_t key_len, const uint8_t *value,
    size_t len, bool *more, struct err *unused)
{
	char	*out = arg;

	(void)value;
	(void)len;
	(void)unused;
	strncat(out, (const char *)key, key_len);
	strcat(out, " ");
	if (strlen(out) > 6)
		*more = false;
	return true;
}

static bool
fail(void *arg, const uint8_t *key, size_t key_len, const uint8_t *value,
    size_t len, bool *more, struct err *e)
{
	(void)arg;
	(void)key;
	(void)key_len;
	(void)value;
	(void)len;
	(void)more;
	return err_set(e, ERR_BUG, "enough");
}

static const char *
walk(struct store *store, const char *from)
{
	static char	 out[64];

	out[0] = '\0';
	REQUIRE_OK(table_walk(store, TABLE_KEYS, from, strlen(from), append,
	    out, &err), err);
	return out;
}

static void
test_order(void)
{
	struct store	*store = scratch_store("order");

	REQUIRE_OK(store_begin_write(store, &err), err);
	CHECK_STR(walk(store, ""), "");
	put(store, "b", "2", 1);
	put(store, "ab", "3", 1);
	put(store, "a", "1", 1);
	put(store, "c", "4", 1);
	/* A writer sees what it has written. */
	CHECK_STR(walk(store, ""), "a ab b ");
	REQUIRE_OK(store_commit(store, &err), err);
	REQUIRE_OK(store_begin_read(store, &err), err);
	CHECK_STR(walk(store, "ab"), "ab b c ");
	CHECK_STR(walk(store, "aa"), "ab b c ");
	CHECK_STR(walk(store, "d"), "");
	CHECK(!table_walk(store, TABLE_KEYS, "", 0, fail, NULL, &err));
	CHECK_STR(err.reason, "enough");
	store_end_read(store);
	store_close(store);
}

/* Values from nothing to larger than any page, and again smaller. */
static void
test_sizes(void)
{
	static const size_t	 sizes[] = { 0, 1, 2000, 4096, 9000, 200000,
				    3 };
	static uint8_t		 data[200000];
	struct store		*store = scratch_store("sizes");
	struct buf		 out = { 0 };
	bool			 found;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	for (size_t i = 0; i < TEST_LEN(sizes); i++) {
		REQUIRE_OK(store_begin_write(store, &err), err);
		put(store, "key", data, sizes[i]);
		REQUIRE_OK(store_commit(store, &err), err);
		REQUIRE_OK(store_begin_read(store, &err), err);
		REQUIRE_OK(table_get(store, TABLE_KEYS, "key", 3, &out, &found,
		    &err), err);
		store_end_read(store);
		CHECK(found);
		CHECK_MEM(out.data, out.len, data, sizes[i]);
	}
	REQUIRE_OK(store_begin_write(store, &err), err);
	REQUIRE_OK(table_delete(store, TABLE_KEYS, "key", 3, &err), err);
	REQUIRE_OK(table_delete(store, TABLE_KEYS, "key", 3, &err), err);
	REQUIRE_OK(store_commit(store, &err), err);
	REQUIRE_OK(store_begin_read(store, &err), err);
	REQUIRE_OK(table_get(store, TABLE_KEYS, "key", 3, &out, &found, &err),
	    err);
	CHECK(!found && out.len == 0);
	/* Writing is for writers. */
	CHECK(!table_put(store, TABLE_KEYS, "k", 1, "v", 1, &err));
	CHECK_INT(err.kind, ERR_BUG);
	store_end_read(store);
	buf_free(&out);
	store_close(store);
}

int
main(void)
{
	test_order();
	test_sizes();
	return test_done("table");
}
