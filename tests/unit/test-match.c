/* SPDX-License-Identifier: BSD-2-Clause */
#include <time.h>

#include "base/buf.h"
#include "policy/match.h"
#include "tests/lib/test.h"

static const char	 conf[] =
	"default { sign = prefer  encrypt = prefer }\n"
	"group quiet { members = { \"quiet@x.example\" }\n"
	"	sign = never  encrypt = never }\n"
	"group secret { members = { \"@secret.example\" }\n"
	"	sign = require  encrypt = require }\n"
	"group fixed { members = { \"fixed@x.example\" }  override = false }\n"
	"group x { members = { \"@x.example\" }  cipher = aes-128-cbc }\n"
	"recipients partner { members = { \"@partner.example\" }\n"
	"	encrypt = require  cipher = aes-256-gcm }\n"
	"recipients lists { members = { \"@lists.example\" }\n"
	"	sign = never  encrypt = never }\n"
	"recipients old { members = { \"@old.example\" }\n"
	"	cipher = aes-128-cbc  encrypt = prefer }\n"
	"recipients proud { members = { \"@proud.example\" } sign = require }\n"
	"recipients gcm { members = { \"@gcm.example\" }\n"
	"	cipher = aes-128-gcm }\n"
	"recipients modern { members = { \"@modern.example\" }\n"
	"	key-management = rsa-oaep  signed-format = opaque\n"
	"	signature-algorithm = rsa-pss }\n"
	"recipients oaep { members = { \"@oaep.example\" }\n"
	"	key-management = rsa-oaep  signature-algorithm = rsa-pss }\n"
	"subaddress-delimiter = \"+\"\n"
	"recipients auto { members = { \"@auto.example\" } cipher = auto }\n";

#define YES	WISH_YES
#define NO	WISH_NO

/*
 * want: "GROUP sign WANT by WHO | WANT by WHO ..." for the recipients'
 * encryption, or the refusal after "!"; then "* note".
 */
