/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_TABLE_H
#define STORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"

/*
 * Ordered keys and their values.  Reading wants store_begin_read() or
 * store_begin_write() before, writing the latter.  All return false with
 * ERR_TEMP when the store cannot answer.
 */
enum table {
	TABLE_META,	/* "version", "check", "stamp" */
	TABLE_CERTS,	/* fingerprint -> record */
	TABLE_KEYS,	/* SHA-256 of the public key -> record */
	TABLE_INDEX,	/* kind, value, fingerprint -> nothing */
	TABLE_CRLS,	/* revoke.c's */
	TABLE_EVENTS,	/* row, number -> event; see event_table.h */
	TABLE_COUNT
};

#define TABLE_KEY_MAX	1024	/* bytes of a key */

/* out is cleared first; *found is the answer. */
bool	table_get(struct store *, enum table, const void *key, size_t key_len,
	    struct buf *out, bool *found, struct err *);
bool	table_put(struct store *, enum table, const void *key, size_t key_len,
	    const void *value, size_t len, struct err *);
/* What is not there is no error. */
bool	table_delete(struct store *, enum table, const void *key,
	    size_t key_len, struct err *);

/* The last key that is not above `to`. */
bool	table_last(struct store *, enum table, const void *to, size_t to_len,
	    struct buf *key, bool *found, struct err *);

/*
 * The keys that are not below `from`, in order, until fn clears *more.  What
 * fn is given is valid until it returns; it must not change the table.
 */
typedef bool table_fn(void *arg, const uint8_t *key, size_t key_len,
    const uint8_t *value, size_t len, bool *more, struct err *);
bool	table_walk(struct store *, enum table, const void *from,
	    size_t from_len, table_fn *, void *arg, struct err *);

#endif
