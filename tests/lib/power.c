/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/stat.h>
#include <sys/syscall.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/power.h"

#define FILES_MAX	64
#define SECTOR		512
#define PATH_BYTES	512

/* What is on the disk of a file. */
struct file {
	char	*path;
	uint8_t	*data;
	size_t	 len;
};

static pthread_mutex_t	 mutex = PTHREAD_MUTEX_INITIALIZER;
static struct file	 files[FILES_MAX];
static size_t		 n_files;
static const char	*watched;
static unsigned int	 count, cut_before, chance;
static bool		 is_liar;
static char		 last_written[PATH_BYTES];

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	_exit(1);
}

static unsigned int
random_below(unsigned int n)
{
	chance = chance * 1103515245 + 12345;
	return (chance >> 8) % n;
}

/* --- files ------------------------------------------------------------------ */

static bool
read_whole(const char *path, uint8_t **data, size_t *len)
{
	struct stat	 st;
	int		 fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return false;
	must(fstat(fd, &st) == 0, path);
	*len = (size_t)st.st_size;
	*data = malloc(*len + 1);
	must(*data != NULL && read(fd, *data, *len) == (ssize_t)*len, path);
	close(fd);
	return true;
}

static void
write_whole(const char *path, const uint8_t *data, size_t len)
{
	int	 fd;

	/* A file that is cut off and written anew ext4 brings to the disk. */
	syscall(SYS_unlink, path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	must(fd != -1 && syscall(SYS_write, fd, data, len) == (long)len, path);
	close(fd);
}

static struct file *
find(const char *path)
{
	for (size_t i = 0; i < n_files; i++)
		if (strcmp(files[i].path, path) == 0)
			return &files[i];
	return NULL;
}

static struct file *
find_or_add(const char *path)
{
	struct file	*file = find(path);

	if (file == NULL) {
		must(n_files < FILES_MAX, "too many files");
		file = &files[n_files++];
		*file = (struct file){ .path = strdup(path) };
	}
	return file;
}

static void
keep(const char *path)
{
	struct file	*file = find_or_add(path);

	free(file->data);
	must(read_whole(path, &file->data, &file->len), path);
}

/* Each file of the folder in turn. */
static void
each_file(void (*fn)(const char *))
{
	DIR		*d = opendir(watched);
	struct dirent	*e;
	struct stat	 st;
	char		 path[PATH_BYTES];

	must(d != NULL, watched);
	while ((e = readdir(d)) != NULL) {
		must(snprintf(path, sizeof(path), "%s/%s", watched,
		    e->d_name) < (int)sizeof(path), e->d_name);
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
			fn(path);
	}
	closedir(d);
}

/* --- the power fails ----------------------------------------------------------- */

/* What the disk writes as one: Berkeley DB's page, or a sector. */
static size_t
unit_of(const char *path, const uint8_t *data, size_t len)
{
	uint32_t	 size = 0;

	/* Of any of its tables (struct _dbmeta33). */
	if (strstr(path, ".db") != NULL && len >= 24)
		memcpy(&size, data + 20, sizeof(size));
	return size >= SECTOR && size <= 65536 ? size : SECTOR;
}

static void
mix(const char *path, const struct file *old)
{
	uint8_t		*data, *mixed;
	size_t		 len, longer, kept, unit;
	unsigned int	 much = random_below(4);

	must(read_whole(path, &data, &len), path);
	longer = len > old->len ? len : old->len;
	kept = random_below(2) == 0 ? old->len : len;
	unit = unit_of(path, data, len);
	mixed = calloc(1, longer + unit);
	must(mixed != NULL, "memory");
	for (size_t at = 0; at < longer; at += unit) {
		/* Nothing, some or all of what was written. */
		bool		 is_new = much == 3 || (much != 0 &&
				    random_below(2) == 0);
		const uint8_t	*from = is_new ? data : old->data;
		size_t		 end = is_new ? len : old->len;

		if (at < end)
			memcpy(mixed + at, from + at,
			    end - at < unit ? end - at : unit);
	}
	write_whole(path, mixed, kept);
	free(mixed);
	free(data);
}

static void
lose_file(const char *path)
{
	static const struct file	 nothing;
	const struct file		*old = find(path);

	if (old == NULL && random_below(2) == 0)
		must(syscall(SYS_unlink, path) == 0, path);
	else
		mix(path, old == NULL ? &nothing : old);
}

_Noreturn static void
lose(void)
{
	each_file(lose_file);
	for (size_t i = 0; i < n_files; i++)
		if (access(files[i].path, F_OK) == -1 && random_below(2) == 0)
			write_whole(files[i].path, files[i].data,
			    files[i].len);
	_exit(POWER_LOST);
}

static void
step(void)
{
	if (++count == cut_before)
		lose();
}

/* Of writes to a file in a row it is chance which are on the disk. */
static void
step_write(const char *path)
{
	if (strcmp(path, last_written) != 0)
		step();
	snprintf(last_written, sizeof(last_written), "%s", path);
}

static void
step_other(void)
{
	step();
	last_written[0] = '\0';
}

/* --- what a program does ---------------------------------------------------------- */

void
power_watch(const char *dir, unsigned int cut_at, unsigned int seed,
    bool is_lying)
{
	watched = dir;
	cut_before = cut_at;
	chance = seed * 2654435761u + 1;
	is_liar = is_lying;
	each_file(keep);
}

unsigned int
power_count(void)
{
	return count;
}

static bool
is_watched(const char *path)
{
	size_t	 len = watched == NULL ? 0 : strlen(watched);

	return len > 0 && strncmp(path, watched, len) == 0 &&
	    (path[len] == '/' || path[len] == '\0');
}

static bool
is_watched_fd(int fd, char path[PATH_BYTES])
{
	char	 link[64];
	ssize_t	 n;

	if (watched == NULL)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_BYTES - 1);
	if (n <= 0)
		return false;
	path[n] = '\0';
	return is_watched(path) && access(path, F_OK) == 0;
}

