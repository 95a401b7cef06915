/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_LIB_FAKE_CUSTODY_H
#define TESTS_LIB_FAKE_CUSTODY_H

/*
 * A custody that holds nothing and answers each call with something fixed, for
 * tests of what lies between a caller and the store.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/custody.h"
#include "store/event_table.h"
#include "store/stamp_key.h"
#include "store/verify.h"

static inline struct cert_entry *
fake_entries(size_t n)
{
	struct cert_entry	*list = mem_array(n, sizeof(*list));

	for (size_t i = 0; i < n; i++) {
		list[i].fp.bytes[0] = (uint8_t)(i + 1);
		list[i].der = mem_dup("certificate", 11);
		list[i].der_len = 11;
		list[i].state = CERT_ANCHOR;
		list[i].added = 1700000000 + (int64_t)i;
		list[i].source = mem_str("a file");
		list[i].added_by = mem_str("root");
		list[i].key = KEY_SEALED;
		list[i].trusted_by = i == 0 ? NULL : mem_str("itself");
	}
	return list;
}

static inline bool
fake_find(void *arg, const char *addr, enum cert_use use, int64_t now,
    struct finding **out, struct err *err)
{
	struct finding	*f;

	(void)arg;
	(void)use;
	if (strcmp(addr, "broken@example.org") == 0)
		return err_set(err, ERR_TEMP, "the disk is gone");
	*out = f = mem_alloc(sizeof(*f));
	f->n = 2;
	f->candidates = mem_array(f->n, sizeof(*f->candidates));
	memset(f->candidates[0].fp.bytes, 0xab, 32);
	f->candidates[0].not_before = -5;
	f->candidates[0].not_after = now;
	f->candidates[0].has_key = true;
	f->candidates[1].reason = mem_str("certificate expired 2026-03-01");
	/* So large that a packet holds two of them. */
	f->der_len = strncmp(addr, "large", 5) == 0 ? 70000 : 2;
	f->der = mem_alloc(f->der_len);
	memcpy(f->der, "\x30\x00", 2);
	return true;
}

static inline bool
fake_sign(void *arg, const struct sign_request *request, struct buf *out,
    struct err *err)
{
	(void)arg;
	if (strcmp(request->from, "broken@example.org") == 0)
		return err_set(err, ERR_TEMP, "the key is gone");
	buf_addf(out, "%s|%s|%s|%s|%s%s|%u|", request->from,
	    request->login == NULL ? "-" : request->login,
	    request->client == NULL ? "-" : request->client,
	    request->queue_id == NULL ? "-" : request->queue_id,
	    alg_digest_name(request->digest), request->use_pss ? " pss" : "",
	    (unsigned)request->per_minute);
	buf_add(out, request->hash, alg_digest_len(request->digest));
	return true;
}

static inline bool
fake_list(void *arg, const struct fingerprint *after, size_t max, int64_t now,
    struct cert_entry **out, size_t *n, struct err *err)
{
	(void)arg;
	(void)now;
	(void)err;
	*n = after == NULL && max >= 3 ? 3 : 0;
	*out = fake_entries(*n);
	return true;
}

static inline bool
fake_lookup(void *arg, const char *what, int64_t now, struct cert_entry **out,
    size_t *n, struct err *err)
{
	(void)what;
	return fake_list(arg, NULL, 3, now, out, n, err);
}

static inline bool
fake_chain(void *arg, const struct fingerprint *fp, int64_t now,
    struct cert_entry **out, size_t *n, struct err *err)
{
	(void)fp;
	return fake_list(arg, NULL, 3, now, out, n, err);
}

static inline bool
fake_put_certs(void *arg, const char *who, const struct put_cert *certs,
    size_t n, int64_t now, struct put_result *results, struct err *err)
{
	(void)arg;
	(void)now;
	(void)err;
	for (size_t i = 0; i < n; i++) {
		results[i].verdict = certs[i].der_len > 1000 ? PUT_ADDED :
		    PUT_REFUSED;
		results[i].state = certs[i].state;
		results[i].reason = mem_strf("%zu bytes from %s%s",
		    certs[i].der_len, certs[i].source, who);
	}
	return true;
}

static inline bool
fake_put_crl(void *arg, const char *who, const struct put_crl *crl,
    int64_t now, struct put_result *result, struct err *err)
{
	size_t	 sum = 0;

	(void)arg;
	(void)who;
	(void)now;
	(void)err;
	for (size_t i = 0; i < crl->der_len; i++)
		sum = sum * 31 + crl->der[i];
	result->verdict = crl->is_dry_run ? PUT_KNOWN : PUT_ADDED;
	result->reason = mem_strf("%zu bytes from %s, %zx", crl->der_len,
	    crl->source, sum);
	return true;
}

