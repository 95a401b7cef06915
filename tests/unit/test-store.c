/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/mount.h>
#include <sys/wait.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include "store/store.h"
#include "store/table.h"
#include "tests/lib/scratch.h"
#include "tests/lib/test.h"

#define KILL_ROUNDS	12

static struct err err;

static struct store_options
options_for(const char *dir)
{
	struct store_options	 options = { .dir = dir,
				    .lock_timeout_ms = 50 };

	memset(options.master_key, 7, sizeof(options.master_key));
	return options;
}

static const char *
new_store(const char *name)
{
	const char		*dir = scratch_folder(name);
	struct store_options	 options = options_for(dir);

	REQUIRE_OK(store_create(&options, &err), err);
	return dir;
}

static struct store *
open_store(const char *dir)
{
	struct store_options	 options = options_for(dir);
	struct store		*store = NULL;

	options.lock_timeout_ms = 5000;
	REQUIRE_OK(store_open(&options, &store, &err), err);
	return store;
}

static void
put(struct store *store, const char *key, const char *value)
{
	REQUIRE_OK(table_put(store, TABLE_META, key, strlen(key), value,
	    strlen(value), &err), err);
}

/* The value, "" if there is none; static. */
static const char *
get(struct store *store, const char *key)
{
	static char	 text[64];
	struct buf	 value = { 0 };
	bool		 found;

	REQUIRE_OK(store_begin_read(store, &err), err);
	REQUIRE_OK(table_get(store, TABLE_META, key, strlen(key), &value,
	    &found, &err), err);
	store_end_read(store);
	snprintf(text, sizeof(text), "%.*s", found ? (int)value.len : 0,
	    found ? (char *)value.data : "");
	buf_free(&value);
	return text;
}

/* What is refused at opening, each with its own sentence. */

static void
make_file(const char *dir, const char *name)
{
	char	 path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	scratch_write(path, "x", 1);
}

static void
spoil_db_config(const char *dir)
{
	make_file(dir, "DB_CONFIG");
}

static void
spoil_region(const char *dir)
{
	make_file(dir, "__db.001");
}

static void
spoil_mode(const char *dir)
{
	REQUIRE(chmod(dir, 0770) == 0);
}

static void
spoil_missing(const char *dir)
{
	char	 path[512];

	snprintf(path, sizeof(path), "%s/meta.db", dir);
	REQUIRE(unlink(path) == 0);
}

static void
spoil_lost_table(const char *dir)
{
	char	 path[512];

	snprintf(path, sizeof(path), "%s/keys.db", dir);
	REQUIRE(unlink(path) == 0);
}

static void
spoil_page(const char *dir)
{
	char	 path[512], zeros[512] = { 0 };
	int	 fd;

	snprintf(path, sizeof(path), "%s/certs.db", dir);
	fd = open(path, O_WRONLY);
	REQUIRE(fd != -1);
	REQUIRE(pwrite(fd, zeros, sizeof(zeros), 0) == sizeof(zeros));
	close(fd);
}

static void
spoil_version(const char *dir)
{
	struct store	*store = open_store(dir);

	REQUIRE_OK(store_begin_write(store, &err), err);
	put(store, "version", "\x01\x02");
	REQUIRE_OK(store_commit(store, &err), err);
	store_close(store);
}

static void
spoil_owner(const char *dir)
{
	/* Anybody else than who opens it. */
	REQUIRE(chown(dir, 65534, (gid_t)-1) == 0);
}

static void
test_refused(void)
{
	static const struct {
		const char	*what;
		void		 (*spoil)(const char *dir);
		bool		 as_root;
		enum err_kind	 kind;
		const char	*reason;
	} rows[] = {
		{ "a DB_CONFIG in the folder", spoil_db_config, false,
		    ERR_CONFIG, "holds a file DB_CONFIG" },
		{ "regions of a shared environment", spoil_region, false,
		    ERR_CONFIG, "a shared region of Berkeley DB" },
		{ "others may write there", spoil_mode, false, ERR_CONFIG,
		    "others may write into the store's folder" },
		{ "an empty folder", spoil_missing, false, ERR_CONFIG,
		    "there is no store in" },
		{ "a table is gone", spoil_lost_table, false, ERR_DATA,
		    "keys.db is missing" },
		{ "a table's first page is gone", spoil_page, false, ERR_DATA,
		    "cannot open certs.db in the store" },
		{ "a store of a newer version", spoil_version, false,
		    ERR_CONFIG, "is of version 258, this program knows up to" },
		{ "another's store", spoil_owner, true, ERR_CONFIG,
		    "belongs to user 65534, not to user 0" },
	};

	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		char			 name[32];
		const char		*dir;
		struct store_options	 options;
		struct store		*store = NULL;

		if (rows[i].as_root && geteuid() != 0)
			continue;
		test_row(rows[i].what);
		snprintf(name, sizeof(name), "refused%zu", i);
		dir = new_store(name);
		options = options_for(dir);
		rows[i].spoil(dir);
		CHECK(!store_open(&options, &store, &err));
		CHECK_INT(err.kind, rows[i].kind);
		if (strstr(err.reason, rows[i].reason) == NULL)
			CHECK_STR(err.reason, rows[i].reason);
	}
	test_row(NULL);
}

