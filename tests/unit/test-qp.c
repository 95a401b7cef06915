/* SPDX-License-Identifier: BSD-2-Clause */
#include "smime/canon_gmime.h"
#include "smime/qp.h"
#include "smime/scan.h"
#include "tests/lib/test.h"

#define X70 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const char	*what;
	const char	*in;
	const char	*want;
} rows[] = {
	{ "nothing", "", "" },
	{ "plain lines", "one\r\ntwo\r\n", "one\r\ntwo\r\n" },
	{ "8-bit", "gr\xc3\xbc", "gr=C3=BC" },
	{ "an equals sign", "a=b", "a=3Db" },
	{ "a blank at a line's end", "a \r\nb", "a=20\r\nb" },
	{ "a tab at the very end", "a\t", "a=09" },
	{ "two blanks at a line's end", "a  \r\n", "a =20\r\n" },
	{ "From_ at a line's start", "From me\r\nFrom: x\r\n",
	    "=46rom me\r\nFrom: x\r\n" },
	{ "a delimiter", "--x\r\n-- \r\n-x\r\n", "=2D-x\r\n=2D-=20\r\n-x\r\n" },
	{ "a lone CR, a lone LF", "a\rb\nc\r\n", "a=0Db=0Ac\r\n" },
	{ "CR CR LF", "a\r\r\n", "a=0D\r\n" },
	{ "76 bytes", X70 "123456\r\n", X70 "123456\r\n" },
	{ "76 bytes and the end", X70 "123456", X70 "123456" },
	{ "77 bytes", X70 "1234567\r\n", X70 "12345=\r\n67\r\n" },
	{ "From_ behind a soft line end", X70 "12345From x\r\n",
	    X70 "12345=\r\n=46rom x\r\n" },
	{ "two dashes behind a soft line end", X70 "12345--b\r\n",
	    X70 "12345=\r\n=2D-b\r\n" },
	{ "an escape that just fits", X70 "123\xff\r\n",
	    X70 "123=FF\r\n" },
	{ "an escape that does not", X70 "1234\xff\r\n",
	    X70 "1234=\r\n=FF\r\n" },
	{ "a blank in column 76", X70 "12345 \r\n",
	    X70 "12345=\r\n=20\r\n" },
};

static void
check_decodes(const struct buf *encoded, const void *in, size_t len)
{
	struct buf	 again = { 0 };
	struct err	 err;

	CHECK_OK(canon_gmime_decode(ENTITY_QP, (struct span){ encoded->data,
	    encoded->len }, &again, &err), err);
	CHECK_MEM(again.data, again.len, in, len);
	CHECK_INT(scan_bytes(encoded->data, encoded->len), 0);
	buf_free(&again);
}

/* All pairs and triples of what matters, at the edge of a line. */
static void
test_edges(void)
{
	static const char	 alphabet[] = "\r\n =-F\xff" "a";
	char			 text[80];
	struct buf		 out = { 0 };

	test_row("any three bytes near column 76");
	memcpy(text, X70, 70);
	for (size_t start = 70; start < 77; start++) {
		text[start - 1] = 'x';
		for (unsigned n = 0; n < 512; n++) {
			text[start] = alphabet[n & 7];
			text[start + 1] = alphabet[n >> 3 & 7];
			text[start + 2] = alphabet[n >> 6 & 7];
			buf_clear(&out);
			qp_encode((uint8_t *)text, start + 3, &out);
			check_decodes(&out, text, start + 3);
		}
	}
	buf_free(&out);
}

int
main(void)
{
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		struct buf	 out = { 0 };

		test_row(rows[i].what);
		qp_encode((const uint8_t *)rows[i].in, strlen(rows[i].in),
		    &out);
		CHECK_MEM(out.data, out.len, rows[i].want,
		    strlen(rows[i].want));
		if (out.len > 0)
			check_decodes(&out, rows[i].in, strlen(rows[i].in));
		buf_free(&out);
	}
	test_edges();
	return test_done("qp");
}
