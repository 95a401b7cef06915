/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/mem.h"

static void
grow(struct buf *buf, size_t cap)
{
	uint8_t	*data;

	if (!buf->is_secret) {
		if ((data = realloc(buf->data, cap)) == NULL) {
			buf->failed = true;
			return;
		}
	} else {
		if ((data = malloc(cap)) == NULL) {
			buf->failed = true;
			return;
		}
		if (buf->data != NULL) {
			memcpy(data, buf->data, buf->len);
			OPENSSL_cleanse(buf->data, buf->cap);
			free(buf->data);
		}
	}
	buf->data = data;
	buf->cap = cap;
}

void
buf_reserve(struct buf *buf, size_t len)
{
	if (buf->failed)
		return;
	if (len > SIZE_MAX / 2 - buf->len ||
	    (buf->max != 0 && (len > buf->max || buf->len > buf->max - len))) {
		buf->failed = true;
		return;
	}
	if (buf->cap - buf->len < len)
		grow(buf, buf->len + len);
}

void
buf_add(struct buf *buf, const void *data, size_t len)
{
	if (len == 0)
		return;
	if (!buf->failed && (buf->cap - buf->len < len ||
	    (buf->max != 0 && buf->max - buf->len < len))) {
		size_t	 more = buf->cap < 256 ? 256 : buf->cap / 2;

		/* Grow by half, within the limit, or by what is needed. */
		if (buf->max != 0 && more > buf->max - buf->len)
			more = buf->max - buf->len;
		buf_reserve(buf, more > len ? more : len);
	}
	if (buf->failed)
		return;
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
}

void
buf_addc(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void
buf_adds(struct buf *buf, const char *s)
{
	buf_add(buf, s, strlen(s));
}

void
buf_addf(struct buf *buf, const char *fmt, ...)
{
	va_list	 ap;
	int	 len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0) {
		buf->failed = true;
		return;
	}
	buf_reserve(buf, (size_t)len);
	/* vsnprintf's NUL, which is not kept, may lie past the limit. */
	if (!buf->failed && buf->cap - buf->len < (size_t)len + 1)
		grow(buf, buf->len + (size_t)len + 1);
	if (buf->failed)
		return;
	va_start(ap, fmt);
	vsnprintf((char *)buf->data + buf->len, (size_t)len + 1, fmt, ap);
	va_end(ap);
	buf->len += (size_t)len;
}

bool
buf_ok(const struct buf *buf, const char *what, struct err *err)
{
	if (!buf->failed)
		return true;
	if (buf->max != 0)
		return err_set(err, ERR_TEMP,
		    "%s: no memory, or more than %zu bytes", what, buf->max);
	return err_set(err, ERR_TEMP, "%s: no memory", what);
}

char *
buf_take_str(struct buf *buf)
{
	char	*s = mem_strn((const char *)(buf->data == NULL ?
		    (const uint8_t *)"" : buf->data), buf->len);

	buf_free(buf);
	return s;
}

void
buf_clear(struct buf *buf)
{
	if (buf->is_secret && buf->data != NULL)
		OPENSSL_cleanse(buf->data, buf->cap);
	buf->len = 0;
	buf->failed = false;
}

void
buf_free(struct buf *buf)
{
	buf_clear(buf);
	free(buf->data);
	buf->data = NULL;
	buf->cap = 0;
}
