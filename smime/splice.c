/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "smime/canon_gmime.h"
#include "smime/qp.h"
#include "smime/scan.h"
#include "smime/splice.h"

/*
 * The mail being written: spans of its own bytes, joined again where they
 * touch, and what replaces some of them.
 */
struct splice {
	struct pieces	*out;
	struct span	 run;		/* of the body, not yet in out */
	struct span	 header;	/* of the mail; goes when this is done, */
	struct buf	 head;		/* so these bytes of it are copies */
	bool		 is_clean;	/* there is nothing to look for */
	bool		 is_changed;	/* a byte differs */
	bool		 is_cut;	/* preamble or epilogue left out */
	char		*why;		/* of a verdict "opaque" */
	size_t		 why_len;
	struct err	*err;		/* of a failure; kind is ERR_NONE else */
};

static bool	emit(struct splice *, const struct entity *);

/* The mail cannot be spliced; always false. */
__attribute__((format(printf, 2, 3)))
static bool
give_up(struct splice *splice, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	vsnprintf(splice->why, splice->why_len, fmt, ap);
	va_end(ap);
	return false;
}

static void
flush(struct splice *splice)
{
	if (splice->head.len > 0 || splice->head.failed)
		pieces_add_take(splice->out, &splice->head);
	pieces_add(splice->out, splice->run.data, splice->run.len);
	splice->run.len = 0;
}

static bool
is_inside(const uint8_t *p, struct span span)
{
	return p >= span.data && p < span.data + span.len;
}

static void
copy(struct splice *splice, struct span span)
{
	if (span.len == 0)
		return;
	if (is_inside(span.data, splice->header)) {
		buf_add(&splice->head, span.data, span.len);
		return;
	}
	if (splice->run.len > 0 &&
	    splice->run.data + splice->run.len == span.data) {
		splice->run.len += span.len;
		return;
	}
	flush(splice);
	splice->run = span;
}

static void
put_take(struct splice *splice, struct buf *buf)
{
	flush(splice);
	pieces_add_take(splice->out, buf);
	splice->is_changed = true;
}

static void
put_base64_take(struct splice *splice, struct buf *buf)
{
	struct pieces	*content = pieces_new();

	flush(splice);
	pieces_add_take(content, buf);
	pieces_add_base64_take(splice->out, content);
	splice->is_changed = true;
}

static unsigned
look(const struct splice *splice, struct span span)
{
	return splice->is_clean ? 0 : scan_bytes(span.data, span.len);
}

static bool
is_named(const struct entity_field *field, const char *name)
{
	return field->name.len == strlen(name) &&
	    strncasecmp((const char *)field->name.data, name,
	    field->name.len) == 0;
}

static bool
has_word(struct span span, const char *word)
{
	size_t	 len = strlen(word);

	for (size_t i = 0; i + len <= span.len; i++) {
		if (strncasecmp((const char *)span.data + i, word, len) == 0)
			return true;
	}
	return false;
}

static bool
is_8bit_label(const struct entity *entity)
{
	return entity->encoding == ENTITY_8BIT ||
	    entity->encoding == ENTITY_BINARY;
}

/*
 * Would an MTA that goes by labels rewrite this part?  One that readers
 * take in different ways may have labels anywhere.
 */
static bool
may_be_rewritten(const struct entity *entity)
{
	if (!entity->is_doubtful)
		return is_8bit_label(entity);
	return has_word(entity->header, "8bit") ||
	    has_word(entity->header, "binary") ||
	    has_word(entity->body, "8bit") ||
	    has_word(entity->body, "binary");
}

static bool
is_sealed_type(const char *type)
{
	static const char *const	 types[] = {
		"multipart/signed", "multipart/encrypted",
		"application/pkcs7-mime", "application/x-pkcs7-mime",
		"application/pkcs7-signature",
		"application/x-pkcs7-signature",
		"application/pgp-encrypted", "application/pgp-signature",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(type, types[i]) == 0)
			return true;
	}
	return false;
}

/*
 * Another's signature or secret, or a message with such a thing in it: no
 * byte may change.
 */
static bool
is_sealed(const struct entity *entity)
{
	const struct entity	*part = entity;

	if (is_sealed_type(entity->type))
		return true;
	if (!content_type_under(entity->type, "message/"))
		return false;
	while ((part = entity_next(part)) != NULL &&
	    entity_is_under(part, entity)) {
		if (is_sealed_type(part->type))
			return true;
	}
	return false;
}

