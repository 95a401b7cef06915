/* SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/der.h"
#include "base/mem.h"
#include "smime/cert_cache.h"
#include "smime/encrypt.h"

#define BLOCK_LEN	16	/* of AES */
#define PART		65536	/* encrypted at a time */

static X509 *
read_cert(const struct encrypt_cert *cert, struct err *err)
{
	X509	*x509 = cert_cache_get(cert->der, cert->len);

	if (x509 == NULL)
		err_openssl(err, ERR_DATA, "a recipient's certificate cannot "
		    "be read");
	return x509;
}

/*
 * The hash of the key derivation that goes with a curve (RFC 5753, section
 * 7; OpenSSL's own choice is SHA-1), NULL for any other curve.
 */
static const EVP_MD *
curve_kdf(const EVP_PKEY *key)
{
	char	 group[64];
	size_t	 len;

	if (EVP_PKEY_get_group_name(key, group, sizeof(group), &len) != 1)
		return NULL;
	switch (OBJ_sn2nid(group)) {
	case NID_X9_62_prime256v1:
		return EVP_sha256();
	case NID_secp384r1:
		return EVP_sha384();
	case NID_secp521r1:
		return EVP_sha512();
	}
	return NULL;
}

static bool
check_key(X509 *cert, struct err *err)
{
	const EVP_PKEY	*key = X509_get0_pubkey(cert);
	uint32_t	 usage = X509_get_key_usage(cert);

	if (key == NULL)
		return err_openssl(err, ERR_DATA,
		    "the certificate's key cannot be read");
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
		if ((usage & KU_KEY_ENCIPHERMENT) == 0)
			return err_set(err, ERR_DATA,
			    "key usage has no keyEncipherment");
		return true;
	case EVP_PKEY_EC:
		if (curve_kdf(key) == NULL)
			return err_set(err, ERR_DATA,
			    "an EC key on a curve other than P-256, P-384 "
			    "and P-521");
		if ((usage & KU_KEY_AGREEMENT) == 0)
			return err_set(err, ERR_DATA,
			    "key usage has no keyAgreement");
		return true;
	case EVP_PKEY_RSA_PSS:
		return err_set(err, ERR_DATA,
		    "an RSA-PSS key can sign only");
	case EVP_PKEY_ED25519:
	case EVP_PKEY_ED448:
		return err_set(err, ERR_DATA,
		    "an Ed25519 or Ed448 key can sign only");
	case EVP_PKEY_X25519:
	case EVP_PKEY_X448:
		return err_set(err, ERR_DATA,
		    "OpenSSL 3.0 cannot encrypt mail to X25519 and X448 keys");
	}
	return err_set(err, ERR_DATA, "a key that is neither RSA nor EC");
}

bool
encrypt_can(const struct encrypt_cert *cert, struct err *err)
{
	X509	*x509;
	bool	 is_ok;

	if ((x509 = read_cert(cert, err)) == NULL)
		return false;
	is_ok = check_key(x509, err);
	X509_free(x509);
	return is_ok;
}

/* Bits of what a certificate's smimeCapabilities name. */
#define CAN_AES128_GCM	1
#define CAN_AES256_GCM	2

/* SMIMECapabilities (RFC 8551, section 2.5.2) as an extension (RFC 4262). */
static unsigned
capabilities(const X509 *cert)
{
	static const uint8_t	 aes128_gcm[] =
	    { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x06 };
	static const uint8_t	 aes256_gcm[] =
	    { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e };
	int			 i;
	const ASN1_OCTET_STRING	*value;
	struct der		 all, list, entry, oid;
	unsigned		 can = 0;

	if ((i = X509_get_ext_by_NID(cert, NID_SMIMECapabilities, -1)) < 0)
		return 0;
	value = X509_EXTENSION_get_data(X509_get_ext(cert, i));
	all.p = ASN1_STRING_get0_data(value);
	all.end = all.p + ASN1_STRING_length(value);
	if (!der_take(&all, DER_SEQUENCE, &list))
		return 0;
	while (der_take(&list, DER_SEQUENCE, &entry)) {
		if (!der_take(&entry, DER_OID, &oid))
			return 0;
		if (der_is(oid, aes128_gcm, sizeof(aes128_gcm)))
			can |= CAN_AES128_GCM;
		if (der_is(oid, aes256_gcm, sizeof(aes256_gcm)))
			can |= CAN_AES256_GCM;
	}
	return can;
}

