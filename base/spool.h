/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_SPOOL_H
#define BASE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * As many bytes as a mail has: appended as they come, read when they are
 * complete.  They stay in memory as long as all spools together have no more
 * of it than they may; beyond that they move to a file without a name, which
 * ends with the process whatever happens, and is read through a mapping.
 */
struct spool;

struct spool_options {
	const char	*dir;		/* where the file goes; borrowed */
	size_t		 memory_max;	/* bytes of memory, all spools together */
	uint64_t	 disk_max;	/* bytes in files, likewise; 0 is no limit */
	size_t		 max;		/* bytes of this one; 0 is no limit */
};

/* Never fails; nothing is allocated for the bytes before they arrive. */
struct spool	*spool_new(const struct spool_options *);
/*
 * ERR_TEMP: no memory or disk, or LIMIT_SPOOL_DISK, LIMIT_SPOOL_DIR;
 * ERR_MESSAGE: LIMIT_MESSAGE_SIZE.
 */
bool	 spool_add(struct spool *, const void *, size_t len, struct err *);
/*
 * The same without a copy: where the next bytes go, room for len of them,
 * and then how many they were.  Nothing else may be called in between.
 */
bool	 spool_room(struct spool *, size_t len, uint8_t **, struct err *);
bool	 spool_wrote(struct spool *, size_t len, struct err *);
/* Room for this many, as MAIL FROM's SIZE= announces; a hint. */
void	 spool_expect(struct spool *, size_t len);
size_t	 spool_len(const struct spool *);
bool	 spool_is_file(const struct spool *);
/*
 * All bytes at once, borrowed until spool_free().  Nothing may be added
 * afterwards.  Bytes of an empty spool are "".
 */
bool	 spool_bytes(struct spool *, const uint8_t **, size_t *len,
	    struct err *);
void	 spool_free(struct spool *);

/*
 * For whoever reads bytes without knowing whose they are.  Do they lie in a
 * spool's file?  Then what a reader has passed need not stay in this process's
 * memory; read once more, it comes from the file again.
 */
bool	 spool_is_mapped(const uint8_t *);
void	 spool_have_read(const uint8_t *up_to);

/* Bytes in files of all spools. */
uint64_t spool_on_disk(void);

#endif
