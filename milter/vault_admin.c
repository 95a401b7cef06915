/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/mem.h"
#include "milter/vault_admin.h"
#include "milter/vault_call.h"
#include "store/verify.h"

/* Certificates in one transaction: mail is looked up for in between. */
#define PUT_MAX	100

static bool
get_entries(struct vault_line *line, struct vault_call *call,
    struct cert_entry **out, size_t *n, struct err *err)
{
	bool	 is_ok = vault_call_ask(line, call, err);

	*out = NULL;
	*n = 0;
	if (is_ok)
		wire_get_entries(&call->reader, out, n);
	is_ok = vault_call_end(call, is_ok, err);
	if (!is_ok) {
		cert_entry_free(*out, *n);
		*out = NULL;
		*n = 0;
	}
	return is_ok;
}

bool
vault_admin_list(void *arg, const struct fingerprint *after, size_t max,
    int64_t now, struct cert_entry **out, size_t *n, struct err *err)
{
	struct vault_call	 call;

	vault_call_begin(&call, WIRE_LIST);
	wire_put_u8(&call.request, after != NULL);
	if (after != NULL)
		wire_put_fp(&call.request, after);
	wire_put_u32(&call.request, max > UINT32_MAX ? UINT32_MAX :
	    (uint32_t)max);
	wire_put_i64(&call.request, now);
	return get_entries(arg, &call, out, n, err);
}

bool
vault_admin_lookup(void *arg, const char *what, int64_t now,
    struct cert_entry **out, size_t *n, struct err *err)
{
	struct vault_call	 call;

	vault_call_begin(&call, WIRE_LOOKUP);
	wire_put_str(&call.request, what);
	wire_put_i64(&call.request, now);
	return get_entries(arg, &call, out, n, err);
}

bool
vault_admin_chain(void *arg, const struct fingerprint *fp, int64_t now,
    struct cert_entry **out, size_t *n, struct err *err)
{
	struct vault_call	 call;

	vault_call_begin(&call, WIRE_CHAIN);
	wire_put_fp(&call.request, fp);
	wire_put_i64(&call.request, now);
	return get_entries(arg, &call, out, n, err);
}

/* One packet's worth, from *done on; *done is where the next begins. */
static bool
put_some(struct vault_line *line, const char *who, const struct put_cert *certs,
    size_t n, int64_t now, struct put_result *results, size_t *done,
    struct err *err)
{
	struct vault_call	 call;
	size_t			 count = 0, room = WIRE_MAX - 1024;
	bool			 is_ok;

	while (*done + count < n && count < PUT_MAX) {
		const struct put_cert	*c = &certs[*done + count];
		size_t			 need = c->der_len + 16 +
		    (c->source == NULL ? 0 : strlen(c->source));

		if (need > room)
			break;
		room -= need;
		count++;
	}
	if (count == 0)
		return err_set(err, ERR_DATA, "a certificate of %zu bytes is "
		    "too large for the vault", certs[*done].der_len);
	vault_call_begin(&call, WIRE_PUT_CERTS);
	wire_put_str(&call.request, who);
	wire_put_i64(&call.request, now);
	wire_put_u32(&call.request, (uint32_t)count);
	for (size_t i = *done; i < *done + count; i++) {
		wire_put_bytes(&call.request, certs[i].der, certs[i].der_len);
		wire_put_u8(&call.request, (uint8_t)certs[i].state);
		wire_put_str(&call.request, certs[i].source);
	}
	is_ok = vault_call_ask(line, &call, err);
	for (size_t i = *done; is_ok && i < *done + count; i++)
		wire_get_result(&call.reader, &results[i]);
	*done += count;
	return vault_call_end(&call, is_ok, err);
}

bool
vault_admin_put_certs(void *arg, const char *who, const struct put_cert *certs,
    size_t n, int64_t now, struct put_result *results, struct err *err)
{
	size_t	 done = 0;

	memset(results, 0, n * sizeof(*results));
	while (done < n)
		if (!put_some(arg, who, certs, n, now, results, &done,
		    err))
			return false;
	return true;
}

/* One piece; with the last one comes the result. */
static bool
put_piece(struct vault_line *line, const char *who, const struct put_crl *crl,
    int64_t now, const struct wire_piece *piece, struct put_result *result,
    struct err *err)
{
	struct vault_call	 call;
	bool			 is_ok;

