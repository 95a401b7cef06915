/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/cert_index.h"
#include "store/event.h"
#include "store/key.h"
#include "store/table.h"
#include "store/verify.h"

struct verifier {
	struct store		*store;
	struct verify_findings	*findings;
	struct buf		*cursor;
	enum table		 table;
	size_t			 n;		/* records of this page */
	const uint8_t		*key;		/* of the record at hand */
	size_t			 key_len;
};

void
verify_add(struct verify_findings *findings, const char *about,
    const char *text)
{
	findings->list = mem_grow(findings->list, findings->n + 1,
	    sizeof(*findings->list));
	findings->list[findings->n++] = (struct verify_finding){
	    mem_str(about), mem_str(text) };
}

void
verify_findings_free(struct verify_findings *findings)
{
	for (size_t i = 0; i < findings->n; i++) {
		free(findings->list[i].about);
		free(findings->list[i].text);
	}
	free(findings->list);
	*findings = (struct verify_findings){ 0 };
}

/* Says what is wrong with the record at hand; true, for that is an answer. */
static bool
say(struct verifier *v, const char *text)
{
	static const char *const names[TABLE_COUNT] = {
		[TABLE_META] = "record", [TABLE_CERTS] = "certificate",
		[TABLE_KEYS] = "private key", [TABLE_INDEX] = "index entry",
		[TABLE_CRLS] = "revocation list", [TABLE_EVENTS] = "event",
	};
	char	 hex[2 * 20 + 1], *about;
	size_t	 n = v->key_len < 20 ? v->key_len : 20;

	if (v->table == TABLE_CERTS || v->table == TABLE_KEYS)
		n = v->key_len < 8 ? v->key_len : 8;
	text_hex(v->key, n, hex);
	about = mem_strf("%s %s%s", names[v->table], hex,
	    n < v->key_len ? "..." : "");
	verify_add(v->findings, about, text);
	free(about);
	return true;
}

/* What could not be asked is no finding: the store cannot be read. */
static bool
say_unless_temp(struct verifier *v, struct err *err)
{
	if (err->kind == ERR_TEMP)
		return false;
	return say(v, err->reason);
}

/* --- each kind of record ------------------------------------------------------ */

