/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <confuse.h>

#include "base/mem.h"
#include "base/text.h"
#include "policy/config.h"
#include "policy/config_check.h"
#include "policy/config_members.h"
#include "policy/config_parse.h"
#include "policy/config_scan.h"
#include "policy/config_schema.h"
#include "policy/config_value.h"
#include "policy/group.h"
#include "policy/identity.h"

/* --- what is known while a file is parsed ----------------------------- */

/* A file that the configuration names. */
struct named_file {
	char		*path;
	int		 line;		/* where it is named */
	enum config_section	 section;	/* group, recipients, authorize */
	size_t		 set;
};

struct parse {
	const struct config_source	*source;
	struct config_scan		 scan;
	struct config			*config;
	struct err			*err;
	bool				 has_failed;
	const cfg_t			*current;	/* section being read */
	size_t				 n_ended;	/* sections read */
	struct group_table		*titles;	/* where each is */
	char				*defaults[CONFIG_ROWS_MAX];	/* as given; of lists, lines */
	bool				(*given)[CONFIG_ROWS_MAX];	/* by group */
	struct named_file		*files;
	size_t				 n_files;
	struct config_members		 group_members;
	struct config_members		 recipients_members;
};

/* libconfuse knows no argument for its callbacks, and has one lexer. */
static pthread_mutex_t	 confuse_lock = PTHREAD_MUTEX_INITIALIZER;
static struct parse	*active;

static bool
fail(struct parse *p, int line)
{
	if (!p->has_failed)
		err_prefix(p->err, "%s:%d", p->source->path, line);
	p->err->kind = ERR_CONFIG;
	p->has_failed = true;
	return false;
}

/* Room for one more in an array that doubles. */
static void *
grow(void *list, size_t n, size_t size)
{
	if ((n & (n - 1)) != 0)
		return list;
	return mem_grow(list, n == 0 ? 1 : 2 * n, size);
}

/* --- lists and other files -------------------------------------------- */

static struct config_members *
members_of(struct parse *p, enum config_section section, size_t *set)
{
	if (section == CONFIG_GROUP) {
		*set = p->config->n_groups - 1;
		return &p->group_members;
	}
	*set = p->config->n_recipients - 1;
	return &p->recipients_members;
}

static bool
add_member(struct parse *p, enum config_section section, const char *value,
    int line, struct err *err)
{
	size_t			 set;
	struct config_members	*members = members_of(p, section, &set);

	return config_members_add(members, value, set, p->source->path, line,
	    err);
}

static void
name_file(struct parse *p, enum config_section section, size_t set,
    const char *path, int line)
{
	p->files = grow(p->files, p->n_files, sizeof(*p->files));
	p->files[p->n_files++] = (struct named_file){
	    mem_str(path), line, section, set };
}

static bool
add_members_file(struct parse *p, enum config_section section,
    const char *value, int line, struct err *err)
{
	size_t	 set;

	if (value[0] == '\0')
		return true;
	if (value[0] != '/')
		return config_value_refuse(value,
		    "a path that begins with /", err);
	members_of(p, section, &set);
	name_file(p, section, set, value, line);
	return true;
}

static bool
add_network(struct parse *p, enum config_section section, const char *value,
    int line, struct err *err)
{
	struct authorize	*authorize = &p->config->authorize;
	struct network		 network;

	(void)section;
	(void)line;
	if (!identity_network_parse(value, &network, err)) {
		config_value_refuse(value, "a network such as 192.0.2.0/24",
		    err);
		return false;
	}
	authorize->networks = mem_grow(authorize->networks,
	    authorize->n_networks + 1, sizeof(network));
	authorize->networks[authorize->n_networks++] = network;
	return true;
}

static bool
set_identities(struct parse *p, enum config_section section, const char *value,
    int line, struct err *err)
{
	struct authorize	*authorize = &p->config->authorize;

	if (value[0] == '\0' || strcmp(value, "login") == 0)
		authorize->identities = IDENTITIES_LOGIN;
	else if (strcmp(value, "any") == 0)
		authorize->identities = IDENTITIES_ANY;
	else if (value[0] == '/') {
		authorize->identities = IDENTITIES_FILE;
		authorize->identities_file = mem_str(value);
		name_file(p, section, 0, value, line);
	} else
		return config_value_refuse(value, "login, any or the path "
		    "of a file, which begins with /", err);
	return true;
}

