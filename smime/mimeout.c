/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/mem.h"
#include "smime/headers.h"
#include "smime/mimeout.h"

#define BOUNDARY_RANDOM	24	/* bytes, which make 32 characters */
#define BOUNDARY_TRIES	16

void
mimeout_clear(struct mime_made *made)
{
	free(made->content_type);
	free(made->encoding);
	free(made->disposition);
	pieces_free(made->body);
	memset(made, 0, sizeof(*made));
}

/* Looks at the lines of an entity that could pass for a delimiter. */
struct search {
	const char	*boundary;
	char		 head[MIMEOUT_BOUNDARY_LEN + 2];	/* of this line */
	size_t		 n;
	bool		 is_other;	/* this line does not begin with "--" */
	bool		 has_beginning;	/* a line is the boundary's beginning */
	bool		 has_boundary;	/* a line begins with the boundary */
};

static void
end_line(struct search *search)
{
	const char	*text = search->head + 2;
	size_t		 n = search->n, len;

	if (!search->is_other && n > 2) {
		for (n -= 2; n > 0 && strchr(" \t\r", text[n - 1]); n--)
			;
		len = strlen(search->boundary);
		if (n >= len && memcmp(text, search->boundary, len) == 0)
			search->has_boundary = true;
		if (n > 0 && n < len && memcmp(text, search->boundary, n) == 0)
			search->has_beginning = true;
	}
	search->n = 0;
	search->is_other = false;
}

/*
 * From inside a line that does not count to the next that could, which begins
 * with "-", or else the last one that begins here; NULL: none does.  Base64
 * has no "-", so that most of a large mail is passed at one go.
 */
static const uint8_t *
next_line(const uint8_t *p, const uint8_t *end)
{
	const uint8_t	*line = NULL, *dash, *lf;

	while ((dash = memchr(p, '-', (size_t)(end - p))) != NULL) {
		if (dash == p ? line == p : dash[-1] == '\n')
			return dash;
		lf = memchr(dash, '\n', (size_t)(end - dash));
		if (lf == NULL)
			return NULL;
		line = p = lf + 1;
	}
	lf = memrchr(p, '\n', (size_t)(end - p));
	return lf == NULL ? line : lf + 1;
}

static bool
search_run(void *arg, const uint8_t *p, size_t len, struct err *err)
{
	struct search	*search = arg;
	const uint8_t	*end = p + len, *next;

	(void)err;
	while (p < end) {
		while (p < end && *p != '\n' && !search->is_other &&
		    search->n < sizeof(search->head)) {
			if (search->n < 2 && *p != '-')
				search->is_other = true;
			search->head[search->n++] = (char)*p++;
		}
		if (search->is_other)
			next = next_line(p, end);
		else if ((next = memchr(p, '\n', (size_t)(end - p))) != NULL)
			next++;
		if (next == NULL)
			break;
		end_line(search);
		p = next;
	}
	return true;
}

bool
mimeout_boundary(const struct pieces *entity, char out[MIMEOUT_BOUNDARY_LEN],
    struct err *err)
{
	uint8_t	 random[BOUNDARY_RANDOM];
	char	 text[BOUNDARY_RANDOM / 3 * 4 + 1];

	for (int i = 0; i < 2 * BOUNDARY_TRIES; i++) {
		struct search	 search = { .boundary = out };

		if (RAND_bytes(random, sizeof(random)) != 1)
			return err_openssl(err, ERR_TEMP,
			    "make a MIME boundary: no random bytes");
		EVP_EncodeBlock((unsigned char *)text, random, sizeof(random));
		/* Legal without quotes: no "/" and "+" (RFC 2045, 5.1). */
		for (char *p = text; *p != '\0'; p++) {
			if (*p == '/' || *p == '+')
				*p = *p == '/' ? '.' : '_';
		}
		snprintf(out, MIMEOUT_BOUNDARY_LEN, "%sSMIME", text);
		if (!pieces_walk(entity, search_run, &search, err))
			return false;
		end_line(&search);
		/* A mail may be made to begin in all ways; then do without. */
		if (!search.has_boundary &&
		    (!search.has_beginning || i >= BOUNDARY_TRIES))
			return true;
	}
	return err_set(err, ERR_BUG, "no MIME boundary fits the mail");
}

bool
mimeout_signed_take(struct pieces *entity, const char *micalg,
    struct buf *signed_data, struct mime_made *out, struct err *err)
{
	char		 boundary[MIMEOUT_BOUNDARY_LEN];
	char		*text;
	struct pieces	*signature;

	memset(out, 0, sizeof(*out));
	if (!mimeout_boundary(entity, boundary, err)) {
		pieces_free(entity);
		buf_free(signed_data);
		return false;
	}
	out->content_type = mem_strf(" multipart/signed;"
	    " protocol=\"application/pkcs7-signature\";\n\tmicalg=%s;"
	    " boundary=\"%s\"", micalg, boundary);
	out->body = pieces_new();
	text = mem_strf("--%s\r\n", boundary);
	pieces_add_str(out->body, text);
	free(text);
	pieces_append_take(out->body, entity);
	text = mem_strf("\r\n--%s\r\n"
	    "Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment; filename=\"smime.p7s\"\r\n"
	    "Content-Description: S/MIME Cryptographic Signature\r\n"
	    "\r\n", boundary);
	pieces_add_str(out->body, text);
	free(text);
	signature = pieces_new();
	pieces_add_take(signature, signed_data);
	pieces_add_base64_take(out->body, signature);
	text = mem_strf("--%s--\r\n", boundary);
	pieces_add_str(out->body, text);
	free(text);
	return true;
}

void
mimeout_pkcs7_take(struct pieces *der, const char *smime_type,
    struct mime_made *out)
{
	memset(out, 0, sizeof(*out));
	out->content_type = mem_strf(" application/pkcs7-mime;"
	    " smime-type=%s;\n\tname=\"smime.p7m\"", smime_type);
	out->encoding = mem_str(" base64");
	out->disposition = mem_str(" attachment; filename=\"smime.p7m\"");
	out->body = pieces_new();
	pieces_add_base64_take(out->body, der);
}

struct pieces *
mimeout_entity_take(struct mime_made *made)
{
	struct pieces	*entity = pieces_new();
	struct buf	 header = { 0 };

	headers_write(&header, "Content-Type", made->content_type);
	if (made->encoding != NULL)
		headers_write(&header, "Content-Transfer-Encoding",
		    made->encoding);
	if (made->disposition != NULL)
		headers_write(&header, "Content-Disposition",
		    made->disposition);
	buf_adds(&header, "\r\n");
	pieces_add_take(entity, &header);
	pieces_append_take(entity, made->body);
	made->body = NULL;
	mimeout_clear(made);
	return entity;
}
