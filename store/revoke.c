/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/cert_index.h"
#include "store/record.h"
#include "store/revoke.h"
#include "store/table.h"

/*
 * Two kinds of rows, whose first byte tells them apart:
 *
 *	'h' CA scope		what the list says of itself
 *	'r' CA scope serial	a page of its entries, by the last one's number
 *
 * so that one serial number is found with one page, however long the list.
 */
#define ROW_HEAD	'h'
#define ROW_PAGE	'r'
#define CA_LEN		32
#define SCOPE_LEN	32
#define LIST_LEN	(1 + CA_LEN + SCOPE_LEN)	/* of a list's keys */
#define LISTS_MAX	256	/* of one CA */

/* A CA is a name and a key: SHA-256 over both, as its certificates tell. */
static bool
ca_id(const struct cert_facts *ca, uint8_t out[CA_LEN], struct err *err)
{
	uint8_t	 both[sizeof(ca->spki) + 4];

	memcpy(both, ca->spki, sizeof(ca->spki));
	for (int i = 0; i < 4; i++)
		both[sizeof(ca->spki) + (size_t)i] =
		    (uint8_t)(ca->subject_hash >> (24 - 8 * i));
	return EVP_Digest(both, sizeof(both), out, NULL, EVP_sha256(),
	    NULL) == 1 || err_openssl(err, ERR_TEMP, "hash a CA's name");
}

static void
list_key(char row, const uint8_t ca[CA_LEN], const uint8_t scope[SCOPE_LEN],
    uint8_t out[LIST_LEN])
{
	out[0] = (uint8_t)row;
	memcpy(out + 1, ca, CA_LEN);
	memcpy(out + 1 + CA_LEN, scope, SCOPE_LEN);
}

/* --- the lists of a CA ---------------------------------------------------- */

struct head {
	uint8_t			 scope[SCOPE_LEN];
	struct crl_record	 record;
};

struct heads {
	const uint8_t	*prefix;	/* 1 + CA_LEN bytes */
	struct head	*list;
	size_t		 n;
};

static bool
add_head(void *arg, const uint8_t *key, size_t key_len, const uint8_t *value,
    size_t len, bool *more, struct err *err)
{
	struct heads	*heads = arg;
	struct head	*head;

	if (key_len != LIST_LEN || memcmp(key, heads->prefix, 1 + CA_LEN) != 0) {
		*more = false;
		return true;
	}
	if (heads->n == LISTS_MAX)
		return err_set(err, ERR_TEMP, "more than %d revocation lists "
		    "of one CA in the store", LISTS_MAX);
	heads->list = mem_grow(heads->list, heads->n + 1,
	    sizeof(*heads->list));
	head = &heads->list[heads->n];
	memcpy(head->scope, key + 1 + CA_LEN, SCOPE_LEN);
	if (!record_decode_crl(value, len, &head->record, err)) {
		err->kind = ERR_TEMP;
		return err_prefix(err, "a revocation list");
	}
	heads->n++;
	return true;
}

static void
heads_free(struct heads *heads)
{
	for (size_t i = 0; i < heads->n; i++)
		record_free_crl(&heads->list[i].record);
	free(heads->list);
	*heads = (struct heads){ 0 };
}

static bool
heads_of(struct store *store, const uint8_t ca[CA_LEN], struct heads *out,
    struct err *err)
{
	uint8_t	 prefix[1 + CA_LEN];
	bool	 is_ok;

	prefix[0] = ROW_HEAD;
	memcpy(prefix + 1, ca, CA_LEN);
	*out = (struct heads){ .prefix = prefix };
	is_ok = table_walk(store, TABLE_CRLS, prefix, sizeof(prefix), add_head,
	    out, err);
	out->prefix = NULL;
	if (!is_ok)
		heads_free(out);
	return is_ok;
}

bool
revoke_lists(struct store *store, const struct cert_facts *ca,
    struct crl_entry **out, size_t *n, struct err *err)
{
	struct heads	 heads;
	uint8_t		 id[CA_LEN];

	*out = NULL;
	*n = 0;
	if (!ca_id(ca, id, err) || !heads_of(store, id, &heads, err))
		return false;
	*out = mem_array(heads.n, sizeof(**out));
	*n = heads.n;
	for (size_t i = 0; i < heads.n; i++) {
		const struct crl_record	*record = &heads.list[i].record;

		(*out)[i] = (struct crl_entry){
		    .added = record->added,
		    .this_update = record->this_update,
		    .next_update = record->next_update,
		    .n_revoked = record->n_revoked };
	}
	heads_free(&heads);
	return true;
}

