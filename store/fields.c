/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <openssl/evp.h>

#include "base/mem.h"
#include "store/fields.h"

#define SUM_LEN		8

/* --- writing -------------------------------------------------------------- */

void
fields_begin(struct buf *out, char kind, uint8_t version)
{
	buf_addc(out, kind);
	fields_put_int(out, version, 1);
}

void
fields_put_int(struct buf *out, uint64_t v, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--)
		buf_addc(out, (char)(v >> (8 * i)));
}

void
fields_put_bytes(struct buf *out, const void *data, size_t len)
{
	fields_put_int(out, len, 4);
	buf_add(out, data, len);
}

void
fields_put_str(struct buf *out, const char *s, size_t max)
{
	fields_put_bytes(out, s == NULL ? "" : s,
	    s == NULL ? 0 : strnlen(s, max));
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

void
fields_end(struct buf *out)
{
	uint8_t	 s[SUM_LEN];

	if (!out->failed && sum(out->data, out->len, s))
		buf_add(out, s, sizeof(s));
	else
		out->failed = true;
}

/* --- reading -------------------------------------------------------------- */

static const uint8_t *
take(struct fields_reader *r, size_t len)
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

uint64_t
fields_take_int(struct fields_reader *r, int bytes)
{
	const uint8_t	*p = take(r, (size_t)bytes);
	uint64_t	 v = 0;

	for (int i = 0; p != NULL && i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

unsigned
fields_take_choice(struct fields_reader *r, unsigned max)
{
	uint64_t	 v = fields_take_int(r, 1);

	if (v > max)
		r->failed = true;
	return r->failed ? 0 : (unsigned)v;
}

void
fields_take_fixed(struct fields_reader *r, void *out, size_t len)
{
	const uint8_t	*p = take(r, len);

	if (p != NULL)
		memcpy(out, p, len);
}

const uint8_t *
fields_take_bytes(struct fields_reader *r, size_t max, size_t *len)
{
	*len = (size_t)fields_take_int(r, 4);
	if (*len > max)
		r->failed = true;
	if (r->failed)
		*len = 0;
	return take(r, *len);
}

char *
fields_take_str(struct fields_reader *r, size_t max)
{
	size_t		 len;
	const uint8_t	*p = fields_take_bytes(r, max, &len);

	if (p == NULL || memchr(p, '\0', len) != NULL) {
		r->failed = true;
		return NULL;
	}
	return mem_strn((const char *)p, len);
}

void
fields_take_buf(struct fields_reader *r, size_t max, struct buf *out)
{
	size_t		 len;
	const uint8_t	*p = fields_take_bytes(r, max, &len);

	if (p != NULL)
		buf_add(out, p, len);
}

bool
fields_open(const uint8_t *data, size_t len, char kind, uint8_t version,
    struct fields_reader *r, struct err *err)
{
	uint8_t	 s[SUM_LEN];

	if (len < 2 + SUM_LEN || (char)data[0] != kind)
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

bool
fields_close(const struct fields_reader *r, struct err *err)
{
	if (r->failed || r->left != 0)
		return err_set(err, ERR_DATA, "a record's fields are wrong");
	return true;
}
