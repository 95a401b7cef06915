/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_CHECK_FILES_H
#define TOOLS_CHECK_FILES_H

#include <stdbool.h>

#include "base/err.h"

/* What was found about what. */
typedef void check_files_fn(void *arg, const char *about, const char *finding);

/*
 * The files, folders, users and groups that a configuration names: what is not
 * there, and what others could change or read who must not.  To be called
 * while the caller is still who he was, since not all of it is the store's
 * owner's to look at.  ERR_CONFIG: the configuration cannot be read.
 */
bool	check_files(const char *config_path, check_files_fn *, void *arg,
	    struct err *);

#endif
