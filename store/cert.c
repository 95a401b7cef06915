/* SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/addr.h"
#include "base/mem.h"
#include "store/cert.h"
#include "store/cert_key.h"

#define SOON		(30 * 24 * 3600)	/* seconds: "expires soon" */
#define NAME_MAX_SHOWN	256

/*
 * A certificate that OpenSSL reads in here comes without its key decoded,
 * which would be most of the work; see cert_key.h.
 */
static OSSL_LIB_CTX	*without_decoders;

static void
make_context(void)
{
	without_decoders = OSSL_LIB_CTX_new();
	if (without_decoders == NULL ||
	    OSSL_PROVIDER_load(without_decoders, "null") == NULL)
		abort();
}

static X509 *
parse(const uint8_t *der, size_t len, OSSL_LIB_CTX *context, struct err *err)
{
	const unsigned char	*p = der;
	unsigned char		*again = NULL;
	X509			*x509;
	int			 n;

	if (len > CERT_DER_MAX) {
		err_set(err, ERR_DATA, "certificate of %zu bytes, at most %d "
		    "are taken", len, CERT_DER_MAX);
		return NULL;
	}
	if ((x509 = X509_new_ex(context, NULL)) == NULL)
		abort();
	/* As d2i_X509(), which would refuse what has a malformed extension. */
	if (ASN1_item_d2i_ex((ASN1_VALUE **)&x509, &p, (long)len,
	    ASN1_ITEM_rptr(X509), context, NULL) == NULL) {
		err_openssl(err, ERR_DATA, "no readable certificate");
		X509_free(x509);
		return NULL;
	}
	/* The fingerprint must name these bytes and no others. */
	n = i2d_X509(x509, &again);
	if (p != der + len || n < 0 || (size_t)n != len ||
	    memcmp(again, der, len) != 0) {
		err_set(err, ERR_DATA, "certificate is not plain DER");
		X509_free(x509);
		x509 = NULL;
	}
	OPENSSL_free(again);
	ERR_clear_error();
	return x509;
}

X509 *
cert_parse(const uint8_t *der, size_t len, struct err *err)
{
	return parse(der, len, NULL, err);
}

static X509 *
parse_for_facts(const uint8_t *der, size_t len, struct err *err)
{
	static pthread_once_t	 once = PTHREAD_ONCE_INIT;
	X509			*x509;

	pthread_once(&once, make_context);
	x509 = parse(der, len, without_decoders, err);
	/* Whether it is signed by itself OpenSSL sees by its key. */
	if (x509 != NULL && X509_NAME_cmp(X509_get_subject_name(x509),
	    X509_get_issuer_name(x509)) == 0) {
		X509_free(x509);
		x509 = cert_parse(der, len, err);
	}
	return x509;
}

bool
cert_is_readable(const uint8_t *der, size_t len, struct err *err)
{
	X509	*x509 = parse_for_facts(der, len, err);

	X509_free(x509);
	return x509 != NULL;
}

char *
cert_name(const X509_NAME *name)
{
	BIO	*bio = BIO_new(BIO_s_mem());
	char	*text, *safe;
	long	 len;

	if (bio == NULL)
		abort();
	/* UTF-8 stays readable; text_safe_name() has the last word. */
	X509_NAME_print_ex(bio, name, 0,
	    XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	len = BIO_get_mem_data(bio, &text);
	safe = text_safe_name(text, len < 0 ? 0 : (size_t)len,
	    NAME_MAX_SHOWN);
	BIO_free(bio);
	return safe;
}

bool
cert_time(const ASN1_TIME *asn1, int64_t *out)
{
	struct tm	 tm;

	if (asn1 == NULL || ASN1_TIME_to_tm(asn1, &tm) != 1)
		return false;
	*out = (int64_t)timegm(&tm);
	return true;
}

static void
read_keyid(const ASN1_OCTET_STRING *id, struct cert_keyid *out)
{
	int	 len = id == NULL ? 0 : ASN1_STRING_length(id);

	/* A longer one is as good as none: lookups by it are a help only. */
	if (len <= 0 || len > CERT_KEYID_MAX)
		return;
	out->len = (uint8_t)len;
	memcpy(out->bytes, ASN1_STRING_get0_data(id), (size_t)len);
}

static bool
sha256(const void *data, size_t len, uint8_t out[32])
{
	return EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL) == 1;
}

