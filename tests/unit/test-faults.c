/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Memory runs out, inside OpenSSL at each of its allocations in turn, and in
 * our own buffers.  A mail comes out whole or not at all, with a reason
 * that makes it wait.
 */
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "smime/transform.h"
#include "tests/lib/seal.h"
#include "tests/lib/test.h"

static long	 countdown = -1;	/* allocations until one fails */
static bool	 has_failed;

static bool
fails_now(void)
{
	if (countdown < 0 || countdown-- > 0)
		return false;
	has_failed = true;
	return true;
}

static void *
test_malloc(size_t len, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails_now() ? NULL : malloc(len);
}

static void *
test_realloc(void *p, size_t len, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails_now() ? NULL : realloc(p, len);
}

static void
test_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

static struct seal_id	*id;

/* The vault is another process, and none of its allocations fail here. */
static bool
steady_sign(void *arg, enum digest digest, const uint8_t *hash,
    struct buf *out, struct err *err)
{
	long	 saved = countdown;
	bool	 is_ok;

	countdown = -1;
	is_ok = seal_sign(arg, digest, hash, out, err);
	countdown = saved;
	return is_ok;
}

static void
check_result(const struct seal_mail *mail, struct transform_result *result,
    bool encrypt)
{
	struct buf	 out = { 0 }, inner = { 0 };
	struct err	 err;

	ERR_clear_error();
	seal_apply(mail->headers, result, &out);
	CHECK_OK(seal_open(&out, id, true, encrypt, &inner, &err), err);
	transform_result_free(result);
	buf_free(&out);
	buf_free(&inner);
}

static void
run_out_everywhere(const struct seal_mail *mail, bool encrypt,
    enum transform_format format)
{
	struct encrypt_cert		 cert = { id->der, id->der_len };
	struct transform_request	 request = {
		.headers = mail->headers,
		.body = mail->body,
		.body_len = mail->body_len,
		.sign = true,
		.format = format,
		.signer = steady_sign,
		.signer_arg = id,
		.encrypt = encrypt,
		.options = { .cipher = CIPHER_AES256_CBC,
		    .spool.memory_max = SEAL_MEMORY },
		.recipients = &cert,
		.n_recipients = 1
	};
	struct transform_result		*result = NULL;
	struct err			 err;
	long				 n = 0;

	do {
		bool	 is_ok;

		err_clear(&err);
		has_failed = false;
		countdown = n++;
		is_ok = transform_mail(&request, &result, &err);
		countdown = -1;
		ERR_clear_error();
		if (is_ok)
			check_result(mail, result, encrypt);
		else {
			CHECK(has_failed);
			CHECK(err.kind != ERR_NONE && err.kind != ERR_MESSAGE);
			CHECK(err.reason[0] != '\0');
		}
	} while (has_failed && n < 100000);
	printf("%ld allocations\n", n - 1);
}

static void
test_buffers(void)
{
	struct pieces	*pieces = pieces_new(), *more = pieces_new();
	struct buf	 full = { .max = 4 };
	uint8_t		 hash[DIGEST_LEN_MAX];
	struct err	 err = { 0 };

	test_row("a piece that lost bytes cannot be read");
	buf_adds(&full, "12345678");
	CHECK(full.failed);
	pieces_add_take(more, &full);
	pieces_append_take(pieces, more);
	CHECK(!sign_hash_pieces(pieces, DIGEST_SHA256, hash, &err));
	CHECK_INT(err.kind, ERR_TEMP);
	pieces_free(pieces);
}

int
main(void)
{
	static const char	 text[] =
	    "Content-Type: multipart/mixed; boundary=b\r\n\r\npre\r\n"
	    "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
	    "gr\xc3\xbc\xc3\x9f dich von mir \r\n--b--\r\n";
	struct seal_mail	 mail;
	struct err		 err;

	if (CRYPTO_set_mem_functions(test_malloc, test_realloc, test_free) !=
	    1) {
		printf("OpenSSL's allocations cannot be caught\n");
		return 77;
	}
	/* OpenSSL 3.0 itself dies of a NULL in sskdf_new() with an EC key. */
	id = seal_id_new("RSA:2048", "a@example.org");
	REQUIRE_OK(seal_mail_read(text, strlen(text), true, &mail, &err), err);
	test_row("signing");
	run_out_everywhere(&mail, false, TRANSFORM_DETACHED);
	test_row("signing opaquely");
	run_out_everywhere(&mail, false, TRANSFORM_OPAQUE);
	test_row("signing and encrypting");
	run_out_everywhere(&mail, true, TRANSFORM_DETACHED);
	test_buffers();
	seal_mail_clear(&mail);
	seal_id_free(id);
	return test_done("faults");
}