bool
encrypt_auto(const struct encrypt_cert *certs, size_t n, enum cipher *out,
    struct err *err)
{
	unsigned	 can = CAN_AES128_GCM | CAN_AES256_GCM;

	for (size_t i = 0; i < n; i++) {
		X509	*cert;

		if ((cert = read_cert(&certs[i], err)) == NULL)
			return false;
		can &= capabilities(cert);
		X509_free(cert);
	}
	if ((can & CAN_AES256_GCM) != 0)
		*out = CIPHER_AES256_GCM;
	else if ((can & CAN_AES128_GCM) != 0)
		*out = CIPHER_AES128_GCM;
	else
		*out = CIPHER_AES256_CBC;
	return true;
}

static int
compare_certs(const void *a, const void *b)
{
	const struct encrypt_cert	*x = a, *y = b;
	size_t				 len = x->len < y->len ? x->len : y->len;
	int				 order = memcmp(x->der, y->der, len);

	if (order != 0)
		return order;
	return x->len < y->len ? -1 : x->len > y->len;
}

static bool
set_oaep(EVP_PKEY_CTX *ctx)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
	    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) > 0 &&
	    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) > 0;
}

static bool
add_recipient(CMS_ContentInfo *cms, X509 *cert,
    const struct encrypt_options *options, struct err *err)
{
	CMS_RecipientInfo	*info;
	EVP_PKEY_CTX		*ctx;
	bool			 is_ok = true;

	if (!check_key(cert, err))
		return false;
	info = CMS_add1_recipient_cert(cms, cert, CMS_KEY_PARAM);
	if (info == NULL)
		return err_openssl(err, ERR_DATA, "add a recipient");
	ctx = CMS_RecipientInfo_get0_pkey_ctx(info);
	if (CMS_RecipientInfo_type(info) == CMS_RECIPINFO_AGREE)
		is_ok = ctx != NULL && EVP_PKEY_CTX_set_ecdh_kdf_md(ctx,
		    curve_kdf(X509_get0_pubkey(cert))) > 0;
	else if (options->use_oaep)
		is_ok = ctx != NULL && set_oaep(ctx);
	if (!is_ok)
		return err_openssl(err, ERR_TEMP,
		    "set a recipient's parameters");
	return true;
}

/*
 * Each certificate once: the same twice would be two RecipientInfos.  Sorted,
 * so that their order tells nothing about To and Cc; DER sorts the set anyway.
 */
static bool
add_recipients(CMS_ContentInfo *cms, const struct encrypt_cert *certs,
    size_t n, const struct encrypt_options *options, size_t *n_added,
    struct err *err)
{
	struct encrypt_cert	*sorted = mem_array(n, sizeof(*sorted));
	bool			 is_ok = true;

	memcpy(sorted, certs, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare_certs);
	*n_added = 0;
	for (size_t i = 0; i < n && is_ok; i++) {
		X509	*cert;

		if (i > 0 && compare_certs(&sorted[i - 1], &sorted[i]) == 0)
			continue;
		if ((cert = read_cert(&sorted[i], err)) == NULL) {
			is_ok = false;
			break;
		}
		is_ok = add_recipient(cms, cert, options, err);
		X509_free(cert);
		(*n_added)++;
	}
	free(sorted);
	return is_ok;
}

/* The cipher that OpenSSL has set up, and where its output goes. */
struct sealing {
	EVP_CIPHER_CTX	*ctx;
	struct spool	*out;
};

static bool
encrypt_run(void *arg, const uint8_t *data, size_t len, struct err *err)
{
	struct sealing	*sealing = arg;
	uint8_t		*room;
	int		 n;

	while (len > 0) {
		size_t	 part = len < PART ? len : PART;

		if (!spool_room(sealing->out, part + BLOCK_LEN, &room, err))
			return false;
		if (EVP_EncryptUpdate(sealing->ctx, room, &n, data,
		    (int)part) != 1)
			return err_openssl(err, ERR_TEMP, "encrypt the mail");
		if (!spool_wrote(sealing->out, (size_t)n, err))
			return false;
		data += part;
		len -= part;
	}
	return true;
}

static bool
encrypt_last(struct sealing *sealing, struct err *err)
{
	uint8_t	*room;
	int	 n;

	if (!spool_room(sealing->out, BLOCK_LEN, &room, err))
		return false;
	if (EVP_EncryptFinal_ex(sealing->ctx, room, &n) != 1)
		return err_openssl(err, ERR_TEMP, "finish encryption");
	return spool_wrote(sealing->out, (size_t)n, err);
}

