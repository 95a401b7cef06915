/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICY_IDENTITY_H
#define POLICY_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "policy/config.h"

/*
 * May this sender use this From address?
 *
 * login   who authenticated (SMTP AUTH), as the MTA says; NULL: nobody.
 *         Where there is one it decides alone, networks never widen it.
 * client  without a login: "192.0.2.7", "2001:db8::7", "local" for the
 *         sendmail command, or NULL where it is unknown
 * from    the only mailbox of the only From, normalised
 *
 * False: why (ERR_MESSAGE) says in words for a log and the sender what spoke
 * against it.  The filter asks before it decides, the vault before it signs.
 */
bool	identity_check(const struct config *, const char *login,
	    const char *client, const char *from, struct err *why);

/* Why the answer is yes, in words; NULL where it is no.  The caller's. */
char	*identity_grant(const struct config *, const char *login,
	    const char *client, const char *from);

/*
 * The identities file: lines of "LOGIN MEMBER ...", "net:CIDR MEMBER ..." and
 * "local MEMBER ...", members as in groups; "#" begins a comment.
 */
struct identity_table;
bool	identity_table_parse(const struct config_source *,
	    struct identity_table **out, struct err *);
void	identity_table_free(struct identity_table *);

/* "192.0.2.0/24", "2001:db8::/32", or an address by itself; strict. */
bool	identity_network_parse(const char *, struct network *, struct err *);

#endif
