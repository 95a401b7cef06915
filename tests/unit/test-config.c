/* SPDX-License-Identifier: BSD-2-Clause */
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "policy/config.h"
#include "policy/config_bundle.h"
#include "policy/config_parse.h"
#include "policy/config_schema.h"
#include "policy/group.h"
#include "policy/identity.h"
#include "tests/lib/test.h"

static bool
parse(const char *text, struct config **out, struct err *err)
{
	struct config_source	 source = { (char *)"t.conf", (char *)text,
				    strlen(text) };

	return config_parse(&source, 1, out, err);
}

/* --- what is refused -------------------------------------------------- */

static const struct {
	const char	*what;
	const char	*text;
	const char	*error;		/* all of it */
} refused[] = {
	{ "an unknown option", "\n# a\n\nbogus = 1\n",
	    "t.conf:4: no such option 'bogus'" },
	{ "an option of another section", "listener \"unix:/x\" {\n"
	    "sign = never\n}\n", "t.conf:2: no such option 'sign'" },
	{ "a wrong word", "# c\n# d\ndefault {\n\tsign = maybe\n}\n",
	    "t.conf:4: sign: found \"maybe\", wanted never, prefer or "
	    "require" },
	{ "a word with a semicolon", "enabled = true;",
	    "t.conf:1: enabled: found \"true;\", wanted true or false" },
	{ "a type without a subtype", "default { skip-sign = { text } }",
	    "t.conf:1: skip-sign: found \"text\", wanted a media type, such "
	    "as text/calendar or \"text/calendar; method\"" },
	{ "a type with two parameters",
	    "default { skip-encrypt = { \"a/b; c; d\" } }",
	    "t.conf:1: skip-encrypt: found \"a/b; c; d\", wanted a media "
	    "type, such as text/calendar or \"text/calendar; method\"" },
	{ "an archive that is no address",
	    "default { also-encrypt-to = { archive } }",
	    "t.conf:1: also-encrypt-to: \"archive\" is no mail address: one "
	    "\"@\" between local part and domain is wanted" },
	{ "a delimiter that quotes", "subaddress-delimiter = \"'\"",
	    "t.conf:1: subaddress-delimiter: found \"'\", wanted nothing, or "
	    "some of the characters + - = # _" },
	{ "a word in other letters", "default { mixed = Plain }",
	    "t.conf:1: mixed: found \"Plain\", wanted plain, reject or "
	    "tempfail" },
	{ "an option given twice", "enabled = true\n# x\nenabled = false\n",
	    "t.conf:3: found enabled a second time, wanted it once; the "
	    "first is in line 1" },
	{ "a list given twice", "group a {\nmembers = { }\n"
	    "members = { \"x@y.z\" }\n}\n",
	    "t.conf:3: found members a second time, wanted it once; the "
	    "first is in line 2" },
	{ "a single section given twice", "default { }\n\ndefault { }\n",
	    "t.conf:3: found default a second time, wanted it once; the "
	    "first is in line 1" },
	{ "a group name given twice", "group a { }\ngroup a { }\n",
	    "t.conf:2: found group a a second time, wanted it once; the "
	    "first is in line 1" },
	{ "a listener given twice", "listener \"unix:/x\" { }\n"
	    "listener \"unix:/x\" { mode = \"0600\" }\n",
	    "t.conf:2: found listener unix:/x a second time, wanted it once; "
	    "the first is in line 1" },
	{ "a variable in quotes", "\nstore = \"${HOME}\"\n",
	    "t.conf:2: found \"${\", wanted no variable: none is expanded" },
	{ "a variable without quotes", "store = ${HOME}\n",
	    "t.conf:1: found \"${\", wanted no variable: none is expanded" },
	{ "a section without its end", "default {\n sign = never\n",
	    "t.conf:3: found the end of the file, wanted \"}\"" },
	{ "a list without its end", "group a { members = { \"x@y.z\"\n",
	    "t.conf:2: found the end of the file, wanted \"}\"" },
	{ "an end too many", "default { }\n}\n",
	    "t.conf:2: found \"}\", wanted an option or a section" },
	{ "a C comment", "/* off */\n",
	    "t.conf:1: found \"/*\", wanted \"#\" before a comment, or quotes "
	    "around a text" },
	{ "quotes over two lines", "store = \"/a\n/b\"\n",
	    "t.conf:1: found the end of the line inside quotes, wanted the "
	    "closing quote" },
	{ "an append", "group a { members += { b@c.d } }",
	    "t.conf:1: found \"+\", \"(\" or \")\", wanted quotes around it" },
	{ "an include", "include(\"/etc/passwd\")",
	    "t.conf:1: found \"+\", \"(\" or \")\", wanted quotes around it" },
	{ "a path to an option", "authorize|local = true",
	    "t.conf:1: found \"|\", wanted quotes around it" },
	{ "a control character", "store = \"/a\x01\"",
	    "t.conf:1: found a control character, wanted text" },
	{ "an escaped control character", "\nstore = \"/a\\n\"",
	    "t.conf:2: store: found \"/a\\x0a\", wanted text" },
	{ "no UTF-8", "store = \"/\xff\"",
	    "t.conf:1: found bytes that are no UTF-8, wanted UTF-8" },
	{ "a member that is no address", "group a {\n members = {\n"
	    " \"a@b.c\",\n \"nobody\" }\n}\n",
	    "t.conf:4: members: \"nobody\" is no mail address: one \"@\" "
	    "between local part and domain is wanted" },
	{ "a group called default", "\ngroup default { }",
	    "t.conf:2: found \"default\", wanted another name: that is what "
	    "mail of no group has" },
	{ "a group name that a log line cannot hold", "group \"a b\" { }",
	    "t.conf:1: found \"a b\", wanted a name of at most 60 letters, "
	    "digits, \"-\", \"_\" and \".\"" },
	{ "a group without a name", "group { }",
	    "t.conf:1: missing title for section 'group'" },
	{ "a relative path", "store = \"lib\"",
	    "t.conf:1: store: found \"lib\", wanted a path that begins with "
	    "/" },
	{ "a size too large", "max-message-size = 2G",
	    "t.conf:1: max-message-size: found \"2G\", wanted a number of "
	    "bytes below 2G, such as 50M or 512K" },
	{ "a size of nothing", "spool-memory = 0",
	    "t.conf:1: spool-memory: found \"0\", wanted a number of bytes "
	    "below 2G, such as 50M or 512K" },
	{ "a disk too large", "spool-disk = 1025G",
	    "t.conf:1: spool-disk: found \"1025G\", wanted a number of "
	    "bytes, at most 1024G, such as 500M or 4G" },
	{ "a disk of nothing", "spool-disk = 0K",
	    "t.conf:1: spool-disk: found \"0K\", wanted a number of "
	    "bytes, at most 1024G, such as 500M or 4G" },
	{ "a time that the MTA would not wait", "vault-timeout = 300",
	    "t.conf:1: vault-timeout: found \"300\", wanted a number of "
	    "seconds from 1 to 240" },
	{ "an age without a unit", "stamp-lifetime = 7",
	    "t.conf:1: stamp-lifetime: found \"7\", wanted a time up to 100d, "
	    "with s, m, h, d or w for its unit, such as 7d" },
	{ "an age beyond a hundred days", "stamp-lifetime = 15w",
	    "t.conf:1: stamp-lifetime: found \"15w\", wanted a time up to "
	    "100d, with s, m, h, d or w for its unit, such as 7d" },
	{ "an age that is not a number", "stamp-lifetime = \"-1d\"",
	    "t.conf:1: stamp-lifetime: found \"-1d\", wanted a time up to "
	    "100d, with s, m, h, d or w for its unit, such as 7d" },
	{ "a count with a unit", "max-recipients = 5K",
	    "t.conf:1: max-recipients: found \"5K\", wanted a number from 1 "
	    "to 100000" },
	{ "a mode that is not octal",
	    "listener \"unix:/x\" { mode = \"0880\" }",
	    "t.conf:1: mode: found \"0880\", wanted four octal digits, such "
	    "as 0660" },
	{ "a network with bits beyond its length",
	    "authorize {\n networks = { \"192.0.2.1/24\" }\n}\n",
	    "t.conf:2: networks: found \"192.0.2.1/24\", wanted a network "
	    "such as 192.0.2.0/24" },
	{ "identities that are no path", "authorize { identities = none }",
	    "t.conf:1: identities: found \"none\", wanted login, any or the "
	    "path of a file, which begins with /" },
	{ "a socket of an unknown kind", "\nlistener \"tcp:25\" { }",
	    "t.conf:2: found listener \"tcp:25\", wanted unix:/PATH, "
	    "inet:PORT@HOST or inet6:PORT@HOST" },
	{ "a relative socket path", "listener \"unix:x\" { }",
	    "t.conf:1: found listener \"unix:x\", wanted a path that begins "
	    "with / after \"unix:\"" },
	{ "a listener for the whole network", "listener \"inet:8891\" { }",
	    "t.conf:1: found listener \"inet:8891\", wanted a loopback "
	    "address, or insecure-network = true" },
	{ "another host's address", "listener \"inet:8891@192.0.2.1\" { }",
	    "t.conf:1: found listener \"inet:8891@192.0.2.1\", wanted a "
	    "loopback address, or insecure-network = true" },
	{ "an IPv6 address in inet", "listener \"inet:8891@::1\" { }",
	    "t.conf:1: found listener \"inet:8891@::1\", wanted an IP address "
	    "or localhost after \"@\"" },
	{ "a port of none", "listener \"inet:0@127.0.0.1\" { }",
	    "t.conf:1: found listener \"inet:0@127.0.0.1\", wanted a port "
	    "from 1 to 65535, as in inet:8891@127.0.0.1" },
	{ "seal on the network", "listener \"inet:8891@192.0.2.1\" {\n"
	    "role = seal\ninsecure-network = true\n}",
	    "t.conf:1: found listener \"inet:8891@192.0.2.1\", wanted a unix "
	    "socket or a loopback address for role = seal" },
	{ "never against a require everywhere", "default { encrypt = require }"
	    "\nrecipients lists {\n members = { \"@l.example\" }\n"
	    " encrypt = never\n}\n",
	    "t.conf:2: found encrypt = never in recipients lists, wanted no "
	    "contradiction: every group has encrypt = require" },
};

