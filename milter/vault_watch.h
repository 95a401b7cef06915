/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_VAULT_WATCH_H
#define MILTER_VAULT_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

/*
 * A thread of the vault that looks the store over now and then: for the
 * counters (stats.h), and to warn in the log 30, 14, 7 and 1 days before an
 * address can no longer sign, its newest certificate having expired.
 *
 * dir: the store's folder.  The store is open until vault_watch_stop().
 */
bool	vault_watch(struct store *, const char *dir, struct err *);
/* The store is about to be closed: waits until nobody looks, for good. */
void	vault_watch_stop(void);

#endif
