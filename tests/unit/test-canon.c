/* SPDX-License-Identifier: BSD-2-Clause */
#include "smime/canon.h"
#include "tests/lib/seal.h"
#include "tests/lib/test.h"

#define MIXED	"Content-Type: multipart/mixed; boundary=b\r\n"
#define ASCII	"Content-Type: text/plain; charset=us-ascii\r\n"
#define CTE	"Content-Transfer-Encoding: "

static const struct {
	const char	*what;
	const char	*mail;
	enum canon_how	 how;
	const char	*want;		/* NULL: the mail as it is */
} rows[] = {
	/* As it came. */
	{ "no MIME at all", "Subject: x\r\n\r\nhello\r\n", CANON_FAST,
	    ASCII "\r\nhello\r\n" },
	{ "no body", "Subject: x\r\n\r\n", CANON_FAST, ASCII "\r\n" },
	{ "no line end at the end", "Content-Type: text/html\r\n\r\nhello",
	    CANON_FAST, NULL },
	{ "several line ends at the end", "Content-Type: text/html\r\n\r\n"
	    "hello\r\n\r\n\r\n", CANON_FAST, NULL },
	{ "all Content-* fields, their order and folds, and no other",
	    "Content-Language: de\r\nSubject: x\r\nContent-Type: text/plain;"
	    "\r\n\tcharset=utf-8\r\nMIME-Version: 1.0\r\ncontent-x-odd:y\r\n"
	    "\r\nhi\r\n", CANON_FAST,
	    "Content-Language: de\r\nContent-Type: text/plain;\r\n\t"
	    "charset=utf-8\r\ncontent-x-odd:y\r\n\r\nhi\r\n" },
	{ "an encoding without a type", CTE "base64\r\n\r\naGk=\r\n",
	    CANON_FAST, CTE "base64\r\n" ASCII "\r\naGk=\r\n" },
	{ "five Content-Type fields", "Content-Type: a/b\r\n"
	    "Content-Type: c/d\r\nContent-Type: a/b\r\ncontent-type: e/f\r\n"
	    "Content-Type: g/h\r\n\r\nhi\r\n", CANON_FAST, NULL },
	{ "garbage for a type", "Content-Type: huh\r\n\r\nhi\r\n", CANON_FAST,
	    NULL },
	{ "a multipart", MIXED "\r\n--b\r\n\r\none\r\n--b--\r\n", CANON_FAST,
	    NULL },
	{ "a multipart without its end", MIXED "\r\n--b\r\n\r\none\r\n",
	    CANON_FAST, NULL },
	{ "a multipart without parts", MIXED "\r\nhello\r\n", CANON_FAST,
	    NULL },
	{ "preamble and epilogue stay outside",
	    MIXED "\r\npre\r\n\r\n--b\r\n\r\none\r\n--b--\r\npost\r\n",
	    CANON_FAST, MIXED "\r\n--b\r\n\r\none\r\n--b--\r\n" },
	{ "so does an empty line before the first part",
	    MIXED "\r\n\r\n--b\r\n\r\none\r\n--b--\r\n", CANON_FAST,
	    MIXED "\r\n--b\r\n\r\none\r\n--b--\r\n" },
	{ "an 8-bit preamble changes nothing else",
	    MIXED "\r\npr\xc3\xa9\r\n--b\r\n\r\none\r\n--b--\r\n",
	    CANON_FAST, MIXED "\r\n--b\r\n\r\none\r\n--b--\r\n" },
	{ "an inner preamble and epilogue stay", MIXED "\r\n--b\r\n"
	    "Content-Type: multipart/x; boundary=c\r\n\r\npre\r\n--c\r\n\r\n"
	    "one\r\n--c--\r\npost\r\n--b--\r\n", CANON_FAST, NULL },
	{ "a preamble in a multipart that can be read in two ways", MIXED MIXED
	    "\r\npre\r\n--b\r\n\r\none\r\n--b--\r\n", CANON_FAST, NULL },
	{ "another's signature, clean", MIXED "\r\n--b\r\n"
	    "Content-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n\r\nx"
	    "\r\n--c--\r\n--b--\r\n", CANON_FAST, NULL },

	/* Re-encoded. */
	{ "UTF-8 text", "Content-Type: text/plain; charset=utf-8\r\n" CTE
	    "8bit\r\n\r\ngr\xc3\xbc\xc3\x9f dich von mir\r\n", CANON_SPLICED,
	    "Content-Type: text/plain; charset=utf-8\r\n" CTE
	    "quoted-printable\r\n\r\ngr=C3=BC=C3=9F dich von mir\r\n" },
	{ "Latin-1 text without an encoding",
	    "Content-Type: text/plain; charset=iso-8859-1\r\n\r\n"
	    "gr\xfc\xdf dich von mir\r\n", CANON_SPLICED,
	    "Content-Type: text/plain; charset=iso-8859-1\r\n" CTE
	    "quoted-printable\r\n\r\ngr=FC=DF dich von mir\r\n" },
	{ "unlabelled UTF-8", "Subject: x\r\n\r\ngr\xc3\xbc\xc3\x9f dich!\r\n",
	    CANON_SPLICED, "Content-Type: text/plain; charset=utf-8\r\n" CTE
	    "quoted-printable\r\n\r\ngr=C3=BC=C3=9F dich!\r\n" },
	{ "text without charset that is UTF-8",
	    "Content-Type: text/plain;\r\n\r\ngr\xc3\xbc\xc3\x9f dich!\r\n",
	    CANON_SPLICED, "Content-Type: text/plain;\r\n\tcharset=utf-8\r\n"
	    CTE "quoted-printable\r\n\r\ngr=C3=BC=C3=9F dich!\r\n" },
	{ "unlabelled something: base64, and no charset is guessed",
	    "Subject: x\r\n\r\ngr\xfc\xdf dich\r\n", CANON_SPLICED,
	    "Content-Type: text/plain\r\n" CTE
	    "base64\r\n\r\nZ3L83yBkaWNoDQo=\r\n" },
	{ "binary in a multipart", MIXED "\r\n--b\r\n"
	    "Content-Type: image/png\r\n" CTE "binary\r\nX-Y: z\r\n\r\n"
	    "\x89PNG\r\n--b--\r\n", CANON_SPLICED, MIXED "\r\n--b\r\n"
	    "Content-Type: image/png\r\n" CTE "base64\r\nX-Y: z\r\n\r\n"
	    "iVBORw==\r\n\r\n--b--\r\n" },
	{ "a clean body labelled 8bit", CTE "8bit\r\n" ASCII "\r\nhi\r\n",
	    CANON_SPLICED, CTE "7bit\r\n" ASCII "\r\nhi\r\n" },
	{ "clean parts labelled 8bit and binary", "Content-Type: "
	    "multipart/mixed; boundary=b\r\n" CTE "8bit\r\n\r\n--b\r\n" CTE
	    "8BIT\r\n\r\none\r\n--b\r\n" CTE "binary\r\n\r\ntwo\r\n--b--\r\n",
	    CANON_SPLICED, "Content-Type: multipart/mixed; boundary=b\r\n" CTE
	    "7bit\r\n\r\n--b\r\n" CTE "7bit\r\n\r\none\r\n--b\r\n" CTE
	    "7bit\r\n\r\ntwo\r\n--b--\r\n" },
	{ "trailing blanks, From_ and a signature's dashes",
	    ASCII "\r\na \r\nFrom me\r\n-- \r\nAnn\r\n", CANON_SPLICED,
	    ASCII CTE "quoted-printable\r\n\r\na=20\r\n=46rom me\r\n"
	    "=2D-=20\r\nAnn\r\n" },
	{ "quoted-printable that is not quite",
	    ASCII CTE "quoted-printable\r\n\r\nFrom me=20\r\na=3Db \r\n",
	    CANON_SPLICED, ASCII CTE "quoted-printable\r\n\r\n"
	    "=46rom me=20\r\na=3Db=20\r\n" },
	{ "base64 with blanks at line ends", "Content-Type: a/b\r\n" CTE
	    "base64\r\n\r\naGVs \r\nbG8=\r\n", CANON_SPLICED,
	    "Content-Type: a/b\r\n" CTE "base64\r\n\r\naGVsbG8=\r\n" },
	{ "NUL", "Content-Type: text/plain\r\nX: \r\n\r\na\x01\r\n",
	    CANON_FAST, "Content-Type: text/plain\r\n\r\na\x01\r\n" },
	{ "blanks in a part's header", MIXED "\r\n--b\r\n"
	    "Content-Type: a/b; \r\n \r\n\tx=y\r\n\r\none\r\n--b--\r\n",
	    CANON_SPLICED, MIXED "\r\n--b\r\nContent-Type: a/b;\r\n\tx=y\r\n"
	    "\r\none\r\n--b--\r\n" },
	{ "blanks in the mail's header", "Content-Type: a/b; \r\n\tx=y\r\n"
	    "\r\none\r\n", CANON_SPLICED,
	    "Content-Type: a/b;\r\n\tx=y\r\n\r\none\r\n" },
	{ "blanks behind delimiters", MIXED "\r\n--b \r\n\r\none\r\n--b-- \r\n",
	    CANON_SPLICED, MIXED "\r\n--b\r\n\r\none\r\n--b--\r\n" },
	{ "an 8-bit inner preamble goes", MIXED "\r\n--b\r\n"
	    "Content-Type: multipart/x; boundary=c\r\n\r\npr\xe9\r\n--c\r\n\r\n"
	    "one\r\n--c--\r\n--b--\r\n", CANON_SPLICED, MIXED "\r\n--b\r\n"
	    "Content-Type: multipart/x; boundary=c\r\n\r\n\r\n--c\r\n\r\n"
	    "one\r\n--c--\r\n--b--\r\n" },
	{ "8-bit inside a message inside", MIXED "\r\n--b\r\n"
	    "Content-Type: message/rfc822\r\n" CTE "8bit\r\n\r\n"
	    "Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
	    "gr\xc3\xbc\xc3\x9f dich von mir\r\n--b--\r\n", CANON_SPLICED,
	    MIXED "\r\n--b\r\nContent-Type: message/rfc822\r\n" CTE "7bit\r\n"
	    "\r\nSubject: x\r\nContent-Type: text/plain; charset=utf-8\r\n" CTE
	    "quoted-printable\r\n\r\ngr=C3=BC=C3=9F dich von mir\r\n--b--\r\n" },
	{ "only the other part changes", MIXED "\r\n--b\r\n\r\na \r\n--b\r\n"
	    "Content-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n\r\nx"
	    "\r\n--c--\r\n--b--\r\n", CANON_SPLICED, MIXED "\r\n--b\r\n" CTE
	    "quoted-printable\r\n\r\na=20\r\n--b\r\n"
	    "Content-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n\r\nx"
	    "\r\n--c--\r\n--b--\r\n" },

	/* Embedded. */
	{ "8-bit in another's signature", MIXED "\r\n--b\r\n"
	    "Content-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n\r\n\xff"
	    "\r\n--c--\r\n--b--\r\n", CANON_OPAQUE, NULL },
	{ "a false label in another's signature", MIXED "\r\n--b\r\n"
	    "Content-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n" CTE
	    "8bit\r\n\r\nx\r\n--c--\r\n--b--\r\n", CANON_OPAQUE, NULL },
	{ "8-bit beside another's signature in a message",
	    "Content-Type: message/rfc822\r\n\r\n" MIXED "\r\n--b\r\n\r\n\xff"
	    "\r\n--b\r\nContent-Type: multipart/signed; boundary=c\r\n\r\n"
	    "--c\r\n\r\nx\r\n--c--\r\n--b--\r\n", CANON_OPAQUE, NULL },
	{ "8-bit in a part's header", MIXED "\r\n--b\r\n"
	    "Content-Disposition: attachment; filename=\xc3\xbc\r\n\r\nx\r\n"
	    "--b--\r\n", CANON_OPAQUE, NULL },
	{ "8-bit in the mail's Content-* fields",
	    "Content-Description: gr\xc3\xbc\r\n" ASCII "\r\nx\r\n",
	    CANON_OPAQUE, NULL },
	{ "8-bit in message/partial", "Content-Type: message/partial\r\n\r\n"
	    "\xff\r\n", CANON_OPAQUE, NULL },
	{ "8-bit under an unknown encoding", ASCII CTE "x-own\r\n\r\n\xff\r\n",
	    CANON_OPAQUE, NULL },
	{ "base64 with garbage", "Content-Type: a/b\r\n" CTE
	    "base64\r\n\r\naGVsbG8=!! \r\n", CANON_OPAQUE, NULL },
	{ "8-bit under two types", "Content-Type: a/b\r\n"
	    "Content-Type: text/plain\r\n\r\n\xff\r\n", CANON_OPAQUE, NULL },
	{ "a clean body under two types with a label 8bit in it",
	    MIXED "Content-Type: a/b\r\n\r\n--b\r\n" CTE "8bit\r\n\r\nx\r\n"
	    "--b--\r\n", CANON_OPAQUE, NULL },
};

