/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/cert_index.h"
#include "store/custody_store_impl.h"
#include "store/key.h"
#include "store/revoke.h"
#include "store/store.h"
#include "store/trust.h"

#define LOOKUP_MAX	1000	/* entries that a prefix may name */

/* The record's bytes and source move into the entry. */
static bool
make_entry(struct custody_store *local, struct cert_record *record, int64_t now,
    struct cert_entry *entry, struct err *err)
{
	struct trust_verdict	 verdict;

	if (!trust_judge(local->trust, record, now, &verdict, err) ||
	    !key_protection_of(local->store, record->facts.spki, &entry->key,
	    err))
		return false;
	if (record->facts.is_ca && !revoke_lists(local->store, &record->facts,
	    &entry->crls, &entry->n_crls, err))
		return false;
	entry->fp = record->facts.fp;
	entry->der = record->der;
	entry->der_len = record->der_len;
	entry->state = record->state;
	entry->added = record->added;
	entry->source = record->source;
	*(verdict.is_trusted ? &entry->trusted_by : &entry->untrusted) =
	    mem_str(verdict.text);
	entry->is_revoked = verdict.is_revoked;
	entry->added_by = record->added_by;
	record->der = NULL;
	record->source = record->added_by = NULL;
	return true;
}

static bool
make_entries(struct custody_store *local, struct cert_record *records, size_t n,
    int64_t now, struct cert_entry **out, size_t *n_out, struct err *err)
{
	struct cert_entry	*entries = mem_array(n, sizeof(*entries));
	bool			 is_ok = true;

	for (size_t i = 0; i < n; i++) {
		if (is_ok)
			is_ok = make_entry(local, &records[i], now,
			    &entries[i], err);
		record_free_cert(&records[i]);
	}
	free(records);
	if (!is_ok) {
		cert_entry_free(entries, n);
		return false;
	}
	*out = entries;
	*n_out = n;
	return true;
}

/* False when there is none after the last. */
static bool
next_fp(struct fingerprint *fp)
{
	for (size_t i = sizeof(fp->bytes); i-- > 0;)
		if (++fp->bytes[i] != 0)
			return true;
	return false;
}

bool
custody_store_list(void *arg, const struct fingerprint *after, size_t max,
    int64_t now, struct cert_entry **out, size_t *n, struct err *err)
{
	struct custody_store	*local = arg;
	struct fingerprint	 from = { { 0 } };
	struct cert_record	*records = NULL;
	size_t			 n_records = 0;
	bool			 is_ok;

	*out = NULL;
	*n = 0;
	if (after != NULL) {
		from = *after;
		if (!next_fp(&from))
			return true;
	}
	if (!store_begin_read(local->store, err))
		return false;
	is_ok = cert_index_list(local->store, &from, max, &records, &n_records,
	    err) && make_entries(local, records, n_records, now, out, n, err);
	store_end_read(local->store);
	return is_ok;
}

static bool
begins_with(const struct fingerprint *fp, const struct fingerprint *prefix,
    int digits)
{
	size_t	 whole = (size_t)digits / 2;

	return memcmp(fp->bytes, prefix->bytes, whole) == 0 &&
	    (digits % 2 == 0 ||
	    (fp->bytes[whole] & 0xf0) == prefix->bytes[whole]);
}

static bool
get_by_prefix(struct custody_store *local, const char *text,
    struct cert_record **out, size_t *n, struct err *err)
{
	struct fingerprint	 prefix;
	int			 digits = text_fp_parse(text, &prefix);
	size_t			 n_all, keep = 0;

	if (digits <= 0)
		return err_set(err, ERR_DATA, "neither a fingerprint nor an "
		    "address");
	if (!cert_index_list(local->store, &prefix, LOOKUP_MAX, out, &n_all,
	    err))
		return false;
	while (keep < n_all &&
	    begins_with(&(*out)[keep].facts.fp, &prefix, digits))
		keep++;
	for (size_t i = keep; i < n_all; i++)
		record_free_cert(&(*out)[i]);
	*n = keep;
	return true;
}

static bool
get_by_key(struct custody_store *local, const char *hex,
    struct cert_record **out, size_t *n, struct err *err)
{
	struct fingerprint	 key;
	struct fingerprint_list	 fps;
	bool			 is_ok;

	if (text_fp_parse(hex, &key) != 2 * (int)sizeof(key.bytes))
		return err_set(err, ERR_DATA, "no hash of a public key");
	is_ok = cert_index_find(local->store, CERT_INDEX_SPKI, key.bytes,
	    sizeof(key.bytes), &fps, err);
	if (is_ok)
		*out = mem_array(fps.n, sizeof(**out));
	for (; is_ok && *n < fps.n; ++*n)
		if (!(is_ok = cert_index_need(local->store, &fps.list[*n],
		    &(*out)[*n], err)))
			break;
	free(fps.list);
	return is_ok;
}

bool
custody_store_lookup(void *arg, const char *text, int64_t now,
    struct cert_entry **out, size_t *n, struct err *err)
{
	struct custody_store	*local = arg;
	struct cert_record	*records = NULL;
	size_t			 n_records = 0;
	bool			 is_ok;

	*out = NULL;
	*n = 0;
	if (!store_begin_read(local->store, err))
		return false;
	if (strchr(text, '@') != NULL)
		is_ok = cert_index_at_address(local->store, text, &records,
		    &n_records, err);
	else if (strncmp(text, CUSTODY_BY_KEY, strlen(CUSTODY_BY_KEY)) == 0)
		is_ok = get_by_key(local, text + strlen(CUSTODY_BY_KEY),
		    &records, &n_records, err);
	else
		is_ok = get_by_prefix(local, text, &records, &n_records, err);
	if (is_ok)
		is_ok = make_entries(local, records, n_records, now, out, n,
		    err);
	else {
		for (size_t i = 0; i < n_records; i++)
			record_free_cert(&records[i]);
		free(records);
	}
	store_end_read(local->store);
	return is_ok;
}

bool
custody_store_chain(void *arg, const struct fingerprint *fp, int64_t now,
    struct cert_entry **out, size_t *n, struct err *err)
{
	struct custody_store	*local = arg;
	struct cert_record	 record, *issuers = NULL;
	size_t			 n_issuers = 0;
	bool			 is_ok;

	*out = NULL;
	*n = 0;
	if (!store_begin_read(local->store, err))
		return false;
	if ((is_ok = cert_index_need(local->store, fp, &record, err))) {
		is_ok = trust_issuers(local->trust, &record, now, &issuers,
		    &n_issuers, err) && make_entries(local, issuers, n_issuers,
		    now, out, n, err);
		record_free_cert(&record);
	}
	store_end_read(local->store);
	return is_ok;
}
