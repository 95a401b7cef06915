/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "smime/entity.h"

struct reader {
	size_t		 n_parts;
	struct err	*err;
};

static bool	read_body(struct reader *, struct entity *, int depth);

static struct span
span_of(const uint8_t *from, const uint8_t *to)
{
	return (struct span){ from, (size_t)(to - from) };
}

static const uint8_t *
span_end(struct span span)
{
	return span.data + span.len;
}

/* The byte after the line that begins at p. */
static const uint8_t *
line_after(const uint8_t *p, const uint8_t *end)
{
	const uint8_t	*lf = memchr(p, '\n', (size_t)(end - p));

	return lf == NULL ? end : lf + 1;
}

static bool
is_empty_line(const uint8_t *p, const uint8_t *end)
{
	return (end - p >= 1 && p[0] == '\n') ||
	    (end - p >= 2 && p[0] == '\r' && p[1] == '\n');
}

/* The colon of a line that begins a header field (RFC 5322, 3.6.8). */
static const uint8_t *
find_colon(const uint8_t *p, const uint8_t *end)
{
	const uint8_t	*start = p;

	while (p < end && *p > ' ' && *p != 127 && *p != ':')
		p++;
	/* Obsolete syntax has blanks before the colon. */
	const uint8_t	*name_end = p;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return name_end > start && p < end && *p == ':' ? p : NULL;
}

/*
 * The fields from p on, up to the empty line, a line that is none, or the
 * end; returns where it stopped, NULL where a limit is passed.
 */
static const uint8_t *
read_fields(struct reader *reader, struct entity *entity, const uint8_t *p,
    const uint8_t *end)
{
	const uint8_t	*start = p;

	while (p < end && !is_empty_line(p, end)) {
		const uint8_t		*next = line_after(p, end);
		const uint8_t		*colon = find_colon(p, next);
		struct entity_field	*field;

		if (colon == NULL) {
			entity->is_doubtful = true;
			break;
		}
		while (next < end && (*next == ' ' || *next == '\t'))
			next = line_after(next, end);
		if (entity->n_fields == ENTITY_FIELDS_MAX) {
			err_limit(reader->err, ERR_MESSAGE, LIMIT_PART_FIELDS,
			    "a MIME part has more than %d header fields",
			    ENTITY_FIELDS_MAX);
			return NULL;
		}
		if (next - start > ENTITY_HEADER_MAX) {
			err_limit(reader->err, ERR_MESSAGE, LIMIT_PART_BYTES,
			    "a MIME part's header is over %d bytes",
			    ENTITY_HEADER_MAX);
			return NULL;
		}
		if (entity->n_fields % 8 == 0)
			entity->fields = mem_grow(entity->fields,
			    entity->n_fields + 8, sizeof(*entity->fields));
		field = &entity->fields[entity->n_fields++];
		field->whole = span_of(p, next);
		while (colon > p && (colon[-1] == ' ' || colon[-1] == '\t'))
			colon--;
		field->name = span_of(p, colon);
		p = next;
	}
	return p;
}

static bool
is_named(const struct entity_field *field, const char *name)
{
	return field->name.len == strlen(name) &&
	    strncasecmp((const char *)field->name.data, name,
	    field->name.len) == 0;
}

static size_t
count_fields(const struct entity *entity, const char *name)
{
	size_t	 n = 0;

	for (size_t i = 0; i < entity->n_fields; i++)
		n += is_named(&entity->fields[i], name) ? 1 : 0;
	return n;
}

/* NUL becomes "?": it ends no string early. */
static char *
unfold(struct span value)
{
	char	*line = mem_alloc(value.len + 1);
	size_t	 n = 0;

	for (size_t i = 0; i < value.len; i++) {
		uint8_t	 c = value.data[i];

		if (c != '\r' && c != '\n')
			line[n++] = c == '\0' ? '?' : (char)c;
	}
	return line;
}

char *
entity_value(const struct entity *entity, const char *name, size_t nth)
{
	for (size_t i = 0; i < entity->n_fields; i++) {
		const struct entity_field	*field = &entity->fields[i];
		const uint8_t			*colon;

		if (!is_named(field, name) || nth-- > 0)
			continue;
		colon = memchr(span_end(field->name), ':', field->whole.len -
		    field->name.len);
		return unfold(span_of(colon + 1, span_end(field->whole)));
	}
	return NULL;
}