static void
test_refused(void)
{
	for (size_t i = 0; i < TEST_LEN(refused); i++) {
		struct config	*config = NULL;
		struct err	 err = { 0 };

		test_row(refused[i].what);
		CHECK(!parse(refused[i].text, &config, &err));
		CHECK_INT(err.kind, ERR_CONFIG);
		CHECK_STR(err.reason, refused[i].error);
		config_free(config);
	}
	test_row(NULL);
}

static void
test_nul(void)
{
	struct config_source	 source = { (char *)"t.conf",
				    (char *)"enabled\0= true", 14 };
	struct config		*config = NULL;
	struct err		 err;

	CHECK(!config_parse(&source, 1, &config, &err));
	CHECK_STR(err.reason,
	    "t.conf:1: found a control character, wanted text");
}

/* --- defaults and inheritance ----------------------------------------- */

static void
test_defaults(void)
{
	struct config	*c;
	struct err	 err;

	REQUIRE_OK(parse("", &c, &err), err);
	CHECK(!c->enabled);
	CHECK_STR(c->store, "/var/lib/smime-milter");
	CHECK_STR(c->master_key, "/etc/smime-milter/master.key");
	CHECK_STR(c->user, "smime-milter");
	CHECK_STR(c->filter_user, "smime-filter");
	CHECK_STR(c->spool_dir, "/var/tmp");
	CHECK(!c->subject_tags);
	CHECK_INT(c->max_message_size, 50 * 1024 * 1024);
	CHECK_INT(c->spool_memory, 256 * 1024 * 1024);
	CHECK_INT(c->max_recipients, 1000);
	CHECK_INT(c->vault_timeout, 20);
	CHECK_INT(c->key_rate, 300000);
	CHECK_INT(c->stamp_lifetime, 7 * 86400);
	CHECK_INT(c->max_connections, 4000);
	CHECK_INT(c->max_mails, 1000);
	CHECK_INT(c->n_listeners, 0);
	CHECK(c->authorize.authenticated && !c->authorize.local);
	CHECK_INT(c->authorize.identities, IDENTITIES_LOGIN);
	CHECK_INT(c->default_group.options.sign, WANT_PREFER);
	CHECK_INT(c->default_group.options.encrypt, WANT_PREFER);
	CHECK_INT(c->default_group.options.mixed, OTHERWISE_PLAIN);
	CHECK_INT(c->default_group.options.hidden, OTHERWISE_REJECT);
	CHECK(c->default_group.options.override);
	CHECK_INT(c->default_group.options.cipher, CIPHER_AES256_CBC);
	CHECK_INT(c->default_group.options.digest, DIGEST_SHA256);
	CHECK_INT(c->default_group.options.signed_format, FORMAT_DETACHED);
	CHECK_INT(c->default_group.options.on_error, ON_ERROR_TEMPFAIL);
	config_free(c);
}

