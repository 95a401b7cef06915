/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/asn1.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "smime/encrypt.h"
#include "tests/lib/seal.h"
#include "tests/lib/test.h"

static const char	 text[] = "Content-Type: text/plain\r\n\r\nhi\r\n";

static struct encrypt_cert
cert_of(const struct seal_id *id)
{
	return (struct encrypt_cert){ id->der, id->der_len };
}

static struct pieces *
new_entity(void)
{
	struct pieces	*entity = pieces_new();

	pieces_add(entity, text, strlen(text));
	return entity;
}

static void
write_mail(struct mime_made *made, struct buf *out)
{
	struct transform_result	 result = { .body = made->body, .n_set = 2 };
	struct headers		*headers = headers_new();

	result.set[0] = (struct transform_field){ "Content-Type",
	    made->content_type };
	result.set[1] = (struct transform_field){
	    "Content-Transfer-Encoding", made->encoding };
	seal_apply(headers, &result, out);
	headers_free(headers);
}

/* Encrypt for all, and see that each of them can read it. */
static void
check_readable(struct seal_id *const *ids, size_t n,
    const struct encrypt_options *options, struct buf *mail)
{
	struct encrypt_cert	 certs[8];
	struct mime_made	 made = { 0 };
	enum cipher		 used;
	struct err		 err;

	for (size_t i = 0; i < n; i++)
		certs[i] = cert_of(ids[i]);
	REQUIRE_OK(encrypt_take(new_entity(), certs, n, options, &made, &used,
	    &err), err);
	CHECK_INT(used, options->cipher);
	CHECK(strstr(made.content_type, alg_cipher_is_aead(used) ?
	    "smime-type=authEnveloped-data" : "smime-type=enveloped-data") !=
	    NULL);
	write_mail(&made, mail);
	for (size_t i = 0; i < n; i++) {
		struct buf	 inner = { 0 };

		CHECK_OK(seal_open(mail, ids[i], false, true, &inner, &err),
		    err);
		CHECK_MEM(inner.data, inner.len, text, strlen(text));
		buf_free(&inner);
	}
	mimeout_clear(&made);
}

static void
test_matrix(struct seal_id *const *ids, size_t n)
{
	for (unsigned cipher = 0; cipher < CIPHER_AUTO; cipher++) {
		struct encrypt_options	 options = {
			.cipher = (enum cipher)cipher,
			.spool.memory_max = SEAL_MEMORY
		};

		test_row(alg_cipher_name(options.cipher));
		for (unsigned oaep = 0; oaep < 2; oaep++) {
			struct buf	 mail = { 0 };

			options.use_oaep = oaep == 1;
			for (size_t i = 0; i < n; i++) {
				buf_clear(&mail);
				check_readable(&ids[i], 1, &options, &mail);
			}
			buf_clear(&mail);
			check_readable(ids, n, &options, &mail);
			buf_free(&mail);
		}
	}
}

static size_t
size_for(const struct encrypt_cert *certs, size_t n)
{
	struct encrypt_options	 options = { .cipher = CIPHER_AES128_CBC,
	    .spool.memory_max = SEAL_MEMORY };
	struct mime_made	 made = { 0 };
	enum cipher		 used;
	struct err		 err;
	size_t			 len;

	REQUIRE_OK(encrypt_take(new_entity(), certs, n, &options, &made, &used,
	    &err), err);
	len = pieces_len(made.body);
	mimeout_clear(&made);
	return len;
}

static void
test_twice(struct seal_id *const *ids)
{
	struct encrypt_cert	 certs[3] = {
		cert_of(ids[0]), cert_of(ids[1]), cert_of(ids[0])
	};

	test_row("the same certificate twice is one recipient");
	CHECK_INT(size_for((struct encrypt_cert[]){ certs[0], certs[0] }, 2),
	    size_for(certs, 1));
	CHECK(size_for(certs, 2) > size_for(certs, 1));
}