static void
before_write(int fd)
{
	char	 path[PATH_BYTES];

	if (!is_watched_fd(fd, path))
		return;
	pthread_mutex_lock(&mutex);
	step_write(path);
	pthread_mutex_unlock(&mutex);
}

static void
keep_name(const char *path)
{
	find_or_add(path);
}

static void
forget_removed(void)
{
	for (size_t i = n_files; i-- > 0;)
		if (access(files[i].path, F_OK) == -1) {
			free(files[i].path);
			free(files[i].data);
			files[i] = files[--n_files];
		}
}

/* No disk is waited for: that the kernel does it is not our question. */
static int
sync_fd(int fd)
{
	char	 path[PATH_BYTES];

	if (!is_watched_fd(fd, path))
		return 0;
	pthread_mutex_lock(&mutex);
	step_other();
	if (!is_liar && strcmp(path, watched) == 0) {
		each_file(keep_name);
		forget_removed();
	} else if (!is_liar)
		keep(path);
	pthread_mutex_unlock(&mutex);
	return 0;
}

/* In the place of libc's, for the libraries as well. */

ssize_t
write(int fd, const void *data, size_t len)
{
	before_write(fd);
	return syscall(SYS_write, fd, data, len);
}

ssize_t
pwrite(int fd, const void *data, size_t len, off_t at)
{
	before_write(fd);
	return syscall(SYS_pwrite64, fd, data, len, at);
}

ssize_t	 pwrite64(int, const void *, size_t, off_t);

ssize_t
pwrite64(int fd, const void *data, size_t len, off_t at)
{
	return pwrite(fd, data, len, at);
}

int
fsync(int fd)
{
	return sync_fd(fd);
}

int
fdatasync(int fd)
{
	return sync_fd(fd);
}

int
unlink(const char *path)
{
	if (is_watched(path)) {
		pthread_mutex_lock(&mutex);
		step_other();
		pthread_mutex_unlock(&mutex);
	}
	return (int)syscall(SYS_unlink, path);
}

/* It comes to the disk in its turn, as a journal has it. */
int
rename(const char *from, const char *to)
{
	struct file	*file;
	int		 rc;

	if (!is_watched(from))
		return (int)syscall(SYS_rename, from, to);
	pthread_mutex_lock(&mutex);
	step_other();
	rc = (int)syscall(SYS_rename, from, to);
	if (rc == 0 && (file = find(from)) != NULL) {
		free(file->path);
		file->path = strdup(to);
	}
	pthread_mutex_unlock(&mutex);
	return rc;
}
