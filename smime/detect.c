/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#include "base/err.h"
#include "smime/detect.h"
#include "smime/entity.h"

/* Armour further down is something the mail talks about. */
#define INLINE_SEARCH_MAX	(64 * 1024)

static bool
ends_with(const char *s, const char *suffix)
{
	size_t	 len = strlen(s), n = strlen(suffix);

	return len >= n && strcasecmp(s + len - n, suffix) == 0;
}

static bool
is_smime_name(const char *name)
{
	return ends_with(name, ".p7m") || ends_with(name, ".p7s") ||
	    ends_with(name, ".p7c") || ends_with(name, ".p7z");
}

/* Some mailers send S/MIME as bytes with a name (RFC 8551, section 3.2.1). */
static bool
has_smime_name(const struct headers *headers, const char *content_type)
{
	const char	*disposition = headers_find(headers,
	    "Content-Disposition", 0);
	char		 name[CONTENT_PARAM_MAX];

	if (content_type_param(content_type, "name", name) &&
	    is_smime_name(name))
		return true;
	return disposition != NULL &&
	    content_type_param(disposition, "filename", name) &&
	    is_smime_name(name);
}

static enum mail_kind
kind_of_pkcs7(const char *content_type)
{
	char	 smime_type[CONTENT_PARAM_MAX];

	if (!content_type_param(content_type, "smime-type", smime_type))
		return MAIL_SMIME_OTHER;
	if (strcasecmp(smime_type, "enveloped-data") == 0 ||
	    strcasecmp(smime_type, "authEnveloped-data") == 0)
		return MAIL_ENCRYPTED;
	if (strcasecmp(smime_type, "signed-data") == 0)
		return MAIL_SIGNED_OPAQUE;
	return MAIL_SMIME_OTHER;
}

static enum mail_kind
kind_of_signed(const char *content_type)
{
	char	 protocol[CONTENT_PARAM_MAX];

	if (content_type_param(content_type, "protocol", protocol) &&
	    (strcasecmp(protocol, "application/pkcs7-signature") == 0 ||
	    strcasecmp(protocol, "application/x-pkcs7-signature") == 0))
		return MAIL_SIGNED;
	return MAIL_PGP_SIGNED;
}

static enum mail_kind
kind_of(const struct headers *headers, const char *type, const char *value)
{
	if (strcmp(type, "multipart/signed") == 0)
		return kind_of_signed(value);
	if (strcmp(type, "multipart/encrypted") == 0)
		return MAIL_PGP_ENCRYPTED;
	if (strcmp(type, "application/pkcs7-mime") == 0 ||
	    strcmp(type, "application/x-pkcs7-mime") == 0)
		return kind_of_pkcs7(value);
	if (strcmp(type, "application/pkcs7-signature") == 0 ||
	    strcmp(type, "application/x-pkcs7-signature") == 0)
		return MAIL_SMIME_OTHER;
	if (strcmp(type, "application/octet-stream") == 0 &&
	    has_smime_name(headers, value))
		return MAIL_SMIME_OTHER;
	return MAIL_PLAIN;
}

void
detect_headers(const struct headers *headers, struct detected *out)
{
	const char	*value = headers_find(headers, "Content-Type", 0);
	char		 method[CONTENT_PARAM_MAX];

	memset(out, 0, sizeof(*out));
	out->kind = MAIL_PLAIN;
	if (value == NULL || headers_count_name(headers, "Content-Type") > 1 ||
	    !content_type_parse(value, out->type))
		return;
	out->kind = kind_of(headers, out->type, value);
	out->has_method = strcmp(out->type, "text/calendar") == 0 &&
	    content_type_param(value, "method", method);
}

/* The first bytes of a body as its encoding has them. */
static size_t
first_bytes(const struct headers *headers, const uint8_t *body, size_t len,
    uint8_t out[48])
{
	const char	*encoding;
	uint8_t		 text[64];
	size_t		 n = 0;

	encoding = headers_find(headers, "Content-Transfer-Encoding", 0);
	if (encoding == NULL || strncasecmp(encoding +
	    strspn(encoding, " \t\n"), "base64", 6) != 0) {
		n = len < 48 ? len : 48;
		memcpy(out, body, n);
		return n;
	}
	for (size_t i = 0; i < len && n < sizeof(text); i++) {
		if (strchr(" \t\r\n", body[i]) == NULL || body[i] == '\0')
			text[n++] = body[i];
	}
	if (n < sizeof(text) || EVP_DecodeBlock(out, text, (int)n) != 48)
		return 0;
	return 48;
}

/*
 * The contentType that a ContentInfo begins with (RFC 5652, section 3), BER
 * or DER.
 */