static bool	(*const take[])(struct parse *, enum config_section,
    const char *value, int line, struct err *) = {
	[CONFIG_MEMBER] =	add_member,
	[CONFIG_MEMBERS_FILE] =	add_members_file,
	[CONFIG_NETWORK] =	add_network,
	[CONFIG_IDENTITIES] =	set_identities,
};

/* --- sections --------------------------------------------------------- */

static const struct {
	const char	*name;
	cfg_flag_t	 flags;
} sections[CONFIG_SECTIONS] = {
	[CONFIG_TOP] =		{ "",		CFGF_NONE },
	[CONFIG_LISTENER] =	{ "listener",	CFGF_MULTI | CFGF_TITLE },
	[CONFIG_AUTHORIZE] =	{ "authorize",	CFGF_NONE },
	[CONFIG_DEFAULT] =	{ "default",	CFGF_NONE },
	[CONFIG_GROUP] =	{ "group",	CFGF_MULTI | CFGF_TITLE },
	[CONFIG_RECIPIENTS] =	{ "recipients",	CFGF_MULTI | CFGF_TITLE },
};

static enum config_section
section_of(const cfg_t *cfg)
{
	for (int i = CONFIG_TOP + 1; i < CONFIG_SECTIONS; i++)
		if (strcmp(sections[i].name, cfg->name) == 0)
			return (enum config_section)i;
	return CONFIG_TOP;
}

/* Where the fields are of the section that is being read. */
static void *
base_of(struct parse *p, enum config_section section)
{
	struct config	*c = p->config;

	switch (section) {
	case CONFIG_LISTENER:
		return &c->listeners[c->n_listeners - 1];
	case CONFIG_AUTHORIZE:
		return &c->authorize;
	case CONFIG_DEFAULT:
		return &c->default_group.options;
	case CONFIG_GROUP:
		return &c->groups[c->n_groups - 1].options;
	case CONFIG_RECIPIENTS:
		return &c->recipients[c->n_recipients - 1];
	case CONFIG_TOP:
	case CONFIG_SECTIONS:
		break;
	}
	return c;
}

/* Names stand in log lines as they are. */
static bool
check_title(const char *title, struct err *err)
{
	static const char	 good[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	if (title[0] == '\0' || strlen(title) > 60 ||
	    title[strspn(title, good)] != '\0')
		return config_value_refuse(title, "a name of at most 60 "
		    "letters, digits, \"-\", \"_\" and \".\"", err);
	if (strcmp(title, "default") == 0)
		return config_value_refuse(title, "another name: that is "
		    "what mail of no group has", err);
	return true;
}

static void
begin_group(struct parse *p, const char *title, int line)
{
	struct config	*c = p->config;

	if ((c->n_groups & (c->n_groups - 1)) == 0)
		p->given = mem_grow(p->given,
		    c->n_groups == 0 ? 1 : 2 * c->n_groups,
		    sizeof(*p->given));
	memset(p->given[c->n_groups], 0, sizeof(*p->given));
	c->groups = grow(c->groups, c->n_groups, sizeof(*c->groups));
	c->groups[c->n_groups++] = (struct config_group){
	    .name = mem_str(title), .label = mem_strf("group %s", title),
	    .line = line };
}

static void
begin_recipients(struct parse *p, const char *title, int line)
{
	struct config	*c = p->config;

	c->recipients = grow(c->recipients, c->n_recipients,
	    sizeof(*c->recipients));
	c->recipients[c->n_recipients++] = (struct config_recipients){
	    .name = mem_str(title),
	    .label = mem_strf("recipients %s", title), .line = line };
}

static void
begin_listener(struct parse *p, const char *title, int line)
{
	struct config	*c = p->config;

	c->listeners = grow(c->listeners, c->n_listeners,
	    sizeof(*c->listeners));
	c->listeners[c->n_listeners] = (struct listener){
	    .spec = mem_str(title), .line = line };
	config_schema_set_defaults(CONFIG_LISTENER, &c->listeners[c->n_listeners++]);
}

/* "group support" may be there once. */
static bool
take_title(struct parse *p, const cfg_t *cfg, int line)
{
	char	*name = mem_strf("%s %s", cfg->name, cfg->title);
	char	*shown;
	size_t	 old = group_table_add(p->titles, name, (size_t)line);

	if (old != GROUP_NONE) {
		shown = text_safe(name, strlen(name), 80);
		err_set(p->err, ERR_CONFIG, "found %s a second time, wanted "
		    "it once; the first is in line %zu", shown, old);
		free(shown);
	}
	free(name);
	return old == GROUP_NONE;
}

static bool
begin_section(struct parse *p, const cfg_t *cfg)
{
	enum config_section	 section = section_of(cfg);
	int		 line = p->scan.section_lines[p->n_ended];

	p->current = cfg;
	if (section == CONFIG_DEFAULT)
		p->config->default_group.line = line;
	if (cfg->title == NULL)		/* there is one of its kind */
		return true;
	if (!take_title(p, cfg, line))
		return fail(p, line);
	if (section == CONFIG_LISTENER) {
		begin_listener(p, cfg->title, line);
		return true;
	}
	if (!check_title(cfg->title, p->err))
		return fail(p, line);
	if (section == CONFIG_GROUP)
		begin_group(p, cfg->title, line);
	else
		begin_recipients(p, cfg->title, line);
	return true;
}

/* --- libconfuse's calls ----------------------------------------------- */

static void
take_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char	 text[300];

	if (active->has_failed)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	err_set(active->err, ERR_CONFIG, "%s", text);
	fail(active, cfg->line);
}

