/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "milter/journey.h"

static void
add_safe(struct buf *line, const char *before, const char *text, size_t max,
    const char *after)
{
	char	*safe = text_safe(text, strlen(text), max);

	buf_addf(line, "%s%s%s", before, safe, after);
	free(safe);
}

/* Of a copy that was made for one recipient. */
static void
add_recipient(const struct journey *j, struct buf *line)
{
	if (j->role == ROLE_SEAL && j->n_recipients == 1)
		add_safe(line, " to=<", j->recipients[0].addr, 256, ">");
}

/* " also=<a@example.org>,<b@example.org>" */
static void
add_also(const struct journey *j, struct buf *line)
{
	size_t	 n = 0;

	for (size_t i = 0; i < j->n_also; i++)
		if (journey_is_used(&j->also[i]))
			buf_addf(line, "%s<%s>", n++ == 0 ? " also=" : ",",
			    j->also[i].addr);
}

static void
add_done(const struct journey *j, struct buf *line, int64_t ms)
{
	char	 fp[TEXT_FP_LEN];

	if (j->decision.verdict != VERDICT_GO)
		return;
	if (j->role != ROLE_STAMP && j->decision.do_sign) {
		text_fp(&j->sender_finding->candidates[0].fp, fp);
		buf_addf(line, " cert=%.8s", fp);
	}
	if (j->role != ROLE_STAMP && j->decision.do_encrypt) {
		buf_addf(line, " cipher=%s", alg_cipher_name(j->cipher));
		add_also(j, line);
	}
	buf_addf(line, " ms=%lld", (long long)ms);
}

bool
journey_is_stamped(const struct journey *j)
{
	return j->role == ROLE_STAMP && j->decision.verdict == VERDICT_GO &&
	    j->has_stamp;
}

static const char *
action_name(const struct journey *j)
{
	return journey_is_stamped(j) ? "stamp" :
	    decide_action_name(&j->decision);
}

char *
journey_log_line(const struct journey *j, size_t n_recipients, int64_t ms)
{
	struct buf	 line = { 0 };

	buf_addf(&line, "action=%s group=%s", action_name(j),
	    j->has_rule ? j->rule.group->name : "-");
	add_safe(&line, " from=<", j->from[0] != '\0' ? j->from : j->sender,
	    256, ">");
	buf_addf(&line, " nrcpt=%zu", n_recipients);
	add_recipient(j, &line);
	add_done(j, &line, ms);
	if (j->decision.reason[0] != '\0')
		add_safe(&line, " reason=\"", j->decision.reason, 600, "\"");
	return buf_take_str(&line);
}

void
journey_event(const struct journey *j, const struct mail *mail,
    struct event *event)
{
	const struct decision	*d = &j->decision;
	bool			 is_done = d->verdict == VERDICT_GO &&
	    j->role != ROLE_STAMP;
	char			 fp[TEXT_FP_LEN];

	*event = (struct event){ .kind = EVENT_MAIL,
	    .is_failed = d->verdict != VERDICT_GO,
	    .n_recipients = (uint32_t)mail->n_recipients };
	event_set(event, EVENT_QUEUE_ID, mail->queue_id);
	event_set(event, EVENT_ACTION, action_name(j));
	event_set(event, EVENT_GROUP, j->has_rule ? j->rule.group->name :
	    NULL);
	event_set(event, EVENT_FROM, j->from[0] != '\0' ? j->from :
	    j->sender);
	event_set(event, EVENT_LOGIN, mail->login);
	for (size_t i = 0; i < mail->n_recipients; i++)
		event_add_address(event, EVENT_TO, mail->recipients[i]);
	if (is_done && d->do_sign) {
		text_fp(&j->sender_finding->candidates[0].fp, fp);
		event_set(event, EVENT_CERT, fp);
	}
	if (is_done && d->do_encrypt)
		event_set(event, EVENT_CIPHER, alg_cipher_name(j->cipher));
	event_set(event, EVENT_REASON, d->reason);
}
