/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICY_CONFIG_VALUE_H
#define POLICY_CONFIG_VALUE_H

#include <stdbool.h>

#include "base/err.h"
#include "policy/config.h"

/*
 * What one option's value may be.  Each reads the text of a value and writes
 * it into the field that the option belongs to.  ERR_CONFIG: "found X, wanted
 * Y"; the field is unchanged then.
 */
typedef bool config_value_fn(void *field, const char *value, struct err *);

config_value_fn	 config_value_bool;		/* bool */
config_value_fn	 config_value_want;		/* enum want */
config_value_fn	 config_value_otherwise;	/* enum otherwise */
config_value_fn	 config_value_on_error;		/* enum on_error */
config_value_fn	 config_value_role;		/* enum role */
config_value_fn	 config_value_format;		/* enum signed_format */
config_value_fn	 config_value_cipher;		/* enum cipher */
config_value_fn	 config_value_digest;		/* enum digest */
/* enum signature_algorithm */
config_value_fn	 config_value_signature_algorithm;
config_value_fn	 config_value_key_management;	/* enum key_management */
config_value_fn	 config_value_string;		/* char *, replaced */
config_value_fn	 config_value_name;		/* char *, not empty */
config_value_fn	 config_value_path;		/* char *, absolute */
config_value_fn	 config_value_metrics;		/* char *, a socket or "" */
config_value_fn	 config_value_delimiter;	/* char *, of "+-=#_" */
config_value_fn	 config_value_size;		/* size_t, bytes: "50M" */
config_value_fn	 config_value_disk;		/* uint64_t, bytes: "4G" */
config_value_fn	 config_value_rate;		/* size_t, at least 1 */
config_value_fn	 config_value_count;		/* size_t, at least 1 */
config_value_fn	 config_value_seconds;		/* int */
config_value_fn	 config_value_age;		/* int, seconds: "7d" */
config_value_fn	 config_value_mode;		/* mode_t, octal */

/* These two add one value of a list; config_value_*_free() its contents. */
config_value_fn	 config_value_type;		/* struct config_types */
config_value_fn	 config_value_address;		/* struct config_addresses */
void	config_value_types_free(struct config_types *);
void	config_value_addresses_free(struct config_addresses *);

/* "found X, wanted Y", with the value made safe to show. */
bool	config_value_refuse(const char *value, const char *wanted,
	    struct err *);

#endif
