/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICY_CONFIG_PARSE_H
#define POLICY_CONFIG_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "policy/config.h"

/* A file that the configuration file names, and where. */
struct config_name {
	char	*path;
	int	 line;
};

/*
 * Which other files (identities, members-file) does this one need?  The
 * caller frees each path and *out.  ERR_CONFIG as config_parse().
 */
bool	config_parse_names(const struct config_source *,
	    struct config_name **out, size_t *n, struct err *);

/*
 * Parse the configuration file and then the files that it names, in that
 * order, from bytes; no file is opened.  Any thread may call it, one at a
 * time gets in.  *out is the caller's: config_free().  ERR_CONFIG: what is
 * wrong, as "file:line: found X, wanted Y".
 */
bool	config_parse(const struct config_source *, size_t n,
	    struct config **out, struct err *);
#endif
