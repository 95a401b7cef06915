/* SPDX-License-Identifier: BSD-2-Clause */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "policy/group.h"
#include "tools/postfix_alias.h"
#include "tools/postfix_table.h"

#define BLANK		" \t\r\n"
#define AROUND		BLANK ",;=<>(){}\"'"	/* what no address has around it */
#define INCLUDE		":include:"
#define INCLUDE_DEPTH	4

/* What leads to somebody who must be encrypted to; the first is told. */
struct leads {
	const struct postfix_look	*look;
	char				*first;		/* an address */
	const char			*section;
	size_t				 n_more;
};

/* --- who must be encrypted to ------------------------------------------------------ */

static bool
is_required(const struct config_recipients *section)
{
	return section->has_encrypt && section->encrypt == WANT_REQUIRE;
}

static bool
has_required(const struct config *config)
{
	for (size_t i = 0; i < config->n_recipients; i++)
		if (is_required(&config->recipients[i]))
			return true;
	return false;
}

/*
 * The section that requires it for this address, or for all of "@domain"; NULL:
 * none, or the word is neither.
 */
static const struct config_recipients *
required_for(const struct config *config, const char *word, size_t len,
    char addr[ADDR_MAX])
{
	struct err	 err = { 0 };
	char		*text = mem_strn(word, len);
	bool		 is_one = word[0] == '@' ?
	    addr_member_normalise(text, addr, &err) :
	    addr_normalise(text, len, addr, &err);
	size_t		 i;

	free(text);
	if (!is_one)
		return NULL;
	i = group_table_find_tagged(config->recipients_members, addr,
	    config->subaddress_delimiter);
	return i != GROUP_NONE && is_required(&config->recipients[i]) ?
	    &config->recipients[i] : NULL;
}

static void
add_word(struct leads *leads, const char *word, size_t len)
{
	char				 addr[ADDR_MAX];
	const struct config_recipients	*section = required_for(
	    leads->look->config, word, len, addr);

	if (section == NULL)
		return;
	if (leads->first == NULL) {
		leads->first = text_safe(addr, strlen(addr), ADDR_MAX);
		leads->section = section->label;
	} else if (strcmp(leads->first, addr) != 0)
		leads->n_more++;
}

/* --- where an alias leads --------------------------------------------------------- */

static void add_file(struct leads *, const char *path, int depth);

static void
add_member(struct leads *leads, const char *word, size_t len, int depth)
{
	const size_t	 skip = strlen(INCLUDE);
	char		*path;

	if (len <= skip || strncmp(word, INCLUDE, skip) != 0) {
		add_word(leads, word, len);
		return;
	}
	path = mem_strn(word + skip, len - skip);
	add_file(leads, path, depth + 1);
	free(path);
}

/* All but the key in "{ info = a@b.example }". */
static void
add_members(struct leads *leads, const char *p, size_t len, int depth)
{
	for (const char *end = p + len; p < end;) {
		size_t	 n = strcspn(p, AROUND);

		if (n > (size_t)(end - p))
			n = (size_t)(end - p);
		if (n > 0 && p[n + strspn(p + n, " \t")] != '=')
			add_member(leads, p, n, depth);
		p += n > 0 ? n : 1;
	}
}

/* What stands in a list of members: all of a file, but for comments. */
static void
add_file(struct leads *leads, const char *path, int depth)
{
	char	*text = depth > INCLUDE_DEPTH ? NULL :
	    postfix_table_file(path);

	for (const char *p = text; p != NULL && *p != '\0';) {
		const size_t	 len = strcspn(p, "\n");

		if (p[strspn(p, BLANK)] != '#')
			add_members(leads, p, len, depth);
		p += len + (p[len] == '\n');
	}
	free(text);
}

/*
 * "info: a@b.example, c@d.example", or "info@x.example a@b.example", and the
 * next lines of it.  What must be encrypted to the alias itself is left out.
 */
static void
add_lines(struct leads *leads, const char *p)
{
	const struct config	*config = leads->look->config;
	bool			 is_left_out = false;
	char			 addr[ADDR_MAX];

	while (*p != '\0') {
		const size_t	 len = strcspn(p, "\n");
		const size_t	 key = strcspn(p, BLANK ":");
		const size_t	 start = key + (p[key] == ':');

		if (p[0] != '#' && key > 0)
			is_left_out = required_for(config, p, key, addr) !=
			    NULL;
		if (p[0] != '#' && start < len && !is_left_out)
			add_members(leads, p + start, len - start, 0);
		p += len + (p[len] == '\n');
	}
}

