/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICY_CONFIG_BUNDLE_H
#define POLICY_CONFIG_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "policy/config.h"

#define CONFIG_SOURCE_MAX	(64 * 1024 * 1024)	/* bytes of one file */

/*
 * All bytes that a configuration consists of: the configuration file first,
 * then every file that it names.  It goes to the processes that parse it, so
 * that all of them see the same and none needs to open a file.
 */
struct config_bundle {
	struct config_source	*sources;
	size_t			 n;
};

/* ERR_CONFIG: a file cannot be read, or what is wrong in the first. */
bool	config_bundle_read(const char *path, struct config_bundle *,
	    struct err *);
void	config_bundle_free(struct config_bundle *);

#endif
