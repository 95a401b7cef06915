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

#include "base/mem.h"
#include "store/store_folder.h"

#define LOCK_POLL_MS	20

static const char *const	 files[TABLE_COUNT] = {
	[TABLE_META] = "meta.db",
	[TABLE_CERTS] = "certs.db",
	[TABLE_KEYS] = "keys.db",
	[TABLE_INDEX] = "index.db",
	[TABLE_CRLS] = "crls.db",
	[TABLE_EVENTS] = "events.db",
};

const char *
store_folder_file(enum table table)
{
	return files[table];
}

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
		if (strcmp(name, files[i]) == 0)
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

bool
store_folder_check_entries(const char *dir, bool is_new, struct err *err)
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

bool
store_folder_check(const char *dir, struct err *err)
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
bool
store_folder_lock(const char *dir, int timeout_ms, int *out, struct err *err)
{
	int64_t	 deadline = clock_ms() + timeout_ms;
	char	*path = mem_strf("%s/lock", dir);
	int	 fd;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	free(path);
	if (fd == -1 && errno == EROFS)
		return err_set(err, ERR_CONFIG, "the store %s is on a "
		    "read-only file system", dir);
	if (fd == -1)
		return err_errno(err, ERR_CONFIG,
		    "cannot open the lock of the store %s", dir);
	while (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		struct timespec	 pause = { 0, LOCK_POLL_MS * 1000000L };

		if (errno != EWOULDBLOCK && errno != EINTR)
			err_errno(err, ERR_TEMP, "cannot lock the store %s",
			    dir);
		else if (clock_ms() >= deadline)
			lock_is_held(dir, fd, err);
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
	*out = fd;
	return true;
}

bool
store_folder_sync(const char *dir, struct err *err)
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