static bool
add_run(void *arg, const uint8_t *data, size_t len, struct err *err)
{
	(void)err;
	buf_add(arg, data, len);
	return true;
}

static void
run(const char *text, size_t len, enum canon_how *how, struct buf *entity,
    bool *is_whole)
{
	struct seal_mail	 mail;
	struct canon		 canon;
	struct err		 err;
	unsigned		 seen;

	REQUIRE_OK(seal_mail_read(text, len, true, &mail, &err), err);
	seen = scan_bytes(mail.body, mail.body_len);
	REQUIRE_OK(canon_entity(mail.headers, mail.body, mail.body_len, seen,
	    &canon, &err), err);
	*how = canon.how;
	*is_whole = canon.is_whole;
	CHECK((canon.how == CANON_FAST) == (canon.why[0] == '\0'));
	pieces_walk(canon.entity, add_run, entity, &err);
	if (canon.is_whole) {
		struct buf	 header = { 0 };

		canon_header(mail.headers, &header);
		buf_add(&header, mail.body, mail.body_len);
		CHECK_MEM(header.data, header.len, entity->data, entity->len);
		buf_free(&header);
	}
	canon_clear(&canon);
	seal_mail_clear(&mail);
}

static void
test_rows(void)
{
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		struct buf	 entity = { 0 };
		enum canon_how	 how;
		bool		 is_whole;
		const char	*want = rows[i].want;

		test_row(rows[i].what);
		run(rows[i].mail, strlen(rows[i].mail), &how, &entity,
		    &is_whole);
		CHECK_STR(canon_how_name(how), canon_how_name(rows[i].how));
		if (want == NULL)
			want = rows[i].mail;
		CHECK_MEM(entity.data, entity.len, want, strlen(want));
		if (how != CANON_OPAQUE)
			CHECK_INT(scan_bytes(entity.data, entity.len), 0);
		buf_free(&entity);
	}
}

