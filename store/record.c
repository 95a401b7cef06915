/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/fields.h"
#include "store/record.h"

#define KIND_CERT	'C'
#define KIND_KEY	'K'
#define KIND_CRL	'L'
#define KIND_REVOKED	'R'
#define VERSION_CERT	1
#define VERSION_KEY	1
#define VERSION_CRL	1
#define VERSION_REVOKED	1
#define NAME_BYTES_MAX	2048
#define ADDRESS_MAX	512

/* --- writing -------------------------------------------------------------- */

static void
put_keyid(struct buf *out, const struct cert_keyid *id)
{
	fields_put_int(out, id->len, 1);
	buf_add(out, id->bytes, id->len);
}

static void
put_facts(struct buf *out, const struct cert_facts *facts)
{
	buf_add(out, facts->fp.bytes, sizeof(facts->fp.bytes));
	fields_put_int(out, (uint64_t)facts->not_before, 8);
	fields_put_int(out, (uint64_t)facts->not_after, 8);
	fields_put_int(out, facts->key_kind, 1);
	fields_put_int(out, facts->key_bits, 4);
	fields_put_str(out, facts->curve, sizeof(facts->curve) - 1);
	fields_put_int(out, facts->uses, 4);
	fields_put_int(out, facts->faults, 4);
	fields_put_int(out, facts->is_ca, 1);
	fields_put_int(out, facts->is_self_signed, 1);
	fields_put_int(out, facts->has_eku, 1);
	buf_add(out, facts->spki, sizeof(facts->spki));
	buf_add(out, facts->issuer, sizeof(facts->issuer));
	buf_add(out, facts->issuer_serial, sizeof(facts->issuer_serial));
	fields_put_int(out, facts->subject_hash, 4);
	fields_put_int(out, facts->issuer_hash, 4);
	put_keyid(out, &facts->ski);
	put_keyid(out, &facts->aki);
	fields_put_str(out, facts->subject, NAME_BYTES_MAX);
	fields_put_str(out, facts->issuer_name, NAME_BYTES_MAX);
	fields_put_int(out, facts->n_addresses, 2);
	for (size_t i = 0; i < facts->n_addresses; i++)
		fields_put_str(out, facts->addresses[i], ADDRESS_MAX);
}

void
record_encode_cert(const struct cert_record *record, struct buf *out)
{
	buf_clear(out);
	buf_reserve(out, record->der_len + 1024);
	fields_begin(out, KIND_CERT, VERSION_CERT);
	fields_put_int(out, record->state, 1);
	fields_put_int(out, (uint64_t)record->added, 8);
	fields_put_str(out, record->source, RECORD_SOURCE_MAX);
	fields_put_str(out, record->added_by, RECORD_WHO_MAX);
	put_facts(out, &record->facts);
	fields_put_bytes(out, record->der, record->der_len);
	fields_end(out);
}

void
record_encode_key(const struct key_record *record, struct buf *out)
{
	buf_clear(out);
	fields_begin(out, KIND_KEY, VERSION_KEY);
	fields_put_int(out, record->protection, 1);
	fields_put_int(out, (uint64_t)record->added, 8);
	fields_put_str(out, record->source, RECORD_SOURCE_MAX);
	fields_put_str(out, record->added_by, RECORD_WHO_MAX);
	fields_put_bytes(out, record->sealed.data, record->sealed.len);
	fields_put_bytes(out, record->wrapped.data, record->wrapped.len);
	fields_end(out);
}

void
record_encode_crl(const struct crl_record *record, struct buf *out)
{
	buf_clear(out);
	fields_begin(out, KIND_CRL, VERSION_CRL);
	buf_add(out, record->fp.bytes, sizeof(record->fp.bytes));
	fields_put_int(out, (uint64_t)record->added, 8);
	fields_put_int(out, (uint64_t)record->this_update, 8);
	fields_put_int(out, (uint64_t)record->next_update, 8);
	fields_put_str(out, record->number, sizeof(record->number) - 1);
	fields_put_int(out, record->n_revoked, 4);
	fields_put_str(out, record->issuer, NAME_BYTES_MAX);
	fields_put_str(out, record->source, RECORD_SOURCE_MAX);
	fields_end(out);
}

