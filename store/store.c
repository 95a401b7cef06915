/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <db.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/keywrap.h"
#include "store/store_impl.h"

#define VERSION		1
#define CACHE_BYTES	(160u << 20)	/* a million certificates' indexes */
#define LOG_FILE_BYTES	(1u << 20)
#define LOG_BUFFER	(256u << 10)
#define CHECKPOINT_KB	4096	/* of log, which recovery reads again */
#define LOCK_POLL_MS	20

#define CHECK_TEXT	"smime-milter store"

static const struct {
	const char	*file;
	const char	*doing;		/* when it fails to open */
	u_int32_t	 page_size;	/* bytes; holds a usual record or key */
} files[TABLE_COUNT] = {
	[TABLE_META] = { "meta.db", "open meta.db", 4096 },
	[TABLE_CERTS] = { "certs.db", "open certs.db", 8192 },
	[TABLE_KEYS] = { "keys.db", "open keys.db", 8192 },
	[TABLE_INDEX] = { "index.db", "open index.db", 4096 },
	[TABLE_CRLS] = { "crls.db", "open crls.db", 16384 },
	[TABLE_EVENTS] = { "events.db", "open events.db", 4096 },
};

/* --- Berkeley DB's own words -------------------------------------------- */

/* The last message, of this thread; Berkeley DB would print it. */
static _Thread_local char	 db_said[256];

static void
note_message(const DB_ENV *env, const char *prefix, const char *text)
{
	(void)env;
	(void)prefix;
	/* The first is the cause, those after it are consequences. */
	if (db_said[0] == '\0')
		snprintf(db_said, sizeof(db_said), "%s", text);
}

static void
drop_message(const DB_ENV *env, const char *text)
{
	(void)env;
	(void)text;
}

static bool
db_failed(int rc, enum err_kind kind, const char *dir, const char *doing,
    struct err *err)
{
	const char	*text = db_strerror(rc);
	bool		 is_new = db_said[0] != '\0' &&
			    strstr(db_said, text) == NULL;

	err_set(err, kind, "cannot %s in the store %s: %s%s%s", doing, dir,
	    text, is_new ? ": " : "", is_new ? db_said : "");
	db_said[0] = '\0';
	return false;
}

bool
store_db_error(struct store *store, int rc, const char *doing, struct err *err)
{
	if (rc == DB_RUNRECOVERY)
		atomic_store(&store->is_broken, true);
	return db_failed(rc, ERR_TEMP, store->dir, doing, err);
}

/* While opening, what does not pass by itself is for the administrator. */
static bool
open_error(struct store *store, int rc, const char *doing, struct err *err)
{
	enum err_kind	 kind = ERR_DATA;

	/* Recovery says only that it failed; why is in the message. */
	if (rc == DB_RUNRECOVERY &&
	    strstr(db_said, strerror(ENOSPC)) != NULL)
		rc = ENOSPC;
	if (rc == ENOSPC || rc == ENOMEM || rc == EAGAIN || rc == EDQUOT ||
	    rc == EMFILE || rc == ENFILE)
		kind = ERR_TEMP;
	else if (rc == EACCES || rc == EPERM || rc == EROFS)
		kind = ERR_CONFIG;
	return db_failed(rc, kind, store->dir, doing, err);
}

/* --- the folder and its lock -------------------------------------------- */

/* "__db.001" */
static bool
is_region(const char *name)
{
	return strncmp(name, "__db.", 5) == 0 && strlen(name) == 8 &&
	    strspn(name + 5, "0123456789") == 3;
}

/*
 * A table that is being created, "__db.80000002.5e3713a", is there until it
 * gets its name; where that was interrupted recovery removes it.
 */
static bool
is_unfinished(const char *name)
{
	return strncmp(name, "__db.", 5) == 0 && !is_region(name);
}

static bool
is_ours(const char *name)
{
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    strcmp(name, "lock") == 0 || strcmp(name, "admin.sock") == 0 ||
	    strcmp(name, "lost+found") == 0 || is_unfinished(name) ||
	    strncmp(name, "log.", 4) == 0)
		return true;
	for (size_t i = 0; i < TABLE_COUNT; i++)
		if (strcmp(name, files[i].file) == 0)
			return true;
	return false;
}

