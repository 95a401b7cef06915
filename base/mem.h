/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/*
 * Small allocations: they do not fail, the program stops with a sentence on
 * standard error instead.  Nothing whose size a mail or a bundle decides is
 * allocated here; that is what struct buf and struct spool are for.
 */
void	*mem_alloc(size_t len);			/* zeroed */
void	*mem_array(size_t n, size_t size);	/* zeroed, checked product */
void	*mem_grow(void *, size_t n, size_t size);
char	*mem_str(const char *);			/* NULL gives NULL */
char	*mem_strn(const char *, size_t len);
char	*mem_strf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	*mem_dup(const void *, size_t len);

#endif
