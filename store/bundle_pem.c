/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/mem.h"
#include "store/bundle_impl.h"
#include "store/ber.h"
#include "store/pem.h"

/* TRUSTED CERTIFICATE: OpenSSL's own notes follow, which are left out. */
static void
read_trusted(struct bundle_reader *r, const char *where, const struct buf *der)
{
	const uint8_t	*p = der->data;
	size_t		 len = der->len;
	struct ber	 d;

	if (ber_expect(&p, &len, DER_SEQUENCE, &d))
		bundle_add_cert(r->bundle, where, d.whole, d.whole_len);
	else
		bundle_add_refused(r->bundle, BUNDLE_CERT, where,
		    "no readable certificate");
}

static int
give_word(char *out, int size, int is_writing, void *arg)
{
	const char	*word = arg;
	size_t		 len = strlen(word);

	(void)is_writing;
	if (size < 0 || len > (size_t)size)
		return -1;
	memcpy(out, word, len);
	return (int)len;
}

/*
 * A traditional key under a passphrase (RFC 1421 fields, OpenSSL's key
 * derivation).  There is no check value: what decrypts to a key was right.
 */
static bool
unlock_traditional(const struct pem_block *block, const char *word,
    struct buf *out)
{
	EVP_CIPHER_INFO	 cipher;
	struct ber	 d;
	const uint8_t	*p;
	size_t		 rest;
	long		 len = (long)block->der.len;
	union {
		const char	*borrowed;
		void		*arg;
	} passphrase = { .borrowed = word };

	if (PEM_get_EVP_CIPHER_INFO(block->header, &cipher) != 1)
		return false;
	out->is_secret = true;
	buf_clear(out);
	buf_add(out, block->der.data, block->der.len);
	if (out->failed || PEM_do_header(&cipher, out->data, &len, give_word,
	    passphrase.arg) != 1)
		return false;
	out->len = (size_t)len;
	p = out->data;
	rest = out->len;
	return ber_expect(&p, &rest, DER_SEQUENCE, &d) && rest == 0;
}

static void
read_locked_traditional(struct bundle_reader *r, const char *where,
    const struct pem_block *block)
{
	struct bundle_item	*item;
	struct buf		 plain = { 0 }, pkcs8 = { 0 };
	struct err		 err;
	bool			 is_unsupported = false;

	for (size_t i = 0; i < r->passphrases->n && !is_unsupported; i++) {
		const char	*word = r->passphrases->words[i];

		ERR_clear_error();
		if (unlock_traditional(block, word, &plain) &&
		    pkcs8_of_traditional(plain.data, plain.len, &pkcs8, &err)) {
			bundle_add_key_take(r->bundle, where, &pkcs8, word);
			buf_free(&plain);
			return;
		}
		is_unsupported = pkcs8_is_unsupported(&err);
	}
	buf_free(&plain);
	buf_free(&pkcs8);
	if (!is_unsupported)
		err_set(&err, ERR_DATA, r->passphrases->n == 0 ?
		    "the key is under a passphrase, and none was given" :
		    "no passphrase given opens the key");
	if ((item = bundle_add(r->bundle, BUNDLE_KEY, where)) != NULL) {
		item->is_locked = !is_unsupported;
		item->reason = mem_str(err.reason);
	}
}

static bool
ends_with(const char *s, const char *end)
{
	size_t	 n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

/* What other armour holds, in words; NULL for what is ours to read. */
static const char *
foreign_label(const char *label)
{
	if (strcmp(label, "OPENSSH PRIVATE KEY") == 0)
		return "an OpenSSH key: convert it with "
		    "ssh-keygen -p -m PKCS8 -f FILE";
	if (strncmp(label, "PGP ", 4) == 0)
		return "OpenPGP, which is not S/MIME";
	if (ends_with(label, "CERTIFICATE REQUEST"))
		return "a certificate request: the CA's answer to it is needed";
	if (ends_with(label, "PUBLIC KEY"))
		return "a public key, not a certificate";
	if (strcmp(label, "ATTRIBUTE CERTIFICATE") == 0)
		return "an attribute certificate, not an X.509 certificate";
	return NULL;
}

static void
read_block(struct bundle_reader *r, const char *where, struct pem_block *block)
{
	const char	*label = block->label;
	bool		 is_key = ends_with(label, "PRIVATE KEY");
	const char	*foreign = foreign_label(label);

	/* openssl writes these before a key; they say nothing more. */
	if (ends_with(label, " PARAMETERS"))
		return;
	if (foreign != NULL)
		bundle_add_refused(r->bundle,
		    is_key ? BUNDLE_KEY : BUNDLE_OTHER, where, foreign);
	else if (block->reason != NULL)
		bundle_add_refused(r->bundle, is_key ? BUNDLE_KEY :
		    ends_with(label, "CERTIFICATE") ? BUNDLE_CERT :
		    ends_with(label, "CRL") ? BUNDLE_CRL : BUNDLE_OTHER,
		    where, block->reason);
	else if (block->header != NULL && is_key &&
	    strstr(block->header, "ENCRYPTED") != NULL)
		read_locked_traditional(r, where, block);
	else if (strcmp(label, "TRUSTED CERTIFICATE") == 0)
		read_trusted(r, where, &block->der);
	else
		bundle_read_der(r, where, block->der.data, block->der.len);
}

void
bundle_read_text(struct bundle_reader *r, const char *text, size_t len)
{
	struct pem_reader	 pem;
	struct pem_block	 block;

	pem_init(&pem, text, len);
	while (!r->bundle->is_full && pem_next(&pem, &block)) {
		char	*where = mem_strf("line %zu", block.line);

		read_block(r, where, &block);
		free(where);
		pem_block_free(&block);
	}
	if (pem.has_armour)
		return;
	pem_init(&pem, text, len);
	while (!r->bundle->is_full && pem_next_bare(&pem, &block)) {
		char	*where = mem_strf("line %zu", block.line);

		bundle_read_der(r, where, block.der.data, block.der.len);
		free(where);
		pem_block_free(&block);
	}
}
