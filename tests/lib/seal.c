/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "tests/lib/seal.h"

/* --- keys ------------------------------------------------------------------ */

static EVP_PKEY *
new_key(const char *kind)
{
	EVP_PKEY_CTX	*ctx;
	EVP_PKEY	*key = NULL;

	if (strcmp(kind, "RSA-PSS") == 0) {
		ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
		EVP_PKEY_keygen_init(ctx);
		EVP_PKEY_generate(ctx, &key);
		EVP_PKEY_CTX_free(ctx);
		return key;
	}
	if (strncmp(kind, "RSA:", 4) == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA",
		    (size_t)atoi(kind + 4));
	if (strncmp(kind, "EC:", 3) == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind + 3);
	return EVP_PKEY_Q_keygen(NULL, NULL, kind);
}

static void
add_extension(X509 *cert, int nid, const char *value)
{
	X509V3_CTX	 ctx;
	X509_EXTENSION	*ext;

	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	if ((ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value)) == NULL)
		abort();
	X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
}

static void
set_der(struct seal_id *id)
{
	unsigned char	*der = NULL;
	int		 len = i2d_X509(id->cert, &der);

	if (len <= 0)
		abort();
	id->der = mem_dup(der, (size_t)len);
	id->der_len = (size_t)len;
	OPENSSL_free(der);
}

struct seal_id *
seal_id_new(const char *kind, const char *address)
{
	struct seal_id	*id = mem_alloc(sizeof(*id));
	static long	 serial = 1;
	X509_NAME	*name;
	EVP_PKEY	*signer;
	char		*san = mem_strf("email:%s", address);
	const EVP_MD	*md;

	id->key = new_key(kind);
	id->cert = X509_new();
	if (id->key == NULL || id->cert == NULL)
		abort();
	X509_set_version(id->cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(id->cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(id->cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(id->cert), 86400);
	X509_set_pubkey(id->cert, id->key);
	name = X509_get_subject_name(id->cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)address, -1, -1, 0);
	X509_set_issuer_name(id->cert, name);
	add_extension(id->cert, NID_subject_alt_name, san);
	add_extension(id->cert, NID_ext_key_usage, "emailProtection");
	add_extension(id->cert, NID_basic_constraints, "critical,CA:FALSE");
	add_extension(id->cert, NID_key_usage, strncmp(kind, "EC", 2) == 0 ?
	    "digitalSignature,keyAgreement" : strncmp(kind, "RSA", 3) == 0 ?
	    "digitalSignature,keyEncipherment" : "digitalSignature");
	free(san);
	md = strncmp(kind, "ED", 2) == 0 ? NULL : EVP_sha256();
	/* A key that cannot sign is certified by another. */
	signer = strcmp(kind, "X25519") == 0 ? new_key("ED25519") : id->key;
	if (signer != id->key)
		md = NULL;
	if (X509_sign(id->cert, signer, md) == 0)
		abort();
	if (signer != id->key)
		EVP_PKEY_free(signer);
	set_der(id);
	return id;
}

struct seal_id *
seal_id_load(const char *cert, const char *key)
{
	struct seal_id	*id = mem_alloc(sizeof(*id));
	BIO		*cert_bio = BIO_new_file(cert, "r");
	BIO		*key_bio = BIO_new_file(key, "r");
	X509		*issuer;

	id->cert = PEM_read_bio_X509(cert_bio, NULL, NULL, NULL);
	id->chain = sk_X509_new_null();
	while ((issuer = PEM_read_bio_X509(cert_bio, NULL, NULL, NULL)) !=
	    NULL)
		sk_X509_push(id->chain, issuer);
	ERR_clear_error();
	id->key = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);
	BIO_free(cert_bio);
	BIO_free(key_bio);
	if (id->cert == NULL || id->key == NULL) {
		seal_id_free(id);
		return NULL;
	}
	set_der(id);
	return id;
}

void
seal_id_free(struct seal_id *id)
{
	if (id == NULL)
		return;
	EVP_PKEY_free(id->key);
	X509_free(id->cert);
	sk_X509_pop_free(id->chain, X509_free);
	free(id->der);
	free(id);
}

