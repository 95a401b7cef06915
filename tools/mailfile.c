/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "tools/mailfile.h"

/* Where a line ends: after its LF, or at the end of all. */
static const char *
after_line(const char *p, const char *end)
{
	const char	*lf = memchr(p, '\n', (size_t)(end - p));

	return lf == NULL ? end : lf + 1;
}

/* The length of a field's name, 0 for a line that is no field (RFC 5322). */
static size_t
name_len(const char *p, const char *end)
{
	const char	*q = p;

	while (q < end && *q > ' ' && *q < 0x7f && *q != ':')
		q++;
	return q < end && *q == ':' ? (size_t)(q - p) : 0;
}

/* A field's value as the mail has it: folds as LF, no line end. */
static char *
copy_value(const char *p, const char *end)
{
	struct buf	 value = { 0 };

	while (end > p && (end[-1] == '\n' || end[-1] == '\r'))
		end--;
	for (; p < end; p++)
		if (*p != '\r' || p + 1 == end || p[1] != '\n')
			buf_addc(&value, *p);
	return buf_take_str(&value);
}

static bool
add_field(struct mail *mail, const char *p, size_t len, const char *end,
    struct err *err)
{
	char	*name, *value;

	if (memchr(p, '\0', (size_t)(end - p)) != NULL)
		return err_set(err, ERR_MESSAGE,
		    "a header field holds a NUL byte");
	name = mem_strn(p, len);
	value = copy_value(p + len + 1, end);
	mail_add_header(mail, name, value);
	free(name);
	free(value);
	return true;
}

static void
add_body(struct mail *mail, const char *p, const char *end)
{
	while (p < end) {
		const char	*next = after_line(p, end);
		size_t		 len = (size_t)(next - p);

		if (next[-1] != '\n' || (len > 1 && next[-2] == '\r'))
			mail_add_body(mail, p, len);
		else {
			mail_add_body(mail, p, len - 1);
			mail_add_body(mail, "\r\n", 2);
		}
		p = next;
	}
}

bool
mailfile_parse(const struct buf *in, struct mail *mail, struct err *err)
{
	const char	*p = (const char *)in->data, *end = p + in->len;
	size_t		 len;

	if (in->len == 0)
		return true;
	if (in->len > 5 && memcmp(p, "From ", 5) == 0)
		p = after_line(p, end);
	while (p < end && (len = name_len(p, end)) > 0) {
		const char	*next = after_line(p, end);

		while (next < end && (*next == ' ' || *next == '\t'))
			next = after_line(next, end);
		if (!add_field(mail, p, len, next, err))
			return false;
		p = next;
	}
	if (p < end && *p == '\n')
		p++;
	else if (end - p >= 2 && p[0] == '\r' && p[1] == '\n')
		p += 2;
	add_body(mail, p, end);
	return true;
}

static bool
write_bytes(void *arg, const uint8_t *data, size_t len, struct err *err)
{
	if (fwrite(data, 1, len, arg) != len)
		return err_errno(err, ERR_TEMP, "write the mail");
	return true;
}

static bool
write_field(FILE *to, const char *name, const char *value, struct err *err)
{
	struct buf	 field = { 0 };
	bool		 is_ok;

	headers_write(&field, name, value);
	is_ok = buf_ok(&field, "a header field", err) &&
	    write_bytes(to, field.data, field.len, err);
	buf_free(&field);
	return is_ok;
}

static bool
write_header(const struct headers *headers, const struct edits *edits,
    FILE *to, struct err *err)
{
	struct headers	*result = NULL;
	bool		 is_ok = edits_result(edits, headers, &result, err);

	for (size_t i = 0; is_ok && i < headers_count(result); i++)
		is_ok = write_field(to, headers_at(result, i)->name,
		    headers_at(result, i)->value, err);
	headers_free(result);
	return is_ok;
}

bool
mailfile_write(const struct mail *mail, const struct edits *edits, FILE *to,
    struct err *err)
{
	const uint8_t	*body;
	size_t		 len;

	if (!write_header(mail->headers, edits, to, err) ||
	    !write_bytes(to, (const uint8_t *)"\r\n", 2, err))
		return false;
	if (edits->body != NULL)
		return pieces_walk(edits->body, write_bytes, to, err);
	return spool_bytes(mail->body, &body, &len, err) &&
	    write_bytes(to, body, len, err);
}
