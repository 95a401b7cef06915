/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/mem.h"
#include "store/backup.h"
#include "store/key.h"
#include "store/table.h"
#include "store/verify.h"
#include "tests/lib/scratch_store.h"

/* Each kind of damage is told with its record; a sound store has none. */

static EVP_PKEY		*keys[3];
static struct pki_cert	 certs[3];
static struct err	 err;

static struct store *
new_store(const char *name)
{
	struct store	*store = scratch_store(name);

	for (size_t i = 0; i < TEST_LEN(certs); i++)
		scratch_put(store, &certs[i], CERT_TRUSTED);
	scratch_put_key(store, keys[0]);
	scratch_put_key(store, keys[1]);
	return store;
}

/* What is wrong, one line each; the caller frees it. */
static char *
verify(struct store *store)
{
	struct verify_findings	 findings = { 0 };
	struct buf		 cursor = { 0 }, out = { 0 };

	do {
		REQUIRE_OK(store_begin_read(store, &err), err);
		REQUIRE_OK(verify_page(store, &cursor, &findings, &err), err);
		store_end_read(store);
	} while (cursor.len > 0);
	for (size_t i = 0; i < findings.n; i++)
		buf_addf(&out, "%s: %s\n", findings.list[i].about,
		    findings.list[i].text);
	CHECK(findings.n_records > 10);
	buf_addc(&out, '\0');
	verify_findings_free(&findings);
	buf_free(&cursor);
	return (char *)out.data;
}

struct first {
	struct buf	 key;
	struct buf	 value;
	char		 kind;		/* of an index entry; 0: any */
};

static bool
take_first(void *arg, const uint8_t *key, size_t key_len,
    const uint8_t *value, size_t len, bool *more, struct err *why)
{
	struct first	*first = arg;

	(void)why;
	*more = first->kind != 0 && key[0] != (uint8_t)first->kind;
	if (!*more) {
		buf_add(&first->key, key, key_len);
		buf_add(&first->value, value, len);
	}
	return true;
}

static struct first
find_first(struct store *store, enum table table, char kind)
{
	struct first	 first = { .kind = kind };

	REQUIRE_OK(table_walk(store, table, "", 0, take_first, &first, &err),
	    err);
	REQUIRE(first.key.len > 0);
	return first;
}

static void
first_free(struct first *first)
{
	buf_free(&first->key);
	buf_free(&first->value);
}

static void
flip(struct store *store, enum table table)
{
	struct first	 first = find_first(store, table, 0);

	first.value.data[first.value.len / 2] ^= 1;
	REQUIRE_OK(table_put(store, table, first.key.data, first.key.len,
	    first.value.data, first.value.len, &err), err);
	first_free(&first);
}

static void
damage_cert(struct store *store)
{
	flip(store, TABLE_CERTS);
}

static void
damage_key(struct store *store)
{
	flip(store, TABLE_KEYS);
}

static void
damage_facts(struct store *store)
{
	struct cert_record	 record = scratch_record(&certs[0],
				    CERT_TRUSTED);

	record.facts.not_after++;
	REQUIRE_OK(cert_index_put(store, &record, &err), err);
	record_free_cert(&record);
}

static void
damage_place(struct store *store)
{
	struct cert_record	 record = scratch_record(&certs[0],
				    CERT_TRUSTED);
	struct buf		 bytes = { 0 };

	record_encode_cert(&record, &bytes);
	REQUIRE_OK(table_put(store, TABLE_CERTS,
	    "elsewhere, with thirty-two bytes", 32, bytes.data, bytes.len,
	    &err), err);
	record_free_cert(&record);
	buf_free(&bytes);
}

static void
lose_entry(struct store *store, char kind)
{
	struct first	 first = find_first(store, TABLE_INDEX, kind);

	REQUIRE_OK(table_delete(store, TABLE_INDEX, first.key.data,
	    first.key.len, &err), err);
	first_free(&first);
}

static void
lose_address(struct store *store)
{
	lose_entry(store, CERT_INDEX_ADDRESS);
}

static void
lose_serial(struct store *store)
{
	lose_entry(store, CERT_INDEX_ISSUER_SERIAL);
}

static void
lose_identifier(struct store *store)
{
	lose_entry(store, CERT_INDEX_SKI);
}

static void
add_entry(struct store *store)
{
	struct first	 first = find_first(store, TABLE_INDEX,
			    CERT_INDEX_ADDRESS);

	first.key.data[1] = 'x';
	REQUIRE_OK(table_put(store, TABLE_INDEX, first.key.data,
	    first.key.len, "", 0, &err), err);
	first_free(&first);
}

static void
lose_cert(struct store *store)
{
	struct first	 first = find_first(store, TABLE_CERTS, 0);

	REQUIRE_OK(table_delete(store, TABLE_CERTS, first.key.data,
	    first.key.len, &err), err);
	first_free(&first);
}

/* One key's record under another's name: it does not open there. */
static void
swap_keys(struct store *store)
{
	struct first	 first = find_first(store, TABLE_KEYS, 0);

	first.key.data[0] ^= 1;
	REQUIRE_OK(table_put(store, TABLE_KEYS, first.key.data,
	    first.key.len, first.value.data, first.value.len, &err), err);
	first_free(&first);
}

static void
add_meta(struct store *store)
{
	REQUIRE_OK(table_put(store, TABLE_META, "what", 4, "x", 1, &err), err);
}

static void
add_event(struct store *store)
{
	REQUIRE_OK(table_put(store, TABLE_EVENTS, "m12345678", 9, "x", 1,
	    &err), err);
}

static void
add_list(struct store *store)
{
	REQUIRE_OK(table_put(store, TABLE_CRLS, "h", 1, "x", 1, &err), err);
}

