/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/config_parse.h"
#include "policy/identity.h"
#include "tests/lib/test.h"

enum kind { LOGIN, ANY, WITH_FILE, CLOSED };	/* the configuration */

static const char *const	 configs[] = {
	[LOGIN] = "authorize { local = true\n"
	    "networks = { \"192.0.2.0/24\", \"2001:db8::/32\" } }",
	[ANY] = "authorize { local = true\n"
	    "networks = { \"192.0.2.0/24\" } identities = any }",
	[WITH_FILE] = "authorize { local = true\n"
	    "networks = { \"192.0.2.0/24\", \"2001:db8::/32\" }\n"
	    "identities = \"/ids\" }",
	[CLOSED] = "authorize { authenticated = false\n"
	    "identities = \"/ids\" }",
};

static const char	 ids[] =
	"# who may use what\n"
	"bob\t\tbob@example.org   sales@example.org # both\n"
	"Carol@Example.org  @team.example\n"
	"carol@example.org  @.wide.example\n"
	"\n"
	"net:192.0.2.7/32   @apps.example\n"
	"net:192.0.2.128/25 half@example.org\n"
	"net:198.51.100.1   out@example.org\n"
	"net:2001:db8::7    six@example.org\n"
	"local  cron@example.org\n"
	"d@example.org d2@example.org";

