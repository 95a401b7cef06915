/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/decide.h"

#define NAMED_MAX	5	/* addresses in one reason */

/* What was decided about signing, or about encryption. */
struct part {
	enum verdict	 verdict;
	bool		 is_done;	/* sign it, or encrypt it */
	const char	*enhanced;	/* RFC 3463, without its class */
	const char	*told;		/* instead of the reason, if not NULL */
	enum why	 why;
	char		 reason[400];
};

const char *
decide_action_name(const struct decision *d)
{
	if (d->verdict == VERDICT_REJECT)
		return "reject";
	if (d->verdict == VERDICT_TEMPFAIL)
		return "tempfail";
	if (d->do_sign)
		return d->do_encrypt ? "sign+encrypt" : "sign";
	return d->do_encrypt ? "encrypt" : "none";
}

const char *
decide_why_name(enum why why)
{
	static const char *const	 names[N_WHY] = {
		[WHY_NOTHING] = "none",
		[WHY_SENDER] = "sender",
		[WHY_SENDER_CERT] = "sender_certificate",
		[WHY_RECIPIENT_CERT] = "recipient_certificate",
		[WHY_HIDDEN] = "hidden_recipient",
		[WHY_ALREADY] = "already",
		[WHY_EXEMPT] = "exempt",
		[WHY_RULES] = "rules",
		[WHY_LOOKUP] = "lookup",
		[WHY_LIMIT] = "limit",
		[WHY_FAILURE] = "failure",
		[WHY_DISABLED] = "disabled",
	};

	return names[why];
}

/* --- reasons ---------------------------------------------------------- */

static void append(char *, size_t, const char *, ...)
    __attribute__((format(printf, 3, 4)));

static void
append(char *text, size_t size, const char *fmt, ...)
{
	size_t	 len = strlen(text);
	va_list	 ap;

	va_start(ap, fmt);
	vsnprintf(text + len, size - len, fmt, ap);
	va_end(ap);
}

#define ADD(part, ...) \
	append((part)->reason, sizeof((part)->reason), __VA_ARGS__)

static const char *
cert_reason(enum cert_fact fact, const char *reason)
{
	if (reason != NULL && reason[0] != '\0')
		return reason;
	switch (fact) {
	case CERT_FACT_NONE:
		return "no certificate";
	case CERT_FACT_UNUSABLE:
		return "no usable certificate";
	case CERT_FACT_USABLE:
		return "usable";
	case CERT_FACT_UNKNOWN:
	case CERT_FACT_NOT_ASKED:
		break;
	}
	return "its certificates could not be looked up";
}

/* Printable ASCII: a reply is a line of SMTP (RFC 5321, section 4.2). */
static void
make_reply(struct decision *d, const char *reason)
{
	snprintf(d->reply, sizeof(d->reply), "%s", reason);
	for (char *p = d->reply; *p != '\0'; p++)
		if (*p < ' ' || *p >= 0x7f)
			*p = '?';
}

static void
finish(struct decision *d, enum verdict verdict, const char *enhanced,
    const char *reason, const char *reply)
{
	d->verdict = verdict;
	d->do_sign = d->do_encrypt = false;
	snprintf(d->reason, sizeof(d->reason), "%s", reason);
	d->code = verdict == VERDICT_REJECT ? 550 : 451;
	snprintf(d->enhanced, sizeof(d->enhanced), "%c.%s",
	    verdict == VERDICT_REJECT ? '5' : '4', enhanced);
	make_reply(d, reply);
}

static void
reject(struct part *part, const char *enhanced)
{
	part->verdict = VERDICT_REJECT;
	part->enhanced = enhanced;
}

static void
wait_for(struct part *part, const char *told)
{
	part->verdict = VERDICT_TEMPFAIL;
	part->enhanced = "3.0";
	part->told = told;
	part->why = WHY_LOOKUP;
}

static void
wait_for_lookup(struct part *part)
{
	wait_for(part, "certificates cannot be looked up at the moment");
}

/* --- who is sending --------------------------------------------------- */

