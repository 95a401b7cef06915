/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "milter/journey.h"
#include "milter/lookup.h"
#include "milter/pass.h"
#include "policy/identity.h"
#include "smime/address.h"
#include "smime/part_type.h"
#include "smime/transform.h"

/* --- match: which rules concern it ------------------------------------------ */

/* Addresses that are none keep their bytes: no certificate will be for them. */
static void
take_address(const char *in, char out[ADDR_MAX])
{
	struct err	 none;
	char		*safe;

	if (addr_normalise(in, strlen(in), out, &none))
		return;
	safe = text_safe(in, strlen(in), 200);
	snprintf(out, ADDR_MAX, "%s", safe);
	free(safe);
}

static void
read_envelope(const struct mail *mail, struct journey *j)
{
	if (mail->sender[0] != '\0')
		take_address(mail->sender, j->sender);
	j->n_recipients = mail->n_recipients;
	j->recipients = mem_array(j->n_recipients, sizeof(*j->recipients));
	for (size_t i = 0; i < j->n_recipients; i++)
		take_address(mail->recipients[i], j->recipients[i].addr);
}

/* Whether what the sender asks for counts is known later. */
static void
read_wishes(const struct journey_request *request, struct wishes *wishes)
{
	const struct headers	*headers = request->mail->headers;

	for (size_t i = 0; i < headers_count(headers); i++) {
		const struct header	*h = headers_at(headers, i);
		struct buf		 rest = { 0 };

		override_add_header(wishes, h->name, h->value,
		    strlen(h->value));
		if (request->config->subject_tags &&
		    strcasecmp(h->name, "Subject") == 0)
			override_add_subject(wishes, h->value,
			    strlen(h->value), &rest);
		buf_free(&rest);
	}
}

/* The words by which wishes are stated leave nobody's mail. */
static void
remove_wishes(const struct journey_request *request, struct edits *edits)
{
	const struct headers	*headers = request->mail->headers;

	edits_remove(edits, headers, "X-SMIME-Sign");
	edits_remove(edits, headers, "X-SMIME-Encrypt");
	if (!request->config->subject_tags)
		return;
	for (size_t i = 0; i < headers_count_name(headers, "Subject"); i++) {
		const char	*value = headers_find(headers, "Subject", i);
		struct wishes	 known = { 0 };
		struct buf	 rest = { 0 };
		char		*subject;

		if (!override_add_subject(&known, value, strlen(value), &rest))
			continue;
		subject = buf_take_str(&rest);
		edits_change(edits, "Subject", i + 1, subject);
		free(subject);
	}
}

/*
 * Where one author is known his group counts; else all that From could mean,
 * for the strictest of their rules.
 */
static void
match_rules(const struct journey_request *request, struct journey *j)
{
	struct address_list	*authors = address_authors(
	    request->mail->headers);
	const char		*author = j->from;
	const char		**recipients = mem_array(j->n_recipients,
	    sizeof(*recipients));
	struct match_input	 input = {
		.from = (const char *const *)authors->addrs,
		.n_from = authors->n,
		.sender = j->sender,
		.recipients = recipients,
		.n_recipients = j->n_recipients,
		.role = request->role,
		.wishes = j->is_authorised ? &j->wishes : NULL,
	};

	j->n_authors = authors->n;
	if (author[0] != '\0') {
		input.from = &author;
		input.n_from = j->n_authors = 1;
	}
	for (size_t i = 0; i < j->n_recipients; i++)
		recipients[i] = j->recipients[i].addr;
	match(request->config, &input, &j->rule);
	j->has_rule = true;
	free(recipients);
	address_list_free(authors);
}

/* --- gather: what is known about it ------------------------------------------- */

/* Somebody else's mail, sent on (RFC 5322, section 3.6.6). */
static bool
is_resent(const struct mail *mail)
{
	for (size_t i = 0; i < headers_count(mail->headers); i++)
		if (strncasecmp(headers_at(mail->headers, i)->name, "Resent-",
		    7) == 0)
			return true;
	return false;
}

/*
 * Programs show a Sender that differs as who sent the mail "on behalf of" its
 * author, so a signature vouches for it as well (RFC 8550, section 3).
 */