static bool
is_content_info(const uint8_t *p, size_t len, const char *oid, size_t oid_len)
{
	size_t	 at;

	if (len < 4 || p[0] != 0x30)
		return false;
	at = 2 + (p[1] > 0x80 ? (size_t)(p[1] & 0x7f) : 0);
	return at + oid_len <= len && memcmp(p + at, oid, oid_len) == 0;
}

static bool
holds(enum mail_kind kind, const uint8_t *p, size_t len)
{
	static const char	 signed_data[] =
	    "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
	static const char	 enveloped_data[] =
	    "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03";
	static const char	 auth_enveloped_data[] =
	    "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17";

	if (kind == MAIL_SIGNED_OPAQUE)
		return is_content_info(p, len, signed_data,
		    sizeof(signed_data) - 1);
	return is_content_info(p, len, enveloped_data,
	    sizeof(enveloped_data) - 1) ||
	    is_content_info(p, len, auth_enveloped_data,
	    sizeof(auth_enveloped_data) - 1);
}

static bool
has_armour(struct span text, const char *line)
{
	const uint8_t	*p = text.data, *end = text.data + text.len;
	size_t		 len = strlen(line);

	while ((p = memmem(p, (size_t)(end - p), line, len)) != NULL) {
		if (p == text.data || p[-1] == '\n')
			return true;
		p += len;
	}
	return false;
}

/* In the text that a reader shows first. */
static bool
is_inline_pgp(const struct headers *headers, const uint8_t *body, size_t len)
{
	struct buf	 header = { 0 };
	struct entity	*top, *leaf;
	struct err	 err;
	bool		 found = false;

	for (size_t i = 0; i < headers_count(headers); i++) {
		const struct header	*field = headers_at(headers, i);

		if (headers_is_content(field->name))
			headers_write(&header, field->name, field->value);
	}
	if (len > INLINE_SEARCH_MAX)
		len = INLINE_SEARCH_MAX;
	if (!header.failed && entity_parse(
	    (struct span){ header.data, header.len },
	    (struct span){ body, len }, &top, &err)) {
		leaf = top;
		while (leaf->first != NULL)
			leaf = leaf->first;
		found = content_type_under(leaf->type, "text/") &&
		    (has_armour(leaf->body, "-----BEGIN PGP MESSAGE-----") ||
		    has_armour(leaf->body,
		    "-----BEGIN PGP SIGNED MESSAGE-----"));
		entity_free(top);
	}
	buf_free(&header);
	return found;
}

void
detect_body(const struct headers *headers, const uint8_t *body, size_t len,
    struct detected *detected)
{
	uint8_t	 first[48];

	if (detected->kind == MAIL_ENCRYPTED ||
	    detected->kind == MAIL_SIGNED_OPAQUE) {
		len = first_bytes(headers, body, len, first);
		if (!holds(detected->kind, first, len))
			detected->kind = MAIL_SMIME_OTHER;
	} else if (detected->kind == MAIL_PLAIN) {
		if (is_inline_pgp(headers, body, len))
			detected->kind = MAIL_PGP_INLINE;
	}
}

const char *
detect_name(enum mail_kind kind)
{
	switch (kind) {
	case MAIL_PLAIN:
		return "plain";
	case MAIL_SIGNED:
		return "signed";
	case MAIL_SIGNED_OPAQUE:
		return "signed (opaque)";
	case MAIL_ENCRYPTED:
		return "encrypted";
	case MAIL_SMIME_OTHER:
		return "other S/MIME";
	case MAIL_PGP_SIGNED:
		return "signed (not S/MIME)";
	case MAIL_PGP_ENCRYPTED:
		return "encrypted (OpenPGP)";
	case MAIL_PGP_INLINE:
		return "inline OpenPGP";
	}
	return "unknown";
}

const char *
detect_left_alone(enum mail_kind kind)
{
	switch (kind) {
	case MAIL_SMIME_OTHER:
		return "S/MIME already";
	case MAIL_PGP_ENCRYPTED:
		return "encrypted with OpenPGP";
	case MAIL_PGP_INLINE:
		return "inline OpenPGP";
	case MAIL_PLAIN:
	case MAIL_SIGNED:
	case MAIL_SIGNED_OPAQUE:
	case MAIL_ENCRYPTED:
	case MAIL_PGP_SIGNED:
		break;
	}
	return NULL;
}

bool
detect_is_signed(enum mail_kind kind)
{
	return kind == MAIL_SIGNED || kind == MAIL_SIGNED_OPAQUE ||
	    kind == MAIL_PGP_SIGNED;
}

bool
detect_is_encrypted(enum mail_kind kind)
{
	return kind == MAIL_ENCRYPTED;
}
