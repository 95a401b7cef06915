/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_LIB_POWER_H
#define TESTS_LIB_POWER_H

#include <stdbool.h>

/*
 * A folder on a disk whose power fails.  What a program that links power.c
 * writes there reaches the file, as it would the kernel's memory; on the disk
 * it is only after fsync() of that file, or of the folder for its name.  When
 * the power fails, each sector of what was not is as it was before, or as it
 * was written, by chance; a data file's page is one or the other as a whole,
 * as Berkeley DB wants it.  The process ends at once with POWER_LOST.
 *
 * dir		what is in it now is on the disk; borrowed
 * cut_at	the write, fsync(), rename() or unlink() before which the power
 *		fails, with writes to one file in a row counted as one; 0: never
 * is_lying	a disk whose fsync() does nothing
 */
#define POWER_LOST	99

void	 power_watch(const char *dir, unsigned int cut_at, unsigned int seed,
	    bool is_lying);
/* Writes and the others so far, counted in the same way. */
unsigned int power_count(void);

#endif
