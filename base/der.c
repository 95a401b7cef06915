/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/der.h"

int
der_tag(const struct der *der)
{
	return der->p < der->end ? *der->p : -1;
}

bool
der_take(struct der *der, int tag, struct der *in)
{
	const uint8_t	*p = der->p;
	size_t		 len, n;

	if (der->end - p < 2 || *p++ != tag)
		return false;
	len = *p++;
	if (len >= 0x80) {
		n = len & 0x7f;
		if (n == 0 || n > sizeof(len) - 1 ||
		    (size_t)(der->end - p) < n)
			return false;
		for (len = 0; n > 0; n--)
			len = len << 8 | *p++;
	}
	if (len > (size_t)(der->end - p))
		return false;
	in->p = p;
	in->end = der->p = p + len;
	return true;
}

int
der_count(struct der der)
{
	struct der	 in;
	int		 n = 0;

	while (der.p < der.end) {
		if (!der_take(&der, der_tag(&der), &in))
			return -1;
		n++;
	}
	return n;
}

bool
der_is(struct der content, const void *data, size_t len)
{
	return (size_t)(content.end - content.p) == len &&
	    memcmp(content.p, data, len) == 0;
}

static size_t
length_bytes(size_t len)
{
	size_t	 n = 0;

	for (; len > 0; len >>= 8)
		n++;
	return n;
}

size_t
der_head_len(size_t content_len)
{
	return 2 + (content_len < 0x80 ? 0 : length_bytes(content_len));
}

size_t
der_len(size_t content_len)
{
	return der_head_len(content_len) + content_len;
}

void
der_head(struct buf *out, int tag, size_t content_len)
{
	size_t	 n = length_bytes(content_len);

	buf_addc(out, (char)tag);
	if (content_len < 0x80) {
		buf_addc(out, (char)content_len);
		return;
	}
	buf_addc(out, (char)(0x80 | n));
	while (n-- > 0)
		buf_addc(out, (char)(content_len >> (8 * n) & 0xff));
}
