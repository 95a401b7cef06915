/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "milter/vault_wire.h"

#define NULL_STR	UINT32_MAX	/* the length that stands for NULL */
#define ENTRY_ROOM	1024		/* an entry's fields besides DER and texts */
#define CRL_BYTES	(8 + 8 + 8 + 4)	/* a struct crl_entry */

void
wire_put_u8(struct buf *buf, uint8_t v)
{
	buf_add(buf, &v, 1);
}

void
wire_put_u32(struct buf *buf, uint32_t v)
{
	uint8_t	 b[4];

	for (int i = 3; i >= 0; i--, v >>= 8)
		b[i] = (uint8_t)v;
	buf_add(buf, b, sizeof(b));
}

void
wire_put_i64(struct buf *buf, int64_t v)
{
	wire_put_u32(buf, (uint32_t)((uint64_t)v >> 32));
	wire_put_u32(buf, (uint32_t)(uint64_t)v);
}

void
wire_put_bytes(struct buf *buf, const void *data, size_t len)
{
	if (len > WIRE_MAX) {
		buf->failed = true;
		return;
	}
	wire_put_u32(buf, (uint32_t)len);
	buf_add(buf, data, len);
}

void
wire_put_str(struct buf *buf, const char *s)
{
	if (s == NULL)
		wire_put_u32(buf, NULL_STR);
	else
		wire_put_bytes(buf, s, strlen(s));
}

void
wire_put_fp(struct buf *buf, const struct fingerprint *fp)
{
	buf_add(buf, fp->bytes, sizeof(fp->bytes));
}

static const uint8_t *
take(struct wire_reader *r, size_t len)
{
	const uint8_t	*p = r->p;

	if (r->failed || len > r->left) {
		r->failed = true;
		return NULL;
	}
	r->p += len;
	r->left -= len;
	return p;
}

uint8_t
wire_get_u8(struct wire_reader *r)
{
	const uint8_t	*p = take(r, 1);

	return p == NULL ? 0 : p[0];
}

uint32_t
wire_get_u32(struct wire_reader *r)
{
	const uint8_t	*p = take(r, 4);
	uint32_t	 v = 0;

	for (int i = 0; p != NULL && i < 4; i++)
		v = v << 8 | p[i];
	return v;
}

int64_t
wire_get_i64(struct wire_reader *r)
{
	uint64_t	 high = wire_get_u32(r);

	return (int64_t)(high << 32 | wire_get_u32(r));
}

const uint8_t *
wire_get_bytes(struct wire_reader *r, size_t *len)
{
	const uint8_t	*p;

	*len = wire_get_u32(r);
	p = take(r, *len);
	if (p == NULL)
		*len = 0;
	return p;
}

char *
wire_get_str(struct wire_reader *r)
{
	uint32_t	 len = wire_get_u32(r);
	const uint8_t	*p;

	if (r->failed || len == NULL_STR)
		return NULL;
	if ((p = take(r, len)) == NULL)
		return NULL;
	if (memchr(p, '\0', len) != NULL) {
		r->failed = true;
		return NULL;
	}
	return mem_strn((const char *)p, len);
}

void
wire_get_fp(struct wire_reader *r, struct fingerprint *fp)
{
	const uint8_t	*p = take(r, sizeof(fp->bytes));

	memset(fp, 0, sizeof(*fp));
	if (p != NULL)
		memcpy(fp->bytes, p, sizeof(fp->bytes));
}

uint8_t
wire_get_enum(struct wire_reader *r, uint8_t last)
{
	uint8_t	 v = wire_get_u8(r);

	if (v > last) {
		r->failed = true;
		return 0;
	}
	return v;
}

bool
wire_is_done(const struct wire_reader *r)
{
	return !r->failed && r->left == 0;
}

/* A count of things that take at least `least` bytes each. */
static size_t
get_count(struct wire_reader *r, size_t least)
{
	uint32_t	 n = wire_get_u32(r);

	if (n > r->left / least) {
		r->failed = true;
		return 0;
	}
	return n;
}

void
wire_put_finding(struct buf *buf, const struct finding *f)
{
	wire_put_u32(buf, (uint32_t)f->n);
	for (size_t i = 0; i < f->n; i++) {
		const struct candidate	*c = &f->candidates[i];

		wire_put_fp(buf, &c->fp);
		wire_put_i64(buf, c->not_before);
		wire_put_i64(buf, c->not_after);
		wire_put_u8(buf, c->has_key);
		wire_put_str(buf, c->reason);
	}
	wire_put_bytes(buf, f->der, f->der_len);
	wire_put_str(buf, f->reason);
}