/* Why nothing can be done in this sender's name, or NULL. */
static const char *
unable(const struct facts *facts)
{
	if (facts->n_from == 0)
		return facts->unauthorised != NULL ? facts->unauthorised :
		    "the mail has no From address";
	if (facts->n_from > 1)
		return "the mail has several From addresses";
	if (!facts->is_authorised)
		return facts->unauthorised != NULL ? facts->unauthorised :
		    "the sender is not authorised";
	return NULL;
}

/* A bounce from this host's own MTA; only an unauthenticated one. */
static bool
is_exempt(const struct facts *facts)
{
	return facts->is_null_sender && !facts->is_login && facts->is_report;
}

/* --- signing ---------------------------------------------------------- */

/* True where certificates have no say. */
static bool
settle_sign(const struct rule *rule, const struct facts *facts,
    struct part *part)
{
	const char	*why = unable(facts);

	*part = (struct part){ .verdict = VERDICT_GO };
	if (rule->sign == WANT_NEVER)
		return true;
	if (facts->is_signed) {
		part->why = WHY_ALREADY;
		ADD(part, "signed already");
		return true;
	}
	part->why = WHY_SENDER;
	if (facts->is_encrypted) {
		part->why = WHY_ALREADY;
		why = "the mail is encrypted already, so that it cannot be "
		    "told whether it is signed";
	}
	if (why != NULL) {
		ADD(part, "not signed: %s", why);
		if (rule->sign == WANT_REQUIRE) {
			reject(part, "7.1");
			ADD(part, " (%s requires it)", rule->sign_by);
		}
		return true;
	}
	part->why = WHY_EXEMPT;
	if (rule->sign == WANT_PREFER && facts->is_null_sender) {
		ADD(part, "not signed: null sender");
		return true;
	}
	if (rule->sign == WANT_PREFER && facts->left_alone != NULL) {
		ADD(part, "not signed: it is %s", facts->left_alone);
		return true;
	}
	if (rule->sign == WANT_PREFER && facts->skip_sign != NULL) {
		ADD(part, "not signed: %s (skip-sign)", facts->skip_sign);
		return true;
	}
	part->why = WHY_NOTHING;
	return false;
}

static void
decide_sign(const struct rule *rule, const struct facts *facts,
    struct part *part)
{
	const char	*why;

	if (settle_sign(rule, facts, part))
		return;
	why = cert_reason(facts->sender_cert, facts->sender_reason);
	switch (facts->sender_cert) {
	case CERT_FACT_USABLE:
		part->is_done = true;
		return;
	case CERT_FACT_NONE:
	case CERT_FACT_UNUSABLE:
		part->why = WHY_SENDER_CERT;
		ADD(part, "%s %s: %s", rule->sign == WANT_REQUIRE ?
		    "sign as" : "not signed as", facts->from, why);
		if (rule->sign == WANT_REQUIRE) {
			reject(part, "7.5");
			ADD(part, " (%s requires it)", rule->sign_by);
		}
		return;
	case CERT_FACT_UNKNOWN:
	case CERT_FACT_NOT_ASKED:
		break;
	}
	wait_for_lookup(part);
	ADD(part, "sign as %s: %s", facts->from, why);
}

/* --- encryption ------------------------------------------------------- */

struct count {
	size_t		 require, prefer, never;	/* wants */
	size_t		 usable, missing, unknown;	/* of what is wanted */
	const char	*require_by;
	bool		 has_hidden;	/* and others, who would see it */
	bool		 is_one_copy;
};

static bool
is_missing(enum cert_fact fact)
{
	return fact == CERT_FACT_NONE || fact == CERT_FACT_UNUSABLE;
}

static void
count_recipient(struct count *n, const struct rule_recipient *r,
    const struct fact_recipient *f)
{
	switch (r->encrypt) {
	case WANT_NEVER:
		n->never++;
		return;
	case WANT_REQUIRE:
		if (n->require++ == 0)
			n->require_by = r->encrypt_by;
		if (n->is_one_copy)
			break;
		n->usable++;	/* or refused, by the second pass */
		return;
	case WANT_PREFER:
		n->prefer++;
		break;
	}
	if (f->cert == CERT_FACT_USABLE)
		n->usable++;
	else if (is_missing(f->cert))
		n->missing++;
	else
		n->unknown++;
}