static void
test_inheritance(void)
{
	struct config	*c;
	struct err	 err;

	REQUIRE_OK(parse(
	    "group early { members = { \"a@x.example\" } digest = sha-512 }\n"
	    "default { sign = require  hidden = plain  on-error = accept\n"
	    "  cipher = auto  override = no  signed-format = opaque"
	    "  signature-algorithm = rsa-pss }\n"
	    "group late {\n members = { \"@x.example\" }\n sign = never }\n",
	    &c, &err), err);
	CHECK_INT(c->n_groups, 2);
	CHECK_STR(c->groups[0].name, "early");
	CHECK_STR(c->groups[0].label, "group early");
	CHECK_INT(c->groups[0].line, 1);
	CHECK_INT(c->groups[1].line, 4);
	CHECK_INT(c->default_group.line, 2);
	CHECK_INT(c->groups[0].options.digest, DIGEST_SHA512);
	CHECK_INT(c->groups[0].options.sign, WANT_REQUIRE);
	CHECK_INT(c->groups[0].options.hidden, OTHERWISE_PLAIN);
	CHECK_INT(c->groups[0].options.on_error, ON_ERROR_ACCEPT);
	CHECK_INT(c->groups[0].options.cipher, CIPHER_AUTO);
	CHECK_INT(c->groups[0].options.signed_format, FORMAT_OPAQUE);
	CHECK_INT(c->groups[0].options.signature_algorithm, SIGNATURE_RSA_PSS);
	CHECK(!c->groups[0].options.override);
	CHECK_INT(c->groups[1].options.sign, WANT_NEVER);
	CHECK_INT(c->groups[1].options.digest, DIGEST_SHA256);
	CHECK_INT(group_table_find(c->group_members, "a@x.example"), 0);
	CHECK_INT(group_table_find(c->group_members, "b@x.example"), 1);
	CHECK_INT(c->n_warnings, 0);
	config_free(c);
}

