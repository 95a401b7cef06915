/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/group.h"
#include "policy/match.h"

/* One of the two things that can be wanted, and the words for it. */
struct subject {
	const char	*option;	/* "encrypt" */
	const char	*yes;		/* who wants it, after a wish */
	const char	*no;
};

static const struct subject	 signing = {
	"sign", "X-SMIME-Sign: yes", "X-SMIME-Sign: no" };
static const struct subject	 encryption = {
	"encrypt", "X-SMIME-Encrypt: yes", "X-SMIME-Encrypt: no" };

/* A want and whose it is. */
struct wanted {
	enum want	 want;
	const char	*by;
};

/* The first reason to refuse a mail is the one that is told. */
static void
refuse(struct rule *rule, char *reason)
{
	if (rule->refusal == NULL)
		rule->refusal = reason;
	else
		free(reason);
}

static void
note(struct rule *rule, const struct subject *subject, enum wish wish,
    const char *by, const char *why)
{
	char	*old = rule->note;

	rule->note = mem_strf("%s%s%s is not followed: %s %s",
	    old == NULL ? "" : old, old == NULL ? "" : "; ",
	    wish == WISH_YES ? subject->yes : subject->no, by, why);
	free(old);
}

/* --- the group -------------------------------------------------------- */

static const struct config_group *
group_of(const struct config *config, const char *addr)
{
	size_t	 i = group_table_find_tagged(config->group_members, addr,
		    config->subaddress_delimiter);

	return i == GROUP_NONE ? &config->default_group : &config->groups[i];
}

/* The strictest of what the rule has and another group. */
static void
add_group(struct rule *rule, const struct config_group *group,
    struct wanted *sign, struct wanted *encrypt)
{
	const struct options	*options = &group->options;

	if (rule->group == NULL) {
		rule->group = group;
		rule->options = *options;
		*sign = (struct wanted){ options->sign, group->label };
		*encrypt = (struct wanted){ options->encrypt, group->label };
		return;
	}
	if (options->sign > sign->want)
		*sign = (struct wanted){ options->sign, group->label };
	if (options->encrypt > encrypt->want)
		*encrypt = (struct wanted){ options->encrypt, group->label };
	rule->options.sign = sign->want;
	rule->options.encrypt = encrypt->want;
}

/*
 * Whose mail is it?  Without exactly one From mailbox nothing will be signed
 * or encrypted, yet a require of any group concerned must hold.
 */
static void
find_group(const struct config *config, const struct match_input *in,
    struct rule *rule, struct wanted *sign, struct wanted *encrypt)
{
	for (size_t i = 0; i < in->n_from; i++)
		add_group(rule, group_of(config, in->from[i]), sign, encrypt);
	if (in->n_from == 1)
		return;
	if (in->sender[0] != '\0')
		add_group(rule, group_of(config, in->sender), sign, encrypt);
	if (rule->group == NULL)
		add_group(rule, &config->default_group, sign, encrypt);
}

/* --- recipients ------------------------------------------------------- */

/*
 * What a section says beats the group, except that require always stands;
 * require against never is a contradiction.
 */
static struct wanted
combine(struct rule *rule, const struct subject *subject, struct wanted group,
    const struct config_recipients *section, bool has, enum want want)
{
	if (!has || want == group.want)
		return group;
	if ((want == WANT_REQUIRE && group.want == WANT_NEVER) ||
	    (want == WANT_NEVER && group.want == WANT_REQUIRE))
		refuse(rule, mem_strf("%s has %s = %s, %s has %s = %s",
		    group.by, subject->option, config_want_name(group.want),
		    section->label, subject->option, config_want_name(want)));
	if (group.want == WANT_REQUIRE)
		return group;
	return (struct wanted){ want, section->label };
}

/* "yes" is a require for this mail, which only a section's never resists. */
static struct wanted
wish_yes(struct rule *rule, const struct subject *subject,
    struct wanted wanted, const struct config_recipients *section,
    bool is_forbidden, const char *addr)
{
	if (is_forbidden) {
		refuse(rule, mem_strf("%s cannot be followed for %s: %s has "
		    "%s = never", subject->yes, addr, section->label,
		    subject->option));
		return wanted;
	}
	if (wanted.want == WANT_REQUIRE)
		return wanted;
	return (struct wanted){ WANT_REQUIRE, subject->yes };
}