static void
test_refused(void)
{
	static const struct {
		const char	*kind;
		const char	*want;
	} rows[] = {
		{ "ED25519", "an Ed25519 or Ed448 key can sign only" },
		{ "X25519", "OpenSSL 3.0 cannot encrypt mail to X25519 and "
		    "X448 keys" },
		{ "RSA-PSS", "an RSA-PSS key can sign only" },
		{ "EC:secp256k1", "an EC key on a curve other than P-256, "
		    "P-384 and P-521" },
	};
	struct encrypt_options	 options = { .cipher = CIPHER_AES256_CBC,
	    .spool.memory_max = SEAL_MEMORY };
	struct mime_made	 made = { 0 };
	struct encrypt_cert	 cert;
	enum cipher		 used;
	struct err		 err = { 0 };

	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		struct seal_id	*id = seal_id_new(rows[i].kind, "a@x.org");

		test_row(rows[i].kind);
		cert = cert_of(id);
		CHECK(!encrypt_can(&cert, &err));
		CHECK_INT(err.kind, ERR_DATA);
		CHECK_STR(err.reason, rows[i].want);
		CHECK(!encrypt_take(new_entity(), &cert, 1, &options, &made,
		    &used, &err));
		CHECK_INT(err.kind, ERR_DATA);
		CHECK_STR(err.reason, rows[i].want);
		seal_id_free(id);
	}
	test_row("no certificate");
	cert = (struct encrypt_cert){ (const uint8_t *)"nonsense", 8 };
	CHECK(!encrypt_can(&cert, &err));
	CHECK_INT(err.kind, ERR_DATA);
	test_row("no recipients");
	CHECK(!encrypt_take(new_entity(), &cert, 0, &options, &made, &used,
	    &err));
	CHECK_INT(err.kind, ERR_MESSAGE);
}

/* A certificate whose smimeCapabilities are these (RFC 4262). */
static struct seal_id *
new_with_capabilities(const char *der, int len)
{
	struct seal_id		*id = seal_id_new("EC:P-256", "a@x.org");
	ASN1_OCTET_STRING	*value = ASN1_OCTET_STRING_new();
	X509_EXTENSION		*ext;
	unsigned char		*out = NULL;
	int			 n;

	ASN1_OCTET_STRING_set(value, (const unsigned char *)der, len);
	ext = X509_EXTENSION_create_by_NID(NULL, NID_SMIMECapabilities, 0,
	    value);
	X509_add_ext(id->cert, ext, -1);
	X509_sign(id->cert, id->key, EVP_sha256());
	n = i2d_X509(id->cert, &out);
	REQUIRE(n > 0);
	free(id->der);
	id->der = mem_dup(out, (size_t)n);
	id->der_len = (size_t)n;
	OPENSSL_free(out);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
	return id;
}

static void
test_auto(const struct seal_id *plain)
{
#define GCM128 "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x06"
#define GCM256 "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2e"
	struct seal_id		*both, *small, *broken;
	struct encrypt_cert	 certs[2];
	enum cipher		 cipher;
	struct err		 err;

	both = new_with_capabilities("\x30\x1a" GCM128 GCM256, 28);
	small = new_with_capabilities("\x30\x0d" GCM128, 15);
	broken = new_with_capabilities("\x30\x7f" GCM256, 15);

	test_row("all can read AES-256-GCM");
	certs[0] = cert_of(both);
	CHECK_OK(encrypt_auto(certs, 1, &cipher, &err), err);
	CHECK_INT(cipher, CIPHER_AES256_GCM);
	test_row("one can read AES-128-GCM only");
	certs[1] = cert_of(small);
	CHECK_OK(encrypt_auto(certs, 2, &cipher, &err), err);
	CHECK_INT(cipher, CIPHER_AES128_GCM);
	test_row("one says nothing");
	certs[1] = cert_of(plain);
	CHECK_OK(encrypt_auto(certs, 2, &cipher, &err), err);
	CHECK_INT(cipher, CIPHER_AES256_CBC);
	test_row("one says something garbled");
	certs[1] = cert_of(broken);
	CHECK_OK(encrypt_auto(certs, 2, &cipher, &err), err);
	CHECK_INT(cipher, CIPHER_AES256_CBC);
	seal_id_free(both);
	seal_id_free(small);
	seal_id_free(broken);
}

int
main(void)
{
	struct seal_id	*ids[] = {
		seal_id_new("RSA:2048", "r@x.org"),
		seal_id_new("EC:P-256", "p256@x.org"),
		seal_id_new("EC:P-384", "p384@x.org"),
		seal_id_new("EC:P-521", "p521@x.org"),
	};

	test_matrix(ids, TEST_LEN(ids));
	test_twice(ids);
	test_refused();
	test_auto(ids[0]);
	for (size_t i = 0; i < TEST_LEN(ids); i++)
		seal_id_free(ids[i]);
	return test_done("encrypt");
}