static const struct {
	const char	*what;
	const char	*from[3];
	const char	*sender;
	const char	*to[4];
	enum role	 role;
	enum wish	 sign;
	enum wish	 encrypt;
	const char	*want;
} rows[] = {
	{ "nobody's group is the default", { "a@y.example" }, "",
	    { "b@z.example" }, ROLE_DIRECT, 0, 0,
	    "default sign prefer by default | prefer by default" },
	{ "the first group that has the address", { "quiet@x.example" }, "",
	    { "b@z.example" }, ROLE_DIRECT, 0, 0,
	    "quiet sign never by group quiet | never by group quiet" },
	{ "the domain's group for others", { "a@x.example" },
	    "quiet@x.example", { "b@z.example" }, ROLE_DIRECT, 0, 0,
	    "x sign prefer by group x | prefer by group x" },

	{ "no From: the envelope sender's group", { NULL },
	    "a@secret.example", { "b@z.example" }, ROLE_DIRECT, 0, 0,
	    "secret sign require by group secret | require by group "
	    "secret" },
	{ "no From and a null sender: the default", { NULL }, "",
	    { "b@z.example" }, ROLE_DIRECT, 0, 0,
	    "default sign prefer by default | prefer by default" },
	{ "two From addresses: the strictest of all",
	    { "quiet@x.example", "a@secret.example" }, "a@y.example",
	    { "b@z.example" }, ROLE_DIRECT, 0, 0,
	    "quiet sign require by group secret | require by group secret" },
	{ "one From: the envelope sender has no say", { "a@y.example" },
	    "a@secret.example", { "b@z.example" }, ROLE_DIRECT, 0, 0,
	    "default sign prefer by default | prefer by default" },

	{ "a sub-address has its owner's group", { "quiet+x@x.example" }, "",
	    { "b@z.example" }, ROLE_DIRECT, 0, 0,
	    "quiet sign never by group quiet | never by group quiet" },
	{ "recipients beat the group: prefer becomes require",
	    { "a@y.example" }, "", { "b@partner.example" }, ROLE_DIRECT, 0, 0,
	    "default sign prefer by default | require by recipients "
	    "partner" },
	{ "recipients beat the group: prefer becomes never",
	    { "a@y.example" }, "", { "b@lists.example" }, ROLE_DIRECT, 0, 0,
	    "default sign never by recipients lists | never by recipients "
	    "lists" },
	{ "recipients beat the group: never becomes prefer",
	    { "quiet@x.example" }, "", { "b@old.example" }, ROLE_DIRECT, 0, 0,
	    "quiet sign never by group quiet | prefer by recipients old" },
	{ "the group's require stands against prefer",
	    { "a@secret.example" }, "", { "b@old.example" }, ROLE_DIRECT, 0, 0,
	    "secret sign require by group secret | require by group "
	    "secret" },
	{ "require against never, the group's never",
	    { "quiet@x.example" }, "", { "b@partner.example" }, ROLE_DIRECT,
	    0, 0, "!group quiet has encrypt = never, recipients partner has "
	    "encrypt = require" },
	{ "require against never, the group's require",
	    { "a@secret.example" }, "", { "b@lists.example" }, ROLE_DIRECT,
	    0, 0, "!group secret has sign = require, recipients lists has "
	    "sign = never" },
	{ "one copy, one requires and one refuses encryption",
	    { "a@y.example" }, "",
	    { "b@partner.example", "c@lists.example" }, ROLE_DIRECT, 0, 0,
	    "!recipients lists has encrypt = never and recipients partner "
	    "has it required; one mail cannot go to both" },
	{ "one copy each: no contradiction", { "a@y.example" }, "",
	    { "b@partner.example", "c@lists.example" }, ROLE_STAMP, 0, 0,
	    "default sign prefer by default | require by recipients partner "
	    "| never by recipients lists" },
	{ "one copy, a never about signing wins over prefer",
	    { "a@y.example" }, "", { "b@z.example", "c@lists.example" },
	    ROLE_DIRECT, 0, 0, "default sign never by recipients lists | "
	    "prefer by default | never by recipients lists" },
	{ "a require about signing wins over prefer", { "a@y.example" }, "",
	    { "b@z.example", "c@proud.example" }, ROLE_DIRECT, 0, 0,
	    "default sign require by recipients proud | prefer by default | "
	    "prefer by default" },
	{ "one copy, signing required and refused", { "a@y.example" }, "",
	    { "b@proud.example", "c@lists.example" }, ROLE_DIRECT, 0, 0,
	    "!recipients lists has sign = never and recipients proud has it "
	    "required; one mail cannot go to both" },

	{ "yes counts as require", { "a@y.example" }, "", { "b@z.example" },
	    ROLE_DIRECT, YES, YES, "default sign require by X-SMIME-Sign: yes "
	    "| require by X-SMIME-Encrypt: yes" },
	{ "yes overcomes a group's never", { "quiet@x.example" }, "",
	    { "b@z.example" }, ROLE_DIRECT, YES, YES,
	    "quiet sign require by X-SMIME-Sign: yes | require by "
	    "X-SMIME-Encrypt: yes" },
	{ "yes is refused against a recipient's never", { "a@y.example" }, "",
	    { "b@z.example", "c@lists.example" }, ROLE_DIRECT, 0, YES,
	    "!X-SMIME-Encrypt: yes cannot be followed for c@lists.example: "
	    "recipients lists has encrypt = never" },
	{ "yes is refused though the group says never too",
	    { "quiet@x.example" }, "", { "c@lists.example" }, ROLE_DIRECT,
	    YES, 0, "!X-SMIME-Sign: yes cannot be followed for "
	    "c@lists.example: recipients lists has sign = never" },
	{ "yes where it is required already", { "a@secret.example" }, "",
	    { "b@z.example" }, ROLE_DIRECT, YES, YES,
	    "secret sign require by group secret | require by group "
	    "secret" },
	{ "no turns prefer into never", { "a@y.example" }, "",
	    { "b@z.example" }, ROLE_DIRECT, NO, NO,
	    "default sign never by X-SMIME-Sign: no | never by "
	    "X-SMIME-Encrypt: no" },
	{ "no does not weaken a group's require", { "a@secret.example" }, "",
	    { "b@z.example" }, ROLE_DIRECT, NO, NO,
	    "secret sign require by group secret | require by group secret * "
	    "X-SMIME-Sign: no is not followed: group secret requires it; "
	    "X-SMIME-Encrypt: no is not followed: group secret requires it" },
	{ "no does not weaken one recipient's require, nor split a copy",
	    { "a@y.example" }, "", { "b@z.example", "c@partner.example" },
	    ROLE_DIRECT, 0, NO, "default sign prefer by default | prefer by "
	    "default | require by recipients partner * X-SMIME-Encrypt: no is "
	    "not followed: recipients partner requires it" },
	{ "no, one copy each: for those who do not require",
	    { "a@y.example" }, "", { "b@z.example", "c@partner.example" },
	    ROLE_STAMP, 0, NO, "default sign prefer by default | never by "
	    "X-SMIME-Encrypt: no | require by recipients partner * "
	    "X-SMIME-Encrypt: no is not followed: recipients partner requires "
	    "it" },
	{ "override = false: wishes are not followed", { "fixed@x.example" },
	    "", { "b@z.example" }, ROLE_DIRECT, YES, NO,
	    "fixed sign prefer by group fixed | prefer by group fixed * "
	    "X-SMIME-Sign: yes is not followed: group fixed has override = "
	    "false; X-SMIME-Encrypt: no is not followed: group fixed has "
	    "override = false" },
	{ "a bad wish is refused", { "a@y.example" }, "", { "b@z.example" },
	    ROLE_DIRECT, WISH_BAD, 0, "!the wish is bad" },
	{ "a bad wish is refused, override or not", { "fixed@x.example" }, "",
	    { "b@z.example" }, ROLE_DIRECT, 0, WISH_BAD, "!the wish is bad" },
};

