/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_MAIL_H
#define MILTER_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/spool.h"
#include "smime/headers.h"
#include "smime/scan.h"


/*
 * One mail as it was received, from whatever side: the milter protocol or
 * smimectl's files.  All strings are the mail's own.
 */
struct mail {
	char			*queue_id;	/* NULL until the MTA tells */
	char			*login;		/* SMTP AUTH; NULL: none */
	char			*client;	/* address in text, or "local"; NULL: unknown */
	char			*sender;	/* envelope, without brackets; "" for the null sender */
	char			**recipients;	/* envelope, as given, without brackets */
	size_t			 n_recipients;
	struct headers		*headers;
	struct spool		*body;
	struct scan		 scan;		/* fed with the body */
	struct err		 failure;	/* the first thing that went wrong on the way in */
};

/* Empty, with a body that spools as these options say. */
struct mail	*mail_new(const struct spool_options *);
void		 mail_set(char **field, const char *value);
/* Brackets and ESMTP arguments are the caller's to strip. */
void		 mail_add_recipient(struct mail *, const char *);
/* False, remembered as a failure: it has max recipients already. */
bool		 mail_has_room(struct mail *, size_t max);
/* Bytes that MAIL FROM announces (SIZE=, RFC 1870); a failure if over max. */
void		 mail_expect(struct mail *, size_t len, size_t max);
/* These remember the first failure in the mail and do nothing after it. */
void		 mail_add_header(struct mail *, const char *name,
		    const char *value);
void		 mail_add_body(struct mail *, const void *, size_t len);
void		 mail_free(struct mail *);

/* "<a@b>" or "a@b" as a string without brackets; the caller's. */
char		*mail_strip_brackets(const char *);

#endif
