/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/mem.h"
#include "base/text.h"
#include "policy/config_scan.h"
#include "policy/identity.h"

/* One login and one member that it may use. */
struct login_line {
	char	*login;
	char	*member;
	int	 line;
};

struct network_line {
	struct network	 network;
	char		*member;
	int		 line;
};

struct local_line {
	char	*member;
	int	 line;
};

struct identity_table {
	struct login_line	*logins;	/* sorted by login */
	size_t			 n_logins;
	struct network_line	*networks;
	size_t			 n_networks;
	struct local_line	*local;
	size_t			 n_local;
};

/* --- addresses of hosts ----------------------------------------------- */

/* An address as 16 bytes, IPv4 as ::ffff:a.b.c.d; *bits is its own length. */
static bool
parse_host(const char *text, uint8_t addr[16], int *bits)
{
	static const uint8_t	 mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (strncasecmp(text, "IPv6:", 5) == 0)
		text += 5;
	memcpy(addr, mapped, sizeof(mapped));
	*bits = 32;
	if (inet_pton(AF_INET, text, addr + 12) == 1)
		return true;
	*bits = 128;
	return inet_pton(AF_INET6, text, addr) == 1;
}

static bool
has_host(const struct network *network, const uint8_t addr[16])
{
	int	 whole = network->bits / 8, rest = network->bits % 8;

	if (memcmp(network->addr, addr, (size_t)whole) != 0)
		return false;
	return rest == 0 ||
	    ((network->addr[whole] ^ addr[whole]) >> (8 - rest)) == 0;
}

bool
identity_network_parse(const char *text, struct network *out, struct err *err)
{
	const char	*slash = strchr(text, '/');
	char		 host[64];
	size_t		 len = slash ? (size_t)(slash - text) : strlen(text);
	int		 width, bits;
	char		*end;

	if (len >= sizeof(host))
		return err_set(err, ERR_CONFIG, "it is too long");
	memcpy(host, text, len);
	host[len] = '\0';
	if (!parse_host(host, out->addr, &width))
		return err_set(err, ERR_CONFIG, "%s is no IP address", host);
	bits = width;
	if (slash != NULL) {
		bits = (int)strtol(slash + 1, &end, 10);
		if (slash[1] < '0' || slash[1] > '9' || end - slash > 4 ||
		    *end != '\0' || bits > width)
			return err_set(err, ERR_CONFIG,
			    "a number from 0 to %d is wanted after \"/\"",
			    width);
	}
	out->bits = 128 - width + bits;
	for (int i = out->bits; i < 128; i++)
		if ((out->addr[i / 8] & (0x80 >> i % 8)) != 0)
			return err_set(err, ERR_CONFIG,
			    "bits are set beyond the first %d", bits);
	return true;
}

/* --- the file --------------------------------------------------------- */

/*
 * The form under which logins are compared: that of addresses where it is
 * one, else byte for byte.
 */
static void
copy_login(const char *login, char out[CONFIG_WORD_MAX])
{
	struct err	 ignored;

	if (strchr(login, '@') != NULL &&
	    addr_normalise(login, strlen(login), out, &ignored))
		return;
	strncpy(out, login, CONFIG_WORD_MAX - 1);
	out[CONFIG_WORD_MAX - 1] = '\0';
}

static int
compare_logins(const void *a, const void *b)
{
	const struct login_line	*x = a, *y = b;
	int			 order = strcmp(x->login, y->login);

	return order != 0 ? order : x->line - y->line;
}

static void
add_login(struct identity_table *table, const char *login, const char *member,
    int line)
{
	if ((table->n_logins & (table->n_logins - 1)) == 0)
		table->logins = mem_grow(table->logins,
		    table->n_logins == 0 ? 1 : 2 * table->n_logins,
		    sizeof(*table->logins));
	table->logins[table->n_logins++] = (struct login_line){
	    mem_str(login), mem_str(member), line };
}

static void
add_network(struct identity_table *table, const struct network *network,
    const char *member, int line)
{
	table->networks = mem_grow(table->networks, table->n_networks + 1,
	    sizeof(*table->networks));
	table->networks[table->n_networks++] = (struct network_line){
	    *network, mem_str(member), line };
}

