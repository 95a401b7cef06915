/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets to the vault, from a filter that was broken into: each has an
 * answer with its id, which a client can read to the end.  And answers, which
 * a client must be able to read whatever they hold.
 */
#include "base/mem.h"
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
	static char		 text[] = "enabled = true\n";
	static char		 path[] = "fuzz.conf";
	struct config_source	 source = { .path = path, .bytes = text,
	    .len = sizeof(text) - 1 };
	struct config		*config;
	struct err		 err;

	if (!config_parse(&source, 1, &config, &err))
		abort();
	return config;
}

static void
read_answer(int what, const uint8_t *data, size_t len)
{
	struct wire_reader	 r = { .p = data, .left = len };
	struct cert_entry	*list = NULL;
	struct put_result	 result;
	size_t			 n = 0;

	switch (what) {
	case 0:
		finding_free(wire_get_finding(&r));
		break;
	case 1:
		if (wire_get_entries(&r, &list, &n))
			cert_entry_free(list, n);
		break;
	default:
		wire_get_result(&r, &result);
		free(result.reason);
	}
}

/* Right or wrong, the answer must be one that a client can read. */
static void
check_answer(const struct buf *answer, const uint8_t *request, size_t len)
{
	struct wire_reader	 r;

	/* What is only told has no answer. */
	if (len >= 2 && request[1] == WIRE_NOTE && answer->len == 0)
		return;
	if (answer->failed || answer->len < WIRE_HEADER ||
	    answer->data[0] != WIRE_VERSION || answer->data[1] > ERR_BUG)
		abort();
	if (len >= WIRE_HEADER && memcmp(answer->data + 2, request + 2, 4) != 0)
		abort();
	if (answer->data[1] == ERR_NONE)
		return;
	r = (struct wire_reader){ .p = answer->data + WIRE_HEADER,
	    .left = answer->len - WIRE_HEADER };
	free(wire_get_str(&r));
	if (!wire_is_done(&r))
		abort();
}

static void
ask(enum vault_rights rights, const uint8_t *request, size_t len)
{
	static struct vault	 vault;
	struct buf		 answer = { 0 };

	if (vault.custody == NULL) {
		snapshot_swap_take(make_config());
		vault.custody = custody_new(&fake_custody_ops, NULL);
	}
	vault_answer(&vault, rights, request, len, &answer);
	check_answer(&answer, request, len);
	buf_free(&answer);
}

/*
 * The first byte says what follows: an answer, or a request and with which
 * rights; a request is given the right version, so that seeds stay good.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const enum vault_rights	 rights[] = { VAULT_DIRECT,
	    VAULT_ADMIN, VAULT_STAMP, VAULT_SEAL };
	uint8_t	*request;

	if (len == 0 || len > WIRE_MAX)
		return 0;
	if (data[0] >= 0x80) {
		read_answer(data[0] % 3, data + 1, len - 1);
		return 0;
	}
	request = mem_dup(data + 1, len - 1);
	if (len > 1 && (data[0] & 2) == 0)
		request[0] = WIRE_VERSION;
	ask(rights[data[0] % 2 + (data[0] >> 1 & 2)], request, len - 1);
	free(request);
	return 0;
}