struct finding *
wire_get_finding(struct wire_reader *r)
{
	struct finding	*f = mem_alloc(sizeof(*f));
	const uint8_t	*der;

	f->n = get_count(r, sizeof(struct fingerprint) + 8 + 8 + 1 + 4);
	f->candidates = mem_array(f->n, sizeof(*f->candidates));
	for (size_t i = 0; i < f->n; i++) {
		struct candidate	*c = &f->candidates[i];

		wire_get_fp(r, &c->fp);
		c->not_before = wire_get_i64(r);
		c->not_after = wire_get_i64(r);
		c->has_key = wire_get_enum(r, 1) == 1;
		c->reason = wire_get_str(r);
	}
	der = wire_get_bytes(r, &f->der_len);
	if (f->der_len > 0)
		f->der = mem_dup(der, f->der_len);
	f->reason = wire_get_str(r);
	if (r->failed) {
		finding_free(f);
		return NULL;
	}
	return f;
}

void
wire_put_sign_request(struct buf *buf, const struct sign_request *s)
{
	wire_put_fp(buf, &s->fp);
	wire_put_str(buf, s->from);
	wire_put_str(buf, s->login);
	wire_put_str(buf, s->client);
	wire_put_str(buf, s->queue_id);
	wire_put_u8(buf, (uint8_t)s->digest);
	wire_put_u8(buf, s->use_pss);
	wire_put_bytes(buf, s->hash, alg_digest_len(s->digest));
}

void
wire_get_sign_request(struct wire_reader *r, struct sign_request *s)
{
	const uint8_t	*hash;
	size_t		 len;

	memset(s, 0, sizeof(*s));
	wire_get_fp(r, &s->fp);
	s->from = wire_get_str(r);
	s->login = wire_get_str(r);
	s->client = wire_get_str(r);
	s->queue_id = wire_get_str(r);
	s->digest = (enum digest)wire_get_enum(r, DIGEST_SHA512);
	s->use_pss = wire_get_enum(r, true);
	hash = wire_get_bytes(r, &len);
	if (s->from == NULL || len != alg_digest_len(s->digest))
		r->failed = true;
	else
		memcpy(s->hash, hash, len);
}

void
wire_sign_request_clear(struct sign_request *s)
{
	free((char *)(uintptr_t)s->from);
	free((char *)(uintptr_t)s->login);
	free((char *)(uintptr_t)s->client);
	free((char *)(uintptr_t)s->queue_id);
	memset(s, 0, sizeof(*s));
}

void
wire_put_stamp(struct buf *buf, const struct stamp *s)
{
	wire_put_i64(buf, s->time);
	wire_put_str(buf, s->login);
	wire_put_str(buf, s->client);
	wire_put_str(buf, s->sender);
	wire_put_u8(buf, (uint8_t)s->sign);
	wire_put_u8(buf, (uint8_t)s->encrypt);
	wire_put_u8(buf, s->was_encryptable);
	wire_put_bytes(buf, s->digest, sizeof(s->digest));
}

void
wire_get_stamp(struct wire_reader *r, struct stamp *s)
{
	const uint8_t	*digest;
	size_t		 len;

	memset(s, 0, sizeof(*s));
	s->time = wire_get_i64(r);
	s->login = wire_get_str(r);
	s->client = wire_get_str(r);
	s->sender = wire_get_str(r);
	s->sign = (enum wish)wire_get_enum(r, WISH_NO);
	s->encrypt = (enum wish)wire_get_enum(r, WISH_NO);
	s->was_encryptable = wire_get_enum(r, 1) == 1;
	digest = wire_get_bytes(r, &len);
	if (s->sender == NULL || len != sizeof(s->digest))
		r->failed = true;
	else
		memcpy(s->digest, digest, len);
}

static size_t
str_len(const char *s)
{
	return s == NULL ? 0 : strlen(s);
}

static void
put_crls(struct buf *buf, const struct crl_entry *crls, size_t n)
{
	wire_put_u32(buf, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		wire_put_i64(buf, crls[i].added);
		wire_put_i64(buf, crls[i].this_update);
		wire_put_i64(buf, crls[i].next_update);
		wire_put_u32(buf, crls[i].n_revoked);
	}
}

static void
get_crls(struct wire_reader *r, struct cert_entry *e)
{
	e->n_crls = get_count(r, CRL_BYTES);
	if (e->n_crls > 0)
		e->crls = mem_array(e->n_crls, sizeof(*e->crls));
	for (size_t i = 0; i < e->n_crls; i++) {
		e->crls[i].added = wire_get_i64(r);
		e->crls[i].this_update = wire_get_i64(r);
		e->crls[i].next_update = wire_get_i64(r);
		e->crls[i].n_revoked = wire_get_u32(r);
	}
}

