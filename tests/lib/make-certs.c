/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * make-certs COUNT NAME: prints so many certificates as PEM, each with a key of
 * its own, for NAME-1@example.com, NAME-2@example.com ...; good for 20 years.
 */
#include <openssl/pem.h>

#include "tests/lib/pki.h"

int
main(int argc, char **argv)
{
	char	 alt[128];
	int	 count = argc == 3 ? atoi(argv[1]) : 0;

	if (count <= 0 || strlen(argv[2]) > 64) {
		fputs("usage: make-certs COUNT NAME\n", stderr);
		return 2;
	}
	for (int i = 1; i <= count; i++) {
		struct pki_spec	 spec = { .cn = alt + strlen("email:"),
		    .alt = alt, .ku = "critical,digitalSignature,keyAgreement",
		    .until = 20 * 365 };
		EVP_PKEY	*key = pki_key("P-256");
		struct pki_cert	 cert;

		snprintf(alt, sizeof(alt), "email:%s-%d@example.com", argv[2],
		    i);
		cert = pki_issue(&spec, key, NULL);
		pki_must(PEM_write_X509(stdout, cert.x509) == 1,
		    "PEM_write_X509");
		pki_free(&cert);
		EVP_PKEY_free(key);
	}
	return fclose(stdout) == 0 ? 0 : 1;
}