static bool
may_use_sender(const struct journey_request *request, const char *from,
    struct err *why)
{
	const struct mail	*mail = request->mail;
	char			 sender[ADDR_MAX];
	struct err		 ignored;

	if (!address_sender(mail->headers, sender, why))
		return false;
	if (sender[0] == '\0' || strcmp(sender, from) == 0 ||
	    identity_check(request->config, mail->login, mail->client, sender,
	    &ignored))
		return true;
	return err_set(why, ERR_MESSAGE, "the Sender field names <%s>, an "
	    "address that this sender may not use", sender);
}

static void
identify(const struct journey_request *request, struct journey *j)
{
	const struct mail	*mail = request->mail;

	if (!address_from(mail->headers, j->from, &j->from_problem)) {
		j->from[0] = '\0';
		j->unauthorised = j->from_problem;
		return;
	}
	if (is_resent(mail)) {
		err_set(&j->unauthorised, ERR_MESSAGE, "it is another's mail, "
		    "sent on (Resent fields)");
		return;
	}
	if (request->role == ROLE_SEAL && !j->has_stamp) {
		err_set(&j->unauthorised, ERR_MESSAGE, "the mail has no "
		    "stamp of the first pass");
		return;
	}
	j->is_authorised = identity_check(request->config, mail->login,
	    mail->client, j->from, &j->unauthorised) &&
	    may_use_sender(request, j->from, &j->unauthorised);
}

static void
find_sender(struct journey *j, struct lookup *lookup, struct facts *facts)
{
	if (decide_needs_sender(&j->rule, facts) && facts->from != NULL)
		lookup_sign(lookup, j->from, &j->sender_finding,
		    &j->sender_lookup);
	facts->sender_cert = lookup_fact(j->sender_finding, &j->sender_lookup,
	    &facts->sender_reason);
}

/* All who have to be asked for in one question. */
static void
ask_for_recipients(struct journey *j, struct lookup *lookup,
    const struct facts *facts)
{
	const char	**addrs = mem_array(j->n_recipients, sizeof(*addrs));
	size_t		 *at = mem_array(j->n_recipients, sizeof(*at)), n = 0;
	struct finding	**found = mem_array(j->n_recipients, sizeof(*found));
	struct err	  err = { 0 };

	for (size_t i = 0; i < j->n_recipients; i++)
		if (decide_needs_recipient(&j->rule, facts, i)) {
			addrs[n] = j->recipients[i].addr;
			at[n++] = i;
		}
	lookup_encrypt_all(lookup, addrs, n, found, &err);
	for (size_t i = 0; i < n; i++) {
		j->recipients[at[i]].finding = found[i];
		j->recipients[at[i]].lookup = err;
	}
	free(found);
	free(at);
	free(addrs);
}

static void
find_recipients(struct journey *j, struct lookup *lookup,
    const struct facts *facts, struct fact_recipient *list)
{
	ask_for_recipients(j, lookup, facts);
	for (size_t i = 0; i < j->n_recipients; i++) {
		struct journey_recipient	*r = &j->recipients[i];

		list[i].cert = lookup_fact(r->finding, &r->lookup,
		    &list[i].reason);
	}
}

/* Whom the group adds, once it is known that the mail will be encrypted. */
static void
find_also(struct journey *j, struct lookup *lookup, struct facts *facts,
    struct fact_also *list)
{
	const struct config_addresses	*also =
	    &j->rule.options.also_encrypt_to;

	if (j->n_also == 0 || !decide_needs_also(&j->rule, facts))
		return;
	for (size_t i = 0; i < j->n_also; i++) {
		struct journey_recipient	*r = &j->also[i];

		list[i].is_self = strcmp(also->list[i], "self") == 0;
		snprintf(r->addr, sizeof(r->addr), "%s",
		    list[i].is_self ? j->from : also->list[i]);
		list[i].addr = r->addr;
		lookup_encrypt(lookup, r->addr, &r->finding, &r->lookup);
		list[i].cert = lookup_fact(r->finding, &r->lookup,
		    &list[i].reason);
	}
	facts->also = list;
	facts->n_also = j->n_also;
}

