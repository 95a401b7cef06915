/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/mem.h"
#include "policy/config_check.h"

#define WARNINGS_MAX	200	/* one mistake may be in thousands of lines */

void
config_check_warn(struct config *config, int line, const char *fmt, ...)
{
	char	 text[600];
	va_list	 ap;

	if (config->n_warnings == WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	config->warnings = mem_grow(config->warnings, config->n_warnings + 1,
	    sizeof(*config->warnings));
	config->warnings[config->n_warnings++] = line > 0 ?
	    mem_strf("%s:%d: %s", config->path, line, text) :
	    mem_strf("%s: %s", config->path, text);
}

/* --- listeners -------------------------------------------------------- */

static bool
refuse(const struct config *config, int line, const char *found,
    const char *wanted, struct err *err)
{
	return err_set(err, ERR_CONFIG, "%s:%d: found listener \"%s\", "
	    "wanted %s", config->path, line, found, wanted);
}

static bool
check_unix(const struct config *config, struct listener *listener,
    const char *path, struct err *err)
{
	if (path[0] != '/')
		return refuse(config, listener->line, listener->spec,
		    "a path that begins with / after \"unix:\"", err);
	if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return refuse(config, listener->line, listener->spec,
		    "a path of at most 107 bytes", err);
	listener->path = mem_str(path);
	return true;
}

static bool
is_loopback(const char *host)
{
	uint8_t	 v4[4];
	uint8_t	 v6[16];
	char	 text[INET6_ADDRSTRLEN];

	if (strcmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, v4) == 1)
		return v4[0] == 127;
	return inet_pton(AF_INET6, host, v6) == 1 &&
	    inet_ntop(AF_INET6, v6, text, sizeof(text)) != NULL &&
	    strcmp(text, "::1") == 0;
}

/* PORT@HOST.  libmilter listens on all of them where there is no host. */
static bool
check_inet(struct config *config, struct listener *listener, const char *rest,
    int family, struct err *err)
{
	char		*end;
	long		 port = strtol(rest, &end, 10);
	const char	*host = *end == '@' ? end + 1 : "";
	uint8_t		 addr[16];

	if (rest[0] < '0' || rest[0] > '9' || port < 1 || port > 65535 ||
	    (*end != '@' && *end != '\0'))
		return refuse(config, listener->line, listener->spec,
		    "a port from 1 to 65535, as in inet:8891@127.0.0.1", err);
	if (host[0] != '\0' && strcmp(host, "localhost") != 0 &&
	    inet_pton(family, host, addr) != 1)
		return refuse(config, listener->line, listener->spec,
		    "an IP address or localhost after \"@\"", err);
	if (is_loopback(host))
		return true;
	if (listener->role == ROLE_SEAL)
		return refuse(config, listener->line, listener->spec,
		    "a unix socket or a loopback address for role = seal",
		    err);
	if (!listener->insecure_network)
		return refuse(config, listener->line, listener->spec,
		    "a loopback address, or insecure-network = true", err);
	config_check_warn(config, listener->line, "listener %s: every host "
	    "that can reach it may have mail signed; protect it by other "
	    "means", listener->spec);
	return true;
}

static bool
check_listener(struct config *config, struct listener *listener,
    struct err *err)
{
	const char	*spec = listener->spec;

	if (strncmp(spec, "unix:", 5) == 0)
		return check_unix(config, listener, spec + 5, err);
	if (strncmp(spec, "inet:", 5) == 0)
		return check_inet(config, listener, spec + 5, AF_INET, err);
	if (strncmp(spec, "inet6:", 6) == 0)
		return check_inet(config, listener, spec + 6, AF_INET6, err);
	return refuse(config, listener->line, spec, "unix:/PATH, "
	    "inet:PORT@HOST or inet6:PORT@HOST", err);
}

/* --- groups against recipients ---------------------------------------- */

/* The first group that has each want; NULL where none has it. */
struct seen {
	const struct config_group	*sign[3];
	const struct config_group	*encrypt[3];
};

static void
note_group(struct seen *seen, const struct config_group *group)
{
	if (seen->sign[group->options.sign] == NULL)
		seen->sign[group->options.sign] = group;
	if (seen->encrypt[group->options.encrypt] == NULL)
		seen->encrypt[group->options.encrypt] = group;
}

