/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/addr.h"
#include "base/block.h"
#include "base/mem.h"
#include "base/text.h"
#include "milter/early.h"
#include "milter/journey.h"
#include "milter/log.h"
#include "milter/mail.h"
#include "milter/session.h"
#include "milter/snapshot.h"
#include "milter/stats.h"

struct session {
	const struct filter	*filter;
	bool			 has_leadspc;
	char			*client;	/* NULL: unknown */
	bool			 is_made_up;	/* the client: there is none */
	struct mail		*mail;		/* NULL between mails */
	struct snapshot		*snapshot;	/* the mail's, from its start */
	struct journey		 journey;	/* after session_end() */
	struct timespec		 ended;		/* when the journey began */
	bool			 is_in_hand;
};

static atomic_uint	 in_hand;
static atomic_uint	 n_connections;
static atomic_uint	 n_mails;
static pthread_mutex_t	 spool_lock = PTHREAD_MUTEX_INITIALIZER;

bool
session_answers_rcpt(const struct filter *filter)
{
	struct snapshot	*snapshot = snapshot_hold();
	bool		 answers = early_is_possible(
			    snapshot_config(snapshot), filter->role);

	snapshot_release(snapshot);
	return answers;
}

struct session *
session_new(const struct filter *filter, bool has_leadspc)
{
	struct session	*session = mem_alloc(sizeof(*session));

	session->filter = filter;
	session->has_leadspc = has_leadspc;
	atomic_fetch_add(&n_connections, 1);
	stats_connection(1);
	return session;
}

void
session_connect(struct session *session, const char *client, unsigned port)
{
	mail_set(&session->client, client);
	session->is_made_up = port == 0 && client != NULL &&
	    strcmp(client, "127.0.0.1") == 0;
}

/*
 * For what the sendmail command hands in Postfix makes a client up that no
 * connection can have, 127.0.0.1 without a port, and leaves the brackets out
 * (cleanup_milter.c).  Brackets alone prove nothing: any SMTP client may leave
 * them out, and what postsuper -r puts back has none, but its first client.
 */
static bool
is_local(const struct session *session, const char *sender)
{
	return session->is_made_up && sender[0] != '<';
}

/* What is more than the daemon is to have open waits for another time. */
static void
check_load(struct mail *mail, const struct config *config, unsigned mails)
{
	unsigned	 connections = atomic_load(&n_connections);

	if (mail->failure.kind != ERR_NONE)
		return;
	if (connections > config->max_connections)
		err_limit(&mail->failure, ERR_TEMP, LIMIT_CONNECTIONS,
		    "%u connections are open (max-connections)", connections);
	else if (mails > config->max_mails)
		err_limit(&mail->failure, ERR_TEMP, LIMIT_MAILS,
		    "%u mails are in hand (max-mails)", mails);
}

/* Under a lock, so that who tells last tells what there is. */
static void
tell_spooled(void)
{
	pthread_mutex_lock(&spool_lock);
	stats_spooled(block_in_use(), spool_on_disk());
	pthread_mutex_unlock(&spool_lock);
}

/* To the MTA "root" is at its own domain, and "root@host" perhaps in it. */
static bool
is_completed(const char *plain, const char *meant)
{
	const size_t	 len = strlen(plain);
	const char	 added = strchr(plain, '@') == NULL ? '@' : '.';

	return len > 0 && strncasecmp(meant, plain, len) == 0 &&
	    meant[len] == added;
}

/*
 * Ways of old to write a path to another host, which MTAs still go:
 * "host!user", "user%host", "user%host@here", "user@host"@here.
 */
static bool
is_routed(const char *plain)
{
	const char	*at = strrchr(plain, '@');

	return plain[strcspn(plain, "!%")] != '\0' ||
	    (at != NULL && memchr(plain, '@', (size_t)(at - plain)) != NULL);
}

/*
 * Completed, it is handed on, to the second pass for one; all else of an
 * address stays as the client wrote it.
 */
static char *
whole_sender(const char *sender, const char *meant)
{
	char	*plain = mail_strip_brackets(sender);

	if (meant == NULL || !is_completed(plain, meant))
		return plain;
	free(plain);
	return mem_str(meant);
}

