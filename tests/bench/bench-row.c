/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One row of the bench's table, as a line of JSON.
 *
 *	bench-row -s SOCKET -p PID -c CONNECTIONS -t SECONDS -n ROUNDS -z SIZE
 *	    -f FROM -x CONTENT-TYPE [-k SENDER.key] [-e RECIPIENT.key] TO ...
 *
 * A round is the floor, see floor.h (signed if -k is given, encrypted for all
 * TO if -e is), and then mails of SIZE bytes over so many connections at once,
 * each as soon as the one before is answered, for SECONDS, while it is
 * measured what the daemon with this PID and its children use.  What a mail
 * and its floor cost is the median of the rounds.  A mail that was not accepted
 * as CONTENT-TYPE counts as failed.  Exit status: 0, or 2 with a sentence
 * when nothing could be measured.
 */
#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/client.h"
#include "tests/bench/floor.h"
#include "tests/bench/watched.h"

#define CONNECTIONS_MAX	1000
#define ROUNDS_MAX	50
#define FLOOR_SECONDS	0.03
#define WARM_UP		2	/* connections that send one unmeasured */

/* One connection, and the thread that it has in a round. */
struct worker {
	pthread_t		 thread;
	struct connection	 connection;
	const struct script	*script;
	const struct mail	*mail;
	pthread_barrier_t	*start;
	double			 seconds;
	double			*took_ms;	/* of each mail, of all rounds */
	size_t			 n;
	size_t			 n_failed;
};

struct workers {
	struct worker	 list[CONNECTIONS_MAX];
	size_t		 n;
};

struct rounds {
	double	 cpu_ms[ROUNDS_MAX];	/* of a mail */
	double	 floor_ms[ROUNDS_MAX];
	double	 per_second[ROUNDS_MAX];
	size_t	 n;
};

static double
now_ms(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void *
work(void *arg)
{
	struct worker	*w = arg;
	double		 start, end, deadline;

	pthread_barrier_wait(w->start);
	deadline = now_ms() + w->seconds * 1e3;
	do {
		start = now_ms();
		if (!client_send(&w->connection, w->script, w->mail))
			w->n_failed++;
		end = now_ms();
		if ((w->n & (w->n + 1)) == 0) {
			w->took_ms = reallocarray(w->took_ms, 2 * (w->n + 1),
			    sizeof(*w->took_ms));
			if (w->took_ms == NULL)
				err(2, "reallocarray");
		}
		w->took_ms[w->n++] = end - start;
	} while (end < deadline);
	return NULL;
}

static int
by_value(const void *a, const void *b)
{
	double	 x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), by_value);
	return values[n / 2];
}

static void
open_all(struct workers *all, const char *socket_path, const struct mail *mail,
    struct script *script)
{
	struct worker	*list = all->list;

	for (size_t i = 0; i < all->n; i++) {
		client_open(&list[i].connection, socket_path);
		if (list[i].connection.steps != list[0].connection.steps)
			errx(2, "two connections negotiated differently");
		list[i].script = script;
		list[i].mail = mail;
	}
	client_write_script(script, mail, list[0].connection.steps);
	for (size_t i = 0; i < all->n && i < WARM_UP; i++)
		list[i].n_failed += !client_send(&list[i].connection, script,
		    mail);
}

static size_t
count(const struct workers *all)
{
	size_t	 n = 0;

	for (size_t i = 0; i < all->n; i++)
		n += all->list[i].n;
	return n;
}

static void
run_round(struct workers *all, const struct watched *daemon, double seconds,
    struct rounds *rounds)
{
	pthread_barrier_t	 start;
	size_t			 n = count(all);
	double			 wall, cpu;

	pthread_barrier_init(&start, NULL, (unsigned int)all->n + 1);
	for (size_t i = 0; i < all->n; i++) {
		struct worker	*w = &all->list[i];

		w->start = &start;
		w->seconds = seconds;
		if (pthread_create(&w->thread, NULL, work, w) != 0)
			errx(2, "no thread for connection %zu", i);
	}
	cpu = watched_cpu_ms(daemon);
	pthread_barrier_wait(&start);
	wall = now_ms();
	for (size_t i = 0; i < all->n; i++)
		pthread_join(all->list[i].thread, NULL);
	wall = now_ms() - wall;
	cpu = watched_cpu_ms(daemon) - cpu;
	pthread_barrier_destroy(&start);
	n = count(all) - n;
	rounds->cpu_ms[rounds->n] = cpu / (double)n;
	rounds->per_second[rounds->n] = (double)n * 1e3 / wall;
	rounds->n++;
}