static struct count
count_recipients(const struct rule *rule, const struct facts *facts)
{
	struct count	 n = { .is_one_copy = facts->role != ROLE_STAMP };
	bool		 is_shared = false, has_hidden = false;

	for (size_t i = 0; i < facts->n_recipients; i++) {
		const struct fact_recipient	*f = &facts->recipients[i];

		count_recipient(&n, &rule->recipients[i], f);
		has_hidden |= f->is_hidden;
		is_shared |= strcmp(f->addr, facts->recipients[0].addr) != 0;
	}
	n.has_hidden = n.is_one_copy && is_shared && has_hidden;
	return n;
}

/* True where certificates have no say. */
static bool
settle_encrypt(const struct rule *rule, const struct facts *facts,
    struct part *part)
{
	struct count	 n = count_recipients(rule, facts);
	const char	*why = unable(facts);

	*part = (struct part){ .verdict = VERDICT_GO };
	if (n.require + n.prefer == 0)
		return true;
	if (facts->is_encrypted) {
		part->why = WHY_ALREADY;
		ADD(part, "encrypted already");
		return true;
	}
	if (why != NULL) {
		part->why = WHY_SENDER;
		ADD(part, "not encrypted: %s", why);
		if (n.require > 0) {
			reject(part, "7.1");
			ADD(part, " (%s requires it)", n.require_by);
		}
		return true;
	}
	if (n.require > 0)
		return false;
	if (facts->is_null_sender) {
		part->why = WHY_EXEMPT;
		ADD(part, "not encrypted: null sender");
		return true;
	}
	if (facts->left_alone != NULL) {
		ADD(part, "not encrypted: it is %s", facts->left_alone);
		return true;
	}
	if (facts->skip_encrypt != NULL) {
		part->why = WHY_EXEMPT;
		ADD(part, "not encrypted: %s (skip-encrypt)",
		    facts->skip_encrypt);
		return true;
	}
	/* One copy that goes out in clear whoever has a certificate. */
	if (n.is_one_copy && rule->options.mixed == OTHERWISE_PLAIN) {
		if (n.never > 0) {
			part->why = WHY_RULES;
			ADD(part, "not encrypted: not wanted for all");
			return true;
		}
		if (n.has_hidden && rule->options.hidden == OTHERWISE_PLAIN) {
			part->why = WHY_HIDDEN;
			ADD(part, "not encrypted: hidden recipient");
			return true;
		}
	}
	return false;
}

/*
 * Does anything depend on this recipient's certificates?  In the first of two
 * passes not if encryption is required: an alias has none, and those it
 * stands for, whom the second pass sees, may.
 */
static bool
depends_on(const struct rule *rule, const struct facts *facts, size_t i)
{
	enum want	 want = rule->recipients[i].encrypt;

	return want == WANT_PREFER ||
	    (want == WANT_REQUIRE && facts->role != ROLE_STAMP);
}

/* Every address that is (or is not) missing its certificate, and why. */
static void
name_recipients(struct part *part, const struct rule *rule,
    const struct facts *facts, bool want_missing)
{
	size_t	 n = 0;

	for (size_t i = 0; i < facts->n_recipients; i++) {
		const struct fact_recipient	*f = &facts->recipients[i];

		if (!depends_on(rule, facts, i) ||
		    f->cert == CERT_FACT_USABLE ||
		    is_missing(f->cert) != want_missing)
			continue;
		if (++n <= NAMED_MAX)
			ADD(part, "%s%s: %s", n == 1 ? " " : "; ", f->addr,
			    cert_reason(f->cert, f->reason));
	}
	if (n > NAMED_MAX)
		ADD(part, "; and %zu more", n - NAMED_MAX);
}