static void
tell_leads(struct leads *leads, const char *name, const char *table,
    const char *wanted)
{
	char	*more = leads->n_more == 0 ? mem_str("") : mem_strf(
	    " (and %zu more)", leads->n_more);

	if (leads->first != NULL)
		postfix_look_found(leads->look, "main.cf", "%s: %s leads to "
		    "%s%s, but only after the filter, which encrypts for the "
		    "alias or not at all: encrypt = require of %s does not "
		    "count there; wanted %s", name, table, leads->first,
		    more, leads->section, wanted);
	free(more);
	free(leads->first);
}

/* --- what Postfix expands after the filter ------------------------------------------- */

static void
check_tables(const struct postfix_look *look, const char *name,
    bool is_told_unreadable, const char *wanted)
{
	const char	*p = postconf_get(look->pc, NULL, name);
	char		*table;

	for (; (table = postfix_table_next(&p)) != NULL; free(table)) {
		char		*text = postfix_table_text(table);
		struct leads	 leads = { .look = look };

		if (text != NULL && text[0] == '{')
			add_members(&leads, text, strlen(text), 0);
		else if (text != NULL)
			add_lines(&leads, text);
		else if (is_told_unreadable)
			postfix_look_found(look, "main.cf", "%s: %s cannot be "
			    "read here: look that it leads to nobody who must "
			    "be encrypted to; wanted those in %s", name, table,
			    wanted);
		tell_leads(&leads, name, table, wanted);
		free(text);
	}
}

/* One of forward_path for a user; what else may stand there is left out. */
static char *
forward_file(const char *path, size_t len, const struct passwd *user)
{
	const struct { const char *name, *value; } values[] = {
		{ "${home}", user->pw_dir }, { "$home", user->pw_dir },
		{ "${user}", user->pw_name }, { "$user", user->pw_name },
		{ "${recipient_delimiter}", "" }, { "$recipient_delimiter",
		"" }, { "${extension}", "" }, { "$extension", "" } };
	struct buf	 out = { 0 };

	for (size_t i = 0, k; i < len;) {
		for (k = 0; k < sizeof(values) / sizeof(values[0]); k++)
			if (strncmp(path + i, values[k].name,
			    strlen(values[k].name)) == 0)
				break;
		if (k < sizeof(values) / sizeof(values[0])) {
			buf_adds(&out, values[k].value);
			i += strlen(values[k].name);
		} else
			buf_addc(&out, path[i++]);
	}
	return buf_take_str(&out);
}

static void
check_forward(const struct postfix_look *look, const char *wanted)
{
	const char		*paths = postconf_get(look->pc, NULL,
	    "forward_path");
	const struct passwd	*user;

	if (paths[0] == '\0')
		return;
	setpwent();
	while ((user = getpwent()) != NULL)
		for (const char *p = paths; *(p += strspn(p, BLANK ",")) !=
		    '\0'; p += strcspn(p, BLANK ",")) {
			char		*path = forward_file(p, strcspn(p,
			    BLANK ","), user);
			struct leads	 leads = { .look = look };

			add_file(&leads, path, 0);
			tell_leads(&leads, "forward_path", path, wanted);
			free(path);
		}
	endpwent();
}

/* Is there anything beside "localhost" that local(8) delivers? */
static bool
has_local(const struct postfix_look *look)
{
	const char			*p = postconf_get(look->pc, NULL,
	    "mydestination");
	const char			*transport = postconf_get(look->pc,
	    NULL, "local_transport");
	char				*name = mem_strn(transport,
	    strcspn(transport, ":"));
	const struct postconf_service	*service = postconf_find(look->pc,
	    name, "unix");
	bool				 is_there = false;

	free(name);
	if (service == NULL || strcmp(service->command, "local") != 0)
		return false;
	for (size_t len; !is_there && *(p += strspn(p, BLANK ",")) != '\0';
	    p += len) {
		len = strcspn(p, BLANK ",");
		is_there = strncmp(p, "localhost", 9) != 0 ||
		    (len > 9 && p[9] != '.');
	}
	return is_there;
}

void
postfix_alias_all(const struct postfix_look *look)
{
	static const char *const	 early[] = { "virtual_alias_maps",
	    "canonical_maps", "recipient_canonical_maps" };
	const bool	 is_split = config_has_role(look->config, ROLE_STAMP);
	const char	*wanted = is_split ? "virtual_alias_maps" :
	    "virtual_alias_maps and two passes (smimectl postfix --layout "
	    "split)";
	const char	*relay = postconf_get(look->pc, NULL, "luser_relay");
	struct leads	 leads = { .look = look };

	if (!has_required(look->config))
		return;
	for (size_t i = 0; !is_split && i < sizeof(early) / sizeof(early[0]);
	    i++)
		check_tables(look, early[i], false,
		    "two passes (smimectl postfix --layout split)");
	if (!has_local(look))
		return;
	check_tables(look, "alias_maps", true, wanted);
	check_forward(look, wanted);
	add_members(&leads, relay, strlen(relay), 0);
	tell_leads(&leads, "luser_relay", relay, wanted);
}
