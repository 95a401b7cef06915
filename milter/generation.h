/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_GENERATION_H
#define MILTER_GENERATION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * The store's generation, in memory that the vault shares with all filters:
 * another number means that what was found earlier may no longer be so.
 * The supervisor makes it before its first child; the vault writes it,
 * and the supervisor when a vault has died.  A filter that was taken over could
 * as well, and have the others keep what they found for as long as they keep
 * anything; the vault never goes by it.
 */
bool	generation_open(struct err *);
/* The vault's, for its store to count commits in. */
_Atomic uint64_t *generation_counter(void);
/* Nothing of before is so any more. */
void	generation_next(void);
/* From here on this process can read it only. */
void	generation_read_only(void);
/* 0: there is none that is shared (smimectl), and nothing may be kept. */
uint64_t generation_now(void);

#endif