/* A list is inherited whole, replaced whole, and can be emptied. */
static void
test_lists(void)
{
	struct config	*c;
	struct options	*o;
	struct err	 err;

	REQUIRE_OK(parse(
	    "group empty { members = { \"e@x.example\" } skip-sign = { }\n"
	    "  also-encrypt-to = { } }\n"
	    "default { skip-sign = { \"Text/Calendar; METHOD=reply\",\n"
	    "  \"multipart/report\" }  also-encrypt-to = { self,\n"
	    "  \"Archive@X.example\" } }\n"
	    "group own { members = { \"o@x.example\" }\n"
	    "  skip-sign = { \"image/png\" } }\n"
	    "group none { members = { \"n@x.example\" } sign = never }\n",
	    &c, &err), err);
	o = &c->default_group.options;
	CHECK_INT(o->skip_sign.n, 2);
	CHECK_STR(o->skip_sign.list[0].text, "Text/Calendar; METHOD=reply");
	CHECK_STR(o->skip_sign.list[0].type, "text/calendar");
	CHECK_STR(o->skip_sign.list[0].param, "method");
	CHECK_STR(o->skip_sign.list[0].value, "reply");
	CHECK_STR(o->skip_sign.list[1].type, "multipart/report");
	CHECK_STR(o->skip_sign.list[1].param, NULL);
	CHECK_INT(o->skip_encrypt.n, 0);
	CHECK_STR(o->also_encrypt_to.list[0], "self");
	CHECK_STR(o->also_encrypt_to.list[1], "archive@x.example");
	o = &c->groups[0].options;
	CHECK_INT(o->skip_sign.n + o->also_encrypt_to.n, 0);
	o = &c->groups[1].options;
	CHECK_INT(o->skip_sign.n, 1);
	CHECK_STR(o->skip_sign.list[0].type, "image/png");
	CHECK_INT(o->also_encrypt_to.n, 2);
	o = &c->groups[2].options;
	CHECK_INT(o->skip_sign.n, 2);
	CHECK_STR(o->skip_sign.list[1].type, "multipart/report");
	config_free(c);
}

