/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/override.h"
#include "tests/lib/test.h"

static const struct {
	const char	*what;
	const char	*headers[7];	/* name, value, name, value */
	enum wish	 sign;
	enum wish	 encrypt;
	const char	*reason;
} header_rows[] = {
	{ "nothing is asked", { NULL }, WISH_NONE, WISH_NONE, "" },
	{ "sign", { "X-SMIME-Sign", "yes" }, WISH_YES, WISH_NONE, "" },
	{ "do not encrypt", { "X-SMIME-Encrypt", "no" }, WISH_NONE, WISH_NO,
	    "" },
	{ "both, in any letters, with blanks and folds",
	    { "x-smime-sign", "\n\tNo ", "X-Smime-Encrypt", " YES\r\n " },
	    WISH_NO, WISH_YES, "" },
	{ "another value", { "X-SMIME-Sign", "maybe" }, WISH_BAD, WISH_NONE,
	    "X-SMIME-Sign is neither yes nor no" },
	{ "no value", { "X-SMIME-Encrypt", " " }, WISH_NONE, WISH_BAD,
	    "X-SMIME-Encrypt is neither yes nor no" },
	{ "repeated", { "X-SMIME-Sign", "yes", "X-SMIME-Sign", "yes" },
	    WISH_BAD, WISH_NONE, "X-SMIME-Sign is there more than once" },
	{ "differing", { "X-SMIME-Encrypt", "yes", "X-SMIME-Encrypt", "no" },
	    WISH_NONE, WISH_BAD, "X-SMIME-Encrypt is there more than once" },
	{ "a bad one stays bad", { "X-SMIME-Encrypt", "1", "X-SMIME-Encrypt",
	    "yes" }, WISH_NONE, WISH_BAD,
	    "X-SMIME-Encrypt is neither yes nor no" },
	{ "another header", { "X-SMIME", "yes" }, WISH_NONE, WISH_NONE, "" },
};

static const struct {
	const char	*what;
	const char	*subject;
	const char	*rest;		/* NULL: there was no tag */
	enum wish	 sign;
	enum wish	 encrypt;
} subject_rows[] = {
	{ "no tag", " Hello", NULL, WISH_NONE, WISH_NONE },
	{ "an empty Subject", "", NULL, WISH_NONE, WISH_NONE },
	{ "at the start", " [encrypt] Hello", " Hello", WISH_NONE, WISH_YES },
	{ "at the end", " Hello [noencrypt]", " Hello", WISH_NONE, WISH_NO },
	{ "in the middle", "Re: [sign] Hello", "Re: Hello", WISH_YES,
	    WISH_NONE },
	{ "two, in any letters", "[NoSign][ENCRYPT] x", "x", WISH_NO,
	    WISH_YES },
	{ "nothing else", " [sign]", "", WISH_YES, WISH_NONE },
	{ "without a blank", "a[sign]b", "ab", WISH_YES, WISH_NONE },
	{ "a word alike", "[signed] [ sign]", NULL, WISH_NONE, WISH_NONE },
	{ "twice", "[sign] [sign] x", "x", WISH_BAD, WISH_NONE },
	{ "differing", "[encrypt] x [noencrypt]", "x", WISH_NONE, WISH_BAD },
	{ "a folded Subject", " Hello\n\t[sign]\n world", " Hello\n\tworld",
	    WISH_YES, WISH_NONE },
	{ "a fold before a tag at the end", " Hello\n [sign]", " Hello",
	    WISH_YES, WISH_NONE },

	{ "quoted-printable", "=?utf-8?Q?[encrypt]_Gr=C3=BC=C3=9Fe?=",
	    "=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", WISH_NONE, WISH_YES },
	{ "quoted-printable, every character",
	    "=?iso-8859-1?q?=5Bsign=5d=20=FC?=", "=?iso-8859-1?Q?=FC?=",
	    WISH_YES, WISH_NONE },
	{ "base64", "=?UTF-8?B?W2VuY3J5cHRdIEdyw7zDn2U=?=",
	    "=?UTF-8?B?R3LDvMOfZQ==?=", WISH_NONE, WISH_YES },
	{ "a tag between encoded-words", "=?utf-8?q?=C3=BC?= [sign] "
	    "=?utf-8?q?=C3=BC?=", "=?utf-8?q?=C3=BC?= =?utf-8?q?=C3=BC?=",
	    WISH_YES, WISH_NONE },
	{ "a tag split over two encoded-words",
	    "=?utf-8?q?=C3=BC_[enc?=\n =?utf-8?q?rypt]_x?=",
	    "=?utf-8?Q?=C3=BC_?=\n =?utf-8?Q?x?=", WISH_NONE, WISH_YES },
	{ "a word of nothing but the tag, first",
	    "=?utf-8?q?[sign]?= =?utf-8?q?=C3=BC?=", "=?utf-8?q?=C3=BC?=",
	    WISH_YES, WISH_NONE },
	{ "a word of nothing but the tag, last",
	    "=?utf-8?q?=C3=BC?=\n =?utf-8?q?_[sign]?=", "=?utf-8?q?=C3=BC?=",
	    WISH_YES, WISH_NONE },
	{ "a word of nothing but the tag, between",
	    "=?utf-8?q?a?= =?utf-8?q?[sign]?= =?utf-8?q?b?=",
	    "=?utf-8?q?a?= =?utf-8?q?b?=", WISH_YES, WISH_NONE },
	{ "text after an encoded tag keeps its blank",
	    "=?utf-8?q?x_[sign]?= foo", "=?utf-8?Q?x_?= foo", WISH_YES,
	    WISH_NONE },
	{ "text after a word of nothing but the tag",
	    "Re: =?utf-8?q?[sign]?= foo", "Re: foo", WISH_YES, WISH_NONE },
	{ "a tag in text, other words byte for byte",
	    "[sign] =?X-odd?q?a=c3?=", "=?X-odd?q?a=c3?=", WISH_YES,
	    WISH_NONE },
	{ "what only looks encoded is text", "=?utf-8?x?[sign]?= a",
	    "=?utf-8?x?" "?= a", WISH_YES, WISH_NONE },
	{ "an unfinished word is text", "=?utf-8?q?[sign] a", "=?utf-8?q?a",
	    WISH_YES, WISH_NONE },
	{ "bytes that are no ASCII stay", "\xfc [sign] \xe4", "\xfc \xe4",
	    WISH_YES, WISH_NONE },
};

