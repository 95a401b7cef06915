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
#include "policy/config_bundle.h"
#include "policy/config_check.h"
#include "policy/config_members.h"
#include "policy/config_scan.h"
#include "policy/config_value.h"
#include "policy/group.h"
#include "policy/identity.h"

/* --- the schema ------------------------------------------------------- */

enum section {
	SECTION_TOP,
	SECTION_LISTENER,
	SECTION_AUTHORIZE,
	SECTION_DEFAULT,
	SECTION_GROUP,
	SECTION_RECIPIENTS,
	N_SECTIONS
};

static const struct {
	const char	*name;
	cfg_flag_t	 flags;
} sections[N_SECTIONS] = {
	[SECTION_TOP] =		{ "",		CFGF_NONE },
	[SECTION_LISTENER] =	{ "listener",	CFGF_MULTI | CFGF_TITLE },
	[SECTION_AUTHORIZE] =	{ "authorize",	CFGF_NONE },
	[SECTION_DEFAULT] =	{ "default",	CFGF_NONE },
	[SECTION_GROUP] =	{ "group",	CFGF_MULTI | CFGF_TITLE },
	[SECTION_RECIPIENTS] =	{ "recipients",	CFGF_MULTI | CFGF_TITLE },
};

struct parse;
/* What is read as a whole, because it names other files or makes a list. */
typedef bool list_fn(struct parse *, enum section, const char *value,
    int line, struct err *);

static list_fn	 add_member, add_members_file, add_network, set_identities;

struct row {
	struct config_option	 doc;
	enum section		 section;
	config_value_fn		*set;	/* writes the field at offset */
	size_t			 offset;
	list_fn			*add;	/* instead of set */
	bool			 is_list;
};

#define ROW(section_, text_, name_, value_, set_, type_, field_) \
	{ { text_, name_, value_ }, section_, set_, \
	    offsetof(type_, field_), NULL, false }
#define TOP(name_, value_, set_, field_) \
	ROW(SECTION_TOP, "", name_, value_, set_, struct config, field_)
#define LISTENER(name_, value_, set_, field_) \
	ROW(SECTION_LISTENER, "listener", name_, value_, set_, \
	    struct listener, field_)
#define AUTHORIZE(name_, value_, set_, field_) \
	ROW(SECTION_AUTHORIZE, "authorize", name_, value_, set_, \
	    struct authorize, field_)
#define OPTION(name_, value_, set_, field_) \
	ROW(SECTION_DEFAULT, "default", name_, value_, set_, \
	    struct options, field_)
/* A list that a group inherits as a whole, unless it has its own. */
#define OPTION_LIST(name_, set_, field_) \
	{ { "default", name_, "{ }" }, SECTION_DEFAULT, set_, \
	    offsetof(struct options, field_), NULL, true }
#define RECIPIENTS(name_, set_, field_) \
	ROW(SECTION_RECIPIENTS, "recipients", name_, NULL, set_, \
	    struct config_recipients, field_)
#define LIST(section_, text_, name_, value_, add_, is_list_) \
	{ { text_, name_, value_ }, section_, NULL, 0, add_, is_list_ }