static void
test_wrong_key(void)
{
	const char		*dir = new_store("key");
	struct store_options	 options = options_for(dir);
	struct store		*store = NULL;

	options.master_key[31] ^= 1;
	CHECK(!store_open(&options, &store, &err));
	CHECK_INT(err.kind, ERR_CONFIG);
	CHECK(strstr(err.reason, "this is not the master key") != NULL);
	options.master_key[31] ^= 1;
	REQUIRE_OK(store_open(&options, &store, &err), err);
	store_close(store);
}

static void
test_create(void)
{
	const char		*dir = new_store("create");
	const char		*full = scratch_folder("full");
	struct store_options	 options = options_for(dir);

	CHECK(!store_create(&options, &err));
	CHECK(strstr(err.reason, "there is a store in") != NULL);
	options.dir = full;
	make_file(full, "letter.txt");
	CHECK(!store_create(&options, &err));
	CHECK(strstr(err.reason, "is not empty: it holds letter.txt") != NULL);
	options.dir = scratch_path("nowhere");
	CHECK(!store_create(&options, &err));
	CHECK_INT(err.kind, ERR_CONFIG);
}

/* No file in the store is for others, whatever the umask. */
static void
test_modes(void)
{
	mode_t		 before = umask(0);
	const char	*dir = new_store("modes");
	char		 command[256];
	FILE		*files;

	snprintf(command, sizeof(command),
	    "find '%s' -type f -perm /077 | wc -l", dir);
	files = popen(command, "r");
	CHECK_INT(fgetc(files), '0');
	pclose(files);
	umask(before);
}

static void
test_lock(void)
{
	const char		*dir = new_store("lock");
	struct store_options	 options = options_for(dir);
	struct store		*store = open_store(dir), *second = NULL;
	char			 want[64];

	CHECK(!store_open(&options, &second, &err));
	CHECK_INT(err.kind, ERR_TEMP);
	snprintf(want, sizeof(want), "is in use by process %ld",
	    (long)getpid());
	CHECK(strstr(err.reason, want) != NULL);
	store_close(store);
	store_close(open_store(dir));
}

static void
test_read_only(void)
{
	const char		*dir;
	struct store_options	 options;
	struct store		*store = NULL;
	pid_t			 pid;
	int			 status;

	dir = new_store("readonly");
	options = options_for(dir);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		/* A mount of our own; where that is not allowed, no test. */
		if (unshare(CLONE_NEWNS) == -1 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
		    mount(dir, dir, NULL, MS_BIND, NULL) == -1 ||
		    mount(NULL, dir, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY,
		    NULL) == -1)
			_exit(77);
		if (store_open(&options, &store, &err) ||
		    err.kind != ERR_CONFIG ||
		    strstr(err.reason, "read-only file system") == NULL) {
			printf("err: %s\n", err.reason);
			_exit(1);
		}
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		printf("# no mounts here: a read-only store is not tested\n");
	else
		CHECK_INT(status, 0);
}

/*
 * A disk that is full: each commit that failed left nothing, each that did
 * not is there; and with room again the store opens.  A child, for the mount.
 */