void
record_encode_revoked(const struct crl_revoked *list, size_t n,
    struct buf *out)
{
	buf_clear(out);
	fields_begin(out, KIND_REVOKED, VERSION_REVOKED);
	fields_put_int(out, n, 2);
	for (size_t i = 0; i < n; i++) {
		fields_put_int(out, list[i].serial.len, 1);
		buf_add(out, list[i].serial.bytes, list[i].serial.len);
		fields_put_int(out, (uint64_t)list[i].date, 8);
		fields_put_int(out, (uint8_t)(list[i].reason + 1), 1);
	}
	fields_end(out);
}

/* --- reading -------------------------------------------------------------- */

static void
take_keyid(struct fields_reader *r, struct cert_keyid *id)
{
	id->len = (uint8_t)fields_take_choice(r, CERT_KEYID_MAX);
	fields_take_fixed(r, id->bytes, id->len);
}

static void
take_addresses(struct fields_reader *r, struct cert_facts *facts)
{
	size_t	 n = (size_t)fields_take_int(r, 2);

	if (n > CERT_ADDRESSES_MAX)
		r->failed = true;
	if (r->failed || n == 0)
		return;
	facts->addresses = mem_array(n, sizeof(*facts->addresses));
	for (size_t i = 0; i < n && !r->failed; i++) {
		char	*addr = fields_take_str(r, ADDRESS_MAX);

		if (addr != NULL)
			facts->addresses[facts->n_addresses++] = addr;
	}
}

static void
take_curve(struct fields_reader *r, struct cert_facts *facts)
{
	char	*curve = fields_take_str(r, sizeof(facts->curve) - 1);

	if (curve != NULL)
		strcpy(facts->curve, curve);
	free(curve);
}

static void
take_facts(struct fields_reader *r, struct cert_facts *facts)
{
	fields_take_fixed(r, facts->fp.bytes, sizeof(facts->fp.bytes));
	facts->not_before = (int64_t)fields_take_int(r, 8);
	facts->not_after = (int64_t)fields_take_int(r, 8);
	facts->key_kind = (enum cert_key_kind)fields_take_choice(r,
	    CERT_KEY_OTHER);
	facts->key_bits = (uint32_t)fields_take_int(r, 4);
	take_curve(r, facts);
	facts->uses = (uint32_t)fields_take_int(r, 4);
	facts->faults = (uint32_t)fields_take_int(r, 4);
	facts->is_ca = fields_take_choice(r, 1) != 0;
	facts->is_self_signed = fields_take_choice(r, 1) != 0;
	facts->has_eku = fields_take_choice(r, 1) != 0;
	fields_take_fixed(r, facts->spki, sizeof(facts->spki));
	fields_take_fixed(r, facts->issuer, sizeof(facts->issuer));
	fields_take_fixed(r, facts->issuer_serial,
	    sizeof(facts->issuer_serial));
	facts->subject_hash = (uint32_t)fields_take_int(r, 4);
	facts->issuer_hash = (uint32_t)fields_take_int(r, 4);
	take_keyid(r, &facts->ski);
	take_keyid(r, &facts->aki);
	facts->subject = fields_take_str(r, NAME_BYTES_MAX);
	facts->issuer_name = fields_take_str(r, NAME_BYTES_MAX);
	take_addresses(r, facts);
}

bool
record_decode_cert(const uint8_t *data, size_t len, struct cert_record *record,
    struct err *err)
{
	struct fields_reader	 r;
	const uint8_t	*der;

