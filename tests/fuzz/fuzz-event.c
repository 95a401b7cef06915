/* SPDX-License-Identifier: BSD-2-Clause */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "store/event.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What decodes keeps to the limits, and is the same once written again. */
static void
try_one(const uint8_t *data, size_t len)
{
	struct event	 event, again;
	struct buf	 first = { 0 }, second = { 0 };
	struct err	 err;

	if (!event_decode(data, len, &event, &err))
		return;
	assert(event_kind_name(event.kind) != NULL);
	for (int i = 0; i < EVENT_FIELDS; i++)
		assert(event.text[i] == NULL || strlen(event.text[i]) <=
		    (i == EVENT_TO ? EVENT_TO_MAX : EVENT_TEXT_MAX));
	event_concerns(&event, "alice@example.org");
	event_encode(&event, &first);
	assert(first.len <= EVENT_BYTES_MAX);
	assert(event_decode(first.data, first.len, &again, &err));
	event_encode(&again, &second);
	assert(first.len == second.len &&
	    memcmp(first.data, second.data, first.len) == 0);
	event_add_address(&again, EVENT_TO, "bob@example.net");
	event_free(&event);
	event_free(&again);
	buf_free(&first);
	buf_free(&second);
}

/* As it is, and with the checksum that no mutation would find. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t	 digest[EVP_MAX_MD_SIZE], *copy = malloc(len + 8);

	try_one(data, len);
	EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL);
	memcpy(copy, data, len);
	memcpy(copy + len, digest, 8);
	try_one(copy, len + 8);
	free(copy);
	return 0;
}