static bool
hash_names(const X509 *x509, struct cert_facts *facts)
{
	EVP_MD_CTX	*ctx = EVP_MD_CTX_new();
	unsigned char	*spki = NULL, *name = NULL, *serial = NULL;
	int		 spki_len, name_len, serial_len, hashed = 0;
	bool		 is_ok = false;

	spki_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &spki);
	name_len = i2d_X509_NAME(X509_get_issuer_name(x509), &name);
	serial_len = i2d_ASN1_INTEGER(X509_get0_serialNumber(x509), &serial);
	if (ctx == NULL || spki_len <= 0 || name_len <= 0 || serial_len <= 0)
		goto out;
	if (!sha256(spki, (size_t)spki_len, facts->spki) ||
	    !sha256(name, (size_t)name_len, facts->issuer))
		goto out;
	if (EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(ctx, name, (size_t)name_len) != 1 ||
	    EVP_DigestUpdate(ctx, serial, (size_t)serial_len) != 1 ||
	    EVP_DigestFinal_ex(ctx, facts->issuer_serial, NULL) != 1)
		goto out;
	facts->subject_hash = (uint32_t)X509_NAME_hash_ex(
	    X509_get_subject_name(x509), NULL, NULL, &hashed);
	if (!hashed)
		goto out;
	facts->issuer_hash = (uint32_t)X509_NAME_hash_ex(
	    X509_get_issuer_name(x509), NULL, NULL, &hashed);
	is_ok = hashed;
out:
	OPENSSL_free(spki);
	OPENSSL_free(name);
	OPENSSL_free(serial);
	EVP_MD_CTX_free(ctx);
	return is_ok;
}

static void
read_usage(X509 *x509, struct cert_facts *facts)
{
	uint32_t	 flags = X509_get_extension_flags(x509);
	/* All bits set where the extension is absent: everything is allowed. */
	uint32_t	 ku = X509_get_key_usage(x509);
	uint32_t	 eku = X509_get_extended_key_usage(x509);
	/*
	 * OpenSSL's own purpose check wants keyEncipherment for EC too; such
	 * keys agree, they do not encipher (RFC 5480, section 3).
	 */
	uint32_t	 encrypt = facts->key_kind == CERT_KEY_EC ?
			    KU_KEY_AGREEMENT : KU_KEY_ENCIPHERMENT;

	if ((ku & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) != 0)
		facts->uses |= CERT_MAY_SIGN;
	if ((ku & encrypt) != 0 && facts->key_kind != CERT_KEY_RSA_PSS)
		facts->uses |= CERT_MAY_ENCRYPT;
	if (facts->uses == 0)
		facts->faults |= CERT_FAULT_USAGE;
	facts->has_eku = (flags & EXFLAG_XKUSAGE) != 0;
	if ((eku & (XKU_SMIME | XKU_ANYEKU)) == 0)
		facts->faults |= CERT_FAULT_NOT_MAIL;
	if ((flags & (EXFLAG_INVALID | EXFLAG_CRITICAL)) != 0)
		facts->faults |= CERT_FAULT_EXTENSION;
	facts->is_ca = (flags & EXFLAG_CA) != 0;
	facts->is_self_signed = (flags & EXFLAG_SS) != 0;
}

/* What the issuer signed with; of no weight where it is the subject. */
static void
read_signature(X509 *x509, struct cert_facts *facts)
{
	int		 md = NID_undef, bits = 0;
	uint32_t	 flags = 0;

	if (facts->is_self_signed)
		return;
	if (X509_get_signature_info(x509, &md, NULL, &bits, &flags) != 1 ||
	    md == NID_md5 || md == NID_sha1 || md == NID_md5_sha1 ||
	    md == NID_md4 || md == NID_md2 || md == NID_ripemd160 || bits < 112)
		facts->faults |= CERT_FAULT_WEAK_DIGEST;
}

static bool
add_address(struct cert_facts *facts, const ASN1_STRING *s, struct err *err)
{
	const char	*text = (const char *)ASN1_STRING_get0_data(s);
	size_t		 len = (size_t)ASN1_STRING_length(s);
	char		 addr[ADDR_MAX];
	struct err	 ignored;

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			facts->faults |= CERT_FAULT_ADDRESS;
	/* Another that cannot be read names nobody we could write to. */
	if (!addr_normalise(text, len, addr, &ignored) ||
	    cert_has_address(facts, addr))
		return true;
	if (facts->n_addresses == CERT_ADDRESSES_MAX)
		return err_set(err, ERR_DATA,
		    "certificate names more than %d addresses",
		    CERT_ADDRESSES_MAX);
	facts->addresses = mem_grow(facts->addresses, facts->n_addresses + 1,
	    sizeof(*facts->addresses));
	facts->addresses[facts->n_addresses++] = mem_str(addr);
	return true;
}