void
wire_put_entries(struct buf *buf, const struct cert_entry *list, size_t n)
{
	size_t	 room = buf->len < WIRE_MAX ? WIRE_MAX - buf->len : 0, fit;

	for (fit = 0; fit < n; fit++) {
		size_t	 need = ENTRY_ROOM + list[fit].der_len +
		    str_len(list[fit].source) +
		    str_len(list[fit].added_by) +
		    str_len(list[fit].trusted_by) +
		    str_len(list[fit].untrusted) +
		    list[fit].n_crls * CRL_BYTES;

		if (need > room)
			break;
		room -= need;
	}
	/* One that does not fit at all must not look like the end. */
	if (fit == 0 && n > 0)
		buf->failed = true;
	wire_put_u32(buf, (uint32_t)fit);
	for (size_t i = 0; i < fit; i++) {
		const struct cert_entry	*e = &list[i];

		wire_put_fp(buf, &e->fp);
		wire_put_bytes(buf, e->der, e->der_len);
		wire_put_u8(buf, (uint8_t)e->state);
		wire_put_i64(buf, e->added);
		wire_put_str(buf, e->source);
		wire_put_str(buf, e->added_by);
		wire_put_u8(buf, (uint8_t)e->key);
		wire_put_str(buf, e->trusted_by);
		wire_put_str(buf, e->untrusted);
		wire_put_u8(buf, e->is_revoked);
		put_crls(buf, e->crls, e->n_crls);
	}
}

bool
wire_get_entries(struct wire_reader *r, struct cert_entry **out, size_t *n)
{
	struct cert_entry	*list;

	*n = get_count(r, sizeof(struct fingerprint) + 4 + 1 + 8 + 4 + 4 + 1 +
	    4 + 4 + 1 + 4);
	list = mem_array(*n, sizeof(*list));
	for (size_t i = 0; i < *n; i++) {
		struct cert_entry	*e = &list[i];
		const uint8_t		*der;

		wire_get_fp(r, &e->fp);
		der = wire_get_bytes(r, &e->der_len);
		e->der = mem_dup(der, e->der_len);
		e->state = (enum cert_state)wire_get_enum(r, CERT_DISTRUSTED);
		e->added = wire_get_i64(r);
		e->source = wire_get_str(r);
		e->added_by = wire_get_str(r);
		e->key = (enum key_protection)wire_get_enum(r, KEY_PASSPHRASE);
		e->trusted_by = wire_get_str(r);
		e->untrusted = wire_get_str(r);
		e->is_revoked = wire_get_enum(r, 1) == 1;
		get_crls(r, e);
	}
	if (r->failed) {
		cert_entry_free(list, *n);
		*n = 0;
		return false;
	}
	*out = list;
	return true;
}

void
wire_put_piece(struct buf *buf, const struct wire_piece *piece)
{
	buf_add(buf, piece->token, sizeof(piece->token));
	wire_put_u32(buf, piece->total);
	wire_put_u32(buf, piece->offset);
	wire_put_bytes(buf, piece->data, piece->len);
}

void
wire_get_piece(struct wire_reader *r, struct wire_piece *piece)
{
	const uint8_t	*token = take(r, sizeof(piece->token));

	memset(piece, 0, sizeof(*piece));
	if (token != NULL)
		memcpy(piece->token, token, sizeof(piece->token));
	piece->total = wire_get_u32(r);
	piece->offset = wire_get_u32(r);
	piece->data = wire_get_bytes(r, &piece->len);
	if (piece->offset > piece->total ||
	    piece->len > piece->total - piece->offset)
		r->failed = true;
}

void
wire_put_result(struct buf *buf, const struct put_result *p)
{
	wire_put_u8(buf, (uint8_t)p->verdict);
	wire_put_u8(buf, (uint8_t)p->state);
	wire_put_str(buf, p->reason);
}

void
wire_get_result(struct wire_reader *r, struct put_result *p)
{
	p->verdict = (enum put_verdict)wire_get_enum(r, PUT_REFUSED);
	p->state = (enum cert_state)wire_get_enum(r, CERT_DISTRUSTED);
	p->reason = wire_get_str(r);
}

void
wire_put_event(struct buf *buf, const struct event *event)
{
	struct buf	 bytes = { 0 };

	event_encode(event, &bytes);
	if (bytes.failed)
		buf->failed = true;
	wire_put_bytes(buf, bytes.data, bytes.len);
	buf_free(&bytes);
}

void
wire_get_event(struct wire_reader *r, struct event *event)
{
	size_t		 len;
	const uint8_t	*bytes = wire_get_bytes(r, &len);
	struct err	 ignored;

	memset(event, 0, sizeof(*event));
	if (bytes == NULL || len > EVENT_BYTES_MAX ||
	    !event_decode(bytes, len, event, &ignored))
		r->failed = true;
}

void
wire_put_cursor(struct buf *buf, const struct event_cursor *cursor)
{
	wire_put_u8(buf, cursor->has_begun);
	for (size_t i = 0; i < EVENT_ROWS; i++)
		wire_put_i64(buf, (int64_t)cursor->next[i]);
}

void
wire_get_cursor(struct wire_reader *r, struct event_cursor *cursor)
{
	cursor->has_begun = wire_get_enum(r, 1) == 1;
	for (size_t i = 0; i < EVENT_ROWS; i++)
		cursor->next[i] = (uint64_t)wire_get_i64(r);
}