static void
match_recipient(const struct config *config, struct rule *rule, size_t i,
    const char *addr, struct wanted sign, struct wanted encrypt,
    const struct wishes *wishes)
{
	struct rule_recipient			*r = &rule->recipients[i];
	const struct config_recipients		*s = NULL;
	size_t					 n;

	n = group_table_find_tagged(config->recipients_members, addr,
	    config->subaddress_delimiter);
	if (n != GROUP_NONE) {
		s = &config->recipients[n];
		sign = combine(rule, &signing, sign, s, s->has_sign, s->sign);
		encrypt = combine(rule, &encryption, encrypt, s,
		    s->has_encrypt, s->encrypt);
	}
	if (wishes->sign == WISH_YES)
		sign = wish_yes(rule, &signing, sign, s, s != NULL &&
		    s->has_sign && s->sign == WANT_NEVER, addr);
	if (wishes->encrypt == WISH_YES)
		encrypt = wish_yes(rule, &encryption, encrypt, s, s != NULL &&
		    s->has_encrypt && s->encrypt == WANT_NEVER, addr);
	*r = (struct rule_recipient){ s, sign.want, encrypt.want, sign.by,
	    encrypt.by };
}

/* --- the mail as a whole ---------------------------------------------- */

/* What the recipients of one copy want together. */
struct tally {
	const char	*require;	/* who wants it so; NULL: nobody */
	const char	*prefer;
	const char	*never;
};

static void
count(struct tally *tally, enum want want, const char *by)
{
	const char	**slot = want == WANT_REQUIRE ? &tally->require :
			    want == WANT_PREFER ? &tally->prefer :
			    &tally->never;

	if (*slot == NULL)
		*slot = by;
}

static void
tally_recipients(const struct rule *rule, struct tally *sign,
    struct tally *encrypt)
{
	for (size_t i = 0; i < rule->n_recipients; i++) {
		const struct rule_recipient	*r = &rule->recipients[i];

		count(sign, r->sign, r->sign_by);
		count(encrypt, r->encrypt, r->encrypt_by);
	}
}

static void
refuse_contradiction(struct rule *rule, const struct subject *subject,
    const struct tally *tally)
{
	if (tally->require == NULL || tally->never == NULL)
		return;
	refuse(rule, mem_strf("%s has %s = never and %s has it required; "
	    "one mail cannot go to both", tally->never, subject->option,
	    tally->require));
}

/*
 * "no" turns prefer into never, unless somebody requires it for this very
 * copy.
 */
static void
wish_no(struct rule *rule, bool is_one_copy, bool is_sign)
{
	const struct subject	*subject = is_sign ? &signing : &encryption;
	struct tally		 sign = { 0 }, encrypt = { 0 };
	const char		*require;

	tally_recipients(rule, &sign, &encrypt);
	require = is_sign ? sign.require : encrypt.require;
	if (require != NULL) {
		note(rule, subject, WISH_NO, require, "requires it");
		if (is_one_copy)
			return;
	}
	for (size_t i = 0; i < rule->n_recipients; i++) {
		struct rule_recipient	*r = &rule->recipients[i];

		if (is_sign && r->sign == WANT_PREFER) {
			r->sign = WANT_NEVER;
			r->sign_by = subject->no;
		} else if (!is_sign && r->encrypt == WANT_PREFER) {
			r->encrypt = WANT_NEVER;
			r->encrypt_by = subject->no;
		}
	}
}

/*
 * One signature serves all recipients of a copy: a require wins, then a
 * never.  Copies made later each have their own, so there a prefer counts.
 */
static void
settle_sign(struct rule *rule, const struct tally *tally, bool is_one_copy)
{
	if (tally->require != NULL) {
		rule->sign = WANT_REQUIRE;
		rule->sign_by = tally->require;
	} else if (tally->never != NULL &&
	    (is_one_copy || tally->prefer == NULL)) {
		rule->sign = WANT_NEVER;
		rule->sign_by = tally->never;
	} else if (tally->prefer != NULL) {
		rule->sign = WANT_PREFER;
		rule->sign_by = tally->prefer;
	}
}

/* The longest key that is named, and GCM only where all who name one do. */
static enum cipher
merge_ciphers(enum cipher a, enum cipher b)
{
	bool	 is_gcm = (a == CIPHER_AUTO || alg_cipher_is_aead(a)) &&
		    (b == CIPHER_AUTO || alg_cipher_is_aead(b));

	if (a == b)
		return a;
	if (is_gcm)
		return a == CIPHER_AUTO || b == CIPHER_AUTO ? CIPHER_AUTO :
		    CIPHER_AES256_GCM;
	return CIPHER_AES256_CBC;
}

