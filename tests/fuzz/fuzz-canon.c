/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Input: a mail.  An entity that is not to be embedded is clean for
 * transport, and has the same parts with the same content as before.
 */
#include <stdlib.h>
#include <string.h>

#include "smime/canon.h"
#include "smime/canon_gmime.h"
#include "smime/entity.h"
#include "tests/lib/seal.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
add_run(void *arg, const uint8_t *data, size_t len, struct err *err)
{
	(void)err;
	buf_add(arg, data, len);
	return true;
}

static void
check_same(const struct entity *a, const struct entity *b)
{
	struct buf	 before = { 0 }, after = { 0 };
	struct err	 err;

	if (strcmp(a->type, b->type) != 0)
		abort();
	if ((a->first == NULL) != (b->first == NULL))
		abort();
	if (a->first == NULL && canon_gmime_decode(a->encoding, a->body,
	    &before, &err)) {
		if (!canon_gmime_decode(b->encoding, b->body, &after, &err) ||
		    before.len != after.len || (before.len > 0 &&
		    memcmp(before.data, after.data, before.len) != 0))
			abort();
	}
	buf_free(&before);
	buf_free(&after);
	a = a->first;
	b = b->first;
	for (; a != NULL && b != NULL; a = a->next, b = b->next)
		check_same(a, b);
	if (a != NULL || b != NULL)
		abort();
}

static void
compare(const struct seal_mail *mail, const struct buf *entity)
{
	struct buf	 header = { 0 };
	struct entity	*before, *after;
	const uint8_t	*body;
	struct err	 err;
	size_t		 n;

	body = memmem(entity->data, entity->len, "\r\n\r\n", 4);
	if (body == NULL)
		abort();
	n = (size_t)(body + 2 - entity->data);
	canon_header(mail->headers, &header);
	if (!entity_parse((struct span){ header.data, header.len - 2 },
	    (struct span){ mail->body, mail->body_len }, &before, &err) ||
	    !entity_parse((struct span){ entity->data, n }, (struct span){
	    body + 4, entity->len - n - 2 }, &after, &err))
		abort();
	check_same(before, after);
	entity_free(before);
	entity_free(after);
	buf_free(&header);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct seal_mail	 mail;
	struct canon		 canon;
	struct buf		 entity = { 0 };
	struct err		 err;

	if (!seal_mail_read(data, len, true, &mail, &err))
		return 0;
	if (canon_entity(mail.headers, mail.body, mail.body_len,
	    scan_bytes(mail.body, mail.body_len), &canon, &err)) {
		pieces_walk(canon.entity, add_run, &entity, &err);
		if (canon.how != CANON_OPAQUE) {
			if (scan_bytes(entity.data, entity.len) != 0)
				abort();
			compare(&mail, &entity);
		}
		canon_clear(&canon);
	} else if (err.kind != ERR_MESSAGE)
		abort();
	buf_free(&entity);
	seal_mail_clear(&mail);
	return 0;
}