static bool
refuse_entry(const char *dir, const char *name, bool is_new, struct err *err)
{
	/* It changes every setting silently (TRAPS: CVE-2017-10140). */
	if (strcmp(name, "DB_CONFIG") == 0)
		return err_set(err, ERR_CONFIG, "%s holds a file DB_CONFIG, "
		    "which would change how the store works: remove it", dir);
	if (is_region(name))
		return err_set(err, ERR_CONFIG, "%s holds %s, a shared region "
		    "of Berkeley DB: another program has opened the store; "
		    "end it and remove the __db.* files", dir, name);
	if (is_new && !is_ours(name))
		return err_set(err, ERR_CONFIG,
		    "%s is not empty: it holds %s", dir, name);
	return true;
}

static bool
check_entries(const char *dir, bool is_new, struct err *err)
{
	DIR		*d = opendir(dir);
	struct dirent	*e;
	bool		 is_ok = true;

	if (d == NULL)
		return err_errno(err, ERR_CONFIG, "cannot read the folder %s",
		    dir);
	while (is_ok && (e = readdir(d)) != NULL)
		is_ok = refuse_entry(dir, e->d_name, is_new, err);
	closedir(d);
	return is_ok;
}

static bool
check_folder(const char *dir, struct err *err)
{
	struct stat	 st;

	if (stat(dir, &st) == -1) {
		if (errno == ENOENT)
			return err_set(err, ERR_CONFIG, "there is no store: "
			    "%s does not exist", dir);
		return err_errno(err, ERR_CONFIG, "cannot look at the store "
		    "%s", dir);
	}
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_CONFIG, "%s is not a folder", dir);
	if (st.st_uid != geteuid())
		return err_set(err, ERR_CONFIG, "the store %s belongs to user "
		    "%u, not to user %u who opens it", dir,
		    (unsigned)st.st_uid, (unsigned)geteuid());
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return err_set(err, ERR_CONFIG, "others may write into the "
		    "store's folder %s (mode %04o, 0700 is wanted)", dir,
		    (unsigned)st.st_mode & 07777);
	return true;
}

