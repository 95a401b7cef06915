/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/decide.h"
#include "tests/lib/test.h"

#define N_RECIPIENTS	2

/* Everything that a decision rests on, in numbers that can be counted up. */
struct mail {
	enum want	 sign;
	enum want	 encrypt[N_RECIPIENTS];
	enum otherwise	 mixed, hidden;
	enum role	 role;
	enum { SENDER_GOOD, SENDER_UNAUTHORISED, FROM_NONE, FROM_TWO,
	    N_SENDERS }	 sender;
	enum { FULL_SENDER, NULL_LOGIN, NULL_REPORT, N_ENVELOPES } envelope;
	enum { MAIL_PLAIN, MAIL_SIGNED, MAIL_ENCRYPTED, N_KINDS } kind;
	enum cert_fact	 cert;
	enum cert_fact	 certs[N_RECIPIENTS];
	bool		 has_hidden;
	bool		 was_encryptable;
	bool		 is_exempt_type;	/* of skip-sign, skip-encrypt */
	enum { ALSO_NONE, ALSO_ARCHIVE, ALSO_SELF, N_ALSO } also;
	enum cert_fact	 also_cert;
};

enum outcome { GO_NO, GO_YES, REFUSE, WAIT };

/* A mail as decide() takes it. */
struct setup {
	struct config_group	 group;
	struct rule_recipient	 rules[N_RECIPIENTS];
	struct rule		 rule;
	struct fact_recipient	 recipients[N_RECIPIENTS];
	struct fact_also	 also;
	struct facts		 facts;
};

static void
set_up(const struct mail *m, struct setup *s)
{
	static const char *const	 addrs[] = {
		"b@example.net", "c@example.net" };

	*s = (struct setup){ 0 };
	s->group.name = s->group.label = (char *)"default";
	s->rule = (struct rule){ .group = &s->group, .sign = m->sign,
	    .sign_by = "default", .recipients = s->rules,
	    .n_recipients = N_RECIPIENTS };
	s->rule.options.mixed = m->mixed;
	s->rule.options.hidden = m->hidden;
	s->facts = (struct facts){
		.is_authorised = m->sender != SENDER_UNAUTHORISED,
		.n_from = m->sender == FROM_NONE ? 0 :
		    m->sender == FROM_TWO ? 2 : 1,
		.from = "a@example.org",
		.is_signed = m->kind == MAIL_SIGNED,
		.is_encrypted = m->kind == MAIL_ENCRYPTED,
		.is_null_sender = m->envelope != FULL_SENDER,
		.is_login = m->envelope != NULL_REPORT,
		.is_report = m->envelope == NULL_REPORT,
		.role = m->role, .was_encryptable = m->was_encryptable,
		.sender_cert = m->cert, .recipients = s->recipients,
		.n_recipients = N_RECIPIENTS,
		.skip_sign = m->is_exempt_type ? "text/calendar" : NULL,
		.skip_encrypt = m->is_exempt_type ? "text/calendar" : NULL,
		.also = &s->also, .n_also = m->also != ALSO_NONE };
	s->also = (struct fact_also){ m->also == ALSO_SELF ?
	    "a@example.org" : "archive@example.org", m->also == ALSO_SELF,
	    m->also_cert, NULL };
	for (size_t i = 0; i < N_RECIPIENTS; i++) {
		s->rules[i] = (struct rule_recipient){ NULL, m->sign,
		    m->encrypt[i], "default", "default" };
		s->recipients[i] = (struct fact_recipient){ addrs[i],
		    m->has_hidden && i == 1, m->certs[i], NULL };
	}
}

/* --- a small model, from the words of smime-milter.conf(5) ------------ */

static enum outcome
unless_required(bool is_required)
{
	return is_required ? REFUSE : GO_NO;
}

static enum outcome
otherwise(enum otherwise o, enum outcome plain)
{
	return o == OTHERWISE_PLAIN ? plain : o == OTHERWISE_REJECT ? REFUSE :
	    WAIT;
}