static bool
emit_sealed(struct splice *splice, const struct entity *entity)
{
	struct span	 whole[] = {
		entity->header, entity->gap, entity->body
	};
	const struct entity	*part = entity;
	char		 words[128];
	unsigned	 found = 0;

	for (size_t i = 0; i < 3; i++) {
		found |= look(splice, whole[i]);
		copy(splice, whole[i]);
	}
	if (found != 0)
		return give_up(splice, "a %s part, which must not change, has "
		    "%s", entity->type,
		    scan_words(found, words, sizeof(words)));
	do {
		if (may_be_rewritten(part))
			return give_up(splice, "a %s part, which must not "
			    "change, is labelled 8bit", entity->type);
		part = entity_next(part);
	} while (part != NULL && entity_is_under(part, entity));
	return true;
}

/* The line end of a field; the last one of a part may have none. */
static const char *
field_end(struct span field)
{
	return field.len > 0 && field.data[field.len - 1] == '\n' ?
	    "\r\n" : "";
}

/*
 * A field without blanks at line ends, and with all lines in CRLF.  A line of
 * blanks alone goes entirely, or it would end the header.
 */
static void
add_trimmed(struct buf *out, struct span field)
{
	const uint8_t	*p = field.data, *end = p + field.len;
	bool		 is_first = true;

	while (p < end) {
		const uint8_t	*lf = memchr(p, '\n', (size_t)(end - p));
		const uint8_t	*next = lf == NULL ? end : lf + 1;
		const uint8_t	*stop = lf == NULL ? end : lf;

		if (stop > p && stop[-1] == '\r')
			stop--;
		while (stop > p && (stop[-1] == ' ' || stop[-1] == '\t'))
			stop--;
		if (stop > p) {
			if (!is_first)
				buf_adds(out, "\r\n");
			buf_add(out, p, (size_t)(stop - p));
			is_first = false;
		}
		p = next;
	}
}

/* What a part's header shall say from now on. */
struct labels {
	const char	*encoding;	/* NULL: as it is */
	bool		 add_utf8;	/* say charset=utf-8 */
};

/* "text/plain" or "text/plain;" with the charset behind it. */
static void
add_with_charset(struct buf *out, struct span field)
{
	struct buf	 line = { 0 };

	add_trimmed(&line, field);
	while (line.len > 0 && (line.data[line.len - 1] == ';' ||
	    line.data[line.len - 1] == ' ' || line.data[line.len - 1] == '\t'))
		line.len--;
	buf_add(out, line.data, line.len);
	buf_adds(out, ";\r\n\tcharset=utf-8");
	out->failed |= line.failed;
	buf_free(&line);
}

static bool
emit_field(struct splice *splice, const struct entity_field *field,
    const struct labels *labels)
{
	struct buf	 out = { 0 };
	unsigned	 found = look(splice, field->whole);
	char		 words[128];

	if (labels->encoding != NULL &&
	    is_named(field, "Content-Transfer-Encoding"))
		buf_addf(&out, "Content-Transfer-Encoding: %s",
		    labels->encoding);
	else if (labels->add_utf8 && is_named(field, "Content-Type"))
		add_with_charset(&out, field->whole);
	else if (found == 0) {
		copy(splice, field->whole);
		return true;
	} else if ((found & ~(unsigned)(SCAN_BLANK | SCAN_BARE_LF)) == 0)
		add_trimmed(&out, field->whole);
	else
		return give_up(splice, "the header of a part has %s",
		    scan_words(found, words, sizeof(words)));
	buf_adds(&out, field_end(field->whole));
	if (!buf_ok(&out, "write a part's header", splice->err)) {
		buf_free(&out);
		return false;
	}
	put_take(splice, &out);
	return true;
}

static void
put_line(struct splice *splice, const char *line)
{
	struct buf	 buf = { 0 };

	buf_adds(&buf, line);
	put_take(splice, &buf);
}

