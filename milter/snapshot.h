/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_SNAPSHOT_H
#define MILTER_SNAPSHOT_H

struct config;

/*
 * The configuration in force, shared by all threads of a filter.  A mail holds
 * the one that it began with until it ends, whatever is swapped in meanwhile.
 */
struct snapshot;

/* Consumes the configuration; it is the current one from then on. */
void	snapshot_swap_take(struct config *);
/* The current one, counted; given back with snapshot_release(). */
struct snapshot *snapshot_hold(void);
const struct config *snapshot_config(const struct snapshot *);
void	snapshot_release(struct snapshot *);

#endif
