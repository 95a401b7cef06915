/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "milter/snapshot.h"
#include "milter/stamp.h"
#include "milter/stats.h"
#include "milter/vault_answer.h"
#include "milter/vault_sign.h"
#include "milter/vault_upload.h"
#include "milter/vault_wire.h"
#include "store/dump.h"
#include "store/verify.h"

#define LIST_MAX	256	/* entries looked at for one packet */
#define PUT_MAX		4096	/* certificates in one packet */

enum vault_rights
vault_rights_of(enum role role)
{
	switch (role) {
	case ROLE_DIRECT:
		return VAULT_DIRECT;
	case ROLE_STAMP:
		return VAULT_STAMP;
	case ROLE_SEAL:
		break;
	}
	return VAULT_SEAL;
}

static bool
malformed(struct err *err)
{
	return err_set(err, ERR_BUG, "the request to the vault is malformed");
}

static bool
answer_find(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	char		*addr = wire_get_str(r);
	enum cert_use	 use = (enum cert_use)wire_get_enum(r,
	    CERT_USE_ENCRYPT);
	int64_t		 now = wire_get_i64(r);
	struct finding	*finding = NULL;
	bool		 is_ok = false;

	if (!wire_is_done(r) || addr == NULL)
		malformed(err);
	else
		is_ok = custody_find(vault->custody, addr, use, now, &finding,
		    err);
	if (is_ok)
		wire_put_finding(answer, finding);
	finding_free(finding);
	free(addr);
	return is_ok;
}

/* As many as there is room for, one at least; then the client asks again. */
static bool
find_some(const struct vault *vault, char **addrs, size_t n,
    enum cert_use use, int64_t now, struct buf *answer, struct err *err)
{
	struct buf	 found = { 0 };
	size_t		 n_found = 0;
	bool		 is_ok = true;

	while (is_ok && n_found < n) {
		struct finding	*finding = NULL;
		size_t		 before = found.len;

		is_ok = custody_find(vault->custody, addrs[n_found], use, now,
		    &finding, err);
		if (is_ok)
			wire_put_finding(&found, finding);
		finding_free(finding);
		if (n_found > 0 &&
		    found.len > WIRE_MAX - WIRE_HEADER - sizeof(uint32_t)) {
			found.len = before;
			break;
		}
		n_found++;
	}
	wire_put_u32(answer, (uint32_t)n_found);
	buf_add(answer, found.data, found.len);
	answer->failed |= found.failed;
	buf_free(&found);
	return is_ok;
}

static bool
answer_find_some(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	enum cert_use	 use = (enum cert_use)wire_get_enum(r,
	    CERT_USE_ENCRYPT);
	int64_t		 now = wire_get_i64(r);
	size_t		 n = wire_get_u32(r), n_read = 0;
	char		*addrs[WIRE_FIND_MAX];
	bool		 is_ok;

	while (n_read < n && n <= WIRE_FIND_MAX &&
	    (addrs[n_read] = wire_get_str(r)) != NULL)
		n_read++;
	if (n == 0 || n_read < n || !wire_is_done(r))
		is_ok = malformed(err);
	else
		is_ok = find_some(vault, addrs, n, use, now, answer, err);
	while (n_read > 0)
		free(addrs[--n_read]);
	return is_ok;
}

static bool
answer_sign(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct sign_request	 request;
	struct buf		 der = { .max = WIRE_MAX - 64 };
	bool			 is_ok = false;

	wire_get_sign_request(r, &request);
	if (!wire_is_done(r))
		malformed(err);
	else
		is_ok = vault_sign(vault, &request, &der, err);
	if (is_ok)
		wire_put_bytes(answer, der.data, der.len);
	buf_free(&der);
	wire_sign_request_clear(&request);
	return is_ok;
}

/* --- stamps ------------------------------------------------------------------- */

/* The time is the vault's: a filter cannot make a stamp that lasts longer. */
static bool
answer_make_stamp(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct stamp_keys	 keys = { .n = 0 };
	struct stamp		 stamp;
	char			*text = NULL;
	bool			 is_ok = false;

	wire_get_stamp(r, &stamp);
	stamp.time = (int64_t)time(NULL);
	if (!wire_is_done(r))
		malformed(err);
	else
		is_ok = custody_stamp_keys(vault->custody, &keys, err) &&
		    stamp_make(&stamp, keys.list[0].bytes, &text, err);
	if (is_ok)
		wire_put_str(answer, text);
	stamp_key_wipe(&keys);
	stamp_clear(&stamp);
	free(text);
	return is_ok;
}

