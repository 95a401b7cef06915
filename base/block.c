/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/mman.h>

#include <pthread.h>
#include <string.h>

#include "base/block.h"

#define SHIFT_MIN	16	/* 64 KiB, the smallest block */
#define OCTAVES		20
#define STEPS		4	/* sizes in an octave: 4, 5, 6, 7 quarters */
#define KEPT_MAX	64	/* blocks of one size */
#define HUGE_PAGE	((size_t)2 * 1024 * 1024)
#define LARGE		((size_t)1024 * 1024)	/* for a mail */

/* Blocks of one size that nobody uses. */
struct kept {
	uint8_t	*list[KEPT_MAX];
	size_t	 n;
};

static pthread_mutex_t	 lock = PTHREAD_MUTEX_INITIALIZER;
static struct kept	 kept[OCTAVES * STEPS];
static size_t		 kept_bytes;
static size_t		 used_bytes;

static size_t
size_of(size_t class)
{
	return ((size_t)(STEPS + class % STEPS) << (SHIFT_MIN +
	    class / STEPS)) / STEPS;
}

/* The smallest class with room for so much; false if there is none. */
static bool
find_class(size_t len, size_t *class)
{
	for (*class = 0; *class < OCTAVES * STEPS; ++*class)
		if (size_of(*class) >= len)
			return true;
	return false;
}

/* The largest go first: they are the least likely to be wanted again. */
static void
release_kept(size_t limit)
{
	for (size_t i = OCTAVES * STEPS; i-- > 0 && kept_bytes > limit;)
		while (kept[i].n > 0 && kept_bytes > limit) {
			munmap(kept[i].list[--kept[i].n], size_of(i));
			kept_bytes -= size_of(i);
		}
}

/* What was mapped at former, if anything, is at the front of it. */
static uint8_t *
map(uint8_t *former, size_t former_len, size_t len)
{
	void	*data = former != NULL ?
	    mremap(former, former_len, len, MREMAP_MAYMOVE) :
	    mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (data == MAP_FAILED)
		return NULL;
	if (len >= HUGE_PAGE)
		madvise(data, len, MADV_HUGEPAGE);
	return data;
}

/* One of this class that is kept; lock is held. */
static void
take_kept(size_t class, struct block *block)
{
	block->data = kept[class].list[--kept[class].n];
	block->cap = size_of(class);
	kept_bytes -= block->cap;
	used_bytes += block->cap;
}

/*
 * Takes so many bytes more into use, and lets go of what is kept beyond the
 * budget; lock is held.
 */
static bool
count_in(size_t size, size_t budget)
{
	if (size > budget || used_bytes > budget - size)
		return false;
	used_bytes += size;
	release_kept(budget - used_bytes);
	return true;
}

static void
count_out(size_t size)
{
	pthread_mutex_lock(&lock);
	used_bytes -= size;
	pthread_mutex_unlock(&lock);
}

bool
block_take(struct block *block, size_t len, size_t budget)
{
	size_t	 class, size;
	bool	 is_counted;

	*block = (struct block){ .data = NULL };
	if (!find_class(len, &class))
		return false;
	size = size_of(class);
	pthread_mutex_lock(&lock);
	if (kept[class].n > 0 && used_bytes + size <= budget)
		take_kept(class, block);
	is_counted = block->data == NULL && count_in(size, budget);
	pthread_mutex_unlock(&lock);
	if (!is_counted)
		return block->data != NULL;
	if ((block->data = map(NULL, 0, size)) == NULL) {
		count_out(size);
		return false;
	}
	block->cap = size;
	return true;
}

/*
 * The largest that is kept, for a mail of unknown size that is large already
 * will grow on; for another the very size.  Memory that is kept is there
 * anyway.
 */
static bool
find_kept(size_t class, size_t *found)
{
	size_t	 last = size_of(class) < LARGE ? class :
		    OCTAVES * STEPS - 1;

	for (*found = last; *found > class && kept[*found].n == 0; --*found)
		;
	return kept[*found].n > 0;
}

bool
block_grow(struct block *block, size_t used, size_t len, size_t budget)
{
	struct block	 larger = { .data = NULL };
	size_t		 class, found, size;
	uint8_t		*data;
	bool		 is_counted;

	if (!find_class(len, &class))
		return false;
	size = size_of(class);
	pthread_mutex_lock(&lock);
	if (find_kept(class, &found) &&
	    used_bytes + size_of(found) <= budget)
		take_kept(found, &larger);
	is_counted = larger.data == NULL &&
	    count_in(size - block->cap, budget);
	pthread_mutex_unlock(&lock);
	if (larger.data != NULL) {
		memcpy(larger.data, block->data, used);
		block_give(block, budget);
		*block = larger;
		return true;
	}
	/* Its pages move as they are, without a copy. */
	if (!is_counted)
		return false;
	if ((data = map(block->data, block->cap, size)) == NULL) {
		count_out(size - block->cap);
		return false;
	}
	*block = (struct block){ data, size };
	return true;
}

void
block_give(struct block *block, size_t budget)
{
	size_t	 class;
	bool	 is_kept;

	if (block->data == NULL || !find_class(block->cap, &class))
		return;
	pthread_mutex_lock(&lock);
	used_bytes -= block->cap;
	is_kept = kept[class].n < KEPT_MAX && block->cap <= budget / 4;
	if (is_kept) {
		release_kept(budget / 4 - block->cap);
		kept[class].list[kept[class].n++] = block->data;
		kept_bytes += block->cap;
	}
	pthread_mutex_unlock(&lock);
	if (!is_kept)
		munmap(block->data, block->cap);
	*block = (struct block){ .data = NULL };
}

size_t
block_in_use(void)
{
	size_t	 n;

	pthread_mutex_lock(&lock);
	n = used_bytes;
	pthread_mutex_unlock(&lock);
	return n;
}
