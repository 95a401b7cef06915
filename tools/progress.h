/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_PROGRESS_H
#define TOOLS_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

/*
 * How far something is, on one line of the terminal behind standard error: from
 * the second second on, and gone when it is over.  Where there is no terminal,
 * nothing.
 */
struct progress {
	const char	*what;		/* "importing" */
	size_t		 total;
	int64_t		 shown_ms;	/* when it was shown, or is to be */
	int		 len;		/* of the line; 0: none is there */
};

void	progress_begin(struct progress *, const char *what, size_t total);
void	progress_show(struct progress *, size_t done);
/* Also before anything else is written to the terminal. */
void	progress_end(struct progress *);

#endif