/* Whom the mail goes to has to be who must be encrypted to, or can be. */
static char *
whole_recipient(const char *recipient, const char *meant)
{
	char	*plain = mail_strip_brackets(recipient);

	if (meant == NULL || strchr(meant, '@') == NULL ||
	    (!is_completed(plain, meant) && !is_routed(plain)))
		return plain;
	free(plain);
	return mem_str(meant);
}

void
session_mail(struct session *session, const char *sender, const char *meant,
    const char *login, size_t size)
{
	const struct config	*config;
	struct spool_options	 options;

	session_abort(session);
	session->snapshot = snapshot_hold();
	config = snapshot_config(session->snapshot);
	options = (struct spool_options){ .dir = config->spool_dir,
	    .memory_max = config->spool_memory,
	    .disk_max = config->spool_disk,
	    .max = config->max_message_size };
	session->mail = mail_new(&options);
	free(session->mail->sender);
	session->mail->sender = whole_sender(sender, meant);
	if (login != NULL && login[0] != '\0')
		mail_set(&session->mail->login, login);
	mail_set(&session->mail->client,
	    is_local(session, sender) ? "local" : session->client);
	mail_expect(session->mail, size, config->max_message_size);
	check_load(session->mail, config, atomic_fetch_add(&n_mails, 1) + 1);
	stats_mail_begins();
}

/*
 * A line and an event of his own for a recipient who is refused before the mail
 * has come, and with it the From field that decides about the group where
 * there are several.
 */
static void
tell_refused(const struct session *session, const char *addr,
    const struct decision *decision)
{
	const struct config	*config = snapshot_config(session->snapshot);
	const struct mail	*mail = session->mail;
	struct event		 event = { .kind = EVENT_MAIL,
				    .is_failed = true, .n_recipients = 1 };
	const char		*action = decide_action_name(decision);
	const char		*group = config->n_groups == 0 ?
				    config->default_group.name : NULL;
	char			*from = text_safe(mail->sender,
				    strlen(mail->sender), 256);
	char			*reason = text_safe(decision->reason,
				    strlen(decision->reason), 600);

	log_line(LOG_NOTICE, "NOQUEUE: action=%s group=%s from=<%s> nrcpt=1 "
	    "reason=\"%s\"", action, group == NULL ? "-" : group, from,
	    reason);
	event_set(&event, EVENT_ACTION, action);
	event_set(&event, EVENT_GROUP, group);
	event_set(&event, EVENT_FROM, mail->sender);
	event_set(&event, EVENT_LOGIN, mail->login);
	event_add_address(&event, EVENT_TO, addr);
	event_set(&event, EVENT_REASON, decision->reason);
	custody_note(session->filter->custody, &event);
	event_free(&event);
	free(from);
	free(reason);
}

static bool
is_refused(const struct session *session, const char *addr,
    struct edits *out)
{
	struct decision	 decision;
	char		 normalised[ADDR_MAX], code[4];
	struct err	 ignored;

	if (out == NULL || !addr_normalise(addr, strlen(addr), normalised,
	    &ignored) || !early_refuses(snapshot_config(session->snapshot),
	    session->filter->role, session->filter->custody,
	    session->filter->found, session->mail, normalised,
	    (int64_t)time(NULL), &decision))
		return false;
	snprintf(code, sizeof(code), "%03u", (unsigned)decision.code % 1000);
	edits_answer(out, decision.verdict == VERDICT_REJECT ? EDITS_REJECT :
	    EDITS_TEMPFAIL, code, decision.enhanced, decision.reply);
	tell_refused(session, addr, &decision);
	return true;
}

bool
session_recipient(struct session *session, const char *addr,
    const char *meant, struct edits *out)
{
	const struct config	*config;
	char			*plain;
	bool			 is_taken;

	if (session->mail == NULL)
		return true;
	config = snapshot_config(session->snapshot);
	if (!mail_has_room(session->mail, config->max_recipients))
		return true;
	plain = whole_recipient(addr, meant);
	is_taken = !is_refused(session, plain, out);
	if (is_taken)
		mail_add_recipient(session->mail, plain);
	free(plain);
	return is_taken;
}

/*
 * Without SMFIP_HDR_LEADSPC the MTA has taken one space away, and puts one
 * before what it is given.  Inside, values always have theirs.
 */
