/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/mman.h>
#include <sys/wait.h>

#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/wipe.h"
#include "store/custody.h"
#include "store/store.h"
#include "tests/lib/pki.h"
#include "tests/lib/scratch.h"
#include "tests/lib/test.h"

/*
 * Where a private key is while it is used, and that it is nowhere afterwards:
 * the whole memory of this process is searched for it.  Another process makes
 * the key, so that no trace of that is found; and what is searched for is kept
 * with all bits turned.
 */
#define NEEDLE	32

struct secret {
	const char	*kind;		/* of pki_key() */
	const char	*number;	/* which of its numbers is looked for */
	uint8_t		 needle[NEEDLE];	/* its first bytes, turned */
	uint8_t		 cert[4096];
	uint8_t		 key[4096];
	size_t		 cert_len, key_len;
};

static void
make_secret(struct secret *secret)
{
	static const struct pki_spec	 spec = { .cn = "Alice",
	    .alt = "email:alice@example.org", .ku = "critical,digitalSignature",
	    .until = 20 * 365 };
	EVP_PKEY	*key = pki_key(secret->kind);
	struct pki_cert	 cert = pki_issue(&spec, key, NULL);
	BIGNUM		*number = NULL;
	uint8_t		 bytes[1024], *pkcs8;

	pki_must(EVP_PKEY_get_bn_param(key, secret->number, &number) == 1 &&
	    BN_bn2bin(number, bytes) >= NEEDLE, secret->number);
	for (int i = 0; i < NEEDLE; i++)
		secret->needle[i] = (uint8_t)~bytes[i];
	pkcs8 = pki_pkcs8(key, &secret->key_len);
	pki_must(secret->key_len <= sizeof(secret->key) &&
	    cert.der_len <= sizeof(secret->cert), "room");
	memcpy(secret->key, pkcs8, secret->key_len);
	memcpy(secret->cert, cert.der, cert.der_len);
	secret->cert_len = cert.der_len;
}

/* In memory that both share. */
static struct secret *
make_elsewhere(const char *kind, const char *number)
{
	struct secret	*secret = mmap(NULL, sizeof(*secret),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t		 pid;
	int		 status = -1;

	REQUIRE(secret != MAP_FAILED);
	secret->kind = kind;
	secret->number = number;
	REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		make_secret(secret);
		_exit(0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && status == 0);
	return secret;
}

/* As it is written, or as a number in memory: the last byte first. */
static bool
is_needle(const uint8_t *p, const struct secret *secret)
{
	bool	 as_written = true, as_number = true;

	for (int i = 0; i < NEEDLE && (as_written || as_number); i++) {
		uint8_t	 wanted = (uint8_t)~secret->needle[i];

		as_written = as_written && p[i] == wanted;
		as_number = as_number && p[NEEDLE - 1 - i] == wanted;
	}
	return as_written || as_number;
}

/* How often it is in memory; outside the secure heap, if so wanted. */
static int
count_needles(const struct secret *secret, bool is_outside)
{
	FILE		*maps = fopen("/proc/self/maps", "re");
	char		 line[512], mode[8];
	unsigned long	 from, to;
	int		 n = 0;

	REQUIRE(maps != NULL);
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 ||
		    mode[0] != 'r' || mode[1] != 'w')
			continue;
		for (const uint8_t *p = (const uint8_t *)from;
		    p + NEEDLE <= (const uint8_t *)to; p++)
			if (is_needle(p, secret) && (!is_outside ||
			    !CRYPTO_secure_allocated(p)))
				n++;
	}
	fclose(maps);
	return n;
}

static struct custody *
open_custody(const char *kind)
{
	struct store_options	 options = { .dir = scratch_folder(kind),
	    .lock_timeout_ms = 1000 };
	struct store		*store = NULL;
	struct err		 err = { 0 };

	memset(options.master_key, 7, sizeof(options.master_key));
	REQUIRE_OK(store_create(&options, &err), err);
	REQUIRE_OK(store_open(&options, &store, &err), err);
	return custody_of_store_take(store);
}

