/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/config_schema.h"

#define ROW(section_, text_, name_, value_, set_, type_, field_) \
	{ text_, name_, value_, section_, set_, \
	    offsetof(type_, field_), CONFIG_FIELD, false }
#define TOP(name_, value_, set_, field_) \
	ROW(CONFIG_TOP, "", name_, value_, set_, struct config, field_)
#define LISTENER(name_, value_, set_, field_) \
	ROW(CONFIG_LISTENER, "listener", name_, value_, set_, \
	    struct listener, field_)
#define AUTHORIZE(name_, value_, set_, field_) \
	ROW(CONFIG_AUTHORIZE, "authorize", name_, value_, set_, \
	    struct authorize, field_)
#define OPTION(name_, value_, set_, field_) \
	ROW(CONFIG_DEFAULT, "default", name_, value_, set_, \
	    struct options, field_)
/* A list that a group inherits as a whole, unless it has its own. */
#define OPTION_LIST(name_, set_, field_) \
	{ "default", name_, "{ }", CONFIG_DEFAULT, set_, \
	    offsetof(struct options, field_), CONFIG_FIELD, true }
#define RECIPIENTS(name_, set_, field_) \
	ROW(CONFIG_RECIPIENTS, "recipients", name_, NULL, set_, \
	    struct config_recipients, field_)
#define LIST(section_, text_, name_, value_, take_, is_list_) \
	{ text_, name_, value_, section_, NULL, 0, take_, is_list_ }

/* Every option, its default, and where it goes. */
static const struct config_row	 rows[] = {
	TOP("enabled", "false", config_value_bool, enabled),
	TOP("store", "\"/var/lib/smime-milter\"", config_value_path, store),
	TOP("master-key", "\"/etc/smime-milter/master.key\"",
	    config_value_path, master_key),
	TOP("user", "\"smime-milter\"", config_value_name, user),
	TOP("filter-user", "\"smime-filter\"", config_value_name, filter_user),
	TOP("subject-tags", "false", config_value_bool, subject_tags),
	TOP("subaddress-delimiter", "\"\"", config_value_delimiter,
	    subaddress_delimiter),
	TOP("refuse-at-rcpt", "true", config_value_bool, refuse_at_rcpt),
	TOP("max-message-size", "50M", config_value_size, max_message_size),
	TOP("max-recipients", "1000", config_value_count, max_recipients),
	TOP("max-connections", "4000", config_value_count, max_connections),
	TOP("max-mails", "1000", config_value_count, max_mails),
	TOP("spool-memory", "256M", config_value_size, spool_memory),
	TOP("spool-disk", "4G", config_value_disk, spool_disk),
	TOP("spool-dir", "\"/var/tmp\"", config_value_path, spool_dir),
	TOP("vault-timeout", "20", config_value_seconds, vault_timeout),
	TOP("key-rate", "300000", config_value_rate, key_rate),
	TOP("stamp-lifetime", "7d", config_value_age, stamp_lifetime),
	TOP("metrics", "\"\"", config_value_metrics, metrics),

	LISTENER("role", "direct", config_value_role, role),
	LISTENER("group", "\"\"", config_value_string, group),
	LISTENER("mode", "\"0660\"", config_value_mode, mode),
	LISTENER("insecure-network", "false", config_value_bool,
	    insecure_network),

	AUTHORIZE("authenticated", "true", config_value_bool, authenticated),
	AUTHORIZE("local", "false", config_value_bool, local),
	LIST(CONFIG_AUTHORIZE, "authorize", "networks", "{ }", CONFIG_NETWORK,
	    true),
	LIST(CONFIG_AUTHORIZE, "authorize", "identities", "\"\"",
	    CONFIG_IDENTITIES, false),

	OPTION("sign", "prefer", config_value_want, sign),
	OPTION("encrypt", "prefer", config_value_want, encrypt),
	OPTION("mixed", "plain", config_value_otherwise, mixed),
	OPTION("hidden", "reject", config_value_otherwise, hidden),
	OPTION("override", "true", config_value_bool, override),
	OPTION("cipher", "aes-256-cbc", config_value_cipher, cipher),
	OPTION("digest", "sha-256", config_value_digest, digest),
	OPTION("signature-algorithm", "rsa",
	    config_value_signature_algorithm, signature_algorithm),
	OPTION("key-management", "rsa", config_value_key_management,
	    key_management),
	OPTION("signed-format", "detached", config_value_format,
	    signed_format),
	OPTION("on-error", "tempfail", config_value_on_error, on_error),
	OPTION_LIST("skip-sign", config_value_type, skip_sign),
	OPTION_LIST("skip-encrypt", config_value_type, skip_encrypt),
	OPTION_LIST("also-encrypt-to", config_value_address, also_encrypt_to),

	LIST(CONFIG_GROUP, "group", "members", NULL, CONFIG_MEMBER, true),
	LIST(CONFIG_GROUP, "group", "members-file", "\"\"",
	    CONFIG_MEMBERS_FILE, false),

	LIST(CONFIG_RECIPIENTS, "recipients", "members", NULL, CONFIG_MEMBER,
	    true),
	LIST(CONFIG_RECIPIENTS, "recipients", "members-file", "\"\"",
	    CONFIG_MEMBERS_FILE, false),
	RECIPIENTS("sign", config_value_want, sign),
	RECIPIENTS("encrypt", config_value_want, encrypt),
	RECIPIENTS("cipher", config_value_cipher, cipher),
	RECIPIENTS("signature-algorithm", config_value_signature_algorithm,
	    signature_algorithm),
	RECIPIENTS("key-management", config_value_key_management,
	    key_management),
	RECIPIENTS("signed-format", config_value_format, signed_format),
};

#define N_ROWS	(sizeof(rows) / sizeof(rows[0]))
_Static_assert(N_ROWS <= CONFIG_ROWS_MAX, "a larger CONFIG_ROWS_MAX");

const struct config_row *
config_schema_row(size_t i)
{
	return i < N_ROWS ? &rows[i] : NULL;
}

size_t
config_schema_index(const struct config_row *row)
{
	return (size_t)(row - rows);
}

const struct config_row *
config_schema_find(enum config_section section, const char *name)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (strcmp(rows[i].name, name) == 0 &&
		    (rows[i].section == section ||
		    (rows[i].section == CONFIG_DEFAULT &&
		    section == CONFIG_GROUP)))
			return &rows[i];
	return NULL;
}

bool
config_schema_set(const struct config_row *row, void *base,
    const char *value, struct err *err)
{
	return row->set((char *)base + row->offset, value, err);
}

/* A default stands in the table as it would in the file. */
void
config_schema_set_default(const struct config_row *row, void *base)
{
	char		*text = mem_str(row->value), *value = text;
	struct err	 err;

	if (value[0] == '"') {
		value++;
		value[strlen(value) - 1] = '\0';
	}
	config_schema_set(row, base, value, &err);
	free(text);
}

void
config_schema_set_defaults(enum config_section section, void *base)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].section == section && rows[i].set != NULL &&
		    rows[i].value != NULL && !rows[i].is_list)
			config_schema_set_default(&rows[i], base);
}
