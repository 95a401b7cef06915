/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * The Berkeley DB environment: private to this process, recovered at each
 * open, under an exclusive lock on STORE/lock that the kernel gives back
 * when its holder dies.  One process at a time; within it any number of threads.
 */
struct store;

#define MASTER_KEY_LEN	32

struct store_options {
	const char	*dir;			/* the folder; borrowed */
	uint8_t		 master_key[MASTER_KEY_LEN];	/* wiped by the caller */
	int		 lock_timeout_ms;	/* how long to wait for the lock */
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
 * Read the 32 bytes of the master key: $CREDENTIALS_DIRECTORY/master.key if
 * that exists, else path.  ERR_CONFIG unless it is a regular file of 32 bytes
 * that belongs to root or to the caller and that nobody else can read.
 */
bool	master_key_read(const char *path, uint8_t key[MASTER_KEY_LEN],
	    struct err *);
/* A new random key in a new file, mode 0400. */
bool	master_key_create(const char *path, struct err *);

#endif