	vault_call_begin(&call, WIRE_PUT_CRL);
	wire_put_str(&call.request, who);
	wire_put_piece(&call.request, piece);
	wire_put_str(&call.request, crl->source);
	wire_put_u8(&call.request, crl->is_dry_run);
	wire_put_i64(&call.request, now);
	is_ok = vault_call_ask(line, &call, err);
	if (is_ok && piece->offset + piece->len == piece->total)
		wire_get_result(&call.reader, result);
	return vault_call_end(&call, is_ok, err);
}

bool
vault_admin_put_crl(void *arg, const char *who, const struct put_crl *crl,
    int64_t now, struct put_result *result, struct err *err)
{
	struct wire_piece	 piece = { .total = (uint32_t)crl->der_len };
	bool			 is_ok = true;

	memset(result, 0, sizeof(*result));
	if (crl->der_len > UINT32_MAX)
		return err_set(err, ERR_DATA, "a list of %zu bytes is too "
		    "large for the vault", crl->der_len);
	if (RAND_bytes(piece.token, sizeof(piece.token)) != 1)
		return err_openssl(err, ERR_TEMP, "no random bytes");
	for (size_t at = 0; is_ok && at < crl->der_len; at += piece.len) {
		piece.offset = (uint32_t)at;
		piece.data = crl->der + at;
		piece.len = crl->der_len - at < WIRE_PIECE ?
		    crl->der_len - at : WIRE_PIECE;
		is_ok = put_piece(arg, who, crl, now, &piece, result, err);
	}
	return is_ok;
}

bool
vault_admin_remove_crls(void *arg, const char *who,
    const struct fingerprint *fp, struct err *err)
{
	struct vault_call	 call;

	vault_call_begin(&call, WIRE_REMOVE_CRLS);
	wire_put_str(&call.request, who);
	wire_put_fp(&call.request, fp);
	return vault_call_end(&call, vault_call_ask(arg, &call, err), err);
}

bool
vault_admin_put_key(void *arg, const char *who, const struct put_key *key,
    int64_t now, struct put_result *result, struct err *err)
{
	struct vault_call	 call;
	bool			 is_ok;

	memset(result, 0, sizeof(*result));
	vault_call_begin(&call, WIRE_PUT_KEY);
	wire_put_str(&call.request, who);
	wire_put_bytes(&call.request, key->plain, key->plain_len);
	wire_put_bytes(&call.request, key->wrapped, key->wrapped_len);
	wire_put_str(&call.request, key->source);
	wire_put_i64(&call.request, now);
	is_ok = vault_call_ask(arg, &call, err);
	if (is_ok)
		wire_get_result(&call.reader, result);
	return vault_call_end(&call, is_ok, err);
}

bool
vault_admin_get_key(void *arg, const char *who, const struct fingerprint *fp,
    enum key_protection *protection, struct buf *out, struct err *err)
{
	struct vault_call	 call;
	const uint8_t		*data;
	size_t			 len;
	bool			 is_ok;

	vault_call_begin(&call, WIRE_GET_KEY);
	wire_put_str(&call.request, who);
	wire_put_fp(&call.request, fp);
	is_ok = vault_call_ask(arg, &call, err);
	if (is_ok) {
		*protection = (enum key_protection)wire_get_enum(&call.reader,
		    KEY_PASSPHRASE);
		data = wire_get_bytes(&call.reader, &len);
		out->is_secret = true;
		buf_add(out, data, len);
		is_ok = buf_ok(out, "a key", err);
	}
	return vault_call_end(&call, is_ok, err);
}

bool
vault_admin_set_state(void *arg, const char *who, const struct fingerprint *fp,
    enum cert_state state, struct err *err)
{
	struct vault_call	 call;

	vault_call_begin(&call, WIRE_SET_STATE);
	wire_put_str(&call.request, who);
	wire_put_fp(&call.request, fp);
	wire_put_u8(&call.request, (uint8_t)state);
	return vault_call_end(&call, vault_call_ask(arg, &call, err), err);
}

bool
vault_admin_remove(void *arg, const char *who, const struct fingerprint *fp,
    bool key_only, struct err *err)
{
	struct vault_call	 call;

	vault_call_begin(&call, WIRE_REMOVE);
	wire_put_str(&call.request, who);
	wire_put_fp(&call.request, fp);
	wire_put_u8(&call.request, key_only);
	return vault_call_end(&call, vault_call_ask(arg, &call, err), err);
}

