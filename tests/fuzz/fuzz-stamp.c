/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stamp as anybody may write one: what is not ours is refused, and what was
 * written from something read is read as the same again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "milter/stamp.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Any words, made into a stamp, come out of it again. */
static void
round_trip(const uint8_t *data, size_t len, const struct stamp_keys *keys)
{
	struct stamp		 stamp = { .time = 1764064874 }, out;
	struct stamp_query	 query;
	char			*text = NULL;
	struct err		 err;

	stamp.sender = mem_strn((const char *)data, len / 2);
	stamp.login = mem_strn((const char *)data + len / 2, len - len / 2);
	if (stamp_make(&stamp, keys->list[0].bytes, &text, &err)) {
		query = (struct stamp_query){ .text = text,
		    .sender = stamp.sender };
		if (!stamp_check(&query, keys, stamp.time, 1, &out, &err) ||
		    strcmp(out.sender, stamp.sender) != 0)
			abort();
		stamp_clear(&out);
	}
	free(text);
	stamp_clear(&stamp);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct stamp_keys	 keys = { .n = 1, .list = {
	    { .bytes = "key" } } };
	char				*text = mem_strn((const char *)data,
	    len);
	struct stamp_query		 query = { .text = text,
	    .sender = "" };
	struct stamp			 out;
	struct err			 err;

	/* Nobody finds a MAC by trying. */
	if (stamp_check(&query, &keys, 1764064874, 100, &out, &err))
		abort();
	round_trip(data, len, &keys);
	free(text);
	return 0;
}
