/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/cms.h>	/* after pem.h, for PEM_read_bio_CMS() */
#include <openssl/provider.h>
#include <openssl/sha.h>
#include <openssl/store.h>
#include <openssl/ui.h>

/*
 * Which certificates and keys OpenSSL by itself finds in files: what "openssl
 * storeutl" and "openssl cms" read, for hundreds of files in one process.
 * None of our own code is in it.  On standard input is a line for each file:
 * its name, a tab, its passphrase; on standard output one for each find:
 *
 *	FILE  certificate  SHA-256 of it
 *	FILE  key          SHA-256 of its public key
 */

static void
print_find(const char *file, const char *kind, const unsigned char *der,
    int len)
{
	unsigned char	 hash[SHA256_DIGEST_LENGTH];

	if (len <= 0)
		return;
	SHA256(der, (size_t)len, hash);
	printf("%s\t%s\t", file, kind);
	for (size_t i = 0; i < sizeof(hash); i++)
		printf("%02x", hash[i]);
	printf("\n");
}

static void
print_cert(const char *file, const X509 *cert)
{
	unsigned char	*der = NULL;
	int		 len = i2d_X509(cert, &der);

	print_find(file, "certificate", der, len);
	OPENSSL_free(der);
}

static void
print_key(const char *file, const EVP_PKEY *key)
{
	unsigned char	*der = NULL;
	int		 len = i2d_PUBKEY(key, &der);

	print_find(file, "key", der, len);
	OPENSSL_free(der);
}

static int
give_word(char *buf, int size, int is_writing, void *word)
{
	(void)is_writing;
	return snprintf(buf, (size_t)size, "%s", (const char *)word);
}

static void
read_store(const char *file, char *word, UI_METHOD *ui)
{
	OSSL_STORE_CTX	*ctx = OSSL_STORE_open(file, ui, word, NULL, NULL);
	int		 n_failed = 0;

	while (ctx != NULL && !OSSL_STORE_eof(ctx) && n_failed < 100) {
		OSSL_STORE_INFO	*info = OSSL_STORE_load(ctx);

		if (info == NULL) {
			n_failed++;
			continue;
		}
		if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_CERT)
			print_cert(file, OSSL_STORE_INFO_get0_CERT(info));
		else if (OSSL_STORE_INFO_get_type(info) ==
		    OSSL_STORE_INFO_PKEY)
			print_key(file, OSSL_STORE_INFO_get0_PKEY(info));
		OSSL_STORE_INFO_free(info);
	}
	OSSL_STORE_close(ctx);
}

/* PKCS#7 and CMS, which its store does not read: PEM, DER or a mail. */
static void
read_cms(const char *file)
{
	BIO			*bio = BIO_new_file(file, "rb"), *content = NULL;
	CMS_ContentInfo		*cms = NULL;
	STACK_OF(X509)		*certs = NULL;

	if (bio == NULL)
		return;
	if ((cms = PEM_read_bio_CMS(bio, NULL, NULL, NULL)) == NULL &&
	    BIO_seek(bio, 0) == 0)
		cms = d2i_CMS_bio(bio, NULL);
	if (cms == NULL && BIO_seek(bio, 0) == 0)
		cms = SMIME_read_CMS(bio, &content);
	if (cms != NULL)
		certs = CMS_get1_certs(cms);
	for (int i = 0; i < sk_X509_num(certs); i++)
		print_cert(file, sk_X509_value(certs, i));
	sk_X509_pop_free(certs, X509_free);
	CMS_ContentInfo_free(cms);
	BIO_free(content);
	BIO_free(bio);
}

int
main(void)
{
	UI_METHOD	*ui = UI_UTIL_wrap_read_pem_callback(give_word, 0);
	char		*line = NULL, *word;
	size_t		 size = 0;
	ssize_t		 len;

	OSSL_PROVIDER_load(NULL, "legacy");
	OSSL_PROVIDER_load(NULL, "default");
	while ((len = getline(&line, &size, stdin)) > 0) {
		line[len - (line[len - 1] == '\n')] = '\0';
		word = strchr(line, '\t');
		if (word == NULL)
			return EXIT_FAILURE;
		*word++ = '\0';
		read_store(line, word, ui);
		read_cms(line);
		ERR_clear_error();
	}
	free(line);
	UI_destroy_method(ui);
	return EXIT_SUCCESS;
}
