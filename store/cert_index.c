/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/cert_index.h"
#include "store/table.h"

#define FP_LEN	sizeof(((struct fingerprint *)NULL)->bytes)

static bool
decode(const uint8_t *data, size_t len, const uint8_t *fp,
    struct cert_record *record, struct err *err)
{
	char	 hex[17];

	text_hex(fp, 8, hex);
	if (!record_decode_cert(data, len, record, err)) {
		err->kind = ERR_TEMP;
		return err_prefix(err, "certificate %s...", hex);
	}
	if (memcmp(record->facts.fp.bytes, fp, FP_LEN) != 0) {
		record_free_cert(record);
		return err_set(err, ERR_TEMP, "certificate %s...: another's "
		    "record stands in its place", hex);
	}
	return true;
}

bool
cert_index_get(struct store *store, const struct fingerprint *fp,
    struct cert_record *record, bool *found, struct err *err)
{
	struct buf	 bytes = { 0 };
	bool		 is_ok;

	is_ok = table_get(store, TABLE_CERTS, fp->bytes, FP_LEN, &bytes, found,
	    err);
	if (is_ok && *found)
		is_ok = decode(bytes.data, bytes.len, fp->bytes, record, err);
	buf_free(&bytes);
	return is_ok;
}

bool
cert_index_need(struct store *store, const struct fingerprint *fp,
    struct cert_record *record, struct err *err)
{
	char	 hex[TEXT_FP_LEN];
	bool	 found;

	if (!cert_index_get(store, fp, record, &found, err))
		return false;
	if (found)
		return true;
	text_fp(fp, hex);
	return err_set(err, ERR_DATA, "there is no certificate %s", hex);
}

/* --- index entries -------------------------------------------------------- */

/*
 * Kind, value, fingerprint.  A value of varying length says where it ends,
 * so that none is the beginning of another.
 */
static void
index_key(struct buf *key, enum cert_index kind, const void *value, size_t len)
{
	buf_clear(key);
	buf_addc(key, (char)kind);
	if (kind == CERT_INDEX_SKI)
		buf_addc(key, (char)len);
	buf_add(key, value, len);
	if (kind == CERT_INDEX_ADDRESS)
		buf_addc(key, '\0');
}

static void
subject_value(uint32_t hash, uint8_t out[4])
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(hash >> (24 - 8 * i));
}

/* Each entry of a certificate in turn, for whatever is done with them. */
struct entries {
	struct store			*store;
	const struct fingerprint	*fp;
	bool	(*each)(struct entries *, enum cert_index, struct err *);
	struct buf			 key;		/* of the entry */
	const char			*missing;	/* what was not there */
	const uint8_t			*wanted;	/* the key looked for */
	size_t				 wanted_len;
	bool				 is_found;
};

static bool
put_entry(struct entries *entries, enum cert_index kind, struct err *err)
{
	(void)kind;
	return table_put(entries->store, TABLE_INDEX, entries->key.data,
	    entries->key.len, "", 0, err);
}

static bool
remove_entry(struct entries *entries, enum cert_index kind, struct err *err)
{
	(void)kind;
	return table_delete(entries->store, TABLE_INDEX, entries->key.data,
	    entries->key.len, err);
}

static bool
look_for_entry(struct entries *entries, enum cert_index kind, struct err *err)
{
	struct buf	 value = { 0 };
	bool		 found, is_ok;

	is_ok = table_get(entries->store, TABLE_INDEX, entries->key.data,
	    entries->key.len, &value, &found, err);
	buf_free(&value);
	if (!is_ok || found)
		return is_ok;
	switch (kind) {
	case CERT_INDEX_ADDRESS:
		entries->missing = "address";
		break;
	case CERT_INDEX_ISSUER_SERIAL:
		entries->missing = "issuer and serial number";
		break;
	case CERT_INDEX_SPKI:
		entries->missing = "public key";
		break;
	case CERT_INDEX_SUBJECT:
		entries->missing = "subject";
		break;
	case CERT_INDEX_SKI:
		entries->missing = "subject key identifier";
		break;
	}
	return true;
}