static const struct {
	const char	*what;
	const char	*to[4];
	enum cipher	 cipher;
} cipher_rows[] = {
	{ "the group's", { "b@z.example" }, CIPHER_AES128_CBC },
	{ "the recipient's", { "b@partner.example" }, CIPHER_AES256_GCM },
	{ "not GCM if the group's is CBC for another", { "b@z.example",
	    "b@partner.example" }, CIPHER_AES256_CBC },
	{ "the longest key, GCM if all name it", { "b@gcm.example",
	    "b@partner.example" }, CIPHER_AES256_GCM },
	{ "not GCM if one names CBC", { "b@gcm.example", "b@old.example" },
	    CIPHER_AES256_CBC },
	{ "auto with GCM", { "b@auto.example", "b@gcm.example" },
	    CIPHER_AUTO },
	{ "auto with CBC", { "b@old.example", "b@auto.example" },
	    CIPHER_AES256_CBC },
	{ "twice the same", { "b@old.example", "c@old.example" },
	    CIPHER_AES128_CBC },
};

static const struct {
	const char		*what;
	const char		*to[4];
	enum signature_algorithm	 signature;
	enum key_management	 key_management;
	enum signed_format	 format;
} form_rows[] = {
	{ "the group's forms", { "b@z.example" }, SIGNATURE_RSA,
	    KEY_MANAGEMENT_RSA, FORMAT_DETACHED },
	{ "a section's forms", { "b@modern.example" }, SIGNATURE_RSA_PSS,
	    KEY_MANAGEMENT_RSA_OAEP, FORMAT_OPAQUE },
	{ "of one copy, those that all have", { "b@modern.example",
	    "c@oaep.example" }, SIGNATURE_RSA_PSS, KEY_MANAGEMENT_RSA_OAEP,
	    FORMAT_DETACHED },
	{ "somebody who has the group's", { "b@modern.example",
	    "c@z.example" }, SIGNATURE_RSA, KEY_MANAGEMENT_RSA,
	    FORMAT_DETACHED },
};

static size_t
count(const char *const *list)
{
	size_t	 n = 0;

	while (list[n] != NULL)
		n++;
	return n;
}

static char *
render(const struct rule *rule)
{
	struct buf	 out = { 0 };

	if (rule->refusal != NULL)
		buf_addf(&out, "!%s", rule->refusal);
	else
		buf_addf(&out, "%s sign %s by %s", rule->group->name,
		    config_want_name(rule->sign), rule->sign_by);
	for (size_t i = 0; rule->refusal == NULL && i < rule->n_recipients;
	    i++)
		buf_addf(&out, " | %s by %s",
		    config_want_name(rule->recipients[i].encrypt),
		    rule->recipients[i].encrypt_by);
	if (rule->note != NULL)
		buf_addf(&out, " * %s", rule->note);
	return buf_take_str(&out);
}

