/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_PIECES_H
#define BASE_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/spool.h"

/*
 * A new body as a list of pieces, in order: bytes of the mail where they are
 * unchanged (borrowed), bytes made for it (owned), and binary that is written
 * as base64 lines when it is read.  Nothing is joined, so that a large
 * body exists once.  If anything added was short of memory, reading fails.
 */
struct pieces;

struct pieces	*pieces_new(void);
/* Borrowed: must outlive the pieces. */
void	 pieces_add(struct pieces *, const void *, size_t len);
/* Copied; for short text. */
void	 pieces_add_str(struct pieces *, const char *);
/* Moved: the buf is empty afterwards. */
void	 pieces_add_take(struct pieces *, struct buf *);
/* Moved, and complete.  False if its bytes cannot be had, and walks fail. */
bool	 pieces_add_spool_take(struct pieces *, struct spool *, struct err *);
/* Moved, and read as base64 in lines of 64 characters and CRLF, see base64.h. */
void	 pieces_add_base64_take(struct pieces *, struct pieces *);
/* All of more at the end, what it owns included; more is freed. */
void	 pieces_append_take(struct pieces *, struct pieces *more);

/* Bytes that a reader will see. */
size_t	 pieces_len(const struct pieces *);

/*
 * Gives the bytes in order, in runs of any length; stops when fn fails.
 * ERR_TEMP, before the first byte: a buf that was added had failed.
 */
typedef bool pieces_fn(void *arg, const uint8_t *, size_t len, struct err *);
bool	 pieces_walk(const struct pieces *, pieces_fn *, void *arg,
	    struct err *);

void	 pieces_free(struct pieces *);

#endif
