/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "store/cert.h"
#include "store/export.h"

#define PEM_LINE	48	/* bytes in 64 characters (RFC 7468, 2) */
#define P12_ROUNDS	100000	/* Outlook does no more in bearable time */
#define P12_ROUNDS_OLD	2048	/* some devices refuse more */

bool
export_pem(const char *label, const struct buf *der, struct buf *out,
    struct err *err)
{
	unsigned char	 line[PEM_LINE / 3 * 4 + 1];

	buf_reserve(out, der->len / 3 * 4 + der->len / PEM_LINE + 256);
	buf_addf(out, "-----BEGIN %s-----\n", label);
	for (size_t i = 0; i < der->len; i += PEM_LINE) {
		size_t	 n = der->len - i < PEM_LINE ? der->len - i : PEM_LINE;
		int	 len = EVP_EncodeBlock(line, der->data + i, (int)n);

		buf_add(out, line, (size_t)len);
		buf_addc(out, '\n');
	}
	OPENSSL_cleanse(line, sizeof(line));
	buf_addf(out, "-----END %s-----\n", label);
	return buf_ok(out, "the exported file", err);
}

bool
export_pem_cert(const struct cert_entry *entry, struct buf *out,
    struct err *err)
{
	struct cert_facts	 facts;
	struct buf		 der = { .data = entry->der,
				    .len = entry->der_len };

	if (!cert_read(entry->der, entry->der_len, &facts, err))
		return false;
	buf_addf(out, "subject=%s\nissuer=%s\n", facts.subject,
	    facts.issuer_name);
	cert_facts_free(&facts);
	return export_pem("CERTIFICATE", &der, out, err);
}

bool
export_key_plain(const struct export_key *key,
    const struct passphrases *passphrases, struct buf *plain, struct err *err)
{
	const uint8_t	*p = key->bytes.data;
	const char	*word;
	X509_SIG	*sig;
	bool		 is_locked, ok;

	plain->is_secret = true;
	if (key->protection == KEY_SEALED) {
		buf_add(plain, key->bytes.data, key->bytes.len);
		return buf_ok(plain, "a private key", err);
	}
	if ((sig = d2i_X509_SIG(NULL, &p, (long)key->bytes.len)) == NULL)
		return err_openssl(err, ERR_DATA,
		    "the protected key cannot be read");
	ok = pkcs8_unlock(sig, passphrases, plain, &word, &is_locked, err);
	X509_SIG_free(sig);
	return ok;
}

bool
export_key_pem(const struct export_key *key,
    const struct passphrases *passphrases, struct buf *out, struct err *err)
{
	struct buf	 wrapped = { 0 };
	bool		 ok;

	if (key->protection == KEY_PASSPHRASE)
		return export_pem("ENCRYPTED PRIVATE KEY", &key->bytes, out,
		    err);
	if (passphrases->n == 0 || passphrases->words[0][0] == '\0')
		return err_set(err, ERR_DATA,
		    "a passphrase is needed to protect the key");
	ok = pkcs8_wrap(key->bytes.data, key->bytes.len,
	    passphrases->words[0], &wrapped, err) &&
	    export_pem("ENCRYPTED PRIVATE KEY", &wrapped, out, err);
	buf_free(&wrapped);
	return ok;
}

static STACK_OF(X509) *
read_chain(const struct export_p12 *p12, struct err *err)
{
	STACK_OF(X509)	*chain = sk_X509_new_null();

	for (size_t i = 0; chain != NULL && i < p12->n_chain; i++) {
		X509	*cert = cert_parse(p12->chain[i].der,
			    p12->chain[i].der_len, err);

		if (cert == NULL || sk_X509_push(chain, cert) == 0) {
			X509_free(cert);
			sk_X509_pop_free(chain, X509_free);
			return NULL;
		}
	}
	return chain;
}

/* The check value is made apart: PKCS12_create() would choose its digest. */
static PKCS12 *
create(const struct export_p12 *p12, EVP_PKEY *key, X509 *cert,
    STACK_OF(X509) *chain)
{
	int	 pbe = p12->is_legacy ?
		    NID_pbe_WithSHA1And3_Key_TripleDES_CBC : NID_aes_256_cbc;
	int	 rounds = p12->is_legacy ? P12_ROUNDS_OLD : P12_ROUNDS;
	PKCS12	*out = PKCS12_create_ex(p12->passphrase, p12->name, key, cert,
		    chain, pbe, pbe, rounds, -1, 0, pkcs8_libctx(), NULL);

	if (out != NULL && PKCS12_set_mac(out, p12->passphrase, -1, NULL, 0,
	    rounds, p12->is_legacy ? EVP_sha1() : EVP_sha256()) != 1) {
		PKCS12_free(out);
		out = NULL;
	}
	return out;
}

bool
export_pkcs12(const struct export_p12 *p12, struct buf *out, struct err *err)
{
	X509		*cert = NULL;
	STACK_OF(X509)	*chain = NULL;
	EVP_PKEY	*key = NULL;
	PKCS12		*file = NULL;
	uint8_t		*der = NULL;
	int		 len;
	bool		 ok = false;

	if ((cert = cert_parse(p12->cert->der, p12->cert->der_len,
	    err)) == NULL || (chain = read_chain(p12, err)) == NULL)
		goto out;
	if (p12->plain_key != NULL && !pkcs8_load(p12->plain_key->data,
	    p12->plain_key->len, &key, err))
		goto out;
	if ((file = create(p12, key, cert, chain)) == NULL ||
	    (len = i2d_PKCS12(file, &der)) <= 0) {
		err_openssl(err, ERR_DATA, "make a PKCS#12 file");
		goto out;
	}
	buf_add(out, der, (size_t)len);
	ok = buf_ok(out, "the exported file", err);
out:
	OPENSSL_free(der);
	PKCS12_free(file);
	EVP_PKEY_free(key);
	sk_X509_pop_free(chain, X509_free);
	X509_free(cert);
	return ok;
}