static void
test_sections(void)
{
	struct config	*c;
	struct err	 err;

	REQUIRE_OK(parse("# all of it\n"
	    "listener \"unix:/run/m.sock\" { role = stamp group = postfix\n"
	    "  mode = \"0600\" }\n"
	    "listener \"inet6:8891@::1\" { role = seal }\n"
	    "listener 'inet:8892@localhost' { }\n"
	    "authorize {\n local = on\n authenticated = off\n"
	    "  networks = { \"192.0.2.0/24\", \"2001:db8::/32\", ::1 }\n"
	    "  identities = any }\n"
	    "recipients partner { members = { \"@.p.example\" }\n"
	    "  encrypt = require cipher = aes-256-gcm }\n"
	    "recipients lists { members = { \"@l.example\" } sign = never }\n",
	    &c, &err), err);
	CHECK_INT(c->n_listeners, 3);
	CHECK_STR(c->listeners[0].spec, "unix:/run/m.sock");
	CHECK_STR(c->listeners[0].path, "/run/m.sock");
	CHECK_INT(c->listeners[0].role, ROLE_STAMP);
	CHECK_STR(c->listeners[0].group, "postfix");
	CHECK_INT(c->listeners[0].mode, 0600);
	CHECK_INT(c->listeners[0].line, 2);
	CHECK_INT(c->listeners[1].role, ROLE_SEAL);
	CHECK(c->listeners[1].path == NULL);
	CHECK_INT(c->listeners[1].line, 4);
	CHECK_STR(c->listeners[2].group, "");
	CHECK_INT(c->listeners[2].mode, 0660);
	CHECK(c->authorize.local && !c->authorize.authenticated);
	CHECK_INT(c->authorize.n_networks, 3);
	CHECK_INT(c->authorize.networks[0].bits, 96 + 24);
	CHECK_INT(c->authorize.networks[1].bits, 32);
	CHECK_INT(c->authorize.networks[2].bits, 128);
	CHECK_INT(c->authorize.identities, IDENTITIES_ANY);
	CHECK_INT(c->n_recipients, 2);
	CHECK(c->recipients[0].has_encrypt && c->recipients[0].has_cipher &&
	    !c->recipients[0].has_sign);
	CHECK_INT(c->recipients[0].encrypt, WANT_REQUIRE);
	CHECK_INT(c->recipients[0].cipher, CIPHER_AES256_GCM);
	CHECK(c->recipients[1].has_sign && !c->recipients[1].has_encrypt);
	CHECK_INT(group_table_find(c->recipients_members, "x@p.example"), 0);
	CHECK_INT(group_table_find(c->recipients_members, "x@a.p.example"), 0);
	CHECK_INT(group_table_find(c->recipients_members, "x@l.example"), 1);
	CHECK(group_table_find(c->recipients_members, "x@q.example") ==
	    GROUP_NONE);
	CHECK_INT(c->n_warnings, 1);	/* identities = any */
	config_free(c);
}

/* --- warnings --------------------------------------------------------- */

