/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/master_key.h"

/*
 * The Berkeley DB environment: private to this process, recovered at each
 * open, under an exclusive lock on STORE/lock that the kernel gives back
 * when its holder dies.  One process at a time, with any number of threads.
 */
struct store;

struct store_options {
	const char	*dir;			/* the folder; borrowed */
	uint8_t		 master_key[MASTER_KEY_LEN];	/* the caller wipes */
	/* Tried next: what a change of the master key may have left behind. */
	uint8_t		 spare_keys[MASTER_KEY_SPARES][MASTER_KEY_LEN];
	size_t		 n_spare_keys;
	int		 lock_timeout_ms;	/* wait for the lock */
	/*
	 * Where its generation is counted as well, for others to see; outlives
	 * the store, and goes on where an earlier one left it.  Who can see it
	 * might write it: the store goes by its own.  NULL: nowhere.
	 */
	_Atomic uint64_t *generation;
};

/*
 * Make an empty store in an existing, empty folder that belongs to the caller.
 * Opening it with another master key fails from then on.
 */
bool	store_create(const struct store_options *, struct err *);

/*
 * ERR_CONFIG: no store there, another's, of a newer version, with a DB_CONFIG
 * or shared regions in it, or another master key.  ERR_TEMP: the lock is
 * held (the reason names the holder).  ERR_DATA: damaged.
 */
bool	store_open(const struct store_options *, struct store **, struct err *);
void	store_close(struct store *);

/*
 * Can it be read?  Returns when whoever writes is done.  False: Berkeley DB
 * has given up on it, and it has to be closed and opened again to recover.
 */
bool	store_probe(struct store *, struct err *);

/* --- for the files of this folder --------------------------------------- */

/*
 * Every access to a table lies between a begin and its end.  Readers share,
 * a writer is alone: what it changes is seen by nobody before the commit,
 * and Berkeley DB's own page locks, with their deadlocks and their table
 * that a large transaction fills, are not needed.
 */
bool	store_begin_read(struct store *, struct err *);
void	store_end_read(struct store *);
bool	store_begin_write(struct store *, struct err *);
/* On disk when it returns true; nothing has changed when it returns false. */
bool	store_commit(struct store *, struct err *);
void	store_abort(struct store *);
/*
 * For what may be lost with the power, though not with the process: does not
 * wait for the disk, and what was derived from the store stays valid.
 */
bool	store_commit_later(struct store *, struct err *);
/* As store_commit(); what was written is sealed under this master key. */
bool	store_commit_master_key(struct store *,
	    const uint8_t new_master[MASTER_KEY_LEN], struct err *);

/* Between store_begin_write() and its end; asked within one of the pairs. */
bool	store_is_writing(const struct store *);

/* Counts openings and commits, to date what was derived from the store. */
uint64_t store_generation(const struct store *);
const uint8_t *store_master_key(const struct store *);

#endif
