/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICY_CONFIG_MEMBERS_H
#define POLICY_CONFIG_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "policy/config.h"
#include "policy/group.h"

/*
 * Members of groups, or of recipients sections, while a configuration is
 * parsed: all are gathered first, since a members-file is read after what
 * follows it, and indexed in the order of their sets.
 */
struct config_member {
	char		*text;	/* normalised */
	size_t		 set;	/* the group's place in the file */
	const char	*path;	/* of the file that has it; borrowed */
	int		 line;
};

struct config_members {
	struct config_member	*list;
	size_t			 n;
};

/* What a set is called, and where it begins. */
typedef const char *config_members_label(const struct config *, size_t set,
	    int *line);

/* ERR_MESSAGE: no address and no domain. */
bool	config_members_add(struct config_members *, const char *text,
	    size_t set, const char *path, int line, struct err *);
/* A members-file; errors have its file:line. */
bool	config_members_add_file(struct config_members *, size_t set,
	    const struct config_source *, struct err *);
/* The index; members and sets that can never match become warnings. */
struct group_table *config_members_index(struct config_members *,
	    struct config *, size_t n_sets, config_members_label *);
void	config_members_free(struct config_members *);	/* its contents */

#endif
