/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "store/backup.h"
#include "store/event_table.h"
#include "store/keywrap.h"
#include "store/table.h"
#include "tests/lib/scratch.h"
#include "tests/lib/test.h"

#define HEAD	"smime-milter backup 1\n"
#define ID	"the thirty-two bytes of a record"

static struct err	 err;

struct one_row {
	enum table	 table;
	const char	*key;
	size_t		 key_len;
	const char	*value;
	size_t		 len;
};

static void
add_int(struct buf *out, uint64_t v, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--)
		buf_addc(out, (char)(v >> (8 * i)));
}

static void
add_row(struct buf *out, const struct one_row *row)
{
	add_int(out, row->table, 1);
	add_int(out, row->key_len, 2);
	add_int(out, row->len, 4);
	buf_add(out, row->key, row->key_len);
	buf_add(out, row->value, row->len);
}

/* As the store writes it under the master key of restore(), which is zero. */
static void
add_check(struct buf *out)
{
	static const uint8_t	 master[MASTER_KEY_LEN];
	struct buf		 sealed = { 0 };

	REQUIRE_OK(keywrap_seal(master, "check", "", 0, "x", 1, &sealed,
	    &err), err);
	add_row(out, &(struct one_row){ TABLE_META, "check", 5,
	    (const char *)sealed.data, sealed.len });
	buf_free(&sealed);
}

/* A whole one, of these rows; bytes are the caller's and live as long. */
static FILE *
make_backup(const char *head, const struct buf *rows, uint64_t n,
    struct buf *bytes)
{
	uint8_t	 sum[EVP_MAX_MD_SIZE];
	FILE	*file;

	buf_clear(bytes);
	buf_add(bytes, head, strlen(head));
	buf_add(bytes, rows->data, rows->len);
	add_int(bytes, 0xff, 1);
	add_int(bytes, n, 8);
	REQUIRE(EVP_Digest(bytes->data, bytes->len, sum, NULL, EVP_sha256(),
	    NULL) == 1);
	buf_add(bytes, sum, 32);
	REQUIRE((file = fmemopen(bytes->data, bytes->len, "r")) != NULL);
	return file;
}

static bool
restore(FILE *file, const char *folder, struct store_options *options)
{
	uint64_t	 n;
	bool		 is_ok;

	*options = (struct store_options){ .dir = folder };
	is_ok = backup_check(file, &n, &err) &&
	    backup_restore(file, options, &err);
	fclose(file);
	return is_ok;
}

static void
test_rows(void)
{
	static const struct {
		const char	*what;
		struct one_row	 row;
		enum err_kind	 kind;
		const char	*reason;	/* NULL: it is restored */
	} rows[] = {
		{ "a store of this version",
		    { TABLE_META, "version", 7, "\0\1", 2 }, 0, NULL },
		{ "of a newer one",
		    { TABLE_META, "version", 7, "\0\2", 2 }, ERR_CONFIG,
		    "the store of the backup is of version 2, this program "
		    "knows up to 1: it was written by a newer one" },
		{ "of an older one",
		    { TABLE_META, "version", 7, "\0\0", 2 }, ERR_CONFIG,
		    "the store of the backup is of version 0, this program "
		    "knows 1 only: it was written by an older one" },
		{ "of none",
		    { TABLE_META, "version", 7, "", 0 }, ERR_DATA,
		    "the store of the backup does not say its version" },
		{ "another master key's",
		    { TABLE_META, "check", 5, ID, 32 }, ERR_CONFIG,
		    "the backup was made under another master key than that "
		    "of the configuration: put that one in its place first" },
		{ "an index, which a backup has not",
		    { TABLE_INDEX, ID, 32, "", 0 }, ERR_DATA,
		    "the backup is damaged" },
		{ "a private key of no public key's length",
		    { TABLE_KEYS, ID, 31, ID, 32 }, ERR_DATA,
		    "the backup is damaged: no record has such a key" },
		{ "the first event",
		    { TABLE_EVENTS, "m\0\0\0\0\0\0\0\1", 9, ID, 32 }, 0,
		    NULL },
		{ "an event after which none can come",
		    { TABLE_EVENTS, "m\377\377\377\377\377\377\377\377", 9,
		    ID, 32 }, ERR_DATA,
		    "the backup is damaged: no record has such a key" },
		{ "an event of another row",
		    { TABLE_EVENTS, "x\0\0\0\0\0\0\0\1", 9, ID, 32 },
		    ERR_DATA,
		    "the backup is damaged: no record has such a key" },
	};
	struct store_options	 options;
	struct buf		 bytes = { 0 }, list = { 0 };

	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		char	 name[32];
		bool	 is_ok;

		test_row(rows[i].what);
		snprintf(name, sizeof(name), "row%zu", i);
		buf_clear(&list);
		add_check(&list);
		add_row(&list, &rows[i].row);
		is_ok = restore(make_backup(HEAD, &list, 2, &bytes),
		    scratch_folder(name), &options);
		CHECK(is_ok == (rows[i].reason == NULL));
		if (rows[i].reason == NULL || is_ok)
			continue;
		CHECK_INT(err.kind, rows[i].kind);
		CHECK_STR(err.reason, rows[i].reason);
	}
	test_row(NULL);
	buf_free(&list);
	buf_free(&bytes);
}