static bool
check_stamp(const struct vault *vault, const struct stamp_query *query,
    struct stamp *out, struct err *err)
{
	struct stamp_keys	 keys = { .n = 0 };
	struct snapshot		*snapshot;
	int64_t			 lifetime;
	bool			 is_ok;

	snapshot = snapshot_hold();
	lifetime = snapshot_config(snapshot)->stamp_lifetime;
	snapshot_release(snapshot);
	is_ok = custody_stamp_keys(vault->custody, &keys, err) &&
	    stamp_check(query, &keys, (int64_t)time(NULL), lifetime, out, err);
	stamp_key_wipe(&keys);
	return is_ok;
}

static bool
answer_check_stamp(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	char			*text = wire_get_str(r);
	char			*sender = wire_get_str(r);
	size_t			 len;
	const uint8_t		*digest = wire_get_bytes(r, &len);
	struct stamp_query	 query = { .text = text, .sender = sender };
	struct stamp		 stamp = { .time = 0 };
	bool			 is_ok = false;

	if (!wire_is_done(r) || text == NULL || sender == NULL ||
	    len != sizeof(query.digest))
		malformed(err);
	else {
		memcpy(query.digest, digest, sizeof(query.digest));
		is_ok = check_stamp(vault, &query, &stamp, err);
	}
	if (is_ok)
		wire_put_stamp(answer, &stamp);
	stamp_clear(&stamp);
	free(text);
	free(sender);
	return is_ok;
}

/* --- what administrators ask ---------------------------------------------------- */

static bool
put_entries(struct buf *answer, bool is_ok, struct cert_entry *list, size_t n)
{
	if (is_ok)
		wire_put_entries(answer, list, n);
	cert_entry_free(list, n);
	return is_ok;
}

/* A filter tells of its mails, and of nothing else. */
static bool
answer_note(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct event	 event;
	bool		 is_ok;

	(void)answer;
	wire_get_event(r, &event);
	is_ok = wire_is_done(r) && event.kind == EVENT_MAIL;
	if (is_ok)
		custody_note(vault->custody, &event);
	event_free(&event);
	return is_ok || malformed(err);
}

static bool
answer_list(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct fingerprint	 after;
	bool			 has_after = wire_get_enum(r, 1) == 1;
	size_t			 max, n = 0;
	int64_t			 now;
	struct cert_entry	*list = NULL;
	bool			 is_ok;

	if (has_after)
		wire_get_fp(r, &after);
	max = wire_get_u32(r);
	now = wire_get_i64(r);
	if (!wire_is_done(r))
		return malformed(err);
	is_ok = custody_list(vault->custody, has_after ? &after : NULL,
	    max < LIST_MAX ? max : LIST_MAX, now, &list, &n, err);
	return put_entries(answer, is_ok, list, n);
}

static bool
answer_lookup(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	char			*what = wire_get_str(r);
	int64_t			 now = wire_get_i64(r);
	struct cert_entry	*list = NULL;
	size_t			 n = 0;
	bool			 is_ok = false;

	if (!wire_is_done(r) || what == NULL)
		malformed(err);
	else
		is_ok = custody_lookup(vault->custody, what, now, &list, &n,
		    err);
	free(what);
	return put_entries(answer, is_ok, list, n);
}

static bool
answer_chain(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct fingerprint	 fp;
	int64_t			 now;
	struct cert_entry	*list = NULL;
	size_t			 n = 0;
	bool			 is_ok;

	wire_get_fp(r, &fp);
	now = wire_get_i64(r);
	if (!wire_is_done(r))
		return malformed(err);
	is_ok = custody_chain(vault->custody, &fp, now, &list, &n, err);
	return put_entries(answer, is_ok, list, n);
}

