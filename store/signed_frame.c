/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/err.h>

#include "base/der.h"
#include "base/mem.h"
#include "store/signed_frame.h"
#include "store/signer.h"

/* Attributes of id-messageDigest and id-signingTime begin so. */
static const uint8_t	 message_digest[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7,
    0x0d, 0x01, 0x09, 0x04 };
static const uint8_t	 signing_time[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
    0x01, 0x09, 0x05 };

/* A place in the signed attributes, of an element's contents. */
struct place {
	size_t	 at;
	size_t	 len;
	int	 tag;
};

struct signed_frame {
	enum digest	 digest;
	bool		 use_pss;
	EVP_MD		*md;
	EVP_PKEY_CTX	*signing;	/* never used itself: duplicated */
	EVP_PKEY_CTX	*verifying;	/* likewise; NULL: ECDSA */
	size_t		 signature_max;
	struct buf	 type;		/* the ContentInfo's, whole */
	struct buf	 head;		/* the SignedData, up to its signers */
	struct buf	 signer;	/* the SignerInfo, up to its attributes */
	struct buf	 attributes;	/* as they are signed: a SET */
	struct place	 hash, time;
	struct buf	 algorithm;	/* of the signature, whole */
};

void
signed_frame_free(struct signed_frame *frame)
{
	if (frame == NULL)
		return;
	EVP_MD_free(frame->md);
	EVP_PKEY_CTX_free(frame->signing);
	EVP_PKEY_CTX_free(frame->verifying);
	buf_free(&frame->type);
	buf_free(&frame->head);
	buf_free(&frame->signer);
	buf_free(&frame->attributes);
	buf_free(&frame->algorithm);
	free(frame);
}

static void
keep(struct buf *out, const uint8_t *from, const uint8_t *to)
{
	buf_add(out, from, (size_t)(to - from));
}

/* Where the one value of the attribute of this type is. */
static bool
find_value(const struct buf *attributes, const uint8_t *type, size_t type_len,
    struct place *place)
{
	struct der	 all = { attributes->data, attributes->data +
			    attributes->len };
	struct der	 set, attribute, oid, values, value;

	if (!der_take(&all, DER_SET, &set))
		return false;
	while (der_take(&set, DER_SEQUENCE, &attribute)) {
		if (!der_take(&attribute, DER_OID, &oid) ||
		    !der_take(&attribute, DER_SET, &values))
			return false;
		if (!der_is(oid, type, type_len))
			continue;
		place->tag = der_tag(&values);
		if (!der_take(&values, place->tag, &value) ||
		    values.p != values.end)
			return false;
		place->at = (size_t)(value.p - attributes->data);
		place->len = (size_t)(value.end - value.p);
		return true;
	}
	return false;
}

/* RFC 5652, section 5.3: what is before, in and behind the attributes. */
static bool
take_signer(struct signed_frame *frame, struct der signer)
{
	struct der	 skip, attributes;
	const uint8_t	*start = signer.p;

	if (!der_take(&signer, DER_INTEGER, &skip) ||
	    !der_take(&signer, DER_SEQUENCE, &skip) ||
	    !der_take(&signer, DER_SEQUENCE, &skip))
		return false;
	keep(&frame->signer, start, signer.p);
	if (!der_take(&signer, DER_CONTEXT(0), &attributes))
		return false;
	der_head(&frame->attributes, DER_SET,
	    (size_t)(attributes.end - attributes.p));
	keep(&frame->attributes, attributes.p, attributes.end);
	start = signer.p;
	if (!der_take(&signer, DER_SEQUENCE, &skip))
		return false;
	keep(&frame->algorithm, start, signer.p);
	return der_take(&signer, DER_OCTETS, &skip) && signer.p == signer.end;
}

/* RFC 5652, sections 3 and 5.1. */
static bool
take_apart(struct signed_frame *frame, struct der all)
{
	struct der	 info, wrap, data, skip, signers, signer;
	const uint8_t	*start;

	if (!der_take(&all, DER_SEQUENCE, &info) || all.p != all.end)
		return false;
	start = info.p;
	if (!der_take(&info, DER_OID, &skip))
		return false;
	keep(&frame->type, start, info.p);
	if (!der_take(&info, DER_CONTEXT(0), &wrap) ||
	    !der_take(&wrap, DER_SEQUENCE, &data))
		return false;
	start = data.p;
	if (!der_take(&data, DER_INTEGER, &skip) ||
	    !der_take(&data, DER_SET, &skip) ||
	    !der_take(&data, DER_SEQUENCE, &skip) ||
	    !der_take(&data, DER_CONTEXT(0), &skip))
		return false;
	keep(&frame->head, start, data.p);
	return der_take(&data, DER_SET, &signers) && data.p == data.end &&
	    der_take(&signers, DER_SEQUENCE, &signer) &&
	    signers.p == signers.end && take_signer(frame, signer);
}

