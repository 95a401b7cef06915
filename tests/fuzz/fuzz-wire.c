/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets to the vault, from a filter that was broken into: each has an
 * answer with its id, which a client can read to the end.
 */
#include "milter/snapshot.h"
#include "milter/vault_answer.h"
#include "milter/vault_wire.h"
#include "policy/config.h"
#include "policy/config_parse.h"
#include "tests/lib/fake_custody.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct config *
make_config(void)
{
	static char		 text[] = "store = \"/nowhere\"\n";
	static char		 path[] = "fuzz.conf";
	struct config_source	 source = { .path = path, .bytes = text,
	    .len = sizeof(text) - 1 };
	struct config		*config;
	struct err		 err;

	if (!config_parse(&source, 1, &config, &err))
		abort();
	return config;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct vault	 vault;
	struct buf		 answer = { 0 };

	if (vault.custody == NULL) {
		snapshot_swap_take(make_config());
		vault.custody = custody_new(&fake_custody_ops, NULL);
	}
	if (len == 0 || len > WIRE_MAX)
		return 0;
	vault_answer(&vault, (enum vault_rights)(data[0] % 4), data + 1,
	    len - 1, &answer);
	/* What is only told has no answer. */
	if (len >= 3 && data[2] == WIRE_NOTE && answer.len == 0) {
		buf_free(&answer);
		return 0;
	}
	if (answer.failed || answer.len < WIRE_HEADER ||
	    answer.data[0] != WIRE_VERSION || answer.data[1] > ERR_BUG)
		abort();
	if (len >= 1 + WIRE_HEADER && memcmp(answer.data + 2, data + 3, 4) != 0)
		abort();
	if (answer.data[1] != ERR_NONE) {
		struct wire_reader	 r = { .p = answer.data + WIRE_HEADER,
		    .left = answer.len - WIRE_HEADER };

		free(wire_get_str(&r));
		if (!wire_is_done(&r))
			abort();
	}
	buf_free(&answer);
	return 0;
}
