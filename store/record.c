/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/mem.h"
#include "store/record.h"

#define KIND_CERT	'C'
#define KIND_KEY	'K'
#define KIND_CRL	'L'
#define KIND_REVOKED	'R'
#define VERSION_CERT	1
#define VERSION_KEY	1
#define VERSION_CRL	1
#define VERSION_REVOKED	1
#define SUM_LEN		8
#define NAME_BYTES_MAX	2048
#define ADDRESS_MAX	512

/* --- writing -------------------------------------------------------------- */

static void
put_int(struct buf *out, uint64_t v, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--)
		buf_addc(out, (char)(v >> (8 * i)));
}

static void
put_bytes(struct buf *out, const void *data, size_t len)
{
	put_int(out, len, 4);
	buf_add(out, data, len);
}

/* Cut rather than refused: what a reader would not take is not written. */
static void
put_str(struct buf *out, const char *s, size_t max)
{
	put_bytes(out, s == NULL ? "" : s, s == NULL ? 0 : strnlen(s, max));
}

static void
put_keyid(struct buf *out, const struct cert_keyid *id)
{
	put_int(out, id->len, 1);
	buf_add(out, id->bytes, id->len);
}

static bool
sum(const void *data, size_t len, uint8_t out[SUM_LEN])
{
	uint8_t	 digest[EVP_MAX_MD_SIZE];

	if (EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL) != 1)
		return false;
	memcpy(out, digest, SUM_LEN);
	return true;
}

static void
put_sum(struct buf *out)
{
	uint8_t	 s[SUM_LEN];

	if (!out->failed && sum(out->data, out->len, s))
		buf_add(out, s, sizeof(s));
	else
		out->failed = true;
}

static void
put_facts(struct buf *out, const struct cert_facts *facts)
{
	buf_add(out, facts->fp.bytes, sizeof(facts->fp.bytes));
	put_int(out, (uint64_t)facts->not_before, 8);
	put_int(out, (uint64_t)facts->not_after, 8);
	put_int(out, facts->key_kind, 1);
	put_int(out, facts->key_bits, 4);
	put_str(out, facts->curve, sizeof(facts->curve) - 1);
	put_int(out, facts->uses, 4);
	put_int(out, facts->faults, 4);
	put_int(out, facts->is_ca, 1);
	put_int(out, facts->is_self_signed, 1);
	put_int(out, facts->has_eku, 1);
	buf_add(out, facts->spki, sizeof(facts->spki));
	buf_add(out, facts->issuer, sizeof(facts->issuer));
	buf_add(out, facts->issuer_serial, sizeof(facts->issuer_serial));
	put_int(out, facts->subject_hash, 4);
	put_int(out, facts->issuer_hash, 4);
	put_keyid(out, &facts->ski);
	put_keyid(out, &facts->aki);
	put_str(out, facts->subject, NAME_BYTES_MAX);
	put_str(out, facts->issuer_name, NAME_BYTES_MAX);
	put_int(out, facts->n_addresses, 2);
	for (size_t i = 0; i < facts->n_addresses; i++)
		put_str(out, facts->addresses[i], ADDRESS_MAX);
}

void
record_encode_cert(const struct cert_record *record, struct buf *out)
{
	buf_clear(out);
	buf_reserve(out, record->der_len + 1024);
	buf_addc(out, KIND_CERT);
	put_int(out, VERSION_CERT, 1);
	put_int(out, record->state, 1);
	put_int(out, (uint64_t)record->added, 8);
	put_str(out, record->source, RECORD_SOURCE_MAX);
	put_facts(out, &record->facts);
	put_bytes(out, record->der, record->der_len);
	put_sum(out);
}

void
record_encode_key(const struct key_record *record, struct buf *out)
{
	buf_clear(out);
	buf_addc(out, KIND_KEY);
	put_int(out, VERSION_KEY, 1);
	put_int(out, record->protection, 1);
	put_int(out, (uint64_t)record->added, 8);
	put_str(out, record->source, RECORD_SOURCE_MAX);
	put_bytes(out, record->sealed.data, record->sealed.len);
	put_bytes(out, record->wrapped.data, record->wrapped.len);
	put_sum(out);
}

void
record_encode_crl(const struct crl_record *record, struct buf *out)
{
	buf_clear(out);
	buf_addc(out, KIND_CRL);
	put_int(out, VERSION_CRL, 1);
	buf_add(out, record->fp.bytes, sizeof(record->fp.bytes));
	put_int(out, (uint64_t)record->added, 8);
	put_int(out, (uint64_t)record->this_update, 8);
	put_int(out, (uint64_t)record->next_update, 8);
	put_str(out, record->number, sizeof(record->number) - 1);
	put_int(out, record->n_revoked, 4);
	put_str(out, record->issuer, NAME_BYTES_MAX);
	put_str(out, record->source, RECORD_SOURCE_MAX);
	put_sum(out);
}

