/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/mem.h"
#include "store/backup.h"
#include "store/cert_index.h"
#include "store/dump.h"
#include "store/event_table.h"
#include "store/key.h"
#include "store/keywrap.h"
#include "store/store_meta.h"

#define NAME		"smime-milter backup "	/* and a version */
#define NAME_LEN	(sizeof(NAME) - 1)
#define HEAD		NAME "1\n"
#define HEAD_LEN	(sizeof(HEAD) - 1)
#define END_MARK	0xff		/* in the place of a row's table */
#define END_LEN		(1 + 8 + 32)	/* mark, rows, SHA-256 */
#define PAGE		(64 * 1024)	/* bytes asked for at once */
#define BATCH		1000		/* rows in a transaction */

/* --- writing ---------------------------------------------------------------- */

struct writer {
	FILE		*file;
	EVP_MD_CTX	*digest;
	uint64_t	 n;
};

static bool
write_bytes(struct writer *w, const void *data, size_t len, struct err *err)
{
	if (fwrite(data, 1, len, w->file) != len)
		return err_errno(err, ERR_TEMP, "cannot write the backup");
	return EVP_DigestUpdate(w->digest, data, len) == 1 ||
	    err_openssl(err, ERR_TEMP, "cannot sum up the backup");
}

static bool
write_end(struct writer *w, struct err *err)
{
	uint8_t	 end[END_LEN] = { END_MARK };

	for (int i = 0; i < 8; i++)
		end[1 + i] = (uint8_t)(w->n >> (56 - 8 * i));
	if (EVP_DigestUpdate(w->digest, end, 9) != 1 ||
	    EVP_DigestFinal_ex(w->digest, end + 9, NULL) != 1)
		return err_openssl(err, ERR_TEMP, "cannot sum up the backup");
	if (fwrite(end, 1, sizeof(end), w->file) != sizeof(end) ||
	    fflush(w->file) != 0 || fsync(fileno(w->file)) == -1)
		return err_errno(err, ERR_TEMP, "cannot write the backup");
	return true;
}

static void
count_rows(struct writer *w, const struct buf *rows)
{
	struct dump_row	 row;
	size_t		 n;

	for (size_t at = 0; at < rows->len; at += n) {
		if ((n = dump_parse_row(rows->data + at, rows->len - at,
		    &row)) == 0)
			break;
		w->n++;
	}
}

/* What tells the master key; the first row there is. */
static bool
get_first(struct custody *custody, struct buf *first, struct err *err)
{
	struct buf	 cursor = { 0 };
	bool		 is_ok = custody_records(custody, &cursor, 1, first,
			    err);

	buf_free(&cursor);
	return is_ok;
}

static bool
write_all(struct custody *custody, struct writer *w, struct err *err)
{
	struct buf	 cursor = { 0 }, rows = { 0 }, before = { 0 },
			 after = { 0 };
	bool		 is_ok;

	is_ok = get_first(custody, &before, err) &&
	    write_bytes(w, HEAD, HEAD_LEN, err);
	do {
		is_ok = is_ok && custody_records(custody, &cursor, PAGE,
		    &rows, err) && write_bytes(w, rows.data, rows.len, err);
		count_rows(w, &rows);
	} while (is_ok && rows.len > 0);
	is_ok = is_ok && get_first(custody, &after, err);
	/* Some keys would be sealed under the one, some under the other. */
	if (is_ok && (before.len != after.len ||
	    memcmp(before.data, after.data, before.len) != 0))
		is_ok = err_set(err, ERR_TEMP, "the master key was changed "
		    "during the backup: make it again");
	is_ok = is_ok && write_end(w, err);
	buf_free(&cursor);
	buf_free(&rows);
	buf_free(&before);
	buf_free(&after);
	return is_ok;
}

bool
backup_write(struct custody *custody, FILE *file, uint64_t *n_rows,
    struct err *err)
{
	struct writer	 w = { .file = file, .digest = EVP_MD_CTX_new() };
	bool		 is_ok;

	is_ok = w.digest != NULL &&
	    EVP_DigestInit_ex(w.digest, EVP_sha256(), NULL) == 1;
	if (!is_ok)
		err_openssl(err, ERR_TEMP, "cannot sum up the backup");
	is_ok = is_ok && write_all(custody, &w, err);
	EVP_MD_CTX_free(w.digest);
	*n_rows = w.n;
	return is_ok;
}

/* --- reading ---------------------------------------------------------------- */