static bool
compare_entry(struct entries *entries, enum cert_index kind, struct err *err)
{
	(void)kind;
	(void)err;
	if (entries->key.len == entries->wanted_len && memcmp(
	    entries->key.data, entries->wanted, entries->wanted_len) == 0)
		entries->is_found = true;
	return true;
}

static bool
do_entry(struct entries *entries, enum cert_index kind, const void *value,
    size_t len, struct err *err)
{
	index_key(&entries->key, kind, value, len);
	buf_add(&entries->key, entries->fp->bytes, FP_LEN);
	return buf_ok(&entries->key, "an index entry", err) &&
	    entries->each(entries, kind, err);
}

static bool
do_entries(struct entries *entries, const struct cert_facts *facts,
    struct err *err)
{
	uint8_t	 subject[4];

	for (size_t i = 0; i < facts->n_addresses; i++)
		if (!do_entry(entries, CERT_INDEX_ADDRESS,
		    facts->addresses[i], strlen(facts->addresses[i]), err))
			return false;
	/* Only CAs are looked for by name, when a chain is built. */
	subject_value(facts->subject_hash, subject);
	if (facts->is_ca && !do_entry(entries, CERT_INDEX_SUBJECT, subject,
	    sizeof(subject), err))
		return false;
	if (facts->ski.len > 0 && !do_entry(entries, CERT_INDEX_SKI,
	    facts->ski.bytes, facts->ski.len, err))
		return false;
	return do_entry(entries, CERT_INDEX_ISSUER_SERIAL,
	    facts->issuer_serial, sizeof(facts->issuer_serial), err) &&
	    do_entry(entries, CERT_INDEX_SPKI, facts->spki,
	    sizeof(facts->spki), err);
}

static bool
all_entries(struct entries *entries, const struct cert_facts *facts,
    struct err *err)
{
	bool	 is_ok;

	entries->fp = &facts->fp;
	is_ok = do_entries(entries, facts, err);
	buf_free(&entries->key);
	return is_ok;
}

bool
cert_index_put(struct store *store, const struct cert_record *record,
    struct err *err)
{
	struct entries	 entries = { .store = store, .each = put_entry };
	struct buf	 bytes = { 0 };
	bool		 is_ok;

	record_encode_cert(record, &bytes);
	is_ok = buf_ok(&bytes, "a certificate's record", err) &&
	    table_put(store, TABLE_CERTS, record->facts.fp.bytes, FP_LEN,
	    bytes.data, bytes.len, err) &&
	    all_entries(&entries, &record->facts, err);
	buf_free(&bytes);
	return is_ok;
}

bool
cert_index_remove(struct store *store, const struct cert_record *record,
    struct err *err)
{
	struct entries	 entries = { .store = store, .each = remove_entry };

	return all_entries(&entries, &record->facts, err) &&
	    table_delete(store, TABLE_CERTS, record->facts.fp.bytes, FP_LEN,
	    err);
}

bool
cert_index_missing(struct store *store, const struct cert_facts *facts,
    const char **what, struct err *err)
{
	struct entries	 entries = { .store = store,
			    .each = look_for_entry };
	bool		 is_ok = all_entries(&entries, facts, err);

	*what = entries.missing;
	return is_ok;
}

bool
cert_index_is_true(struct store *store, const uint8_t *key, size_t len,
    bool *is_true, struct err *err)
{
	struct entries		 entries = { .each = compare_entry,
				    .wanted = key, .wanted_len = len };
	struct buf		 bytes = { 0 };
	struct cert_record	 record;
	struct err		 ignored;
	bool			 found, is_ok;

	*is_true = false;
	if (len < FP_LEN)
		return true;
	is_ok = table_get(store, TABLE_CERTS, key + len - FP_LEN, FP_LEN,
	    &bytes, &found, err);
	if (is_ok && found && record_decode_cert(bytes.data, bytes.len,
	    &record, &ignored)) {
		is_ok = all_entries(&entries, &record.facts, err);
		*is_true = entries.is_found;
		record_free_cert(&record);
	} else if (is_ok)
		/* A record that is damaged is a finding of its own. */
		*is_true = found;
	buf_free(&bytes);
	return is_ok;
}

