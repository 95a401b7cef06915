/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>

#include "base/mem.h"
#include "smime/transform.h"

/* The hash that was made while the mail came, if it fits, else a new one. */
static bool
hash_entity(const struct transform_request *request,
    const struct canon *canon, uint8_t hash[DIGEST_LEN_MAX], struct err *err)
{
	if (canon->is_whole && request->hash != NULL &&
	    sign_hash_digest(request->hash) == request->digest)
		return sign_hash_end(request->hash, hash, err);
	return sign_hash_pieces(canon->entity, request->digest, hash, err);
}

static bool
sign(const struct transform_request *request, struct transform_result *result,
    struct mime_made *made, struct err *err)
{
	uint8_t		 hash[DIGEST_LEN_MAX];
	struct buf	 signed_data = { 0 };
	struct canon	 canon;
	struct pieces	*entity;
	unsigned	 seen;

	seen = request->scan != NULL ? scan_end(request->scan) :
	    scan_bytes(request->body, request->body_len);
	if (!canon_entity(request->headers, request->body, request->body_len,
	    seen, &canon, err))
		return false;
	result->how = canon.how;
	snprintf(result->why, sizeof(result->why), "%s", canon.why);
	if (!hash_entity(request, &canon, hash, err) ||
	    !request->signer(request->signer_arg, request->digest, hash,
	    &signed_data, err)) {
		buf_free(&signed_data);
		canon_clear(&canon);
		return false;
	}
	entity = canon.entity;
	canon.entity = NULL;
	canon_clear(&canon);
	if (request->format == TRANSFORM_OPAQUE || result->how == CANON_OPAQUE)
		return sign_opaque_take(entity, &signed_data, request->digest,
		    hash, made, err);
	return sign_detached_take(entity, &signed_data, request->digest, hash,
	    made, err);
}

static bool
encrypt(const struct transform_request *request,
    struct transform_result *result, struct mime_made *made, struct err *err)
{
	struct pieces	*entity;

	entity = request->sign ? mimeout_entity_take(made) :
	    canon_as_is(request->headers, request->body, request->body_len);
	return encrypt_take(entity, request->recipients,
	    request->n_recipients, &request->options, made, &result->cipher,
	    err);
}

static void
set_take(struct transform_result *result, const char *name, char **value)
{
	if (*value == NULL)
		return;
	result->set[result->n_set].name = name;
	result->set[result->n_set].value = *value;
	result->n_set++;
	*value = NULL;
}

static bool
is_settled(const struct transform_result *result, const char *name)
{
	for (size_t i = 0; i < result->n_set; i++) {
		if (strcasecmp(result->set[i].name, name) == 0)
			return true;
	}
	for (size_t i = 0; i < result->n_remove; i++) {
		if (strcasecmp(result->remove[i], name) == 0)
			return true;
	}
	return false;
}

/*
 * All that moved inside goes, whatever its name; so does a Bcc that a mail
 * client left in: the mail is in our hands, and shall not tell.
 */
static void
list_removals(const struct headers *headers, struct transform_result *result)
{
	for (size_t i = 0; i < headers_count(headers); i++) {
		const char	*name = headers_at(headers, i)->name;

		if (!headers_is_content(name) && strcasecmp(name, "Bcc") != 0)
			continue;
		if (is_settled(result, name))
			continue;
		result->remove = mem_grow(result->remove, result->n_remove + 1,
		    sizeof(*result->remove));
		result->remove[result->n_remove++] = mem_str(name);
	}
}

bool
transform_mail(const struct transform_request *request,
    struct transform_result **out, struct err *err)
{
	struct transform_result	*result = mem_alloc(sizeof(*result));
	struct mime_made	 made = { 0 };
	char			*version;

	/* The queue is the thread's, and another's errors may be in it. */
	ERR_clear_error();
	if (!request->sign && !request->encrypt) {
		err_set(err, ERR_BUG, "neither to sign nor to encrypt");
		goto fail;
	}
	if (request->sign && !sign(request, result, &made, err))
		goto fail;
	if (request->encrypt && !encrypt(request, result, &made, err))
		goto fail;
	version = mem_str(" 1.0");
	set_take(result, "MIME-Version", &version);
	set_take(result, "Content-Type", &made.content_type);
	set_take(result, "Content-Transfer-Encoding", &made.encoding);
	set_take(result, "Content-Disposition", &made.disposition);
	list_removals(request->headers, result);
	result->body = made.body;
	made.body = NULL;
	mimeout_clear(&made);
	*out = result;
	return true;
fail:
	mimeout_clear(&made);
	transform_result_free(result);
	return false;
}

void
transform_result_free(struct transform_result *result)
{
	if (result == NULL)
		return;
	for (size_t i = 0; i < result->n_remove; i++)
		free(result->remove[i]);
	free(result->remove);
	for (size_t i = 0; i < result->n_set; i++)
		free(result->set[i].value);
	pieces_free(result->body);
	free(result);
}
