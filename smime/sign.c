/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/der.h"
#include "base/mem.h"
#include "smime/sign.h"
#include "smime/sign_check.h"

struct sign_hash {
	enum digest	 digest;
	EVP_MD_CTX	*ctx;
	bool		 is_ok;
};

bool
sign_hash_new(enum digest digest, struct sign_hash **out, struct err *err)
{
	struct sign_hash	*hash = mem_alloc(sizeof(*hash));
	EVP_MD			*md;

	hash->digest = digest;
	md = EVP_MD_fetch(NULL, alg_digest_openssl(digest), NULL);
	hash->ctx = EVP_MD_CTX_new();
	hash->is_ok = md != NULL && hash->ctx != NULL &&
	    EVP_DigestInit_ex2(hash->ctx, md, NULL) == 1;
	EVP_MD_free(md);
	if (!hash->is_ok) {
		sign_hash_free(hash);
		return err_openssl(err, ERR_TEMP, "start %s",
		    alg_digest_name(digest));
	}
	*out = hash;
	return true;
}

void
sign_hash_add(struct sign_hash *hash, const void *data, size_t len)
{
	if (EVP_DigestUpdate(hash->ctx, data, len) != 1)
		hash->is_ok = false;
}

bool
sign_hash_end(struct sign_hash *hash, uint8_t out[DIGEST_LEN_MAX],
    struct err *err)
{
	if (!hash->is_ok || EVP_DigestFinal_ex(hash->ctx, out, NULL) != 1)
		return err_openssl(err, ERR_TEMP, "finish %s",
		    alg_digest_name(hash->digest));
	/* OpenSSL would go on, and give another one the next time. */
	hash->is_ok = false;
	return true;
}

enum digest
sign_hash_digest(const struct sign_hash *hash)
{
	return hash->digest;
}

void
sign_hash_free(struct sign_hash *hash)
{
	if (hash == NULL)
		return;
	EVP_MD_CTX_free(hash->ctx);
	free(hash);
}

static bool
hash_run(void *arg, const uint8_t *data, size_t len, struct err *err)
{
	(void)err;
	sign_hash_add(arg, data, len);
	return true;
}

bool
sign_hash_pieces(const struct pieces *pieces, enum digest digest,
    uint8_t out[DIGEST_LEN_MAX], struct err *err)
{
	struct sign_hash	*hash;
	bool			 is_ok;

	if (!sign_hash_new(digest, &hash, err))
		return false;
	is_ok = pieces_walk(pieces, hash_run, hash, err) &&
	    sign_hash_end(hash, out, err);
	sign_hash_free(hash);
	return is_ok;
}

bool
sign_detached_take(struct pieces *entity, struct buf *signed_data,
    enum digest digest, const uint8_t *hash, struct mime_made *out,
    struct err *err)
{
	if (!sign_check(signed_data->data, signed_data->len, digest, hash,
	    err)) {
		pieces_free(entity);
		buf_free(signed_data);
		return false;
	}
	return mimeout_signed_take(entity, alg_digest_name(digest),
	    signed_data, out, err);
}

/*
 * Put eContent into a detached SignedData (RFC 5652, section 5.1), whose own
 * bytes stay as they are but for four lengths.  The mail stays where it is;
 * OpenSSL would hold it twice.  The entity is consumed where it is embedded.
 */
static bool
embed_take(const struct buf *detached, struct pieces *entity,
    struct pieces *out, struct err *err)
{
	struct buf	 head = { 0 }, tail = { 0 };
	static const uint8_t	 signed_oid[] =
	    { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02 };
	struct der	 all = { detached->data, detached->data + detached->len };
	struct der	 info, oid, wrap, data, encap, skip, type;
	const uint8_t	*before;
	size_t		 len = pieces_len(entity);
	size_t		 octets, encap_len, before_len, after_len, data_len;

	if (!der_take(&all, DER_SEQUENCE, &info) ||
	    !der_take(&info, DER_OID, &oid) ||
	    !der_is(oid, signed_oid, sizeof(signed_oid)) ||
	    !der_take(&info, DER_CONTEXT(0), &wrap) ||
	    !der_take(&wrap, DER_SEQUENCE, &data))
		goto bad;
	before = data.p;
	if (!der_take(&data, DER_INTEGER, &skip) ||
	    !der_take(&data, DER_SET, &skip))
		goto bad;
	before_len = (size_t)(data.p - before);
	if (!der_take(&data, DER_SEQUENCE, &encap))
		goto bad;
	type = encap;
	if (!der_take(&encap, DER_OID, &skip) || encap.p != encap.end)
		goto bad;

	octets = der_len(len);
	encap_len = (size_t)(type.end - type.p) + der_len(octets);
	after_len = (size_t)(data.end - data.p);
	data_len = before_len + der_len(encap_len) + after_len;

	der_head(&head, DER_SEQUENCE, der_len(sizeof(signed_oid)) +
	    der_len(der_len(data_len)));
	der_head(&head, DER_OID, sizeof(signed_oid));
	buf_add(&head, signed_oid, sizeof(signed_oid));
	der_head(&head, DER_CONTEXT(0), der_len(data_len));
	der_head(&head, DER_SEQUENCE, data_len);
	buf_add(&head, before, before_len);
	der_head(&head, DER_SEQUENCE, encap_len);
	buf_add(&head, type.p, (size_t)(type.end - type.p));
	der_head(&head, DER_CONTEXT(0), octets);
	der_head(&head, DER_OCTETS, len);
	buf_add(&tail, data.p, after_len);
	pieces_add_take(out, &head);
	pieces_append_take(out, entity);
	pieces_add_take(out, &tail);
	return true;
bad:
	return err_set(err, ERR_BUG,
	    "embed the mail in its signature: no detached SignedData in DER");
}

bool
sign_opaque_take(struct pieces *entity, struct buf *signed_data,
    enum digest digest, const uint8_t *hash, struct mime_made *out,
    struct err *err)
{
	struct pieces	*der = pieces_new();
	bool		 is_ok;

	is_ok = sign_check(signed_data->data, signed_data->len, digest, hash,
	    err) && embed_take(signed_data, entity, der, err);
	if (is_ok)
		mimeout_pkcs7_take(der, "signed-data", out);
	else {
		pieces_free(der);
		pieces_free(entity);
	}
	buf_free(signed_data);
	return is_ok;
}