static bool
lacks(enum cert_fact fact)
{
	return fact == CERT_FACT_NONE || fact == CERT_FACT_UNUSABLE;
}

static enum outcome
model_sign(const struct mail *m)
{
	bool	 must = m->sign == WANT_REQUIRE;

	/* "Mail that is signed already counts as signed." */
	if (m->sign == WANT_NEVER || m->kind == MAIL_SIGNED)
		return GO_NO;
	/* "where signing is required it is refused" */
	if (m->kind == MAIL_ENCRYPTED || m->sender != SENDER_GOOD)
		return unless_required(must);
	/* "Left alone, where nothing is required: a null sender" */
	if (m->envelope != FULL_SENDER && !must)
		return GO_NO;
	/* "Media types that are not signed where it is only preferred" */
	if (m->is_exempt_type && !must)
		return GO_NO;
	if (m->cert == CERT_FACT_USABLE)
		return GO_YES;
	return lacks(m->cert) ? unless_required(must) : WAIT;
}

static enum outcome
model_encrypt(const struct mail *m)
{
	bool	 is_one_copy = m->role != ROLE_STAMP;
	bool	 must = false, may = false, some = false, not_all = false;
	bool	 never = false, unknown = false;

	for (int i = 0; i < N_RECIPIENTS; i++) {
		enum want	 want = m->encrypt[i];
		enum cert_fact	 cert = m->certs[i];

		/* "what one recipient requires is settled in the second" */
		if (!is_one_copy && want == WANT_REQUIRE)
			cert = CERT_FACT_USABLE;
		must |= want == WANT_REQUIRE;
		may |= want != WANT_NEVER;
		never |= want == WANT_NEVER;
		some |= want != WANT_NEVER && cert == CERT_FACT_USABLE;
		not_all |= want == WANT_NEVER || lacks(cert);
		unknown |= want != WANT_NEVER && cert == CERT_FACT_UNKNOWN;
	}
	if (!may || m->kind == MAIL_ENCRYPTED)
		return GO_NO;
	if (m->sender != SENDER_GOOD)
		return unless_required(must);
	if (m->envelope != FULL_SENDER && !must)
		return GO_NO;
	if (m->is_exempt_type && !must)
		return GO_NO;
	/* "If anybody requires encryption it is ... for all or refused" */
	if (must && is_one_copy && not_all)
		return REFUSE;
	/* What would go in clear whatever the certificates say. */
	if (!must && is_one_copy && m->mixed == OTHERWISE_PLAIN &&
	    (never || (m->has_hidden && m->hidden == OTHERWISE_PLAIN)))
		return GO_NO;
	/* "could not be looked up: the mail waits, even where preferred" */
	if (unknown)
		return WAIT;
	if (must && is_one_copy && m->has_hidden)
		return REFUSE;
	/* "If no recipient can be encrypted to, without encryption." */
	if (!some && !(m->role == ROLE_SEAL && m->was_encryptable))
		return GO_NO;
	if (not_all)
		return otherwise(m->mixed, some && !is_one_copy ? GO_YES :
		    GO_NO);
	if (is_one_copy && m->has_hidden)
		return otherwise(m->hidden, GO_NO);
	return GO_YES;
}

/* "mail that is to be encrypted waits"; "a sender is left out" */
static enum outcome
model_also(const struct mail *m, enum outcome encrypt)
{
	if (encrypt != GO_YES || m->role == ROLE_STAMP ||
	    m->also == ALSO_NONE || m->also_cert == CERT_FACT_USABLE ||
	    (m->also == ALSO_SELF && lacks(m->also_cert)))
		return encrypt;
	return WAIT;
}

/* --- every combination ------------------------------------------------ */

static void
describe(const struct mail *m, char *out, size_t size)
{
	snprintf(out, size, "sign %d encrypt %d,%d mixed %d hidden %d role %d "
	    "sender %d envelope %d kind %d cert %d certs %d,%d bcc %d was %d "
	    "exempt %d also %d,%d",
	    m->sign, m->encrypt[0], m->encrypt[1], m->mixed, m->hidden,
	    m->role, m->sender, m->envelope, m->kind, m->cert, m->certs[0],
	    m->certs[1], m->has_hidden, m->was_encryptable,
	    m->is_exempt_type, m->also, m->also_cert);
}