static const struct {
	const char	*what;
	const char	*text;
	const char	*warning;
} warned[] = {
	{ "less disk than one mail may need",
	    "max-message-size = 50M\nspool-disk = 99M",
	    "t.conf: spool-disk has no room for a mail of max-message-size, "
	    "which takes twice as much when it is encrypted" },
	{ "enabled, and nothing to listen at", "enabled = true",
	    "t.conf: there is no listener: no mail will reach the filter" },
	{ "open to the network", "listener \"inet:1@192.0.2.1\" {\n"
	    "insecure-network = true }", "t.conf:1: listener "
	    "inet:1@192.0.2.1: every host that can reach it may have mail "
	    "signed; protect it by other means" },
	{ "a first pass without a second",
	    "listener \"unix:/s\" { role = stamp }", "t.conf: there is a "
	    "listener of role stamp and none of role seal: mail would be "
	    "stamped, and neither signed nor encrypted" },
	{ "a second pass without a first",
	    "listener \"unix:/s\" { role = seal }", "t.conf: there is a "
	    "listener of role seal and none of role stamp: no mail would "
	    "be signed" },
	{ "nobody authorised", "authorize { authenticated = false }",
	    "t.conf: nobody is authorised: no mail will be signed or "
	    "encrypted" },
	{ "local without identities", "authorize { local = true }",
	    "t.conf: local and networks authorise nobody without an "
	    "identities file that says which From addresses they may use" },
	{ "every From address for everybody", "authorize { identities = any }",
	    "t.conf: identities = \"any\": whoever is authorised may use "
	    "every From address, unless the MTA prevents it "
	    "(reject_sender_login_mismatch)" },
	{ "networks without identities",
	    "authorize { networks = { \"192.0.2.0/24\" } }",
	    "t.conf: local and networks authorise nobody without an "
	    "identities file that says which From addresses they may use" },
	{ "the weakest cipher, told once where it is inherited",
	    "default { cipher = aes-128-cbc }\n"
	    "group a { members = { \"x@y.z\" } }",
	    "t.conf:1: default has cipher = aes-128-cbc, the weakest: every "
	    "program that reads it reads aes-256-cbc, too" },
	{ "the weakest cipher in a section",
	    "\nrecipients p { members = { \"@p.q\" } cipher = aes-128-cbc }",
	    "t.conf:2: recipients p has cipher = aes-128-cbc, the weakest: "
	    "every program that reads it reads aes-256-cbc, too" },
	{ "a member of a section in an earlier one",
	    "recipients a { members = { \"@.y.z\" } }\n"
	    "recipients b { members = { \"x@y.z\", \"u@v.w\" } }",
	    "t.conf: x@y.z (t.conf:2) of recipients b is in recipients a "
	    "already, which comes first and wins" },
	{ "a member in two groups", "group a { members = { \"x@y.z\" } }\n"
	    "group b { members = { \"x@y.z\", \"u@v.w\" } }",
	    "t.conf: x@y.z (t.conf:2) of group b is in group a already, which "
	    "comes first and wins" },
	{ "a group without members", "\ngroup a { }",
	    "t.conf:2: group a has no member that could ever match" },
	{ "a section that some groups contradict",
	    "group a { members = { \"x@y.z\" } encrypt = never }\n"
	    "recipients p { members = { \"@p.q\" } encrypt = require }",
	    "t.conf:2: recipients p has encrypt = require, but group a has "
	    "encrypt = never: mail from there to these recipients is "
	    "refused" },
};

static void
test_warnings(void)
{
	struct config	*c;
	struct err	 err;

	for (size_t i = 0; i < TEST_LEN(warned); i++) {
		test_row(warned[i].what);
		REQUIRE_OK(parse(warned[i].text, &c, &err), err);
		CHECK_INT(c->n_warnings, 1);
		if (c->n_warnings > 0)
			CHECK_STR(c->warnings[0], warned[i].warning);
		config_free(c);
	}
	test_row("a group that an earlier domain covers");
	REQUIRE_OK(parse("group a { members = { \"@.y.z\" } }\n"
	    "group b { members = { \"x@y.z\", \"@sub.y.z\" } }\n",
	    &c, &err), err);
	CHECK_INT(c->n_warnings, 3);
	config_free(c);
	test_row(NULL);
}

/* --- files ------------------------------------------------------------ */

static void
write_file(const char *path, const char *text)
{
	FILE	*f = fopen(path, "w");

	REQUIRE(f != NULL);
	REQUIRE(fputs(text, f) >= 0);
	REQUIRE(fclose(f) == 0);
}