static bool
set_pss(CMS_SignerInfo *signer, enum digest digest)
{
	uint8_t		 der[ALG_PSS_LEN];
	ASN1_STRING	*value = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
	X509_ALGOR	*algor;

	alg_pss_parameters(digest, der);
	ASN1_STRING_set(value, der, sizeof(der));
	CMS_SignerInfo_get0_algs(signer, NULL, NULL, NULL, &algor);
	return EVP_PKEY_CTX_set_rsa_pss_saltlen(
	    CMS_SignerInfo_get0_pkey_ctx(signer), RSA_PSS_SALTLEN_DIGEST) >
	    0 && X509_ALGOR_set0(algor, OBJ_nid2obj(NID_rsassaPss),
	    V_ASN1_SEQUENCE, value) == 1;
}

bool
seal_sign(void *arg, enum digest digest, const uint8_t *hash, struct buf *out,
    struct err *err)
{
	const unsigned int	 flags = CMS_DETACHED | CMS_PARTIAL |
				    CMS_STREAM | CMS_BINARY;
	const struct seal_id	*id = arg;
	const bool		 is_pss = EVP_PKEY_is_a(id->key, "RSA-PSS");
	const EVP_MD		*md;
	CMS_ContentInfo		*cms;
	CMS_SignerInfo		*signer;
	unsigned char		*der = NULL;
	int			 len = -1;

	md = EVP_get_digestbyname(alg_digest_openssl(digest));
	if (md == NULL)
		md = digest == DIGEST_SHA256 ? EVP_sha256() :
		    digest == DIGEST_SHA384 ? EVP_sha384() : EVP_sha512();
	cms = CMS_sign(NULL, NULL, id->chain, NULL, flags);
	signer = CMS_add1_signer(cms, id->cert, id->key, md,
	    CMS_BINARY | CMS_PARTIAL | (is_pss ? CMS_KEY_PARAM : 0));
	if (signer != NULL && (!is_pss || set_pss(signer, digest)) && CMS_signed_add1_attr_by_NID(signer,
	    NID_pkcs9_contentType, V_ASN1_OBJECT,
	    OBJ_nid2obj(NID_pkcs7_data), -1) == 1 &&
	    CMS_signed_add1_attr_by_NID(signer, NID_pkcs9_messageDigest,
	    V_ASN1_OCTET_STRING, hash, (int)alg_digest_len(digest)) == 1 &&
	    CMS_SignerInfo_sign(signer) == 1)
		len = i2d_CMS_ContentInfo(cms, &der);
	CMS_ContentInfo_free(cms);
	if (len <= 0)
		return err_openssl(err, ERR_TEMP, "sign");
	buf_add(out, der, (size_t)len);
	OPENSSL_free(der);
	return true;
}

/* --- mails ------------------------------------------------------------------ */

/* LF becomes CRLF; "keep" does so in the header only. */
static void
normalise(const uint8_t *p, size_t len, bool keep, struct buf *out)
{
	bool	 in_header = true;

	for (size_t i = 0; i < len; i++) {
		bool	 is_lf = p[i] == '\n';

		if (is_lf && (in_header || !keep) &&
		    (i == 0 || p[i - 1] != '\r'))
			buf_addc(out, '\r');
		buf_addc(out, (char)p[i]);
		if (is_lf && (out->len == 2 || (out->len > 3 &&
		    memcmp(out->data + out->len - 4, "\r\n\r\n", 4) == 0)))
			in_header = false;
	}
}

/* As an MTA does: what is no field begins the body. */
static bool
is_field(const uint8_t *p, const uint8_t *end)
{
	const uint8_t	*colon = memchr(p, ':', (size_t)(end - p));

	if (colon == NULL || colon == p)
		return false;
	for (; p < colon; p++) {
		if (*p <= ' ' || *p >= 127)
			return false;
	}
	return true;
}

/* NUL ends a libmilter string, so it is dropped. */
static bool
add_field(struct headers *headers, const uint8_t *p, size_t len,
    struct err *err)
{
	char	*field = mem_alloc(len + 1), *out = field, *colon;
	bool	 is_ok;

	for (; len > 0; p++, len--) {
		if (*p != '\0')
			*out++ = (char)*p;
	}
	colon = strchr(field, ':');
	*colon = '\0';
	is_ok = headers_add(headers, field, colon + 1, err);
	free(field);
	return is_ok;
}