/* Every option, its default, and where it goes. */
static const struct row	 rows[] = {
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
	TOP("spool-dir", "\"/var/tmp\"", config_value_path, spool_dir),
	TOP("vault-timeout", "20", config_value_seconds, vault_timeout),
	TOP("key-rate", "300000", config_value_rate, key_rate),
	TOP("stamp-lifetime", "7d", config_value_age, stamp_lifetime),

	LISTENER("role", "direct", config_value_role, role),
	LISTENER("group", "\"\"", config_value_string, group),
	LISTENER("mode", "\"0660\"", config_value_mode, mode),
	LISTENER("insecure-network", "false", config_value_bool,
	    insecure_network),

	AUTHORIZE("authenticated", "true", config_value_bool, authenticated),
	AUTHORIZE("local", "false", config_value_bool, local),
	LIST(SECTION_AUTHORIZE, "authorize", "networks", "{ }", add_network,
	    true),
	LIST(SECTION_AUTHORIZE, "authorize", "identities", "\"\"",
	    set_identities, false),

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

	LIST(SECTION_GROUP, "group", "members", NULL, add_member, true),
	LIST(SECTION_GROUP, "group", "members-file", "\"\"",
	    add_members_file, false),

	LIST(SECTION_RECIPIENTS, "recipients", "members", NULL, add_member,
	    true),
	LIST(SECTION_RECIPIENTS, "recipients", "members-file", "\"\"",
	    add_members_file, false),
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

const struct config_option *
config_option(size_t i)
{
	return i < N_ROWS ? &rows[i].doc : NULL;
}

/* --- what is known while a file is parsed ----------------------------- */

/* A file that the configuration names. */
struct named_file {
	char		*path;
	int		 line;		/* where it is named */
	enum section	 section;	/* group, recipients, authorize */
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
	char				*defaults[N_ROWS];	/* as given; of lists, lines */
	bool				(*given)[N_ROWS];	/* by group */
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
members_of(struct parse *p, enum section section, size_t *set)
{
	if (section == SECTION_GROUP) {
		*set = p->config->n_groups - 1;
		return &p->group_members;
	}
	*set = p->config->n_recipients - 1;
	return &p->recipients_members;
}

static bool
add_member(struct parse *p, enum section section, const char *value, int line,
    struct err *err)
{
	size_t			 set;
	struct config_members	*members = members_of(p, section, &set);

	return config_members_add(members, value, set, p->source->path, line,
	    err);
}

static void
name_file(struct parse *p, enum section section, size_t set,
    const char *path, int line)
{
	p->files = grow(p->files, p->n_files, sizeof(*p->files));
	p->files[p->n_files++] = (struct named_file){
	    mem_str(path), line, section, set };
}

static bool
add_members_file(struct parse *p, enum section section, const char *value,
    int line, struct err *err)
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
add_network(struct parse *p, enum section section, const char *value,
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
set_identities(struct parse *p, enum section section, const char *value,
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

/* --- sections --------------------------------------------------------- */

static enum section
section_of(const cfg_t *cfg)
{
	for (int i = SECTION_TOP + 1; i < N_SECTIONS; i++)
		if (strcmp(sections[i].name, cfg->name) == 0)
			return (enum section)i;
	return SECTION_TOP;
}

static const struct row *
row_of(enum section section, const char *name)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (strcmp(rows[i].doc.name, name) == 0 &&
		    (rows[i].section == section ||
		    (rows[i].section == SECTION_DEFAULT &&
		    section == SECTION_GROUP)))
			return &rows[i];
	return NULL;
}

/* Where the fields are of the section that is being read. */
static void *
base_of(struct parse *p, enum section section)
{
	struct config	*c = p->config;

	switch (section) {
	case SECTION_LISTENER:
		return &c->listeners[c->n_listeners - 1];
	case SECTION_AUTHORIZE:
		return &c->authorize;
	case SECTION_DEFAULT:
		return &c->default_group.options;
	case SECTION_GROUP:
		return &c->groups[c->n_groups - 1].options;
	case SECTION_RECIPIENTS:
		return &c->recipients[c->n_recipients - 1];
	case SECTION_TOP:
	case N_SECTIONS:
		break;
	}
	return c;
}

static bool
set_field(const struct row *row, void *base, const char *value,
    struct err *err)
{
	return row->set((char *)base + row->offset, value, err);
}

/* A default as the table has it, which is as it stands in the file. */
static void
set_default(const struct row *row, void *base)
{
	char		*text = mem_str(row->doc.value), *value = text;
	struct err	 err;

	if (value[0] == '"') {
		value++;
		value[strlen(value) - 1] = '\0';
	}
	set_field(row, base, value, &err);
	free(text);
}

static void
set_defaults(enum section section, void *base)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].section == section && rows[i].set != NULL &&
		    rows[i].doc.value != NULL && !rows[i].is_list)
			set_default(&rows[i], base);
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
	set_defaults(SECTION_LISTENER, &c->listeners[c->n_listeners++]);
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
	enum section	 section = section_of(cfg);
	int		 line = p->scan.section_lines[p->n_ended];

	p->current = cfg;
	if (cfg->title != NULL && !take_title(p, cfg, line))
		return fail(p, line);
	if (section == SECTION_DEFAULT)
		p->config->default_group.line = line;
	if (section == SECTION_LISTENER)
		begin_listener(p, cfg->title, line);
	if (section != SECTION_GROUP && section != SECTION_RECIPIENTS)
		return true;
	if (!check_title(cfg->title, p->err))
		return fail(p, line);
	if (section == SECTION_GROUP)
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
note_given(struct parse *p, const struct row *row, enum section section,
    const char *value)
{
	size_t				 i = (size_t)(row - rows);
	struct config_recipients	*r;

	if (section == SECTION_DEFAULT)
		note_default(p, i, value);
	if (section == SECTION_GROUP)
		p->given[p->config->n_groups - 1][i] = true;
	if (section != SECTION_RECIPIENTS)
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
	enum section		 section = section_of(cfg);
	const struct row	*row = row_of(section, name);

	if (section != SECTION_TOP && p->current != cfg &&
	    !begin_section(p, cfg))
		return false;
	if (has_control(value) || !text_is_utf8(value, strlen(value)))
		return config_value_refuse(value, "text", p->err);
	if (row->add != NULL)
		return row->add(p, section, value, cfg->line, p->err);
	if (!set_field(row, base_of(p, section), value, p->err))
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
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].section == SECTION_DEFAULT && rows[i].is_list &&
		    (cfg_getopt((cfg_t *)(uintptr_t)section,
		    rows[i].doc.name)->flags & CFGF_MODIFIED) != 0)
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
	if (section_of(section) == SECTION_GROUP)
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
	cfg_opt_t	 opts[N_SECTIONS][N_ROWS + N_SECTIONS + 1];
	size_t		 n[N_SECTIONS] = { 0 };
	cfg_t		*cfg;

	memset(opts, 0, sizeof(opts));
	for (size_t i = 0; i < N_ROWS; i++) {
		cfg_opt_t	 opt = { .name = rows[i].doc.name,
				    .type = CFGT_STR, .parsecb = on_value,
				    .flags = CFGF_NODEFAULT |
				    (rows[i].is_list ? CFGF_LIST : 0) };

		opts[rows[i].section][n[rows[i].section]++] = opt;
		if (rows[i].section == SECTION_DEFAULT)
			opts[SECTION_GROUP][n[SECTION_GROUP]++] = opt;
	}
	for (int i = SECTION_TOP + 1; i < N_SECTIONS; i++)
		opts[SECTION_TOP][n[SECTION_TOP]++] = (cfg_opt_t){
		    .name = sections[i].name, .type = CFGT_SEC,
		    .flags = sections[i].flags, .subopts = opts[i],
		    .validcb = on_section_end };
	cfg = cfg_init(opts[SECTION_TOP], CFGF_NONE);
	if (cfg != NULL)
		cfg_set_error_function(cfg, take_error);
	return cfg;
}

