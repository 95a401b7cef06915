/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "policy/override.h"

/*
 * Whatever a header says is a wish or a bad one; a tag that is cut states a
 * wish too; and a Subject without tags is left alone.
 */
int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wishes	 wishes = { 0 };
	struct buf	 rest = { 0 };
	const char	*text = (const char *)data;

	override_add_header(&wishes, "X-SMIME-Sign", text, len);
	if (wishes.sign == WISH_NONE)
		abort();
	wishes = (struct wishes){ 0 };
	if (override_add_subject(&wishes, text, len, &rest)) {
		if (wishes.sign == WISH_NONE && wishes.encrypt == WISH_NONE)
			abort();
	} else if (rest.len != 0)
		abort();
	/* Each byte left may be written as =XX where it was not before. */
	if (rest.len > 3 * len)
		abort();
	buf_free(&rest);
	return 0;
}
