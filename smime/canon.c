/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "smime/canon.h"
#include "smime/splice.h"

/* The mail's Content-* fields; other is the Content-Type if it has none. */
static void
write_fields(const struct headers *headers, const char *other,
    struct buf *out)
{
	for (size_t i = 0; i < headers_count(headers); i++) {
		const struct header	*field = headers_at(headers, i);

		if (headers_is_content(field->name))
			headers_write(out, field->name, field->value);
	}
	if (headers_count_name(headers, "Content-Type") == 0)
		headers_write(out, "Content-Type", other);
}

void
canon_header(const struct headers *headers, struct buf *out)
{
	write_fields(headers, " text/plain; charset=us-ascii", out);
	buf_adds(out, "\r\n");
}

/* What a body without Content-Type is (RFC 2045, section 5.2), unguessed. */
static const char *
type_of(const struct headers *headers, const uint8_t *body, size_t len,
    unsigned seen)
{
	if ((seen & SCAN_8BIT) == 0 ||
	    headers_count_name(headers, "Content-Type") > 0)
		return " text/plain; charset=us-ascii";
	if (text_is_utf8((const char *)body, len))
		return " text/plain; charset=utf-8";
	return " text/plain";
}

static struct pieces *
as_is(const struct headers *headers, const uint8_t *body, size_t len,
    unsigned seen)
{
	struct pieces	*out = pieces_new();
	struct buf	 header = { 0 };

	write_fields(headers, type_of(headers, body, len, seen), &header);
	buf_adds(&header, "\r\n");
	pieces_add_take(out, &header);
	pieces_add(out, body, len);
	return out;
}

struct pieces *
canon_as_is(const struct headers *headers, const uint8_t *body, size_t len)
{
	unsigned	 seen = 0;

	if (headers_count_name(headers, "Content-Type") == 0)
		seen = scan_bytes(body, len);
	return as_is(headers, body, len, seen);
}

bool
canon_entity(const struct headers *headers, const uint8_t *body, size_t len,
    unsigned seen, struct canon *out, struct err *err)
{
	struct buf		 header = { 0 };
	struct splice_made	 made;
	bool			 is_clean, is_ok;

	memset(out, 0, sizeof(*out));
	write_fields(headers, type_of(headers, body, len, seen), &header);
	is_clean = seen == 0 && scan_bytes(header.data, header.len) == 0;
	is_ok = buf_ok(&header, "write the mail's header", err) &&
	    splice_mail((struct span){ header.data, header.len },
	    (struct span){ body, len }, is_clean, &made, err);
	buf_free(&header);
	if (!is_ok)
		return false;
	if (made.entity == NULL) {
		out->how = CANON_OPAQUE;
		out->entity = as_is(headers, body, len, seen);
		snprintf(out->why, sizeof(out->why), "%s", made.why);
		return true;
	}
	out->how = made.is_changed ? CANON_SPLICED : CANON_FAST;
	out->is_whole = !made.is_changed && !made.is_cut;
	out->entity = made.entity;
	if (made.is_changed && seen == 0)
		snprintf(out->why, sizeof(out->why),
		    "labels or header fields that transport changes");
	else if (made.is_changed)
		scan_words(seen, out->why, sizeof(out->why));
	return true;
}

void
canon_clear(struct canon *canon)
{
	pieces_free(canon->entity);
	memset(canon, 0, sizeof(*canon));
}

const char *
canon_how_name(enum canon_how how)
{
	switch (how) {
	case CANON_FAST:
		return "fast";
	case CANON_SPLICED:
		return "spliced";
	case CANON_OPAQUE:
		return "opaque";
	}
	return "unknown";
}
