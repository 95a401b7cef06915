/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_SPOOL_H
#define BASE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * A mail's body: appended as it arrives, read when it is complete.  It stays
 * in memory up to a limit; beyond that it moves to a file without a name,
 * which ends with the process whatever happens, and is read through a mapping.
 */
struct spool;

struct spool_options {
	const char	*dir;		/* where the file goes; borrowed */
	size_t		 memory_max;	/* bytes held in memory, then the file */
	size_t		 max;		/* bytes in all; 0 is no limit */
};

/* Never fails; nothing is allocated for the body before it arrives. */
struct spool	*spool_new(const struct spool_options *);
/* ERR_TEMP: no memory or disk; ERR_MESSAGE: more than max. */
bool	 spool_add(struct spool *, const void *, size_t len, struct err *);
/* Room for a body of this size, as MAIL FROM's SIZE= announces; a hint. */
void	 spool_expect(struct spool *, size_t len);
size_t	 spool_len(const struct spool *);
/*
 * All bytes at once, borrowed until spool_free().  Nothing may be added
 * afterwards.  Bytes of an empty spool are "".
 */
bool	 spool_bytes(struct spool *, const uint8_t **, size_t *len,
	    struct err *);
void	 spool_free(struct spool *);

#endif