/* --- looking for a serial number ------------------------------------------ */

struct search {
	uint8_t			 key[LIST_LEN];
	struct crl_serial	 serial;
	struct crl_revoked	*hit;
	bool			 found;
};

static bool
look_at_page(void *arg, const uint8_t *key, size_t key_len,
    const uint8_t *value, size_t len, bool *more, struct err *err)
{
	struct search		*search = arg;
	struct crl_revoked	 page[RECORD_REVOKED_MAX];
	size_t			 n;

	/* The first page that does not end before the number, or none. */
	*more = false;
	if (key_len < LIST_LEN || memcmp(key, search->key, LIST_LEN) != 0)
		return true;
	if (!record_decode_revoked(value, len, page, &n, err)) {
		err->kind = ERR_TEMP;
		return err_prefix(err, "a revocation list");
	}
	for (size_t i = 0; i < n && !search->found; i++) {
		search->found = crl_serial_compare(&page[i].serial,
		    &search->serial) == 0;
		if (search->found)
			*search->hit = page[i];
	}
	return true;
}

static bool
find_in_list(struct store *store, struct search *search, struct err *err)
{
	uint8_t	 from[LIST_LEN + CRL_SERIAL_MAX + 1];

	memcpy(from, search->key, LIST_LEN);
	memcpy(from + LIST_LEN, search->serial.bytes, search->serial.len);
	return table_walk(store, TABLE_CRLS, from,
	    LIST_LEN + search->serial.len, look_at_page, search, err);
}

bool
revoke_find(struct store *store, const struct cert_facts *ca,
    const ASN1_INTEGER *serial, struct crl_revoked *hit, bool *found,
    struct err *err)
{
	struct search	 search = { .hit = hit };
	struct heads	 heads;
	uint8_t		 id[CA_LEN];
	bool		 is_ok = true;

	*found = false;
	/* A longer one can be on no list that is taken. */
	if (!crl_serial(serial, &search.serial))
		return true;
	if (!ca_id(ca, id, err) || !heads_of(store, id, &heads, err))
		return false;
	for (size_t i = 0; is_ok && !search.found && i < heads.n; i++) {
		list_key(ROW_PAGE, id, heads.list[i].scope, search.key);
		is_ok = find_in_list(store, &search, err);
	}
	heads_free(&heads);
	*found = search.found;
	return is_ok;
}

/* --- whose a list is ------------------------------------------------------ */

enum authorship {
	NOT_BY_NAME,
	NOT_BY_KEY,
	MAY_NOT,	/* its key usage lacks cRLSign (RFC 5280, 4.2.1.3) */
	IS_AUTHOR
};

static enum authorship
authorship(const struct crl *crl, const struct cert_record *record)
{
	struct err	 ignored;
	X509		*ca = cert_parse(record->der, record->der_len, &ignored);
	EVP_PKEY	*key = ca == NULL ? NULL : X509_get0_pubkey(ca);
	enum authorship	 is = IS_AUTHOR;

	if (!record->facts.is_ca || key == NULL ||
	    X509_NAME_cmp(X509_get_subject_name(ca),
	    X509_CRL_get_issuer(crl->x509)) != 0)
		is = NOT_BY_NAME;
	else if (X509_CRL_verify(crl->x509, key) != 1)
		is = NOT_BY_KEY;
	else if ((X509_get_key_usage(ca) & KU_CRL_SIGN) == 0)
		is = MAY_NOT;
	X509_free(ca);
	ERR_clear_error();
	return is;
}

/* The best that any certificate of that name says. */
static bool
find_author(struct store *store, const struct crl *crl, uint8_t id[CA_LEN],
    enum authorship *best, struct err *err)
{
	struct fingerprint_list	 fps;
	struct cert_record	 record;
	bool			 is_ok;

	*best = NOT_BY_NAME;
	is_ok = cert_index_find_subject(store, crl->issuer_hash, &fps, err);
	for (size_t i = 0; is_ok && *best != IS_AUTHOR && i < fps.n; i++) {
		enum authorship	 is;

		if (!(is_ok = cert_index_need(store, &fps.list[i], &record,
		    err)))
			break;
		if ((is = authorship(crl, &record)) > *best)
			*best = is;
		if (is == IS_AUTHOR)
			is_ok = ca_id(&record.facts, id, err);
		record_free_cert(&record);
	}
	free(fps.list);
	if (!is_ok)
		err->kind = ERR_TEMP;
	return is_ok;
}

