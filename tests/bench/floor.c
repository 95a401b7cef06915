/* SPDX-License-Identifier: BSD-2-Clause */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "tests/bench/floor.h"

#define ROUNDS_MIN	3
#define ROUNDS_MAX	2000
#define KEK_LEN		32
#define PIECE		49152	/* of base64: fits a cache, divides by three */

struct floor {
	size_t		 size;
	size_t		 n_recipients;
	EVP_PKEY	*sender;	/* NULL: not signed */
	EVP_PKEY	*recipient;
	uint8_t		*mail;
	uint8_t		*sealed;
	uint8_t		*text;
};

/* OpenSSL's functions return 1, or the bench measures nothing. */
static void
must(int is_ok, const char *what)
{
	if (is_ok != 1)
		errx(2, "%s failed", what);
}

static EVP_PKEY *
load_key(const char *path)
{
	FILE		*file = fopen(path, "r");
	EVP_PKEY	*key;

	if (file == NULL)
		err(2, "%s", path);
	if ((key = PEM_read_PrivateKey(file, NULL, NULL, NULL)) == NULL)
		errx(2, "%s: not a private key", path);
	fclose(file);
	return key;
}

static void
encode(const struct floor *t, const uint8_t *data, size_t len)
{
	for (size_t at = 0; at < len; at += PIECE)
		EVP_EncodeBlock(t->text, data + at,
		    (int)(len - at < PIECE ? len - at : PIECE));
}

static void
sign(const struct floor *t)
{
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new(t->sender, NULL);
	uint8_t		 hash[32], signature[1024];
	size_t		 len = sizeof(signature);

	must(EVP_Digest(t->mail, t->size, hash, NULL, EVP_sha256(), NULL),
	    "SHA-256");
	must(EVP_PKEY_sign_init(ctx), "EVP_PKEY_sign_init");
	must(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()), "set the md");
	must(EVP_PKEY_sign(ctx, signature, &len, hash, sizeof(hash)),
	    "EVP_PKEY_sign");
	EVP_PKEY_CTX_free(ctx);
	encode(t, signature, len);
}

static void
encrypt_key_rsa(EVP_PKEY *to, const uint8_t *cek)
{
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new(to, NULL);
	uint8_t		 out[1024];
	size_t		 len = sizeof(out);

	must(EVP_PKEY_encrypt_init(ctx), "EVP_PKEY_encrypt_init");
	must(EVP_PKEY_encrypt(ctx, out, &len, cek, KEK_LEN),
	    "EVP_PKEY_encrypt");
	EVP_PKEY_CTX_free(ctx);
}

/* RFC 5753: a key of the day, and what both sides can compute from it. */
static void
encrypt_key_ec(EVP_PKEY *to)
{
	EVP_PKEY	*once = EVP_EC_gen("P-256");
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new(once, NULL);
	uint8_t		 shared[128];
	size_t		 len = sizeof(shared);

	must(EVP_PKEY_derive_init(ctx), "EVP_PKEY_derive_init");
	must(EVP_PKEY_derive_set_peer_ex(ctx, to, 0), "set the peer");
	must(EVP_PKEY_derive(ctx, shared, &len), "EVP_PKEY_derive");
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(once);
}

static void
encrypt(const struct floor *t)
{
	static const uint8_t	 cek[KEK_LEN], iv[16];
	EVP_CIPHER_CTX		*ctx = EVP_CIPHER_CTX_new();
	int			 len, tail;

	for (size_t i = 0; i < t->n_recipients; i++) {
		if (EVP_PKEY_is_a(t->recipient, "RSA"))
			encrypt_key_rsa(t->recipient, cek);
		else
			encrypt_key_ec(t->recipient);
	}
	must(EVP_EncryptInit_ex(ctx, EVP_aes_256_cbc(), NULL, cek, iv),
	    "EVP_EncryptInit");
	must(EVP_EncryptUpdate(ctx, t->sealed, &len, t->mail, (int)t->size),
	    "EVP_EncryptUpdate");
	must(EVP_EncryptFinal_ex(ctx, t->sealed + len, &tail),
	    "EVP_EncryptFinal");
	EVP_CIPHER_CTX_free(ctx);
	encode(t, t->sealed, (size_t)(len + tail));
}

static double
cpu_ms(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int
by_value(const void *a, const void *b)
{
	double	 x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct floor *
floor_new(const struct floor_work *work)
{
	struct floor	*t = calloc(1, sizeof(*t));

	if (t == NULL || (t->mail = malloc(work->size)) == NULL ||
	    (t->sealed = malloc(work->size + 64)) == NULL ||
	    (t->text = malloc(2 * PIECE)) == NULL)
		err(2, "malloc");
	memset(t->mail, 'x', work->size);
	memset(t->sealed, 0, work->size + 64);
	t->size = work->size;
	t->n_recipients = work->n_recipients;
	if (work->sender_key != NULL)
		t->sender = load_key(work->sender_key);
	if (work->n_recipients > 0)
		t->recipient = load_key(work->recipient_key);
	return t;
}

double
floor_measure(struct floor *t, double seconds)
{
	static double	 took[ROUNDS_MAX];
	double		 first = cpu_ms(), start;
	size_t		 n = 0;

	while (n < ROUNDS_MAX && (n < ROUNDS_MIN ||
	    cpu_ms() - first < seconds * 1e3)) {
		start = cpu_ms();
		if (t->sender != NULL)
			sign(t);
		if (t->n_recipients > 0)
			encrypt(t);
		took[n++] = cpu_ms() - start;
	}
	qsort(took, n, sizeof(*took), by_value);
	return took[n / 2];
}

void
floor_free(struct floor *t)
{
	EVP_PKEY_free(t->sender);
	EVP_PKEY_free(t->recipient);
	free(t->mail);
	free(t->sealed);
	free(t->text);
	free(t);
}
