/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "store/cert.h"
#include "store/crl.h"

#define NEGATIVE	0x80	/* in the first byte of a serial number */

bool
crl_serial(const ASN1_INTEGER *n, struct crl_serial *out)
{
	int	 len = ASN1_STRING_length(n);

	memset(out, 0, sizeof(*out));
	if (len < 0 || len > CRL_SERIAL_MAX)
		return false;
	out->len = (uint8_t)(len + 1);
	out->bytes[0] = (uint8_t)len;
	if (ASN1_STRING_type(n) == V_ASN1_NEG_INTEGER)
		out->bytes[0] |= NEGATIVE;
	memcpy(out->bytes + 1, ASN1_STRING_get0_data(n), (size_t)len);
	return true;
}

int
crl_serial_compare(const struct crl_serial *a, const struct crl_serial *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int
compare_revoked(const void *left, const void *right)
{
	const struct crl_revoked	*a = left, *b = right;

	return crl_serial_compare(&a->serial, &b->serial);
}

/* An extension that is critical and changes what the list means. */
static bool
is_understood(const X509_EXTENSION *ext, const int *known, size_t n)
{
	int	 nid;

	if (X509_EXTENSION_get_critical(ext) == 0)
		return true;
	nid = OBJ_obj2nid(X509_EXTENSION_get_object(
	    (X509_EXTENSION *)(uintptr_t)ext));
	for (size_t i = 0; i < n; i++)
		if (nid == known[i])
			return true;
	return false;
}

static bool
check_extensions(const X509_CRL *x509, struct err *err)
{
	static const int	 known[] = { NID_crl_number,
				    NID_authority_key_identifier,
				    NID_issuing_distribution_point };

	if (X509_CRL_get_ext_by_NID(x509, NID_delta_crl, -1) >= 0)
		return err_set(err, ERR_DATA, "a delta CRL, which only says "
		    "what has changed: the whole list is needed");
	for (int i = 0; i < X509_CRL_get_ext_count(x509); i++)
		if (!is_understood(X509_CRL_get_ext(x509, i), known,
		    sizeof(known) / sizeof(known[0])))
			return err_set(err, ERR_DATA, "the CRL has a critical "
			    "extension that is not known here");
	return true;
}

/* RFC 5280, 5.2.5 */
static bool
read_scope(const X509_CRL *x509, struct crl *crl, struct err *err)
{
	int			 at = X509_CRL_get_ext_by_NID(x509,
				    NID_issuing_distribution_point, -1);
	ISSUING_DIST_POINT	*idp;
	const ASN1_OCTET_STRING	*data;
	bool			 is_indirect, is_attributes;

	if (at < 0)
		return true;
	idp = X509_CRL_get_ext_d2i(x509, NID_issuing_distribution_point, NULL,
	    NULL);
	if (idp == NULL)
		return err_openssl(err, ERR_DATA, "the CRL does not say "
		    "readably what it is for");
	is_indirect = idp->indirectCRL > 0;
	is_attributes = idp->onlyattr > 0;
	ISSUING_DIST_POINT_free(idp);
	if (is_indirect)
		return err_set(err, ERR_DATA, "an indirect CRL, which speaks "
		    "for other CAs: that of the CA itself is needed");
	if (is_attributes)
		return err_set(err, ERR_DATA, "a CRL of attribute "
		    "certificates, which are not used here");
	data = X509_EXTENSION_get_data(X509_CRL_get_ext(x509, at));
	if (EVP_Digest(ASN1_STRING_get0_data(data),
	    (size_t)ASN1_STRING_length(data), crl->scope, NULL, EVP_sha256(),
	    NULL) != 1)
		return err_openssl(err, ERR_TEMP, "hash a CRL's scope");
	return true;
}

/* Kept as text; longer than RFC 5280 allows it is as good as none. */
static void
read_number(const X509_CRL *x509, struct crl *crl)
{
	ASN1_INTEGER	*n = X509_CRL_get_ext_d2i(x509, NID_crl_number, NULL,
			    NULL);

	if (n != NULL && ASN1_STRING_length(n) <= 20 &&
	    ASN1_STRING_type(n) == V_ASN1_INTEGER)
		text_hex(ASN1_STRING_get0_data(n),
		    (size_t)ASN1_STRING_length(n), crl->number);
	ASN1_INTEGER_free(n);
}

static bool
read_entry(const X509_REVOKED *from, struct crl_revoked *to, struct err *err)
{
	static const int	 known[] = { NID_crl_reason,
				    NID_invalidity_date };
	ASN1_ENUMERATED		*reason;
	long			 value;

	if (!crl_serial(X509_REVOKED_get0_serialNumber(from), &to->serial))
		return err_set(err, ERR_DATA, "the CRL has a serial number of "
		    "more than %d bytes", CRL_SERIAL_MAX);
	if (!cert_time(X509_REVOKED_get0_revocationDate(from), &to->date))
		return err_set(err, ERR_DATA, "the CRL has an entry without a "
		    "readable date");
	for (int i = 0; i < X509_REVOKED_get_ext_count(from); i++)
		if (!is_understood(X509_REVOKED_get_ext(from, i), known,
		    sizeof(known) / sizeof(known[0])))
			return err_set(err, ERR_DATA, "the CRL has an entry "
			    "with a critical extension that is not known here");
	reason = X509_REVOKED_get_ext_d2i(from, NID_crl_reason, NULL, NULL);
	value = reason == NULL ? -1 : ASN1_ENUMERATED_get(reason);
	ASN1_ENUMERATED_free(reason);
	to->reason = (int8_t)(value < 0 || value >= CRL_REASONS ? -1 : value);
	return true;
}

static bool
read_list(X509_CRL *x509, struct crl *crl, struct err *err)
{
	STACK_OF(X509_REVOKED)	*list = X509_CRL_get_REVOKED(x509);
	int			 n = sk_X509_REVOKED_num(list);

	if (n <= 0)
		return true;
	crl->list = mem_array((size_t)n, sizeof(*crl->list));
	for (int i = 0; i < n; i++) {
		struct crl_revoked	*to = &crl->list[crl->n];

		if (!read_entry(sk_X509_REVOKED_value(list, i), to, err))
			return false;
		/* Taken off again; belongs into delta lists only. */
		if (to->reason != CRL_REASON_REMOVE_FROM_CRL)
			crl->n++;
	}
	qsort(crl->list, crl->n, sizeof(*crl->list), compare_revoked);
	return true;
}

static bool
read_crl(const uint8_t *der, size_t len, struct crl *crl, struct err *err)
{
	const uint8_t	*p = der;
	int		 is_hashed = 0;

	crl->x509 = d2i_X509_CRL(NULL, &p, (long)len);
	if (crl->x509 == NULL)
		return err_openssl(err, ERR_DATA, "no readable CRL");
	if (p != der + len)
		return err_set(err, ERR_DATA, "bytes follow the end of a CRL");
	if (!cert_time(X509_CRL_get0_lastUpdate(crl->x509),
	    &crl->this_update) ||
	    (X509_CRL_get0_nextUpdate(crl->x509) != NULL && !cert_time(
	    X509_CRL_get0_nextUpdate(crl->x509), &crl->next_update)))
		return err_set(err, ERR_DATA, "the CRL has no readable dates");
	crl->issuer_hash = (uint32_t)X509_NAME_hash_ex(
	    X509_CRL_get_issuer(crl->x509), NULL, NULL, &is_hashed);
	if (!is_hashed || EVP_Digest(der, len, crl->fp.bytes, NULL,
	    EVP_sha256(), NULL) != 1)
		return err_openssl(err, ERR_TEMP, "hash a CRL");
	crl->issuer = cert_name(X509_CRL_get_issuer(crl->x509));
	read_number(crl->x509, crl);
	return check_extensions(crl->x509, err) &&
	    read_scope(crl->x509, crl, err) && read_list(crl->x509, crl, err);
}

bool
crl_read(const uint8_t *der, size_t len, struct crl *crl, struct err *err)
{
	bool	 is_ok;

	memset(crl, 0, sizeof(*crl));
	is_ok = read_crl(der, len, crl, err);
	ERR_clear_error();
	if (!is_ok)
		crl_free(crl);
	return is_ok;
}

void
crl_free(struct crl *crl)
{
	X509_CRL_free(crl->x509);
	free(crl->issuer);
	free(crl->list);
	memset(crl, 0, sizeof(*crl));
}

void
crl_text(const struct crl_revoked *revoked, char out[CRL_TEXT_LEN])
{
	static const char *const	 reasons[CRL_REASONS] = {
		[CRL_REASON_KEY_COMPROMISE] = "key compromise",
		[CRL_REASON_CA_COMPROMISE] = "CA compromise",
		[CRL_REASON_AFFILIATION_CHANGED] = "affiliation changed",
		[CRL_REASON_SUPERSEDED] = "superseded",
		[CRL_REASON_CESSATION_OF_OPERATION] = "no longer in use",
		[CRL_REASON_CERTIFICATE_HOLD] = "on hold",
		[CRL_REASON_PRIVILEGE_WITHDRAWN] = "privilege withdrawn",
		[CRL_REASON_AA_COMPROMISE] = "AA compromise",
	};
	const char	*reason = revoked->reason < 0 ? NULL :
			    reasons[revoked->reason];
	char		 date[TEXT_TIME_LEN];

	text_date(revoked->date, date);
	snprintf(out, CRL_TEXT_LEN, "revoked %s%s%s%s", date,
	    reason == NULL ? "" : " (", reason == NULL ? "" : reason,
	    reason == NULL ? "" : ")");
}