/* What the default section says, for the groups. */
static void
note_default(struct parse *p, size_t i, const char *value)
{
	char	*old = p->defaults[i];

	p->defaults[i] = old == NULL ? mem_str(value) :
	    mem_strf("%s\n%s", old, value);
	free(old);
}

/* A value beyond its own field: which options a group has itself. */
static void
note_given(struct parse *p, const struct config_row *row,
    enum config_section section, const char *value)
{
	size_t				 i = config_schema_index(row);
	struct config_recipients	*r;

	if (section == CONFIG_DEFAULT)
		note_default(p, i, value);
	if (section == CONFIG_GROUP)
		p->given[p->config->n_groups - 1][i] = true;
	if (section != CONFIG_RECIPIENTS)
		return;
	r = &p->config->recipients[p->config->n_recipients - 1];
	r->has_sign |= row->set != NULL &&
	    row->offset == offsetof(struct config_recipients, sign);
	r->has_encrypt |= row->set != NULL &&
	    row->offset == offsetof(struct config_recipients, encrypt);
	r->has_cipher |= row->set != NULL &&
	    row->offset == offsetof(struct config_recipients, cipher);
	r->has_signature_algorithm |= row->set != NULL && row->offset ==
	    offsetof(struct config_recipients, signature_algorithm);
	r->has_key_management |= row->set != NULL && row->offset ==
	    offsetof(struct config_recipients, key_management);
	r->has_signed_format |= row->set != NULL && row->offset ==
	    offsetof(struct config_recipients, signed_format);
}

static bool
has_control(const char *value)
{
	for (; *value != '\0'; value++)
		if ((unsigned char)*value < 0x20 || *value == 0x7f)
			return true;
	return false;
}

static bool
take_value(struct parse *p, cfg_t *cfg, const char *name, const char *value)
{
	enum config_section		 section = section_of(cfg);
	const struct config_row	*row = config_schema_find(section, name);

	if (section != CONFIG_TOP && p->current != cfg &&
	    !begin_section(p, cfg))
		return false;
	if (has_control(value) || !text_is_utf8(value, strlen(value)))
		return config_value_refuse(value, "text", p->err);
	if (row->take != CONFIG_FIELD)
		return take[row->take](p, section, value, cfg->line, p->err);
	if (!config_schema_set(row, base_of(p, section), value, p->err))
		return false;
	note_given(p, row, section, value);
	return true;
}

static int
on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	if (!take_value(active, cfg, opt->name, value)) {
		if (!active->has_failed)
			err_prefix(active->err, "%s", opt->name);
		fail(active, cfg->line);
		return -1;
	}
	*(const char **)result = value;
	return 0;
}

