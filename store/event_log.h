/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_EVENT_LOG_H
#define STORE_EVENT_LOG_H

#include "store/event.h"
#include "store/store.h"

/*
 * Events of mail on their way into the store: kept in memory, and written by
 * a thread of their own once a second, or when there are a hundred, without
 * waiting for the disk.  Nothing that serves mail waits for it.  A power cut
 * takes what is younger than a second or so; where the store cannot be
 * written, events are dropped, and a gap tells how many.
 */
struct event_log;

struct event_log *event_log_new(struct store *);	/* borrowed */
/* Any thread; dated here. */
void	event_log_add(struct event_log *, const struct event *);
/* Writes what is left. */
void	event_log_free(struct event_log *);

#endif