/* --- change --------------------------------------------------------------- */

struct keys {
	uint8_t		 prefix[LIST_LEN];
	struct buf	 list;		/* length and bytes of each */
};

static bool
add_key(void *arg, const uint8_t *key, size_t key_len, const uint8_t *value,
    size_t len, bool *more, struct err *err)
{
	struct keys	*keys = arg;

	(void)value;
	(void)len;
	if (key_len < LIST_LEN || key_len > UINT8_MAX ||
	    memcmp(key, keys->prefix, LIST_LEN) != 0) {
		*more = false;
		return true;
	}
	buf_addc(&keys->list, (char)key_len);
	buf_add(&keys->list, key, key_len);
	return buf_ok(&keys->list, "a revocation list's keys", err);
}

static bool
remove_list(struct store *store, const uint8_t ca[CA_LEN],
    const uint8_t scope[SCOPE_LEN], struct err *err)
{
	struct keys	 keys = { .list = { 0 } };
	uint8_t		 head[LIST_LEN];
	bool		 is_ok;

	list_key(ROW_PAGE, ca, scope, keys.prefix);
	is_ok = table_walk(store, TABLE_CRLS, keys.prefix, LIST_LEN, add_key,
	    &keys, err);
	for (size_t at = 0; is_ok && at < keys.list.len;
	    at += 1 + keys.list.data[at])
		is_ok = table_delete(store, TABLE_CRLS,
		    keys.list.data + at + 1, keys.list.data[at], err);
	buf_free(&keys.list);
	list_key(ROW_HEAD, ca, scope, head);
	return is_ok && table_delete(store, TABLE_CRLS, head, LIST_LEN, err);
}

static bool
write_pages(struct store *store, const uint8_t ca[CA_LEN],
    const struct crl *crl, struct err *err)
{
	uint8_t		 key[LIST_LEN + CRL_SERIAL_MAX + 1];
	struct buf	 bytes = { 0 };
	bool		 is_ok = true;

	list_key(ROW_PAGE, ca, crl->scope, key);
	for (size_t i = 0, n; is_ok && i < crl->n; i += n) {
		const struct crl_serial	*last;

		n = crl->n - i < RECORD_REVOKED_MAX ? crl->n - i :
		    RECORD_REVOKED_MAX;
		last = &crl->list[i + n - 1].serial;
		memcpy(key + LIST_LEN, last->bytes, last->len);
		record_encode_revoked(crl->list + i, n, &bytes);
		is_ok = buf_ok(&bytes, "a revocation list", err) &&
		    table_put(store, TABLE_CRLS, key, LIST_LEN + last->len,
		    bytes.data, bytes.len, err);
	}
	buf_free(&bytes);
	return is_ok;
}

static bool
write_list(struct store *store, const uint8_t ca[CA_LEN],
    const struct crl *crl, const char *source, int64_t now, struct err *err)
{
	struct crl_record	 record = { .fp = crl->fp, .added = now,
				    .this_update = crl->this_update,
				    .next_update = crl->next_update,
				    .n_revoked = (uint32_t)crl->n,
				    /* Borrowed: the record is only written. */
				    .issuer = crl->issuer,
				    .source = (char *)(uintptr_t)source };
	uint8_t			 key[LIST_LEN];
	struct buf		 bytes = { 0 };
	bool			 is_ok;

	memcpy(record.number, crl->number, sizeof(record.number));
	list_key(ROW_HEAD, ca, crl->scope, key);
	record_encode_crl(&record, &bytes);
	is_ok = buf_ok(&bytes, "a revocation list", err) &&
	    table_put(store, TABLE_CRLS, key, LIST_LEN, bytes.data, bytes.len,
	    err) && write_pages(store, ca, crl, err);
	buf_free(&bytes);
	return is_ok;
}

/* By number, where both have one (RFC 5280, 5.2.3); else by date. */
static bool
is_newer(const struct crl *crl, const struct crl_record *old)
{
	size_t	 len = strlen(crl->number), old_len = strlen(old->number);
	int	 order = 0;

	if (len != 0 && old_len != 0)
		order = len != old_len ? (len > old_len ? 1 : -1) :
		    strcmp(crl->number, old->number);
	return order > 0 ||
	    (order == 0 && crl->this_update > old->this_update);
}