static bool
answer_put_certs(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	int64_t			 now = wire_get_i64(r);
	size_t			 n = wire_get_u32(r);
	struct put_cert		*certs;
	struct put_result	*results;
	bool			 is_ok = false;

	if (r->failed || n > PUT_MAX)
		return malformed(err);
	certs = mem_array(n, sizeof(*certs));
	results = mem_array(n, sizeof(*results));
	for (size_t i = 0; i < n; i++) {
		certs[i].der = wire_get_bytes(r, &certs[i].der_len);
		certs[i].state = (enum cert_state)wire_get_enum(r,
		    CERT_DISTRUSTED);
		certs[i].source = wire_get_str(r);
	}
	if (!wire_is_done(r))
		malformed(err);
	else
		is_ok = custody_put_certs(vault->custody, certs, n, now,
		    results, err);
	for (size_t i = 0; i < n; i++) {
		if (is_ok)
			wire_put_result(answer, &results[i]);
		free(results[i].reason);
		free((char *)(uintptr_t)certs[i].source);
	}
	free(results);
	free(certs);
	return is_ok;
}

static bool
answer_put_crl(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct wire_piece	 piece;
	struct put_crl		 crl = { 0 };
	struct put_result	 result = { 0 };
	struct buf		 whole = { 0 };
	char			*source;
	int64_t			 now;
	bool			 is_ok, is_whole = false;

	wire_get_piece(r, &piece);
	crl.source = source = wire_get_str(r);
	crl.is_dry_run = wire_get_enum(r, 1) == 1;
	now = wire_get_i64(r);
	is_ok = wire_is_done(r) ? vault_upload_add(&piece, &whole, &is_whole,
	    err) : malformed(err);
	if (is_ok && is_whole) {
		crl.der = whole.data;
		crl.der_len = whole.len;
		is_ok = custody_put_crl(vault->custody, &crl, now, &result,
		    err);
		if (is_ok)
			wire_put_result(answer, &result);
	}
	free(result.reason);
	buf_free(&whole);
	free(source);
	return is_ok;
}

static bool
answer_remove_crls(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct fingerprint	 fp;

	(void)answer;
	wire_get_fp(r, &fp);
	if (!wire_is_done(r))
		return malformed(err);
	return custody_remove_crls(vault->custody, &fp, err);
}

static bool
answer_put_key(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct put_key		 key = { 0 };
	struct put_result	 result = { 0 };
	char			*source;
	int64_t			 now;
	bool			 is_ok = false;

	key.plain = wire_get_bytes(r, &key.plain_len);
	key.wrapped = wire_get_bytes(r, &key.wrapped_len);
	if (key.wrapped_len == 0)
		key.wrapped = NULL;
	key.source = source = wire_get_str(r);
	now = wire_get_i64(r);
	if (!wire_is_done(r))
		malformed(err);
	else
		is_ok = custody_put_key(vault->custody, &key, now, &result,
		    err);
	if (is_ok)
		wire_put_result(answer, &result);
	free(result.reason);
	free(source);
	return is_ok;
}

static bool
answer_get_key(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct fingerprint	 fp;
	enum key_protection	 protection = KEY_NONE;
	struct buf		 key = { .is_secret = true };
	bool			 is_ok;

	wire_get_fp(r, &fp);
	if (!wire_is_done(r))
		return malformed(err);
	is_ok = custody_get_key(vault->custody, &fp, &protection, &key, err);
	if (is_ok) {
		wire_put_u8(answer, (uint8_t)protection);
		wire_put_bytes(answer, key.data, key.len);
	}
	buf_free(&key);
	return is_ok;
}

static bool
answer_set_state(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct fingerprint	 fp;
	enum cert_state		 state;

	(void)answer;
	wire_get_fp(r, &fp);
	state = (enum cert_state)wire_get_enum(r, CERT_DISTRUSTED);
	if (!wire_is_done(r))
		return malformed(err);
	return custody_set_state(vault->custody, &fp, state, err);
}

static bool
answer_remove(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct fingerprint	 fp;
	bool			 key_only;

	(void)answer;
	wire_get_fp(r, &fp);
	key_only = wire_get_enum(r, 1) == 1;
	if (!wire_is_done(r))
		return malformed(err);
	return custody_remove(vault->custody, &fp, key_only, err);
}

static bool
answer_rewrap(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	size_t		 len, n = 0;
	const uint8_t	*new_master = wire_get_bytes(r, &len);
	int64_t		 now = wire_get_i64(r);

	if (!wire_is_done(r) || len != MASTER_KEY_LEN)
		return malformed(err);
	if (!custody_rewrap(vault->custody, new_master, now, &n, err))
		return false;
	wire_put_u32(answer, (uint32_t)n);
	return true;
}

