/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_LIMIT_H
#define BASE_LIMIT_H

/* What there may be only so much of; smime-milter.conf(5) has them in a table. */
enum limit {
	LIMIT_NONE,
	LIMIT_CONNECTIONS,
	LIMIT_MAILS,
	LIMIT_SPOOL_MEMORY,
	LIMIT_SPOOL_DISK,
	LIMIT_SPOOL_DIR,	/* the disk is full */
	LIMIT_VAULT_TIMEOUT,
	LIMIT_KEY_RATE,
	LIMIT_MESSAGE_SIZE,
	LIMIT_RECIPIENTS,
	LIMIT_HEADER_FIELDS,
	LIMIT_HEADER_BYTES,
	LIMIT_PARTS,
	LIMIT_PART_DEPTH,
	LIMIT_PART_FIELDS,
	LIMIT_PART_BYTES,
	N_LIMITS
};

/* As the configuration calls it if it does, else "header-fields". */
const char	*limit_name(enum limit);

#endif
