/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"
#include "milter/snapshot.h"
#include "policy/config.h"

struct snapshot {
	struct config	*config;
	atomic_uint	 holders;
};

static pthread_mutex_t	 mutex = PTHREAD_MUTEX_INITIALIZER;
static struct snapshot	*current;

void
snapshot_swap_take(struct config *config)
{
	struct snapshot	*fresh = mem_alloc(sizeof(*fresh)), *old;

	fresh->config = config;
	atomic_init(&fresh->holders, 1);
	pthread_mutex_lock(&mutex);
	old = current;
	current = fresh;
	pthread_mutex_unlock(&mutex);
	snapshot_release(old);
}

struct snapshot *
snapshot_hold(void)
{
	struct snapshot	*snapshot;

	pthread_mutex_lock(&mutex);
	snapshot = current;
	atomic_fetch_add(&snapshot->holders, 1);
	pthread_mutex_unlock(&mutex);
	return snapshot;
}

const struct config *
snapshot_config(const struct snapshot *snapshot)
{
	return snapshot->config;
}

void
snapshot_release(struct snapshot *snapshot)
{
	if (snapshot == NULL || atomic_fetch_sub(&snapshot->holders, 1) > 1)
		return;
	config_free(snapshot->config);
	free(snapshot);
}