/* The next row; *is_end when the end mark comes instead. */
static bool
read_row(FILE *file, struct buf *bytes, struct dump_row *row, bool *is_end,
    struct err *err)
{
	uint8_t	 head[DUMP_ROW_HEADER];
	size_t	 len;

	*is_end = false;
	buf_clear(bytes);
	if (fread(head, 1, 1, file) != 1)
		return err_set(err, ERR_DATA, "the backup is cut off");
	if (head[0] == END_MARK) {
		*is_end = true;
		return true;
	}
	if (fread(head + 1, 1, sizeof(head) - 1, file) != sizeof(head) - 1)
		return err_set(err, ERR_DATA, "the backup is cut off");
	len = ((size_t)head[1] << 8 | head[2]) + ((size_t)head[3] << 24 |
	    (size_t)head[4] << 16 | (size_t)head[5] << 8 | head[6]);
	if (len > DUMP_ROW_MAX)
		return err_set(err, ERR_DATA, "the backup is damaged: a "
		    "record of %zu bytes", len);
	buf_add(bytes, head, sizeof(head));
	buf_reserve(bytes, len);
	if (!buf_ok(bytes, "a row of the backup", err))
		return false;
	if (fread(bytes->data + bytes->len, 1, len, file) != len)
		return err_set(err, ERR_DATA, "the backup is cut off");
	bytes->len += len;
	return dump_parse_row(bytes->data, bytes->len, row) != 0 ||
	    err_set(err, ERR_DATA, "the backup is damaged");
}

static bool
read_head(FILE *file, struct err *err)
{
	char	 head[HEAD_LEN];

	rewind(file);
	if (fread(head, 1, sizeof(head), file) != sizeof(head) ||
	    memcmp(head, NAME, NAME_LEN) != 0)
		return err_set(err, ERR_DATA, "this is no backup");
	return memcmp(head, HEAD, sizeof(head)) == 0 || err_set(err,
	    ERR_DATA, "the backup is in a form that this program does not "
	    "know: it was written by a newer one");
}

static bool
check_end(FILE *file, EVP_MD_CTX *digest, uint64_t n, struct err *err)
{
	uint8_t	 end[END_LEN] = { END_MARK }, sum[EVP_MAX_MD_SIZE];
	uint64_t got = 0;

	if (fread(end + 1, 1, sizeof(end) - 1, file) != sizeof(end) - 1)
		return err_set(err, ERR_DATA, "the backup is cut off");
	for (int i = 1; i < 9; i++)
		got = got << 8 | end[i];
	if (EVP_DigestUpdate(digest, end, 9) != 1 ||
	    EVP_DigestFinal_ex(digest, sum, NULL) != 1)
		return err_openssl(err, ERR_TEMP, "cannot sum up the backup");
	if (got != n || memcmp(sum, end + 9, 32) != 0)
		return err_set(err, ERR_DATA, "the backup is damaged: its "
		    "checksum is not that of its records");
	return fgetc(file) == EOF || err_set(err, ERR_DATA,
	    "there is something behind the backup's end");
}

static bool
check_all(FILE *file, EVP_MD_CTX *digest, uint64_t *n, struct err *err)
{
	struct buf	 bytes = { 0 };
	struct dump_row	 row;
	bool		 is_end = false, is_ok;

	is_ok = read_head(file, err) && (EVP_DigestUpdate(digest, HEAD,
	    HEAD_LEN) == 1 || err_openssl(err, ERR_TEMP, "SHA-256"));
	for (*n = 0; is_ok && !is_end; *n += is_ok && !is_end) {
		is_ok = read_row(file, &bytes, &row, &is_end, err);
		if (is_ok && !is_end && EVP_DigestUpdate(digest, bytes.data,
		    bytes.len) != 1)
			is_ok = err_openssl(err, ERR_TEMP, "SHA-256");
	}
	buf_free(&bytes);
	return is_ok && check_end(file, digest, *n, err);
}

bool
backup_check(FILE *file, uint64_t *n_rows, struct err *err)
{
	EVP_MD_CTX	*digest = EVP_MD_CTX_new();
	bool		 is_ok;

	is_ok = digest != NULL &&
	    EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1;
	if (!is_ok)
		err_openssl(err, ERR_TEMP, "cannot sum up the backup");
	is_ok = is_ok && check_all(file, digest, n_rows, err);
	EVP_MD_CTX_free(digest);
	return is_ok;
}

/* --- a store of it ------------------------------------------------------------ */

struct restoring {
	struct store	*store;
	struct buf	 keys;		/* ids of all */
	bool		 has_check;	/* of the master key */
};

