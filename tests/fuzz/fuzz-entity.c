/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Input: a mail.  The parts that are found cover its bytes without gap or
 * overlap, in order.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "smime/entity.h"
#include "tests/lib/seal.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const uint8_t *
cover(struct span span, const uint8_t *at)
{
	if (span.len == 0)
		return at;
	if (span.data != at)
		abort();
	return at + span.len;
}

static const uint8_t *
walk(const struct entity *entity, const uint8_t *at)
{
	if (entity->parent != NULL) {
		at = cover(entity->delimiter, at);
		at = cover(entity->header, at);
		at = cover(entity->gap, at);
	}
	if (entity->first == NULL)
		return cover(entity->body, at);
	at = cover(entity->preamble, at);
	for (const struct entity *e = entity->first; e != NULL; e = e->next)
		at = walk(e, at);
	at = cover(entity->close, at);
	return cover(entity->epilogue, at);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct seal_mail	 mail;
	struct entity		*top;
	struct buf		 header = { 0 };
	struct err		 err;

	if (!seal_mail_read(data, len, true, &mail, &err))
		return 0;
	canon_header(mail.headers, &header);
	if (entity_parse((struct span){ header.data, header.len - 2 },
	    (struct span){ mail.body, mail.body_len }, &top, &err)) {
		if (mail.body_len > 0 &&
		    walk(top, mail.body) != mail.body + mail.body_len)
			abort();
		entity_free(top);
	}
	buf_free(&header);
	seal_mail_clear(&mail);
	return 0;
}
