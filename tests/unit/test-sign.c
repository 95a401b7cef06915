/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/cms.h>
#include <openssl/err.h>

#include "smime/sign.h"
#include "smime/sign_check.h"
#include "tests/lib/seal.h"
#include "tests/lib/test.h"

static const char	 text[] = "Content-Type: text/plain\r\n\r\nhi\r\n";

/* The whole mail around what was made. */
static void
write_mail(struct mime_made *made, struct buf *out)
{
	struct transform_result	 result = { .body = made->body };
	struct headers		*headers = headers_new();

	result.set[0] = (struct transform_field){ "Content-Type",
	    made->content_type };
	result.n_set = 1;
	if (made->encoding != NULL)
		result.set[result.n_set++] = (struct transform_field){
		    "Content-Transfer-Encoding", made->encoding };
	seal_apply(headers, &result, out);
	headers_free(headers);
}

static void
test_forms(void)
{
	static const char *const	 kinds[] = {
		"RSA:2048", "RSA-PSS", "EC:P-256", "EC:P-384", "EC:P-521"
	};

	for (size_t i = 0; i < TEST_LEN(kinds); i++) {
		struct seal_id	*id = seal_id_new(kinds[i], "a@x.org");

		test_row(kinds[i]);
		for (unsigned n = 0; n < 6; n++) {
			enum digest		 digest = (enum digest)(n / 2);
			struct pieces		*entity = pieces_new();
			struct buf		 der = { 0 }, mail = { 0 };
			struct buf		 inner = { 0 };
			struct mime_made	 made = { 0 };
			uint8_t			 hash[DIGEST_LEN_MAX];
			struct err		 err;

			pieces_add(entity, text, strlen(text));
			REQUIRE_OK(sign_hash_pieces(entity, digest, hash,
			    &err), err);
			REQUIRE_OK(seal_sign(id, digest, hash, &der, &err),
			    err);
			if (n % 2 == 0)
				REQUIRE_OK(sign_detached_take(entity, &der,
				    digest, hash, &made, &err), err);
			else
				REQUIRE_OK(sign_opaque_take(entity, &der,
				    digest, hash, &made, &err), err);
			CHECK(n % 2 == 1 || strstr(made.content_type,
			    alg_digest_name(digest)) != NULL);
			write_mail(&made, &mail);
			CHECK_OK(seal_open(&mail, id, true, false, &inner,
			    &err), err);
			CHECK_MEM(inner.data, inner.len, text, strlen(text));
			mimeout_clear(&made);
			buf_free(&mail);
			buf_free(&inner);
		}
		seal_id_free(id);
	}
}

/* Lengths at which DER needs another byte, and what lies about them. */
static void
test_lengths(void)
{
	static const size_t	 lengths[] = {
		0, 1, 100, 127, 128, 255, 256, 65535, 65536, 1000000
	};
	struct seal_id		*id = seal_id_new("EC:P-256", "a@x.org");
	char			*data = calloc(1, 1000000);

	REQUIRE(data != NULL);
	memset(data, 'x', 1000000);
	for (size_t i = 0; i < TEST_LEN(lengths); i++) {
		struct pieces		*entity = pieces_new();
		struct buf		 der = { 0 }, mail = { 0 };
		struct buf		 inner = { 0 };
		struct mime_made	 made;
		uint8_t			 hash[DIGEST_LEN_MAX];
		struct err		 err;
		char			 what[60];

		snprintf(what, sizeof(what), "%zu bytes embedded", lengths[i]);
		test_row(what);
		pieces_add(entity, data, lengths[i]);
		REQUIRE_OK(sign_hash_pieces(entity, DIGEST_SHA256, hash,
		    &err), err);
		REQUIRE_OK(seal_sign(id, DIGEST_SHA256, hash, &der, &err),
		    err);
		REQUIRE_OK(sign_opaque_take(entity, &der, DIGEST_SHA256, hash,
		    &made, &err), err);
		write_mail(&made, &mail);
		CHECK_OK(seal_open(&mail, id, true, false, &inner, &err),
		    err);
		CHECK_MEM(inner.data, inner.len, data, lengths[i]);
		mimeout_clear(&made);
		buf_free(&mail);
		buf_free(&inner);
	}
	free(data);
	seal_id_free(id);
}

static void
check_bad(const struct buf *der, size_t len, enum digest digest,
    const uint8_t *hash, const char *want)
{
	struct err	 err = { 0 };

	CHECK(!sign_check(der->data, len, digest, hash, &err));
	CHECK_INT(err.kind, ERR_BUG);
	if (strstr(err.reason, want) == NULL)
		CHECK_STR(err.reason, want);
}