static bool
is_named(const struct dump_row *row, const char *name)
{
	return row->key_len == strlen(name) &&
	    memcmp(row->key, name, row->key_len) == 0;
}

/* The new store has its own check; stamps' keys are taken over. */
static bool
put_meta(struct restoring *r, const struct dump_row *row, struct err *err)
{
	struct buf	 plain = { .is_secret = true };

	if (is_named(row, "check")) {
		r->has_check = keywrap_open(store_master_key(r->store),
		    "check", "", 0, row->value, row->len, &plain, err);
		buf_free(&plain);
		return r->has_check || err_set(err, ERR_CONFIG, "the backup was "
		    "made under another master key than that of the "
		    "configuration: put that one in its place first");
	}
	if (is_named(row, "version"))
		return store_meta_check_version("the store of the backup",
		    row->value, row->len, err);
	return table_put(r->store, TABLE_META, row->key, row->key_len,
	    row->value, row->len, err);
}

static bool
put_cert(struct store *store, const struct dump_row *row, struct err *err)
{
	struct cert_record	 record;
	bool			 is_ok;

	if (!record_decode_cert(row->value, row->len, &record, err))
		return false;
	is_ok = cert_index_put(store, &record, err);
	record_free_cert(&record);
	return is_ok;
}

/* What the store would take for another record, or for none. */
static bool
has_known_key(const struct dump_row *row)
{
	switch (row->table) {
	case TABLE_KEYS:
		return row->key_len == KEY_ID_LEN;
	case TABLE_EVENTS:
		return event_table_is_key(row->key, row->key_len);
	default:
		return row->key_len <= TABLE_KEY_MAX;
	}
}

static bool
put_row(struct restoring *r, const struct dump_row *row, struct err *err)
{
	if (!has_known_key(row))
		return err_set(err, ERR_DATA, "the backup is damaged: no "
		    "record has such a key");
	switch (row->table) {
	case TABLE_META:
		return put_meta(r, row, err);
	case TABLE_CERTS:
		return put_cert(r->store, row, err);
	case TABLE_KEYS:
		buf_add(&r->keys, row->key, row->key_len);
		break;
	case TABLE_CRLS:
	case TABLE_EVENTS:
		break;
	case TABLE_INDEX:
	case TABLE_COUNT:
		return err_set(err, ERR_DATA, "the backup is damaged");
	}
	return table_put(r->store, row->table, row->key, row->key_len,
	    row->value, row->len, err);
}

/* What was removed during the backup, between its key and its certificate. */
static bool
drop_orphans(struct store *store, const struct buf *keys, struct err *err)
{
	struct fingerprint_list	 fps;

	for (size_t at = 0; at + KEY_ID_LEN <= keys->len; at += KEY_ID_LEN) {
		const uint8_t	*id = keys->data + at;

		if (!cert_index_find(store, CERT_INDEX_SPKI, id, KEY_ID_LEN,
		    &fps, err))
			return false;
		free(fps.list);
		if (fps.n == 0 && !key_remove(store, id, err))
			return false;
	}
	return true;
}

/* Whether its keys can be opened would be known when mail is to be signed. */
static bool
finish(const struct restoring *r, struct err *err)
{
	if (!r->has_check)
		return err_set(err, ERR_DATA, "the backup is damaged: it does "
		    "not tell which master key it was made under");
	return buf_ok(&r->keys, "the keys of a backup", err) &&
	    drop_orphans(r->store, &r->keys, err);
}

static bool
put_all(struct store *store, FILE *file, struct err *err)
{
	struct restoring r = { .store = store };
	struct buf	 bytes = { 0 };
	struct dump_row	 row;
	bool		 is_end = false, is_ok = read_head(file, err);

	while (is_ok && !is_end) {
		if (!(is_ok = store_begin_write(store, err)))
			break;
		for (int i = 0; is_ok && !is_end && i < BATCH; i++) {
			is_ok = read_row(file, &bytes, &row, &is_end, err);
			if (is_ok && !is_end)
				is_ok = put_row(&r, &row, err);
		}
		if (is_ok && is_end)
			is_ok = finish(&r, err);
		if (is_ok)
			is_ok = store_commit(store, err);
		else
			store_abort(store);
	}
	buf_free(&bytes);
	buf_free(&r.keys);
	return is_ok;
}

bool
backup_restore(FILE *file, const struct store_options *options,
    struct err *err)
{
	struct store	*store = NULL;
	bool		 is_ok;

	is_ok = store_create(options, err) &&
	    store_open(options, &store, err) && put_all(store, file, err);
	store_close(store);
	return is_ok;
}