/* Of processor time: others use the machine as well. */
static double
seconds(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/*
 * One rule out of 10,000 groups and 100,000 members takes under 20
 * microseconds; asserted with room for slow and sanitized builds.
 */
static void
test_scale(void)
{
	struct buf		 text = { 0 };
	struct config_source	 source = { .path = (char *)"t.conf" };
	struct config		*config;
	struct err		 err;
	double			 begin, each_us;

	for (int g = 0; g < 10000; g++) {
		buf_addf(&text, "group g%d { members = { \"@d%d.example\"", g,
		    g);
		for (int m = 1; m < 10; m++)
			buf_addf(&text, ", \"m%d@x%d.example\"", m, g);
		buf_adds(&text, " } }\n");
	}
	source.bytes = (char *)text.data;
	source.len = text.len;
	REQUIRE_OK(config_parse(&source, 1, &config, &err), err);
	begin = seconds();
	for (int i = 0; i < 10000; i++) {
		char			 addr[64];
		const char		*from[] = { addr };
		const char		*to[] = { "b@z.example" };
		struct match_input	 in = { from, 1, "", to, 1,
					    ROLE_DIRECT, NULL };
		struct rule		 rule;

		snprintf(addr, sizeof(addr), i % 2 == 0 ? "a@d%d.example" :
		    "m7@x%d.example", i);
		match(config, &in, &rule);
		if (rule.group != &config->groups[i])
			CHECK(!"every sender is found in his group");
		match_free(&rule);
	}
	each_us = (seconds() - begin) * 1e6 / 10000;
	printf("10,000 groups, 100,000 members: %.2f us for each rule\n",
	    each_us);
	CHECK(each_us < 100);
	config_free(config);
	buf_free(&text);
}

int
main(void)
{
	struct config_source	 source = { (char *)"t.conf", (char *)conf,
				    sizeof(conf) - 1 };
	struct config		*config;
	struct err		 err;

	REQUIRE_OK(config_parse(&source, 1, &config, &err), err);
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		struct wishes		 wishes = { rows[i].sign,
					    rows[i].encrypt,
					    "the wish is bad" };
		struct match_input	 in = { rows[i].from,
					    count(rows[i].from),
					    rows[i].sender, rows[i].to,
					    count(rows[i].to), rows[i].role,
					    &wishes };
		struct rule		 rule;
		char			*text;

		test_row(rows[i].what);
		match(config, &in, &rule);
		text = render(&rule);
		CHECK_STR(text, rows[i].want);
		free(text);
		match_free(&rule);

		/* The same mail from somebody who may not wish. */
		in.wishes = NULL;
		match(config, &in, &rule);
		CHECK(rule.note == NULL);
		CHECK(rule.refusal == NULL || strncmp(rule.refusal, "X-", 2));
		match_free(&rule);
	}
	for (size_t i = 0; i < TEST_LEN(cipher_rows); i++) {
		const char		*from[] = { "a@x.example", NULL };
		struct match_input	 in = { from, 1, "", cipher_rows[i].to,
					    count(cipher_rows[i].to),
					    ROLE_DIRECT, NULL };
		struct rule		 rule;

		test_row(cipher_rows[i].what);
		match(config, &in, &rule);
		CHECK_STR(alg_cipher_name(rule.options.cipher),
		    alg_cipher_name(cipher_rows[i].cipher));
		match_free(&rule);
	}
	for (size_t i = 0; i < TEST_LEN(form_rows); i++) {
		const char		*from[] = { "a@x.example", NULL };
		struct match_input	 in = { from, 1, "", form_rows[i].to,
					    count(form_rows[i].to),
					    ROLE_DIRECT, NULL };
		struct rule		 rule;

		test_row(form_rows[i].what);
		match(config, &in, &rule);
		CHECK_INT(rule.options.signature_algorithm,
		    form_rows[i].signature);
		CHECK_INT(rule.options.key_management,
		    form_rows[i].key_management);
		CHECK_INT(rule.options.signed_format, form_rows[i].format);
		match_free(&rule);
	}
	config_free(config);
	test_scale();
	return test_done("match");
}
