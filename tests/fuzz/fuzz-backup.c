/* SPDX-License-Identifier: BSD-2-Clause */
#include <assert.h>
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "store/backup.h"
#include "store/dump.h"
#include "store/event_table.h"
#include "store/verify.h"
#include "tests/lib/scratch.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Rows, as a whole backup: with a head, their number and the checksum. */
static FILE *
make_backup(const uint8_t *rows, size_t len, struct buf *file)
{
	static const char	 head[] = "smime-milter backup 1\n";
	uint8_t			 sum[EVP_MAX_MD_SIZE];
	struct dump_row		 row;
	uint64_t		 n = 0;
	size_t			 row_len;

	for (size_t at = 0; at < len; at += row_len, n++)
		if ((row_len = dump_parse_row(rows + at, len - at,
		    &row)) == 0)
			break;
	buf_add(file, head, sizeof(head) - 1);
	buf_add(file, rows, len);
	buf_addc(file, (char)0xff);
	for (int i = 56; i >= 0; i -= 8)
		buf_addc(file, (char)(n >> i));
	EVP_Digest(file->data, file->len, sum, NULL, EVP_sha256(), NULL);
	buf_add(file, sum, 32);
	return fmemopen(file->data, file->len, "r");
}

static void
empty_folder(const char *path)
{
	DIR		*dir = opendir(path);
	struct dirent	*e;

	while ((e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.')
			assert(unlinkat(dirfd(dir), e->d_name, 0) == 0);
	closedir(dir);
}

/* The newest event, also after whatever events the backup had. */
static void
try_events(struct store *store)
{
	struct event		 event = { .kind = EVENT_MAIL, .at = 1 };
	struct event_query	 query = { .max = 10 };
	struct event_cursor	 cursor = { 0 };
	struct event_page	 page;
	struct err		 err;

	assert(store_begin_write(store, &err));
	assert(event_table_add(store, &event, 1, &err));
	assert(store_commit(store, &err));
	assert(store_begin_read(store, &err));
	if (event_table_list(store, &query, &cursor, &page, &err)) {
		assert(page.n > 0);
		event_page_free(&page);
	}
	store_end_read(store);
}

/* No record keeps the others from being looked at. */
static void
try_verify(struct store *store)
{
	struct verify_findings	 findings;
	struct buf		 cursor = { 0 };
	struct err		 err;

	do {
		findings = (struct verify_findings){ 0 };
		assert(store_begin_read(store, &err));
		assert(verify_page(store, &cursor, &findings, &err));
		store_end_read(store);
		verify_findings_free(&findings);
	} while (cursor.len > 0);
	buf_free(&cursor);
}

static void
try_store(const struct store_options *options)
{
	struct cert_entry	*entries;
	struct store		*store;
	struct custody		*custody;
	size_t			 n;
	struct err		 err;

	assert(store_open(options, &store, &err));
	try_events(store);
	try_verify(store);
	custody = custody_of_store_take(store);
	if (custody_list(custody, NULL, 1000, 0, &entries, &n, &err))
		cert_entry_free(entries, n);
	custody_close(custody);
}

/* As it is, and as the rows of a whole one: then a store is made of it. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char		 dir[128];
	struct store_options	 options = { .dir = dir };
	struct buf		 bytes = { 0 };
	FILE			*file;
	uint64_t		 n;
	struct err		 err;

	if (dir[0] == '\0')
		strcpy(dir, scratch_folder("store"));
	if (len > 0) {
		file = fmemopen((void *)(uintptr_t)data, len, "r");
		backup_check(file, &n, &err);
		fclose(file);
	}
	file = make_backup(data, len, &bytes);
	if (backup_check(file, &n, &err)) {
		if (backup_restore(file, &options, &err))
			try_store(&options);
		empty_folder(dir);
	}
	fclose(file);
	buf_free(&bytes);
	return 0;
}
