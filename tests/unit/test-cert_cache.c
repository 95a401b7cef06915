/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>

#include <openssl/err.h>

#include "smime/cert_cache.h"
#include "tests/lib/seal.h"
#include "tests/lib/test.h"

#define N_CERTS		8
#define N_THREADS	4
#define N_ROUNDS	2000

static struct buf	 certs[N_CERTS];

static void
make_certs(void)
{
	for (size_t i = 0; i < N_CERTS; i++) {
		struct seal_id	*id = seal_id_new("EC:P-256", "a@x.org");

		buf_add(&certs[i], id->der, id->der_len);
		seal_id_free(id);
	}
}

static bool
is_the_one(const X509 *x509, const struct buf *der)
{
	unsigned char	*again = NULL;
	int		 len = i2d_X509(x509, &again);
	bool		 is_same = len > 0 && (size_t)len == der->len &&
			    memcmp(again, der->data, der->len) == 0;

	OPENSSL_free(again);
	return is_same;
}

static void
test_answers(void)
{
	X509	*first, *second;

	test_row("each certificate by its bytes, the first time and later");
	for (size_t i = 0; i < 2 * N_CERTS; i++) {
		first = cert_cache_get(certs[i % N_CERTS].data,
		    certs[i % N_CERTS].len);
		REQUIRE(first != NULL);
		CHECK(is_the_one(first, &certs[i % N_CERTS]));
		X509_free(first);
	}
	test_row("decoded once");
	first = cert_cache_get(certs[0].data, certs[0].len);
	second = cert_cache_get(certs[0].data, certs[0].len);
	CHECK(first == second);
	X509_free(first);
	X509_free(second);
}

static void
test_others(void)
{
	struct buf	*cert = &certs[0];

	test_row("another byte at its start is another certificate, or none");
	cert->data[0] ^= 1;
	CHECK(cert_cache_get(cert->data, cert->len) == NULL);
	cert->data[0] ^= 1;
	test_row("cut off");
	CHECK(cert_cache_get(cert->data, cert->len - 1) == NULL);
	test_row("a byte more");
	buf_addc(cert, 'x');
	CHECK(cert_cache_get(cert->data, cert->len) == NULL);
	cert->len--;
	test_row("nothing");
	CHECK(cert_cache_get(cert->data, 0) == NULL);
	ERR_clear_error();
}

static void *
ask_often(void *arg)
{
	size_t	*n_wrong = arg;

	for (size_t i = 0; i < N_ROUNDS; i++) {
		const struct buf	*cert = &certs[i % N_CERTS];
		X509			*x509 = cert_cache_get(cert->data,
					    cert->len);

		*n_wrong += x509 == NULL || !is_the_one(x509, cert);
		X509_free(x509);
	}
	return NULL;
}

static void
test_threads(void)
{
	pthread_t	 threads[N_THREADS];
	size_t		 n_wrong[N_THREADS] = { 0 };

	test_row("from several threads");
	for (size_t i = 0; i < N_THREADS; i++)
		REQUIRE(pthread_create(&threads[i], NULL, ask_often,
		    &n_wrong[i]) == 0);
	for (size_t i = 0; i < N_THREADS; i++) {
		pthread_join(threads[i], NULL);
		CHECK_INT(n_wrong[i], 0);
	}
}

int
main(void)
{
	make_certs();
	test_threads();
	test_answers();
	test_others();
	for (size_t i = 0; i < N_CERTS; i++)
		buf_free(&certs[i]);
	return test_done("cert_cache");
}