/*
 * The ciphertext without a copy: OpenSSL draws the key, encrypts it for the
 * recipients and sets the cipher up; the bytes go straight into the spool, and
 * nothing through the BIO that it would have done it with.
 */
static bool
fill(CMS_ContentInfo *cms, const struct pieces *entity, struct spool *out,
    struct err *err)
{
	struct sealing	 sealing = { .out = out };
	BIO		*nowhere = BIO_new(BIO_s_null()), *bio;
	bool		 is_ok;

	if (nowhere == NULL || (bio = CMS_dataInit(cms, nowhere)) == NULL) {
		BIO_free(nowhere);
		return err_openssl(err, ERR_TEMP, "encrypt the mail's key");
	}
	if (BIO_get_cipher_ctx(bio, &sealing.ctx) != 1)
		is_ok = err_openssl(err, ERR_TEMP, "encrypt the mail");
	else
		is_ok = pieces_walk(entity, encrypt_run, &sealing, err) &&
		    encrypt_last(&sealing, err);
	/* For authEnveloped-data, this fetches the tag. */
	if (is_ok && CMS_dataFinal(cms, bio) != 1)
		is_ok = err_openssl(err, ERR_TEMP, "finish encryption");
	BIO_free_all(bio);
	return is_ok;
}

static bool
write_der(CMS_ContentInfo *cms, struct buf *out, struct err *err)
{
	unsigned char	*der = NULL;
	int		 len = i2d_CMS_ContentInfo(cms, &der);

	if (len <= 0)
		return err_openssl(err, ERR_TEMP, "write the encrypted mail");
	buf_add(out, der, (size_t)len);
	OPENSSL_free(der);
	return buf_ok(out, "write the encrypted mail", err);
}

/* What stands around the ciphertext, and that in its own spool. */
static bool
make_cms(const struct pieces *entity, const struct encrypt_cert *certs,
    size_t n, const struct encrypt_options *options, enum cipher cipher,
    size_t *n_added, struct buf *detached, struct spool *out, struct err *err)
{
	EVP_CIPHER	*evp = NULL;
	CMS_ContentInfo	*cms = NULL;
	bool		 is_ok = false;

	evp = EVP_CIPHER_fetch(NULL, alg_cipher_openssl(cipher), NULL);
	if (evp != NULL)
		cms = CMS_encrypt(NULL, NULL, evp, CMS_BINARY | CMS_PARTIAL |
		    CMS_STREAM | CMS_DETACHED);
	if (cms == NULL || CMS_set_detached(cms, 1) != 1)
		err_openssl(err, ERR_TEMP, "encrypt with %s",
		    alg_cipher_name(cipher));
	else
		is_ok = add_recipients(cms, certs, n, options, n_added, err) &&
		    fill(cms, entity, out, err) &&
		    write_der(cms, detached, err);
	CMS_ContentInfo_free(cms);
	EVP_CIPHER_free(evp);
	return is_ok;
}

static const uint8_t	 enveloped[] =
    { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03 };
static const uint8_t	 auth_enveloped[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7,
    0x0d, 0x01, 0x09, 0x10, 0x01, 0x17 };

/* Content octets of an (Auth)EnvelopedData that was made without content. */
struct parts {
	struct der	 type;		/* an OID */
	struct der	 before;	/* up to the EncryptedContentInfo */
	struct der	 recipients;
	struct der	 info;		/* the EncryptedContentInfo */
	struct der	 after;		/* of authEnveloped-data: tag and more */
};

/* RFC 5652, section 6.1; RFC 5083, section 2.1. */
static bool
read_parts(const struct buf *detached, struct parts *parts)
{
	struct der	 all = { detached->data,
			    detached->data + detached->len };
	struct der	 outer, wrap, data, skip, info;

	if (!der_take(&all, DER_SEQUENCE, &outer) || all.p != all.end ||
	    !der_take(&outer, DER_OID, &parts->type) ||
	    !der_take(&outer, DER_CONTEXT(0), &wrap) ||
	    !der_take(&wrap, DER_SEQUENCE, &data))
		return false;
	parts->before.p = data.p;
	if (!der_take(&data, DER_INTEGER, &skip) ||
	    !der_take(&data, DER_SET, &parts->recipients))
		return false;
	parts->before.end = data.p;
	if (!der_take(&data, DER_SEQUENCE, &parts->info))
		return false;
	parts->after = data;
	info = parts->info;
	return der_take(&info, DER_OID, &skip) &&
	    der_take(&info, DER_SEQUENCE, &skip) && info.p == info.end;
}

