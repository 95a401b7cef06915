/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/mman.h>

#include <stddef.h>

#include "milter/generation.h"

static _Atomic uint64_t	*counter;

bool
generation_open(struct err *err)
{
	void	*p = mmap(NULL, sizeof(*counter), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return err_errno(err, ERR_TEMP, "memory for the generation");
	counter = p;
	return true;
}

_Atomic uint64_t *
generation_counter(void)
{
	return counter;
}

void
generation_next(void)
{
	atomic_fetch_add(counter, 1);
}

void
generation_read_only(void)
{
	if (counter != NULL)
		mprotect(counter, sizeof(*counter), PROT_READ);
}

uint64_t
generation_now(void)
{
	return counter == NULL ? 0 : atomic_load(counter);
}
