/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/mem.h"
#include "milter/stamp.h"
#include "tests/lib/test.h"

#define NOW		1764064874
#define LIFETIME	(7 * 86400)

static const char *const	 fields[] = {
	"Received: by mx", "From: Alice <alice@example.org>",
	"To: bob@example.net,\n\tcarol@example.net", "Cc: dan@example.net",
	"Subject: The offer", "Date: Tue, 25 Nov 2025 10:01:14 +0000",
	"Message-ID: <1@example.org>", "MIME-Version: 1.0",
	"Content-Type: multipart/mixed; boundary=\"a  b\"", "X-Mailer: M",
};
static const char	 body[] = "--a  b\r\n\r\nHello\r\n--a  b--\r\n";

static struct stamp_keys	 keys = { .n = 2, .list = {
    { .bytes = "present" }, { .bytes = "former", .retired = NOW - 3600 } } };
static const uint8_t	 foreign[STAMP_KEY_LEN] = "foreign";

enum key { PRESENT, FORMER, FOREIGN };

/*
 * A mail is stamped, something is done to it or to its stamp on the way, and
 * the second pass is shown it.
 */
static const struct row {
	const char	*what;
	const char	*want;		/* of the reason; NULL: it is taken */
	const char	*field;		/* this one ... */
	const char	*becomes;	/* ... becomes this, or goes if "" */
	const char	*extra;		/* a field more, at the end */
	const char	*body;
	const char	*sender;
	const char	*stamped;	/* the sender in the first pass */
	const char	*find;		/* in the stamp, ... */
	const char	*replace;	/* ... becomes this */
	int		 age;		/* seconds */
	bool		 is_temp;	/* it waits; else it is refused */
	enum key	 key;
	int		 cut;		/* bytes off the stamp's end */
} rows[] = {
	/* What happens to honest mail. */
	{ .what = "untouched" },
	{ .what = "three days in the queue", .age = 3 * 86400 },
	{ .what = "as old as may be", .age = LIFETIME },
	{ .what = "the clock was set back a little", .age = -200 },
	{ .what = "stamped before the key was replaced", .key = FORMER,
	    .age = 3700 },
	{ .what = "a trace field more", .extra = "X-Spam: no" },
	{ .what = "a field that is not bound changes", .field = "X-Mailer: M",
	    .becomes = "X-Mailer: N" },
	{ .what = "the space before a value goes",
	    .field = "Cc: dan@example.net", .becomes = "Cc:dan@example.net" },
	{ .what = "names in another case", .field = "Cc: dan@example.net",
	    .becomes = "CC: dan@example.net" },
	{ .what = "an empty line more at the end",
	    .body = "--a  b\r\n\r\nHello\r\n--a  b--\r\n\r\n" },
	{ .what = "no line end at the end",
	    .body = "--a  b\r\n\r\nHello\r\n--a  b--" },
	{ .what = "the sender's domain in another case",
	    .sender = "alice@EXAMPLE.org" },
	{ .what = "the sender was quoted without need",
	    .stamped = "\"alice\"@example.org" },
	{ .what = "the sender came with a route",
	    .stamped = "@relay.example:alice@example.org" },
	{ .what = "the sender's domain ended with a dot",
	    .stamped = "alice@example.org." },

	/* Attacks: another mail under a stamp. */
	{ .what = "another From", .want = "another mail",
	    .field = "From: Alice <alice@example.org>",
	    .becomes = "From: Boss <boss@example.org>" },
	{ .what = "another name in From", .want = "another mail",
	    .field = "From: Alice <alice@example.org>",
	    .becomes = "From: Boss <alice@example.org>" },
	{ .what = "a second From", .want = "another mail",
	    .extra = "From: boss@example.org" },
	{ .what = "a Sender added", .want = "another mail",
	    .extra = "Sender: boss@example.org" },
	{ .what = "another To", .want = "another mail",
	    .field = "To: bob@example.net,\n\tcarol@example.net",
	    .becomes = "To: eve@example.net" },
	{ .what = "To folded otherwise", .want = "another mail",
	    .field = "To: bob@example.net,\n\tcarol@example.net",
	    .becomes = "To: bob@example.net, carol@example.net" },
	{ .what = "a second To", .want = "another mail",
	    .extra = "To: eve@example.net" },
	{ .what = "another Cc", .want = "another mail",
	    .field = "Cc: dan@example.net", .becomes = "Cc: eve@example.net" },
	{ .what = "no Cc", .want = "another mail",
	    .field = "Cc: dan@example.net", .becomes = "" },
	{ .what = "Cc made a To", .want = "another mail",
	    .field = "Cc: dan@example.net", .becomes = "To: dan@example.net" },
	{ .what = "another Subject", .want = "another mail",
	    .field = "Subject: The offer", .becomes = "Subject: The order" },
	{ .what = "a word more in the Subject, on a line of its own",
	    .want = "another mail", .field = "Subject: The offer",
	    .becomes = "Subject: The offer\n stands" },
	{ .what = "another Date", .want = "another mail",
	    .field = "Date: Tue, 25 Nov 2025 10:01:14 +0000",
	    .becomes = "Date: Wed, 26 Nov 2025 10:01:14 +0000" },
	{ .what = "another Message-ID", .want = "another mail",
	    .field = "Message-ID: <1@example.org>",
	    .becomes = "Message-ID: <2@example.org>" },
	{ .what = "no Message-ID", .want = "another mail",
	    .field = "Message-ID: <1@example.org>", .becomes = "" },
	{ .what = "another type", .want = "another mail",
	    .field = "Content-Type: multipart/mixed; boundary=\"a  b\"",
	    .becomes = "Content-Type: text/html" },
	{ .what = "a boundary with one blank less", .want = "another mail",
	    .field = "Content-Type: multipart/mixed; boundary=\"a  b\"",
	    .becomes = "Content-Type: multipart/mixed; boundary=\"a b\"" },
	{ .what = "a transfer encoding added", .want = "another mail",
	    .extra = "Content-Transfer-Encoding: base64" },
	{ .what = "a Content-Disposition added", .want = "another mail",
	    .extra = "Content-Disposition: attachment" },
	{ .what = "another body", .want = "another mail",
	    .body = "--a  b\r\n\r\nHallo\r\n--a  b--\r\n" },
	{ .what = "no body", .want = "another mail", .body = "" },
	{ .what = "text after the body", .want = "another mail",
	    .body = "--a  b\r\n\r\nHello\r\n--a  b--\r\n\r\nPS\r\n" },
	{ .what = "text before the body", .want = "another mail",
	    .body = "\r\n--a  b\r\n\r\nHello\r\n--a  b--\r\n" },
	{ .what = "a field moved into the body", .want = "another mail",
	    .field = "X-Mailer: M", .becomes = "",
	    .body = "X-Mailer: M\r\n\r\n--a  b\r\n\r\nHello\r\n--a  b--\r\n" },
	{ .what = "another envelope sender", .want = "envelope sender",
	    .sender = "boss@example.org" },
	{ .what = "a null sender", .want = "envelope sender", .sender = "" },

	/* Attacks: another stamp. */
	{ .what = "empty", .want = "not one of ours", .cut = 1000 },
	{ .what = "cut in the middle", .want = "not one of ours", .cut = 60 },
	{ .what = "the last letter cut", .want = "not one of ours",
	    .cut = 1 },
	{ .what = "without its MAC", .want = "not one of ours", .cut = 47 },
	{ .what = "another version", .want = "not one of ours",
	    .find = "v=1", .replace = "v=2" },
	{ .what = "a later time", .want = "altered",
	    .find = "t=1764064874", .replace = "t=1764064875" },
	{ .what = "a zero before the time", .want = "not one of ours",
	    .find = "t=1", .replace = "t=01" },
	{ .what = "a negative time", .want = "not one of ours",
	    .find = "t=1", .replace = "t=-1" },
	{ .what = "a time beyond all", .want = "not one of ours",
	    .find = "t=1", .replace = "t=99999999999999999999999" },
	{ .what = "another login", .want = "altered",
	    .find = "l=YWxpY2VA", .replace = "l=Ym9zczFA" },
	{ .what = "no login", .want = "altered",
	    .find = "l=YWxpY2VAZXhhbXBsZS5vcmc", .replace = "l=" },
	{ .what = "a login with a NUL", .want = "not one of ours",
	    .find = "l=YWxp", .replace = "l=AAAA" },
	{ .what = "a login from another alphabet", .want = "not one of ours",
	    .find = "l=YWxp", .replace = "l=+/+/" },
	{ .what = "another client", .want = "altered",
	    .find = "c=MTkyLjAuMi43", .replace = "c=bG9jYWw" },
	{ .what = "another wish", .want = "altered", .find = "w=-y",
	    .replace = "w=-n" },
	{ .what = "an unknown wish", .want = "not one of ours",
	    .find = "w=-y", .replace = "w=-x" },
	{ .what = "encryptable or not", .want = "altered", .find = "e=1",
	    .replace = "e=0" },
	{ .what = "fields exchanged", .want = "not one of ours",
	    .find = "w=-y; e=1", .replace = "e=1; w=-y" },
	{ .what = "a field twice", .want = "not one of ours",
	    .find = "e=1", .replace = "e=1; e=1" },
	{ .what = "folded", .want = "not one of ours", .find = "; d=",
	    .replace = ";\n\td=" },
	{ .what = "blanks more", .want = "not one of ours", .find = "; d=",
	    .replace = ";  d=" },
	{ .what = "a comment", .want = "not one of ours", .find = "v=1",
	    .replace = "(x) v=1" },
	{ .what = "spare bits of base64", .want = "not one of ours",
	    .find = "l=YWxpY2VAZXhhbXBsZS5vcmc", .replace =
	    "l=YWxpY2VAZXhhbXBsZS5vcmd" },
	{ .what = "made with a foreign master key", .want = "altered",
	    .key = FOREIGN },
	{ .what = "made with the former key after it was replaced",
	    .want = "former key", .key = FORMER, .age = 60 },
	{ .what = "too old by a second", .want = "old", .age = LIFETIME + 1 },
	{ .what = "from before the former key, too old", .want = "old",
	    .key = FORMER, .age = LIFETIME + 1 },
	{ .what = "from the future, which comes", .want = "ahead",
	    .age = -301, .is_temp = true },
	{ .what = "from the future, and another's", .want = "another envelope",
	    .age = -301, .sender = "judy@example.org" },
};

