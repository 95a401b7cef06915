/* SPDX-License-Identifier: BSD-2-Clause */
#include "smime/detect.h"
#include "tests/lib/seal.h"
#include "tests/lib/test.h"

#define CMS(type)	"Content-Type: application/pkcs7-mime; smime-type=" type "\r\n"
#define BASE64		"Content-Transfer-Encoding: base64\r\n"
#define PAD		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
/* The start of EnvelopedData, SignedData and AuthEnvelopedData in DER. */
#define ENVELOPED	"MIIBkAYJKoZIhvcNAQcD" PAD "\r\n"
#define SIGNED		"MIIBkAYJKoZIhvcNAQcC" PAD "\r\n"

static const struct {
	const char	*what;
	const char	*mail;
	enum mail_kind	 want;
} rows[] = {
	{ "nothing said", "\r\nhello\r\n", MAIL_PLAIN },
	{ "text", "Content-Type: text/plain\r\n\r\nhello\r\n", MAIL_PLAIN },
	{ "multipart/signed of S/MIME", "Content-Type: multipart/signed; "
	    "protocol=\"application/pkcs7-signature\"; boundary=b\r\n\r\n",
	    MAIL_SIGNED },
	{ "by the old name", "Content-Type: multipart/signed; "
	    "protocol=\"application/x-pkcs7-signature\"; boundary=b\r\n\r\n",
	    MAIL_SIGNED },
	{ "multipart/signed of OpenPGP", "Content-Type: multipart/signed; "
	    "protocol=\"application/pgp-signature\"; boundary=b\r\n\r\n",
	    MAIL_PGP_SIGNED },
	{ "multipart/encrypted", "Content-Type: multipart/encrypted; "
	    "protocol=\"application/pgp-encrypted\"; boundary=b\r\n\r\n",
	    MAIL_PGP_ENCRYPTED },
	{ "enveloped-data", CMS("enveloped-data") BASE64 "\r\n" ENVELOPED,
	    MAIL_ENCRYPTED },
	{ "enveloped-data, quoted and by the old name",
	    "Content-Type: application/x-pkcs7-mime; "
	    "smime-type=\"Enveloped-Data\"\r\n" BASE64 "\r\n" ENVELOPED,
	    MAIL_ENCRYPTED },
	{ "enveloped-data by name, text inside",
	    CMS("enveloped-data") "\r\nsecret plans in clear text\r\n",
	    MAIL_SMIME_OTHER },
	{ "enveloped-data by name, signed inside",
	    CMS("enveloped-data") BASE64 "\r\n" SIGNED, MAIL_SMIME_OTHER },
	{ "signed-data", CMS("signed-data") BASE64 "\r\n" SIGNED,
	    MAIL_SIGNED_OPAQUE },
	{ "signed-data by name, nothing inside", CMS("signed-data") BASE64
	    "\r\n", MAIL_SMIME_OTHER },
	{ "certs-only", CMS("certs-only") BASE64 "\r\n" SIGNED,
	    MAIL_SMIME_OTHER },
	{ "no smime-type", "Content-Type: application/pkcs7-mime\r\n" BASE64
	    "\r\n" ENVELOPED, MAIL_SMIME_OTHER },
	{ "a file name never makes it encrypted",
	    "Content-Type: application/octet-stream; name=smime.p7m\r\n" BASE64
	    "\r\n" ENVELOPED, MAIL_SMIME_OTHER },
	{ "a file name in Content-Disposition",
	    "Content-Type: application/octet-stream\r\n"
	    "Content-Disposition: attachment; filename=\"SMIME.P7S\"\r\n\r\n",
	    MAIL_SMIME_OTHER },
	{ "another file name",
	    "Content-Type: application/octet-stream; name=x.bin\r\n\r\n",
	    MAIL_PLAIN },
	{ "text by that name",
	    "Content-Type: text/plain; name=smime.p7m\r\n\r\n", MAIL_PLAIN },
	{ "two Content-Type fields", CMS("enveloped-data")
	    CMS("enveloped-data") BASE64 "\r\n" ENVELOPED, MAIL_PLAIN },
	{ "smime-type twice", "Content-Type: application/pkcs7-mime; "
	    "smime-type=enveloped-data; smime-type=signed-data\r\n" BASE64
	    "\r\n" ENVELOPED, MAIL_SMIME_OTHER },
	{ "inline OpenPGP", "\r\n-----BEGIN PGP MESSAGE-----\r\n",
	    MAIL_PGP_INLINE },
	{ "inline OpenPGP below a line", "\r\nhi\r\n"
	    "-----BEGIN PGP SIGNED MESSAGE-----\r\n", MAIL_PGP_INLINE },
	{ "inline OpenPGP in the first part",
	    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n"
	    "-----BEGIN PGP MESSAGE-----\r\n", MAIL_PGP_INLINE },
	{ "OpenPGP in an attachment",
	    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n"
	    "--b\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n", MAIL_PLAIN },
	{ "OpenPGP quoted", "\r\n> -----BEGIN PGP MESSAGE-----\r\n",
	    MAIL_PLAIN },
	{ "an OpenPGP key", "\r\n-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n",
	    MAIL_PLAIN },
};

static void
detect(const char *text, struct detected *out)
{
	struct seal_mail	 mail;
	struct err		 err;

	REQUIRE_OK(seal_mail_read(text, strlen(text), false, &mail, &err),
	    err);
	detect_headers(mail.headers, out);
	detect_body(mail.headers, mail.body, mail.body_len, out);
	seal_mail_clear(&mail);
}

int
main(void)
{
	struct detected	 detected;

	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		test_row(rows[i].what);
		detect(rows[i].mail, &detected);
		CHECK_STR(detect_name(detected.kind),
		    detect_name(rows[i].want));
	}
	test_row("what satisfies sign and encrypt");
	CHECK(detect_left_alone(MAIL_SMIME_OTHER) != NULL);
	CHECK(detect_left_alone(MAIL_PGP_ENCRYPTED) != NULL);
	CHECK(detect_left_alone(MAIL_PGP_INLINE) != NULL);
	CHECK(detect_left_alone(MAIL_PLAIN) == NULL);
	CHECK(detect_left_alone(MAIL_SIGNED) == NULL);
	CHECK(detect_left_alone(MAIL_PGP_SIGNED) == NULL);
	CHECK(detect_left_alone(MAIL_ENCRYPTED) == NULL);
	CHECK(detect_is_signed(MAIL_SIGNED));
	CHECK(detect_is_signed(MAIL_SIGNED_OPAQUE));
	CHECK(!detect_is_signed(MAIL_SMIME_OTHER));
	CHECK(!detect_is_signed(MAIL_ENCRYPTED));
	CHECK(detect_is_encrypted(MAIL_ENCRYPTED));
	CHECK(!detect_is_encrypted(MAIL_PGP_ENCRYPTED));
	CHECK(!detect_is_encrypted(MAIL_SMIME_OTHER));
	test_row("types that the configuration may exempt");
	detect("Content-Type: TEXT/Calendar; method=REQUEST\r\n\r\n",
	    &detected);
	CHECK_STR(detected.type, "text/calendar");
	CHECK(detected.has_method);
	detect("Content-Type: text/calendar\r\n\r\n", &detected);
	CHECK(!detected.has_method);
	return test_done("detect");
}