/* The header and the empty line. */
static bool
emit_header(struct splice *splice, const struct entity *entity,
    const struct labels *labels)
{
	bool	 has_type = false, has_encoding = false;

	for (size_t i = 0; i < entity->n_fields; i++) {
		const struct entity_field	*field = &entity->fields[i];

		if (!emit_field(splice, field, labels))
			return false;
		has_type |= is_named(field, "Content-Type");
		has_encoding |= is_named(field, "Content-Transfer-Encoding");
	}
	if (labels->add_utf8 && !has_type)
		put_line(splice, "Content-Type: text/plain; "
		    "charset=utf-8\r\n");
	if (labels->encoding != NULL && !has_encoding) {
		struct buf	 line = { 0 };

		buf_addf(&line, "Content-Transfer-Encoding: %s\r\n",
		    labels->encoding);
		put_take(splice, &line);
	}
	if (look(splice, entity->gap) == 0)
		copy(splice, entity->gap);
	else
		put_line(splice, "\r\n");
	return true;
}

static bool
has_charset(const struct entity *entity)
{
	char	 charset[CONTENT_PARAM_MAX];
	char	*value = entity_value(entity, "Content-Type", 0);
	bool	 is_found;

	is_found = value != NULL &&
	    content_type_param(value, "charset", charset);
	free(value);
	return is_found;
}

/* Binary in a text part, or mostly escapes: base64 is shorter and safer. */
static bool
suits_qp(const struct entity *entity, const struct buf *content)
{
	size_t	 n_high = 0;

	if (!content_type_under(entity->type, "text/") || content->len == 0 ||
	    memchr(content->data, '\0', content->len) != NULL)
		return false;
	for (size_t i = 0; i < content->len; i++)
		n_high += content->data[i] >> 7;
	return n_high <= content->len / 3;
}

/* GMime reads what was written, and gets the same. */
static bool
decodes_to(const struct buf *encoded, const struct buf *content)
{
	struct buf	 again = { 0 };
	struct err	 err;
	bool		 is_same;

	is_same = canon_gmime_decode(ENTITY_QP,
	    (struct span){ encoded->data, encoded->len }, &again, &err) &&
	    again.len == content->len &&
	    memcmp(again.data, content->data, content->len) == 0;
	buf_free(&again);
	return is_same;
}

static bool
emit_content(struct splice *splice, const struct entity *entity,
    struct buf *content)
{
	struct labels	 labels = { .encoding = "base64" };
	struct buf	 encoded = { 0 };
	bool		 is_unlabelled, is_utf8, use_qp;

	is_unlabelled = strcmp(entity->type, "text/plain") == 0 &&
	    !has_charset(entity) &&
	    (scan_bytes(content->data, content->len) & SCAN_8BIT) != 0;
	is_utf8 = text_is_utf8((const char *)content->data, content->len);
	labels.add_utf8 = is_unlabelled && is_utf8;
	use_qp = suits_qp(entity, content) && (!is_unlabelled || is_utf8);
	if (use_qp) {
		buf_reserve(&encoded, content->len + content->len / 8);
		qp_encode(content->data, content->len, &encoded);
		use_qp = !encoded.failed && decodes_to(&encoded, content);
	}
	if (use_qp)
		labels.encoding = "quoted-printable";
	if (!emit_header(splice, entity, &labels)) {
		buf_free(&encoded);
		return false;
	}
	if (use_qp)
		put_take(splice, &encoded);
	else {
		buf_free(&encoded);
		put_base64_take(splice, content);
	}
	return true;
}

/* RFC 2045, section 6.4: encodings are not for messages and multiparts. */
static bool
emit_leaf(struct splice *splice, const struct entity *entity)
{
	struct labels	 labels = { .encoding = NULL };
	struct buf	 content = { 0 };
	unsigned	 found = look(splice, entity->body);
	char		 words[128];
	bool		 is_ok;

	if (entity->is_doubtful && (found != 0 || may_be_rewritten(entity)))
		return give_up(splice, "a part can be read in several ways, "
		    "and has %s", found == 0 ? "8bit labels" :
		    scan_words(found, words, sizeof(words)));
	if (found == 0) {
		if (is_8bit_label(entity))
			labels.encoding = "7bit";
		if (!emit_header(splice, entity, &labels))
			return false;
		copy(splice, entity->body);
		return true;
	}
	if (content_type_under(entity->type, "message/") ||
	    content_type_under(entity->type, "multipart/"))
		return give_up(splice, "a %s part has %s", entity->type,
		    scan_words(found, words, sizeof(words)));
	if (!canon_gmime_decode(entity->encoding, entity->body, &content,
	    splice->err)) {
		buf_free(&content);
		if (splice->err->kind == ERR_MESSAGE) {
			give_up(splice, "%s, and has %s",
			    splice->err->reason,
			    scan_words(found, words, sizeof(words)));
			err_clear(splice->err);
		}
		return false;
	}
	is_ok = emit_content(splice, entity, &content);
	buf_free(&content);
	return is_ok;
}