static void
add_field(struct headers *headers, const char *field)
{
	const char	*colon = strchr(field, ':');
	char		*name = mem_strn(field, (size_t)(colon - field));
	struct err	 err;

	REQUIRE_OK(headers_add(headers, name, colon + 1, &err), err);
	free(name);
}

static void
digest(const struct row *row, uint8_t out[STAMP_DIGEST_LEN])
{
	struct headers	*headers = headers_new();
	const char	*text = row->body != NULL ? row->body : body;
	struct err	 err;

	for (size_t i = 0; i < TEST_LEN(fields); i++) {
		const char	*field = fields[i];

		if (row->field != NULL && strcmp(field, row->field) == 0)
			field = row->becomes;
		if (field[0] != '\0')
			add_field(headers, field);
	}
	if (row->extra != NULL)
		add_field(headers, row->extra);
	REQUIRE_OK(stamp_digest(headers, (const uint8_t *)text, strlen(text),
	    out, &err), err);
	headers_free(headers);
}

/* The stamp as it left the first pass. */
static char *
make(const struct row *row)
{
	static const struct row	 untouched = { .what = "" };
	struct stamp		 stamp = { .time = NOW, .encrypt = WISH_YES,
	    .was_encryptable = true };
	const uint8_t		*key = row->key == PRESENT ? keys.list[0].bytes :
	    row->key == FORMER ? keys.list[1].bytes : foreign;
	char			*text = NULL;
	struct err		 err;

	stamp.time -= row->age;
	stamp.login = mem_str("alice@example.org");
	stamp.client = mem_str("192.0.2.7");
	stamp.sender = mem_str(row->stamped != NULL ? row->stamped :
	    "alice@example.org");
	digest(&untouched, stamp.digest);
	REQUIRE_OK(stamp_make(&stamp, key, &text, &err), err);
	stamp_clear(&stamp);
	return text;
}

