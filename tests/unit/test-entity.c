/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buf.h"
#include "smime/entity.h"
#include "tests/lib/test.h"

/*
 * The tree in one line: "type" or "type(child child)"; "!" behind what is
 * doubtful; a leaf's body in brackets.
 */
static void
draw(const struct entity *entity, struct buf *out)
{
	buf_adds(out, entity->type);
	if (entity->is_doubtful)
		buf_addc(out, '!');
	if (entity->first == NULL) {
		buf_addc(out, '[');
		buf_add(out, entity->body.data, entity->body.len);
		buf_addc(out, ']');
		return;
	}
	buf_addc(out, '(');
	for (const struct entity *e = entity->first; e != NULL; e = e->next) {
		draw(e, out);
		if (e->next != NULL)
			buf_addc(out, ' ');
	}
	buf_addc(out, ')');
}

#define MIXED	"Content-Type: multipart/mixed; boundary=b\r\n"

static const struct {
	const char	*what;
	const char	*header;
	const char	*body;
	const char	*want;
} rows[] = {
	{ "no header: text", "", "hello\r\n", "text/plain[hello\r\n]" },
	{ "no body", "Content-Type: image/png\r\n", "", "image/png[]" },
	{ "two parts", MIXED,
	    "--b\r\n\r\none\r\n--b\r\nContent-Type: a/b\r\n\r\ntwo\r\n--b--\r\n",
	    "multipart/mixed(text/plain[one] a/b[two])" },
	{ "the line end before a delimiter is not the part's", MIXED,
	    "--b\r\n\r\none\r\n\r\n--b--", "multipart/mixed(text/plain[one\r\n])" },
	{ "preamble and epilogue", MIXED,
	    "pre\r\n--b\r\n\r\none\r\n--b--\r\npost",
	    "multipart/mixed(text/plain[one])" },
	{ "no end delimiter", MIXED, "--b\r\n\r\none\r\n",
	    "multipart/mixed(text/plain[one\r\n])" },
	{ "no parts", MIXED, "nothing\r\n", "multipart/mixed[nothing\r\n]" },
	{ "the end delimiter first", MIXED, "--b--\r\n--b\r\n\r\nx",
	    "multipart/mixed[--b--\r\n--b\r\n\r\nx]" },
	{ "blanks behind the delimiter", MIXED, "--b \t\r\n\r\none\r\n--b-- \r\n",
	    "multipart/mixed(text/plain[one])" },
	{ "a longer line is no delimiter", MIXED,
	    "--b\r\n\r\n--bx\r\none\r\n--b--\r\n",
	    "multipart/mixed(text/plain[--bx\r\none])" },
	{ "a delimiter inside a line is none", MIXED,
	    "--b\r\n\r\nx --b\r\n--b--\r\n",
	    "multipart/mixed(text/plain[x --b])" },
	{ "lines end in LF", MIXED, "--b\n\none\n--b--\n",
	    "multipart/mixed(text/plain[one])" },
	{ "an empty part", MIXED, "--b\r\n--b--\r\n",
	    "multipart/mixed(text/plain[])" },
	{ "a part that is a header only", MIXED,
	    "--b\r\nContent-Type: a/b\r\n--b--\r\n", "multipart/mixed(a/b[])" },
	{ "a part that has no header and no empty line", MIXED,
	    "--b\r\njust text\r\n--b--\r\n",
	    "multipart/mixed(text/plain![just text])" },
	{ "a folded header in a part", MIXED,
	    "--b\r\nContent-Type: a/b;\r\n\tx=y\r\n\r\none\r\n--b--\r\n",
	    "multipart/mixed(a/b[one])" },
	{ "a multipart in a multipart, without its end", MIXED,
	    "--b\r\nContent-Type: multipart/x; boundary=c\r\n\r\n"
	    "--c\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
	    "multipart/mixed(multipart/x(text/plain[one]) text/plain[two])" },
	{ "the inner boundary begins with the outer", MIXED,
	    "--b\r\nContent-Type: multipart/x; boundary=bb\r\n\r\n"
	    "--bb\r\n\r\none\r\n--bb--\r\n--b--\r\n",
	    "multipart/mixed(multipart/x(text/plain[one]))" },
	{ "a message", "Content-Type: message/rfc822\r\n",
	    "Subject: x\r\nContent-Type: a/b\r\n\r\nhi\r\n",
	    "message/rfc822(a/b[hi\r\n])" },
	{ "a message in base64 stays closed",
	    "Content-Type: message/rfc822\r\n"
	    "Content-Transfer-Encoding: base64\r\n", "aGk=\r\n",
	    "message/rfc822[aGk=\r\n]" },
	{ "a digest's parts are messages",
	    "Content-Type: multipart/digest; boundary=b\r\n",
	    "--b\r\n\r\nSubject: x\r\n\r\nhi\r\n--b--\r\n",
	    "multipart/digest(message/rfc822(text/plain[hi]))" },
	{ "message/partial has no inside", "Content-Type: message/partial\r\n",
	    "x: y\r\n\r\nz", "message/partial[x: y\r\n\r\nz]" },
	{ "no boundary", "Content-Type: multipart/mixed\r\n", "--b\r\n\r\nx",
	    "multipart/mixed![--b\r\n\r\nx]" },
	{ "two Content-Type", MIXED "Content-Type: text/plain\r\n",
	    "--b\r\n\r\nx", "text/plain![--b\r\n\r\nx]" },
	{ "garbage for a type", "Content-Type: nonsense\r\n", "x",
	    "text/plain![x]" },
	{ "two encodings", "Content-Transfer-Encoding: 7bit\r\n"
	    "Content-Transfer-Encoding: base64\r\n", "x", "text/plain![x]" },
	{ "a blank before the colon", "Content-Type : a/b\r\n", "x", "a/b[x]" },
};