/* The first of these types that the mail has, as the configuration has it. */
static const char *
exempt_type(const struct part_types *types, const struct config_types *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (part_types_have(types, list->list[i].type,
		    list->list[i].param, list->list[i].value))
			return list->list[i].text;
	return NULL;
}

static void
find_exemptions(const struct mail *mail, const struct options *options,
    const uint8_t *body, size_t body_len, struct facts *facts)
{
	struct part_types	*types;

	if (options->skip_sign.n + options->skip_encrypt.n == 0)
		return;
	types = part_types_new(mail->headers, body, body_len);
	facts->skip_sign = exempt_type(types, &options->skip_sign);
	facts->skip_encrypt = exempt_type(types, &options->skip_encrypt);
	part_types_free(types);
}

/* Whom do To and Cc not show? */
static void
find_hidden(const struct mail *mail, const struct journey *j,
    struct fact_recipient *list)
{
	struct address_list	*visible;

	for (size_t i = 0; i < j->n_recipients; i++)
		list[i].addr = j->recipients[i].addr;
	if (j->n_recipients < 2)
		return;
	visible = address_visible(mail->headers);
	for (size_t i = 0; i < j->n_recipients; i++)
		list[i].is_hidden = !address_list_has(visible, list[i].addr);
	address_list_free(visible);
}

/* What the facts point to while a decision is made. */
struct gathered {
	struct facts		 facts;
	struct fact_recipient	*recipients;
	struct fact_also	*also;
};

static void
gather(const struct journey_request *request, struct journey *j,
    const uint8_t *body, size_t body_len, struct gathered *g)
{
	const struct mail	*mail = request->mail;
	struct facts		*facts = &g->facts;
	struct lookup		 lookup = { .custody = request->custody,
	    .found = request->found,
	    .delimiters = request->config->subaddress_delimiter,
	    .now = request->now };

	j->n_also = j->rule.options.also_encrypt_to.n;
	j->also = mem_array(j->n_also, sizeof(*j->also));
	g->also = mem_array(j->n_also, sizeof(*g->also));
	g->recipients = mem_array(j->n_recipients, sizeof(*g->recipients));
	*facts = (struct facts){
		.is_authorised = j->is_authorised,
		.unauthorised = j->is_authorised ? NULL :
		    j->unauthorised.reason,
		.n_from = j->n_authors,
		.from = j->from[0] != '\0' ? j->from : NULL,
		.is_signed = detect_is_signed(j->detected.kind),
		.is_encrypted = detect_is_encrypted(j->detected.kind),
		.left_alone = detect_left_alone(j->detected.kind),
		.is_null_sender = mail->sender[0] == '\0',
		.is_login = mail->login != NULL,
		.is_report = strcmp(j->detected.type, "multipart/report") == 0,
		.role = request->role,
		.was_encryptable = j->was_encryptable,
		.recipients = g->recipients,
		.n_recipients = j->n_recipients,
	};
	find_exemptions(mail, &j->rule.options, body, body_len, facts);
	find_hidden(mail, j, g->recipients);
	find_sender(j, &lookup, facts);
	find_recipients(j, &lookup, facts, g->recipients);
	find_also(j, &lookup, facts, g->also);
}

/* --- transform: do it ------------------------------------------------------------ */

static bool
sign_hash_for(void *arg, enum digest digest,
    const uint8_t hash[DIGEST_LEN_MAX], struct buf *signed_data,
    struct err *err)
{
	const struct {
		const struct journey_request	*request;
		const struct journey		*journey;
	}			*context = arg;
	const struct journey	*j = context->journey;
	const struct mail	*mail = context->request->mail;
	struct sign_request	 sign = {
		.fp = j->sender_finding->candidates[0].fp,
		.from = j->from,
		.login = mail->login,
		.client = mail->client,
		.queue_id = mail->queue_id,
		.digest = digest,
		.use_pss = j->rule.options.signature_algorithm ==
		    SIGNATURE_RSA_PSS,
	};

	memcpy(sign.hash, hash, alg_digest_len(digest));
	if (!custody_sign(context->request->custody, &sign, signed_data, err))
		return err_prefix(err, "sign as %s", j->from);
	return true;
}