static void
test_bytes(void)
{
	static const struct {
		const char	*what;
		const char	*body;
		size_t		 len;
		const char	*want;
	} bodies[] = {
		{ "NUL in text: base64", "a\0b\r\n", 5, CTE "base64\r\n\r\n"
		    "YQBiDQo=\r\n" },
		{ "a lone CR", "a\rb\r\n", 5, CTE "quoted-printable\r\n\r\n"
		    "a=0Db\r\n" },
		{ "a lone LF", "a\nb\r\n", 5, CTE "quoted-printable\r\n\r\n"
		    "a=0Ab\r\n" },
		{ "LF for all line ends", "a\nb\n", 4, CTE
		    "quoted-printable\r\n\r\na=0Ab=0A" },
		{ "mostly 8-bit: base64", "\xe4\xbd\xa0\xe5\xa5\xbd", 6, CTE
		    "base64\r\n\r\n5L2g5aW9\r\n" },
	};
	static const char	 header[] = "Content-Type: text/plain; "
	    "charset=utf-8\r\n";

	for (size_t i = 0; i < TEST_LEN(bodies); i++) {
		struct buf	 mail = { 0 }, entity = { 0 }, want = { 0 };
		enum canon_how	 how;
		bool		 is_whole;

		test_row(bodies[i].what);
		buf_adds(&mail, header);
		buf_adds(&mail, "\r\n");
		buf_add(&mail, bodies[i].body, bodies[i].len);
		run((char *)mail.data, mail.len, &how, &entity, &is_whole);
		CHECK_INT(how, CANON_SPLICED);
		buf_adds(&want, header);
		buf_adds(&want, bodies[i].want);
		CHECK_MEM(entity.data, entity.len, want.data, want.len);
		buf_free(&mail);
		buf_free(&entity);
		buf_free(&want);
	}
}