static void
fill_disk(const char *dir)
{
	struct store_options	 options = options_for(dir);
	static char		 value[2000];
	struct store		*store;
	struct buf		 got = { 0 };
	unsigned		 n = 0;
	bool			 found, is_full = false;

	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("none", dir, "tmpfs", 0, "size=4m,mode=0700") == -1)
		_exit(77);
	REQUIRE_OK(store_create(&options, &err), err);
	store = open_store(dir);
	memset(value, 'x', sizeof(value));
	while (!is_full && n < 4000) {
		REQUIRE_OK(store_begin_write(store, &err), err);
		is_full = !table_put(store, TABLE_KEYS, &n, sizeof(n), value,
		    sizeof(value), &err);
		if (is_full)
			store_abort(store);
		else
			is_full = !store_commit(store, &err);
		if (!is_full)
			n++;
	}
	CHECK(is_full && n > 100);
	CHECK_INT(err.kind, ERR_TEMP);
	CHECK(strstr(err.reason, "No space left on device") != NULL);
	store_close(store);
	if (!store_open(&options, &store, &err)) {
		CHECK_INT(err.kind, ERR_TEMP);
		CHECK(strstr(err.reason, "No space left on device") != NULL);
	} else
		store_close(store);
	REQUIRE(mount(NULL, dir, NULL, MS_REMOUNT, "size=40m") == 0);
	store = open_store(dir);
	REQUIRE_OK(store_begin_read(store, &err), err);
	for (unsigned i = 0; i <= n; i++) {
		REQUIRE_OK(table_get(store, TABLE_KEYS, &i, sizeof(i), &got,
		    &found, &err), err);
		CHECK_INT(found, i < n);
	}
	store_end_read(store);
	store_close(store);
	buf_free(&got);
	fflush(stdout);
	_exit(test_n_failed == 0 ? 0 : 1);
}

static void
test_full_disk(void)
{
	const char	*dir = scratch_folder("small");
	pid_t		 pid;
	int		 status;

	fflush(stdout);
	if ((pid = fork()) == 0)
		fill_disk(dir);
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		printf("# no mounts here: a full disk is not tested\n");
	else
		CHECK_INT(status, 0);
}

static void
test_transactions(void)
{
	struct store	*store = open_store(new_store("txn"));
	uint64_t	 before = store_generation(store);

	REQUIRE_OK(store_begin_write(store, &err), err);
	put(store, "a", "1");
	store_abort(store);
	CHECK_STR(get(store, "a"), "");
	CHECK_INT(store_generation(store), before);
	REQUIRE_OK(store_begin_write(store, &err), err);
	put(store, "a", "2");
	CHECK(store_is_writing(store));
	REQUIRE_OK(store_commit(store, &err), err);
	CHECK_STR(get(store, "a"), "2");
	CHECK_INT(store_generation(store), before + 1);
	store_close(store);
}

/*
 * A child writes pairs, tells after each commit which one, and is killed at
 * some moment; then all that it told of is there, and no half of a pair.
 */
static void
write_until_killed(const char *dir, int pipe_fd, unsigned from)
{
	struct store	*store = open_store(dir);

	for (unsigned i = from;; i++) {
		char	 key[32], value[32];

		snprintf(value, sizeof(value), "%u", i);
		REQUIRE_OK(store_begin_write(store, &err), err);
		snprintf(key, sizeof(key), "left%u", i);
		put(store, key, value);
		snprintf(key, sizeof(key), "right%u", i);
		put(store, key, value);
		put(store, "last", value);
		REQUIRE_OK(store_commit(store, &err), err);
		if (write(pipe_fd, &i, sizeof(i)) != sizeof(i))
			_exit(1);
	}
}

static unsigned
read_last(int fd, unsigned before)
{
	unsigned	 i, last = before;

	while (read(fd, &i, sizeof(i)) == sizeof(i))
		last = i;
	return last;
}

/* Returns the last that is there. */
static unsigned
check_pairs(const char *dir, unsigned told)
{
	struct store	*store = open_store(dir);
	unsigned	 last = (unsigned)atoi(get(store, "last"));

	/* One more may have been committed than was told. */
	CHECK(last == told || last == told + 1);
	for (unsigned i = 1; i <= last + 1; i++) {
		char	 key[32], value[32], left[64];

		snprintf(value, sizeof(value), "%u", i);
		snprintf(key, sizeof(key), "left%u", i);
		snprintf(left, sizeof(left), "%s", get(store, key));
		snprintf(key, sizeof(key), "right%u", i);
		CHECK_STR(get(store, key), left);
		CHECK_STR(left, i <= last ? value : "");
	}
	store_close(store);
	return last;
}