static void
apply(const struct mail *mail, struct transform_result *result,
    struct journey *j)
{
	for (size_t i = 0; i < result->n_remove; i++)
		edits_remove(&j->edits, mail->headers, result->remove[i]);
	for (size_t i = 0; i < result->n_set; i++)
		edits_set(&j->edits, mail->headers, result->set[i].name,
		    result->set[i].value);
	j->edits.body = result->body;
	result->body = NULL;
	j->how = result->how;
	j->cipher = result->cipher;
}

static void
add_cert(struct transform_request *t, struct encrypt_cert *certs,
    const struct journey_recipient *r)
{
	certs[t->n_recipients++] = (struct encrypt_cert){
	    .der = r->finding->der, .len = r->finding->der_len };
}

bool
journey_is_used(const struct journey_recipient *r)
{
	return r->finding != NULL && r->finding->der != NULL;
}

static bool
transform(const struct journey_request *request, const uint8_t *body,
    size_t body_len, struct journey *j, struct err *err)
{
	struct {
		const struct journey_request	*request;
		const struct journey		*journey;
	}				 context = { request, j };
	const struct options		*options = &j->rule.options;
	struct encrypt_cert		*certs = mem_array(
	    j->n_recipients + j->n_also, sizeof(*certs));
	struct transform_request	 t = {
		.headers = request->mail->headers,
		.body = body,
		.body_len = body_len,
		.scan = &request->mail->scan,
		.sign = j->decision.do_sign,
		.format = options->signed_format == FORMAT_OPAQUE ?
		    TRANSFORM_OPAQUE : TRANSFORM_DETACHED,
		.digest = options->digest,
		.signer = sign_hash_for,
		.signer_arg = &context,
		.encrypt = j->decision.do_encrypt,
		.options.cipher = options->cipher,
		.options.spool = { .dir = request->config->spool_dir,
		    .memory_max = request->config->spool_memory,
		    .disk_max = request->config->spool_disk },
		.options.use_oaep = options->key_management ==
		    KEY_MANAGEMENT_RSA_OAEP,
		.recipients = certs,
	};
	struct transform_result		*result = NULL;
	bool				 is_ok;

	for (size_t i = 0; t.encrypt && i < j->n_recipients; i++)
		add_cert(&t, certs, &j->recipients[i]);
	for (size_t i = 0; t.encrypt && i < j->n_also; i++)
		if (journey_is_used(&j->also[i]))
			add_cert(&t, certs, &j->also[i]);
	is_ok = transform_mail(&t, &result, err);
	if (is_ok)
		apply(request->mail, result, j);
	transform_result_free(result);
	free(certs);
	return is_ok;
}

/* --- the whole way ------------------------------------------------------------------ */

/* One table turns a decision into what the MTA answers. */
static void
answer(struct journey *j)
{
	static const enum edits_answer	 answers[] = {
		[VERDICT_TEMPFAIL] = EDITS_TEMPFAIL,
		[VERDICT_REJECT] = EDITS_REJECT,
		[VERDICT_GO] = EDITS_ACCEPT,
	};
	char				 code[4];

	if (j->decision.verdict == VERDICT_GO) {
		j->edits.answer = EDITS_ACCEPT;
		return;
	}
	snprintf(code, sizeof(code), "%03u", (unsigned)j->decision.code % 1000);
	edits_answer(&j->edits, answers[j->decision.verdict], code,
	    j->decision.enhanced, j->decision.reply);
}

/* Too large is told as such, whatever the rules are (RFC 3463, X.3.4). */
static void
refuse_size(const struct journey_request *request, struct journey *j)
{
	struct decision	*d = &j->decision;

	d->verdict = VERDICT_REJECT;
	d->why = WHY_LIMIT;
	d->limit = LIMIT_MESSAGE_SIZE;
	d->code = 552;
	snprintf(d->enhanced, sizeof(d->enhanced), "5.3.4");
	snprintf(d->reason, sizeof(d->reason),
	    "larger than max-message-size (%zu bytes)",
	    request->config->max_message_size);
	snprintf(d->reply, sizeof(d->reply), "This mail is larger than the "
	    "%zu bytes that can be signed or encrypted here",
	    request->config->max_message_size);
}