void
record_encode_revoked(const struct crl_revoked *list, size_t n,
    struct buf *out)
{
	buf_clear(out);
	buf_addc(out, KIND_REVOKED);
	put_int(out, VERSION_REVOKED, 1);
	put_int(out, n, 2);
	for (size_t i = 0; i < n; i++) {
		put_int(out, list[i].serial.len, 1);
		buf_add(out, list[i].serial.bytes, list[i].serial.len);
		put_int(out, (uint64_t)list[i].date, 8);
		put_int(out, (uint8_t)(list[i].reason + 1), 1);
	}
	put_sum(out);
}

/* --- reading -------------------------------------------------------------- */

/* Once a read has failed, those after it give zeros; asked at the end. */
struct reader {
	const uint8_t	*p;
	size_t		 left;
	bool		 failed;
};

static const uint8_t *
take(struct reader *r, size_t len)
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

static uint64_t
take_int(struct reader *r, int bytes)
{
	const uint8_t	*p = take(r, (size_t)bytes);
	uint64_t	 v = 0;

	for (int i = 0; p != NULL && i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

/* A value of an enum or a flag; anything larger is a failure. */
static unsigned
take_choice(struct reader *r, unsigned max)
{
	uint64_t	 v = take_int(r, 1);

	if (v > max)
		r->failed = true;
	return r->failed ? 0 : (unsigned)v;
}

static void
take_fixed(struct reader *r, void *out, size_t len)
{
	const uint8_t	*p = take(r, len);

	if (p != NULL)
		memcpy(out, p, len);
}

static const uint8_t *
take_bytes(struct reader *r, size_t max, size_t *len)
{
	*len = (size_t)take_int(r, 4);
	if (*len > max)
		r->failed = true;
	if (r->failed)
		*len = 0;
	return take(r, *len);
}

static char *
take_str(struct reader *r, size_t max)
{
	size_t		 len;
	const uint8_t	*p = take_bytes(r, max, &len);

	if (p == NULL || memchr(p, '\0', len) != NULL) {
		r->failed = true;
		return NULL;
	}
	return mem_strn((const char *)p, len);
}

static void
take_buf(struct reader *r, size_t max, struct buf *out)
{
	size_t		 len;
	const uint8_t	*p = take_bytes(r, max, &len);

	if (p != NULL)
		buf_add(out, p, len);
}

static void
take_keyid(struct reader *r, struct cert_keyid *id)
{
	id->len = (uint8_t)take_choice(r, CERT_KEYID_MAX);
	take_fixed(r, id->bytes, id->len);
}

static void
take_addresses(struct reader *r, struct cert_facts *facts)
{
	size_t	 n = (size_t)take_int(r, 2);

	if (n > CERT_ADDRESSES_MAX)
		r->failed = true;
	if (r->failed || n == 0)
		return;
	facts->addresses = mem_array(n, sizeof(*facts->addresses));
	for (size_t i = 0; i < n && !r->failed; i++) {
		char	*addr = take_str(r, ADDRESS_MAX);

		if (addr != NULL)
			facts->addresses[facts->n_addresses++] = addr;
	}
}

static void
take_curve(struct reader *r, struct cert_facts *facts)
{
	char	*curve = take_str(r, sizeof(facts->curve) - 1);

	if (curve != NULL)
		strcpy(facts->curve, curve);
	free(curve);
}

static void
take_facts(struct reader *r, struct cert_facts *facts)
{
	take_fixed(r, facts->fp.bytes, sizeof(facts->fp.bytes));
	facts->not_before = (int64_t)take_int(r, 8);
	facts->not_after = (int64_t)take_int(r, 8);
	facts->key_kind = (enum cert_key_kind)take_choice(r, CERT_KEY_OTHER);
	facts->key_bits = (uint32_t)take_int(r, 4);
	take_curve(r, facts);
	facts->uses = (uint32_t)take_int(r, 4);
	facts->faults = (uint32_t)take_int(r, 4);
	facts->is_ca = take_choice(r, 1) != 0;
	facts->is_self_signed = take_choice(r, 1) != 0;
	facts->has_eku = take_choice(r, 1) != 0;
	take_fixed(r, facts->spki, sizeof(facts->spki));
	take_fixed(r, facts->issuer, sizeof(facts->issuer));
	take_fixed(r, facts->issuer_serial, sizeof(facts->issuer_serial));
	facts->subject_hash = (uint32_t)take_int(r, 4);
	facts->issuer_hash = (uint32_t)take_int(r, 4);
	take_keyid(r, &facts->ski);
	take_keyid(r, &facts->aki);
	facts->subject = take_str(r, NAME_BYTES_MAX);
	facts->issuer_name = take_str(r, NAME_BYTES_MAX);
	take_addresses(r, facts);
}

/* Kind, version and sum; the fields are what lies between. */
static bool
open_record(const uint8_t *data, size_t len, uint8_t kind, uint8_t version,
    struct reader *r, struct err *err)
{
	uint8_t	 s[SUM_LEN];

	if (len < 2 + SUM_LEN || data[0] != kind)
		return err_set(err, ERR_DATA,
		    "a record is cut off or of another kind");
	if (!sum(data, len - SUM_LEN, s))
		return err_openssl(err, ERR_TEMP, "cannot check a record");
	if (memcmp(s, data + len - SUM_LEN, SUM_LEN) != 0)
		return err_set(err, ERR_DATA, "a record is damaged: its "
		    "checksum is not that of its bytes");
	if (data[1] > version || data[1] == 0)
		return err_set(err, ERR_DATA, "a record is of version %d, "
		    "this program knows up to %d", data[1], version);
	r->p = data + 2;
	r->left = len - 2 - SUM_LEN;
	r->failed = false;
	return true;
}

static bool
close_record(const struct reader *r, struct err *err)
{
	if (r->failed || r->left != 0)
		return err_set(err, ERR_DATA, "a record's fields are wrong");
	return true;
}

bool
record_decode_cert(const uint8_t *data, size_t len, struct cert_record *record,
    struct err *err)
{
	struct reader	 r;
	const uint8_t	*der;

	memset(record, 0, sizeof(*record));
	if (!open_record(data, len, KIND_CERT, VERSION_CERT, &r, err))
		return false;
	record->state = (enum cert_state)take_choice(&r, CERT_DISTRUSTED);
	record->added = (int64_t)take_int(&r, 8);
	record->source = take_str(&r, RECORD_SOURCE_MAX);
	take_facts(&r, &record->facts);
	der = take_bytes(&r, CERT_DER_MAX, &record->der_len);
	if (der != NULL)
		record->der = mem_dup(der, record->der_len);
	if (close_record(&r, err))
		return true;
	record_free_cert(record);
	return false;
}

bool
record_decode_key(const uint8_t *data, size_t len, struct key_record *record,
    struct err *err)
{
	struct reader	 r;

	memset(record, 0, sizeof(*record));
	if (!open_record(data, len, KIND_KEY, VERSION_KEY, &r, err))
		return false;
	record->protection =
	    (enum key_protection)take_choice(&r, KEY_PASSPHRASE);
	record->added = (int64_t)take_int(&r, 8);
	record->source = take_str(&r, RECORD_SOURCE_MAX);
	take_buf(&r, RECORD_KEY_MAX, &record->sealed);
	take_buf(&r, RECORD_KEY_MAX, &record->wrapped);
	if (close_record(&r, err))
		return true;
	record_free_key(record);
	return false;
}

bool
record_decode_crl(const uint8_t *data, size_t len, struct crl_record *record,
    struct err *err)
{
	struct reader	 r;
	char		*number;

	memset(record, 0, sizeof(*record));
	if (!open_record(data, len, KIND_CRL, VERSION_CRL, &r, err))
		return false;
	take_fixed(&r, record->fp.bytes, sizeof(record->fp.bytes));
	record->added = (int64_t)take_int(&r, 8);
	record->this_update = (int64_t)take_int(&r, 8);
	record->next_update = (int64_t)take_int(&r, 8);
	number = take_str(&r, sizeof(record->number) - 1);
	if (number != NULL)
		strcpy(record->number, number);
	free(number);
	record->n_revoked = (uint32_t)take_int(&r, 4);
	record->issuer = take_str(&r, NAME_BYTES_MAX);
	record->source = take_str(&r, RECORD_SOURCE_MAX);
	if (close_record(&r, err))
		return true;
	record_free_crl(record);
	return false;
}

static void
take_revoked(struct reader *r, struct crl_revoked *out)
{
	memset(out, 0, sizeof(*out));
	out->serial.len = (uint8_t)take_choice(r, CRL_SERIAL_MAX + 1);
	take_fixed(r, out->serial.bytes, out->serial.len);
	out->date = (int64_t)take_int(r, 8);
	out->reason = (int8_t)((int)take_choice(r, CRL_REASONS) - 1);
}

bool
record_decode_revoked(const uint8_t *data, size_t len,
    struct crl_revoked out[RECORD_REVOKED_MAX], size_t *n, struct err *err)
{
	struct reader	 r;

	*n = 0;
	if (!open_record(data, len, KIND_REVOKED, VERSION_REVOKED, &r, err))
		return false;
	*n = (size_t)take_int(&r, 2);
	if (*n > RECORD_REVOKED_MAX)
		r.failed = true;
	for (size_t i = 0; !r.failed && i < *n; i++)
		take_revoked(&r, &out[i]);
	return close_record(&r, err);
}

void
record_free_cert(struct cert_record *record)
{
	cert_facts_free(&record->facts);
	free(record->source);
	free(record->der);
	memset(record, 0, sizeof(*record));
}

void
record_free_key(struct key_record *record)
{
	free(record->source);
	buf_free(&record->sealed);
	buf_free(&record->wrapped);
	memset(record, 0, sizeof(*record));
}

void
record_free_crl(struct crl_record *record)
{
	free(record->issuer);
	free(record->source);
	memset(record, 0, sizeof(*record));
}