/* --- the whole -------------------------------------------------------- */

/* Each line as a value; a field that is no list has one. */
static void
set_lines(const struct row *row, void *base, const char *lines)
{
	struct err	 ignored;	/* it was accepted in default */
	char		*copy = mem_str(lines), *rest = copy, *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		set_field(row, base, line, &ignored);
	free(copy);
}

/* Groups have what they say themselves, then what default says. */
static void
inherit(struct parse *p)
{
	struct config	*c = p->config;

	for (size_t g = 0; g < c->n_groups; g++)
		for (size_t i = 0; i < N_ROWS; i++) {
			if (rows[i].section != SECTION_DEFAULT ||
			    p->given[g][i])
				continue;
			if (p->defaults[i] != NULL)
				set_lines(&rows[i], &c->groups[g].options,
				    p->defaults[i]);
			else if (!rows[i].is_list)
				set_default(&rows[i], &c->groups[g].options);
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
	set_defaults(SECTION_TOP, p->config);
	set_defaults(SECTION_AUTHORIZE, &p->config->authorize);
	set_defaults(SECTION_DEFAULT, &p->config->default_group.options);
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
	for (size_t i = 0; i < N_ROWS; i++)
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
	if (file->section == SECTION_AUTHORIZE)
		return identity_table_parse(source, &p->config->identities,
		    p->err);
	return config_members_add_file(file->section == SECTION_GROUP ?
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
config_names(const struct config_source *source, struct config_name **out,
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
	free(config->subaddress_delimiter);
	free(config);
}