/*
 * An empty list is a value, too: the group has its own, with nothing in it.
 * libconfuse makes no call for that, it only marks the option.
 */
static void
note_lists(struct parse *p, const cfg_t *section)
{
	const struct config_row	*row;

	for (size_t i = 0; (row = config_schema_row(i)) != NULL; i++)
		if (row->section == CONFIG_DEFAULT && row->is_list &&
		    (cfg_getopt((cfg_t *)(uintptr_t)section,
		    row->name)->flags & CFGF_MODIFIED) != 0)
			p->given[p->config->n_groups - 1][i] = true;
}

/*
 * All of a section was taken as it was read.  libconfuse need not keep it; it
 * would compare each title with all that came before.
 */
static int
on_section_end(cfg_t *cfg, cfg_opt_t *opt)
{
	unsigned int	 last = cfg_opt_size(opt) - 1;
	const cfg_t	*section = cfg_opt_getnsec(opt, last);

	(void)cfg;
	if (active->current != section && !begin_section(active, section))
		return -1;
	if (section_of(section) == CONFIG_GROUP)
		note_lists(active, section);
	active->current = NULL;
	active->n_ended++;
	if ((opt->flags & CFGF_MULTI) != 0)
		cfg_opt_rmnsec(opt, last);
	return 0;
}

/* libconfuse's own tables, made of ours; it copies them. */
static cfg_t *
make_confuse(void)
{
	cfg_opt_t			 opts[CONFIG_SECTIONS][CONFIG_ROWS_MAX +
					    CONFIG_SECTIONS + 1];
	size_t				 n[CONFIG_SECTIONS] = { 0 };
	cfg_t				*cfg;
	const struct config_row		*row;

	memset(opts, 0, sizeof(opts));
	for (size_t i = 0; (row = config_schema_row(i)) != NULL; i++) {
		cfg_opt_t	 opt = { .name = row->name,
				    .type = CFGT_STR, .parsecb = on_value,
				    .flags = CFGF_NODEFAULT |
				    (row->is_list ? CFGF_LIST : 0) };

		opts[row->section][n[row->section]++] = opt;
		if (row->section == CONFIG_DEFAULT)
			opts[CONFIG_GROUP][n[CONFIG_GROUP]++] = opt;
	}
	for (int i = CONFIG_TOP + 1; i < CONFIG_SECTIONS; i++)
		opts[CONFIG_TOP][n[CONFIG_TOP]++] = (cfg_opt_t){
		    .name = sections[i].name, .type = CFGT_SEC,
		    .flags = sections[i].flags, .subopts = opts[i],
		    .validcb = on_section_end };
	cfg = cfg_init(opts[CONFIG_TOP], CFGF_NONE);
	if (cfg != NULL)
		cfg_set_error_function(cfg, take_error);
	return cfg;
}

/* --- the whole -------------------------------------------------------- */

/* Each line as a value; a field that is no list has one. */
static void
set_lines(const struct config_row *row, void *base, const char *lines)
{
	struct err	 ignored;	/* it was accepted in default */
	char		*copy = mem_str(lines), *rest = copy, *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		config_schema_set(row, base, line, &ignored);
	free(copy);
}

/* Groups have what they say themselves, then what default says. */
static void
inherit(struct parse *p)
{
	struct config			*c = p->config;
	const struct config_row		*row;

	for (size_t g = 0; g < c->n_groups; g++)
		for (size_t i = 0; (row = config_schema_row(i)) != NULL;
		    i++) {
			if (row->section != CONFIG_DEFAULT ||
			    p->given[g][i])
				continue;
			if (p->defaults[i] != NULL)
				set_lines(row, &c->groups[g].options,
				    p->defaults[i]);
			else if (!row->is_list)
				config_schema_set_default(row,
				    &c->groups[g].options);
		}
}

/* The configuration file alone; the files it names are known afterwards. */
static bool
parse_main(struct parse *p, const struct config_source *source,
    struct err *err)
{
	cfg_t	*cfg;
	bool	 is_ok;

