/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <db.h>
#include <openssl/crypto.h>

#include "base/mem.h"
#include "store/store_folder.h"
#include "store/store_impl.h"
#include "store/store_meta.h"

#define CACHE_BYTES	(160u << 20)	/* a million certificates' indexes */
#define CACHE_MUTEXES	1024	/* one per page makes each opening slow */
#define LOG_FILE_BYTES	(1u << 20)
#define LOG_BUFFER	(256u << 10)
#define CHECKPOINT_KB	4096	/* of log, which recovery reads again */

static const u_int32_t	 page_sizes[TABLE_COUNT] = {
	/* Bytes; each holds a usual record or key. */
	[TABLE_META] = 4096,
	[TABLE_CERTS] = 8192,
	[TABLE_KEYS] = 8192,
	[TABLE_INDEX] = 4096,
	[TABLE_CRLS] = 16384,
	[TABLE_EVENTS] = 4096,
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
	    (rc = env->set_mp_mtxcount(env, CACHE_MUTEXES)) != 0 ||
	    (rc = env->mutex_set_init(env, 2 * CACHE_MUTEXES)) != 0 ||
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
	const char	*file = store_folder_file(i);
	char		 doing[32];
	DB		*db;
	int		 rc;

	if ((rc = db_create(&store->tables[i], store->env, 0)) != 0)
		return open_error(store, rc, "begin a table", err);
	db = store->tables[i];
	if ((rc = db->set_pagesize(db, page_sizes[i])) != 0 ||
	    (rc = db->set_flags(db, DB_CHKSUM)) != 0)
		return open_error(store, rc, "set up a table", err);
	rc = db->open(db, store->txn, file, NULL, DB_BTREE,
	    DB_THREAD | create | (store->txn == NULL ? DB_AUTO_COMMIT : 0),
	    0600);
	if (rc == ENOENT)
		return err_set(err, i == TABLE_META ? ERR_CONFIG : ERR_DATA,
		    "there is no store in %s: %s is missing", store->dir,
		    file);
	snprintf(doing, sizeof(doing), "open %s", file);
	return rc == 0 || open_error(store, rc, doing, err);
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
	    store_meta_check(store, options, store->master_key, err) &&
	    open_others(store, err);
}

static void
next_generation(struct store *store)
{
	atomic_fetch_add(&store->generation, 1);
	if (store->shown_generation != NULL)
		atomic_fetch_add(store->shown_generation, 1);
}

static struct store *
new_store(const struct store_options *options)
{
	struct store		*store = mem_alloc(sizeof(*store));
	pthread_rwlockattr_t	 attr;

	store->dir = mem_str(options->dir);
	store->lock_fd = -1;
	store->shown_generation = options->generation;
	/* Others may have changed it since it was open here. */
	next_generation(store);
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
			    store_folder_file(TABLE_META));
	bool		 is_ok = false;

	if (!store_folder_check(store->dir, err) ||
	    !store_folder_check_entries(store->dir, false, err))
		goto out;
	/* Before anything is created in what may be any folder. */
	if (access(meta, F_OK) == -1) {
		err_set(err, ERR_CONFIG, "there is no store in %s",
		    store->dir);
		goto out;
	}
	if (!store_folder_lock(store->dir, options->lock_timeout_ms,
	    &store->lock_fd, err) ||
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

/* Tables and meta records appear in one transaction, or not at all. */
static bool
fill_new(struct store *store, struct err *err)
{
	bool	 found = false, is_ok = false;
	int	 rc;

	rc = store->env->txn_begin(store->env, NULL, &store->txn, 0);
	if (rc != 0)
		return open_error(store, rc, "begin", err);
	for (size_t i = 0; i < TABLE_COUNT; i++)
		if (!open_table(store, (enum table)i, DB_CREATE, err))
			goto out;
	if (!store_meta_is_there(store, &found, err))
		goto out;
	if (found) {
		err_set(err, ERR_CONFIG, "there is a store in %s already",
		    store->dir);
		goto out;
	}
	if (!store_meta_put(store, store->master_key, err))
		goto out;
	rc = store->txn->commit(store->txn, DB_TXN_SYNC);
	store->txn = NULL;
	is_ok = rc == 0 || open_error(store, rc, "commit", err);
out:
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

	is_ok = store_folder_check(store->dir, err) &&
	    store_folder_check_entries(store->dir, true, err) &&
	    store_folder_lock(store->dir, options->lock_timeout_ms,
	    &store->lock_fd, err) &&
	    open_env(store, err) && fill_new(store, err) &&
	    store_folder_sync(store->dir, err);
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
		next_generation(store);
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
	if (store_meta_put_check(store, new_master, err))
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
	return atomic_load(&store->generation);
}

const uint8_t *
store_master_key(const struct store *store)
{
	return store->master_key;
}