static enum entity_encoding
encoding_of(const struct entity *entity)
{
	static const struct {
		const char		*word;
		enum entity_encoding	 encoding;
	} table[] = {
		{ "7bit", ENTITY_7BIT },
		{ "8bit", ENTITY_8BIT },
		{ "binary", ENTITY_BINARY },
		{ "quoted-printable", ENTITY_QP },
		{ "base64", ENTITY_BASE64 },
	};
	enum entity_encoding	 encoding = ENTITY_UNKNOWN;
	size_t			 n;
	char			*value, *word, *end, *rest;

	n = count_fields(entity, "Content-Transfer-Encoding");
	if (n == 0)
		return ENTITY_7BIT;
	if (n > 1)
		return ENTITY_UNKNOWN;
	value = entity_value(entity, "Content-Transfer-Encoding", 0);
	word = value + strspn(value, " \t");
	end = word + strcspn(word, " \t;(");
	rest = end + strspn(end, " \t;");
	/* A comment may follow, nothing else. */
	if (*rest == '\0' || *rest == '(') {
		*end = '\0';
		for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
			if (strcasecmp(word, table[i].word) == 0)
				encoding = table[i].encoding;
	}
	free(value);
	return encoding;
}

/* RFC 2045, section 5.2; RFC 2046, section 5.1.5. */
static const char *
default_type(const struct entity *entity)
{
	if (entity->parent != NULL &&
	    strcmp(entity->parent->type, "multipart/digest") == 0)
		return "message/rfc822";
	return "text/plain";
}

static void
read_labels(struct entity *entity)
{
	size_t	 n = count_fields(entity, "Content-Type");
	char	*value;

	entity->encoding = encoding_of(entity);
	if (n > 1 || count_fields(entity, "Content-Transfer-Encoding") > 1)
		entity->is_doubtful = true;
	if (n == 1) {
		value = entity_value(entity, "Content-Type", 0);
		entity->has_type = content_type_parse(value, entity->type);
		if (content_type_under(entity->type, "multipart/") &&
		    !content_type_param(value, "boundary", entity->boundary))
			entity->is_doubtful = true;
		free(value);
		if (!entity->has_type)
			entity->is_doubtful = true;
	}
	if (!entity->has_type)
		snprintf(entity->type, sizeof(entity->type), "%s",
		    default_type(entity));
}

/* One part's bytes, header and body together. */
static struct entity *
read_part(struct reader *reader, struct entity *parent, struct span part,
    int depth)
{
	struct entity	*entity;
	const uint8_t	*end = span_end(part), *p;

	if (++reader->n_parts > ENTITY_PARTS_MAX) {
		err_limit(reader->err, ERR_MESSAGE, LIMIT_PARTS,
		    "the mail has more than %d MIME parts", ENTITY_PARTS_MAX);
		return NULL;
	}
	entity = mem_alloc(sizeof(*entity));
	entity->parent = parent;
	if ((p = read_fields(reader, entity, part.data, end)) == NULL)
		goto fail;
	entity->header = span_of(part.data, p);
	entity->gap = span_of(p, is_empty_line(p, end) ? line_after(p, end) : p);
	entity->body = span_of(span_end(entity->gap), end);
	read_labels(entity);
	if (!read_body(reader, entity, depth))
		goto fail;
	return entity;
fail:
	entity_free(entity);
	return NULL;
}

/*
 * The next delimiter line of a multipart at or after p: where its "--" is,
 * where the next line begins, and whether it is the end delimiter.  Blanks
 * may follow (RFC 2046, section 5.1.1); anything else makes it another line.
 */
struct delimiter {
	const uint8_t	*start;
	const uint8_t	*after;
	bool		 is_close;
};

static bool
find_delimiter(const char *dashed, const uint8_t *from, const uint8_t *p,
    const uint8_t *end, struct delimiter *out)
{
	size_t	 len = strlen(dashed);

	while ((p = memmem(p, (size_t)(end - p), dashed, len)) != NULL) {
		const uint8_t	*q = p + len;

		out->start = p;
		p = q;
		if (out->start != from && out->start[-1] != '\n')
			continue;
		out->is_close = end - q >= 2 && q[0] == '-' && q[1] == '-';
		if (out->is_close)
			q += 2;
		while (q < end && (*q == ' ' || *q == '\t'))
			q++;
		if (q < end && !is_empty_line(q, end))
			continue;
		out->after = line_after(q, end);
		return true;
	}
	return false;
}