static const struct {
	const char	*what;
	enum kind	 config;
	const char	*login;
	const char	*client;
	const char	*from;
	const char	*why;		/* NULL: allowed */
} rows[] = {
	{ "the login is the address", LOGIN, "a@example.org", NULL,
	    "a@example.org", NULL },
	{ "the login in other letters", LOGIN, "A@EXAMPLE.org", NULL,
	    "a@example.org", NULL },
	{ "somebody else's address", LOGIN, "a@example.org", NULL,
	    "b@example.org", "login a@example.org may not use From "
	    "<b@example.org>" },
	{ "a login without a domain", LOGIN, "a", NULL, "a@example.org",
	    "login a may not use From <a@example.org>" },
	{ "an empty login is one", LOGIN, "", "192.0.2.1", "a@example.org",
	    "login  may not use From <a@example.org>" },
	{ "a login with a line end is shown safely", LOGIN, "a\nb", NULL,
	    "a@example.org", "login a\\x0ab may not use From "
	    "<a@example.org>" },
	{ "nobody", LOGIN, NULL, NULL, "a@example.org",
	    "nobody is authenticated" },
	{ "a network without an identities file", LOGIN, NULL, "192.0.2.1",
	    "a@example.org", "client 192.0.2.1 may not use From "
	    "<a@example.org>" },
	{ "local without an identities file", LOGIN, NULL, "local",
	    "a@example.org", "a local sender may not use From "
	    "<a@example.org>" },

	{ "any: a login", ANY, "a", NULL, "b@example.org", NULL },
	{ "any: a host in networks", ANY, NULL, "192.0.2.255",
	    "b@example.org", NULL },
	{ "any: another host", ANY, NULL, "192.0.3.0", "b@example.org",
	    "nobody is authenticated, and client 192.0.3.0 is not authorised "
	    "without" },
	{ "any: the sendmail command", ANY, NULL, "local", "b@example.org",
	    NULL },
	{ "any: nobody", ANY, NULL, NULL, "b@example.org",
	    "nobody is authenticated" },

	{ "file: a login's addresses", WITH_FILE, "bob", NULL,
	    "sales@example.org", NULL },
	{ "file: not another", WITH_FILE, "bob", NULL, "a@example.org",
	    "login bob may not use From <a@example.org>" },
	{ "file: logins without a domain are compared byte for byte",
	    WITH_FILE, "Bob", NULL, "bob@example.org",
	    "login Bob may not use From <bob@example.org>" },
	{ "file: several lines of one login, in any case", WITH_FILE,
	    "CAROL@example.org", NULL, "x@team.example", NULL },
	{ "file: the second line", WITH_FILE, "carol@example.org", NULL,
	    "x@deep.wide.example", NULL },
	{ "file: a login's own address, though it has lines", WITH_FILE,
	    "d@example.org", NULL, "d@example.org", NULL },
	{ "file: a login that is not in it, own address", WITH_FILE,
	    "e@example.org", NULL, "e@example.org", NULL },
	{ "file: the last line has no line end", WITH_FILE, "d@example.org",
	    NULL, "d2@example.org", NULL },
	{ "file: networks never widen a login", WITH_FILE, "bob",
	    "192.0.2.7", "x@apps.example",
	    "login bob may not use From <x@apps.example>" },
	{ "file: a login called local is not the sendmail command",
	    WITH_FILE, "local", NULL, "cron@example.org",
	    "login local may not use From <cron@example.org>" },
	{ "file: a host's addresses", WITH_FILE, NULL, "192.0.2.7",
	    "x@apps.example", NULL },
	{ "file: another host of the same network", WITH_FILE, NULL,
	    "192.0.2.8", "x@apps.example",
	    "client 192.0.2.8 may not use From <x@apps.example>" },
	{ "file: a network's first address", WITH_FILE, NULL, "192.0.2.128",
	    "half@example.org", NULL },
	{ "file: the last before it", WITH_FILE, NULL, "192.0.2.127",
	    "half@example.org",
	    "client 192.0.2.127 may not use From <half@example.org>" },
	{ "file: a line does not admit a host that networks has not",
	    WITH_FILE, NULL, "198.51.100.1", "out@example.org",
	    "nobody is authenticated, and client 198.51.100.1 is not "
	    "authorised without" },
	{ "file: IPv6", WITH_FILE, NULL, "2001:db8::7", "six@example.org",
	    NULL },
	{ "file: IPv6 as Postfix writes it", WITH_FILE, NULL,
	    "IPv6:2001:DB8:0::7", "six@example.org", NULL },
	{ "file: IPv4 in IPv6", WITH_FILE, NULL, "::ffff:192.0.2.7",
	    "x@apps.example", NULL },
	{ "file: the sendmail command", WITH_FILE, NULL, "local",
	    "cron@example.org", NULL },
	{ "file: not another address", WITH_FILE, NULL, "local",
	    "bob@example.org",
	    "a local sender may not use From <bob@example.org>" },
	{ "a client that is no address", WITH_FILE, NULL, "unknown",
	    "x@apps.example",
	    "unknown client unknown may not use From <x@apps.example>" },

	{ "closed: a login", CLOSED, "bob", NULL, "bob@example.org",
	    "authenticated senders are not authorised here" },
	{ "closed: the sendmail command", CLOSED, NULL, "local",
	    "cron@example.org", "local senders are not authorised here" },
	{ "closed: a host", CLOSED, NULL, "192.0.2.7", "x@apps.example",
	    "nobody is authenticated, and client 192.0.2.7 is not authorised "
	    "without" },
};

/* By what it is allowed, as explain tells it. */
static const struct {
	const char	*what;
	enum kind	 config;
	const char	*login;
	const char	*client;
	const char	*from;
	const char	*grant;		/* NULL: by nothing */
} grants[] = {
	{ "the login itself", LOGIN, "a@example.org", NULL, "a@example.org",
	    "it is the login's own address" },
	{ "any", ANY, "a", NULL, "b@example.org", "identities = any" },
	{ "the first line that says so", WITH_FILE, "carol@example.org", NULL,
	    "x@deep.wide.example", "/ids:4" },
	{ "a host's line", WITH_FILE, NULL, "192.0.2.200", "half@example.org",
	    "/ids:7" },
	{ "a line for the sendmail command", WITH_FILE, NULL, "local",
	    "cron@example.org", "/ids:10" },
	{ "own address before the file's", WITH_FILE, "d@example.org", NULL,
	    "d@example.org", "it is the login's own address" },
	{ "refused", WITH_FILE, "bob", NULL, "a@example.org", NULL },
	{ "nobody", ANY, NULL, NULL, "a@example.org", NULL },
};

