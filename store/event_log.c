/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "store/event_log.h"
#include "store/event_table.h"

#define BATCH		100	/* written at once */
#define WAIT_SECONDS	1	/* at most, until it is written */
#define WAITING_MAX	10000	/* in memory: a store that is stuck */

struct event_log {
	struct store	*store;
	pthread_mutex_t	 mutex;		/* over all below */
	pthread_cond_t	 changed;
	struct event	*waiting;
	size_t		 n;
	size_t		 n_lost;
	char		*lost_reason;
	bool		 has_thread;
	bool		 is_closing;
	pthread_t	 thread;
};

static void
free_all(struct event *events, size_t n)
{
	for (size_t i = 0; i < n; i++)
		event_free(&events[i]);
	free(events);
}

static bool
write_all(struct event_log *log, const struct event *events, size_t n,
    struct err *err)
{
	if (!store_begin_write(log->store, err))
		return false;
	if (event_table_add(log->store, events, n, err))
		return store_commit_later(log->store, err);
	store_abort(log->store);
	return false;
}

/* Takes what waits, and lets others add to it while the store is written. */
static void
flush(struct event_log *log)
{
	struct event	*events, gap = { .kind = EVENT_GAP };
	size_t		 n = log->n, n_lost = log->n_lost;
	struct err	 err;
	bool		 is_ok;

	if (n == 0)
		return;
	events = log->waiting;
	log->waiting = NULL;
	log->n = 0;
	if (n_lost > 0)
		event_setf(&gap, EVENT_REASON, "%zu events could not be kept:"
		    " %s", n_lost, log->lost_reason);
	pthread_mutex_unlock(&log->mutex);
	gap.at = (int64_t)time(NULL);
	gap.is_failed = true;
	is_ok = (n_lost == 0 || write_all(log, &gap, 1, &err)) &&
	    write_all(log, events, n, &err);
	free_all(events, n);
	event_free(&gap);
	pthread_mutex_lock(&log->mutex);
	if (is_ok)
		log->n_lost -= n_lost;
	else {
		log->n_lost += n;
		free(log->lost_reason);
		log->lost_reason = mem_str(err.reason);
	}
}

static void *
write_events(void *arg)
{
	struct event_log	*log = arg;
	struct timespec		 until;

	pthread_mutex_lock(&log->mutex);
	while (!log->is_closing) {
		if (log->n == 0) {
			pthread_cond_wait(&log->changed, &log->mutex);
			continue;
		}
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += WAIT_SECONDS;
		while (!log->is_closing && log->n < BATCH &&
		    pthread_cond_timedwait(&log->changed, &log->mutex,
		    &until) == 0)
			;
		flush(log);
	}
	pthread_mutex_unlock(&log->mutex);
	return NULL;
}

struct event_log *
event_log_new(struct store *store)
{
	struct event_log	*log = mem_alloc(sizeof(*log));
	pthread_condattr_t	 attr;

	log->store = store;
	pthread_mutex_init(&log->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&log->changed, &attr);
	pthread_condattr_destroy(&attr);
	return log;
}

static void
copy_event(const struct event *from, struct event *to)
{
	*to = *from;
	for (size_t i = 0; i < EVENT_FIELDS; i++)
		to->text[i] = mem_str(from->text[i]);
	to->at = (int64_t)time(NULL);
}

void
event_log_add(struct event_log *log, const struct event *event)
{
	pthread_mutex_lock(&log->mutex);
	/* Not before the first: smimectl mostly has none. */
	if (!log->has_thread)
		log->has_thread = pthread_create(&log->thread, NULL,
		    write_events, log) == 0;
	if (log->n == WAITING_MAX) {
		log->n_lost++;
		if (log->lost_reason == NULL)
			log->lost_reason = mem_str("too many at once");
	} else {
		if ((log->n & (log->n - 1)) == 0)
			log->waiting = mem_grow(log->waiting,
			    log->n == 0 ? 1 : 2 * log->n,
			    sizeof(*log->waiting));
		copy_event(event, &log->waiting[log->n++]);
		if (log->n == 1 || log->n == BATCH)
			pthread_cond_signal(&log->changed);
	}
	pthread_mutex_unlock(&log->mutex);
}

void
event_log_free(struct event_log *log)
{
	if (log == NULL)
		return;
	pthread_mutex_lock(&log->mutex);
	log->is_closing = true;
	pthread_cond_signal(&log->changed);
	pthread_mutex_unlock(&log->mutex);
	if (log->has_thread)
		pthread_join(log->thread, NULL);
	pthread_mutex_lock(&log->mutex);
	flush(log);
	pthread_mutex_unlock(&log->mutex);
	pthread_cond_destroy(&log->changed);
	pthread_mutex_destroy(&log->mutex);
	free(log->lost_reason);
	free(log);
}