bool
vault_admin_rewrap(void *arg, const char *who, const uint8_t *new_master,
    int64_t now, size_t *n, struct err *err)
{
	struct vault_call	 call;
	bool			 is_ok;

	vault_call_begin(&call, WIRE_REWRAP);
	wire_put_str(&call.request, who);
	wire_put_bytes(&call.request, new_master, MASTER_KEY_LEN);
	wire_put_i64(&call.request, now);
	is_ok = vault_call_ask(arg, &call, err);
	if (is_ok)
		*n = wire_get_u32(&call.reader);
	return vault_call_end(&call, is_ok, err);
}

static bool
get_page(struct wire_reader *r, struct event_page *page)
{
	page->is_end = wire_get_enum(r, 1) == 1;
	page->n = wire_get_u32(r);
	if (page->n > WIRE_EVENTS_MAX) {
		page->n = 0;
		return false;
	}
	page->list = mem_array(page->n, sizeof(*page->list));
	for (size_t i = 0; i < page->n; i++)
		wire_get_event(r, &page->list[i]);
	return true;
}

bool
vault_admin_events(void *arg, const struct event_query *query,
    struct event_cursor *cursor, struct event_page *page, struct err *err)
{
	struct vault_call	 call;
	bool			 is_ok;

	memset(page, 0, sizeof(*page));
	vault_call_begin(&call, WIRE_EVENTS);
	wire_put_str(&call.request, query->addr);
	wire_put_u8(&call.request, query->is_failed);
	wire_put_u32(&call.request, query->max > WIRE_EVENTS_MAX ?
	    WIRE_EVENTS_MAX : (uint32_t)query->max);
	wire_put_cursor(&call.request, cursor);
	is_ok = vault_call_ask(arg, &call, err);
	if (is_ok) {
		wire_get_cursor(&call.reader, cursor);
		call.reader.failed |= !get_page(&call.reader, page);
	}
	is_ok = vault_call_end(&call, is_ok, err);
	if (!is_ok)
		event_page_free(page);
	return is_ok;
}

bool
vault_admin_records(void *arg, struct buf *cursor, size_t max, struct buf *rows,
    struct err *err)
{
	struct vault_call	 call;
	const uint8_t		*data;
	size_t			 len;
	bool			 is_ok;

	vault_call_begin(&call, WIRE_RECORDS);
	wire_put_bytes(&call.request, cursor->data, cursor->len);
	wire_put_u32(&call.request, max > WIRE_MAX ? WIRE_MAX :
	    (uint32_t)max);
	is_ok = vault_call_ask(arg, &call, err);
	buf_clear(rows);
	if (is_ok) {
		buf_clear(cursor);
		data = wire_get_bytes(&call.reader, &len);
		buf_add(cursor, data, len);
		data = wire_get_bytes(&call.reader, &len);
		buf_add(rows, data, len);
		is_ok = buf_ok(cursor, "a place in the store", err) &&
		    buf_ok(rows, "rows of the store", err);
	}
	return vault_call_end(&call, is_ok, err);
}

bool
vault_admin_verify(void *arg, struct buf *cursor,
    struct verify_findings *findings, struct err *err)
{
	struct vault_call	 call;
	const uint8_t		*data;
	size_t			 len, n;
	bool			 is_ok;

	vault_call_begin(&call, WIRE_VERIFY);
	wire_put_bytes(&call.request, cursor->data, cursor->len);
	is_ok = vault_call_ask(arg, &call, err);
	buf_clear(cursor);
	if (is_ok) {
		data = wire_get_bytes(&call.reader, &len);
		buf_add(cursor, data, len);
		findings->n_records += wire_get_u32(&call.reader);
		n = wire_get_u32(&call.reader);
		for (size_t i = 0; i < n && !call.reader.failed; i++) {
			char	*about = wire_get_str(&call.reader);
			char	*text = wire_get_str(&call.reader);

			if (about != NULL && text != NULL)
				verify_add(findings, about, text);
			free(about);
			free(text);
		}
		is_ok = buf_ok(cursor, "a place in the store", err);
	}
	return vault_call_end(&call, is_ok, err);
}