/* No check per line of each row: millions of them would be counted. */
static bool
is_as_modelled(const struct mail *m, const struct decision *d)
{
	enum outcome	 sign = model_sign(m);
	enum outcome	 encrypt = model_also(m, model_encrypt(m));

	if (m->envelope == NULL_REPORT)
		sign = encrypt = GO_NO;
	if (sign == REFUSE || encrypt == REFUSE)
		return d->verdict == VERDICT_REJECT && d->code == 550;
	if (sign == WAIT || encrypt == WAIT)
		return d->verdict == VERDICT_TEMPFAIL && d->code == 451;
	return d->verdict == VERDICT_GO && d->code == 0 &&
	    d->do_sign == (sign == GO_YES) &&
	    d->do_encrypt == (encrypt == GO_YES);
}

/* One line of SMTP (RFC 5321, section 4.5.3.1.5), room for code and "%". */
static bool
is_reply(const char *text)
{
	size_t	 len = strlen(text);

	for (const char *p = text; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			return false;
	return len > 0 && len < 400;
}

/* What must never be, said without the model. */
static bool
is_safe(const struct mail *m, const struct decision *d)
{
	bool	 must = m->encrypt[0] == WANT_REQUIRE ||
		    m->encrypt[1] == WANT_REQUIRE;
	bool	 is_bad_sender = m->sender != SENDER_GOOD;

	if (d->verdict != VERDICT_GO)
		return !d->do_sign && !d->do_encrypt && d->reason[0] != '\0' &&
		    is_reply(d->reply) && d->enhanced[0] ==
		    (d->verdict == VERDICT_REJECT ? '5' : '4');
	if (is_bad_sender && (d->do_sign || d->do_encrypt))
		return false;
	if (d->do_sign && m->cert != CERT_FACT_USABLE)
		return false;
	if (m->envelope == NULL_REPORT)
		return !d->do_sign && !d->do_encrypt;
	if (must && !d->do_encrypt && m->kind != MAIL_ENCRYPTED)
		return false;
	if (m->sign == WANT_REQUIRE && !d->do_sign && m->kind != MAIL_SIGNED)
		return false;
	if (d->do_encrypt && m->role != ROLE_STAMP)
		return m->certs[0] == CERT_FACT_USABLE &&
		    m->certs[1] == CERT_FACT_USABLE && !m->has_hidden;
	return true;
}

/* A fact that is not asked for changes nothing, not even the words. */
static bool
needs_no_more(struct setup *s, const struct decision *d)
{
	struct decision	 other;

	if (!decide_needs_sender(&s->rule, &s->facts))
		s->facts.sender_cert = CERT_FACT_NOT_ASKED;
	for (size_t i = 0; i < N_RECIPIENTS; i++)
		if (!decide_needs_recipient(&s->rule, &s->facts, i))
			s->recipients[i].cert = CERT_FACT_NOT_ASKED;
	if (!decide_needs_also(&s->rule, &s->facts))
		s->also.cert = CERT_FACT_NOT_ASKED;
	decide(&s->rule, &s->facts, &other);
	return other.verdict == d->verdict && other.do_sign == d->do_sign &&
	    other.do_encrypt == d->do_encrypt &&
	    strcmp(other.reason, d->reason) == 0;
}

static void
check_mail(const struct mail *m, size_t *n, size_t *n_bad)
{
	struct setup	 s;
	struct decision	 d;
	char		 text[256];

	set_up(m, &s);
	decide(&s.rule, &s.facts, &d);
	(*n)++;
	if (is_as_modelled(m, &d) && is_safe(m, &d) && needs_no_more(&s, &d))
		return;
	if ((*n_bad)++ >= 5)
		return;
	describe(m, text, sizeof(text));
	test_row(text);
	CHECK_STR(decide_action_name(&d), "as the manual says");
	test_row(NULL);
}

/* The lowest digit of a number in this base, which is taken off it. */
static int
take_digit(size_t *rest, size_t base)
{
	int	 digit = (int)(*rest % base);

	*rest /= base;
	return digit;
}

/* False past the last. */
static bool
nth_mail(size_t n, struct mail *m)
{
	static const enum cert_fact	 facts[] = { CERT_FACT_USABLE,
					    CERT_FACT_NONE, CERT_FACT_UNKNOWN };

	m->sign = (enum want)take_digit(&n, 3);
	m->encrypt[0] = (enum want)take_digit(&n, 3);
	m->encrypt[1] = (enum want)take_digit(&n, 3);
	m->mixed = (enum otherwise)take_digit(&n, 3);
	m->hidden = (enum otherwise)take_digit(&n, 3);
	m->role = (enum role)take_digit(&n, 3);
	m->sender = take_digit(&n, N_SENDERS);
	m->envelope = take_digit(&n, N_ENVELOPES);
	m->kind = take_digit(&n, N_KINDS);
	m->cert = facts[take_digit(&n, 3)];
	m->certs[0] = facts[take_digit(&n, 3)];
	m->certs[1] = facts[take_digit(&n, 3)];
	m->has_hidden = take_digit(&n, 2) == 1;
	m->was_encryptable = take_digit(&n, 2) == 1;
	m->is_exempt_type = take_digit(&n, 2) == 1;
	m->also = take_digit(&n, N_ALSO);
	m->also_cert = facts[take_digit(&n, 3)];
	return n == 0;
}

/*
 * Every 101st of the 51 million combinations, which shares no factor with
 * any of the counts, so that each pair of values meets; all of them in the
 * long run.
 */
static void
test_all(void)
{
	size_t		 step = getenv("SMIME_LONG") != NULL ? 1 : 101;
	size_t		 n = 0, n_bad = 0;
	struct mail	 mail;

	for (size_t i = 0; nth_mail(i, &mail); i += step)
		check_mail(&mail, &n, &n_bad);
	printf("%zu combinations, %zu not as the manual says\n", n, n_bad);
	CHECK_INT(n_bad, 0);
	CHECK(n > 300000);
}

/* --- sentences -------------------------------------------------------- */

static const struct mail	 usual = {
	.sign = WANT_PREFER, .encrypt = { WANT_PREFER, WANT_PREFER },
	.mixed = OTHERWISE_PLAIN, .hidden = OTHERWISE_REJECT,
	.cert = CERT_FACT_USABLE,
	.certs = { CERT_FACT_USABLE, CERT_FACT_USABLE },
};

static void
test_words(void)
{
	struct mail	 m = usual;
	struct setup	 s;
	struct decision	 d;

	test_row("everything is there: no reason is needed");
	set_up(&m, &s);
	decide(&s.rule, &s.facts, &d);
	CHECK_STR(decide_action_name(&d), "sign+encrypt");
	CHECK_STR(d.reason, "");

	test_row("prefer, no certificate: send plain, and say for whom");
	m.certs[1] = CERT_FACT_NONE;
	set_up(&m, &s);
	decide(&s.rule, &s.facts, &d);
	CHECK_STR(decide_action_name(&d), "sign");
	CHECK_STR(d.reason, "not encrypted: c@example.net: no certificate");

	test_row("require, certificate expired: refuse with address and why");
	m.encrypt[0] = WANT_REQUIRE;
	set_up(&m, &s);
	s.recipients[1].cert = CERT_FACT_UNUSABLE;
	s.recipients[1].reason = "certificate expired 2026-03-01";
	s.rules[0].encrypt_by = "recipients partner";
	decide(&s.rule, &s.facts, &d);
	CHECK_STR(decide_action_name(&d), "reject");
	CHECK_INT(d.code, 550);
	CHECK_STR(d.enhanced, "5.7.5");
	CHECK_STR(d.reply, "encrypt to c@example.net: certificate expired "
	    "2026-03-01 (recipients partner requires it)");

	test_row("a lookup that failed is told to the log only");
	m = usual;
	m.certs[0] = CERT_FACT_UNKNOWN;
	set_up(&m, &s);
	s.recipients[0].reason = "the vault did not answer in 20 s";
	decide(&s.rule, &s.facts, &d);
	CHECK_STR(decide_action_name(&d), "tempfail");
	CHECK_STR(d.enhanced, "4.3.0");
	CHECK_STR(d.reason, "encrypt to b@example.net: the vault did not "
	    "answer in 20 s");
	CHECK_STR(d.reply, "certificates cannot be looked up at the moment");

	test_row("a hidden recipient is not named");
	m = usual;
	m.has_hidden = true;
	set_up(&m, &s);
	decide(&s.rule, &s.facts, &d);
	CHECK_STR(d.reply, "not encrypted: hidden recipient");
	CHECK_STR(d.enhanced, "5.7.1");

	test_row("a type that is exempt, and a wish that overrides it");
	m = usual;
	m.is_exempt_type = true;
	set_up(&m, &s);
	decide(&s.rule, &s.facts, &d);
	CHECK_STR(decide_action_name(&d), "none");
	CHECK_STR(d.reason, "not signed: text/calendar (skip-sign); not "
	    "encrypted: text/calendar (skip-encrypt)");
	m.sign = WANT_REQUIRE;
	set_up(&m, &s);
	decide(&s.rule, &s.facts, &d);
	CHECK_STR(decide_action_name(&d), "sign");

	test_row("an archive without certificate is none of the sender's "
	    "business");
	m = usual;
	m.also = ALSO_ARCHIVE;
	m.also_cert = CERT_FACT_NONE;
	set_up(&m, &s);
	decide(&s.rule, &s.facts, &d);
	CHECK_STR(decide_action_name(&d), "tempfail");
	CHECK_STR(d.reason, "also-encrypt-to archive@example.org: no "
	    "certificate");
	CHECK_STR(d.reply, "the mail cannot be encrypted at the moment");

	test_row("a sender without certificate does without");
	m.also = ALSO_SELF;
	set_up(&m, &s);
	decide(&s.rule, &s.facts, &d);
	CHECK_STR(decide_action_name(&d), "sign+encrypt");
	CHECK_STR(d.reason, "not encrypted to the sender: no certificate");

	test_row("a sole recipient is never hidden, in the envelope twice or "
	    "not");
	set_up(&m, &s);
	s.recipients[0].addr = s.recipients[1].addr;
	s.recipients[0].is_hidden = true;
	decide(&s.rule, &s.facts, &d);
	CHECK_STR(decide_action_name(&d), "sign+encrypt");

	test_row("require, and the sender may not");
	m = usual;
	m.sign = WANT_REQUIRE;
	m.sender = SENDER_UNAUTHORISED;
	set_up(&m, &s);
	s.facts.unauthorised = "login bob may not use From <a@example.org>";
	decide(&s.rule, &s.facts, &d);
	CHECK_STR(d.reply, "not signed: login bob may not use From "
	    "<a@example.org> (default requires it)");
	CHECK_STR(d.enhanced, "5.7.1");

	test_row("a reply is printable ASCII");
	m = usual;
	m.encrypt[0] = m.encrypt[1] = WANT_REQUIRE;
	m.certs[0] = CERT_FACT_NONE;
	set_up(&m, &s);
	s.recipients[0].addr = "\xc3\xbc@example.net";
	s.recipients[0].reason = "no\r\ncertificate";
	decide(&s.rule, &s.facts, &d);
	CHECK_STR(d.reply, "encrypt to ??@example.net: no??certificate "
	    "(default requires it)");

	test_row("the rules refuse");
	m = usual;
	set_up(&m, &s);
	s.rule.refusal = (char *)"X-SMIME-Sign is neither yes nor no";
	decide(&s.rule, &s.facts, &d);
	CHECK_STR(decide_action_name(&d), "reject");
	CHECK_STR(d.reply, "X-SMIME-Sign is neither yes nor no");
	CHECK(!decide_needs_sender(&s.rule, &s.facts));
	CHECK(!decide_needs_recipient(&s.rule, &s.facts, 0));

	test_row("a wish that was not followed is in the reason");
	set_up(&m, &s);
	s.rule.note = (char *)"X-SMIME-Sign: no is not followed: it is so";
	decide(&s.rule, &s.facts, &d);
	CHECK_STR(d.reason, "X-SMIME-Sign: no is not followed: it is so");
	test_row(NULL);
}

static const struct {
	const char	*what;
	bool		 is_null_sender, is_login, is_report;
	const char	*action;
} report_rows[] = {
	{ "a report of this host's MTA is left alone", true, false, true,
	    "none" },
	{ "not if somebody logged in to send it", true, true, true,
	    "reject" },
	{ "not if it has a sender", false, false, true, "reject" },
	{ "not if it is no report", true, false, false, "reject" },
};

static void
test_reports(void)
{
	for (size_t i = 0; i < TEST_LEN(report_rows); i++) {
		struct mail	 m = usual;
		struct setup	 s;
		struct decision	 d;

		m.encrypt[0] = WANT_REQUIRE;
		m.sender = SENDER_UNAUTHORISED;
		set_up(&m, &s);
		s.facts.is_null_sender = report_rows[i].is_null_sender;
		s.facts.is_login = report_rows[i].is_login;
		s.facts.is_report = report_rows[i].is_report;
		test_row(report_rows[i].what);
		decide(&s.rule, &s.facts, &d);
		CHECK_STR(decide_action_name(&d), report_rows[i].action);
	}
	test_row(NULL);
}

static const struct {
	const char	*what;
	enum want	 sign, encrypt;
	const char	*action, *reason;
} alone_rows[] = {
	{ "what is preferred is not done", WANT_PREFER, WANT_PREFER, "none",
	    "not signed: it is inline OpenPGP; not encrypted: it is inline "
	    "OpenPGP" },
	{ "a required signature is made", WANT_REQUIRE, WANT_PREFER, "sign",
	    "not encrypted: it is inline OpenPGP" },
	{ "required encryption is done", WANT_PREFER, WANT_REQUIRE, "encrypt",
	    "not signed: it is inline OpenPGP" },
	{ "both are", WANT_REQUIRE, WANT_REQUIRE, "sign+encrypt", "" },
	{ "what is not wanted needs no reason", WANT_NEVER, WANT_NEVER,
	    "none", "" },
};

static void
test_left_alone(void)
{
	for (size_t i = 0; i < TEST_LEN(alone_rows); i++) {
		struct mail	 m = usual;
		struct setup	 s;
		struct decision	 d;

		m.sign = alone_rows[i].sign;
		m.encrypt[0] = m.encrypt[1] = alone_rows[i].encrypt;
		set_up(&m, &s);
		s.facts.left_alone = "inline OpenPGP";
		test_row(alone_rows[i].what);
		decide(&s.rule, &s.facts, &d);
		CHECK_STR(decide_action_name(&d), alone_rows[i].action);
		CHECK_STR(d.reason, alone_rows[i].reason);
	}
	test_row(NULL);
}

static void
test_many(void)
{
	struct rule_recipient	 rules[8];
	struct fact_recipient	 recipients[8];
	struct setup		 s;
	struct decision		 d;

	test_row("five addresses are named, the others are counted");
	set_up(&usual, &s);
	for (size_t i = 0; i < TEST_LEN(rules); i++) {
		rules[i] = s.rules[0];
		rules[i].encrypt = WANT_REQUIRE;
		recipients[i] = (struct fact_recipient){ "x@y.z", false,
		    CERT_FACT_NONE, "none" };
	}
	s.rule.recipients = rules;
	s.facts.recipients = recipients;
	s.rule.n_recipients = s.facts.n_recipients = TEST_LEN(rules);
	decide(&s.rule, &s.facts, &d);
	CHECK_STR(d.reply, "encrypt to x@y.z: none; x@y.z: none; x@y.z: none; "
	    "x@y.z: none; x@y.z: none; and 3 more (default requires it)");
	test_row(NULL);
}

/* --- on-error --------------------------------------------------------- */

static const struct {
	const char	*what;
	enum on_error	 on_error;
	enum err_kind	 kind;
	enum want	 sign, encrypt;
	enum cert_fact	 cert;		/* of the second recipient */
	const char	*action;
} error_rows[] = {
	{ "tempfail waits", ON_ERROR_TEMPFAIL, ERR_TEMP, WANT_PREFER,
	    WANT_PREFER, CERT_FACT_USABLE, "tempfail" },
	{ "reject refuses", ON_ERROR_REJECT, ERR_TEMP, WANT_PREFER,
	    WANT_PREFER, CERT_FACT_USABLE, "reject" },
	{ "accept sends the mail as it came", ON_ERROR_ACCEPT, ERR_TEMP,
	    WANT_PREFER, WANT_PREFER, CERT_FACT_USABLE, "none" },
	{ "accept, a bug of ours too", ON_ERROR_ACCEPT, ERR_BUG, WANT_PREFER,
	    WANT_NEVER, CERT_FACT_NOT_ASKED, "none" },
	{ "accept, but signing is required", ON_ERROR_ACCEPT, ERR_TEMP,
	    WANT_REQUIRE, WANT_PREFER, CERT_FACT_USABLE, "tempfail" },
	{ "accept, but encryption is required", ON_ERROR_ACCEPT, ERR_DATA,
	    WANT_PREFER, WANT_REQUIRE, CERT_FACT_USABLE, "tempfail" },
	{ "accept, but a lookup failed", ON_ERROR_ACCEPT, ERR_TEMP,
	    WANT_PREFER, WANT_PREFER, CERT_FACT_UNKNOWN, "tempfail" },
	{ "tempfail, but this mail can never be handled", ON_ERROR_TEMPFAIL,
	    ERR_MESSAGE, WANT_PREFER, WANT_PREFER, CERT_FACT_USABLE,
	    "reject" },
	{ "accept a mail that can never be handled", ON_ERROR_ACCEPT,
	    ERR_MESSAGE, WANT_PREFER, WANT_PREFER, CERT_FACT_USABLE,
	    "none" },
	{ "but not if something is required", ON_ERROR_ACCEPT, ERR_MESSAGE,
	    WANT_REQUIRE, WANT_PREFER, CERT_FACT_USABLE, "reject" },
};

static void
test_on_error(void)
{
	struct err	 err;
	struct decision	 d;

	for (size_t i = 0; i < TEST_LEN(error_rows); i++) {
		struct mail	 m = usual;
		struct setup	 s;

		m.sign = error_rows[i].sign;
		m.encrypt[1] = error_rows[i].encrypt;
		m.certs[1] = error_rows[i].cert;
		set_up(&m, &s);
		s.rule.options.on_error = error_rows[i].on_error;
		err_set(&err, error_rows[i].kind, "it broke");
		test_row(error_rows[i].what);
		decide_on_error(&s.rule, &s.facts, &err, &d);
		CHECK_STR(decide_action_name(&d), error_rows[i].action);
		CHECK(strstr(d.reason, "it broke") != NULL);
		CHECK(d.verdict == VERDICT_GO || d.reply[0] != '\0');
	}
	test_row("before the group is known nothing is accepted");
	err_set(&err, ERR_TEMP, "no memory");
	decide_on_error(NULL, NULL, &err, &d);
	CHECK_STR(decide_action_name(&d), "tempfail");
	CHECK_INT(d.code, 451);
	CHECK_STR(d.reply, "the mail cannot be signed or encrypted at the "
	    "moment");
	test_row("a decision that nobody made waits");
	d = (struct decision){ 0 };
	CHECK_STR(decide_action_name(&d), "tempfail");
	test_row(NULL);
}

int
main(void)
{
	test_words();
	test_reports();
	test_left_alone();
	test_many();
	test_on_error();
	test_all();
	return test_done("decide");
}