/* The address in a GENERAL_NAME: rfc822Name or SmtpUTF8Mailbox (RFC 9598). */
static const ASN1_STRING *
mailbox(const GENERAL_NAME *name)
{
	const OTHERNAME	*other;

	if (name->type == GEN_EMAIL)
		return name->d.rfc822Name;
	if (name->type != GEN_OTHERNAME)
		return NULL;
	other = name->d.otherName;
	if (OBJ_obj2nid(other->type_id) != NID_id_on_SmtpUTF8Mailbox ||
	    other->value->type != V_ASN1_UTF8STRING)
		return NULL;
	return other->value->value.utf8string;
}

static bool
read_alt_names(const X509 *x509, struct cert_facts *facts, bool *any,
    struct err *err)
{
	GENERAL_NAMES		*names;
	const ASN1_STRING	*s;
	int			 critical = 0;
	bool			 is_ok = true;

	names = X509_get_ext_d2i(x509, NID_subject_alt_name, &critical, NULL);
	/* -1: there is none; -2: there are two; else it cannot be read. */
	if (names == NULL && critical != -1)
		facts->faults |= CERT_FAULT_EXTENSION;
	for (int i = 0; is_ok && i < sk_GENERAL_NAME_num(names); i++)
		if ((s = mailbox(sk_GENERAL_NAME_value(names, i))) != NULL) {
			*any = true;
			is_ok = add_address(facts, s, err);
		}
	GENERAL_NAMES_free(names);
	ERR_clear_error();
	return is_ok;
}

/* RFC 8550, section 3: recognised, but only where no other place has one. */
static bool
read_subject_addresses(const X509 *x509, struct cert_facts *facts,
    struct err *err)
{
	const X509_NAME	*name = X509_get_subject_name(x509);
	int		 at = -1;

	while ((at = X509_NAME_get_index_by_NID(name, NID_pkcs9_emailAddress,
	    at)) >= 0)
		if (!add_address(facts, X509_NAME_ENTRY_get_data(
		    X509_NAME_get_entry(name, at)), err))
			return false;
	return true;
}

bool
cert_read(const uint8_t *der, size_t len, struct cert_facts *facts,
    struct err *err)
{
	X509	*x509;
	bool	 has_alt = false, is_ok = false;

	memset(facts, 0, sizeof(*facts));
	if ((x509 = parse_for_facts(der, len, err)) == NULL)
		return false;
	if (!cert_time(X509_get0_notBefore(x509), &facts->not_before) ||
	    !cert_time(X509_get0_notAfter(x509), &facts->not_after)) {
		err_set(err, ERR_DATA, "certificate has no readable validity");
		goto out;
	}
	if (!sha256(der, len, facts->fp.bytes) || !hash_names(x509, facts)) {
		err_openssl(err, ERR_DATA, "certificate cannot be hashed");
		goto out;
	}
	cert_key_read(X509_get_X509_PUBKEY(x509), facts);
	read_usage(x509, facts);
	read_signature(x509, facts);
	read_keyid(X509_get0_subject_key_id(x509), &facts->ski);
	read_keyid(X509_get0_authority_key_id(x509), &facts->aki);
	facts->subject = cert_name(X509_get_subject_name(x509));
	facts->issuer_name = cert_name(X509_get_issuer_name(x509));
	if (!read_alt_names(x509, facts, &has_alt, err))
		goto out;
	if (!has_alt && !read_subject_addresses(x509, facts, err))
		goto out;
	is_ok = true;
out:
	X509_free(x509);
	ERR_clear_error();
	if (!is_ok)
		cert_facts_free(facts);
	return is_ok;
}

void
cert_facts_free(struct cert_facts *facts)
{
	for (size_t i = 0; i < facts->n_addresses; i++)
		free(facts->addresses[i]);
	free(facts->addresses);
	free(facts->subject);
	free(facts->issuer_name);
	memset(facts, 0, sizeof(*facts));
}

bool
cert_is_leaf(const struct cert_facts *facts)
{
	return !facts->is_ca ||
	    (facts->is_self_signed && facts->n_addresses > 0);
}

bool
cert_has_address(const struct cert_facts *facts, const char *addr)
{
	for (size_t i = 0; i < facts->n_addresses; i++)
		if (strcmp(facts->addresses[i], addr) == 0)
			return true;
	return false;
}

