/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_STORE_FOLDER_H
#define STORE_STORE_FOLDER_H

#include <stdbool.h>

#include "base/err.h"
#include "store/table.h"

/* The folder that a store lies in: whose it is, what is there, the lock. */

/* The name of a table's file. */
const char *store_folder_file(enum table);

/* ERR_CONFIG: not there, another's, or others may write into it. */
bool	store_folder_check(const char *dir, struct err *);
/*
 * ERR_CONFIG: there is something that a store must not have beside it;
 * is_new: or anything that is not a store's.
 */
bool	store_folder_check_entries(const char *dir, bool is_new, struct err *);
/*
 * One process at a time.  *fd holds the lock until it is closed.  ERR_TEMP:
 * somebody had it for timeout_ms; the reason names him.
 */
bool	store_folder_lock(const char *dir, int timeout_ms, int *fd,
	    struct err *);
/* New names in it are on disk. */
bool	store_folder_sync(const char *dir, struct err *);

#endif