static void
add_local(struct identity_table *table, const char *member, int line)
{
	table->local = mem_grow(table->local, table->n_local + 1,
	    sizeof(*table->local));
	table->local[table->n_local++] = (struct local_line){
	    mem_str(member), line };
}

/* The rest of a line: every member that its first word may use. */
static bool
parse_members(struct identity_table *table, const char *who, const char **p,
    const char *end, int line, struct err *err)
{
	struct network	 network;
	char		 login[CONFIG_WORD_MAX], word[CONFIG_WORD_MAX];
	char		 member[ADDR_MAX];
	bool		 is_net = strncmp(who, "net:", 4) == 0;
	bool		 is_local = strcmp(who, "local") == 0;
	size_t		 n = 0;

	if (is_net && !identity_network_parse(who + 4, &network, err))
		return err_prefix(err, "found %s", who);
	copy_login(who, login);
	for (; config_scan_word(p, end, word); n++) {
		if (!addr_member_normalise(word, member, err))
			return false;
		if (is_net)
			add_network(table, &network, member, line);
		else if (is_local)
			add_local(table, member, line);
		else
			add_login(table, login, member, line);
	}
	if (n == 0)
		return err_set(err, ERR_CONFIG, "found no address, wanted "
		    "those that %s may use", who);
	return true;
}

bool
identity_table_parse(const struct config_source *source,
    struct identity_table **out, struct err *err)
{
	struct identity_table	*table = mem_alloc(sizeof(*table));
	const char		*p = source->bytes, *end = p + source->len;
	char			 who[CONFIG_WORD_MAX];
	int			 line = 1;

	if (!config_scan_list(source, err))
		goto fail;
	for (; p < end; line++) {
		if (config_scan_word(&p, end, who) &&
		    !parse_members(table, who, &p, end, line, err)) {
			err_prefix(err, "%s:%d", source->path, line);
			goto fail;
		}
		if (p < end)	/* the line's end */
			p++;
	}
	if (table->n_logins > 0)
		qsort(table->logins, table->n_logins,
		    sizeof(*table->logins), compare_logins);
	*out = table;
	return true;
fail:
	identity_table_free(table);
	err->kind = ERR_CONFIG;
	return false;
}

void
identity_table_free(struct identity_table *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->n_logins; i++) {
		free(table->logins[i].login);
		free(table->logins[i].member);
	}
	for (size_t i = 0; i < table->n_networks; i++)
		free(table->networks[i].member);
	for (size_t i = 0; i < table->n_local; i++)
		free(table->local[i].member);
	free(table->logins);
	free(table->networks);
	free(table->local);
	free(table);
}

/* --- the question ----------------------------------------------------- */

/* What allows it: a line of the file, or text where that is 0. */
struct grant {
	const char	*text;
	int		 line;
};