static void
test_killed(void)
{
	const char	*dir = new_store("killed");
	unsigned	 told = 0;

	srandom(4711);
	for (int round = 0; round < KILL_ROUNDS; round++) {
		struct timespec	 pause = { 0, random() % 100 * 1000000 };
		int		 fds[2], status;
		pid_t		 pid;

		REQUIRE(pipe(fds) == 0);
		if ((pid = fork()) == 0)
			write_until_killed(dir, fds[1], told + 1);
		close(fds[1]);
		/* At some moment after its first, however slow we are. */
		REQUIRE(read(fds[0], &told, sizeof(told)) == sizeof(told));
		nanosleep(&pause, NULL);
		kill(pid, SIGKILL);
		told = read_last(fds[0], told);
		waitpid(pid, &status, 0);
		CHECK(WIFSIGNALED(status));
		close(fds[0]);
		told = check_pairs(dir, told);
	}
	CHECK(told >= KILL_ROUNDS);
}

/*
 * The power fails while the last log page is written: it is cut off anywhere,
 * or holds what was on the disk before.  What was committed before is there,
 * and the store opens.
 */
static void
last_log(const char *dir, char *path, size_t size)
{
	for (int i = 9; i > 0; i--) {
		snprintf(path, size, "%s/log.%010d", dir, i);
		if (access(path, F_OK) == 0)
			return;
	}
	REQUIRE(false);
}

/* From the first to behind the last byte in which two files differ. */
static void
find_change(const char *a, const char *b, off_t *from, off_t *to)
{
	FILE	*fa = fopen(a, "re"), *fb = fopen(b, "re");
	off_t	 at;
	int	 ca, cb;

	REQUIRE(fa != NULL && fb != NULL);
	*from = *to = 0;
	for (at = 0; (ca = fgetc(fa)) + (cb = fgetc(fb)) != 2 * EOF; at++)
		if (ca != cb) {
			*from = *to == 0 ? at : *from;
			*to = at + 1;
		}
	fclose(fa);
	fclose(fb);
}

/* Ends without closing anything, as a crash does. */
static void
write_and_crash(const char *dir, const char *before)
{
	struct store	*store = open_store(dir);
	char		 path[512], command[1200];

	REQUIRE_OK(store_begin_write(store, &err), err);
	put(store, "safe", "1");
	REQUIRE_OK(store_commit(store, &err), err);
	last_log(dir, path, sizeof(path));
	snprintf(command, sizeof(command), "cp '%s' '%s'", path, before);
	REQUIRE(system(command) == 0);
	REQUIRE_OK(store_begin_write(store, &err), err);
	put(store, "torn", "2");
	put(store, "torn2", "2");
	REQUIRE_OK(store_commit(store, &err), err);
	kill(getpid(), SIGKILL);
}

static void
tear(const char *dir, off_t at, off_t end, bool is_garbage)
{
	char	 path[512], garbage[512];
	int	 fd;

	last_log(dir, path, sizeof(path));
	REQUIRE((fd = open(path, O_WRONLY)) != -1);
	memset(garbage, 0xa5, sizeof(garbage));
	if (!is_garbage)
		REQUIRE(ftruncate(fd, at) == 0);
	for (; is_garbage && at < end; at += 1)
		REQUIRE(pwrite(fd, garbage, 1, at) == 1);
	close(fd);
}

static void
test_torn_log(void)
{
	const char	*dir = new_store("torn");
	const char	*copy = scratch_path("torn-copy");
	char		 command[1024], torn[64];
	const char	*before = scratch_path("torn-before");
	char		 path[512];
	off_t		 from, to;
	int		 status;
	pid_t		 pid;

	fflush(stdout);
	if ((pid = fork()) == 0)
		write_and_crash(dir, before);
	waitpid(pid, &status, 0);
	REQUIRE(WIFSIGNALED(status));
	last_log(dir, path, sizeof(path));
	find_change(before, path, &from, &to);
	REQUIRE(to > from);
	for (int i = 0; i < 24; i++) {
		struct store	*store;

		snprintf(command, sizeof(command),
		    "rm -rf '%s' && cp -a '%s' '%s'", copy, dir, copy);
		REQUIRE(system(command) == 0);
		tear(copy, from + (to - from) * (i / 2) / 12, to, i % 2);
		store = open_store(copy);
		CHECK_STR(get(store, "safe"), "1");
		snprintf(torn, sizeof(torn), "%s", get(store, "torn"));
		CHECK_STR(get(store, "torn2"), torn);
		store_close(store);
	}
}

int
main(void)
{
	test_refused();
	test_wrong_key();
	test_create();
	test_modes();
	test_lock();
	test_read_only();
	test_full_disk();
	test_transactions();
	test_killed();
	test_torn_log();
	return test_done("store");
}