static void
test_heads(void)
{
	static const struct {
		const char	*what, *head, *reason;
	} rows[] = {
		{ "a later form", "smime-milter backup 2\n",
		    "the backup is in a form that this program does not know: "
		    "it was written by a newer one" },
		{ "another file", "-----BEGIN CERTIFICATE-----\n",
		    "this is no backup" },
	};
	struct store_options	 options;
	struct buf		 bytes = { 0 }, none = { 0 };

	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		test_row(rows[i].what);
		CHECK(!restore(make_backup(rows[i].head, &none, 0, &bytes),
		    "nowhere", &options));
		CHECK_INT(err.kind, ERR_DATA);
		CHECK_STR(err.reason, rows[i].reason);
	}
	test_row(NULL);
	buf_free(&bytes);
}

/* Sealed keys, and nothing that tells under which master key. */
static void
test_no_check(void)
{
	static const struct one_row	 version = { TABLE_META, "version", 7,
	    "\0\1", 2 };
	struct store_options		 options;
	struct buf			 bytes = { 0 }, list = { 0 };

	add_row(&list, &version);
	CHECK(!restore(make_backup(HEAD, &list, 1, &bytes),
	    scratch_folder("unchecked"), &options));
	CHECK_INT(err.kind, ERR_DATA);
	CHECK_STR(err.reason, "the backup is damaged: it does not tell which "
	    "master key it was made under");
	buf_free(&list);
	buf_free(&bytes);
}

/* Events whose numbers are far apart keep nobody from adding one. */
static void
test_gap(void)
{
	static const struct one_row	 apart[] = {
		{ TABLE_EVENTS, "m\0\0\0\0\0\0\0\1", 9, ID, 32 },
		{ TABLE_EVENTS, "m\20\0\0\0\0\0\0\1", 9, ID, 32 },
	};
	struct event		 event = { .kind = EVENT_MAIL, .at = 42 };
	struct event_query	 query = { .max = 1 };
	struct event_cursor	 cursor = { 0 };
	struct event_page	 page = { 0 };
	struct store_options	 options;
	struct store		*store;
	struct buf		 bytes = { 0 }, list = { 0 };

	add_check(&list);
	for (size_t i = 0; i < TEST_LEN(apart); i++)
		add_row(&list, &apart[i]);
	REQUIRE_OK(restore(make_backup(HEAD, &list, 1 + TEST_LEN(apart),
	    &bytes),
	    scratch_folder("apart"), &options), err);
	REQUIRE_OK(store_open(&options, &store, &err), err);
	REQUIRE_OK(store_begin_write(store, &err), err);
	REQUIRE_OK(event_table_add(store, &event, 1, &err), err);
	REQUIRE_OK(store_commit(store, &err), err);
	REQUIRE_OK(store_begin_read(store, &err), err);
	REQUIRE_OK(event_table_list(store, &query, &cursor, &page, &err), err);
	store_end_read(store);
	REQUIRE(page.n == 1);
	CHECK_INT(page.list[0].at, 42);
	event_page_free(&page);
	store_close(store);
	buf_free(&list);
	buf_free(&bytes);
}

int
main(void)
{
	test_rows();
	test_heads();
	test_no_check();
	test_gap();
	return test_done("backup");
}