/* A delimiter line again, without blanks and in CRLF. */
static void
emit_delimiter(struct splice *splice, const struct entity *multipart,
    struct span delimiter, bool is_close, bool is_first)
{
	struct buf	 line = { 0 };
	const uint8_t	*p = delimiter.data;
	size_t		 n = 0;

	while (n < delimiter.len && (p[n] == '\r' || p[n] == '\n'))
		n++;
	if (look(splice, delimiter) == 0) {
		if (is_first)
			delimiter = (struct span){ p + n, delimiter.len - n };
		copy(splice, delimiter);
		return;
	}
	buf_addf(&line, "%s--%s%s%s", n > 0 && !is_first ? "\r\n" : "",
	    multipart->boundary, is_close ? "--" : "", field_end(delimiter));
	put_take(splice, &line);
}

/*
 * Preamble and epilogue, which no reader shows.  Around the parts of the
 * whole mail they go, with any line end: Outlook refuses signatures over them.
 */
static void
emit_aside(struct splice *splice, const struct entity *entity,
    struct span aside)
{
	if (aside.len == 0)
		return;
	if (entity->parent == NULL)
		splice->is_cut = true;
	else if (look(splice, aside) == 0)
		copy(splice, aside);
	else
		splice->is_changed = true;
}

static bool
emit_multipart(struct splice *splice, const struct entity *entity)
{
	emit_aside(splice, entity, entity->preamble);
	for (const struct entity *part = entity->first; part != NULL;
	    part = part->next) {
		bool	 is_first = part == entity->first &&
		    entity->parent == NULL;

		if (is_first && part->delimiter.data[0] != '-')
			splice->is_cut = true;
		emit_delimiter(splice, entity, part->delimiter, false,
		    is_first);
		if (!emit(splice, part))
			return false;
	}
	if (entity->close.len > 0)
		emit_delimiter(splice, entity, entity->close, true, false);
	emit_aside(splice, entity, entity->epilogue);
	return true;
}

static bool
emit(struct splice *splice, const struct entity *entity)
{
	struct labels	 labels = { .encoding = NULL };

	if (is_sealed(entity))
		return emit_sealed(splice, entity);
	if (!entity_is_composite(entity))
		return emit_leaf(splice, entity);
	if (is_8bit_label(entity))
		labels.encoding = "7bit";
	if (!emit_header(splice, entity, &labels))
		return false;
	if (content_type_under(entity->type, "multipart/"))
		return emit_multipart(splice, entity);
	return emit(splice, entity->first);
}

static bool
scan_run(void *arg, const uint8_t *data, size_t len, struct err *err)
{
	(void)err;
	scan_add(arg, data, len);
	return true;
}

/* Is what was made as clean as it has to be? */
static bool
check(struct splice *splice)
{
	struct scan	 scan = { 0 };
	char		 words[128];
	unsigned	 found;

	pieces_walk(splice->out, scan_run, &scan, splice->err);
	if ((found = scan_end(&scan)) == 0)
		return true;
	return give_up(splice, "what cannot be re-encoded has %s",
	    scan_words(found, words, sizeof(words)));
}

static bool
build(struct splice *splice, struct span body)
{
	static const uint8_t	 empty_line[] = { '\r', '\n' };
	struct entity		*top;
	bool			 is_ok;

	if (!entity_parse(splice->header, body, &top, splice->err))
		return false;
	top->gap = (struct span){ empty_line, sizeof(empty_line) };
	is_ok = emit(splice, top) &&
	    buf_ok(&splice->head, "write the mail's header", splice->err);
	flush(splice);
	entity_free(top);
	return is_ok && (splice->is_clean || check(splice));
}

bool
splice_mail(struct span header, struct span body, bool is_clean,
    struct splice_made *out, struct err *err)
{
	struct splice	 splice = {
		.out = pieces_new(),
		.header = header,
		.is_clean = is_clean,
		.why = out->why,
		.why_len = sizeof(out->why),
		.err = err
	};

	memset(out, 0, sizeof(*out));
	err_clear(err);
	if (build(&splice, body)) {
		out->entity = splice.out;
		out->is_changed = splice.is_changed;
		out->is_cut = splice.is_cut;
		return true;
	}
	pieces_free(splice.out);
	return err->kind == ERR_NONE;
}