/* mixed or hidden decides; the reason is there already. */
static void
apply_otherwise(struct part *part, enum otherwise otherwise,
    const char *enhanced)
{
	switch (otherwise) {
	case OTHERWISE_PLAIN:
		return;
	case OTHERWISE_REJECT:
		reject(part, enhanced);
		return;
	case OTHERWISE_TEMPFAIL:
		break;
	}
	part->verdict = VERDICT_TEMPFAIL;
	part->enhanced = enhanced;
}

static void
decide_encrypt(const struct rule *rule, const struct facts *facts,
    struct part *part)
{
	const struct options	*options = &rule->options;
	struct count		 n = count_recipients(rule, facts);
	bool			 was_mixed;

	if (settle_encrypt(rule, facts, part))
		return;
	if (n.is_one_copy && n.require > 0 && n.missing + n.never > 0) {
		part->why = WHY_RECIPIENT_CERT;
		ADD(part, "encrypt to");
		name_recipients(part, rule, facts, true);
		ADD(part, " (%s requires it)", n.require_by);
		reject(part, "7.5");
		return;
	}
	if (n.unknown > 0) {
		ADD(part, "encrypt to");
		name_recipients(part, rule, facts, false);
		wait_for_lookup(part);
		return;
	}
	if (n.has_hidden && n.require > 0) {
		part->why = WHY_HIDDEN;
		ADD(part, "not encrypted: hidden recipient (%s requires it)",
		    n.require_by);
		reject(part, "7.1");
		return;
	}
	/* Seal sees one recipient; the stamp tells what the others had. */
	was_mixed = facts->role == ROLE_SEAL && facts->was_encryptable;
	if (n.missing + n.never > 0) {
		part->why = n.missing > 0 ? WHY_RECIPIENT_CERT : WHY_RULES;
		ADD(part, n.usable > 0 && !n.is_one_copy ?
		    "not encrypted to" : "not encrypted:");
		if (n.missing > 0)
			name_recipients(part, rule, facts, true);
		else
			ADD(part, " not wanted for all");
		if (n.usable > 0 || was_mixed)
			apply_otherwise(part, options->mixed, "7.5");
		part->is_done = part->verdict == VERDICT_GO &&
		    n.usable > 0 && !n.is_one_copy;
		return;
	}
	if (n.has_hidden) {
		part->why = WHY_HIDDEN;
		ADD(part, "not encrypted: hidden recipient");
		apply_otherwise(part, options->hidden, "7.1");
		return;
	}
	part->is_done = true;
}

/*
 * An archive that cannot read its copy is the administrator's to mend, so
 * the mail waits: it goes neither in clear nor past the archive.  A sender
 * without certificate does without his own copy.
 */
static void
decide_also(const struct facts *facts, struct part *part)
{
	for (size_t i = 0; part->is_done && i < facts->n_also; i++) {
		const struct fact_also	*a = &facts->also[i];

		if (a->cert == CERT_FACT_USABLE)
			continue;
		if (part->reason[0] != '\0')
			ADD(part, "; ");
		if (a->is_self && is_missing(a->cert)) {
			ADD(part, "not encrypted to the sender: %s",
			    cert_reason(a->cert, a->reason));
			continue;
		}
		ADD(part, "also-encrypt-to %s: %s", a->addr,
		    cert_reason(a->cert, a->reason));
		part->is_done = false;
		wait_for(part, "the mail cannot be encrypted at the moment");
		part->why = WHY_RECIPIENT_CERT;
	}
}

/* --- the whole -------------------------------------------------------- */

bool
decide_needs_sender(const struct rule *rule, const struct facts *facts)
{
	struct part	 part;

	return !is_exempt(facts) && rule->refusal == NULL &&
	    !settle_sign(rule, facts, &part);
}

bool
decide_needs_recipient(const struct rule *rule, const struct facts *facts,
    size_t i)
{
	struct part	 part;

	return !is_exempt(facts) && rule->refusal == NULL &&
	    depends_on(rule, facts, i) &&
	    !settle_encrypt(rule, facts, &part);
}

bool
decide_needs_also(const struct rule *rule, const struct facts *facts)
{
	struct part	 part;

	if (is_exempt(facts) || rule->refusal != NULL ||
	    facts->role == ROLE_STAMP)
		return false;
	decide_encrypt(rule, facts, &part);
	return part.is_done;
}