static void
test_files(void)
{
	char		 dir[] = "/tmp/test-config.XXXXXX";
	char		*conf, *ids, *members, *text, *want;
	struct config	*c = NULL;
	struct err	 err;

	REQUIRE(mkdtemp(dir) != NULL);
	conf = mem_strf("%s/t.conf", dir);
	ids = mem_strf("%s/ids", dir);
	members = mem_strf("%s/members", dir);
	text = mem_strf("authorize {\n identities = \"%s\"\n}\n"
	    "group a {\n members-file = \"%s\"\n}\n"
	    "group b { members = { \"b@x.example\", \"c@x.example\" } }\n",
	    ids, members);
	write_file(conf, text);

	want = mem_strf("%s:2: %s: No such file or directory", conf, ids);
	CHECK(!config_read(conf, &c, &err));
	CHECK_STR(err.reason, want);
	free(want);

	write_file(ids, "# who\nbob b@x.example\n");
	write_file(members, "# many\na@x.example  B@X.example # two\n\n@d.e\n");
	CHECK_OK(config_read(conf, &c, &err), err);
	CHECK(identity_check(c, "bob", NULL, "b@x.example", &err));
	CHECK_INT(group_table_find(c->group_members, "a@x.example"), 0);
	CHECK_INT(group_table_find(c->group_members, "b@x.example"), 0);
	CHECK_INT(group_table_find(c->group_members, "c@x.example"), 1);
	CHECK_INT(group_table_find(c->group_members, "z@d.e"), 0);
	config_free(c);

	write_file(members, "a@x.example\nnonsense\n");
	want = mem_strf("%s:2: \"nonsense\" is no mail address: one \"@\" "
	    "between local part and domain is wanted", members);
	CHECK(!config_read(conf, &c, &err));
	CHECK_INT(err.kind, ERR_CONFIG);
	CHECK_STR(err.reason, want);
	free(want);

	write_file(members, "");
	write_file(ids, "\nbob\n");
	want = mem_strf("%s:2: found no address, wanted those that bob may "
	    "use", ids);
	CHECK(!config_read(conf, &c, &err));
	CHECK_STR(err.reason, want);
	free(want);

	CHECK(!config_read(dir, &c, &err));
	unlink(conf);
	unlink(ids);
	unlink(members);
	rmdir(dir);
	free(conf);
	free(ids);
	free(members);
	free(text);
}

/* --- scale ------------------------------------------------------------ */