static void
test_verdicts(void)
{
	struct seal_id	*id = seal_id_new("RSA:2048", "a@x.org");
	struct buf	 der = { 0 };
	uint8_t		 hash[DIGEST_LEN_MAX] = { 1, 2, 3 };
	uint8_t		 other[DIGEST_LEN_MAX] = { 1, 2, 4 };
	struct err	 err;

	REQUIRE_OK(seal_sign(id, DIGEST_SHA256, hash, &der, &err), err);
	test_row("a good signature");
	CHECK_OK(sign_check(der.data, der.len, DIGEST_SHA256, hash, &err),
	    err);
	test_row("of another mail");
	check_bad(&der, der.len, DIGEST_SHA256, other, "messageDigest");
	test_row("by another digest");
	check_bad(&der, der.len, DIGEST_SHA512, hash, "not made with sha-512");
	test_row("cut off");
	check_bad(&der, der.len - 1, DIGEST_SHA256, hash, "cannot be read");
	test_row("empty");
	check_bad(&der, 0, DIGEST_SHA256, hash, "cannot be read");
	test_row("with a byte more");
	buf_addc(&der, 'x');
	check_bad(&der, der.len, DIGEST_SHA256, hash, "bytes after its end");
	test_row("damaged in the signature itself");
	der.data[der.len - 10] ^= 1;
	check_bad(&der, der.len - 1, DIGEST_SHA256, hash,
	    "the signature does not verify");
	buf_free(&der);
	seal_id_free(id);
}

/* Does OpenSSL take it as a signature of the text? */
static bool
is_good_for_openssl(const struct buf *der)
{
	const unsigned char	*p = der->data;
	CMS_ContentInfo		*cms = d2i_CMS_ContentInfo(NULL, &p,
				    (long)der->len);
	BIO			*bio = BIO_new_mem_buf(text, -1);
	bool			 is_good;

	is_good = cms != NULL && p == der->data + der->len &&
	    CMS_verify(cms, NULL, NULL, bio, NULL, CMS_BINARY |
	    CMS_DETACHED | CMS_NO_SIGNER_CERT_VERIFY) == 1;
	BIO_free(bio);
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	return is_good;
}

/* Whatever is damaged: nothing passes that OpenSSL does not take. */
static void
test_damage(void)
{
	static const char *const	 kinds[] = { "RSA:2048", "RSA-PSS",
	    "EC:P-256" };
	size_t				 n_refused, n_too_much;

	for (size_t i = 0; i < TEST_LEN(kinds); i++) {
		struct seal_id	*id = seal_id_new(kinds[i], "a@x.org");
		struct pieces	*entity = pieces_new();
		struct buf	 der = { 0 };
		uint8_t		 hash[DIGEST_LEN_MAX];
		struct err	 err;

		test_row(kinds[i]);
		pieces_add(entity, text, strlen(text));
		REQUIRE_OK(sign_hash_pieces(entity, DIGEST_SHA256, hash,
		    &err), err);
		REQUIRE_OK(seal_sign(id, DIGEST_SHA256, hash, &der, &err),
		    err);
		CHECK(is_good_for_openssl(&der));
		n_refused = n_too_much = 0;
		for (size_t at = 0; at < der.len; at++) {
			der.data[at] ^= 1;
			if (!sign_check(der.data, der.len, DIGEST_SHA256,
			    hash, &err))
				n_refused++;
			else if (!is_good_for_openssl(&der))
				n_too_much++;
			der.data[at] ^= 1;
		}
		CHECK_INT(n_too_much, 0);
		/* The signature and what it covers, at least. */
		CHECK(n_refused > 300);
		buf_free(&der);
		pieces_free(entity);
		seal_id_free(id);
	}
}

static void
test_incremental(void)
{
	struct sign_hash	*hash;
	struct pieces		*entity = pieces_new();
	uint8_t			 one[DIGEST_LEN_MAX], two[DIGEST_LEN_MAX];
	struct err		 err;

	test_row("hashed while it arrives, the same");
	REQUIRE_OK(sign_hash_new(DIGEST_SHA384, &hash, &err), err);
	sign_hash_add(hash, text, 10);
	sign_hash_add(hash, text + 10, strlen(text) - 10);
	CHECK_OK(sign_hash_end(hash, one, &err), err);
	CHECK_INT(sign_hash_digest(hash), DIGEST_SHA384);
	pieces_add(entity, text, strlen(text));
	CHECK_OK(sign_hash_pieces(entity, DIGEST_SHA384, two, &err), err);
	CHECK_MEM(one, 48, two, 48);
	test_row("twice is an error, not another hash");
	CHECK(!sign_hash_end(hash, one, &err));
	sign_hash_free(hash);
	pieces_free(entity);
}

int
main(void)
{
	test_forms();
	test_lengths();
	test_verdicts();
	test_damage();
	test_incremental();
	return test_done("sign");
}
