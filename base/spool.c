/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/block.h"
#include "base/mem.h"
#include "base/spool.h"

#define PAGE		((size_t)sysconf(_SC_PAGESIZE))

struct spool {
	char		*dir;
	size_t		 memory_max;
	uint64_t	 disk_max;
	size_t		 max;
	struct block	 block;		/* while all is in memory */
	uint8_t		*staged;	/* what spool_room() gave, with a file */
	int		 fd;		/* -1 while all is in memory */
	size_t		 on_disk;	/* taken of disk_max */
	size_t		 len;
	uint8_t		*map;		/* NULL until read from the file */
	size_t		 n_read;	/* of map, gone from memory */
	struct spool	*next;		/* in the list of mapped ones */
};

static _Atomic uint64_t	 on_disk;
static pthread_mutex_t	 mapped_lock = PTHREAD_MUTEX_INITIALIZER;
static struct spool	*mapped;

struct spool *
spool_new(const struct spool_options *options)
{
	struct spool	*spool = mem_alloc(sizeof(*spool));

	spool->dir = mem_str(options->dir);
	spool->memory_max = options->memory_max;
	spool->disk_max = options->disk_max;
	spool->max = options->max;
	spool->fd = -1;
	return spool;
}

static bool
take_disk(struct spool *spool, size_t len, struct err *err)
{
	uint64_t	 all = atomic_fetch_add(&on_disk, len) + len;

	if (spool->disk_max == 0 || all <= spool->disk_max) {
		spool->on_disk += len;
		return true;
	}
	atomic_fetch_sub(&on_disk, len);
	return err_limit(err, ERR_TEMP, LIMIT_SPOOL_DISK,
	    "the mails in hand have %llu bytes on disk (spool-disk)",
	    (unsigned long long)(all - len));
}

static bool
write_error(const struct spool *spool, const char *what, struct err *err)
{
	bool	 is_full = errno == ENOSPC || errno == EDQUOT;

	err_errno(err, ERR_TEMP, "cannot %s in %s", what, spool->dir);
	if (is_full)
		err->limit = LIMIT_SPOOL_DIR;
	return false;
}