static void
test_whole(void)
{
	struct buf	 entity = { 0 };
	enum canon_how	 how;
	bool		 is_whole;
	const char	*text = MIXED "\r\n--b\r\n\r\none\r\n--b--\r\n";

	test_row("hashing while it arrives pays off");
	run(text, strlen(text), &how, &entity, &is_whole);
	CHECK(is_whole);
	buf_clear(&entity);
	test_row("and does not where an epilogue was left out");
	text = MIXED "\r\n--b\r\n\r\none\r\n--b--\r\n\r\n";
	run(text, strlen(text), &how, &entity, &is_whole);
	CHECK(!is_whole);
	buf_free(&entity);
}

static void
test_refusal(void)
{
	struct seal_mail	 mail;
	struct canon		 canon;
	struct buf		 text = { 0 };
	struct err		 err;

	test_row("a limit is a refusal with its sentence");
	buf_adds(&text, MIXED "\r\n");
	for (int i = 0; i < 1000; i++)
		buf_adds(&text, "--b\r\n\r\n\r\n");
	REQUIRE(seal_mail_read(text.data, text.len, false, &mail, &err));
	CHECK(!canon_entity(mail.headers, mail.body, mail.body_len, 0, &canon,
	    &err));
	CHECK_INT(err.kind, ERR_MESSAGE);
	CHECK_STR(err.reason, "the mail has more than 1000 MIME parts");
	seal_mail_clear(&mail);
	buf_free(&text);
}

int
main(void)
{
	test_rows();
	test_bytes();
	test_whole();
	test_refusal();
	return test_done("canon");
}
