/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICY_DECIDE_H
#define POLICY_DECIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "policy/match.h"

/* What was found out about certificates for one address and one use. */
enum cert_fact {
	CERT_FACT_NOT_ASKED,	/* where it is needed after all: as UNKNOWN */
	CERT_FACT_USABLE,
	CERT_FACT_NONE,		/* there is none */
	CERT_FACT_UNUSABLE,	/* something speaks against each there is */
	CERT_FACT_UNKNOWN	/* the lookup failed: no reason to send clear */
};

struct fact_recipient {
	const char	*addr;		/* normalised */
	bool		 is_hidden;	/* neither To nor Cc shows it */
	enum cert_fact	 cert;		/* to encrypt to it */
	const char	*reason;	/* why not: "certificate expired" */
};

/* Whom the group adds to those that the mail is encrypted to. */
struct fact_also {
	const char	*addr;
	bool		 is_self;	/* the sender, who can be left out */
	enum cert_fact	 cert;
	const char	*reason;
};

/* All that was found out about one mail; borrowed strings. */
struct facts {
	bool		 is_authorised;	/* identity_check() */
	const char	*unauthorised;	/* why not; NULL if it is */
	size_t		 n_from;	/* mailboxes, over all From headers */
	const char	*from;		/* the one, normalised; or NULL */
	bool		 is_signed;	/* by media type */
	bool		 is_encrypted;	/* enveloped-data, authEnveloped-data */
	bool		 is_null_sender;
	bool		 is_login;	/* somebody authenticated */
	bool		 is_report;	/* multipart/report */
	enum role	 role;
	const char	*left_alone;	/* "encrypted with OpenPGP", or NULL */
	const char	*skip_sign;	/* the exempt type that it has, or NULL */
	const char	*skip_encrypt;
	/* Seal: its stamp says that all recipients could be encrypted to. */
	bool		 was_encryptable;

	enum cert_fact	 sender_cert;	/* to sign, with its key */
	const char	*sender_reason;
	const struct fact_recipient *recipients;	/* as in the rule */
	size_t		 n_recipients;
	const struct fact_also *also;
	size_t		 n_also;
};

enum verdict {
	VERDICT_TEMPFAIL,	/* 0: what nobody decided waits */
	VERDICT_REJECT,
	VERDICT_GO
};

/* "GO" with neither is_ set leaves the mail untouched. */
/* What kept a mail from being all that it might have been; for counting. */
enum why {
	WHY_NOTHING,		/* all that was wanted was done */
	WHY_SENDER,		/* who is sending is not known, or may not */
	WHY_SENDER_CERT,	/* there is none to sign with */
	WHY_RECIPIENT_CERT,	/* there is none to encrypt to */
	WHY_HIDDEN,		/* hidden recipients */
	WHY_ALREADY,		/* signed or encrypted before */
	WHY_EXEMPT,		/* a report, a null sender, a type left alone */
	WHY_RULES,		/* a contradiction, or a wish that cannot be */
	WHY_LOOKUP,		/* the store did not answer */
	WHY_LIMIT,		/* larger, or more, than is allowed */
	WHY_FAILURE,		/* anything else */
	WHY_DISABLED,
	N_WHY
};
const char *decide_why_name(enum why);	/* "recipient_certificate" */

struct decision {
	enum verdict	 verdict;
	enum why	 why;
	bool		 do_sign;
	bool		 do_encrypt;
	char		 reason[400];	/* for the log and explain; or "" */
	enum limit	 limit;		/* that was reached, or LIMIT_NONE */
	int		 code;		/* SMTP: 451, 550; 0 with VERDICT_GO */
	char		 enhanced[8];	/* RFC 3463: "5.7.5" */
	/*
	 * One sentence in printable ASCII.  libmilter wants "%" doubled; that
	 * is left to whoever calls it.
	 */
	char		 reply[400];
};

/* "sign", "encrypt", "sign+encrypt", "none", "reject", "tempfail" */
const char *decide_action_name(const struct decision *);

/*
 * What still has to be looked up, facts being complete but for certificates.
 * The decision does not depend on any fact that these do not ask for.
 */
bool	decide_needs_sender(const struct rule *, const struct facts *);
bool	decide_needs_recipient(const struct rule *, const struct facts *,
	    size_t i);

/* Once all the others are known. */
bool	decide_needs_also(const struct rule *, const struct facts *);

/* Pure: no clock, no files, no log. */
void	decide(const struct rule *, const struct facts *, struct decision *);

/*
 * What becomes of a mail whose handling failed with this kind and reason.
 * rule NULL: it failed before the group was known.  on-error = accept gives
 * VERDICT_GO, untouched, only where nothing is required and no lookup failed.
 */
void	decide_on_error(const struct rule *, const struct facts *,
	    const struct err *, struct decision *);

#endif