/* As wanted, so many recipients, and as much ciphertext as the mail needs? */
static bool
is_as_wanted(const struct parts *parts, bool is_aead, size_t n_recipients,
    size_t mail_len, size_t len)
{
	if (!is_aead)
		mail_len += BLOCK_LEN - mail_len % BLOCK_LEN;
	return len == mail_len &&
	    der_count(parts->recipients) == (int)n_recipients &&
	    (is_aead ? der_is(parts->type, auth_enveloped,
	    sizeof(auth_enveloped)) : der_is(parts->type, enveloped,
	    sizeof(enveloped)));
}

static size_t
size_of(struct der der)
{
	return (size_t)(der.end - der.p);
}

/*
 * The ciphertext, encryptedContent [0], in its place: what is around it
 * stays as it is but for four lengths.
 */
static bool
embed_take(const struct parts *parts, struct spool *content,
    struct pieces *out, struct err *err)
{
	struct buf	 head = { 0 }, tail = { 0 };
	size_t		 len = spool_len(content);
	size_t		 info_len = size_of(parts->info) + der_len(len);
	size_t		 data_len = size_of(parts->before) +
			    der_len(info_len) + size_of(parts->after);

	der_head(&head, DER_SEQUENCE, der_len(size_of(parts->type)) +
	    der_len(der_len(data_len)));
	der_head(&head, DER_OID, size_of(parts->type));
	buf_add(&head, parts->type.p, size_of(parts->type));
	der_head(&head, DER_CONTEXT(0), der_len(data_len));
	der_head(&head, DER_SEQUENCE, data_len);
	buf_add(&head, parts->before.p, size_of(parts->before));
	der_head(&head, DER_SEQUENCE, info_len);
	buf_add(&head, parts->info.p, size_of(parts->info));
	der_head(&head, DER_CONTEXT_PRIMITIVE(0), len);
	buf_add(&tail, parts->after.p, size_of(parts->after));
	pieces_add_take(out, &head);
	if (!pieces_add_spool_take(out, content, err)) {
		buf_free(&tail);
		return false;
	}
	pieces_add_take(out, &tail);
	return true;
}

bool
encrypt_take(struct pieces *entity, const struct encrypt_cert *certs,
    size_t n, const struct encrypt_options *options, struct mime_made *out,
    enum cipher *used, struct err *err)
{
	struct spool	*content = spool_new(&options->spool);
	struct pieces	*der = pieces_new();
	struct buf	 detached = { 0 };
	struct parts	 parts;
	enum cipher	 cipher = options->cipher;
	bool		 is_aead, is_ok = false;
	size_t		 n_added, len = pieces_len(entity);

	if (n == 0 || n > ENCRYPT_RECIPIENTS_MAX) {
		err_set(err, ERR_MESSAGE, "encrypt for %zu recipients: 1 to "
		    "%d are possible", n, ENCRYPT_RECIPIENTS_MAX);
		goto out;
	}
	if (len > INT_MAX / 2) {
		err_set(err, ERR_MESSAGE, "the mail is too large to encrypt");
		goto out;
	}
	if (cipher == CIPHER_AUTO && !encrypt_auto(certs, n, &cipher, err))
		goto out;
	/* The last call for room asks for more than is written. */
	spool_expect(content, len + 2 * BLOCK_LEN);
	if (!make_cms(entity, certs, n, options, cipher, &n_added, &detached,
	    content, err))
		goto out;
	is_aead = alg_cipher_is_aead(cipher);
	if (!read_parts(&detached, &parts) || !is_as_wanted(&parts, is_aead,
	    n_added, len, spool_len(content))) {
		err_set(err, ERR_BUG, "check the encrypted mail: it is not "
		    "what was wanted");
		goto out;
	}
	is_ok = embed_take(&parts, content, der, err);
	content = NULL;
	if (!is_ok)
		goto out;
	mimeout_pkcs7_take(der, is_aead ? "authEnveloped-data" :
	    "enveloped-data", out);
	der = NULL;
	*used = cipher;
out:
	spool_free(content);
	pieces_free(der);
	buf_free(&detached);
	pieces_free(entity);
	return is_ok;
}
