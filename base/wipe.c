/* SPDX-License-Identifier: BSD-2-Clause */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/wipe.h"

static bool	 is_installed, is_wiping;

static void *
give(size_t len, const char *file, int line)
{
	(void)file;
	(void)line;
	return malloc(len);
}

static void
take_back(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	if (p != NULL && is_wiping)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

/* What realloc() moves it leaves behind; so it must not. */
static void *
resize(void *p, size_t len, const char *file, int line)
{
	size_t	 had;
	void	*fresh;

	if (p == NULL || !is_wiping)
		return realloc(p, len);
	had = malloc_usable_size(p);
	if ((fresh = malloc(len)) == NULL)
		return NULL;
	memcpy(fresh, p, had < len ? had : len);
	take_back(p, file, line);
	return fresh;
}

void
wipe_install(void)
{
	is_installed = CRYPTO_set_mem_functions(give, resize, take_back) == 1;
}

bool
wipe_begin(void)
{
	return is_wiping = is_installed;
}