static int64_t
clock_ms(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool
lock_is_held(const char *dir, int fd, struct err *err)
{
	char	 text[32] = "";
	ssize_t	 n = pread(fd, text, sizeof(text) - 1, 0);
	long	 pid = n > 0 ? strtol(text, NULL, 10) : 0;

	if (pid <= 0)
		return err_set(err, ERR_TEMP,
		    "the store %s is in use by another process", dir);
	return err_set(err, ERR_TEMP,
	    "the store %s is in use by process %ld", dir, pid);
}

/*
 * The kernel lets go of the lock when its holder dies, so nothing stale can
 * remain.  The file itself stays for ever: removing it would let two
 * processes hold two locks of the same name.
 */
static bool
take_lock(struct store *store, int timeout_ms, struct err *err)
{
	int64_t	 deadline = clock_ms() + timeout_ms;
	char	*path = mem_strf("%s/lock", store->dir);
	int	 fd;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	free(path);
	if (fd == -1 && errno == EROFS)
		return err_set(err, ERR_CONFIG, "the store %s is on a "
		    "read-only file system", store->dir);
	if (fd == -1)
		return err_errno(err, ERR_CONFIG,
		    "cannot open the lock of the store %s", store->dir);
	while (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		struct timespec	 pause = { 0, LOCK_POLL_MS * 1000000L };

		if (errno != EWOULDBLOCK && errno != EINTR)
			err_errno(err, ERR_TEMP, "cannot lock the store %s",
			    store->dir);
		else if (clock_ms() >= deadline)
			lock_is_held(store->dir, fd, err);
		else {
			nanosleep(&pause, NULL);
			continue;
		}
		close(fd);
		return false;
	}
	/* Only for the sentence above; that it may fail harms nothing. */
	if (ftruncate(fd, 0) == 0)
		dprintf(fd, "%ld\n", (long)getpid());
	store->lock_fd = fd;
	return true;
}

/* --- opening -------------------------------------------------------------- */

/*
 * Private, so that a killed process leaves no region and no lock behind it
 * (a shared environment puts the living to sleep for ever), and without
 * DB_INIT_LOCK, for which store_begin_read() has the reason.
 */
static bool
open_env(struct store *store, struct err *err)
{
	DB_ENV		*env;
	u_int32_t	 flags = DB_CREATE | DB_PRIVATE | DB_RECOVER |
			    DB_INIT_TXN | DB_INIT_LOG | DB_INIT_MPOOL |
			    DB_THREAD;
	int		 rc;

	db_said[0] = '\0';
	if ((rc = db_env_create(&store->env, 0)) != 0)
		return open_error(store, rc, "begin", err);
	env = store->env;
	env->set_errcall(env, note_message);
	env->set_msgcall(env, drop_message);
	if ((rc = env->set_cachesize(env, 0, CACHE_BYTES, 1)) != 0 ||
	    (rc = env->set_lg_max(env, LOG_FILE_BYTES)) != 0 ||
	    (rc = env->set_lg_bsize(env, LOG_BUFFER)) != 0 ||
	    (rc = env->log_set_config(env, DB_LOG_AUTO_REMOVE, 1)) != 0)
		return open_error(store, rc, "set limits", err);
	/* The mode is explicit, so that a lax umask adds nothing to it. */
	if ((rc = env->open(env, store->dir, flags, 0600)) != 0)
		return open_error(store, rc, "recover what was written", err);
	return true;
}

/* In the transaction at hand, if there is one. */
static bool
open_table(struct store *store, enum table i, u_int32_t create,
    struct err *err)
{
	DB	*db;
	int	 rc;

	if ((rc = db_create(&store->tables[i], store->env, 0)) != 0)
		return open_error(store, rc, "begin a table", err);
	db = store->tables[i];
	if ((rc = db->set_pagesize(db, files[i].page_size)) != 0 ||
	    (rc = db->set_flags(db, DB_CHKSUM)) != 0)
		return open_error(store, rc, "set up a table", err);
	rc = db->open(db, store->txn, files[i].file, NULL, DB_BTREE,
	    DB_THREAD | create | (store->txn == NULL ? DB_AUTO_COMMIT : 0),
	    0600);
	if (rc == ENOENT)
		return err_set(err, i == TABLE_META ? ERR_CONFIG : ERR_DATA,
		    "there is no store in %s: %s is missing", store->dir,
		    files[i].file);
	return rc == 0 || open_error(store, rc, files[i].doing, err);
}

static bool
check_version(struct store *store, struct err *err)
{
	struct buf	 value = { 0 };
	unsigned	 version;
	bool		 found, is_ok = false;

	if (!table_get(store, TABLE_META, "version", 7, &value, &found, err))
		goto out;
	if (!found || value.len != 2) {
		err_set(err, ERR_DATA,
		    "the store %s does not say its version", store->dir);
		goto out;
	}
	version = (unsigned)value.data[0] << 8 | value.data[1];
	if (version > VERSION) {
		err_set(err, ERR_CONFIG, "the store %s is of version %u, this "
		    "program knows up to %d: it was written by a newer one",
		    store->dir, version, VERSION);
		goto out;
	}
	is_ok = true;
out:
	buf_free(&value);
	return is_ok;
}

/* The first that fits, of the key given and its spares, is the store's. */
static bool
choose_master_key(struct store *store, const struct store_options *options,
    const struct buf *check, struct err *err)
{
	struct buf	 plain = { .is_secret = true };
	bool		 is_ok = false;

	for (size_t i = 0; !is_ok && i <= options->n_spare_keys; i++) {
		if (i > 0)
			memcpy(store->master_key, options->spare_keys[i - 1],
			    MASTER_KEY_LEN);
		is_ok = keywrap_open(store->master_key, "check", "", 0,
		    check->data, check->len, &plain, err);
		if (!is_ok && err->kind != ERR_DATA)
			break;
	}
	if (!is_ok && err->kind == ERR_DATA)
		err_set(err, ERR_CONFIG, "this is not the master key that the "
		    "store %s was made with", store->dir);
	buf_free(&plain);
	return is_ok;
}

static bool
put_version(struct store *store, struct err *err)
{
	static const uint8_t	 version[2] = { VERSION >> 8, VERSION & 255 };

	return table_put(store, TABLE_META, "version", 7, version,
	    sizeof(version), err);
}

static bool
check_master_key(struct store *store, const struct store_options *options,
    struct err *err)
{
	struct buf	 value = { 0 };
	bool		 found, is_ok = false;

	if (!table_get(store, TABLE_META, "check", 5, &value, &found, err))
		goto out;
	if (!found) {
		err_set(err, ERR_DATA, "the store %s lacks the record that "
		    "tells its master key", store->dir);
		goto out;
	}
	is_ok = choose_master_key(store, options, &value, err);
out:
	buf_free(&value);
	return is_ok;
}

/* What there is beside meta.db, which has told the version. */
static bool
open_others(struct store *store, struct err *err)
{
	for (size_t i = TABLE_META + 1; i < TABLE_COUNT; i++)
		if (!open_table(store, (enum table)i, 0, err))
			return false;
	return true;
}

static bool
open_tables(struct store *store, const struct store_options *options,
    struct err *err)
{
	return open_table(store, TABLE_META, 0, err) &&
	    check_version(store, err) &&
	    check_master_key(store, options, err) &&
	    open_others(store, err);
}

static struct store *
new_store(const struct store_options *options)
{
	struct store		*store = mem_alloc(sizeof(*store));
	pthread_rwlockattr_t	 attr;

	store->dir = mem_str(options->dir);
	store->lock_fd = -1;
	store->generation = options->generation != NULL ?
	    options->generation : &store->own_generation;
	/* Others may have changed it since it was open here. */
	atomic_fetch_add(store->generation, 1);
	store->master_key = OPENSSL_secure_malloc(MASTER_KEY_LEN);
	if (store->master_key == NULL)
		abort();
	memcpy(store->master_key, options->master_key, MASTER_KEY_LEN);
	pthread_rwlockattr_init(&attr);
	/* By default readers without end would keep a writer waiting. */
	pthread_rwlockattr_setkind_np(&attr,
	    PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&store->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	return store;
}

bool
store_open(const struct store_options *options, struct store **out,
    struct err *err)
{
	struct store	*store = new_store(options);
	char		*meta = mem_strf("%s/%s", options->dir,
			    files[TABLE_META].file);
	bool		 is_ok = false;

	if (!check_folder(store->dir, err) ||
	    !check_entries(store->dir, false, err))
		goto out;
	/* Before anything is created in what may be any folder. */
	if (access(meta, F_OK) == -1) {
		err_set(err, ERR_CONFIG, "there is no store in %s",
		    store->dir);
		goto out;
	}
	if (!take_lock(store, options->lock_timeout_ms, err) ||
	    !open_env(store, err) || !open_tables(store, options, err))
		goto out;
	is_ok = true;
	*out = store;
	store = NULL;
out:
	free(meta);
	store_close(store);
	return is_ok;
}

static bool
sync_folder(const char *dir, struct err *err)
{
	int	 fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool	 is_ok = fd != -1 && fsync(fd) == 0;

	if (!is_ok)
		err_errno(err, ERR_TEMP, "cannot write the folder %s to disk",
		    dir);
	if (fd != -1)
		close(fd);
	return is_ok;
}

/* What tells the right master key from others. */
static bool
put_check(struct store *store, const uint8_t *master, struct err *err)
{
	struct buf	 check = { 0 };
	bool		 is_ok;

	is_ok = keywrap_seal(master, "check", "", 0, CHECK_TEXT,
	    sizeof(CHECK_TEXT) - 1, &check, err) &&
	    table_put(store, TABLE_META, "check", 5, check.data, check.len,
	    err);
	buf_free(&check);
	return is_ok;
}

/* Tables and meta records appear in one transaction, or not at all. */
static bool
fill_new(struct store *store, struct err *err)
{
	struct buf	 version = { 0 };
	bool		 found = false, is_ok = false;
	int		 rc;

	rc = store->env->txn_begin(store->env, NULL, &store->txn, 0);
	if (rc != 0)
		return open_error(store, rc, "begin", err);
	for (size_t i = 0; i < TABLE_COUNT; i++)
		if (!open_table(store, (enum table)i, DB_CREATE, err))
			goto out;
	if (!table_get(store, TABLE_META, "version", 7, &version, &found, err))
		goto out;
	if (found) {
		err_set(err, ERR_CONFIG, "there is a store in %s already",
		    store->dir);
		goto out;
	}
	if (!put_version(store, err) ||
	    !put_check(store, store->master_key, err))
		goto out;
	rc = store->txn->commit(store->txn, DB_TXN_SYNC);
	store->txn = NULL;
	is_ok = rc == 0 || open_error(store, rc, "commit", err);
out:
	buf_free(&version);
	/* The tables' handles are good for closing only, after an abort. */
	if (store->txn != NULL)
		store->txn->abort(store->txn);
	store->txn = NULL;
	return is_ok;
}

bool
store_create(const struct store_options *options, struct err *err)
{
	struct store	*store = new_store(options);
	bool		 is_ok;

	is_ok = check_folder(store->dir, err) &&
	    check_entries(store->dir, true, err) &&
	    take_lock(store, options->lock_timeout_ms, err) &&
	    open_env(store, err) && fill_new(store, err) &&
	    sync_folder(store->dir, err);
	store_close(store);
	return is_ok;
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	for (size_t i = 0; i < TABLE_COUNT; i++)
		if (store->tables[i] != NULL)
			store->tables[i]->close(store->tables[i], 0);
	if (store->env != NULL) {
		/* So that the next opening has nothing to recover. */
		if (!atomic_load(&store->is_broken))
			store->env->txn_checkpoint(store->env, 0, 0, 0);
		store->env->close(store->env, 0);
	}
	if (store->lock_fd != -1)
		close(store->lock_fd);
	pthread_rwlock_destroy(&store->lock);
	OPENSSL_secure_clear_free(store->master_key, MASTER_KEY_LEN);
	free(store->dir);
	free(store);
}

/* --- transactions -------------------------------------------------------- */

static bool
check_broken(struct store *store, struct err *err)
{
	if (!atomic_load(&store->is_broken))
		return true;
	return err_set(err, ERR_TEMP, "the store %s failed and has to be "
	    "opened again to recover", store->dir);
}

bool
store_begin_read(struct store *store, struct err *err)
{
	db_said[0] = '\0';
	if (!check_broken(store, err))
		return false;
	pthread_rwlock_rdlock(&store->lock);
	return true;
}

void
store_end_read(struct store *store)
{
	pthread_rwlock_unlock(&store->lock);
}

bool
store_probe(struct store *store, struct err *err)
{
	if (!store_begin_read(store, err))
		return false;
	store_end_read(store);
	return true;
}

bool
store_begin_write(struct store *store, struct err *err)
{
	int	 rc;

	db_said[0] = '\0';
	if (!check_broken(store, err))
		return false;
	pthread_rwlock_wrlock(&store->lock);
	rc = store->env->txn_begin(store->env, NULL, &store->txn, 0);
	if (rc == 0)
		return true;
	store->txn = NULL;
	pthread_rwlock_unlock(&store->lock);
	return store_db_error(store, rc, "begin a transaction", err);
}

/* new_master: NULL, or what the store's keys are sealed under from now on. */
static bool
commit(struct store *store, const uint8_t *new_master, u_int32_t flags,
    struct err *err)
{
	int	 rc = store->txn->commit(store->txn, flags);

	store->txn = NULL;
	if (rc == 0 && flags == DB_TXN_SYNC)
		atomic_fetch_add(store->generation, 1);
	if (rc == 0 && new_master != NULL)
		memcpy(store->master_key, new_master, MASTER_KEY_LEN);
	pthread_rwlock_unlock(&store->lock);
	if (rc != 0)
		return store_db_error(store, rc, "commit", err);
	/*
	 * Outside the lock, for it writes pages.  What was committed is safe
	 * without it; a checkpoint that fails makes recovery longer only.
	 */
	store->env->txn_checkpoint(store->env, CHECKPOINT_KB, 0, 0);
	db_said[0] = '\0';
	return true;
}

bool
store_commit(struct store *store, struct err *err)
{
	return commit(store, NULL, DB_TXN_SYNC, err);
}

bool
store_commit_later(struct store *store, struct err *err)
{
	return commit(store, NULL, DB_TXN_WRITE_NOSYNC, err);
}

bool
store_commit_master_key(struct store *store,
    const uint8_t new_master[MASTER_KEY_LEN], struct err *err)
{
	if (put_check(store, new_master, err))
		return commit(store, new_master, DB_TXN_SYNC, err);
	store_abort(store);
	return false;
}

void
store_abort(struct store *store)
{
	if (store->txn->abort(store->txn) != 0)
		atomic_store(&store->is_broken, true);
	store->txn = NULL;
	pthread_rwlock_unlock(&store->lock);
	db_said[0] = '\0';
}

bool
store_is_writing(const struct store *store)
{
	return store->txn != NULL;
}

uint64_t
store_generation(const struct store *store)
{
	return atomic_load(store->generation);
}

const uint8_t *
store_master_key(const struct store *store)
{
	return store->master_key;
}
