/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/mman.h>

#include <pthread.h>

#include "base/block.h"

#define SHIFT_MIN	16	/* 64 KiB, the smallest block */
#define OCTAVES		20
#define STEPS		4	/* sizes in an octave: 4, 5, 6, 7 quarters */
#define KEPT_MAX	64	/* blocks of one size */
#define HUGE_PAGE	((size_t)2 * 1024 * 1024)

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

static uint8_t *
map(size_t len)
{
	void	*data = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (data == MAP_FAILED)
		return NULL;
	if (len >= HUGE_PAGE)
		madvise(data, len, MADV_HUGEPAGE);
	return data;
}

bool
block_take(struct block *block, size_t len, size_t budget)
{
	size_t	 class, size;

	*block = (struct block){ .data = NULL };
	if (!find_class(len, &class))
		return false;
	size = size_of(class);
	pthread_mutex_lock(&lock);
	if (size > budget || used_bytes > budget - size) {
		pthread_mutex_unlock(&lock);
		return false;
	}
	used_bytes += size;
	if (kept[class].n > 0) {
		block->data = kept[class].list[--kept[class].n];
		kept_bytes -= size;
	} else
		release_kept(budget - used_bytes);
	pthread_mutex_unlock(&lock);
	if (block->data == NULL)
		block->data = map(size);
	if (block->data != NULL) {
		block->cap = size;
		return true;
	}
	pthread_mutex_lock(&lock);
	used_bytes -= size;
	pthread_mutex_unlock(&lock);
	return false;
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
	is_kept = kept[class].n < KEPT_MAX &&
	    kept_bytes + block->cap <= budget / 4;
	if (is_kept) {
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