/* The line that says so, or 0. */
static int
table_has_login(const struct identity_table *table, const char *login,
    const char *from)
{
	size_t	 low = 0, high = table->n_logins;

	while (low < high) {
		size_t	 middle = low + (high - low) / 2;

		if (strcmp(table->logins[middle].login, login) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < table->n_logins &&
	    strcmp(table->logins[low].login, login) == 0; low++)
		if (addr_is_member(from, table->logins[low].member))
			return table->logins[low].line;
	return 0;
}

static int
table_has_host(const struct identity_table *table, const uint8_t host[16],
    const char *from)
{
	for (size_t i = 0; i < table->n_networks; i++)
		if (has_host(&table->networks[i].network, host) &&
		    addr_is_member(from, table->networks[i].member))
			return table->networks[i].line;
	return 0;
}

static int
table_has_local(const struct identity_table *table, const char *from)
{
	for (size_t i = 0; i < table->n_local; i++)
		if (addr_is_member(from, table->local[i].member))
			return table->local[i].line;
	return 0;
}

/* "login bob may not use From <alice@example.org>", safe to show. */
static bool
refuse(const char *kind, const char *who, const char *from, struct err *why)
{
	char	*shown_who = text_safe(who, strlen(who), 100);
	char	*shown_from = text_safe(from, strlen(from), 200);

	err_set(why, ERR_MESSAGE, "%s%s may not use From <%s>", kind,
	    shown_who, shown_from);
	free(shown_who);
	free(shown_from);
	return false;
}

/* True where the MTA has checked: every From is allowed. */
static bool
grant_any(const struct config *config, struct grant *grant)
{
	grant->text = "identities = any";
	return config->authorize.identities == IDENTITIES_ANY;
}

static bool
check_login(const struct config *config, const char *login, const char *from,
    struct grant *grant, struct err *why)
{
	char	 own[CONFIG_WORD_MAX];

	if (!config->authorize.authenticated)
		return err_set(why, ERR_MESSAGE,
		    "authenticated senders are not authorised here");
	if (grant_any(config, grant))
		return true;
	if (strlen(login) >= sizeof(own))	/* the file has none so long */
		return refuse("login ", login, from, why);
	copy_login(login, own);
	grant->text = "it is the login's own address";
	if (strcmp(own, from) == 0)
		return true;
	if (config->identities != NULL && (grant->line = table_has_login(
	    config->identities, own, from)) != 0)
		return true;
	return refuse("login ", login, from, why);
}

static bool
check_local(const struct config *config, const char *from,
    struct grant *grant, struct err *why)
{
	if (!config->authorize.local)
		return err_set(why, ERR_MESSAGE,
		    "local senders are not authorised here");
	if (grant_any(config, grant))
		return true;
	if (config->identities != NULL && (grant->line = table_has_local(
	    config->identities, from)) != 0)
		return true;
	return refuse("a local sender", "", from, why);
}

static bool
check_host(const struct config *config, const char *client, const char *from,
    struct grant *grant, struct err *why)
{
	const struct authorize	*authorize = &config->authorize;
	uint8_t			 host[16];
	int			 bits;
	bool			 is_admitted = false;

	if (!parse_host(client, host, &bits))
		return refuse("unknown client ", client, from, why);
	for (size_t i = 0; i < authorize->n_networks; i++)
		if (has_host(&authorize->networks[i], host))
			is_admitted = true;
	if (!is_admitted)
		return err_set(why, ERR_MESSAGE, "nobody is authenticated, "
		    "and client %s is not authorised without", client);
	if (grant_any(config, grant))
		return true;
	if (config->identities != NULL && (grant->line = table_has_host(
	    config->identities, host, from)) != 0)
		return true;
	return refuse("client ", client, from, why);
}

static bool
check_exact(const struct config *config, const char *login,
    const char *client, const char *from, struct grant *grant,
    struct err *why)
{
	if (login != NULL)
		return check_login(config, login, from, grant, why);
	if (client == NULL)
		return err_set(why, ERR_MESSAGE, "nobody is authenticated");
	if (strcmp(client, "local") == 0)
		return check_local(config, from, grant, why);
	return check_host(config, client, from, grant, why);
}

/* Whoever may use an address may use its sub-addresses, never the reverse. */
static bool
check_sender(const struct config *config, const char *login,
    const char *client, const char *from, struct grant *grant,
    struct err *why)
{
	char		 plain[ADDR_MAX];
	struct err	 ignored;

	if (check_exact(config, login, client, from, grant, why))
		return true;
	return addr_without_tag(from, config->subaddress_delimiter, plain) &&
	    check_exact(config, login, client, plain, grant, &ignored);
}

bool
identity_check(const struct config *config, const char *login,
    const char *client, const char *from, struct err *why)
{
	struct grant	 grant = { 0 };

	return check_sender(config, login, client, from, &grant, why);
}

char *
identity_grant(const struct config *config, const char *login,
    const char *client, const char *from)
{
	struct grant	 grant = { 0 };
	struct err	 ignored;

	if (!check_sender(config, login, client, from, &grant, &ignored))
		return NULL;
	if (grant.line > 0)
		return mem_strf("%s:%d", config->authorize.identities_file,
		    grant.line);
	return mem_str(grant.text);
}
