/* SPDX-License-Identifier: BSD-2-Clause */
#include "smime/mimeout.h"
#include "tests/lib/test.h"

static bool
add_run(void *arg, const uint8_t *data, size_t len, struct err *err)
{
	(void)err;
	buf_add(arg, data, len);
	return true;
}

static void
check_text(const struct pieces *pieces, const char *want)
{
	struct buf	 buf = { 0 };
	struct err	 err;

	CHECK_OK(pieces_walk(pieces, add_run, &buf, &err), err);
	CHECK_MEM(buf.data, buf.len, want, strlen(want));
	buf_free(&buf);
}

static void
test_signed(void)
{
	struct pieces		*entity = pieces_new();
	struct buf		 der = { 0 };
	struct mime_made	 made;
	struct err		 err;
	const char		*quote;
	char			 boundary[MIMEOUT_BOUNDARY_LEN] = "";
	char			 want[1000];

	test_row("multipart/signed, byte for byte");
	pieces_add_str(entity, "Content-Type: a/b\r\n\r\nhi\r\n");
	buf_adds(&der, "DER");
	REQUIRE_OK(mimeout_signed_take(entity, "sha-256", &der, &made, &err),
	    err);
	quote = strstr(made.content_type, "boundary=\"");
	REQUIRE(quote != NULL);
	sscanf(quote, "boundary=\"%47[^\"]\"", boundary);
	CHECK_INT(strlen(boundary), 37);
	snprintf(want, sizeof(want), " multipart/signed; "
	    "protocol=\"application/pkcs7-signature\";\n\tmicalg=sha-256; "
	    "boundary=\"%s\"", boundary);
	CHECK_STR(made.content_type, want);
	CHECK_STR(made.encoding, NULL);
	CHECK_STR(made.disposition, NULL);
	snprintf(want, sizeof(want), "--%s\r\nContent-Type: a/b\r\n\r\nhi\r\n"
	    "\r\n--%s\r\n"
	    "Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment; filename=\"smime.p7s\"\r\n"
	    "Content-Description: S/MIME Cryptographic Signature\r\n\r\n"
	    "REVS\r\n--%s--\r\n", boundary, boundary, boundary);
	check_text(made.body, want);
	mimeout_clear(&made);
}

static void
test_pkcs7(void)
{
	struct pieces		*der = pieces_new();
	struct mime_made	 made;
	struct pieces		*entity;

	test_row("application/pkcs7-mime, and as an entity");
	pieces_add_str(der, "DER");
	mimeout_pkcs7_take(der, "enveloped-data", &made);
	CHECK_STR(made.content_type, " application/pkcs7-mime; "
	    "smime-type=enveloped-data;\n\tname=\"smime.p7m\"");
	CHECK_STR(made.encoding, " base64");
	CHECK_STR(made.disposition, " attachment; filename=\"smime.p7m\"");
	entity = mimeout_entity_take(&made);
	CHECK(made.body == NULL && made.content_type == NULL);
	check_text(entity, "Content-Type: application/pkcs7-mime; "
	    "smime-type=enveloped-data;\r\n\tname=\"smime.p7m\"\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment; filename=\"smime.p7m\"\r\n"
	    "\r\nREVS\r\n");
	pieces_free(entity);
}

/*
 * A mail with a line for every first character, in pieces of one byte: the
 * boundary must still be none that a line begins with.
 */
static void
test_boundary(void)
{
	static const char	 alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789._";
	struct pieces		*entity = pieces_new();
	char			 boundary[MIMEOUT_BOUNDARY_LEN];
	bool			 seen[256] = { false };
	struct err		 err;

	test_row("no line is the beginning of the boundary");
	/* All characters but one half begin a line. */
	for (size_t i = 0; i < sizeof(alphabet) - 1; i += 2) {
		pieces_add(entity, "--", 2);
		pieces_add(entity, &alphabet[i], 1);
		pieces_add(entity, " \r", 2);
		pieces_add(entity, "\n", 1);
		seen[(unsigned char)alphabet[i]] = true;
	}
	for (int i = 0; i < 50; i++) {
		REQUIRE_OK(mimeout_boundary(entity, boundary, &err), err);
		CHECK(!seen[(unsigned char)boundary[0]]);
	}
	test_row("unless there is no other way");
	for (size_t i = 1; i < sizeof(alphabet) - 1; i += 2) {
		pieces_add(entity, "--", 2);
		pieces_add(entity, &alphabet[i], 1);
		pieces_add(entity, "\r\n", 2);
	}
	CHECK_OK(mimeout_boundary(entity, boundary, &err), err);
	pieces_free(entity);
}

int
main(void)
{
	test_signed();
	test_pkcs7();
	test_boundary();
	return test_done("mimeout");
}
