/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdbool.h>
#include <string.h>

#include "smime/qp.h"

#define LINE_MAX_QP	76

static bool
is_literal(uint8_t c)
{
	return (c >= 33 && c <= 126 && c != '=') || c == ' ' || c == '\t';
}

static bool
is_line_end(const uint8_t *p, const uint8_t *end)
{
	return p == end || (end - p >= 2 && p[0] == '\r' && p[1] == '\n');
}

static bool
starts(const uint8_t *p, const uint8_t *end, const char *with)
{
	size_t	 len = strlen(with);

	return (size_t)(end - p) >= len && memcmp(p, with, len) == 0;
}

static bool
must_escape(const uint8_t *p, const uint8_t *end, size_t column)
{
	if (!is_literal(*p))
		return true;
	if (*p == ' ' || *p == '\t')
		return is_line_end(p + 1, end);
	return column == 0 &&
	    (starts(p, end, "From ") || starts(p, end, "--"));
}

void
qp_encode(const uint8_t *p, size_t len, struct buf *out)
{
	static const char	 hex[] = "0123456789ABCDEF";
	const uint8_t		*end = p + len;
	size_t			 column = 0;

	while (p < end) {
		char	 word[3] = { '=' };
		size_t	 n = 1;

		if (is_line_end(p, end)) {
			buf_add(out, "\r\n", 2);
			p += 2;
			column = 0;
			continue;
		}
		/* A line that goes on needs room for its "=". */
		if (must_escape(p, end, column))
			n = 3;
		if (column + n > LINE_MAX_QP - 1 &&
		    (column + n > LINE_MAX_QP || !is_line_end(p + 1, end))) {
			buf_add(out, "=\r\n", 3);
			column = 0;
			n = must_escape(p, end, column) ? 3 : 1;
		}
		if (n == 1)
			word[0] = (char)*p;
		else {
			word[1] = hex[*p >> 4];
			word[2] = hex[*p & 15];
		}
		buf_add(out, word, n);
		column += n;
		p++;
	}
}
