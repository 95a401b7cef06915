/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_FILES_H
#define TOOLS_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Files that the administrator named.  All are read before anything is done
 * with them, with the rights of who called smimectl.
 */
#define FILES_SIZE_MAX	(128u << 20)	/* bytes of one */

struct file {
	char		*name;		/* safe to print */
	struct buf	 bytes;		/* secret */
	struct err	 err;		/* of ERR_NONE: it was read */
};

struct files {
	struct file	*list;
	size_t		 n;
	size_t		 total;		/* bytes */
};

/*
 * Files, the files in a folder, or "-" for standard input.  One that cannot
 * be read is in the list with its reason.
 */
void	files_read(struct files *, const char *path);
void	files_free(struct files *);

/*
 * A new file that only its owner may read, or standard output where path is
 * NULL.  An existing one is an error (ERR_DATA), unless is_forced: then it is
 * replaced, as a whole.
 */
bool	files_write(const char *path, const struct buf *, bool is_forced,
	    struct err *);

#endif
