/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "store/custody.h"
#include "store/store.h"

/*
 * A copy of all records in one file, and a store made of it: a line that says
 * what it is, rows (dump.h), and an end with their number and a SHA-256 over
 * all before.  Keys are in it as they are in the store, sealed under the master
 * key.
 */

/*
 * Write one, while the store is in use: each record is whole, and those that
 * come in the meantime are there or not.  On disk when it returns.  ERR_TEMP:
 * the master key was changed in the meantime.
 */
bool	backup_write(struct custody *, FILE *, uint64_t *n_rows, struct err *);

/* Is this a whole one?  Reads it to the end, then goes back to the start. */
bool	backup_check(FILE *, uint64_t *n_rows, struct err *);

/*
 * A new store of one that backup_check() has passed, in an empty folder, which
 * nobody else knows before this returns: on the way it is part of a store.
 * ERR_CONFIG: the master key is not the one that it was made under; ERR_DATA:
 * it does not tell.
 */
bool	backup_restore(FILE *, const struct store_options *, struct err *);

#endif
