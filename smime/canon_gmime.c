/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <gmime/gmime-encodings.h>

#include "smime/canon_gmime.h"

static bool
is_base64_char(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') || c == '+' || c == '/';
}

static bool
is_white(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/*
 * Whole groups of four, white space anywhere, padding at the very end only:
 * all decoders agree on that and on nothing else.
 */
static bool
is_strict_base64(struct span in)
{
	size_t	 n = 0, n_pad = 0;

	for (size_t i = 0; i < in.len; i++) {
		uint8_t	 c = in.data[i];

		if (is_white(c))
			continue;
		if (c == '=')
			n_pad++;
		else if (n_pad > 0 || !is_base64_char(c))
			return false;
		n++;
	}
	return n % 4 == 0 && n_pad <= 2;
}

bool
canon_gmime_decode(enum entity_encoding encoding, struct span in,
    struct buf *out, struct err *err)
{
	GMimeEncoding		 state;
	GMimeContentEncoding	 kind;

	switch (encoding) {
	case ENTITY_7BIT:
	case ENTITY_8BIT:
	case ENTITY_BINARY:
		buf_add(out, in.data, in.len);
		return buf_ok(out, "decode a MIME part", err);
	case ENTITY_QP:
		kind = GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
		break;
	case ENTITY_BASE64:
		if (!is_strict_base64(in))
			return err_set(err, ERR_MESSAGE,
			    "a part's base64 has other characters in it");
		kind = GMIME_CONTENT_ENCODING_BASE64;
		break;
	default:
		return err_set(err, ERR_MESSAGE,
		    "a part has an unknown Content-Transfer-Encoding");
	}
	g_mime_encoding_init_decode(&state, kind);
	buf_reserve(out, g_mime_encoding_outlen(&state, in.len) + 16);
	if (!buf_ok(out, "decode a MIME part", err))
		return false;
	out->len += g_mime_encoding_flush(&state, (const char *)in.data,
	    in.len, (char *)out->data + out->len);
	return true;
}