static bool
answer_events(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct event_query	 query = { 0 };
	struct event_cursor	 cursor;
	struct event_page	 page = { 0 };
	char			*addr;
	bool			 is_ok = false;

	query.addr = addr = wire_get_str(r);
	query.is_failed = wire_get_enum(r, 1) == 1;
	query.max = wire_get_u32(r);
	wire_get_cursor(r, &cursor);
	/* What is not in the packet would be passed over. */
	if (query.max > WIRE_EVENTS_MAX)
		query.max = WIRE_EVENTS_MAX;
	if (!wire_is_done(r))
		malformed(err);
	else
		is_ok = custody_events(vault->custody, &query, &cursor, &page,
		    err);
	if (is_ok) {
		wire_put_cursor(answer, &cursor);
		wire_put_u8(answer, page.is_end);
		wire_put_u32(answer, (uint32_t)page.n);
		for (size_t i = 0; i < page.n; i++)
			wire_put_event(answer, &page.list[i]);
	}
	event_page_free(&page);
	free(addr);
	return is_ok;
}

static bool
answer_records(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct buf	 cursor = { 0 }, rows = { 0 };
	size_t		 len, max;
	const uint8_t	*from = wire_get_bytes(r, &len);
	bool		 is_ok = false;

	max = wire_get_u32(r);
	buf_add(&cursor, from, len);
	if (!wire_is_done(r))
		malformed(err);
	else
		is_ok = custody_records(vault->custody, &cursor,
		    max < DUMP_ROW_MAX ? max : DUMP_ROW_MAX, &rows, err);
	if (is_ok) {
		wire_put_bytes(answer, cursor.data, cursor.len);
		wire_put_bytes(answer, rows.data, rows.len);
	}
	buf_free(&cursor);
	buf_free(&rows);
	return is_ok;
}

static bool
answer_verify(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct verify_findings	 findings = { 0 };
	struct buf		 cursor = { 0 };
	size_t			 len;
	const uint8_t		*from = wire_get_bytes(r, &len);
	bool			 is_ok = false;

	buf_add(&cursor, from, len);
	if (!wire_is_done(r))
		malformed(err);
	else
		is_ok = custody_verify(vault->custody, &cursor, &findings,
		    err);
	if (is_ok) {
		wire_put_bytes(answer, cursor.data, cursor.len);
		wire_put_u32(answer, (uint32_t)findings.n_records);
		wire_put_u32(answer, (uint32_t)findings.n);
	}
	for (size_t i = 0; is_ok && i < findings.n; i++) {
		wire_put_str(answer, findings.list[i].about);
		wire_put_str(answer, findings.list[i].text);
	}
	verify_findings_free(&findings);
	buf_free(&cursor);
	return is_ok;
}

static bool
answer_reload(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	(void)answer;
	if (!wire_is_done(r) || vault->reload == NULL)
		return malformed(err);
	return vault->reload(vault->arg, err);
}

static void
put_sample(void *arg, const struct stats_sample *sample)
{
	struct buf	*answer = arg;
	char		 value[32];

	/* There may be many groups; the metrics tell of each. */
	if (strcmp(sample->name, "smime_milter_group_mails_total") == 0)
		return;
	snprintf(value, sizeof(value), "%.17g", sample->value);
	wire_put_str(answer, sample->name);
	wire_put_str(answer, sample->suffix);
	wire_put_str(answer, sample->labels);
	wire_put_str(answer, value);
}

static bool
answer_status(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	(void)vault;
	if (!wire_is_done(r))
		return malformed(err);
	stats_walk(put_sample, answer);
	return true;
}

static bool
answer_troubles(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct stats_trouble	 trouble;

	(void)vault;
	if (!wire_is_done(r))
		return malformed(err);
	for (size_t i = 0; stats_trouble_at(i, &trouble); i++) {
		wire_put_i64(answer, trouble.when);
		wire_put_str(answer, trouble.text);
	}
	return true;
}

typedef bool answer_fn(const struct vault *, struct wire_reader *,
	    struct buf *, struct err *);

#define DIRECT	(1u << VAULT_DIRECT)
#define STAMP	(1u << VAULT_STAMP)
#define SEAL	(1u << VAULT_SEAL)
#define ADMIN	(1u << VAULT_ADMIN)
#define FILTERS	(DIRECT | STAMP | SEAL)

