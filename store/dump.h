/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_DUMP_H
#define STORE_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"
#include "store/table.h"

/*
 * All records as rows of bytes, for a backup: table (1 byte), length of the
 * key (2) and of the value (4), big-endian, key, value.  Keys come before
 * certificates, so that one imported in between is there with its certificate
 * or not at all.  The index is left out: it follows from the certificates.
 */
#define DUMP_ROW_HEADER	7
#define DUMP_ROW_MAX	(156 * 1024)	/* bytes of a row */

struct dump_row {
	enum table	 table;
	const uint8_t	*key;		/* borrowed from the bytes */
	size_t		 key_len;
	const uint8_t	*value;
	size_t		 len;
};

/*
 * The rows that follow the cursor, at least one and at most max bytes of
 * them, and the cursor moved behind; both empty at the end.  An empty cursor
 * is the beginning.  Wants store_begin_read(): rows of one call are of one
 * moment.
 */
bool	dump_rows(struct store *, struct buf *cursor, size_t max,
	    struct buf *rows, struct err *);

/* The row at p; returns its length, 0 if it is cut off or no row. */
size_t	dump_parse_row(const uint8_t *p, size_t len, struct dump_row *);

#endif