/* All mails' times in one sorted array. */
static double *
merge(const struct workers *all, size_t *n_failed)
{
	double	*merged = calloc(count(all), sizeof(*merged));
	size_t	 n = 0;

	if (merged == NULL)
		err(2, "calloc");
	*n_failed = 0;
	for (size_t i = 0; i < all->n; i++) {
		const struct worker	*w = &all->list[i];

		memcpy(merged + n, w->took_ms, w->n * sizeof(*merged));
		n += w->n;
		*n_failed += w->n_failed;
	}
	qsort(merged, n, sizeof(*merged), by_value);
	return merged;
}

static void
report(const struct workers *all, struct rounds *rounds, long idle_kib,
    long peak_kib)
{
	size_t	 n = count(all), n_failed;
	double	*times = merge(all, &n_failed);

	printf("{\"messages\": %zu, \"failed\": %zu, \"per_second\": %.1f, "
	    "\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"cpu_ms\": %.4f, "
	    "\"floor_ms\": %.4f, \"idle_kib\": %ld, \"peak_kib\": %ld}\n",
	    n, n_failed, median(rounds->per_second, rounds->n),
	    times[n / 2], times[n * 99 / 100],
	    median(rounds->cpu_ms, rounds->n),
	    median(rounds->floor_ms, rounds->n), idle_kib, peak_kib);
	free(times);
}

static void
close_all(struct workers *all)
{
	for (size_t i = 0; i < all->n; i++) {
		client_close(&all->list[i].connection);
		free(all->list[i].took_ms);
	}
}

int
main(int argc, char *argv[])
{
	static struct workers	 workers;
	struct mail		 mail = { 0 };
	struct script		 script = { 0 };
	struct floor_work	 floor_work = { 0 };
	struct floor		*floor;
	struct rounds		 rounds = { .n = 0 };
	struct watched		 daemon;
	const char		*socket_path = NULL;
	pid_t			 pid = 0;
	size_t			 n_rounds = 1;
	double			 seconds = 1;
	long			 idle_kib;
	int			 opt;

	while ((opt = getopt(argc, argv, "s:p:c:t:n:z:f:x:k:e:")) != -1)
		switch (opt) {
		case 's': socket_path = optarg; break;
		case 'p': pid = (pid_t)strtol(optarg, NULL, 10); break;
		case 'c': workers.n = strtoul(optarg, NULL, 10); break;
		case 't': seconds = strtod(optarg, NULL); break;
		case 'n': n_rounds = strtoul(optarg, NULL, 10); break;
		case 'z': mail.size = strtoul(optarg, NULL, 10); break;
		case 'f': mail.from = optarg; break;
		case 'x': mail.new_type = optarg; break;
		case 'k': floor_work.sender_key = optarg; break;
		case 'e': floor_work.recipient_key = optarg; break;
		default: return 2;
		}
	mail.to = argv + optind;
	mail.n_to = (size_t)(argc - optind);
	if (socket_path == NULL || pid == 0 || workers.n < 1 ||
	    workers.n > CONNECTIONS_MAX || n_rounds < 1 ||
	    n_rounds > ROUNDS_MAX || mail.size < 3 || mail.from == NULL ||
	    mail.new_type == NULL || mail.n_to == 0)
		errx(2, "-s, -p, -c, -z, -f, -x and a recipient are needed");
	floor_work.n_recipients = floor_work.recipient_key != NULL ?
	    mail.n_to : 0;
	floor_work.size = mail.size;

	floor = floor_new(&floor_work);
	daemon = watched_find(pid);
	idle_kib = watched_now_kib(&daemon);
	watched_forget_peak(&daemon);
	open_all(&workers, socket_path, &mail, &script);
	while (rounds.n < n_rounds) {
		rounds.floor_ms[rounds.n] = floor_measure(floor,
		    FLOOR_SECONDS);
		run_round(&workers, &daemon, seconds, &rounds);
	}
	report(&workers, &rounds, idle_kib, watched_peak_kib(&daemon));
	close_all(&workers);
	client_free_script(&script);
	floor_free(floor);
	return 0;
}
