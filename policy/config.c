/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "policy/config.h"
#include "policy/config_bundle.h"
#include "policy/config_parse.h"
#include "policy/config_value.h"
#include "policy/group.h"
#include "policy/identity.h"

bool
config_read(const char *path, struct config **out, struct err *err)
{
	struct config_bundle	 bundle;
	bool			 is_ok;

	if (!config_bundle_read(path, &bundle, err))
		return false;
	is_ok = config_parse(bundle.sources, bundle.n, out, err);
	config_bundle_free(&bundle);
	return is_ok;
}

int
config_line(const struct config *config, const char *label)
{
	if (strcmp(label, config->default_group.label) == 0)
		return config->default_group.line;
	for (size_t i = 0; i < config->n_groups; i++)
		if (strcmp(label, config->groups[i].label) == 0)
			return config->groups[i].line;
	for (size_t i = 0; i < config->n_recipients; i++)
		if (strcmp(label, config->recipients[i].label) == 0)
			return config->recipients[i].line;
	return 0;
}

static void
group_clear(struct config_group *group)
{
	free(group->name);
	free(group->label);
	config_value_types_free(&group->options.skip_sign);
	config_value_types_free(&group->options.skip_encrypt);
	config_value_addresses_free(&group->options.also_encrypt_to);
}

bool
config_has_role(const struct config *config, enum role role)
{
	for (size_t i = 0; i < config->n_listeners; i++)
		if (config->listeners[i].role == role)
			return true;
	return false;
}

void
config_free(struct config *config)
{
	if (config == NULL)
		return;
	for (size_t i = 0; i < config->n_listeners; i++) {
		free(config->listeners[i].spec);
		free(config->listeners[i].path);
		free(config->listeners[i].group);
	}
	for (size_t i = 0; i < config->n_groups; i++)
		group_clear(&config->groups[i]);
	group_clear(&config->default_group);
	for (size_t i = 0; i < config->n_recipients; i++) {
		free(config->recipients[i].name);
		free(config->recipients[i].label);
	}
	for (size_t i = 0; i < config->n_warnings; i++)
		free(config->warnings[i]);
	group_table_free(config->group_members);
	group_table_free(config->recipients_members);
	identity_table_free(config->identities);
	free(config->authorize.networks);
	free(config->authorize.identities_file);
	free(config->listeners);
	free(config->groups);
	free(config->recipients);
	free(config->warnings);
	free(config->path);
	free(config->store);
	free(config->master_key);
	free(config->user);
	free(config->filter_user);
	free(config->spool_dir);
	free(config->metrics);
	free(config->subaddress_delimiter);
	free(config);
}