static EVP_PKEY_CTX *
prepare(EVP_PKEY *key, const EVP_MD *md, bool is_pss,
    int (*begin)(EVP_PKEY_CTX *))
{
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

	if (ctx != NULL && begin(ctx) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(ctx, md) == 1 &&
	    (!is_pss || signer_set_pss(ctx)))
		return ctx;
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

/* What is to be found once, not for each mail. */
static bool
prepare_all(struct signed_frame *frame, EVP_PKEY *key)
{
	bool	 is_pss = signer_is_pss(key, frame->use_pss);

	frame->signature_max = (size_t)EVP_PKEY_get_size(key);
	frame->md = EVP_MD_fetch(NULL, alg_digest_openssl(frame->digest),
	    NULL);
	if (frame->md == NULL || (frame->signing = prepare(key, frame->md,
	    is_pss, EVP_PKEY_sign_init)) == NULL)
		return false;
	if (!signer_must_verify(key))
		return true;
	frame->verifying = prepare(key, frame->md, is_pss,
	    EVP_PKEY_verify_init);
	return frame->verifying != NULL;
}

struct signed_frame *
signed_frame_new(const struct buf *signed_data, EVP_PKEY *key,
    enum digest digest, bool use_pss)
{
	struct signed_frame	*frame = mem_alloc(sizeof(*frame));

	frame->digest = digest;
	frame->use_pss = use_pss;
	if (take_apart(frame, (struct der){ signed_data->data,
	    signed_data->data + signed_data->len }) &&
	    find_value(&frame->attributes, message_digest,
	    sizeof(message_digest), &frame->hash) &&
	    frame->hash.len == alg_digest_len(digest) &&
	    find_value(&frame->attributes, signing_time, sizeof(signing_time),
	    &frame->time) && prepare_all(frame, key))
		return frame;
	ERR_clear_error();
	signed_frame_free(frame);
	return NULL;
}

bool
signed_frame_is_for(const struct signed_frame *frame, enum digest digest,
    bool use_pss)
{
	return frame->digest == digest && frame->use_pss == use_pss;
}

/* Until 2049 UTCTime, then GeneralizedTime (RFC 5652, section 11.3). */
static bool
set_time(const struct signed_frame *frame, int64_t now, uint8_t *attributes,
    struct err *err)
{
	ASN1_TIME	*time = ASN1_TIME_set(NULL, (time_t)now);
	bool		 is_ok;

	if (time == NULL)
		return err_openssl(err, ERR_TEMP, "write the time");
	is_ok = ASN1_STRING_type(time) == frame->time.tag &&
	    (size_t)ASN1_STRING_length(time) == frame->time.len;
	if (is_ok)
		memcpy(attributes + frame->time.at,
		    ASN1_STRING_get0_data(time), frame->time.len);
	else
		err_set(err, ERR_TEMP, "the time is written in another form "
		    "than it was in the last signature");
	ASN1_TIME_free(time);
	return is_ok;
}

static bool
use_key(const struct signed_frame *frame, const struct buf *attributes,
    struct buf *signature, struct err *err)
{
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_dup(frame->signing);
	EVP_PKEY_CTX	*again = NULL;
	uint8_t		 hash[EVP_MAX_MD_SIZE];
	unsigned int	 hash_len;
	size_t		 len = frame->signature_max;
	bool		 is_ok;

	is_ok = ctx != NULL && EVP_Digest(attributes->data, attributes->len,
	    hash, &hash_len, frame->md, NULL) == 1 &&
	    EVP_PKEY_sign(ctx, signature->data, &len, hash, hash_len) == 1;
	if (!is_ok)
		err_openssl(err, ERR_TEMP, "sign");
	else if (frame->verifying != NULL) {
		again = EVP_PKEY_CTX_dup(frame->verifying);
		is_ok = again != NULL && EVP_PKEY_verify(again,
		    signature->data, len, hash, hash_len) == 1;
		if (!is_ok)
			err_openssl(err, ERR_TEMP, "the signature just made "
			    "does not verify");
	}
	signature->len = is_ok ? len : 0;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_CTX_free(again);
	return is_ok;
}

/* The lengths from the inside out, the bytes from the outside in. */
static bool
put_together(const struct signed_frame *frame, const struct buf *attributes,
    const struct buf *signature, struct buf *out, struct err *err)
{
	size_t	 signer = frame->signer.len + attributes->len +
		    frame->algorithm.len + der_len(signature->len);
	size_t	 data = frame->head.len + der_len(der_len(signer));
	size_t	 info = frame->type.len + der_len(der_len(data));

	buf_clear(out);
	buf_reserve(out, der_len(info));
	der_head(out, DER_SEQUENCE, info);
	buf_add(out, frame->type.data, frame->type.len);
	der_head(out, DER_CONTEXT(0), der_len(data));
	der_head(out, DER_SEQUENCE, data);
	buf_add(out, frame->head.data, frame->head.len);
	der_head(out, DER_SET, der_len(signer));
	der_head(out, DER_SEQUENCE, signer);
	buf_add(out, frame->signer.data, frame->signer.len);
	/* Inside they have a tag of their own (section 5.4). */
	buf_addc(out, (char)DER_CONTEXT(0));
	buf_add(out, attributes->data + 1, attributes->len - 1);
	buf_add(out, frame->algorithm.data, frame->algorithm.len);
	der_head(out, DER_OCTETS, signature->len);
	buf_add(out, signature->data, signature->len);
	return buf_ok(out, "SignedData", err);
}

bool
signed_frame_sign(const struct signed_frame *frame, const uint8_t *hash,
    int64_t now, struct buf *out, struct err *err)
{
	struct buf	 attributes = { 0 }, signature = { 0 };
	bool		 is_ok;

	ERR_clear_error();
	buf_reserve(&signature, frame->signature_max);
	buf_add(&attributes, frame->attributes.data, frame->attributes.len);
	is_ok = buf_ok(&signature, "a signature", err) &&
	    buf_ok(&attributes, "signed attributes", err);
	if (is_ok) {
		memcpy(attributes.data + frame->hash.at, hash,
		    frame->hash.len);
		is_ok = set_time(frame, now, attributes.data, err) &&
		    use_key(frame, &attributes, &signature, err) &&
		    put_together(frame, &attributes, &signature, out, err);
	}
	buf_free(&attributes);
	buf_free(&signature);
	ERR_clear_error();
	return is_ok;
}