static char *
alter(const struct row *row, char *text)
{
	char	*out;
	size_t	 len = strlen(text), cut = (size_t)row->cut, at = 0;

	text[len - (cut < len ? cut : len)] = '\0';
	if (row->find == NULL)
		return text;
	while (strncmp(text + at, row->find, strlen(row->find)) != 0)
		REQUIRE(text[at++] != '\0');
	out = mem_strf("%.*s%s%s", (int)at, text, row->replace,
	    text + at + strlen(row->find));
	free(text);
	return out;
}

static void
test_rows(void)
{
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		const struct row	*row = &rows[i];
		char			*text = alter(row, make(row));
		struct stamp_query	 query = { .text = text,
		    .sender = row->sender != NULL ? row->sender :
		    "alice@example.org" };
		struct stamp		 out;
		struct err		 err = { 0 };

		test_row(row->what);
		digest(row, query.digest);
		if (row->want == NULL) {
			CHECK_OK(stamp_check(&query, &keys, NOW, LIFETIME,
			    &out, &err), err);
			CHECK_STR(out.login, "alice@example.org");
			CHECK_STR(out.client, "192.0.2.7");
			CHECK_INT(out.sign, WISH_NONE);
			CHECK_INT(out.encrypt, WISH_YES);
			CHECK(out.was_encryptable);
			stamp_clear(&out);
		} else {
			CHECK(!stamp_check(&query, &keys, NOW, LIFETIME, &out,
			    &err));
			CHECK_INT(err.kind, row->is_temp ? ERR_TEMP :
			    ERR_MESSAGE);
			CHECK(strstr(err.reason, row->want) != NULL);
			CHECK(out.login == NULL);
		}
		free(text);
	}
	test_row(NULL);
}