static bool
stops(const struct part *part, enum verdict verdict, struct decision *d)
{
	if (part->verdict != verdict)
		return false;
	finish(d, verdict, part->enhanced, part->reason, part->told != NULL ?
	    part->told : part->reason);
	d->why = part->why;
	return true;
}

void
decide(const struct rule *rule, const struct facts *facts, struct decision *d)
{
	struct part	 sign, encrypt;

	*d = (struct decision){ .verdict = VERDICT_TEMPFAIL };
	if (is_exempt(facts)) {
		d->verdict = VERDICT_GO;
		d->why = WHY_EXEMPT;
		snprintf(d->reason, sizeof(d->reason), "a report");
		return;
	}
	if (rule->refusal != NULL) {
		finish(d, VERDICT_REJECT, "7.1", rule->refusal, rule->refusal);
		d->why = WHY_RULES;
		return;
	}
	decide_sign(rule, facts, &sign);
	decide_encrypt(rule, facts, &encrypt);
	if (facts->role != ROLE_STAMP)
		decide_also(facts, &encrypt);
	/* What can never be is told at once, whatever else has to wait. */
	if (stops(&sign, VERDICT_REJECT, d) ||
	    stops(&encrypt, VERDICT_REJECT, d) ||
	    stops(&sign, VERDICT_TEMPFAIL, d) ||
	    stops(&encrypt, VERDICT_TEMPFAIL, d))
		return;
	d->verdict = VERDICT_GO;
	d->do_sign = sign.is_done;
	d->do_encrypt = encrypt.is_done;
	d->why = sign.why != WHY_NOTHING ? sign.why : encrypt.why;
	append(d->reason, sizeof(d->reason), "%s%s%s", sign.reason,
	    sign.reason[0] != '\0' && encrypt.reason[0] != '\0' ? "; " : "",
	    encrypt.reason);
	if (rule->note != NULL)
		append(d->reason, sizeof(d->reason), "%s%s",
		    d->reason[0] != '\0' ? "; " : "", rule->note);
}

/* May a mail leave as it came after its handling failed? */
static bool
may_accept(const struct rule *rule, const struct facts *facts)
{
	if (rule == NULL || facts == NULL || rule->refusal != NULL ||
	    rule->options.on_error != ON_ERROR_ACCEPT ||
	    rule->sign == WANT_REQUIRE)
		return false;
	for (size_t i = 0; i < rule->n_recipients; i++)
		if (rule->recipients[i].sign == WANT_REQUIRE ||
		    rule->recipients[i].encrypt == WANT_REQUIRE)
			return false;
	if (facts->sender_cert == CERT_FACT_UNKNOWN)
		return false;
	for (size_t i = 0; i < facts->n_recipients; i++)
		if (facts->recipients[i].cert == CERT_FACT_UNKNOWN)
			return false;
	for (size_t i = 0; i < facts->n_also; i++)
		if (facts->also[i].cert == CERT_FACT_UNKNOWN)
			return false;
	return true;
}

void
decide_on_error(const struct rule *rule, const struct facts *facts,
    const struct err *err, struct decision *d)
{
	bool	 is_for_good = err->kind == ERR_MESSAGE;

	*d = (struct decision){ .verdict = VERDICT_TEMPFAIL,
	    .why = WHY_FAILURE, .limit = err->limit };
	if (may_accept(rule, facts)) {
		d->verdict = VERDICT_GO;
		append(d->reason, sizeof(d->reason), "on-error = accept: %s",
		    err->reason);
		return;
	}
	/* Another try would find the same mail. */
	if (is_for_good) {
		if (err->limit != LIMIT_NONE)
			d->why = WHY_LIMIT;
		finish(d, VERDICT_REJECT, "6.0", err->reason, err->reason);
		return;
	}
	finish(d, rule != NULL && rule->options.on_error == ON_ERROR_REJECT ?
	    VERDICT_REJECT : VERDICT_TEMPFAIL, "3.0", err->reason,
	    "the mail cannot be signed or encrypted at the moment");
}
