/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/ber.h"

#define DEPTH_MAX	32	/* of indefinite lengths inside each other */

struct header {
	uint8_t	 tag;
	size_t	 size;		/* of the header itself */
	size_t	 len;		/* of the contents */
	bool	 is_indefinite;
};

/* Identifier and length octets (X.690, 8.1.2 and 8.1.3). */
static bool
read_header(const uint8_t *p, size_t n, struct header *h)
{
	size_t	 octets;

	if (n < 2 || (p[0] & 0x1f) == 0x1f)
		return false;
	*h = (struct header){ .tag = p[0], .size = 2, .len = p[1] };
	if (p[1] < 0x80)
		return h->len <= n - 2;
	if (p[1] == 0x80) {
		h->is_indefinite = true;
		h->len = 0;
		return (p[0] & 0x20) != 0;
	}
	octets = p[1] & 0x7f;
	if (octets > 4 || octets > n - 2)
		return false;
	h->len = 0;
	for (size_t i = 0; i < octets; i++)
		h->len = h->len << 8 | p[2 + i];
	h->size += octets;
	return h->len <= n - h->size;
}

/* Length of indefinite contents, without the two zeros that end them. */
static bool
find_end(const uint8_t *p, size_t n, unsigned int depth, size_t *len)
{
	size_t	 at = 0, inner;

	if (depth == DEPTH_MAX)
		return false;
	for (;;) {
		struct header	 h;

		if (!read_header(p + at, n - at, &h))
			return false;
		if (h.tag == 0 && h.len == 0 && !h.is_indefinite) {
			*len = at;
			return true;
		}
		at += h.size;
		if (!h.is_indefinite) {
			at += h.len;
			continue;
		}
		if (!find_end(p + at, n - at, depth + 1, &inner))
			return false;
		at += inner + 2;
	}
}

bool
ber_next(const uint8_t **data, size_t *len, struct ber *out)
{
	struct header	 h;
	size_t		 end = 0;

	if (!read_header(*data, *len, &h))
		return false;
	if (h.is_indefinite) {
		if (!find_end(*data + h.size, *len - h.size, 0, &h.len))
			return false;
		end = 2;
	}
	out->tag = h.tag;
	out->whole = *data;
	out->whole_len = h.size + h.len + end;
	out->data = *data + h.size;
	out->len = h.len;
	*data += out->whole_len;
	*len -= out->whole_len;
	return true;
}

bool
ber_expect(const uint8_t **data, size_t *len, uint8_t tag, struct ber *out)
{
	return *len > 0 && **data == tag && ber_next(data, len, out);
}
