/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/addr.h"
#include "base/mem.h"
#include "milter/stamp.h"

#define VERSION_TEXT	"v=1; t="
#define MAC_LEN		32
/* Three words in base64, two digests, and what stands between. */
#define TEXT_MAX	(3 * (STAMP_WORD_MAX / 3 + 1) * 4 + 200)

/* --- what must not change --------------------------------------------------- */

static bool
is_bound(const char *name)
{
	static const char *const	 names[] = { "From", "Sender", "To",
	    "Cc", "Subject", "Date", "Message-ID" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return headers_is_content(name);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/*
 * Name, colon, value, line end.  A value's line ends are followed by white
 * space and a name does not begin with it, so two mails with the same
 * digest have the same fields.
 */
static bool
add_field(EVP_MD_CTX *md, const struct header *h)
{
	char		*name = mem_str(h->name);
	const char	*value = h->value;
	size_t		 len;
	bool		 is_ok;

	for (char *p = name; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	while (is_blank(*value))
		value++;
	len = strlen(value);
	while (len > 0 && is_blank(value[len - 1]))
		len--;
	is_ok = EVP_DigestUpdate(md, name, strlen(name)) == 1 &&
	    EVP_DigestUpdate(md, ":", 1) == 1 &&
	    EVP_DigestUpdate(md, value, len) == 1 &&
	    EVP_DigestUpdate(md, "\n", 1) == 1;
	free(name);
	return is_ok;
}

static bool
add_mail(EVP_MD_CTX *md, const struct headers *headers, const uint8_t *body,
    size_t body_len)
{
	for (size_t i = 0; i < headers_count(headers); i++)
		if (is_bound(headers_at(headers, i)->name) &&
		    !add_field(md, headers_at(headers, i)))
			return false;
	while (body_len > 0 && (body[body_len - 1] == '\n' ||
	    body[body_len - 1] == '\r'))
		body_len--;
	return EVP_DigestUpdate(md, "\n", 1) == 1 &&
	    EVP_DigestUpdate(md, body, body_len) == 1;
}

bool
stamp_digest(const struct headers *headers, const uint8_t *body,
    size_t body_len, uint8_t out[STAMP_DIGEST_LEN], struct err *err)
{
	EVP_MD_CTX	*md = EVP_MD_CTX_new();
	bool		 is_ok;

	is_ok = md != NULL &&
	    EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
	    add_mail(md, headers, body, body_len) &&
	    EVP_DigestFinal_ex(md, out, NULL) == 1;
	if (!is_ok)
		err_openssl(err, ERR_TEMP, "digest a mail for its stamp");
	EVP_MD_CTX_free(md);
	return is_ok;
}

/* --- words ---------------------------------------------------------------------- */

static const char	 alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	"abcdefghijklmnopqrstuvwxyz0123456789-_";

/* base64url without padding (RFC 4648, section 5). */
static void
add_base64(struct buf *out, const void *data, size_t len)
{
	const uint8_t	*p = data;

	for (size_t i = 0; i < len; i += 3) {
		uint32_t	 group = (uint32_t)p[i] << 16;
		size_t		 n = len - i < 3 ? len - i : 3;

		if (n > 1)
			group |= (uint32_t)p[i + 1] << 8;
		if (n > 2)
			group |= p[i + 2];
		for (size_t k = 0; k <= n; k++)
			buf_addc(out, alphabet[group >> (18 - 6 * k) & 63]);
	}
}

static bool
add_word(struct buf *out, const char *name, const char *word, struct err *err)
{
	size_t	 len = word == NULL ? 0 : strlen(word);

	if (len > STAMP_WORD_MAX)
		return err_set(err, ERR_MESSAGE, "the %s has %zu bytes, more "
		    "than the %d that a stamp holds", name, len,
		    STAMP_WORD_MAX);
	buf_addf(out, "; %c=", name[0]);
	add_base64(out, word, len);
	return true;
}

static char
wish_letter(enum wish wish)
{
	return wish == WISH_YES ? 'y' : wish == WISH_NO ? 'n' : '-';
}

/* All but the MAC. */
static bool
add_contents(struct buf *out, const struct stamp *stamp, struct err *err)
{
	buf_addf(out, "%s%lld", VERSION_TEXT, (long long)stamp->time);
	if (!add_word(out, "login", stamp->login, err) ||
	    !add_word(out, "client", stamp->client, err) ||
	    !add_word(out, "sender", stamp->sender, err))
		return false;
	buf_addf(out, "; w=%c%c; e=%d; d=", wish_letter(stamp->sign),
	    wish_letter(stamp->encrypt), stamp->was_encryptable ? 1 : 0);
	add_base64(out, stamp->digest, sizeof(stamp->digest));
	return buf_ok(out, "a stamp", err);
}

/* The field's name goes first: a key for stamps makes nothing else. */
static bool
make_mac(const void *text, size_t len, const uint8_t key[STAMP_KEY_LEN],
    uint8_t mac[MAC_LEN], struct err *err)
{
	struct buf	 in = { 0 };
	bool		 is_ok;

	buf_adds(&in, STAMP_FIELD ":");
	buf_add(&in, text, len);
	is_ok = buf_ok(&in, "a stamp", err);
	if (is_ok && HMAC(EVP_sha256(), key, STAMP_KEY_LEN, in.data, in.len,
	    mac, NULL) == NULL)
		is_ok = err_openssl(err, ERR_TEMP, "HMAC");
	buf_free(&in);
	return is_ok;
}

bool
stamp_make(const struct stamp *stamp, const uint8_t key[STAMP_KEY_LEN],
    char **out, struct err *err)
{
	struct buf	 text = { 0 };
	uint8_t		 mac[MAC_LEN];

	if (!add_contents(&text, stamp, err) ||
	    !make_mac(text.data, text.len, key, mac, err)) {
		buf_free(&text);
		return false;
	}
	buf_adds(&text, "; m=");
	add_base64(&text, mac, sizeof(mac));
	*out = buf_take_str(&text);
	return true;
}

/* --- reading one ------------------------------------------------------------------- */

static bool
take_text(const char **p, const char *text)
{
	size_t	 len = strlen(text);

	if (strncmp(*p, text, len) != 0)
		return false;
	*p += len;
	return true;
}

/* As many bytes as there are, at most max; -1: it is no base64url of ours. */
static int
take_base64(const char **p, uint8_t *out, size_t max)
{
	size_t		 n = 0;
	unsigned	 bits = 0;
	uint32_t	 group = 0;

	for (;; (*p)++) {
		const char	*at = **p == '\0' ? NULL :
				    strchr(alphabet, **p);

		if (at == NULL)
			break;
		group = group << 6 | (uint32_t)(at - alphabet);
		bits += 6;
		if (bits < 8)
			continue;
		if (n == max)
			return -1;
		bits -= 8;
		out[n++] = (uint8_t)(group >> bits);
	}
	return (int)n;
}

/* NULL in *out for an empty word; words hold no NUL. */
static bool
take_word(const char **p, const char *name, char **out)
{
	uint8_t	 word[STAMP_WORD_MAX];
	int	 len;

	if (!take_text(p, name) ||
	    (len = take_base64(p, word, sizeof(word))) == -1 ||
	    memchr(word, '\0', (size_t)len) != NULL)
		return false;
	if (len > 0)
		*out = mem_strn((const char *)word, (size_t)len);
	return true;
}

static bool
take_wish(const char **p, enum wish *out)
{
	if (**p != 'y' && **p != 'n' && **p != '-')
		return false;
	*out = **p == 'y' ? WISH_YES : **p == 'n' ? WISH_NO : WISH_NONE;
	(*p)++;
	return true;
}

static bool
take_time(const char **p, int64_t *out)
{
	int	 n = 0;

	for (*out = 0; **p >= '0' && **p <= '9' && n < 15; n++, (*p)++)
		*out = *out * 10 + (**p - '0');
	return n > 0;
}

static bool
take_contents(const char **p, struct stamp *out)
{
	if (!take_text(p, VERSION_TEXT) || !take_time(p, &out->time) ||
	    !take_word(p, "; l=", &out->login) ||
	    !take_word(p, "; c=", &out->client) ||
	    !take_word(p, "; s=", &out->sender) ||
	    !take_text(p, "; w=") || !take_wish(p, &out->sign) ||
	    !take_wish(p, &out->encrypt) || !take_text(p, "; e="))
		return false;
	if (**p != '0' && **p != '1')
		return false;
	out->was_encryptable = **p == '1';
	(*p)++;
	if (out->sender == NULL)
		out->sender = mem_str("");
	return take_text(p, "; d=") && take_base64(p, out->digest,
	    sizeof(out->digest)) == (int)sizeof(out->digest);
}

/*
 * What was read, written again, has to be what was read: base64 has bits to
 * spare and numbers have leading zeros.
 */
static bool
parse(const char *text, struct stamp *out, uint8_t mac[MAC_LEN],
    size_t *len, struct err *err)
{
	struct buf	 again = { 0 };
	const char	*p = text;
	struct err	 ignored;
	bool		 is_ok;

	is_ok = strlen(text) <= TEXT_MAX && take_contents(&p, out);
	*len = (size_t)(p - text);
	is_ok = is_ok && take_text(&p, "; m=") &&
	    take_base64(&p, mac, MAC_LEN) == MAC_LEN && *p == '\0' &&
	    add_contents(&again, out, &ignored);
	if (is_ok) {
		buf_adds(&again, "; m=");
		add_base64(&again, mac, MAC_LEN);
		is_ok = again.len == strlen(text) &&
		    memcmp(again.data, text, again.len) == 0;
	}
	buf_free(&again);
	return is_ok || err_set(err, ERR_MESSAGE,
	    "the stamp is not one of ours: it is not written as we do");
}

/*
 * By the present key, or by a former one before it was replaced.  All are
 * tried, and each is compared in constant time.
 */
static bool
check_mac(const char *text, size_t len, const uint8_t mac[MAC_LEN],
    const struct stamp_keys *keys, int64_t made, struct err *err)
{
	const struct stamp_key	*found = NULL;
	uint8_t			 wanted[MAC_LEN];

	for (size_t i = 0; i < keys->n; i++) {
		if (!make_mac(text, len, keys->list[i].bytes, wanted, err))
			return false;
		if (CRYPTO_memcmp(mac, wanted, MAC_LEN) == 0)
			found = &keys->list[i];
	}
	if (found == NULL)
		return err_set(err, ERR_MESSAGE, "the stamp was altered, or "
		    "it was not made here");
	if (found->retired != 0 && made > found->retired + STAMP_SKEW)
		return err_set(err, ERR_MESSAGE, "the stamp was made with a "
		    "former key, after that was replaced");
	return true;
}

static bool
check_age(int64_t made, int64_t now, int64_t lifetime, struct err *err)
{
	if (now - made > lifetime)
		return err_set(err, ERR_MESSAGE, "the stamp is %lld seconds "
		    "old, more than stamp-lifetime allows",
		    (long long)(now - made));
	return true;
}

/* It is ours, but the clock was set back in between: it comes there again. */
static bool
check_ahead(int64_t made, int64_t now, struct err *err)
{
	return made <= now + STAMP_SKEW || err_set(err, ERR_TEMP, "the stamp "
	    "is %lld seconds ahead of the clock", (long long)(made - now));
}

/*
 * Between the passes the MTA writes a sender in its own way: without needless
 * quotes, a source route or a dot at the end.
 */
static bool
is_same_sender(const char *a, const char *b)
{
	char		 one[ADDR_MAX], other[ADDR_MAX];
	struct err	 ignored;

	if (strcasecmp(a, b) == 0)
		return true;
	return addr_normalise(a, strlen(a), one, &ignored) &&
	    addr_normalise(b, strlen(b), other, &ignored) &&
	    strcmp(one, other) == 0;
}

bool
stamp_check(const struct stamp_query *query, const struct stamp_keys *keys,
    int64_t now, int64_t lifetime, struct stamp *out, struct err *err)
{
	uint8_t	 mac[MAC_LEN];
	size_t	 len;

	memset(out, 0, sizeof(*out));
	if (!parse(query->text, out, mac, &len, err) ||
	    !check_mac(query->text, len, mac, keys, out->time, err) ||
	    !check_age(out->time, now, lifetime, err))
		goto fail;
	if (!is_same_sender(out->sender, query->sender)) {
		err_set(err, ERR_MESSAGE,
		    "the stamp is for another envelope sender");
		goto fail;
	}
	if (CRYPTO_memcmp(out->digest, query->digest,
	    STAMP_DIGEST_LEN) != 0) {
		err_set(err, ERR_MESSAGE, "the stamp is for another mail, or "
		    "the mail was changed after it");
		goto fail;
	}
	if (check_ahead(out->time, now, err))
		return true;
fail:
	stamp_clear(out);
	return false;
}

void
stamp_clear(struct stamp *stamp)
{
	free(stamp->login);
	free(stamp->client);
	free(stamp->sender);
	memset(stamp, 0, sizeof(*stamp));
}
