/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "smime/headers.h"

struct headers {
	struct header	*list;
	size_t		 n;
	size_t		 cap;
	size_t		 bytes;
};

struct headers *
headers_new(void)
{
	return mem_alloc(sizeof(struct headers));
}

/*
 * The name's length without blanks before the colon, which obsolete syntax
 * has (RFC 5322, section 4.5); 0 if it cannot be one.  Other odd bytes are
 * let pass: a mail is not refused for what is not changed in it.
 */
static size_t
name_len(const char *name)
{
	size_t	 len = strlen(name);

	while (len > 0 && (name[len - 1] == ' ' || name[len - 1] == '\t'))
		len--;
	return strcspn(name, ":\r\n") < len ? 0 : len;
}

/* The value with folds as "\n" and white space, and no other line ends. */
static char *
copy_value(const char *value)
{
	/* At worst each byte is an LF that gets a space. */
	char	*copy = mem_alloc(2 * strlen(value) + 1), *out = copy;

	for (; *value != '\0'; value++) {
		if (value[0] == '\r' && value[1] == '\n')
			continue;
		/* A field's last line end is no fold. */
		if (value[0] == '\n' && value[1] == '\0')
			break;
		*out++ = *value;
		if (value[0] == '\n' && value[1] != ' ' && value[1] != '\t')
			*out++ = ' ';
	}
	return copy;
}

bool
headers_add(struct headers *headers, const char *name, const char *value,
    struct err *err)
{
	size_t	 len = name_len(name), bytes = len + strlen(value);

	if (len == 0)
		return err_set(err, ERR_MESSAGE,
		    "a header field has a name that is none");
	if (headers->n == HEADERS_MAX)
		return err_limit(err, ERR_MESSAGE, LIMIT_HEADER_FIELDS,
		    "the mail has more than %d header fields", HEADERS_MAX);
	if (bytes > HEADERS_BYTES_MAX - headers->bytes)
		return err_limit(err, ERR_MESSAGE, LIMIT_HEADER_BYTES,
		    "the mail's header is larger than %d bytes",
		    HEADERS_BYTES_MAX);
	if (headers->n == headers->cap) {
		headers->cap = headers->cap == 0 ? 32 : headers->cap * 2;
		headers->list = mem_grow(headers->list, headers->cap,
		    sizeof(*headers->list));
	}
	headers->list[headers->n].name = mem_strn(name, len);
	headers->list[headers->n].value = copy_value(value);
	headers->n++;
	headers->bytes += bytes;
	return true;
}

void
headers_free(struct headers *headers)
{
	if (headers == NULL)
		return;
	for (size_t i = 0; i < headers->n; i++) {
		free(headers->list[i].name);
		free(headers->list[i].value);
	}
	free(headers->list);
	free(headers);
}

size_t
headers_count(const struct headers *headers)
{
	return headers->n;
}

const struct header *
headers_at(const struct headers *headers, size_t i)
{
	return &headers->list[i];
}

size_t
headers_count_name(const struct headers *headers, const char *name)
{
	size_t	 n = 0;

	for (size_t i = 0; i < headers->n; i++) {
		if (strcasecmp(headers->list[i].name, name) == 0)
			n++;
	}
	return n;
}

const char *
headers_find(const struct headers *headers, const char *name, size_t nth)
{
	for (size_t i = 0; i < headers->n; i++) {
		if (strcasecmp(headers->list[i].name, name) != 0)
			continue;
		if (nth-- == 0)
			return headers->list[i].value;
	}
	return NULL;
}

bool
headers_is_content(const char *name)
{
	return strncasecmp(name, "Content-", strlen("Content-")) == 0;
}

void
headers_write(struct buf *out, const char *name, const char *value)
{
	buf_adds(out, name);
	buf_addc(out, ':');
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			buf_addc(out, '\r');
		buf_addc(out, *value);
	}
	buf_adds(out, "\r\n");
}