static bool
write_all(struct spool *spool, const void *data, size_t len, struct err *err)
{
	const uint8_t	*p = data;

	if (!take_disk(spool, len, err))
		return false;
	while (len > 0) {
		ssize_t	 n = write(spool->fd, p, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return write_error(spool, "write the mail to a file",
			    err);
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool
move_to_file(struct spool *spool, struct err *err)
{
	spool->fd = open(spool->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (spool->fd == -1 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		/* Some file systems know no unnamed files. */
		char	*path = mem_strf("%s/mail.XXXXXX", spool->dir);

		if ((spool->fd = mkostemp(path, O_CLOEXEC)) != -1)
			unlink(path);
		free(path);
	}
	if (spool->fd == -1)
		return write_error(spool, "create a file for the mail", err);
	if (!write_all(spool, spool->block.data, spool->len, err))
		return false;
	block_give(&spool->block, spool->memory_max);
	return true;
}

static bool
enlarge(struct spool *spool, size_t len)
{
	struct block	*block = &spool->block;

	return block->data == NULL ?
	    block_take(block, len, spool->memory_max) :
	    block_grow(block, spool->len, len, spool->memory_max);
}

/* Twice as much memory, or as much as is wanted, or else the file. */
static bool
grow(struct spool *spool, size_t len, struct err *err)
{
	size_t	 twice = 2 * spool->block.cap;

	return (twice > len && enlarge(spool, twice)) ||
	    enlarge(spool, len) || move_to_file(spool, err);
}

static bool
make_room(struct spool *spool, size_t len, struct err *err)
{
	if (spool->max != 0 && len > spool->max - spool->len)
		return err_limit(err, ERR_MESSAGE, LIMIT_MESSAGE_SIZE,
		    "the mail is larger than %zu bytes", spool->max);
	if (spool->fd != -1 || len <= spool->block.cap - spool->len)
		return true;
	return grow(spool, spool->len + len, err);
}

bool
spool_add(struct spool *spool, const void *data, size_t len, struct err *err)
{
	if (len == 0)
		return true;
	if (!make_room(spool, len, err))
		return false;
	if (spool->fd == -1)
		memcpy(spool->block.data + spool->len, data, len);
	else if (!write_all(spool, data, len, err))
		return false;
	spool->len += len;
	return true;
}

bool
spool_room(struct spool *spool, size_t len, uint8_t **room, struct err *err)
{
	if (!make_room(spool, len, err))
		return false;
	if (spool->fd == -1) {
		*room = spool->block.data + spool->len;
		return true;
	}
	free(spool->staged);
	if ((spool->staged = malloc(len)) == NULL)
		return err_set(err, ERR_TEMP, "no memory to write the mail");
	*room = spool->staged;
	return true;
}

bool
spool_wrote(struct spool *spool, size_t len, struct err *err)
{
	if (spool->fd != -1 && !write_all(spool, spool->staged, len, err))
		return false;
	spool->len += len;
	return true;
}

void
spool_expect(struct spool *spool, size_t len)
{
	/* Without that much memory now, it is asked for again as bytes come. */
	if (spool->fd == -1 && spool->block.data == NULL && len > 0 &&
	    (spool->max == 0 || len <= spool->max))
		block_take(&spool->block, len, spool->memory_max);
}

size_t
spool_len(const struct spool *spool)
{
	return spool->len;
}

bool
spool_is_file(const struct spool *spool)
{
	return spool->fd != -1;
}

uint64_t
spool_on_disk(void)
{
	return atomic_load(&on_disk);
}

static bool
map_file(struct spool *spool, struct err *err)
{
	void	*map = mmap(NULL, spool->len, PROT_READ, MAP_PRIVATE,
	    spool->fd, 0);

	if (map == MAP_FAILED)
		return err_errno(err, ERR_TEMP,
		    "cannot map the mail's file in %s", spool->dir);
	spool->map = map;
	pthread_mutex_lock(&mapped_lock);
	spool->next = mapped;
	mapped = spool;
	pthread_mutex_unlock(&mapped_lock);
	return true;
}

static void
unmap_file(struct spool *spool)
{
	struct spool	**at = &mapped;

	pthread_mutex_lock(&mapped_lock);
	while (*at != spool)
		at = &(*at)->next;
	*at = spool->next;
	pthread_mutex_unlock(&mapped_lock);
	munmap(spool->map, spool->len);
}

bool
spool_bytes(struct spool *spool, const uint8_t **bytes, size_t *len,
    struct err *err)
{
	*len = spool->len;
	if (spool->fd == -1) {
		*bytes = spool->len == 0 ? (const uint8_t *)"" :
		    spool->block.data;
		return true;
	}
	if (spool->map == NULL && !map_file(spool, err))
		return false;
	*bytes = spool->map;
	return true;
}

/* The one in whose file it lies; the end of a file counts, too. */
static struct spool *
find_mapped(const uint8_t *p)
{
	struct spool	*spool = mapped;

	while (spool != NULL && (p < spool->map ||
	    p > spool->map + spool->len))
		spool = spool->next;
	return spool;
}

bool
spool_is_mapped(const uint8_t *p)
{
	bool	 is_mapped;

	pthread_mutex_lock(&mapped_lock);
	is_mapped = find_mapped(p) != NULL;
	pthread_mutex_unlock(&mapped_lock);
	return is_mapped;
}

void
spool_have_read(const uint8_t *up_to)
{
	struct spool	*spool;
	size_t		 end;

	pthread_mutex_lock(&mapped_lock);
	if ((spool = find_mapped(up_to)) != NULL) {
		end = (size_t)(up_to - spool->map) & ~(PAGE - 1);
		/* Or else it is being read once more. */
		if (end < spool->n_read)
			spool->n_read = 0;
		if (end > spool->n_read)
			madvise(spool->map + spool->n_read,
			    end - spool->n_read, MADV_DONTNEED);
		spool->n_read = end;
	}
	pthread_mutex_unlock(&mapped_lock);
}

void
spool_free(struct spool *spool)
{
	if (spool == NULL)
		return;
	if (spool->map != NULL)
		unmap_file(spool);
	if (spool->fd != -1)
		close(spool->fd);
	atomic_fetch_sub(&on_disk, spool->on_disk);
	block_give(&spool->block, spool->memory_max);
	free(spool->staged);
	free(spool->dir);
	free(spool);
}