static const struct {
	const char	*what;
	const char	*header;	/* X-SMIME-Sign */
	const char	*subject;
	enum wish	 sign;
	const char	*reason;
} both_rows[] = {
	{ "header and tag agree", "yes", "[sign] a", WISH_YES, "" },
	{ "header and tag differ", "yes", "[nosign] a", WISH_BAD,
	    "X-SMIME-Sign and a tag in the Subject differ" },
	{ "a tag twice", "yes", "[sign] [sign]", WISH_BAD,
	    "the Subject has such a tag twice" },
	{ "a bad header", "x", "[sign] a", WISH_BAD,
	    "X-SMIME-Sign is neither yes nor no" },
};

static void
add_header(struct wishes *wishes, const char *name, const char *value)
{
	override_add_header(wishes, name, value, strlen(value));
}

static void
test_headers(void)
{
	for (size_t i = 0; i < TEST_LEN(header_rows); i++) {
		const char *const	*h = header_rows[i].headers;
		struct wishes		 wishes = { 0 };

		test_row(header_rows[i].what);
		for (; *h != NULL; h += 2)
			add_header(&wishes, h[0], h[1]);
		CHECK_INT(wishes.sign, header_rows[i].sign);
		CHECK_INT(wishes.encrypt, header_rows[i].encrypt);
		CHECK_STR(wishes.reason, header_rows[i].reason);
	}
	test_row("which headers are ours");
	CHECK(override_is_header("X-SMIME-Sign"));
	CHECK(override_is_header("x-smime-ENCRYPT"));
	CHECK(!override_is_header("X-SMIME-Signed"));
	CHECK(!override_is_header("Subject"));
}

static void
test_subjects(void)
{
	for (size_t i = 0; i < TEST_LEN(subject_rows); i++) {
		const char	*in = subject_rows[i].subject;
		struct wishes	 wishes = { 0 };
		struct buf	 rest = { 0 };
		bool		 found;
		char		*text;

		test_row(subject_rows[i].what);
		found = override_add_subject(&wishes, in, strlen(in), &rest);
		text = buf_take_str(&rest);
		CHECK_STR(found ? text : NULL, subject_rows[i].rest);
		CHECK_INT(wishes.sign, subject_rows[i].sign);
		CHECK_INT(wishes.encrypt, subject_rows[i].encrypt);
		free(text);
	}
}

static void
test_both(void)
{
	for (size_t i = 0; i < TEST_LEN(both_rows); i++) {
		const char	*in = both_rows[i].subject;
		struct wishes	 wishes = { 0 };
		struct buf	 rest = { 0 };

		test_row(both_rows[i].what);
		add_header(&wishes, "X-SMIME-Sign", both_rows[i].header);
		CHECK(override_add_subject(&wishes, in, strlen(in), &rest));
		CHECK_INT(wishes.sign, both_rows[i].sign);
		CHECK_INT(wishes.encrypt, WISH_NONE);
		CHECK_STR(wishes.reason, both_rows[i].reason);
		buf_clear(&rest);

		/* The other way round. */
		wishes = (struct wishes){ 0 };
		CHECK(override_add_subject(&wishes, in, strlen(in), &rest));
		add_header(&wishes, "X-SMIME-Sign", both_rows[i].header);
		CHECK_INT(wishes.sign, both_rows[i].sign);
		buf_free(&rest);
	}
}

int
main(void)
{
	test_headers();
	test_subjects();
	test_both();
	return test_done("override");
}
