/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/text.h"

void
text_hex(const void *data, size_t len, char *out)
{
	static const char	 digits[] = "0123456789abcdef";
	const uint8_t		*p = data;

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = '\0';
}

void
text_fp(const struct fingerprint *fp, char out[TEXT_FP_LEN])
{
	text_hex(fp->bytes, sizeof(fp->bytes), out);
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
text_fp_parse(const char *s, struct fingerprint *fp)
{
	int	 n = 0;

	memset(fp, 0, sizeof(*fp));
	for (; *s != '\0'; s++) {
		int	 v = hex_value(*s);

		if (*s == ':' || *s == ' ')
			continue;
		if (v == -1 || n == 64)
			return -1;
		fp->bytes[n / 2] |= (uint8_t)(n % 2 == 0 ? v << 4 : v);
		n++;
	}
	return n;
}

bool
text_fp_equal(const struct fingerprint *a, const struct fingerprint *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static void
format_time(int64_t when, const char *fmt, char out[TEXT_TIME_LEN])
{
	time_t		 t = (time_t)when;
	struct tm	 tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(out, TEXT_TIME_LEN, fmt, &tm) == 0)
		snprintf(out, TEXT_TIME_LEN, "(time %lld)", (long long)when);
}

void
text_time(int64_t when, char out[TEXT_TIME_LEN])
{
	format_time(when, "%Y-%m-%dT%H:%M:%SZ", out);
}

void
text_date(int64_t when, char out[TEXT_TIME_LEN])
{
	format_time(when, "%Y-%m-%d", out);
}

/*
 * How many bytes the UTF-8 character at s has, 0 if it is none: overlong
 * forms, surrogates and what lies past U+10FFFF are none (RFC 3629).
 */
static size_t
utf8_char(const uint8_t *s, size_t len, uint32_t *code)
{
	static const uint32_t	 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t			 n;

	if (s[0] < 0x80) {
		*code = s[0];
		return 1;
	}
	n = s[0] >= 0xf0 && s[0] < 0xf8 ? 4 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 :
	    s[0] >= 0xc0 && s[0] < 0xe0 ? 2 : 0;
	if (n == 0 || n > len)
		return 0;
	*code = s[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (s[i] & 0x3f);
	}
	if (*code < least[n] || *code > 0x10ffff ||
	    (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return n;
}

bool
text_is_utf8(const char *s, size_t len)
{
	const uint8_t	*p = (const uint8_t *)s;
	uint32_t	 code;

	while (len > 0) {
		size_t	 n = utf8_char(p, len, &code);

		if (n == 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

static bool
is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* C0 and C1 controls, and the marks that reorder or hide what is read. */
static bool
is_deceptive(uint32_t c)
{
	return is_control(c) ||
	    c == 0x061c || (c >= 0x200b && c <= 0x200f) ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
	    c == 0xfeff;
}

/*
 * Unicode's white space and Default_Ignorable_Code_Point (DerivedCoreProperties
 * 15.0), and the interlinear and object marks.
 */
static bool
is_invisible(uint32_t c)
{
	static const struct {
		uint32_t	 first, last;
	} ranges[] = {
		{ 0x00, 0x20 }, { 0x7f, 0xa0 }, { 0xad, 0xad },
		{ 0x034f, 0x034f }, { 0x061c, 0x061c }, { 0x115f, 0x1160 },
		{ 0x1680, 0x1680 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f },
		{ 0x2000, 0x200f }, { 0x2028, 0x202f }, { 0x205f, 0x206f },
		{ 0x2800, 0x2800 }, { 0x3000, 0x3000 }, { 0x3164, 0x3164 },
		{ 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 },
		{ 0xfff0, 0xfffc }, { 0x1bca0, 0x1bca3 },
		{ 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff }
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

static bool
is_reordering(uint32_t c)
{
	return is_control(c) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069);
}

/* Has it a character of this kind, or bytes that are none? */
static bool
has(const char *s, size_t len, bool (*is_kind)(uint32_t), bool *is_utf8)
{
	const uint8_t	*p = (const uint8_t *)s;
	uint32_t	 code = 0;
	bool		 found = false;

	*is_utf8 = true;
	while (len > 0) {
		size_t	 n = utf8_char(p, len, &code);

		*is_utf8 &= n != 0;
		found |= n != 0 && is_kind(code);
		n = n == 0 ? 1 : n;
		p += n;
		len -= n;
	}
	return found;
}

bool
text_is_visible(const char *s, size_t len)
{
	bool	 is_utf8;

	return !has(s, len, is_invisible, &is_utf8) && is_utf8;
}

bool
text_reorders(const char *s, size_t len)
{
	bool	 is_utf8;

	return has(s, len, is_reordering, &is_utf8);
}

static char *
make_safe(const char *s, size_t len, size_t max, bool is_name)
{
	struct buf	 out = { 0 };
	const uint8_t	*p = (const uint8_t *)s;
	const char	*special = is_name ? "" : "\"\\";

	while (len > 0) {
		uint32_t	 code = 0;
		size_t		 n = utf8_char(p, len, &code);
		size_t		 take = n == 0 ? 1 : n;
		bool		 is_plain = n != 0 && !is_deceptive(code) &&
				    (n > 1 || strchr(special, *p) == NULL);

		if (out.len + (is_plain ? take : 4 * take) > max) {
			buf_adds(&out, "...");
			break;
		}
		if (is_plain)
			buf_add(&out, p, take);
		else
			for (size_t i = 0; i < take; i++)
				buf_addf(&out, is_name ? "\\%02X" : "\\x%02x",
				    p[i]);
		p += take;
		len -= take;
	}
	return buf_take_str(&out);
}

char *
text_safe(const char *s, size_t len, size_t max)
{
	return make_safe(s, len, max, false);
}

char *
text_safe_name(const char *s, size_t len, size_t max)
{
	return make_safe(s, len, max, true);
}
