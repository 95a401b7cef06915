/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICY_MATCH_H
#define POLICY_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/config.h"
#include "policy/override.h"

/* The envelope, all addresses normalised; borrowed. */
struct match_input {
	const char *const	*from;		/* of all From headers */
	size_t			 n_from;
	const char		*sender;	/* MAIL FROM; "" if null */
	const char *const	*recipients;	/* RCPT TO */
	size_t			 n_recipients;
	enum role		 role;
	/*
	 * NULL unless identity_check() said yes: nobody else's wishes count.
	 */
	const struct wishes	*wishes;
};

/* What the rules want for one recipient, and which rule wants it. */
struct rule_recipient {
	const struct config_recipients *section;	/* NULL: none */
	enum want		 sign;
	enum want		 encrypt;
	const char		*sign_by;	/* "group support", ... */
	const char		*encrypt_by;
};

/*
 * All that the configuration says about one mail: group, recipients sections
 * and wishes made one (smime-milter.conf(5), "Order of rules").
 */
struct rule {
	const struct config_group *group;	/* the default if none fits */
	struct options		 options;	/* forms: what all can read */
	enum want		 sign;		/* of the whole mail */
	const char		*sign_by;	/* "recipients lists" */
	struct rule_recipient	*recipients;	/* as in match_input */
	size_t			 n_recipients;
	char			*refusal;	/* NULL: the rules agree */
	char			*note;		/* a wish not obeyed, or NULL */
};

/*
 * Never fails.  The group is that of the From address.  Where that is not one
 * mailbox, all of them and the envelope sender count, and the strictest wins.
 * The rule borrows from the configuration.
 */
void	match(const struct config *, const struct match_input *,
	    struct rule *out);
void	match_free(struct rule *);	/* its contents */

#endif
