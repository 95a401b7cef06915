/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_CERT_H
#define STORE_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/err.h"
#include "base/text.h"
#include "store/custody.h"

#define CERT_DER_MAX		65536	/* bytes of a certificate */
#define CERT_ADDRESSES_MAX	256	/* of one certificate */
#define CERT_KEYID_MAX		64	/* bytes of a key identifier kept */
#define CERT_ISSUES_MAX		16
#define CERT_RSA_BITS_MIN	2048

enum cert_key_kind {
	CERT_KEY_RSA,
	CERT_KEY_RSA_PSS,	/* a key for RSASSA-PSS alone (RFC 4055) */
	CERT_KEY_EC,
	CERT_KEY_DSA,
	CERT_KEY_ED25519,
	CERT_KEY_ED448,
	CERT_KEY_X25519,
	CERT_KEY_X448,
	CERT_KEY_OTHER
};

/* What is wrong with a certificate whatever the day; bits of faults. */
#define CERT_FAULT_KEY_KIND	0x0001	/* our CMS cannot use such a key */
#define CERT_FAULT_WEAK_KEY	0x0002	/* RSA below 2048 bits */
#define CERT_FAULT_WEAK_DIGEST	0x0004	/* signed with SHA-1, MD5 or older */
#define CERT_FAULT_EXTENSION	0x0008	/* malformed, or critical and unknown */
#define CERT_FAULT_ADDRESS	0x0010	/* holds a NUL or control character */
#define CERT_FAULT_NOT_MAIL	0x0020	/* extended key usage without mail */
#define CERT_FAULT_USAGE	0x0040	/* key usage allows neither */

/* What key usage (RFC 5280, 4.2.1.3) and key kind allow; bits of uses. */
#define CERT_MAY_SIGN		0x01
#define CERT_MAY_ENCRYPT	0x02

struct cert_keyid {
	uint8_t	 len;		/* 0: there is none */
	uint8_t	 bytes[CERT_KEYID_MAX];
};

/*
 * What a certificate says, read once when it is imported and kept in its
 * record, so that choosing one needs no X.509 decoder.
 */
struct cert_facts {
	struct fingerprint	 fp;
	int64_t			 not_before;	/* seconds since the epoch */
	int64_t			 not_after;
	enum cert_key_kind	 key_kind;
	uint32_t		 key_bits;
	char			 curve[16];	/* "P-256"; "" if not EC */
	uint32_t		 uses;		/* CERT_MAY_* */
	uint32_t		 faults;	/* CERT_FAULT_* */
	bool			 is_ca;		/* basicConstraints CA:TRUE */
	bool			 is_self_signed;
	bool			 has_eku;	/* has extended key usage */
	/* SHA-256 over SubjectPublicKeyInfo: what pairs key and certificate. */
	uint8_t			 spki[32];
	uint8_t			 issuer[32];	/* SHA-256, the name's DER */
	uint8_t			 issuer_serial[32];	/* and the serial's */
	/* OpenSSL's hash over the canonical names: equal names, equal hash. */
	uint32_t		 subject_hash;
	uint32_t		 issuer_hash;
	struct cert_keyid	 ski;
	struct cert_keyid	 aki;
	char			*subject;	/* RFC 2253, safe to print */
	char			*issuer_name;
	char			**addresses;	/* by addr_normalise() */
	size_t			 n_addresses;
};

/*
 * ERR_DATA: no certificate, not DER, larger than CERT_DER_MAX, bytes after
 * its end, no readable validity, too many addresses.  Weaknesses are facts,
 * not errors.  The caller's: cert_facts_free().
 */
bool	cert_read(const uint8_t *der, size_t len, struct cert_facts *,
	    struct err *);
void	cert_facts_free(struct cert_facts *);

/* Could it be read?  ERR_DATA as above. */
bool	cert_is_readable(const uint8_t *der, size_t len, struct err *);

/* The certificate itself; NULL with ERR_DATA.  Freed with X509_free(). */
X509	*cert_parse(const uint8_t *der, size_t len, struct err *);

/*
 * Somebody's certificate for mail rather than a CA's.  One that signed
 * itself and names an address is a leaf even with CA:TRUE (DESIGN.md 9.9).
 */
bool	cert_is_leaf(const struct cert_facts *);
bool	cert_has_address(const struct cert_facts *, const char *addr);

/*
 * Can this leaf serve S/MIME on any day, for any use?  What an import asks.
 * False with ERR_DATA and the reason.
 */
bool	cert_is_fit(const struct cert_facts *, struct err *);

/*
 * The gate before every use: may this certificate sign for, or be
 * encrypted to, this address (NULL: whichever) at this moment?  Trust and the
 * private key are not asked here.  False with ERR_DATA and the reason, which
 * reads as what follows "certificate": "expired 2026-03-01".
 */
bool	cert_usable(const struct cert_facts *, enum cert_use, const char *addr,
	    int64_t now, struct err *);

/*
 * Everything an administrator should know of, worst first; constant strings.
 * Returns how many.
 */
size_t	cert_issues(const struct cert_facts *, int64_t now,
	    const char *out[CERT_ISSUES_MAX]);

/* A name in RFC 4514 form, safe to print; the caller frees it. */
char	*cert_name(const X509_NAME *);
/* Seconds since the epoch; false for NULL and for what is no time. */
bool	 cert_time(const ASN1_TIME *, int64_t *);

#endif