/* The line end before a delimiter belongs to it (RFC 2046, 5.1.1). */
static const uint8_t *
before_line_end(const uint8_t *p, const uint8_t *from)
{
	if (p > from && p[-1] == '\n')
		p--;
	if (p > from && p[-1] == '\r')
		p--;
	return p;
}

static bool
read_multipart(struct reader *reader, struct entity *entity, int depth)
{
	char			 dashed[CONTENT_PARAM_MAX + 2];
	const uint8_t		*from = entity->body.data;
	const uint8_t		*end = span_end(entity->body);
	const uint8_t		*part, *part_end;
	struct delimiter	 open, next = { .is_close = false };
	struct entity		**tail = &entity->first;

	snprintf(dashed, sizeof(dashed), "--%s", entity->boundary);
	if (!find_delimiter(dashed, from, from, end, &open) || open.is_close)
		return true;
	part = before_line_end(open.start, from);
	entity->preamble = span_of(from, part);
	while (true) {
		struct entity	*child;
		bool		 is_last;

		is_last = !find_delimiter(dashed, open.after, open.after, end,
		    &next);
		part_end = is_last ? end :
		    before_line_end(next.start, open.after);
		child = read_part(reader, entity,
		    span_of(open.after, part_end), depth + 1);
		if (child == NULL)
			return false;
		child->delimiter = span_of(part, open.after);
		*tail = child;
		tail = &child->next;
		if (is_last)
			break;
		part = part_end;
		if (next.is_close) {
			entity->close = span_of(part_end, next.after);
			entity->epilogue = span_of(next.after, end);
			break;
		}
		open = next;
	}
	return true;
}

/* A base64 message/rfc822 is illegal, and stays closed. */
static bool
is_open_message(const struct entity *entity)
{
	return (strcmp(entity->type, "message/rfc822") == 0 ||
	    strcmp(entity->type, "message/global") == 0) &&
	    (entity->encoding == ENTITY_7BIT ||
	    entity->encoding == ENTITY_8BIT ||
	    entity->encoding == ENTITY_BINARY);
}

static bool
read_body(struct reader *reader, struct entity *entity, int depth)
{
	bool	 is_multipart = entity->boundary[0] != '\0' &&
	    content_type_under(entity->type, "multipart/") &&
	    entity->encoding != ENTITY_QP && entity->encoding != ENTITY_BASE64;

	/* Readers disagree about what it is, so it has no inside. */
	if (entity->is_doubtful)
		return true;
	if (!is_multipart && !is_open_message(entity))
		return true;
	if (depth >= ENTITY_DEPTH_MAX)
		return err_limit(reader->err, ERR_MESSAGE, LIMIT_PART_DEPTH,
		    "the mail's MIME parts are nested deeper than %d",
		    ENTITY_DEPTH_MAX);
	if (is_multipart)
		return read_multipart(reader, entity, depth);
	entity->first = read_part(reader, entity, entity->body, depth + 1);
	return entity->first != NULL;
}

bool
entity_parse(struct span header, struct span body, struct entity **out,
    struct err *err)
{
	static const uint8_t	 nothing[1];
	struct reader		 reader = { .n_parts = 1, .err = err };
	struct entity		*entity = mem_alloc(sizeof(*entity));
	const uint8_t		*p, *end;

	if (header.data == NULL)
		header.data = nothing;
	if (body.data == NULL)
		body.data = nothing;
	end = span_end(header);
	if ((p = read_fields(&reader, entity, header.data, end)) == NULL)
		goto fail;
	if (p < end)
		entity->is_doubtful = true;
	entity->header = header;
	entity->gap = span_of(end, end);
	entity->body = body;
	read_labels(entity);
	if (!read_body(&reader, entity, 1))
		goto fail;
	*out = entity;
	return true;
fail:
	entity_free(entity);
	return false;
}

struct entity *
entity_next(const struct entity *entity)
{
	if (entity->first != NULL)
		return entity->first;
	while (entity != NULL && entity->next == NULL)
		entity = entity->parent;
	return entity == NULL ? NULL : entity->next;
}

bool
entity_is_under(const struct entity *entity, const struct entity *top)
{
	while (entity->parent != NULL) {
		entity = entity->parent;
		if (entity == top)
			return true;
	}
	return false;
}

bool
entity_is_composite(const struct entity *entity)
{
	return entity->first != NULL;
}

void
entity_free(struct entity *entity)
{
	struct entity	*child, *next;

	if (entity == NULL)
		return;
	for (child = entity->first; child != NULL; child = next) {
		next = child->next;
		entity_free(child);
	}
	free(entity->fields);
	free(entity);
}