static struct span
span(const char *s)
{
	return (struct span){ (const uint8_t *)s, strlen(s) };
}

static void
test_rows(void)
{
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		struct entity	*top;
		struct buf	 out = { 0 };
		struct err	 err;

		test_row(rows[i].what);
		REQUIRE_OK(entity_parse(span(rows[i].header),
		    span(rows[i].body), &top, &err), err);
		draw(top, &out);
		CHECK_MEM(out.data, out.len, rows[i].want,
		    strlen(rows[i].want));
		buf_free(&out);
		entity_free(top);
	}
}

static void
check_span(struct span got, const char *want)
{
	CHECK_MEM(got.data, got.len, want, strlen(want));
}

static void
test_spans(void)
{
	struct entity	*top, *part;
	struct err	 err;
	char		*value;

	test_row("delimiters, preamble and epilogue cover the whole body");
	REQUIRE_OK(entity_parse(span(MIXED), span("pre\r\n\r\n--b\r\nA: 1\r\n"
	    "a : 2\r\n\r\none\r\n--b \r\n\r\ntwo\r\n--b--\r\npost\r\n"),
	    &top, &err), err);
	check_span(top->preamble, "pre\r\n");
	part = top->first;
	check_span(part->delimiter, "\r\n--b\r\n");
	check_span(part->header, "A: 1\r\na : 2\r\n");
	check_span(part->gap, "\r\n");
	check_span(part->body, "one");
	CHECK_INT(part->n_fields, 2);
	check_span(part->fields[1].name, "a");
	value = entity_value(part, "a", 1);
	CHECK_STR(value, " 2");
	free(value);
	CHECK_STR(entity_value(part, "a", 2), NULL);
	check_span(part->next->delimiter, "\r\n--b \r\n");
	check_span(top->close, "\r\n--b--\r\n");
	check_span(top->epilogue, "post\r\n");
	CHECK(entity_next(top) == part);
	CHECK(entity_next(part) == part->next);
	CHECK(entity_next(part->next) == NULL);
	CHECK(entity_is_under(part, top) && !entity_is_under(top, part));
	entity_free(top);
	entity_free(NULL);
}

static const struct {
	const char		*value;
	enum entity_encoding	 want;
} encodings[] = {
	{ "7bit", ENTITY_7BIT }, { " 8BIT", ENTITY_8BIT },
	{ "\tbinary ", ENTITY_BINARY }, { "Base64", ENTITY_BASE64 },
	{ "quoted-printable;", ENTITY_QP }, { "7bit (x)", ENTITY_7BIT },
	{ "", ENTITY_UNKNOWN }, { "8-bit", ENTITY_UNKNOWN },
	{ "base64 7bit", ENTITY_UNKNOWN }, { "x-uuencode", ENTITY_UNKNOWN },
};

static void
test_encodings(void)
{
	for (size_t i = 0; i < TEST_LEN(encodings); i++) {
		char		 header[100];
		struct entity	*top;
		struct err	 err;

		test_row(encodings[i].value);
		snprintf(header, sizeof(header),
		    "Content-Transfer-Encoding:%s\r\n", encodings[i].value);
		REQUIRE_OK(entity_parse(span(header), span(""), &top, &err),
		    err);
		CHECK_INT(top->encoding, encodings[i].want);
		entity_free(top);
	}
}

static void
check_refused(struct buf *body, const char *header, const char *want)
{
	struct entity	*top = NULL;
	struct err	 err = { 0 };

	CHECK(!entity_parse(span(header), (struct span){ body->data,
	    body->len }, &top, &err));
	CHECK_INT(err.kind, ERR_MESSAGE);
	CHECK_STR(err.reason, want);
	buf_free(body);
}

static void
test_limits(void)
{
	struct buf	 body = { 0 };
	struct entity	*top;
	struct err	 err;

	test_row("messages in messages, as deep as is allowed");
	for (int i = 0; i < ENTITY_DEPTH_MAX - 2; i++)
		buf_adds(&body, "Content-Type: message/rfc822\r\n\r\n");
	REQUIRE_OK(entity_parse(span("Content-Type: message/rfc822\r\n"),
	    (struct span){ body.data, body.len }, &top, &err), err);
	entity_free(top);
	test_row("and one deeper");
	buf_adds(&body, "Content-Type: message/rfc822\r\n\r\n");
	check_refused(&body, "Content-Type: message/rfc822\r\n",
	    "the mail's MIME parts are nested deeper than 32");

	test_row("too many parts");
	for (int i = 0; i < ENTITY_PARTS_MAX; i++)
		buf_adds(&body, "--b\r\n\r\n\r\n");
	check_refused(&body, MIXED, "the mail has more than 1000 MIME parts");

	test_row("too many fields in a part");
	buf_adds(&body, "--b\r\n");
	for (int i = 0; i <= ENTITY_FIELDS_MAX; i++)
		buf_adds(&body, "A: b\r\n");
	check_refused(&body, MIXED,
	    "a MIME part has more than 200 header fields");

	test_row("too long a header in a part");
	buf_adds(&body, "--b\r\nA: b");
	for (int i = 0; i < ENTITY_HEADER_MAX / 8; i++)
		buf_adds(&body, "\r\n\t12345");
	check_refused(&body, MIXED, "a MIME part's header is over 131072 bytes");
}

int
main(void)
{
	test_rows();
	test_spans();
	test_encodings();
	test_limits();
	return test_done("entity");
}
