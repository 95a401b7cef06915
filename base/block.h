/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_BLOCK_H
#define BASE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Memory for what is as large as a mail, out of one budget for all of a
 * process.  malloc() gives such memory back to the kernel each time, and the
 * kernel clears every page of it anew, which can cost more than to encrypt
 * what is written there; so blocks are kept for the next mail, as many as
 * make a quarter of the budget, and not the largest.  Any thread.
 */
struct block {
	uint8_t	*data;		/* NULL: none */
	size_t	 cap;
};

/*
 * At least len bytes, their content undefined.  False if all blocks together
 * would exceed the budget, or there is no memory.
 */
bool	block_take(struct block *, size_t len, size_t budget);
/*
 * A larger block, whose first used bytes are those of the former one: at least
 * len bytes, more than it has, or as many more as lie about unused already.  False as above, and
 * the block stays as it is.
 */
bool	block_grow(struct block *, size_t used, size_t len, size_t budget);
/* Empty afterwards; nothing happens if it is empty already. */
void	block_give(struct block *, size_t budget);
/* Bytes of all blocks that were taken and not yet given back. */
size_t	block_in_use(void);

#endif