void
session_header(struct session *session, const char *name, const char *value)
{
	char	*spaced;

	if (session->mail == NULL)
		return;
	if (session->has_leadspc) {
		mail_add_header(session->mail, name, value);
		return;
	}
	spaced = mem_strf(" %s", value);
	mail_add_header(session->mail, name, spaced);
	free(spaced);
}

void
session_body(struct session *session, const void *data, size_t len)
{
	if (session->mail == NULL ||
	    !snapshot_config(session->snapshot)->enabled)
		return;
	mail_add_body(session->mail, data, len);
	tell_spooled();
}

/* Hand the edits out, in the form in which the MTA wants values. */
static void
give_edits(struct session *session, struct edits *out)
{
	*out = session->journey.edits;
	memset(&session->journey.edits, 0, sizeof(session->journey.edits));
	for (size_t i = 0; !session->has_leadspc && i < out->n_headers; i++) {
		char	*value = out->headers[i].value;

		if (value != NULL && value[0] == ' ')
			memmove(value, value + 1, strlen(value));
	}
}

void
session_end(struct session *session, const char *queue_id, struct edits *out)
{
	if (session->mail == NULL)
		return;
	atomic_fetch_add(&in_hand, 1);
	session->is_in_hand = true;
	clock_gettime(CLOCK_MONOTONIC, &session->ended);
	mail_set(&session->mail->queue_id, queue_id);
	journey_run(&(struct journey_request){
	    .config = snapshot_config(session->snapshot),
	    .role = session->filter->role,
	    .custody = session->filter->custody,
	    .found = session->filter->found,
	    .stamper = &session->filter->stamper,
	    .mail = session->mail,
	    .now = (int64_t)time(NULL),
	}, &session->journey);
	tell_spooled();
	give_edits(session, out);
}

static int64_t
us_since(const struct timespec *start)
{
	struct timespec	 now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)(now.tv_sec - start->tv_sec) * 1000000 +
	    (now.tv_nsec - start->tv_nsec) / 1000;
}

void
session_done(struct session *session, const struct edits *edits,
    bool is_applied)
{
	struct mail	*mail = session->mail;
	struct event	 event;
	struct journey	*j = &session->journey;
	int64_t		 us;
	char		*line;

	if (mail == NULL)
		return;
	if (!is_applied) {
		j->decision.verdict = VERDICT_TEMPFAIL;
		j->decision.why = WHY_FAILURE;
		strcpy(j->decision.reason,
		    "the MTA went away or did not take the changes");
	}
	us = us_since(&session->ended);
	stats_mail(&j->decision, journey_is_stamped(j),
	    j->has_rule ? j->rule.group->name : "-", spool_len(mail->body), us);
	if (j->decision.limit != LIMIT_NONE)
		stats_limit(j->decision.limit);
	if (spool_is_file(mail->body))
		stats_limit(LIMIT_SPOOL_MEMORY);
	line = journey_log_line(j, mail->n_recipients, us / 1000);
	log_line(edits->answer == EDITS_ACCEPT && is_applied ? LOG_INFO :
	    LOG_NOTICE, "%s: %s",
	    mail->queue_id != NULL ? mail->queue_id : "NOQUEUE", line);
	free(line);
	journey_event(&session->journey, mail, &event);
	custody_note(session->filter->custody, &event);
	event_free(&event);
	session_abort(session);
}

void
session_abort(struct session *session)
{
	journey_clear(&session->journey);
	if (session->mail != NULL) {
		mail_free(session->mail);
		atomic_fetch_sub(&n_mails, 1);
		stats_mail_ends();
		tell_spooled();
	}
	session->mail = NULL;
	snapshot_release(session->snapshot);
	session->snapshot = NULL;
	if (session->is_in_hand)
		atomic_fetch_sub(&in_hand, 1);
	session->is_in_hand = false;
}

void
session_free(struct session *session)
{
	if (session == NULL)
		return;
	session_abort(session);
	atomic_fetch_sub(&n_connections, 1);
	stats_connection(-1);
	free(session->client);
	free(session);
}

unsigned
session_in_hand(void)
{
	return atomic_load(&in_hand);
}
