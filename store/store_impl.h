/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_STORE_IMPL_H
#define STORE_STORE_IMPL_H

/* What store.c and table.c share, and nobody else; <db.h> comes before. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"
#include "store/table.h"

struct store {
	char			*dir;
	int			 lock_fd;	/* flock(); closed last */
	DB_ENV			*env;
	DB			*tables[TABLE_COUNT];
	pthread_rwlock_t	 lock;
	DB_TXN			*txn;		/* the writer's, or NULL */
	_Atomic uint64_t	 generation;
	_Atomic uint64_t	*shown_generation;	/* or NULL */
	atomic_bool		 is_broken;	/* wants recovery */
	uint8_t			*master_key;	/* from OpenSSL's secure heap */
};

/*
 * A failure of Berkeley DB as a sentence, with what it said itself; notes
 * when the environment must be opened anew.  Returns false.
 */
bool	store_db_error(struct store *, int rc, const char *doing,
	    struct err *);

#endif