/* Another time there is room, whatever on-error is (RFC 3463, X.3.1 and .2). */
static void
refuse_load(const struct err *err, struct journey *j)
{
	struct decision	*d = &j->decision;
	bool		 is_full = err->limit == LIMIT_SPOOL_DISK;

	*d = (struct decision){ .verdict = VERDICT_TEMPFAIL,
	    .why = WHY_LIMIT, .limit = err->limit, .code = 451 };
	snprintf(d->enhanced, sizeof(d->enhanced), is_full ? "4.3.1" :
	    "4.3.2");
	snprintf(d->reason, sizeof(d->reason), "%.200s", err->reason);
	snprintf(d->reply, sizeof(d->reply), is_full ? "The S/MIME filter has "
	    "no room for more mail at the moment, try again later" :
	    "The S/MIME filter is busy, try again later");
}

static void
fail(struct journey *j, const struct facts *facts, const struct err *err)
{
	edits_drop_changes(&j->edits);
	if (err->limit == LIMIT_CONNECTIONS || err->limit == LIMIT_MAILS ||
	    err->limit == LIMIT_SPOOL_DISK)
		refuse_load(err, j);
	else
		decide_on_error(j->has_rule ? &j->rule : NULL, facts, err,
		    &j->decision);
}

static void
walk(const struct journey_request *request, struct journey *j)
{
	const struct mail	*mail = request->mail;
	struct gathered		 g = { 0 };
	const uint8_t		*body;
	size_t			 body_len;
	struct err		 err = { 0 };

	if (request->role == ROLE_SEAL &&
	    !pass_read_stamp(request, j, &err)) {
		fail(j, NULL, &err);
		/* An attack, or a relay that changes mail: RFC 3463, X.7.1. */
		if (err.kind == ERR_MESSAGE)
			strcpy(j->decision.enhanced, "5.7.1");
		return;
	}
	identify(request, j);
	match_rules(request, j);
	if (!spool_bytes(mail->body, &body, &body_len, &err)) {
		fail(j, NULL, &err);
		return;
	}
	detect_body(mail->headers, body, body_len, &j->detected);
	gather(request, j, body, body_len, &g);
	decide(&j->rule, &g.facts, &j->decision);
	if (!request->is_dry && j->decision.verdict == VERDICT_GO &&
	    request->role != ROLE_STAMP && (j->decision.do_sign || j->decision.do_encrypt) &&
	    !transform(request, body, body_len, j, &err))
		fail(j, &g.facts, &err);
	free(g.recipients);
	free(g.also);
}

void
journey_run(const struct journey_request *request, struct journey *j)
{
	const struct mail	*mail = request->mail;
	struct err		 err = { 0 };

	j->role = request->role;
	if (!request->config->enabled) {
		j->decision.verdict = VERDICT_GO;
		j->decision.why = WHY_DISABLED;
		snprintf(j->decision.reason, sizeof(j->decision.reason),
		    "not enabled");
		if (request->role == ROLE_SEAL)
			pass_remove_stamp(request, j);
		answer(j);
		return;
	}
	read_envelope(mail, j);
	detect_headers(mail->headers, &j->detected);
	read_wishes(request, &j->wishes);
	if (mail->failure.limit == LIMIT_MESSAGE_SIZE)
		refuse_size(request, j);
	else if (mail->failure.kind != ERR_NONE)
		fail(j, NULL, &mail->failure);
	else
		walk(request, j);
	if (j->decision.verdict == VERDICT_GO)
		remove_wishes(request, &j->edits);
	if (j->decision.verdict == VERDICT_GO && request->role == ROLE_SEAL)
		pass_remove_stamp(request, j);
	if (j->decision.verdict == VERDICT_GO && request->role == ROLE_STAMP &&
	    !request->is_dry && !pass_stamp(request, j, &err))
		fail(j, NULL, &err);
	answer(j);
}

void
journey_clear(struct journey *j)
{
	for (size_t i = 0; i < j->n_recipients; i++)
		finding_free(j->recipients[i].finding);
	for (size_t i = 0; i < j->n_also; i++)
		finding_free(j->also[i].finding);
	free(j->recipients);
	free(j->also);
	finding_free(j->sender_finding);
	if (j->has_rule)
		match_free(&j->rule);
	edits_clear(&j->edits);
	memset(j, 0, sizeof(*j));
}
