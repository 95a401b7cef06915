/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/mem.h"
#include "store/master_key.h"

/* The systemd credential of that name; NULL without one. */
static char *
credential_path(void)
{
	const char	*dir = getenv("CREDENTIALS_DIRECTORY");
	char		*path;

	if (dir == NULL || dir[0] != '/')
		return NULL;
	path = mem_strf("%s/master.key", dir);
	if (access(path, F_OK) == -1) {
		free(path);
		return NULL;
	}
	return path;
}

static bool
check_file(const char *path, const struct stat *st, mode_t forbidden,
    struct err *err)
{
	if (!S_ISREG(st->st_mode))
		return err_set(err, ERR_CONFIG,
		    "master key %s is not a regular file", path);
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return err_set(err, ERR_CONFIG, "master key %s belongs to "
		    "user %u, root or user %u is wanted", path,
		    (unsigned)st->st_uid, (unsigned)geteuid());
	if ((st->st_mode & forbidden) != 0)
		return err_set(err, ERR_CONFIG, "master key %s is open to "
		    "others (mode %04o, 0400 is wanted)", path,
		    (unsigned)st->st_mode & 07777);
	if (st->st_size != MASTER_KEY_LEN)
		return err_set(err, ERR_CONFIG, "master key %s has %lld "
		    "bytes, %d are wanted", path, (long long)st->st_size,
		    MASTER_KEY_LEN);
	return true;
}

static bool
read_file(const char *path, mode_t forbidden, uint8_t key[MASTER_KEY_LEN],
    struct err *err)
{
	struct stat	 st;
	bool		 is_ok = false;
	int		 fd;

	/* O_NONBLOCK: a FIFO in its place must not hold us up. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd == -1 && errno == ELOOP)
		return err_set(err, ERR_CONFIG,
		    "master key %s is a symbolic link", path);
	if (fd == -1)
		return err_errno(err, ERR_CONFIG, "cannot open the master key "
		    "%s", path);
	if (fstat(fd, &st) == -1)
		err_errno(err, ERR_CONFIG, "cannot look at the master key %s",
		    path);
	else if (check_file(path, &st, forbidden, err)) {
		is_ok = read(fd, key, MASTER_KEY_LEN) == MASTER_KEY_LEN;
		if (!is_ok)
			err_set(err, ERR_CONFIG,
			    "cannot read the master key %s", path);
	}
	close(fd);
	return is_ok;
}

bool
master_key_read(const char *path, uint8_t key[MASTER_KEY_LEN], struct err *err)
{
	char	*credential = credential_path();
	bool	 is_ok;

	/*
	 * systemd lets the service in by an access control list, whose mask
	 * shows as the group's bits; its folder is closed to others.
	 */
	if (credential != NULL)
		is_ok = read_file(credential, 0037, key, err);
	else
		is_ok = read_file(path, 0077, key, err);
	free(credential);
	return is_ok;
}

static bool
sync_parent(const char *path)
{
	const char	*slash = strrchr(path, '/');
	char		*dir;
	bool		 is_ok;
	int		 fd;

	if (slash == NULL)
		dir = mem_str(".");
	else
		dir = mem_strn(path, slash == path ? 1 :
		    (size_t)(slash - path));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	is_ok = fd != -1 && fsync(fd) == 0;
	if (fd != -1)
		close(fd);
	free(dir);
	return is_ok;
}

bool
master_key_create(const char *path, struct err *err)
{
	uint8_t	 key[MASTER_KEY_LEN];
	bool	 is_ok;
	int	 fd;

	if (RAND_priv_bytes(key, sizeof(key)) != 1)
		return err_openssl(err, ERR_TEMP, "no random bytes for a key");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0400);
	if (fd == -1) {
		OPENSSL_cleanse(key, sizeof(key));
		return err_errno(err, ERR_CONFIG,
		    "cannot create the master key %s", path);
	}
	is_ok = write(fd, key, sizeof(key)) == (ssize_t)sizeof(key) &&
	    fsync(fd) == 0 && sync_parent(path);
	if (!is_ok) {
		err_errno(err, ERR_TEMP, "cannot write the master key %s",
		    path);
		unlink(path);
	}
	close(fd);
	OPENSSL_cleanse(key, sizeof(key));
	return is_ok;
}

/* --- another master key ----------------------------------------------------- */

char *
master_key_new_path(const char *path)
{
	return mem_strf("%s.new", path);
}

bool
master_key_read_new(const char *path, uint8_t key[MASTER_KEY_LEN],
    struct err *err)
{
	char	*next = master_key_new_path(path);
	bool	 is_ok = read_file(next, 0077, key, err);

	free(next);
	return is_ok;
}

size_t
master_key_read_spares(const char *path,
    uint8_t keys[MASTER_KEY_SPARES][MASTER_KEY_LEN])
{
	char		*credential = credential_path();
	struct err	 ignored;
	size_t		 n = 0;

	if (credential != NULL && read_file(path, 0077, keys[n], &ignored))
		n++;
	if (master_key_read_new(path, keys[n], &ignored))
		n++;
	free(credential);
	return n;
}

bool
master_key_replace(const char *path, int64_t now, char **former,
    struct err *err)
{
	time_t	 t = (time_t)now;
	char	*next = master_key_new_path(path), date[32];
	struct tm tm;
	bool	 is_ok = false;

	strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", gmtime_r(&t, &tm));
	*former = mem_strf("%s.%s", path, date);
	/* A second name first, so that there is a key at any moment. */
	if (link(path, *former) == -1) {
		if (errno != ENOENT) {
			err_errno(err, ERR_CONFIG, "cannot keep the former "
			    "master key as %s", *former);
			goto out;
		}
		free(*former);
		*former = NULL;
	}
	if (rename(next, path) == -1)
		err_errno(err, ERR_CONFIG, "cannot put the new master key %s "
		    "in the place of %s", next, path);
	else if (!sync_parent(path))
		err_errno(err, ERR_TEMP, "cannot write the folder of the "
		    "master key %s to disk", path);
	else
		is_ok = true;
out:
	if (!is_ok) {
		free(*former);
		*former = NULL;
	}
	free(next);
	return is_ok;
}
