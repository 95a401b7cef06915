/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_EARLY_H
#define MILTER_EARLY_H

#include <stdbool.h>
#include <stdint.h>

#include "milter/find_cache.h"
#include "milter/mail.h"
#include "policy/config.h"
#include "policy/decide.h"
#include "store/custody.h"

/*
 * Refusing a recipient at RCPT TO: one that must be encrypted to, whoever
 * of this configuration's senders writes, and cannot be.  The From field
 * is not known yet, so a group's require counts only where every group has
 * it.  Asked only for mail that came by SMTP, from somebody who logged in;
 * all else is answered at the end of the mail.
 */

/* False: nothing in this configuration could refuse one that early. */
bool	early_is_possible(const struct config *, enum role);

/*
 * True: the recipient (from addr_normalise()) is refused, or has to be tried
 * again later, as the decision says.
 */
bool	early_refuses(const struct config *, enum role, struct custody *,
	    struct find_cache *, const struct mail *, const char *recipient,
	    int64_t now, struct decision *);

#endif
