/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void *
checked(void *p)
{
	if (p == NULL) {
		fputs("smime-milter: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *
mem_alloc(size_t len)
{
	return checked(calloc(1, len == 0 ? 1 : len));
}

void *
mem_array(size_t n, size_t size)
{
	return checked(calloc(n == 0 ? 1 : n, size));
}

void *
mem_grow(void *p, size_t n, size_t size)
{
	if (size != 0 && n > SIZE_MAX / size)
		return checked(NULL);
	return checked(realloc(p, n * size == 0 ? 1 : n * size));
}

char *
mem_strn(const char *s, size_t len)
{
	char	*copy = mem_alloc(len + 1);

	memcpy(copy, s, len);
	return copy;
}

char *
mem_str(const char *s)
{
	return s == NULL ? NULL : mem_strn(s, strlen(s));
}

char *
mem_strf(const char *fmt, ...)
{
	va_list	 ap;
	char	*s;
	int	 len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	s = mem_alloc((size_t)(len < 0 ? 0 : len) + 1);
	va_start(ap, fmt);
	vsnprintf(s, (size_t)(len < 0 ? 0 : len) + 1, fmt, ap);
	va_end(ap);
	return s;
}

void *
mem_dup(const void *p, size_t len)
{
	void	*copy = mem_alloc(len);

	if (len != 0)
		memcpy(copy, p, len);
	return copy;
}
