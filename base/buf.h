/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Growing bytes with a limit.  A failure (no memory, limit passed) sticks:
 * later additions do nothing, so that a caller may add many times and ask
 * once, with buf_ok().  Zero-initialised is empty and without limit.
 */
struct buf {
	uint8_t	*data;		/* NULL when empty */
	size_t	 len;
	size_t	 cap;
	size_t	 max;		/* bytes; 0 is no limit */
	bool	 failed;
	bool	 is_secret;	/* wiped when moved or freed */
};

void	buf_add(struct buf *, const void *, size_t len);
void	buf_addc(struct buf *, char);
void	buf_adds(struct buf *, const char *);
void	buf_addf(struct buf *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
/* Room for len bytes more, in one allocation. */
void	buf_reserve(struct buf *, size_t len);
/* False, with ERR_TEMP and what could not be built, if an addition failed. */
bool	buf_ok(const struct buf *, const char *what, struct err *);
/* The bytes as a string, which becomes the caller's; the buf is empty then. */
char	*buf_take_str(struct buf *);
void	buf_clear(struct buf *);	/* empty, memory kept */
void	buf_free(struct buf *);		/* empty, memory given back */

#endif
