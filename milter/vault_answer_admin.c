/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "milter/stats.h"
#include "milter/vault_answer_impl.h"
#include "milter/vault_upload.h"
#include "milter/vault_wire.h"
#include "store/dump.h"
#include "store/verify.h"

#define LIST_MAX	256	/* entries looked at for one packet */
#define PUT_MAX		4096	/* certificates in one packet */

static bool
put_entries(struct buf *answer, bool is_ok, struct cert_entry *list, size_t n)
{
	if (is_ok)
		wire_put_entries(answer, list, n);
	cert_entry_free(list, n);
	return is_ok;
}

bool
vault_answer_list(const struct vault *vault, struct wire_reader *r,
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
		return vault_answer_malformed(err);
	is_ok = custody_list(vault->custody, has_after ? &after : NULL,
	    max < LIST_MAX ? max : LIST_MAX, now, &list, &n, err);
	return put_entries(answer, is_ok, list, n);
}

bool
vault_answer_lookup(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	char			*what = wire_get_str(r);
	int64_t			 now = wire_get_i64(r);
	struct cert_entry	*list = NULL;
	size_t			 n = 0;
	bool			 is_ok = false;

	if (!wire_is_done(r) || what == NULL)
		vault_answer_malformed(err);
	else
		is_ok = custody_lookup(vault->custody, what, now, &list, &n,
		    err);
	free(what);
	return put_entries(answer, is_ok, list, n);
}

bool
vault_answer_chain(const struct vault *vault, struct wire_reader *r,
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
		return vault_answer_malformed(err);
	is_ok = custody_chain(vault->custody, &fp, now, &list, &n, err);
	return put_entries(answer, is_ok, list, n);
}

bool
vault_answer_put_certs(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	int64_t			 now = wire_get_i64(r);
	size_t			 n = wire_get_u32(r);
	struct put_cert		*certs;
	struct put_result	*results;
	bool			 is_ok = false;

	if (r->failed || n > PUT_MAX)
		return vault_answer_malformed(err);
	certs = mem_array(n, sizeof(*certs));
	results = mem_array(n, sizeof(*results));
	for (size_t i = 0; i < n; i++) {
		certs[i].der = wire_get_bytes(r, &certs[i].der_len);
		certs[i].state = (enum cert_state)wire_get_enum(r,
		    CERT_DISTRUSTED);
		certs[i].source = wire_get_str(r);
	}
	if (!wire_is_done(r))
		vault_answer_malformed(err);
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

bool
vault_answer_put_crl(const struct vault *vault, struct wire_reader *r,
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
	    err) : vault_answer_malformed(err);
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

bool
vault_answer_remove_crls(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct fingerprint	 fp;

	(void)answer;
	wire_get_fp(r, &fp);
	if (!wire_is_done(r))
		return vault_answer_malformed(err);
	return custody_remove_crls(vault->custody, &fp, err);
}

bool
vault_answer_put_key(const struct vault *vault, struct wire_reader *r,
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
		vault_answer_malformed(err);
	else
		is_ok = custody_put_key(vault->custody, &key, now, &result,
		    err);
	if (is_ok)
		wire_put_result(answer, &result);
	free(result.reason);
	free(source);
	return is_ok;
}

bool
vault_answer_get_key(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct fingerprint	 fp;
	enum key_protection	 protection = KEY_NONE;
	struct buf		 key = { .is_secret = true };
	bool			 is_ok;

	wire_get_fp(r, &fp);
	if (!wire_is_done(r))
		return vault_answer_malformed(err);
	is_ok = custody_get_key(vault->custody, &fp, &protection, &key, err);
	if (is_ok) {
		wire_put_u8(answer, (uint8_t)protection);
		wire_put_bytes(answer, key.data, key.len);
	}
	buf_free(&key);
	return is_ok;
}

bool
vault_answer_set_state(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct fingerprint	 fp;
	enum cert_state		 state;

	(void)answer;
	wire_get_fp(r, &fp);
	state = (enum cert_state)wire_get_enum(r, CERT_DISTRUSTED);
	if (!wire_is_done(r))
		return vault_answer_malformed(err);
	return custody_set_state(vault->custody, &fp, state, err);
}

bool
vault_answer_remove(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct fingerprint	 fp;
	bool			 key_only;

	(void)answer;
	wire_get_fp(r, &fp);
	key_only = wire_get_enum(r, 1) == 1;
	if (!wire_is_done(r))
		return vault_answer_malformed(err);
	return custody_remove(vault->custody, &fp, key_only, err);
}

bool
vault_answer_rewrap(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	size_t		 len, n = 0;
	const uint8_t	*new_master = wire_get_bytes(r, &len);
	int64_t		 now = wire_get_i64(r);

	if (!wire_is_done(r) || len != MASTER_KEY_LEN)
		return vault_answer_malformed(err);
	if (!custody_rewrap(vault->custody, new_master, now, &n, err))
		return false;
	wire_put_u32(answer, (uint32_t)n);
	return true;
}

bool
vault_answer_events(const struct vault *vault, struct wire_reader *r,
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
		vault_answer_malformed(err);
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

bool
vault_answer_records(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct buf	 cursor = { 0 }, rows = { 0 };
	size_t		 len, max;
	const uint8_t	*from = wire_get_bytes(r, &len);
	bool		 is_ok = false;

	max = wire_get_u32(r);
	buf_add(&cursor, from, len);
	if (!wire_is_done(r))
		vault_answer_malformed(err);
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

bool
vault_answer_verify(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct verify_findings	 findings = { 0 };
	struct buf		 cursor = { 0 };
	size_t			 len;
	const uint8_t		*from = wire_get_bytes(r, &len);
	bool			 is_ok = false;

	buf_add(&cursor, from, len);
	if (!wire_is_done(r))
		vault_answer_malformed(err);
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

bool
vault_answer_reload(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	(void)answer;
	if (!wire_is_done(r) || vault->reload == NULL)
		return vault_answer_malformed(err);
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

bool
vault_answer_status(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	(void)vault;
	if (!wire_is_done(r))
		return vault_answer_malformed(err);
	stats_walk(put_sample, answer);
	return true;
}

bool
vault_answer_troubles(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct stats_trouble	 trouble;

	(void)vault;
	if (!wire_is_done(r))
		return vault_answer_malformed(err);
	for (size_t i = 0; stats_trouble_at(i, &trouble); i++) {
		wire_put_i64(answer, trouble.when);
		wire_put_str(answer, trouble.text);
	}
	return true;
}