bool
cert_is_fit(const struct cert_facts *facts, struct err *err)
{
	char	 key[32];

	cert_key_name(facts, key);
	if (!cert_is_leaf(facts))
		return err_set(err, ERR_DATA, "belongs to a CA");
	if ((facts->faults & CERT_FAULT_EXTENSION) != 0)
		return err_set(err, ERR_DATA, "has an extension that is "
		    "malformed, or critical and unknown");
	if ((facts->faults & CERT_FAULT_ADDRESS) != 0)
		return err_set(err, ERR_DATA,
		    "names an address with a control character");
	if (facts->n_addresses == 0)
		return err_set(err, ERR_DATA, "names no mail address");
	if ((facts->faults & CERT_FAULT_KEY_KIND) != 0)
		return err_set(err, ERR_DATA, "has a key (%s) that cannot be "
		    "used: RSA or EC P-256, P-384, P-521 is wanted", key);
	if ((facts->faults & CERT_FAULT_WEAK_KEY) != 0)
		return err_set(err, ERR_DATA, "has a weak key (%s): %d bits "
		    "are wanted", key, CERT_RSA_BITS_MIN);
	if ((facts->faults & CERT_FAULT_WEAK_DIGEST) != 0)
		return err_set(err, ERR_DATA, "is signed by its issuer with a "
		    "weak digest (SHA-1 or older)");
	if ((facts->faults & CERT_FAULT_NOT_MAIL) != 0)
		return err_set(err, ERR_DATA, "is not for mail: its extended "
		    "key usage lacks emailProtection");
	if ((facts->faults & CERT_FAULT_USAGE) != 0)
		return err_set(err, ERR_DATA,
		    "allows neither signing nor encryption by its key usage");
	return true;
}

bool
cert_usable(const struct cert_facts *facts, enum cert_use use,
    const char *addr, int64_t now, struct err *err)
{
	uint32_t	 wanted = use == CERT_USE_SIGN ?
			    CERT_MAY_SIGN : CERT_MAY_ENCRYPT;
	char		 date[TEXT_TIME_LEN];

	if (!cert_is_fit(facts, err))
		return false;
	if (addr != NULL && !cert_has_address(facts, addr))
		return err_set(err, ERR_DATA, "is not for %s", addr);
	if (use == CERT_USE_ENCRYPT && facts->key_kind == CERT_KEY_RSA_PSS)
		return err_set(err, ERR_DATA,
		    "has a key (RSA-PSS) that can sign only");
	if ((facts->uses & wanted) == 0)
		return err_set(err, ERR_DATA, "is not for %s by its key usage",
		    use == CERT_USE_SIGN ? "signing" : "encryption");
	if (now < facts->not_before) {
		text_date(facts->not_before, date);
		return err_set(err, ERR_DATA, "not valid before %s", date);
	}
	if (now > facts->not_after) {
		text_date(facts->not_after, date);
		return err_set(err, ERR_DATA, "expired %s", date);
	}
	return true;
}

size_t
cert_issues(const struct cert_facts *facts, int64_t now,
    const char *out[CERT_ISSUES_MAX])
{
	bool	 is_leaf = cert_is_leaf(facts);
	struct {
		bool		 applies;
		const char	*text;
	} issues[] = {
		{ now > facts->not_after, "expired" },
		{ now < facts->not_before, "not yet valid" },
		{ facts->faults & CERT_FAULT_EXTENSION,
		    "malformed or unknown critical extension" },
		{ facts->faults & CERT_FAULT_ADDRESS,
		    "address with a control character" },
		{ facts->faults & CERT_FAULT_KEY_KIND,
		    "kind of key cannot be used" },
		{ facts->faults & CERT_FAULT_WEAK_KEY, "weak key" },
		{ facts->faults & CERT_FAULT_WEAK_DIGEST,
		    "signed with a weak digest" },
		{ facts->faults & CERT_FAULT_NOT_MAIL,
		    "extended key usage lacks emailProtection" },
		{ is_leaf && facts->faults & CERT_FAULT_USAGE,
		    "key usage allows neither signing nor encryption" },
		{ is_leaf && facts->n_addresses == 0, "no mail address" },
		{ is_leaf && facts->is_ca, "is also a CA" },
		{ now <= facts->not_after && facts->not_after - now < SOON,
		    "expires within 30 days" },
		{ is_leaf && !facts->has_eku, "no extended key usage" },
	};
	size_t	 n = 0;

	_Static_assert(sizeof(issues) / sizeof(issues[0]) <= CERT_ISSUES_MAX,
	    "CERT_ISSUES_MAX");
	for (size_t i = 0; i < sizeof(issues) / sizeof(issues[0]); i++)
		if (issues[i].applies)
			out[n++] = issues[i].text;
	return n;
}
