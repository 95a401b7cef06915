/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_UNLOCK_H
#define TOOLS_UNLOCK_H

#include <stdbool.h>

#include "base/err.h"
#include "store/bundle.h"
#include "tools/files.h"
#include "tools/progress.h"

/*
 * Read a bundle with the passphrases that are known.  While something in it
 * stays locked and there is a terminal, one more is asked for, three times
 * at most, and kept for the files that follow; a line of progress (or
 * NULL) makes room.  The caller's: bundle_free().
 */
bool	unlock_bundle(const struct file *, struct passphrases *,
	    struct progress *, struct bundle **, struct err *);

/* --passphrase-file or --passphrase-fd with optarg; false sets the status. */
bool	unlock_option(bool is_file, struct passphrases *, int *status);

#endif