static bool
check_meta(struct verifier *v)
{
	static const char *const known[] = { "check", "stamp", "version" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (v->key_len == strlen(known[i]) &&
		    memcmp(v->key, known[i], v->key_len) == 0)
			return true;
	return say(v, "nobody knows what it is");
}

/* Do the facts kept say what the certificate does? */
static bool
check_facts(struct verifier *v, struct cert_record *record)
{
	struct cert_facts	 kept = record->facts;
	struct buf		 before = { 0 }, after = { 0 };
	struct err		 why;
	bool			 is_same;

	record_encode_cert(record, &before);
	if (!cert_read(record->der, record->der_len, &record->facts, &why)) {
		record->facts = kept;
		buf_free(&before);
		return say(v, why.reason);
	}
	record_encode_cert(record, &after);
	is_same = before.len == after.len && !before.failed &&
	    memcmp(before.data, after.data, before.len) == 0;
	if (!text_fp_equal(&record->facts.fp, &kept.fp))
		say(v, "its bytes are another certificate's");
	else if (!is_same)
		say(v, "what is kept of it is not what it states: remove it "
		    "and import it again");
	cert_facts_free(&record->facts);
	record->facts = kept;
	buf_free(&before);
	buf_free(&after);
	return true;
}

static bool
check_cert(struct verifier *v, const uint8_t *value, size_t len,
    struct err *err)
{
	struct cert_record	 record;
	struct err		 why;
	const char		*missing = NULL;
	char			*text;
	bool			 is_ok;

	if (!record_decode_cert(value, len, &record, &why))
		return say(v, why.reason);
	if (v->key_len != sizeof(record.facts.fp.bytes) ||
	    memcmp(record.facts.fp.bytes, v->key, v->key_len) != 0)
		say(v, "another certificate's record stands in its place");
	else
		check_facts(v, &record);
	is_ok = cert_index_missing(v->store, &record.facts, &missing, err);
	if (is_ok && missing != NULL) {
		text = mem_strf("the index does not lead to it by its %s",
		    missing);
		say(v, text);
		free(text);
	}
	record_free_cert(&record);
	return is_ok;
}

static bool
check_key(struct verifier *v, struct err *err)
{
	struct fingerprint_list	 fps;

	if (v->key_len != KEY_ID_LEN)
		return say(v, "its name is no public key's");
	if (!key_verify(v->store, v->key, err) && !say_unless_temp(v, err))
		return false;
	if (!cert_index_find(v->store, CERT_INDEX_SPKI, v->key, KEY_ID_LEN,
	    &fps, err))
		return false;
	free(fps.list);
	return fps.n > 0 || say(v, "no certificate with its public key is "
	    "there");
}

static bool
check_entry(struct verifier *v, struct err *err)
{
	bool	 is_true;

	if (!cert_index_is_true(v->store, v->key, v->key_len, &is_true, err))
		return false;
	return is_true || say(v, "leads to no certificate that it is true "
	    "of");
}

static bool
check_list(struct verifier *v, const uint8_t *value, size_t len)
{
	struct crl_record	 record;
	struct crl_revoked	 revoked[RECORD_REVOKED_MAX];
	struct err		 why;
	size_t			 n;

	/* Either a list's head or a page of it (revoke.c). */
	if (record_decode_crl(value, len, &record, &why))
		record_free_crl(&record);
	else if (!record_decode_revoked(value, len, revoked, &n, &why))
		return say(v, why.reason);
	return true;
}

static bool
check_event(struct verifier *v, const uint8_t *value, size_t len)
{
	struct event	 event;
	struct err	 why;

	if (!event_decode(value, len, &event, &why))
		return say(v, why.reason);
	event_free(&event);
	return true;
}

static bool
check_record(void *arg, const uint8_t *key, size_t key_len,
    const uint8_t *value, size_t len, bool *more, struct err *err)
{
	struct verifier	*v = arg;
	bool		 is_ok = true;

	v->key = key;
	v->key_len = key_len;
	switch (v->table) {
	case TABLE_META:
		is_ok = check_meta(v);
		break;
	case TABLE_CERTS:
		is_ok = check_cert(v, value, len, err);
		break;
	case TABLE_KEYS:
		is_ok = check_key(v, err);
		break;
	case TABLE_INDEX:
		is_ok = check_entry(v, err);
		break;
	case TABLE_CRLS:
		is_ok = check_list(v, value, len);
		break;
	case TABLE_EVENTS:
		is_ok = check_event(v, value, len);
		break;
	case TABLE_COUNT:
		break;
	}
	/* The first key that can follow. */
	buf_clear(v->cursor);
	buf_addc(v->cursor, (char)v->table);
	buf_add(v->cursor, key, key_len);
	buf_addc(v->cursor, '\0');
	*more = ++v->n < VERIFY_PAGE && v->findings->n < VERIFY_FINDINGS_MAX;
	return is_ok;
}

bool
verify_page(struct store *store, struct buf *cursor,
    struct verify_findings *findings, struct err *err)
{
	struct verifier	 v = { .store = store, .findings = findings,
			    .cursor = cursor };
	struct buf	 from = { 0 };
	bool		 is_ok = true;
	size_t		 table = cursor->len > 0 ? cursor->data[0] : 0;

	if (cursor->len > 0)
		buf_add(&from, cursor->data + 1, cursor->len - 1);
	for (; is_ok && table < TABLE_COUNT; table++) {
		v.table = (enum table)table;
		is_ok = table_walk(store, v.table, from.data, from.len,
		    check_record, &v, err);
		buf_clear(&from);
		if (v.n == VERIFY_PAGE || findings->n >= VERIFY_FINDINGS_MAX)
			break;
	}
	findings->n_records += v.n;
	if (table == TABLE_COUNT)
		buf_clear(cursor);
	buf_free(&from);
	return is_ok;
}