static void
test_findings(void)
{
	static const struct {
		const char	*what;
		void		 (*damage)(struct store *);
		const char	*want;
	} rows[] = {
		{ "a certificate's record with another bit", damage_cert,
		    "certificate " },
		{ "facts that the certificate does not state", damage_facts,
		    "is not what it states" },
		{ "a record in another's place", damage_place,
		    "certificate 656c736577686572...: another certificate's "
		    "record stands in its place" },
		{ "an address that leads nowhere", lose_address,
		    "the index does not lead to it by its address" },
		{ "no entry for issuer and serial number", lose_serial,
		    "by its issuer and serial number" },
		{ "no entry for the key identifier", lose_identifier,
		    "by its subject key identifier" },
		{ "an address that it does not have", add_entry,
		    "leads to no certificate that it is true of" },
		{ "entries without their certificate", lose_cert,
		    "leads to no certificate that it is true of" },
		{ "a key's record with another bit", damage_key,
		    "private key " },
		{ "a key's record under another's name", swap_keys,
		    "another master key sealed it" },
		{ "a key without a certificate", swap_keys,
		    "no certificate with its public key is there" },
		{ "an unknown record", add_meta, "nobody knows what it is" },
		{ "an event that cannot be read", add_event, "event 6d31" },
		{ "a list that cannot be read", add_list,
		    "revocation list 68: " },
	};

	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		char		 name[16], *got;
		struct store	*store;

		test_row(rows[i].what);
		snprintf(name, sizeof(name), "damage%zu", i);
		store = new_store(name);
		got = verify(store);
		CHECK_STR(got, "");
		free(got);
		REQUIRE_OK(store_begin_write(store, &err), err);
		rows[i].damage(store);
		REQUIRE_OK(store_commit(store, &err), err);
		got = verify(store);
		if (strstr(got, rows[i].want) == NULL)
			CHECK_STR(got, rows[i].want);
		free(got);
		store_close(store);
	}
	test_row(NULL);
}

/* --- a backup, and what became of it -------------------------------------------- */

static FILE *
write_backup(struct custody *custody, const char *path)
{
	FILE		*file = fopen(path, "w+e");
	uint64_t	 n, again;

	REQUIRE(file != NULL);
	REQUIRE_OK(backup_write(custody, file, &n, &err), err);
	REQUIRE_OK(backup_check(file, &again, &err), err);
	CHECK(n > 6);
	CHECK_INT(again, n);
	return file;
}

/* All rows as a backup has them. */
static void
dump(struct custody *custody, struct buf *out)
{
	struct buf	 cursor = { 0 }, rows = { 0 };

	do {
		REQUIRE_OK(custody_records(custody, &cursor, 700, &rows,
		    &err), err);
		buf_add(out, rows.data, rows.len);
	} while (rows.len > 0);
	buf_free(&cursor);
	buf_free(&rows);
}

static void
test_backup(void)
{
	struct custody		*custody = custody_of_store_take(
				    new_store("backup")), *copy;
	struct store_options	 options = { .lock_timeout_ms = 1000 };
	struct store		*store;
	FILE			*file;
	struct buf		 before = { 0 }, after = { 0 };
	const char		*path = scratch_path("records");
	char			*got;
	uint64_t		 n;
	long			 size;

	file = write_backup(custody, path);
	dump(custody, &before);
	options.dir = scratch_folder("restored");
	memset(options.master_key, 7, sizeof(options.master_key));
	REQUIRE_OK(backup_restore(file, &options, &err), err);
	REQUIRE_OK(store_open(&options, &store, &err), err);
	got = verify(store);
	CHECK_STR(got, "");
	free(got);
	copy = custody_of_store_take(store);
	dump(copy, &after);
	/* All but what tells the master key, which is sealed anew. */
	CHECK_INT(after.len, before.len);
	CHECK_MEM(after.data + 100, after.len - 100, before.data + 100,
	    before.len - 100);
	custody_close(copy);
	custody_close(custody);

	options.dir = scratch_folder("otherkey");
	options.master_key[0] ^= 1;
	CHECK(!backup_restore(file, &options, &err));
	CHECK_INT(err.kind, ERR_CONFIG);
	CHECK(strstr(err.reason, "under another master key") != NULL);

	/* Cut anywhere, or with another bit, it is no backup. */
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	for (long at = 1; at < size; at += 97) {
		int	 c;

		fseek(file, at, SEEK_SET);
		c = fgetc(file);
		fseek(file, at, SEEK_SET);
		fputc(c ^ 4, file);
		CHECK(!backup_check(file, &n, &err));
		fseek(file, at, SEEK_SET);
		fputc(c, file);
		fflush(file);
	}
	REQUIRE_OK(backup_check(file, &n, &err), err);
	REQUIRE(ftruncate(fileno(file), size - 1) == 0);
	CHECK(!backup_check(file, &n, &err));
	CHECK_STR(err.reason, "the backup is cut off");
	fclose(file);
	buf_free(&before);
	buf_free(&after);
}

int
main(void)
{
	static const char *const alt[] = {
		"email:alice@example.org", "email:bob@example.org",
		"email:carol@example.org"
	};

	for (size_t i = 0; i < TEST_LEN(certs); i++) {
		struct pki_spec	 spec = { .cn = alt[i] + 6, .alt = alt[i] };

		keys[i] = pki_key("P-256");
		certs[i] = pki_issue(&spec, keys[i], NULL);
	}
	test_findings();
	test_backup();
	for (size_t i = 0; i < TEST_LEN(certs); i++) {
		pki_free(&certs[i]);
		EVP_PKEY_free(keys[i]);
	}
	return test_done("verify");
}