/* Nobody logged in, a null sender, and no key from before. */
static void
test_least(void)
{
	struct stamp_keys	 young = { .n = 1, .list = {
	    { .bytes = "present" } } };
	struct stamp		 stamp = { .time = NOW }, out;
	struct stamp_query	 query = { .sender = "" };
	char			*text = NULL;
	struct err		 err = { 0 };

	stamp.sender = mem_str("");
	REQUIRE_OK(stamp_make(&stamp, young.list[0].bytes, &text, &err), err);
	query.text = text;
	CHECK_OK(stamp_check(&query, &young, NOW, LIFETIME, &out, &err), err);
	CHECK_STR(out.login, NULL);
	CHECK_STR(out.client, NULL);
	CHECK_STR(out.sender, "");
	CHECK(!out.was_encryptable);
	stamp_clear(&out);
	free(text);
	/* A key beyond the last is nobody's. */
	REQUIRE_OK(stamp_make(&stamp, young.list[1].bytes, &text, &err), err);
	query.text = text;
	CHECK(!stamp_check(&query, &young, NOW, LIFETIME, &out, &err));
	free(text);
	stamp_clear(&stamp);
}

static void
test_limits(void)
{
	struct stamp		 stamp = { .time = NOW };
	struct stamp_query	 query = { .sender = "" };
	struct stamp		 out;
	char			 word[STAMP_WORD_MAX + 2], *text = NULL;
	char			*huge = mem_alloc(1000001);
	struct err		 err = { 0 };

	memset(word, 'a', sizeof(word));
	word[STAMP_WORD_MAX] = '\0';
	stamp.login = mem_str(word);
	stamp.client = mem_str("2001:db8:0:1:2:3:4:5");
	stamp.sender = mem_str(word);
	REQUIRE_OK(stamp_make(&stamp, keys.list[0].bytes, &text, &err), err);
	/* One line of a mail: RFC 5322, section 2.1.1. */
	CHECK(strlen(text) + strlen(STAMP_FIELD ": ") <= 998);
	query.text = text;
	query.sender = word;
	CHECK_OK(stamp_check(&query, &keys, NOW, LIFETIME, &out, &err), err);
	stamp_clear(&out);
	free(text);

	word[STAMP_WORD_MAX] = 'a';
	word[STAMP_WORD_MAX + 1] = '\0';
	free(stamp.login);
	stamp.login = mem_str(word);
	CHECK(!stamp_make(&stamp, keys.list[0].bytes, &text, &err));
	CHECK_INT(err.kind, ERR_MESSAGE);
	stamp_clear(&stamp);

	memset(huge, 'A', 1000000);
	memcpy(huge, "v=1; t=1; l=", 12);
	query.text = huge;
	CHECK(!stamp_check(&query, &keys, NOW, LIFETIME, &out, &err));
	free(huge);
}

int
main(void)
{
	test_rows();
	test_least();
	test_limits();
	return test_done("stamp");
}