	memset(record, 0, sizeof(*record));
	if (!fields_open(data, len, KIND_CERT, VERSION_CERT, &r, err))
		return false;
	record->state = (enum cert_state)fields_take_choice(&r,
	    CERT_DISTRUSTED);
	record->added = (int64_t)fields_take_int(&r, 8);
	record->source = fields_take_str(&r, RECORD_SOURCE_MAX);
	record->added_by = fields_take_str(&r, RECORD_WHO_MAX);
	take_facts(&r, &record->facts);
	der = fields_take_bytes(&r, CERT_DER_MAX, &record->der_len);
	if (der != NULL)
		record->der = mem_dup(der, record->der_len);
	if (fields_close(&r, err))
		return true;
	record_free_cert(record);
	return false;
}

bool
record_decode_key(const uint8_t *data, size_t len, struct key_record *record,
    struct err *err)
{
	struct fields_reader	 r;

	memset(record, 0, sizeof(*record));
	if (!fields_open(data, len, KIND_KEY, VERSION_KEY, &r, err))
		return false;
	record->protection =
	    (enum key_protection)fields_take_choice(&r, KEY_PASSPHRASE);
	record->added = (int64_t)fields_take_int(&r, 8);
	record->source = fields_take_str(&r, RECORD_SOURCE_MAX);
	record->added_by = fields_take_str(&r, RECORD_WHO_MAX);
	fields_take_buf(&r, RECORD_KEY_MAX, &record->sealed);
	fields_take_buf(&r, RECORD_KEY_MAX, &record->wrapped);
	if (fields_close(&r, err))
		return true;
	record_free_key(record);
	return false;
}

bool
record_decode_crl(const uint8_t *data, size_t len, struct crl_record *record,
    struct err *err)
{
	struct fields_reader	 r;
	char		*number;

	memset(record, 0, sizeof(*record));
	if (!fields_open(data, len, KIND_CRL, VERSION_CRL, &r, err))
		return false;
	fields_take_fixed(&r, record->fp.bytes, sizeof(record->fp.bytes));
	record->added = (int64_t)fields_take_int(&r, 8);
	record->this_update = (int64_t)fields_take_int(&r, 8);
	record->next_update = (int64_t)fields_take_int(&r, 8);
	number = fields_take_str(&r, sizeof(record->number) - 1);
	if (number != NULL)
		strcpy(record->number, number);
	free(number);
	record->n_revoked = (uint32_t)fields_take_int(&r, 4);
	record->issuer = fields_take_str(&r, NAME_BYTES_MAX);
	record->source = fields_take_str(&r, RECORD_SOURCE_MAX);
	if (fields_close(&r, err))
		return true;
	record_free_crl(record);
	return false;
}

static void
take_revoked(struct fields_reader *r, struct crl_revoked *out)
{
	memset(out, 0, sizeof(*out));
	out->serial.len = (uint8_t)fields_take_choice(r, CRL_SERIAL_MAX + 1);
	fields_take_fixed(r, out->serial.bytes, out->serial.len);
	out->date = (int64_t)fields_take_int(r, 8);
	out->reason = (int8_t)((int)fields_take_choice(r, CRL_REASONS) - 1);
}

bool
record_decode_revoked(const uint8_t *data, size_t len,
    struct crl_revoked out[RECORD_REVOKED_MAX], size_t *n, struct err *err)
{
	struct fields_reader	 r;

	*n = 0;
	if (!fields_open(data, len, KIND_REVOKED, VERSION_REVOKED, &r, err))
		return false;
	*n = (size_t)fields_take_int(&r, 2);
	if (*n > RECORD_REVOKED_MAX)
		r.failed = true;
	for (size_t i = 0; !r.failed && i < *n; i++)
		take_revoked(&r, &out[i]);
	return fields_close(&r, err);
}

void
record_free_cert(struct cert_record *record)
{
	cert_facts_free(&record->facts);
	free(record->source);
	free(record->added_by);
	free(record->der);
	memset(record, 0, sizeof(*record));
}

void
record_free_key(struct key_record *record)
{
	free(record->source);
	free(record->added_by);
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