/* The fields; *body is where they end. */
static bool
read_headers(const struct buf *text, struct headers *headers, size_t *body,
    struct err *err)
{
	const uint8_t	*p = text->data, *end = p + text->len, *next, *lf;

	for (; p < end; p = next) {
		lf = memchr(p, '\n', (size_t)(end - p));
		next = lf == NULL ? end : lf + 1;
		if (next - p == 2 && *p == '\r') {
			p = next;
			break;
		}
		if (!is_field(p, next))
			break;
		while (next < end && (*next == ' ' || *next == '\t')) {
			lf = memchr(next, '\n', (size_t)(end - next));
			next = lf == NULL ? end : lf + 1;
		}
		if (!add_field(headers, p, (size_t)(next - p), err))
			return false;
	}
	*body = (size_t)(p - text->data);
	return true;
}

bool
seal_mail_read(const void *data, size_t len, bool keep,
    struct seal_mail *mail, struct err *err)
{
	const uint8_t	*p = data;
	size_t		 body = 0;

	memset(mail, 0, sizeof(*mail));
	/* An mbox line is no field. */
	if (len > 5 && memcmp(p, "From ", 5) == 0) {
		const uint8_t	*lf = memchr(p, '\n', len);

		if (lf != NULL) {
			len -= (size_t)(lf + 1 - p);
			p = lf + 1;
		}
	}
	buf_reserve(&mail->text, len + len / 16 + 16);
	normalise(p, len, keep, &mail->text);
	mail->headers = headers_new();
	if (read_headers(&mail->text, mail->headers, &body, err)) {
		mail->body = mail->text.data + body;
		mail->body_len = mail->text.len - body;
		return true;
	}
	seal_mail_clear(mail);
	return false;
}

void
seal_mail_clear(struct seal_mail *mail)
{
	headers_free(mail->headers);
	buf_free(&mail->text);
	memset(mail, 0, sizeof(*mail));
}

static bool
is_replaced(const struct transform_result *result, const char *name)
{
	for (size_t i = 0; i < result->n_remove; i++)
		if (strcasecmp(result->remove[i], name) == 0)
			return true;
	for (size_t i = 0; i < result->n_set; i++)
		if (strcasecmp(result->set[i].name, name) == 0)
			return true;
	return false;
}

static bool
add_run(void *arg, const uint8_t *data, size_t len, struct err *err)
{
	(void)err;
	buf_add(arg, data, len);
	return true;
}

void
seal_apply(const struct headers *headers,
    const struct transform_result *result, struct buf *out)
{
	struct err	 err;

	for (size_t i = 0; i < headers_count(headers); i++) {
		const struct header	*field = headers_at(headers, i);

		if (!is_replaced(result, field->name))
			headers_write(out, field->name, field->value);
	}
	for (size_t i = 0; i < result->n_set; i++)
		headers_write(out, result->set[i].name, result->set[i].value);
	buf_adds(out, "\r\n");
	pieces_walk(result->body, add_run, out, &err);
}

/* --- the judge -------------------------------------------------------------- */

static CMS_ContentInfo *
read_base64(const uint8_t *p, size_t len)
{
	BIO		*bio = BIO_push(BIO_new(BIO_f_base64()),
			    BIO_new_mem_buf(p, (int)len));
	CMS_ContentInfo	*cms = d2i_CMS_bio(bio, NULL);

	BIO_free_all(bio);
	return cms;
}

static const uint8_t *
find(const uint8_t *p, const uint8_t *end, const char *what)
{
	return memmem(p, (size_t)(end - p), what, strlen(what));
}

/*
 * multipart/signed, byte by byte (RFC 1847, section 2.1): OpenSSL's reader
 * cuts lines at 1024 bytes and changes their ends.
 */
