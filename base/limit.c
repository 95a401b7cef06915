/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/limit.h"

static const char *const	 names[N_LIMITS] = {
	[LIMIT_NONE] = "none",
	[LIMIT_CONNECTIONS] = "max-connections",
	[LIMIT_MAILS] = "max-mails",
	[LIMIT_SPOOL_MEMORY] = "spool-memory",
	[LIMIT_SPOOL_DISK] = "spool-disk",
	[LIMIT_SPOOL_DIR] = "spool-dir",
	[LIMIT_VAULT_TIMEOUT] = "vault-timeout",
	[LIMIT_KEY_RATE] = "key-rate",
	[LIMIT_MESSAGE_SIZE] = "max-message-size",
	[LIMIT_RECIPIENTS] = "max-recipients",
	[LIMIT_HEADER_FIELDS] = "header-fields",
	[LIMIT_HEADER_BYTES] = "header-bytes",
	[LIMIT_PARTS] = "parts",
	[LIMIT_PART_DEPTH] = "part-depth",
	[LIMIT_PART_FIELDS] = "part-fields",
	[LIMIT_PART_BYTES] = "part-bytes",
};

const char *
limit_name(enum limit limit)
{
	return names[limit];
}
