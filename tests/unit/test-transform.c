/* SPDX-License-Identifier: BSD-2-Clause */
#include "smime/transform.h"
#include "tests/lib/seal.h"
#include "tests/lib/test.h"

static struct seal_id		*id;
static struct encrypt_cert	 recipient;

static void
read_mail(const char *text, struct seal_mail *mail)
{
	struct err	 err;

	REQUIRE_OK(seal_mail_read(text, strlen(text), true, mail, &err), err);
}

static struct transform_request
request_for(const struct seal_mail *mail, bool sign, bool encrypt)
{
	return (struct transform_request){
		.headers = mail->headers,
		.body = mail->body,
		.body_len = mail->body_len,
		.sign = sign,
		.digest = DIGEST_SHA256,
		.signer = seal_sign,
		.signer_arg = id,
		.encrypt = encrypt,
		.options = { .cipher = CIPHER_AES256_CBC,
		    .spool.memory_max = SEAL_MEMORY },
		.recipients = &recipient,
		.n_recipients = 1
	};
}

/* "-A -B +C +D": removals, then what is set, in order. */
static void
list_edits(const struct transform_result *result, struct buf *out)
{
	for (size_t i = 0; i < result->n_remove; i++)
		buf_addf(out, "-%s ", result->remove[i]);
	for (size_t i = 0; i < result->n_set; i++)
		buf_addf(out, "+%s ", result->set[i].name);
}

static const struct {
	const char	*what;
	const char	*header;
	bool		 sign;
	bool		 encrypt;
	const char	*want;
} edits[] = {
	{ "signed, no MIME before", "Subject: x\r\n", true, false,
	    "+MIME-Version +Content-Type " },
	{ "signed: the encoding moves inside", "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain\r\nContent-Transfer-Encoding: 7bit\r\n",
	    true, false,
	    "-Content-Transfer-Encoding +MIME-Version +Content-Type " },
	{ "every Content-* field, each name once", "Content-Type: a/b\r\n"
	    "Content-X: 1\r\ncontent-x: 2\r\nContent-Type: c/d\r\n"
	    "Content-Language: de\r\nContent-Type: e/f\r\n", true, false,
	    "-Content-X -Content-Language +MIME-Version +Content-Type " },
	{ "Bcc goes whenever a mail is changed", "Bcc: x@y.z\r\nbcc: u@v.w\r\n",
	    false, true, "-Bcc +MIME-Version +Content-Type "
	    "+Content-Transfer-Encoding +Content-Disposition " },
	{ "encrypted: ours replace what is there",
	    "Content-Disposition: inline\r\nContent-Type: text/plain\r\n"
	    "content-transfer-encoding: 7bit\r\nContent-MD5: x\r\n",
	    true, true, "-Content-MD5 +MIME-Version +Content-Type "
	    "+Content-Transfer-Encoding +Content-Disposition " },
};

static void
test_edits(void)
{
	for (size_t i = 0; i < TEST_LEN(edits); i++) {
		struct seal_mail	 mail;
		struct transform_request request;
		struct transform_result	*result;
		struct buf		 text = { 0 }, list = { 0 };
		struct err		 err;

		test_row(edits[i].what);
		buf_addf(&text, "%s\r\nhi\r\n%c", edits[i].header, 0);
		read_mail((char *)text.data, &mail);
		request = request_for(&mail, edits[i].sign,
		    edits[i].encrypt);
		REQUIRE_OK(transform_mail(&request, &result, &err), err);
		list_edits(result, &list);
		CHECK_MEM(list.data, list.len, edits[i].want,
		    strlen(edits[i].want));
		CHECK_STR(result->set[0].value, " 1.0");
		transform_result_free(result);
		seal_mail_clear(&mail);
		buf_free(&text);
		buf_free(&list);
	}
}

#define MULTIPART \
	"Content-Type: multipart/mixed; boundary=b\r\n\r\n" \
	"pre\r\n--b\r\n\r\none\r\n--b--\r\n"
#define WITHOUT_PREAMBLE \
	"Content-Type: multipart/mixed; boundary=b\r\n\r\n" \
	"--b\r\n\r\none\r\n--b--\r\n"

static const struct {
	const char		*what;
	const char		*mail;
	bool			 sign;
	bool			 encrypt;
	enum transform_format	 format;
	const char		*type;		/* of the new mail */
	const char		*inner;
} ways[] = {
	{ "signed, detached", MULTIPART, true, false, TRANSFORM_DETACHED,
	    "multipart/signed", WITHOUT_PREAMBLE },
	{ "signed, opaque", MULTIPART, true, false, TRANSFORM_OPAQUE,
	    "smime-type=signed-data", WITHOUT_PREAMBLE },
	{ "encrypted alone: nothing is left out", MULTIPART, false, true,
	    TRANSFORM_DETACHED, "smime-type=enveloped-data", MULTIPART },
	{ "signed and encrypted", MULTIPART, true, true, TRANSFORM_DETACHED,
	    "smime-type=enveloped-data", WITHOUT_PREAMBLE },
	{ "signed opaquely and encrypted", MULTIPART, true, true,
	    TRANSFORM_OPAQUE, "smime-type=enveloped-data", WITHOUT_PREAMBLE },
	{ "what cannot be spliced is signed opaquely",
	    "Content-Type: message/partial\r\n\r\n\xff\r\n", true, false,
	    TRANSFORM_DETACHED, "smime-type=signed-data",
	    "Content-Type: message/partial\r\n\r\n\xff\r\n" },
	{ "encrypted alone: 8-bit stays", "Subject: x\r\n\r\n\xc3\xbc \r\n",
	    false, true, TRANSFORM_DETACHED, "smime-type=enveloped-data",
	    "Content-Type: text/plain; charset=utf-8\r\n\r\n\xc3\xbc \r\n" },
};