static CMS_ContentInfo *
split_signed(const uint8_t *p, size_t len, BIO **content)
{
	const uint8_t	*end = p + len, *boundary, *quote, *first, *second;
	char		*dashed, *after;
	CMS_ContentInfo	*cms = NULL;

	if ((boundary = find(p, end, "boundary=\"")) == NULL)
		return NULL;
	boundary += strlen("boundary=\"");
	if ((quote = find(boundary, end, "\"")) == NULL)
		return NULL;
	dashed = mem_strf("\r\n--%.*s\r\n", (int)(quote - boundary),
	    (const char *)boundary);
	after = mem_strf("\r\n--%.*s--\r\n", (int)(quote - boundary),
	    (const char *)boundary);
	if ((first = find(quote, end, dashed)) != NULL) {
		first += strlen(dashed);
		if ((second = find(first - 2, end, dashed)) != NULL &&
		    second >= first) {
			*content = BIO_new_mem_buf(first,
			    (int)(second - first));
			p = find(second + 2, end, "\r\n\r\n");
			end = find(second + 2, end, after);
			if (p != NULL && end != NULL && p < end)
				cms = read_base64(p + 4,
				    (size_t)(end + 2 - p - 4));
		}
	}
	free(dashed);
	free(after);
	return cms;
}

static CMS_ContentInfo *
read_smime(const uint8_t *p, size_t len, BIO **content, struct err *err)
{
	static const char	 multipart[] = "Content-Type: multipart/signed";
	const uint8_t		*end = p + len, *next;
	const uint8_t		*header_end = find(p, end, "\r\n\r\n");
	BIO			*bio;
	CMS_ContentInfo		*cms;

	/* Other fields may look like anything; ours come last. */
	while (header_end != NULL &&
	    (next = find(p, header_end, "\r\nContent-Type:")) != NULL)
		p = next + 2;
	len = (size_t)(end - p);
	if (len > strlen(multipart) &&
	    memcmp(p, multipart, strlen(multipart)) == 0) {
		*content = NULL;
		if ((cms = split_signed(p, len, content)) == NULL)
			err_openssl(err, ERR_BUG, "no multipart/signed");
		return cms;
	}
	bio = BIO_new_mem_buf(p, (int)len);
	*content = NULL;
	cms = SMIME_read_CMS_ex(bio, CMS_BINARY, content, NULL);
	BIO_free(bio);
	if (cms == NULL)
		err_openssl(err, ERR_BUG, "SMIME_read_CMS");
	return cms;
}

static void
take_bio(BIO *bio, struct buf *out)
{
	char	*data;
	long	 len = BIO_get_mem_data(bio, &data);

	if (len > 0)
		buf_add(out, data, (size_t)len);
}

static bool
open_encrypted(const uint8_t *p, size_t len, const struct seal_id *id,
    struct buf *inner, struct err *err)
{
	BIO		*content, *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo	*cms = read_smime(p, len, &content, err);
	bool		 is_ok = cms != NULL;

	if (is_ok && CMS_decrypt(cms, id->key, id->cert, NULL, out,
	    CMS_BINARY) != 1)
		is_ok = err_openssl(err, ERR_BUG, "CMS_decrypt");
	if (is_ok)
		take_bio(out, inner);
	CMS_ContentInfo_free(cms);
	BIO_free(content);
	BIO_free(out);
	return is_ok;
}

static bool
open_signed(const uint8_t *p, size_t len, const struct seal_id *id,
    struct buf *inner, struct err *err)
{
	BIO		*content, *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo	*cms = read_smime(p, len, &content, err);
	X509_STORE	*store = X509_STORE_new();
	bool		 is_ok = cms != NULL;

	/* The self-signed certificate is its own anchor. */
	X509_STORE_add_cert(store, id->cert);
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	if (is_ok && CMS_verify(cms, NULL, store, content, out, CMS_BINARY) !=
	    1)
		is_ok = err_openssl(err, ERR_BUG, "CMS_verify");
	if (is_ok)
		take_bio(out, inner);
	X509_STORE_free(store);
	CMS_ContentInfo_free(cms);
	BIO_free(content);
	BIO_free(out);
	return is_ok;
}

bool
seal_open(const struct buf *mail, const struct seal_id *id, bool is_signed,
    bool is_encrypted, struct buf *inner, struct err *err)
{
	struct buf	 open = { 0 };
	bool		 is_ok;

	if (!is_encrypted)
		return open_signed(mail->data, mail->len, id, inner, err);
	if (!is_signed)
		return open_encrypted(mail->data, mail->len, id, inner, err);
	is_ok = open_encrypted(mail->data, mail->len, id, &open, err) &&
	    open_signed(open.data, open.len, id, inner, err);
	buf_free(&open);
	return is_ok;
}
