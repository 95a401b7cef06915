/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_JOURNEY_H
#define MILTER_JOURNEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "milter/edits.h"
#include "milter/find_cache.h"
#include "milter/mail.h"
#include "milter/stamp.h"
#include "policy/config.h"
#include "policy/decide.h"
#include "smime/canon.h"
#include "smime/detect.h"
#include "store/custody.h"
#include "store/event.h"

/*
 * One mail's way through policy, store and transformation; the only file that
 * knows all three.  The daemon and smimectl (explain, seal) both walk it.
 *
 *	match	which rules concern it
 *	gather	what certificates there are for it
 *	decide	what is to be done
 *	transform	do it: edits for the MTA
 */
struct journey_recipient {
	char		 addr[ADDR_MAX];	/* normalised where it can be */
	struct finding	*finding;		/* NULL: was not asked */
	struct err	 lookup;		/* why it could not be asked */
};

/* All that was found out on the way; what explain prints. */
struct journey {
	enum role		 role;
	char			 from[ADDR_MAX];	/* "" if there is no one author */
	struct err		 from_problem;		/* then why */
	size_t			 n_authors;		/* mailboxes that From could mean */
	char			 sender[ADDR_MAX];	/* envelope; "" if null */
	struct journey_recipient *recipients;
	size_t			 n_recipients;
	struct journey_recipient *also;			/* also-encrypt-to */
	size_t			 n_also;
	struct detected		 detected;
	struct wishes		 wishes;		/* seal: the stamp's */
	bool			 has_stamp;		/* a good one; or got it */
	bool			 was_encryptable;	/* as it says */
	bool			 is_authorised;
	struct err		 unauthorised;		/* why not */
	struct rule		 rule;
	bool			 has_rule;
	struct finding		*sender_finding;	/* NULL: was not asked */
	struct err		 sender_lookup;
	struct decision		 decision;
	enum canon_how		 how;			/* if something was signed */
	enum cipher		 cipher;		/* if something was encrypted */
	struct edits		 edits;
};

struct journey_request {
	const struct config	*config;
	enum role		 role;
	struct custody		*custody;
	struct find_cache	*found;		/* of earlier mails; or NULL */
	const struct stamper	*stamper;	/* for stamp and seal */
	struct mail		*mail;
	int64_t			 now;
	bool			 is_dry;	/* stop at the decision */
};

/*
 * Walk it to the end.  There is always a decision, and edits that carry it
 * out; before anything is earned they say tempfail.  Edits borrow from the
 * mail.  Pass a zeroed journey; journey_clear() frees its contents.
 */
void	journey_run(const struct journey_request *, struct journey *);
void	journey_clear(struct journey *);

/* Is there a certificate to encrypt to it? */
bool	journey_is_used(const struct journey_recipient *);

/* Did the first of two passes leave what it decided to the second? */
bool	journey_is_stamped(const struct journey *);

/* The log line's key=value part (smime-milter(8), LOG); the caller's. */
char	*journey_log_line(const struct journey *, size_t n_recipients,
	    int64_t ms);

/*
 * The same as an event (store/event.h), with all recipients that there is
 * room for.  The caller's: event_free().
 */
void	journey_event(const struct journey *, const struct mail *,
	    struct event *);

#endif
