/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <idn2.h>

#include "base/addr.h"
#include "base/mem.h"
#include "base/text.h"

#define LOCAL_MAX	64	/* RFC 5321, section 4.5.3.1.1 */
#define DOMAIN_MAX	255
#define LABEL_MAX	63	/* RFC 1035, section 2.3.4 */

static bool
refuse(const char *in, size_t len, const char *why, struct err *err)
{
	char	*shown = text_safe(in, len, 80);

	err_set(err, ERR_MESSAGE, "\"%s\" is no mail address: %s", shown, why);
	free(shown);
	return false;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
is_atext(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || (c & 0x80) != 0 ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

/*
 * Take the quotes off where the content needs none, so that "a.b"@x and
 * a.b@x are one address.  What needs quotes keeps them.
 */
static bool
copy_local(const char *in, size_t len, char *out, size_t *out_len)
{
	bool	 is_quoted = len >= 2 && in[0] == '"' && in[len - 1] == '"';
	bool	 needs_quotes = false;
	char	 plain[LOCAL_MAX + 1];
	size_t	 n = 0, o = 0;

	if (is_quoted) {
		in++;
		len -= 2;
	}
	for (size_t i = 0; i < len; i++) {
		if (is_quoted && in[i] == '"')
			return false;
		if (is_quoted && in[i] == '\\' && ++i == len)
			return false;
		if (!is_atext(in[i])) {
			if (!is_quoted)
				return false;
			needs_quotes = true;
		}
		if (n == LOCAL_MAX)
			return false;
		plain[n++] = lower(in[i]);
	}
	if (n == 0 || plain[0] == '.' || plain[n - 1] == '.')
		needs_quotes = true;
	for (size_t i = 1; i < n; i++)
		if (plain[i] == '.' && plain[i - 1] == '.')
			needs_quotes = true;
	/*
	 * Leading, trailing and doubled dots are no dot-atom, yet some mail
	 * systems give out such addresses; without quotes they are kept as is.
	 */
	if (needs_quotes && is_quoted)
		out[o++] = '"';
	for (size_t i = 0; i < n; i++) {
		if (plain[i] == '"' || plain[i] == '\\')
			out[o++] = '\\';
		out[o++] = plain[i];
	}
	if (needs_quotes && is_quoted)
		out[o++] = '"';
	*out_len = o;
	return n > 0;
}

static bool
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	    c == '_';
}

/* An IPv4 or IPv6 literal: kept as it is, in lower case. */
static bool
copy_literal(const char *in, size_t len, char *out)
{
	if (len < 3 || in[len - 1] != ']')
		return false;
	for (size_t i = 0; i < len; i++) {
		out[i] = lower(in[i]);
		if (i > 0 && i < len - 1 && !is_word(out[i]) &&
		    out[i] != '.' && out[i] != ':')
			return false;
	}
	out[len] = '\0';
	return true;
}

/* Labels of letters, digits, "-" and "_" (which exists), 63 at most. */
static bool
is_ascii_domain(const char *s)
{
	size_t	 label = 0;

	for (; *s != '\0'; s++) {
		if (*s == '.' ? label == 0 : !is_word(*s))
			return false;
		label = *s == '.' ? 0 : label + 1;
		if (label > LABEL_MAX)
			return false;
	}
	return label > 0;
}

static bool
copy_domain(const char *in, size_t len, char *out)
{
	char	 name[DOMAIN_MAX + 1];
	char	*ascii = NULL;
	bool	 is_ascii = true, is_good;

	if (len > 0 && in[len - 1] == '.')
		len--;
	if (len == 0 || len > DOMAIN_MAX)
		return false;
	if (in[0] == '[')
		return copy_literal(in, len, out);
	for (size_t i = 0; i < len; i++) {
		if ((in[i] & 0x80) != 0)
			is_ascii = false;
		name[i] = lower(in[i]);
	}
	name[len] = '\0';
	if (is_ascii) {
		memcpy(out, name, len + 1);
		return is_ascii_domain(out);
	}
	if (idn2_to_ascii_8z(name, &ascii, IDN2_NONTRANSITIONAL |
	    IDN2_NFC_INPUT) != IDN2_OK)
		return false;
	/* What IDNA maps to ASCII may be a fullwidth "@" or a blank. */
	is_good = strlen(ascii) <= DOMAIN_MAX && is_ascii_domain(ascii);
	if (is_good)
		strcpy(out, ascii);
	idn2_free(ascii);
	return is_good;
}

/* The "@" between local part and domain: the only one outside quotes. */
static const char *
find_at(const char *in, size_t len)
{
	const char	*at = NULL;
	bool		 in_quotes = false;

	for (size_t i = 0; i < len; i++) {
		if (in[i] == '\\' && in_quotes)
			i++;
		else if (in[i] == '"')
			in_quotes = !in_quotes;
		else if (in[i] == '@' && !in_quotes) {
			if (at != NULL)
				return NULL;
			at = in + i;
		}
	}
	return in_quotes ? NULL : at;
}

/* C0, DEL, and C1 in UTF-8. */
static bool
has_control(const char *in, size_t len)
{
	const unsigned char	*p = (const unsigned char *)in;

	for (size_t i = 0; i < len; i++)
		if (p[i] < 0x20 || p[i] == 0x7f || (p[i] == 0xc2 &&
		    i + 1 < len && p[i + 1] >= 0x80 && p[i + 1] < 0xa0))
			return true;
	return false;
}

bool
addr_normalise(const char *in, size_t len, char out[ADDR_MAX], struct err *err)
{
	const char	*whole = in, *at, *colon;
	size_t		 whole_len = len, local_len;

	if (len >= 2 && in[0] == '<' && in[len - 1] == '>') {
		in++;
		len -= 2;
	}
	/* A source route (RFC 5321, appendix C) is skipped. */
	if (len > 0 && in[0] == '@' &&
	    (colon = memchr(in, ':', len)) != NULL) {
		len -= (size_t)(colon + 1 - in);
		in = colon + 1;
	}
	if (len == 0)
		return refuse(whole, whole_len, "it is empty", err);
	if (has_control(in, len))
		return refuse(whole, whole_len, "it holds a control character",
		    err);
	if (!text_is_utf8(in, len))
		return refuse(whole, whole_len, "it is not UTF-8", err);
	if ((at = find_at(in, len)) == NULL)
		return refuse(whole, whole_len,
		    "one \"@\" between local part and domain is wanted", err);
	/* Quotes and escapes may take up to twice the local part's bytes. */
	if (at - in > 2 * LOCAL_MAX + 2 ||
	    !copy_local(in, (size_t)(at - in), out, &local_len))
		return refuse(whole, whole_len,
		    "its local part is empty, too long or malformed", err);
	out[local_len] = '@';
	if (!copy_domain(at + 1, len - (size_t)(at + 1 - in),
	    out + local_len + 1))
		return refuse(whole, whole_len, "its domain is malformed", err);
	return true;
}

const char *
addr_domain(const char *normalised)
{
	const char	*at = strrchr(normalised, '@');

	return at == NULL ? "" : at + 1;
}

bool
addr_without_tag(const char *normalised, const char *delimiters,
    char out[ADDR_MAX])
{
	const char	*at = strrchr(normalised, '@');
	size_t		 len = strcspn(normalised, delimiters);

	if (at == NULL || normalised[0] == '"' || len == 0 ||
	    len >= (size_t)(at - normalised))
		return false;
	memcpy(out, normalised, len);
	strcpy(out + len, at);
	return true;
}

bool
addr_is_member(const char *normalised, const char *member)
{
	const char	*domain = addr_domain(normalised), *wanted;
	size_t		 domain_len = strlen(domain), wanted_len;

	if (member[0] != '@')
		return strcmp(normalised, member) == 0;
	wanted = member + 1;
	if (wanted[0] != '.')
		return strcmp(domain, wanted) == 0;
	wanted_len = strlen(wanted);
	if (strcmp(domain, wanted + 1) == 0)
		return true;
	return domain_len > wanted_len &&
	    strcmp(domain + domain_len - wanted_len, wanted) == 0;
}

bool
addr_member_normalise(const char *in, char out[ADDR_MAX], struct err *err)
{
	const char	*prefix = strncmp(in, "@.", 2) == 0 ? "@." : "@";

	if (in[0] != '@')
		return addr_normalise(in, strlen(in), out, err);
	strcpy(out, prefix);
	if (!copy_domain(in + strlen(prefix), strlen(in) - strlen(prefix),
	    out + strlen(prefix)))
		return refuse(in, strlen(in), "its domain is malformed", err);
	return true;
}
