/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/socket.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/config_check.h"
#include "policy/config_socket.h"

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
check_listener(struct config *config, struct listener *listener,
    struct err *err)
{
	struct config_socket	 where;
	const char		*wanted = config_socket_parse(listener->spec,
				    &where);

	if (wanted != NULL)
		return refuse(config, listener->line, listener->spec, wanted,
		    err);
	if (where.family == AF_UNIX)
		listener->path = mem_str(where.path);
	if (where.family == AF_UNIX || where.is_loopback)
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

/* One of two passes is of no use without the other. */
static void
check_passes(struct config *config)
{
	bool	 has_stamp = config_has_role(config, ROLE_STAMP);
	bool	 has_seal = config_has_role(config, ROLE_SEAL);

	if (has_stamp && !has_seal)
		config_check_warn(config, 0, "there is a listener of role "
		    "stamp and none of role seal: mail would be stamped, and "
		    "neither signed nor encrypted");
	if (has_seal && !has_stamp)
		config_check_warn(config, 0, "there is a listener of role "
		    "seal and none of role stamp: no mail would be signed");
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

/* --- limits ----------------------------------------------------------- */

static void
check_spool(struct config *config)
{
	if (config->spool_disk / 2 < config->max_message_size)
		config_check_warn(config, 0, "spool-disk has no room for a "
		    "mail of max-message-size, which takes twice as much "
		    "when it is encrypted");
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
	check_passes(config);
	check_authorize(config);
	check_ciphers(config);
	check_spool(config);
	return check_recipients(config, err);
}
