/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_EVENT_TABLE_H
#define STORE_EVENT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/event.h"
#include "store/store.h"

/*
 * Events in two rows, so that mail does not drive out what administrators
 * did; each of the newest EVENT_TABLE_MAX, the oldest are dropped.
 */
#define EVENT_TABLE_MAX		100000
#define EVENT_TABLE_SCAN	1000	/* events looked at for one page */

/* Wants store_begin_write(). */
bool	event_table_add(struct store *, const struct event *, size_t n,
	    struct err *);

/* Could this be the key of an event? */
bool	event_table_is_key(const uint8_t *, size_t len);

enum event_row {
	EVENT_ROW_MAIL,		/* mails, signatures, gaps */
	EVENT_ROW_ADMIN,	/* the others */
	EVENT_ROWS
};

/* Where a listing has got to; zeroed at its beginning. */
struct event_cursor {
	bool		 has_begun;
	uint64_t	 next[EVENT_ROWS];	/* the next to look at */
};

struct event_query {
	const char	*addr;		/* normalised; NULL: all */
	bool		 is_failed;	/* only those that failed */
	size_t		 max;		/* events wanted now */
};

struct event_page {
	struct event	*list;		/* newest first */
	size_t		 n;		/* may be 0 with more to come */
	bool		 is_end;
};

/* Wants store_begin_read(). */
bool	event_table_list(struct store *, const struct event_query *,
	    struct event_cursor *, struct event_page *, struct err *);
void	event_page_free(struct event_page *);

#endif