static void
test_ways(void)
{
	for (size_t i = 0; i < TEST_LEN(ways); i++) {
		struct seal_mail	 mail;
		struct transform_request request;
		struct transform_result	*result;
		struct buf		 out = { 0 }, inner = { 0 };
		struct err		 err;

		test_row(ways[i].what);
		read_mail(ways[i].mail, &mail);
		request = request_for(&mail, ways[i].sign, ways[i].encrypt);
		request.format = ways[i].format;
		REQUIRE_OK(transform_mail(&request, &result, &err), err);
		CHECK(strstr(result->set[1].value, ways[i].type) != NULL);
		CHECK(!ways[i].encrypt || result->cipher ==
		    CIPHER_AES256_CBC);
		seal_apply(mail.headers, result, &out);
		CHECK_OK(seal_open(&out, id, ways[i].sign, ways[i].encrypt,
		    &inner, &err), err);
		CHECK_MEM(inner.data, inner.len, ways[i].inner,
		    strlen(ways[i].inner));
		transform_result_free(result);
		seal_mail_clear(&mail);
		buf_free(&out);
		buf_free(&inner);
	}
}

/*
 * The hash made while the mail came is used where it is of the right bytes
 * and by the right digest.  It is spoilt here, so that use shows: libcrypto
 * does not verify the mail then.
 */
static void
check_hash(const char *what, const char *text, enum digest digest,
    bool is_used)
{
	struct seal_mail	 mail;
	struct transform_request request;
	struct transform_result	*result;
	struct buf		 out = { 0 }, inner = { 0 };
	struct err		 err;

	test_row(what);
	read_mail(text, &mail);
	request = request_for(&mail, true, false);
	REQUIRE_OK(sign_hash_new(digest, &request.hash, &err), err);
	sign_hash_add(request.hash, "spoilt", 6);
	REQUIRE_OK(transform_mail(&request, &result, &err), err);
	seal_apply(mail.headers, result, &out);
	CHECK(seal_open(&out, id, true, false, &inner, &err) == !is_used);
	transform_result_free(result);
	sign_hash_free(request.hash);
	seal_mail_clear(&mail);
	buf_free(&out);
	buf_free(&inner);
}

static void
test_hash(void)
{
	check_hash("a clean mail: the hash that came along", WITHOUT_PREAMBLE,
	    DIGEST_SHA256, true);
	check_hash("another digest: a new hash", WITHOUT_PREAMBLE,
	    DIGEST_SHA512, false);
	check_hash("a preamble: a new hash", MULTIPART, DIGEST_SHA256, false);
	check_hash("a re-encoded part: a new hash",
	    "Subject: x\r\n\r\na \r\n", DIGEST_SHA256, false);
	check_hash("an opaque one: a new hash",
	    "Content-Type: message/partial\r\n\r\n\xff\r\n", DIGEST_SHA256,
	    false);
}

static bool
no_signer(void *arg, enum digest digest, const uint8_t *hash,
    struct buf *out, struct err *err)
{
	(void)arg;
	(void)digest;
	(void)hash;
	buf_adds(out, "half a signa");
	return err_set(err, ERR_DATA, "certificate expired");
}

static bool
wrong_signer(void *arg, enum digest digest, const uint8_t *hash,
    struct buf *out, struct err *err)
{
	static const uint8_t	 other[DIGEST_LEN_MAX];

	(void)hash;
	return seal_sign(arg, digest, other, out, err);
}

static void
test_failures(void)
{
	struct seal_mail	 mail;
	struct transform_request request;
	struct transform_result	*result;
	struct err		 err = { 0 };

	read_mail(MULTIPART, &mail);
	test_row("the signer refuses: its kind and reason come through");
	request = request_for(&mail, true, true);
	request.signer = no_signer;
	CHECK(!transform_mail(&request, &result, &err));
	CHECK_INT(err.kind, ERR_DATA);
	CHECK_STR(err.reason, "certificate expired");
	test_row("a signature over something else is not sent");
	request.signer = wrong_signer;
	CHECK(!transform_mail(&request, &result, &err));
	CHECK_INT(err.kind, ERR_BUG);
	CHECK_STR(err.reason, "check the new signature: messageDigest is not "
	    "the mail's");
	test_row("a recipient that cannot be encrypted to");
	request = request_for(&mail, true, true);
	request.recipients = &(struct encrypt_cert){
		(const uint8_t *)"x", 1 };
	CHECK(!transform_mail(&request, &result, &err));
	CHECK_INT(err.kind, ERR_DATA);
	test_row("nothing to do");
	request = request_for(&mail, false, false);
	CHECK(!transform_mail(&request, &result, &err));
	CHECK_INT(err.kind, ERR_BUG);
	seal_mail_clear(&mail);
}

int
main(void)
{
	id = seal_id_new("RSA:2048", "a@example.org");
	recipient = (struct encrypt_cert){ id->der, id->der_len };
	test_edits();
	test_ways();
	test_hash();
	test_failures();
	seal_id_free(id);
	return test_done("transform");
}