static inline bool
fake_remove_crls(void *arg, const char *who, const struct fingerprint *fp,
    struct err *err)
{
	(void)arg;
	(void)who;
	return fp->bytes[0] != 9 || err_set(err, ERR_DATA, "there is none");
}

static inline bool
fake_put_key(void *arg, const char *who, const struct put_key *key,
    int64_t now, struct put_result *result, struct err *err)
{
	(void)arg;
	(void)who;
	(void)now;
	(void)err;
	result->verdict = key->wrapped == NULL ? PUT_ADDED : PUT_KNOWN;
	return true;
}

static inline bool
fake_get_key(void *arg, const char *who, const struct fingerprint *fp,
    enum key_protection *protection, struct buf *out, struct err *err)
{
	(void)arg;
	(void)who;
	(void)fp;
	(void)err;
	*protection = KEY_PASSPHRASE;
	buf_adds(out, "secret");
	return true;
}

static inline bool
fake_set_state(void *arg, const char *who, const struct fingerprint *fp,
    enum cert_state state, struct err *err)
{
	(void)arg;
	(void)who;
	(void)fp;
	if (state == CERT_DISTRUSTED)
		return err_set(err, ERR_DATA, "there is no such certificate");
	return true;
}

static inline bool
fake_remove(void *arg, const char *who, const struct fingerprint *fp,
    bool key_only, struct err *err)
{
	(void)arg;
	(void)who;
	(void)fp;
	(void)key_only;
	(void)err;
	return true;
}

static inline bool
fake_rewrap(void *arg, const char *who, const uint8_t *new_master,
    int64_t now, size_t *n, struct err *err)
{
	(void)arg;
	(void)who;
	(void)now;
	(void)err;
	*n = new_master[0];
	return true;
}

/* What was told, one after another. */
static int	 fake_n_notes;
static char	 fake_note_from[64];

static inline void
fake_note(void *arg, const struct event *event)
{
	(void)arg;
	fake_n_notes++;
	snprintf(fake_note_from, sizeof(fake_note_from), "%s",
	    event->text[EVENT_FROM] == NULL ? "" : event->text[EVENT_FROM]);
}

/* A hundred events in all, as many as are wanted at once. */
static inline bool
fake_events(void *arg, const struct event_query *query,
    struct event_cursor *cursor, struct event_page *page, struct err *err)
{
	(void)arg;
	(void)err;
	memset(page, 0, sizeof(*page));
	page->list = mem_array(query->max, sizeof(*page->list));
	while (page->n < query->max && cursor->next[0] < 100) {
		struct event	*event = &page->list[page->n++];

		event->kind = EVENT_TRUST;
		event->at = (int64_t)cursor->next[0]++;
		event_set(event, EVENT_ABOUT, query->addr);
	}
	cursor->has_begun = true;
	page->is_end = cursor->next[0] == 100;
	return true;
}

/* Two pages of rows, then none. */
static inline bool
fake_records(void *arg, struct buf *cursor, size_t max, struct buf *rows,
    struct err *err)
{
	(void)arg;
	(void)max;
	(void)err;
	buf_clear(rows);
	if (cursor->len < 2) {
		buf_addf(rows, "page %zu", cursor->len);
		buf_addc(cursor, 'x');
	} else
		buf_clear(cursor);
	return true;
}

static inline bool
fake_verify(void *arg, struct buf *cursor, struct verify_findings *findings,
    struct err *err)
{
	(void)arg;
	(void)err;
	findings->n_records += 7;
	verify_add(findings, "a record", "is wrong");
	if (cursor->len < 2)
		buf_addc(cursor, 'x');
	else
		buf_clear(cursor);
	return true;
}

static inline void
fake_close(void *arg)
{
	(void)arg;
}

static inline bool
fake_stamp_keys(void *arg, struct stamp_keys *keys, struct err *err)
{
	(void)arg;
	(void)err;
	memset(keys, 0, sizeof(*keys));
	memset(keys->list[0].bytes, 'k', sizeof(keys->list[0].bytes));
	keys->n = 1;
	return true;
}

static const struct custody_ops	 fake_custody_ops = {
	.find = fake_find,
	.sign = fake_sign,
	.list = fake_list,
	.lookup = fake_lookup,
	.put_certs = fake_put_certs,
	.put_crl = fake_put_crl,
	.remove_crls = fake_remove_crls,
	.put_key = fake_put_key,
	.get_key = fake_get_key,
	.chain = fake_chain,
	.set_state = fake_set_state,
	.remove = fake_remove,
	.rewrap = fake_rewrap,
	.note = fake_note,
	.events = fake_events,
	.stamp_keys = fake_stamp_keys,
	.records = fake_records,
	.verify = fake_verify,
	.close = fake_close,
};

#endif
