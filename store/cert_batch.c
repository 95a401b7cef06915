/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/cert_batch.h"

#define THREADS_MAX	4
#define EACH_MIN	50	/* certificates that are worth a thread */

struct part {
	const struct put_cert	*certs;
	size_t			 n;
	struct cert_facts	*facts;
	char			**reasons;
};

static void *
read_part(void *arg)
{
	const struct part	*part = arg;
	struct err		 why;

	for (size_t i = 0; i < part->n; i++)
		if (!cert_read(part->certs[i].der, part->certs[i].der_len,
		    &part->facts[i], &why))
			part->reasons[i] = mem_str(why.reason);
	return NULL;
}

static size_t
count_threads(size_t n)
{
	long	 processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t	 threads = processors < 1 ? 1 : (size_t)processors;

	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	if (threads > n / EACH_MIN)
		threads = n / EACH_MIN;
	return threads == 0 ? 1 : threads;
}

void
cert_batch_read(const struct put_cert *certs, size_t n,
    struct cert_facts *facts, char **reasons)
{
	struct part	 parts[THREADS_MAX];
	pthread_t	 threads[THREADS_MAX];
	bool		 is_running[THREADS_MAX] = { false };
	size_t		 n_parts = count_threads(n), from = 0;

	for (size_t i = 0; i < n_parts; i++) {
		size_t	 to = n * (i + 1) / n_parts;

		parts[i] = (struct part){ certs + from, to - from,
		    facts + from, reasons + from };
		from = to;
		/* The first is this thread's own. */
		if (i > 0)
			is_running[i] = pthread_create(&threads[i], NULL,
			    read_part, &parts[i]) == 0;
	}
	for (size_t i = 0; i < n_parts; i++)
		if (!is_running[i])
			read_part(&parts[i]);
	for (size_t i = 0; i < n_parts; i++)
		if (is_running[i])
			pthread_join(threads[i], NULL);
}
