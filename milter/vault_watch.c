/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "milter/log.h"
#include "milter/process.h"
#include "milter/stats.h"
#include "milter/vault_watch.h"
#include "store/survey.h"

#define PAUSE_SECONDS	60
#define REST		50	/* times what a look took, at least */
#define DAY		86400

static atomic_bool	 is_stopping;
static pthread_mutex_t	 looking = PTHREAD_MUTEX_INITIALIZER;

struct watch {
	struct store	*store;
	const char	*dir;
	int64_t		 before;	/* when the last look was */
};

static void
warn(const struct watch *watch, const struct survey *survey, int64_t now)
{
	char	 fp[TEXT_FP_LEN], date[TEXT_TIME_LEN];

	for (size_t i = 0; i < survey->n_signers; i++) {
		const struct survey_signer	*s = &survey->signers[i];

		if (survey_due(s->not_after, watch->before, now) == 0)
			continue;
		text_fp(&s->fp, fp);
		text_date(s->not_after, date);
		log_line(LOG_WARNING, "%s signs with certificate %.8s, which "
		    "expires in %lld days, %s, and there is no later one",
		    s->addr, fp, (long long)(s->not_after - now) / DAY, date);
	}
}

static uint64_t
folder_bytes(const char *path)
{
	DIR		*dir = opendir(path);
	struct dirent	*entry;
	struct stat	 st;
	uint64_t	 bytes = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (fstatat(dirfd(dir), entry->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			bytes += (uint64_t)st.st_size;
	if (dir != NULL)
		closedir(dir);
	return bytes;
}

static void
count(const struct watch *watch, const struct survey *survey, int64_t now)
{
	struct stats_store	 s = { .keys = survey->keys,
	    .expired = survey->expired, .bytes = folder_bytes(watch->dir) };

	for (size_t i = 0; i < sizeof(s.certs) / sizeof(s.certs[0]); i++)
		s.certs[i] = survey->certs[i];
	for (size_t i = 0; i < survey->n_signers; i++) {
		int64_t	 end = survey->signers[i].not_after;

		if (end >= now && (s.next_expiry == 0 || end < s.next_expiry))
			s.next_expiry = end;
	}
	stats_store(&s);
}

static bool
may_go_on(void)
{
	return !is_stopping;
}

static void
look(struct watch *watch)
{
	int64_t		 now = (int64_t)time(NULL);
	struct survey	 survey;
	struct err	 err = { 0 };

	if (!survey_store(watch->store, now, may_go_on, &survey, &err)) {
		if (may_go_on())
			log_line(LOG_ERR, "vault: %s", err.reason);
		return;
	}
	count(watch, &survey, now);
	warn(watch, &survey, now);
	survey_free(&survey);
	watch->before = now;
}

static int64_t
seconds(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* A large store is looked at less often. */
static void *
run(void *arg)
{
	struct watch	*watch = arg;

	for (;;) {
		int64_t	 begun = seconds(), rest;

		pthread_mutex_lock(&looking);
		look(watch);
		pthread_mutex_unlock(&looking);
		rest = (seconds() - begun) * REST;
		sleep((unsigned)(rest > PAUSE_SECONDS ? rest : PAUSE_SECONDS));
	}
	return NULL;
}

bool
vault_watch(struct store *store, const char *dir, struct err *err)
{
	struct watch	*watch = mem_alloc(sizeof(*watch));

	watch->store = store;
	watch->dir = mem_str(dir);
	return process_thread(run, watch, err);
}

void
vault_watch_stop(void)
{
	is_stopping = true;
	pthread_mutex_lock(&looking);
}