/*
 * require against never: an error where it holds for every group, so that no
 * mail at all could go there; where it holds for some, their mail is refused.
 */
static bool
check_want(struct config *config, const struct config_recipients *section,
    const char *what, enum want want, const struct config_group *const *seen,
    struct err *err)
{
	enum want			 against;
	const struct config_group	*group;

	if (want == WANT_PREFER)
		return true;
	against = want == WANT_REQUIRE ? WANT_NEVER : WANT_REQUIRE;
	if ((group = seen[against]) == NULL)
		return true;
	if (seen[want] == NULL && seen[WANT_PREFER] == NULL)
		return err_set(err, ERR_CONFIG, "%s:%d: found %s = %s in "
		    "%s, wanted no contradiction: every group has %s = %s",
		    config->path, section->line, what, config_want_name(want),
		    section->label, what, config_want_name(against));
	config_check_warn(config, section->line, "%s has %s = %s, but %s has "
	    "%s = %s: mail from there to these recipients is refused",
	    section->label, what, config_want_name(want), group->label, what,
	    config_want_name(against));
	return true;
}

static bool
check_recipients(struct config *config, struct err *err)
{
	struct seen	 seen = { 0 };

	note_group(&seen, &config->default_group);
	for (size_t i = 0; i < config->n_groups; i++)
		note_group(&seen, &config->groups[i]);
	for (size_t i = 0; i < config->n_recipients; i++) {
		const struct config_recipients	*r = &config->recipients[i];

		if (r->has_sign && !check_want(config, r, "sign", r->sign,
		    seen.sign, err))
			return false;
		if (r->has_encrypt && !check_want(config, r, "encrypt",
		    r->encrypt, seen.encrypt, err))
			return false;
	}
	return true;
}

/* --- who is authorised ------------------------------------------------ */

static void
check_authorize(struct config *config)
{
	const struct authorize	*authorize = &config->authorize;

	if (authorize->identities == IDENTITIES_ANY)
		config_check_warn(config, 0, "identities = \"any\": whoever "
		    "is authorised may use every From address, unless the "
		    "MTA prevents it (reject_sender_login_mismatch)");
	if (authorize->identities == IDENTITIES_LOGIN &&
	    (authorize->local || authorize->n_networks > 0))
		config_check_warn(config, 0, "local and networks authorise "
		    "nobody without an identities file that says which From "
		    "addresses they may use");
	if (!authorize->authenticated && !authorize->local &&
	    authorize->n_networks == 0)
		config_check_warn(config, 0, "nobody is authorised: no mail "
		    "will be signed or encrypted");
	for (size_t i = 0; i < authorize->n_networks; i++)
		if (authorize->networks[i].bits == 0 ||
		    authorize->networks[i].bits == 96)
			config_check_warn(config, 0, "networks has all hosts "
			    "of the Internet in it");
}

/* --- ciphers ---------------------------------------------------------- */

/* "MUST-" in RFC 8551, section 2.7: it is on its way out. */
static void
check_cipher(struct config *config, const char *label, int line,
    enum cipher cipher)
{
	if (cipher == CIPHER_AES128_CBC)
		config_check_warn(config, line, "%s has cipher = aes-128-cbc, "
		    "the weakest: every program that reads it reads "
		    "aes-256-cbc, too", label);
}

static void
check_ciphers(struct config *config)
{
	const struct config_group	*group = &config->default_group;

	check_cipher(config, group->label, group->line,
	    group->options.cipher);
	for (size_t i = 0; i < config->n_groups; i++)
		/* What is inherited was told. */
		if (config->groups[i].options.cipher != group->options.cipher)
			check_cipher(config, config->groups[i].label,
			    config->groups[i].line,
			    config->groups[i].options.cipher);
	for (size_t i = 0; i < config->n_recipients; i++)
		if (config->recipients[i].has_cipher)
			check_cipher(config, config->recipients[i].label,
			    config->recipients[i].line,
			    config->recipients[i].cipher);
}

bool
config_check(struct config *config, struct err *err)
{
	for (size_t i = 0; i < config->n_listeners; i++)
		if (!check_listener(config, &config->listeners[i], err))
			return false;
	if (config->enabled && config->n_listeners == 0)
		config_check_warn(config, 0, "there is no listener: no mail "
		    "will reach the filter");
	check_authorize(config);
	check_ciphers(config);
	return check_recipients(config, err);
}
