/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/wait.h>

#include <signal.h>
#include <time.h>

#include "store/key.h"
#include "store/rewrap.h"
#include "store/stamp_key.h"
#include "store/table.h"
#include "tests/lib/scratch_store.h"

#define N_KEYS		4
#define KILL_ROUNDS	8

static EVP_PKEY		*keys[N_KEYS];
static struct err	 err;

/* The master key of a number. */
static void
master(unsigned i, uint8_t out[MASTER_KEY_LEN])
{
	memset(out, 7, MASTER_KEY_LEN);
	memcpy(out, &i, sizeof(i));
}

static struct store_options
options_for(const char *dir, unsigned i)
{
	struct store_options	 options = { .dir = dir,
				    .lock_timeout_ms = 5000 };

	master(i, options.master_key);
	return options;
}

static struct store *
open_store(const char *dir, unsigned i)
{
	struct store_options	 options = options_for(dir, i);
	struct store		*store = NULL;

	REQUIRE_OK(store_open(&options, &store, &err), err);
	return store;
}

static const char *
new_store(const char *name)
{
	const char		*dir = scratch_folder(name);
	struct store_options	 options = options_for(dir, 0);
	struct store		*store;

	REQUIRE_OK(store_create(&options, &err), err);
	store = open_store(dir, 0);
	for (size_t i = 0; i < N_KEYS; i++)
		scratch_put_key(store, keys[i]);
	store_close(store);
	return dir;
}

static bool
add_key(void *arg, const uint8_t *key, size_t key_len, const uint8_t *value,
    size_t len, bool *more, struct err *why)
{
	struct buf	*ids = arg;

	(void)value;
	(void)len;
	(void)why;
	*more = true;
	buf_add(ids, key, key_len);
	return true;
}

/* Every key is there, and opens. */
static void
check_keys(struct store *store)
{
	struct buf	 ids = { 0 };
	EVP_PKEY	*key;

	REQUIRE_OK(store_begin_read(store, &err), err);
	REQUIRE_OK(table_walk(store, TABLE_KEYS, "", 0, add_key, &ids, &err),
	    err);
	CHECK_INT(ids.len, N_KEYS * KEY_ID_LEN);
	for (size_t i = 0; i < ids.len; i += KEY_ID_LEN) {
		CHECK_OK(key_unlock(store, ids.data + i, &key, &err), err);
		CHECK(key != NULL);
		EVP_PKEY_free(key);
	}
	store_end_read(store);
	buf_free(&ids);
}

static void
rewrap(struct store *store, unsigned i, int64_t now)
{
	uint8_t	 new_master[MASTER_KEY_LEN];
	size_t	 n;

	master(i, new_master);
	REQUIRE_OK(rewrap_store(store, "test", new_master, now, &n,
	    &err), err);
	CHECK_INT(n, N_KEYS);
}

/* Under the new key in this process and in the next, under no other. */
static void
test_rewrap(void)
{
	const char		*dir = new_store("rewrap");
	struct store		*store = open_store(dir, 0);
	struct store_options	 options = options_for(dir, 0);

	rewrap(store, 1, PKI_NOW);
	check_keys(store);
	store_close(store);
	CHECK(!store_open(&options, &store, &err));
	CHECK_INT(err.kind, ERR_CONFIG);
	CHECK(strstr(err.reason, "this is not the master key") != NULL);
	store = open_store(dir, 1);
	check_keys(store);
	store_close(store);
	/* As left behind by an interrupted change. */
	options.n_spare_keys = 2;
	master(2, options.spare_keys[0]);
	master(1, options.spare_keys[1]);
	REQUIRE_OK(store_open(&options, &store, &err), err);
	check_keys(store);
	store_close(store);
}

static struct stamp_keys
stamp_keys(struct store *store)
{
	struct stamp_keys	 got;

	REQUIRE_OK(store_begin_read(store, &err), err);
	REQUIRE_OK(stamp_key_read(store, &got, &err), err);
	store_end_read(store);
	return got;
}

static void
test_stamp_keys(void)
{
	const char		*dir = new_store("stamp");
	struct store		*store = open_store(dir, 0);
	struct stamp_keys	 first = stamp_keys(store), now;

	CHECK_INT(first.n, 1);
	CHECK_INT(first.list[0].retired, 0);
	rewrap(store, 1, PKI_NOW);
	now = stamp_keys(store);
	CHECK_INT(now.n, 2);
	CHECK(memcmp(now.list[0].bytes, first.list[0].bytes,
	    STAMP_KEY_LEN) != 0);
	CHECK_MEM(now.list[1].bytes, STAMP_KEY_LEN, first.list[0].bytes,
	    STAMP_KEY_LEN);
	CHECK_INT(now.list[1].retired, PKI_NOW);
	CHECK_INT(now.list[0].retired, 0);
	for (unsigned i = 2; i < 12; i++)
		rewrap(store, i, PKI_NOW + i);
	store_close(store);
	store = open_store(dir, 11);
	now = stamp_keys(store);
	CHECK_INT(now.n, STAMP_KEYS_MAX);
	CHECK_INT(now.list[1].retired, PKI_NOW + 11);
	CHECK_INT(now.list[STAMP_KEYS_MAX - 1].retired, PKI_NOW + 5);
	store_close(store);
}

/* A child changes the master key over and over, and is killed. */
static void
rewrap_until_killed(const char *dir, int fd, unsigned from)
{
	struct store	*store = open_store(dir, from);

	for (unsigned i = from + 1;; i++) {
		rewrap(store, i, PKI_NOW);
		if (write(fd, &i, sizeof(i)) != sizeof(i))
			_exit(1);
	}
}

static void
test_killed(void)
{
	const char	*dir = new_store("killed");
	unsigned	 now = 0, i;
	int		 rounds = getenv("SMIME_LONG") != NULL ? 200 :
			    KILL_ROUNDS;

	srandom(4711);
	for (int round = 0; round < rounds; round++) {
		struct timespec		 pause = { 0,
					    random() % 40 * 1000000 };
		struct store_options	 options;
		struct store		*store = NULL;
		int			 fds[2], status;
		pid_t			 pid;

		REQUIRE(pipe(fds) == 0);
		fflush(stdout);
		if ((pid = fork()) == 0)
			rewrap_until_killed(dir, fds[1], now);
		close(fds[1]);
		/* At some moment of one that follows the first. */
		REQUIRE(read(fds[0], &now, sizeof(now)) == sizeof(now));
		nanosleep(&pause, NULL);
		kill(pid, SIGKILL);
		while (read(fds[0], &i, sizeof(i)) == sizeof(i))
			now = i;
		close(fds[0]);
		waitpid(pid, &status, 0);
		CHECK(WIFSIGNALED(status));
		/* Under what was told last, or what was just about to be. */
		options = options_for(dir, now);
		if (!store_open(&options, &store, &err))
			store = open_store(dir, ++now);
		check_keys(store);
		store_close(store);
	}
	CHECK(now >= (unsigned)rounds);
}

int
main(void)
{
	for (size_t i = 0; i < N_KEYS; i++)
		keys[i] = pki_key("P-256");
	test_rewrap();
	test_stamp_keys();
	test_killed();
	for (size_t i = 0; i < N_KEYS; i++)
		EVP_PKEY_free(keys[i]);
	return test_done("rewrap");
}