static const struct {
	enum wire_op	 op;
	unsigned	 rights;	/* whose request it may be */
	bool		 has_who;	/* begins with who asks */
	answer_fn	*answer;
} calls[] = {
	{ WIRE_FIND, FILTERS | ADMIN, false, answer_find },
	{ WIRE_SIGN, DIRECT | SEAL | ADMIN, false, answer_sign },
	{ WIRE_MAKE_STAMP, STAMP, false, answer_make_stamp },
	{ WIRE_CHECK_STAMP, SEAL, false, answer_check_stamp },
	{ WIRE_FIND_SOME, FILTERS | ADMIN, false, answer_find_some },
	{ WIRE_NOTE, FILTERS | ADMIN, false, answer_note },
	{ WIRE_LIST, ADMIN, false, answer_list },
	{ WIRE_LOOKUP, ADMIN, false, answer_lookup },
	{ WIRE_PUT_CERTS, ADMIN, true, answer_put_certs },
	{ WIRE_PUT_KEY, ADMIN, true, answer_put_key },
	{ WIRE_GET_KEY, ADMIN, true, answer_get_key },
	{ WIRE_CHAIN, ADMIN, false, answer_chain },
	{ WIRE_SET_STATE, ADMIN, true, answer_set_state },
	{ WIRE_REMOVE, ADMIN, true, answer_remove },
	{ WIRE_RELOAD, ADMIN, false, answer_reload },
	{ WIRE_STATUS, ADMIN, false, answer_status },
	{ WIRE_TROUBLES, ADMIN, false, answer_troubles },
	{ WIRE_PUT_CRL, ADMIN, true, answer_put_crl },
	{ WIRE_REMOVE_CRLS, ADMIN, true, answer_remove_crls },
	{ WIRE_REWRAP, ADMIN, true, answer_rewrap },
	{ WIRE_EVENTS, ADMIN, false, answer_events },
	{ WIRE_RECORDS, ADMIN, false, answer_records },
	{ WIRE_VERIFY, ADMIN, false, answer_verify },
};

/*
 * In the name of whoever asks.  Only administrators get here, so they are
 * believed.
 */
static bool
answer_as(const struct vault *vault, answer_fn *answer_call,
    struct wire_reader *r, struct buf *answer, struct err *err)
{
	struct vault	 named = *vault;
	char		*who = wire_get_str(r);
	bool		 is_ok;

	named.custody = custody_as(vault->custody, who == NULL ? "" : who);
	is_ok = answer_call(&named, r, answer, err);
	custody_close(named.custody);
	free(who);
	return is_ok;
}

static bool
dispatch(const struct vault *vault, enum vault_rights rights, uint8_t op,
    struct wire_reader *r, struct buf *answer, struct err *err)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (calls[i].op != op)
			continue;
		if ((calls[i].rights & 1u << rights) == 0)
			break;
		if (calls[i].has_who)
			return answer_as(vault, calls[i].answer, r, answer,
			    err);
		return calls[i].answer(vault, r, answer, err);
	}
	return err_set(err, ERR_BUG, "request %u is not answered here", op);
}

static void
put_header(struct buf *answer, enum err_kind kind, uint32_t id)
{
	wire_put_u8(answer, WIRE_VERSION);
	wire_put_u8(answer, (uint8_t)kind);
	wire_put_u32(answer, id);
}

void
vault_answer(const struct vault *vault, enum vault_rights rights,
    const uint8_t *request, size_t len, struct buf *answer)
{
	struct wire_reader	 reader = { .p = request, .left = len };
	uint8_t			 version = wire_get_u8(&reader);
	uint8_t			 op = wire_get_u8(&reader);
	uint32_t		 id = wire_get_u32(&reader);
	struct err		 err = { 0 };
	bool			 is_ok;

	answer->max = WIRE_MAX;
	answer->is_secret = op == WIRE_GET_KEY;
	put_header(answer, ERR_NONE, id);
	if (reader.failed || version != WIRE_VERSION)
		is_ok = malformed(&err);
	else
		is_ok = dispatch(vault, rights, op, &reader, answer, &err) &&
		    buf_ok(answer, "the vault's answer", &err);
	/* Whoever told of something does not wait for an answer. */
	if (op == WIRE_NOTE)
		buf_clear(answer);
	if (is_ok || op == WIRE_NOTE)
		return;
	buf_clear(answer);
	put_header(answer, err.kind == ERR_NONE ? ERR_BUG : err.kind, id);
	wire_put_str(answer, err.reason);
}