/* One copy has one cipher; who has no section reads the group's. */
static void
settle_cipher(struct rule *rule)
{
	enum cipher	 group = rule->options.cipher;

	for (size_t i = 0; i < rule->n_recipients; i++) {
		const struct config_recipients	*s =
		    rule->recipients[i].section;
		enum cipher			 cipher = s != NULL &&
		    s->has_cipher ? s->cipher : group;

		rule->options.cipher = i == 0 ? cipher :
		    merge_ciphers(rule->options.cipher, cipher);
	}
}

/*
 * What all recipients of the copy can read: RSA-PSS, RSA-OAEP and opaque
 * signatures only where everyone's section, or the group's where that says
 * nothing, has them.
 */
static void
settle_forms(struct rule *rule)
{
	struct options	*options = &rule->options;
	bool		 is_pss = true, is_oaep = true, is_opaque = true;

	for (size_t i = 0; i < rule->n_recipients; i++) {
		const struct config_recipients	*s =
		    rule->recipients[i].section;

		is_pss &= (s != NULL && s->has_signature_algorithm ?
		    s->signature_algorithm : options->signature_algorithm) ==
		    SIGNATURE_RSA_PSS;
		is_oaep &= (s != NULL && s->has_key_management ?
		    s->key_management : options->key_management) ==
		    KEY_MANAGEMENT_RSA_OAEP;
		is_opaque &= (s != NULL && s->has_signed_format ?
		    s->signed_format : options->signed_format) ==
		    FORMAT_OPAQUE;
	}
	if (rule->n_recipients == 0)
		return;
	options->signature_algorithm = is_pss ? SIGNATURE_RSA_PSS :
	    SIGNATURE_RSA;
	options->key_management = is_oaep ? KEY_MANAGEMENT_RSA_OAEP :
	    KEY_MANAGEMENT_RSA;
	options->signed_format = is_opaque ? FORMAT_OPAQUE : FORMAT_DETACHED;
}

/* The wishes that count; those that do not are noted, or refuse the mail. */
static struct wishes
admit_wishes(struct rule *rule, const struct wishes *wishes)
{
	struct wishes	 none = { 0 };

	if (wishes == NULL)
		return none;
	if (wishes->sign == WISH_BAD || wishes->encrypt == WISH_BAD) {
		refuse(rule, mem_str(wishes->reason));
		return none;
	}
	if (rule->options.override)
		return *wishes;
	if (wishes->sign != WISH_NONE)
		note(rule, &signing, wishes->sign, rule->group->label,
		    "has override = false");
	if (wishes->encrypt != WISH_NONE)
		note(rule, &encryption, wishes->encrypt, rule->group->label,
		    "has override = false");
	return none;
}

void
match(const struct config *config, const struct match_input *in,
    struct rule *out)
{
	struct rule	 rule = { 0 };
	struct wanted	 sign, encrypt;
	struct wishes	 wishes;
	struct tally	 signs = { 0 }, encrypts = { 0 };
	bool		 is_one_copy = in->role != ROLE_STAMP;

	find_group(config, in, &rule, &sign, &encrypt);
	wishes = admit_wishes(&rule, in->wishes);
	rule.n_recipients = in->n_recipients;
	rule.recipients = mem_array(in->n_recipients,
	    sizeof(*rule.recipients));
	for (size_t i = 0; i < in->n_recipients; i++)
		match_recipient(config, &rule, i, in->recipients[i], sign,
		    encrypt, &wishes);
	if (wishes.sign == WISH_NO)
		wish_no(&rule, is_one_copy, true);
	if (wishes.encrypt == WISH_NO)
		wish_no(&rule, is_one_copy, false);
	rule.sign = sign.want;
	rule.sign_by = sign.by;
	tally_recipients(&rule, &signs, &encrypts);
	settle_sign(&rule, &signs, is_one_copy);
	settle_cipher(&rule);
	settle_forms(&rule);
	if (is_one_copy) {
		refuse_contradiction(&rule, &signing, &signs);
		refuse_contradiction(&rule, &encryption, &encrypts);
	}
	*out = rule;
}

void
match_free(struct rule *rule)
{
	free(rule->recipients);
	free(rule->refusal);
	free(rule->note);
	*rule = (struct rule){ 0 };
}
