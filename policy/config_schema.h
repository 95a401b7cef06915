/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICY_CONFIG_SCHEMA_H
#define POLICY_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "policy/config.h"
#include "policy/config_value.h"

/*
 * Which options there are: where each stands, its default, what its value may
 * be and which field it fills.  A new option is a row here, a field in
 * config.h, and a paragraph in smime-milter.conf(5).
 */
enum config_section {
	CONFIG_TOP,
	CONFIG_LISTENER,
	CONFIG_AUTHORIZE,
	CONFIG_DEFAULT,		/* its options may be in a group, too */
	CONFIG_GROUP,
	CONFIG_RECIPIENTS,
	CONFIG_SECTIONS
};

/* What becomes of a value. */
enum config_take {
	CONFIG_FIELD,		/* set() writes it into the field at offset */
	CONFIG_MEMBER,		/* the rest makes lists, or names other files */
	CONFIG_MEMBERS_FILE,
	CONFIG_NETWORK,
	CONFIG_IDENTITIES
};

struct config_row {
	const char		*where;		/* "" at top level, "listener", ... */
	const char		*name;
	const char		*value;		/* default as in the file, or NULL */
	enum config_section	 section;
	config_value_fn		*set;
	size_t			 offset;	/* in its section's struct */
	enum config_take	 take;
	bool			 is_list;
};

#define CONFIG_ROWS_MAX	80

const struct config_row	*config_schema_row(size_t i);	/* NULL at the end */
size_t	config_schema_index(const struct config_row *);
/* The option of this name that this section may have; NULL if it has none. */
const struct config_row	*config_schema_find(enum config_section,
	    const char *name);

/* For rows with a set(); base is the struct that the section fills. */
bool	config_schema_set(const struct config_row *, void *base,
	    const char *value, struct err *);
void	config_schema_set_default(const struct config_row *, void *base);
/* All of a section but its lists, which are empty. */
void	config_schema_set_defaults(enum config_section, void *base);

#endif
