/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "milter/log.h"
#include "milter/vault_record.h"
#include "store/custody.h"

static void
add_text(struct buf *line, const char *name, const char *text)
{
	char	*safe;

	if (text == NULL)
		return;
	safe = text_safe(text, strlen(text), 256);
	buf_addf(line, " %s=<%s>", name, safe);
	free(safe);
}

void
vault_record(const struct sign_request *request, const char *reason)
{
	struct buf	 line = { 0 };
	char		 fp[TEXT_FP_LEN], hash[2 * DIGEST_LEN_MAX + 1];
	const char	*id = request->queue_id;
	char		*text;

	text = text_safe(id == NULL ? "NOQUEUE" : id,
	    id == NULL ? 7 : strlen(id), 64);
	text_fp(&request->fp, fp);
	text_hex(request->hash, alg_digest_len(request->digest), hash);
	buf_addf(&line, "%s: vault=refused cert=%.8s", text, fp);
	free(text);
	add_text(&line, "login", request->login);
	add_text(&line, "client", request->client);
	add_text(&line, "from", request->from);
	buf_addf(&line, " %s=%s", alg_digest_name(request->digest), hash);
	text = text_safe(reason, strlen(reason), 600);
	buf_addf(&line, " reason=\"%s\"", text);
	free(text);
	text = buf_take_str(&line);
	log_line(LOG_WARNING, "%s", text);
	free(text);
}