/* Of processor time: others use the machine as well. */
static double
seconds(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/*
 * 10,000 groups with 100,000 members: under two seconds to read, under 20
 * microseconds to match.  Asserted with room for slow and sanitized builds.
 */
static void
test_scale(void)
{
	struct buf	 text = { 0 };
	struct config	*c;
	struct err	 err;
	double		 begin, read_s, find_s;
	char		*s;

	for (int g = 0; g < 10000; g++) {
		buf_addf(&text, "group g%d {\n\tmembers = {", g);
		for (int m = 0; m < 10; m++)
			buf_addf(&text, "%s \"m%d@d%d.example\"",
			    m == 0 ? "" : ",", m, g);
		buf_adds(&text, " }\n\tsign = require\n}\n");
	}
	s = buf_take_str(&text);
	begin = seconds();
	REQUIRE_OK(parse(s, &c, &err), err);
	read_s = seconds() - begin;
	begin = seconds();
	for (int i = 0; i < 10000; i++) {
		char	 addr[64];

		snprintf(addr, sizeof(addr), "m%d@d%d.example", i % 10, i);
		if (group_table_find(c->group_members, addr) != (size_t)i)
			CHECK(!"every member is found in its group");
	}
	find_s = seconds() - begin;
	printf("10,000 groups: read in %.3f s, found in %.2f us each\n",
	    read_s, find_s * 1e6 / 10000);
	CHECK(read_s < 10);
	CHECK(find_s < 10000 * 100e-6);
	config_free(c);
	free(s);
}

/* --- sample and manual ------------------------------------------------ */

static char *
read_text(const char *name)
{
	const char	*top = getenv("TEST_SOURCE");
	char		*path = mem_strf("%s/%s", top ? top : ".", name);
	struct buf	 buf = { 0 };
	FILE		*f = fopen(path, "r");
	char		 chunk[4096];
	size_t		 n;

	if (f == NULL)
		printf("%s cannot be read\n", path);
	REQUIRE(f != NULL);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(&buf, chunk, n);
	fclose(f);
	free(path);
	return buf_take_str(&buf);
}

/* A list's marks and quotes are no part of what is compared. */
static bool
is_value(const char *line, const char *value)
{
	size_t	 n = strcspn(line, "\n#");

	while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'))
		n--;
	return strlen(value) == n && strncmp(line, value, n) == 0;
}

/* A line of the sample that is no comment: an option, or a section's. */
static bool
is_known(const char *line)
{
	size_t				 n;
	const struct config_row		*o;

	line += strspn(line, "\t");
	n = strcspn(line, " \n");
	test_row(line);
	if (strncmp(line + n, " = ", 3) != 0)
		return line[0] == '}' || strcspn(line, "{") < strcspn(line,
		    "\n");
	for (size_t i = 0; (o = config_schema_row(i)) != NULL; i++)
		if (strlen(o->name) == n && strncmp(o->name, line, n) == 0)
			return true;
	return false;
}

/* The manual has no option that is none, nor one in the wrong section. */
static void
check_manual(const char *manual)
{
	const char			*p = manual;
	char				 section[64] = "", name[64];
	const struct config_row		*o;

	while (p != NULL && strncmp(p, ".Sh ORDER", 9) != 0) {
		bool	 is_there = false;

		if (sscanf(p, ".Ss %63[^\n]", section) == 1 &&
		    strcmp(section, "Top level") == 0)
			section[0] = '\0';
		if (sscanf(p, ".It Ic %63[a-z-] =", name) == 1) {
			for (size_t i = 0; (o = config_schema_row(i)) != NULL;
			    i++)
				is_there |= strcmp(o->name, name) == 0 &&
				    strcmp(o->where, section) == 0;
			test_row(name);
			CHECK(is_there);
		}
		p = strchr(p, '\n');
		p = p == NULL ? NULL : p + 1;
	}
	CHECK(p != NULL);
}

/*
 * The sample has every option as "#name = default" under its section; the
 * manual has ".It Ic name = ..." and a line "Default: ..." under its own.
 */
static void
test_documents(void)
{
	char				*sample = read_text(
					    "conf/smime-milter.conf");
	char				*manual = read_text(
					    "conf/smime-milter.conf.5");
	const struct config_row		*o;

	for (size_t i = 0; (o = config_schema_row(i)) != NULL; i++) {
		char	*head = mem_strf("\n#%s%s", o->where,
			    o->where[0] != '\0' ? " " : "");
		char	*line = mem_strf("#%s%s = ",
			    o->where[0] != '\0' ? "\t" : "", o->name);
		char	*item = mem_strf("\n.It Ic %s = ", o->name);
		char	*at, *title;

		test_row(o->name);
		at = o->where[0] != '\0' ? strstr(sample, head) : sample;
		CHECK(at != NULL);
		at = at == NULL ? NULL : strstr(at, line);
		CHECK(at != NULL);
		if (at != NULL && o->value != NULL)
			CHECK(is_value(at + strlen(line), o->value));
		title = mem_strf("\n.Ss %s", o->where[0] != '\0' ?
		    o->where : "Top level");
		at = strstr(manual, title);
		CHECK(at != NULL);
		at = at == NULL ? NULL : strstr(at, item);
		CHECK(at != NULL);
		if (at != NULL && o->value != NULL) {
			char	*dflt = mem_strf("Default: %s", o->value);

			at = strstr(at + 1, "\nDefault: ");
			CHECK(at != NULL);
			if (at != NULL)
				CHECK(strncmp(at + 1, dflt,
				    strlen(dflt)) == 0);
			free(dflt);
		}
		free(head);
		free(line);
		free(item);
		free(title);
	}
	for (char *p = sample; (p = strstr(p, "\n#")) != NULL; p++)
		CHECK(p[2] == ' ' || p[2] == '\n' || is_known(p + 2));
	check_manual(manual);
	test_row(NULL);
	free(sample);
	free(manual);
}

/* The sample as it is, and with every comment taken off, is a configuration. */
static void
test_sample(void)
{
	char		*sample = read_text("conf/smime-milter.conf");
	struct config	*c;
	struct err	 err;
	bool		 is_start = true;

	CHECK_OK(parse(sample, &c, &err), err);
	config_free(c);
	for (char *p = sample; *p != '\0'; p++) {
		if (is_start && p[0] == '#' && p[1] != ' ' && p[1] != '\n')
			*p = ' ';
		is_start = *p == '\n';
	}
	REQUIRE_OK(parse(sample, &c, &err), err);
	CHECK(!c->enabled);
	CHECK_INT(c->n_listeners, 1);
	CHECK_INT(c->n_groups, 1);
	CHECK_INT(c->n_recipients, 1);
	config_free(c);
	free(sample);
}

int
main(void)
{
	test_refused();
	test_nul();
	test_defaults();
	test_inheritance();
	test_lists();
	test_sections();
	test_warnings();
	test_files();
	test_scale();
	test_sample();
	test_documents();
	return test_done("config");
}
