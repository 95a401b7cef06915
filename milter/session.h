/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_SESSION_H
#define MILTER_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "milter/edits.h"
#include "milter/find_cache.h"
#include "milter/stamp.h"
#include "policy/config.h"
#include "store/custody.h"

/* What all connections of a filter process share. */
struct filter {
	enum role	 role;
	struct custody	*custody;
	struct find_cache *found;	/* what certificates mails asked for */
	struct stamper	 stamper;	/* for stamp and seal */
};

/*
 * One connection of the MTA and the mail that is coming in over it.  One
 * thread at a time has it, though not always the same one.  Failures on the
 * way in are remembered and answered at the mail's end, because the steps
 * before it are not answered at all, for speed; RCPT TO is, where the
 * configuration may have a recipient refused early.
 */
struct session;

/* Might a recipient of a mail that comes now be refused at RCPT TO? */
bool	session_answers_rcpt(const struct filter *);

/*
 * has_leadspc: the MTA hands over header values with their leading space,
 * and wants them so (SMFIP_HDR_LEADSPC).
 */
struct session	*session_new(const struct filter *, bool has_leadspc);
/* Address of the client as text; NULL: unknown.  Port 0: it has none. */
void	session_connect(struct session *, const char *client, unsigned port);

/*
 * A new mail begins; whatever was in hand before is dropped.  sender as the
 * MTA gives it: in brackets over SMTP, without them from the sendmail
 * command.  meant, NULL if it does not tell: who that is to the MTA, which
 * completes an address without domain.  Both are copied now, and so is login:
 * the MTA's macros may belong to another mail later.  size: bytes announced, 0
 * if none were.
 */
void	session_mail(struct session *, const char *sender, const char *meant,
	    const char *login, size_t size);
/*
 * meant as above: the MTA delivers "host!user" to user@host.  False: it is
 * refused, or to be tried again, with the answer in *out, and is none of the
 * mail's recipients.  NULL: the MTA does not wait for an answer.
 */
bool	session_recipient(struct session *, const char *, const char *meant,
	    struct edits *out);
void	session_header(struct session *, const char *name, const char *value);
void	session_body(struct session *, const void *, size_t len);

/*
 * The mail is complete: decide and transform.  *out is zeroed by the caller
 * and cleared by it; its body borrows from the mail, which is there until
 * session_done().  Values have the leading space if the MTA wants it.
 */
void	session_end(struct session *, const char *queue_id, struct edits *out);
/*
 * What became of it: writes the mail's log line.  is_applied: the MTA took the
 * edits.
 */
void	session_done(struct session *, const struct edits *, bool is_applied);

void	session_abort(struct session *);	/* no mail is in hand after it */
void	session_free(struct session *);

/* Mails between session_end() and session_done(), in the whole process. */
unsigned session_in_hand(void);

#endif