static void
import(struct custody *custody, struct secret *secret)
{
	struct put_cert		 cert = { secret->cert, secret->cert_len,
	    CERT_TRUSTED, "test" };
	struct put_key		 key = { .plain = secret->key,
	    .plain_len = secret->key_len, .source = "test" };
	struct put_result	 result = { 0 };
	struct err		 err = { 0 };

	REQUIRE_OK(custody_put_certs(custody, &cert, 1, PKI_NOW, &result,
	    &err), err);
	REQUIRE_OK(custody_put_key(custody, &key, PKI_NOW, &result, &err),
	    err);
	CHECK_INT(result.verdict, PUT_ADDED);
	free(result.reason);
	/* As vault.c does with the request that it came in. */
	OPENSSL_cleanse(secret->key, sizeof(secret->key));
}

static void
sign(struct custody *custody, struct sign_request *request)
{
	struct finding	*finding = NULL;
	struct buf	 out = { 0 };
	struct err	 err = { 0 };

	REQUIRE_OK(custody_find(custody, request->from, CERT_USE_SIGN,
	    PKI_NOW, &finding, &err), err);
	REQUIRE(finding->der != NULL);
	request->fp = finding->candidates[0].fp;
	finding_free(finding);
	CHECK_OK(custody_sign(custody, request, &out, &err), err);
	buf_free(&out);
}

static void
test_key(const char *kind, const char *number, bool is_only_in_heap)
{
	struct secret		*secret = make_elsewhere(kind, number);
	struct sign_request	 request = { .from = "alice@example.org",
	    .digest = DIGEST_SHA256 };
	struct custody		*custody = open_custody(kind);
	size_t			 before = CRYPTO_secure_used();
	struct err		 err = { 0 };

	test_row(kind);
	CHECK(count_needles(secret, false) > 0);
	import(custody, secret);
	CHECK_INT(count_needles(secret, false), 0);
	CHECK_INT(CRYPTO_secure_used(), before);
	/* The second is built after the first, and kept beside the key. */
	for (int i = 0; i < 2; i++)
		sign(custody, &request);
	CHECK(CRYPTO_secure_used() > before);
	CHECK(count_needles(secret, false) > 0);
	if (is_only_in_heap)
		CHECK_INT(count_needles(secret, true), 0);
	/* Which forgets all keys that are unlocked. */
	REQUIRE_OK(custody_remove(custody, &request.fp, true, &err), err);
	CHECK_INT(CRYPTO_secure_used(), before);
	CHECK_INT(count_needles(secret, false), 0);
	custody_close(custody);
	munmap(secret, sizeof(*secret));
}

/* These keep what was freed, and more memory than can be searched. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SEES_MEMORY	false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SEES_MEMORY	false
#endif
#endif
#ifndef SEES_MEMORY
#define SEES_MEMORY	true
#endif

int
main(void)
{
	uint8_t	 some[32];
	int	 locked;

	if (!SEES_MEMORY) {
		printf("built with a sanitizer, which has copies itself\n");
		return 77;
	}
	wipe_install();
	locked = CRYPTO_secure_malloc_init(1024 * 1024, 32);
	if (locked == 2)
		printf("memory cannot be locked here\n");
	REQUIRE(locked != 0);
	REQUIRE(wipe_begin());
	/* What makes random numbers lies there as well, and stays. */
	REQUIRE(RAND_bytes(some, sizeof(some)) == 1 &&
	    RAND_priv_bytes(some, sizeof(some)) == 1);
	test_key("P-256", OSSL_PKEY_PARAM_PRIV_KEY, true);
	/* OpenSSL has the primes of a key in use in ordinary memory as well. */
	test_key("RSA2048", OSSL_PKEY_PARAM_RSA_FACTOR1, false);
	scratch_remove();
	return test_done("secrets");
}