static const struct {
	const char	*what;
	const char	*text;
	const char	*error;
} refused[] = {
	{ "a network with bits beyond its length", "net:192.0.2.1/24 a@b.c",
	    "/ids:1: found net:192.0.2.1/24: bits are set beyond the first "
	    "24" },
	{ "a length too long", "\nnet:192.0.2.1/33 a@b.c",
	    "/ids:2: found net:192.0.2.1/33: a number from 0 to 32 is wanted "
	    "after \"/\"" },
	{ "a length of nothing", "net:192.0.2.1/ a@b.c",
	    "/ids:1: found net:192.0.2.1/: a number from 0 to 32 is wanted "
	    "after \"/\"" },
	{ "a host name", "net:mail.example a@b.c",
	    "/ids:1: found net:mail.example: mail.example is no IP "
	    "address" },
	{ "no address", "a\n", "/ids:1: found no address, wanted those that "
	    "a may use" },
	{ "a word that is no address", "a b\n", "/ids:1: \"b\" is no mail "
	    "address: one \"@\" between local part and domain is wanted" },
};

static bool
parse(const char *conf, const char *list, size_t n, struct config **out,
    struct err *err)
{
	struct config_source	 sources[] = {
		{ (char *)"t.conf", (char *)conf, strlen(conf) },
		{ (char *)"/ids", (char *)list, strlen(list) },
	};

	return config_parse(sources, n, out, err);
}

int
main(void)
{
	struct config	*config = NULL;
	struct err	 err = { 0 };
	char		 long_login[3000];

	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		const char	*conf = configs[rows[i].config];
		bool		 is_allowed;

		test_row(rows[i].what);
		REQUIRE_OK(parse(conf, ids, strstr(conf, "/ids") ? 2 : 1,
		    &config, &err), err);
		err_clear(&err);
		is_allowed = identity_check(config, rows[i].login,
		    rows[i].client, rows[i].from, &err);
		CHECK_INT(is_allowed, rows[i].why == NULL);
		CHECK_STR(is_allowed ? NULL : err.reason, rows[i].why);
		config_free(config);
	}
	for (size_t i = 0; i < TEST_LEN(grants); i++) {
		const char	*conf = configs[grants[i].config];
		char		*grant;

		test_row(grants[i].what);
		REQUIRE_OK(parse(conf, ids, strstr(conf, "/ids") ? 2 : 1,
		    &config, &err), err);
		grant = identity_grant(config, grants[i].login,
		    grants[i].client, grants[i].from);
		CHECK_STR(grant, grants[i].grant);
		free(grant);
		config_free(config);
	}
	for (size_t i = 0; i < TEST_LEN(refused); i++) {
		test_row(refused[i].what);
		CHECK(!parse(configs[WITH_FILE], refused[i].text, 2, &config,
		    &err));
		CHECK_STR(err.reason, refused[i].error);
	}
	test_row("whoever may use an address may use its sub-addresses");
	REQUIRE_OK(parse("subaddress-delimiter = \"+\"", "", 1, &config,
	    &err), err);
	CHECK(identity_check(config, "a@b.c", NULL, "a+x@b.c", &err));
	CHECK(!identity_check(config, "a@b.c", NULL, "b+x@b.c", &err));
	CHECK_STR(err.reason, "login a@b.c may not use From <b+x@b.c>");
	test_row("but not the reverse");
	CHECK(identity_check(config, "a+x@b.c", NULL, "a+x@b.c", &err));
	CHECK(!identity_check(config, "a+x@b.c", NULL, "a@b.c", &err));
	CHECK(!identity_check(config, "a+x@b.c", NULL, "a+y@b.c", &err));
	config_free(config);
	test_row("a login longer than any in a file");
	memset(long_login, 'x', sizeof(long_login));
	long_login[sizeof(long_login) - 1] = '\0';
	REQUIRE_OK(parse(configs[WITH_FILE], ids, 2, &config, &err), err);
	CHECK(!identity_check(config, long_login, NULL, "a@b.c", &err));
	config_free(config);
	return test_done("identity");
}