static bool
refuse_take(struct put_result *result, char *reason)
{
	result->verdict = PUT_REFUSED;
	result->reason = reason;
	return true;
}

/* Beside what is here: another scope, newer, the same, or older. */
static void
compare_with_old(const struct heads *heads, const struct crl *crl,
    struct put_result *result)
{
	for (size_t i = 0; i < heads->n; i++) {
		const struct crl_record	*old = &heads->list[i].record;
		char			 date[TEXT_TIME_LEN];

		if (memcmp(heads->list[i].scope, crl->scope, SCOPE_LEN) != 0)
			continue;
		if (text_fp_equal(&old->fp, &crl->fp)) {
			result->verdict = PUT_KNOWN;
		} else if (!is_newer(crl, old)) {
			text_date(old->this_update, date);
			refuse_take(result, mem_strf("a newer list of this CA "
			    "is here, of %s", date));
		}
		return;
	}
	if (heads->n == LISTS_MAX)
		refuse_take(result, mem_strf("there are %d lists of this CA "
		    "already", LISTS_MAX));
}

static bool
put_by(struct store *store, const uint8_t ca[CA_LEN], const struct crl *crl,
    const struct put_crl *put, int64_t now, struct put_result *result,
    struct err *err)
{
	struct heads	 heads;

	if (!heads_of(store, ca, &heads, err))
		return false;
	result->verdict = PUT_ADDED;
	compare_with_old(&heads, crl, result);
	heads_free(&heads);
	if (result->verdict != PUT_ADDED || put->is_dry_run)
		return true;
	return remove_list(store, ca, crl->scope, err) &&
	    write_list(store, ca, crl, put->source, now, err);
}

bool
revoke_put(struct store *store, const struct crl *crl,
    const struct put_crl *put, int64_t now, struct put_result *result,
    struct err *err)
{
	uint8_t		 ca[CA_LEN];
	enum authorship	 author;
	char		 date[TEXT_TIME_LEN];

	memset(result, 0, sizeof(*result));
	if (crl->this_update > now) {
		text_date(crl->this_update, date);
		return refuse_take(result, mem_strf("the list is not valid "
		    "before %s", date));
	}
	if (!find_author(store, crl, ca, &author, err))
		return false;
	switch (author) {
	case NOT_BY_NAME:
		return refuse_take(result, mem_strf("its CA is not in the "
		    "store: import the certificate of %s first", crl->issuer));
	case NOT_BY_KEY:
		return refuse_take(result, mem_strf("it is not signed by the "
		    "CA whose name it bears, %s", crl->issuer));
	case MAY_NOT:
		return refuse_take(result, mem_strf("by its key usage the CA "
		    "%s must not sign revocation lists", crl->issuer));
	case IS_AUTHOR:
		break;
	}
	return put_by(store, ca, crl, put, now, result, err);
}

bool
revoke_remove(struct store *store, const struct cert_facts *ca, size_t *n,
    struct err *err)
{
	struct heads	 heads;
	uint8_t		 id[CA_LEN];
	bool		 is_ok = true;

	if (!ca_id(ca, id, err) || !heads_of(store, id, &heads, err))
		return false;
	*n = heads.n;
	for (size_t i = 0; is_ok && i < heads.n; i++)
		is_ok = remove_list(store, id, heads.list[i].scope, err);
	heads_free(&heads);
	return is_ok;
}

bool
revoke_remove_orphans(struct store *store, const struct cert_facts *ca,
    struct err *err)
{
	struct fingerprint_list	 fps;
	struct cert_record	 record;
	size_t			 n;
	bool			 is_ok, has_other = false;

	if (!ca->is_ca)
		return true;
	is_ok = cert_index_find(store, CERT_INDEX_SPKI, ca->spki,
	    sizeof(ca->spki), &fps, err);
	for (size_t i = 0; is_ok && !has_other && i < fps.n; i++)
		if ((is_ok = cert_index_need(store, &fps.list[i], &record,
		    err))) {
			has_other = record.facts.is_ca &&
			    record.facts.subject_hash == ca->subject_hash;
			record_free_cert(&record);
		}
	free(fps.list);
	return is_ok && (has_other || revoke_remove(store, ca, &n, err));
}