/* --- finding -------------------------------------------------------------- */

struct search {
	const struct buf	*prefix;
	struct fingerprint_list	*out;
};

static bool
collect(void *arg, const uint8_t *key, size_t key_len, const uint8_t *value,
    size_t len, bool *more, struct err *err)
{
	struct search		*search = arg;
	struct fingerprint_list	*out = search->out;
	size_t			 prefix_len = search->prefix->len;

	(void)value;
	(void)len;
	if (key_len != prefix_len + FP_LEN ||
	    memcmp(key, search->prefix->data, prefix_len) != 0) {
		*more = false;
		return true;
	}
	if (out->n == CERT_INDEX_MAX)
		return err_set(err, ERR_TEMP, "more than %d certificates of "
		    "one kind in the store", CERT_INDEX_MAX);
	/* Mostly there is one; then by doubling. */
	if ((out->n & (out->n - 1)) == 0)
		out->list = mem_grow(out->list, out->n == 0 ? 1 : 2 * out->n,
		    sizeof(*out->list));
	memcpy(out->list[out->n++].bytes, key + prefix_len, FP_LEN);
	return true;
}

bool
cert_index_find(struct store *store, enum cert_index kind, const void *value,
    size_t len, struct fingerprint_list *out, struct err *err)
{
	struct buf	 prefix = { 0 };
	struct search	 search = { &prefix, out };
	bool		 is_ok = false;

	memset(out, 0, sizeof(*out));
	index_key(&prefix, kind, value, len);
	if (buf_ok(&prefix, "an index entry", err))
		is_ok = table_walk(store, TABLE_INDEX, prefix.data, prefix.len,
		    collect, &search, err);
	buf_free(&prefix);
	if (!is_ok) {
		free(out->list);
		memset(out, 0, sizeof(*out));
	}
	return is_ok;
}

bool
cert_index_find_subject(struct store *store, uint32_t subject_hash,
    struct fingerprint_list *out, struct err *err)
{
	uint8_t	 value[4];

	subject_value(subject_hash, value);
	return cert_index_find(store, CERT_INDEX_SUBJECT, value, sizeof(value),
	    out, err);
}

bool
cert_index_at_address(struct store *store, const char *addr,
    struct cert_record **out, size_t *n, struct err *err)
{
	struct fingerprint_list	 fps;
	bool			 is_ok;

	is_ok = cert_index_find(store, CERT_INDEX_ADDRESS, addr,
	    strlen(addr), &fps, err);
	if (is_ok)
		*out = mem_array(fps.n, sizeof(**out));
	for (size_t i = 0; is_ok && i < fps.n; i++) {
		is_ok = cert_index_need(store, &fps.list[i], &(*out)[i], err);
		if (is_ok)
			++*n;
	}
	free(fps.list);
	return is_ok;
}

struct page {
	struct cert_record	*records;
	size_t			 n;
	size_t			 max;
};

static bool
add_to_page(void *arg, const uint8_t *key, size_t key_len,
    const uint8_t *value, size_t len, bool *more, struct err *err)
{
	struct page	*page = arg;

	if (key_len != FP_LEN)
		return err_set(err, ERR_TEMP, "a certificate's record has a "
		    "key of %zu bytes", key_len);
	if (page->n == page->max) {
		*more = false;
		return true;
	}
	page->records = mem_grow(page->records, page->n + 1,
	    sizeof(*page->records));
	if (!decode(value, len, key, &page->records[page->n], err))
		return false;
	page->n++;
	return true;
}

bool
cert_index_list(struct store *store, const struct fingerprint *from,
    size_t max, struct cert_record **out, size_t *n, struct err *err)
{
	struct page	 page = { NULL, 0, max };
	bool		 is_ok;

	is_ok = table_walk(store, TABLE_CERTS, from->bytes, FP_LEN,
	    add_to_page, &page, err);
	if (!is_ok) {
		for (size_t i = 0; i < page.n; i++)
			record_free_cert(&page.records[i]);
		free(page.records);
		page = (struct page){ NULL, 0, 0 };
	}
	*out = page.records;
	*n = page.n;
	return is_ok;
}