	*p = (struct parse){ .source = source, .err = err };
	p->titles = group_table_new();
	p->config = mem_alloc(sizeof(*p->config));
	p->config->path = mem_str(source->path);
	p->config->default_group.name = mem_str("default");
	p->config->default_group.label = mem_str("default");
	config_schema_set_defaults(CONFIG_TOP, p->config);
	config_schema_set_defaults(CONFIG_AUTHORIZE, &p->config->authorize);
	config_schema_set_defaults(CONFIG_DEFAULT, &p->config->default_group.options);
	if (!config_scan_file(source, &p->scan, err))
		return false;
	pthread_mutex_lock(&confuse_lock);
	active = p;
	cfg = make_confuse();
	is_ok = cfg != NULL &&
	    cfg_parse_buf(cfg, p->scan.text) == CFG_SUCCESS;
	if (cfg != NULL)
		cfg_free(cfg);
	active = NULL;
	pthread_mutex_unlock(&confuse_lock);
	if (!is_ok && !p->has_failed)
		return err_set(err, ERR_CONFIG, "%s: libconfuse cannot read "
		    "it", source->path);
	if (is_ok)
		inherit(p);
	return is_ok;
}

static void
parse_free(struct parse *p)
{
	config_scan_free(&p->scan);
	group_table_free(p->titles);
	config_free(p->config);
	for (size_t i = 0; i < CONFIG_ROWS_MAX; i++)
		free(p->defaults[i]);
	for (size_t i = 0; i < p->n_files; i++)
		free(p->files[i].path);
	free(p->files);
	free(p->given);
	config_members_free(&p->group_members);
	config_members_free(&p->recipients_members);
}

static const char *
group_label(const struct config *config, size_t i, int *line)
{
	*line = config->groups[i].line;
	return config->groups[i].label;
}

static const char *
recipients_label(const struct config *config, size_t i, int *line)
{
	*line = config->recipients[i].line;
	return config->recipients[i].label;
}

/* One of the other files, whose bytes are at hand. */
static bool
parse_named(struct parse *p, const struct named_file *file,
    const struct config_source *source)
{
	if (strcmp(file->path, source->path) != 0)
		return err_set(p->err, ERR_BUG, "found %s, wanted the bytes "
		    "of %s", source->path, file->path);
	if (file->section == CONFIG_AUTHORIZE)
		return identity_table_parse(source, &p->config->identities,
		    p->err);
	return config_members_add_file(file->section == CONFIG_GROUP ?
	    &p->group_members : &p->recipients_members, file->set, source,
	    p->err);
}

static bool
parse_all(struct parse *p, const struct config_source *sources, size_t n,
    struct err *err)
{
	struct config	*c;

	if (!parse_main(p, sources, err))
		return false;
	if (n != p->n_files + 1)
		return err_set(err, ERR_BUG, "%s: found %zu files, wanted "
		    "the %zu that it names", sources[0].path, n - 1,
		    p->n_files);
	for (size_t i = 0; i < p->n_files; i++)
		if (!parse_named(p, &p->files[i], &sources[i + 1])) {
			if (err->kind != ERR_BUG)
				err->kind = ERR_CONFIG;
			return false;
		}
	c = p->config;
	c->group_members = config_members_index(&p->group_members, c,
	    c->n_groups, group_label);
	c->recipients_members = config_members_index(&p->recipients_members,
	    c, c->n_recipients, recipients_label);
	return config_check(c, err);
}

bool
config_parse_names(const struct config_source *source, struct config_name **out,
    size_t *n, struct err *err)
{
	struct parse	 parse;
	bool		 is_ok = parse_main(&parse, source, err);

	if (is_ok) {
		*n = parse.n_files;
		*out = mem_array(*n, sizeof(**out));
		for (size_t i = 0; i < *n; i++)
			(*out)[i] = (struct config_name){
			    mem_str(parse.files[i].path),
			    parse.files[i].line };
	}
	parse_free(&parse);
	return is_ok;
}

bool
config_parse(const struct config_source *sources, size_t n,
    struct config **out, struct err *err)
{
	struct parse	 parse;
	bool		 is_ok;

	if (n == 0)
		return err_set(err, ERR_BUG, "there is no configuration file");
	is_ok = parse_all(&parse, sources, n, err);
	if (is_ok) {
		*out = parse.config;
		parse.config = NULL;
	}
	parse_free(&parse);
	return is_ok;
}
