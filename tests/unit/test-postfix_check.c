/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buf.h"
#include "base/mem.h"
#include "policy/config.h"
#include "policy/config_parse.h"
#include "tests/lib/test.h"
#include "tools/postfix_check.h"

/* As postconf prints it where conf/postfix-split.cf was followed. */
static const char	 main_cf[] =
    "compatibility_level = 3.6\n"
    "inet_interfaces = all\n"
    "mail_owner = postfix\n"
    "queue_directory = /var/spool/postfix\n"
    "maximal_queue_lifetime = 5d\n"
    "milter_default_action = tempfail\n"
    "cleanup_service_name = cleanup\n"
    "smtpd_milters =\n"
    "smtpd_milter_maps =\n"
    "non_smtpd_milters = unix:/run/stamp.sock\n"
    "content_filter =\n"
    "receive_override_options =\n"
    "local_header_rewrite_clients = permit_inet_interfaces\n"
    "disable_mime_output_conversion = no\n"
    "smtp_line_length_limit = 998\n"
    "lmtp_generic_maps = hash:/x\n"
    "smtp_tcp_port = smtp\n"
    "smtp_generic_maps =\n"
    "smtp_header_checks =\n"
    "sender_canonical_maps =\n"
    "mydestination = example.org, localhost.example.org, localhost\n"
    "local_transport = local:mx.example.org\n"
    "alias_maps = inline:{ { info = alice, bob@partner.example } }\n"
    "forward_path = /no/such/.forward\n"
    "luser_relay =\n"
    "virtual_alias_maps = inline:{ { a@example.org = bob@partner.example } }\n"
    "smimehop_destination_recipient_limit = 1\n";
static const char	 services[] =
    "smtp       inet  n       -       y       -       -       smtpd\n"
    "submission inet  n       -       n       -       -       smtpd -o x=y\n"
    "127.0.0.1:10026 inet n   -       n       -       -       smtpd -o x=y\n"
    "[::1]:10027 inet n       -       n       -       -       smtpd\n"
    "pickup     unix  n       -       n       60      1       pickup\n"
    "cleanup    unix  n       -       n       -       0       cleanup\n"
    "smimehop   unix  -       -       n       -       16      smtp -o x=y\n"
    "bounce     unix  -       -       n       -       0       bounce\n"
    "local      unix  -       n       n       -       -       local\n"
    "smtp       unix  -       -       n       -       -       smtp\n";
static const char	 overrides[] =
    "submission/inet/smtpd_milters = unix:/run/stamp.sock, "
    "unix:/run/opendkim.sock\n"
    "submission/inet/content_filter = smimehop:[127.0.0.1]:10026\n"
    "pickup/unix/content_filter = smimehop:[127.0.0.1]:10026\n"
    "smimehop/unix/disable_mime_output_conversion = yes\n"
    "smimehop/unix/smtp_line_length_limit = 0\n"
    "smimehop/unix/smtp_generic_maps =\n"
    "127.0.0.1:10026/inet/smtpd_milters = unix:/run/seal.sock\n"
    "127.0.0.1:10026/inet/content_filter =\n"
    "127.0.0.1:10026/inet/local_header_rewrite_clients =\n"
    "127.0.0.1:10026/inet/receive_override_options = "
    "no_header_body_checks,no_address_mappings\n"
    "bounce/unix/cleanup_service_name = smimereturn\n";

#define NEEDS(MEMBER)	"recipients \"p\" { members = { \"" MEMBER "\" } " \
			"encrypt = require }"
#define ALIAS		"alias_maps = inline:{ { info = alice, bob@partner.example } }"

static const struct row {
	const char	*what;
	const char	*find;		/* in any of the three; NULL: nothing */
	const char	*replace;
	const char	*want;		/* the one finding; NULL: none */
	const char	*config;	/* more of the configuration */
} rows[] = {
	{ "as conf/ has it", NULL, NULL, NULL, NULL },
	{ "nobody asks the filter on the way in", "submission/inet/smtpd_m",
	    "submission/inet/x", NULL, NULL },
	{ "logins where the filter is not asked", "submission/inet/smtpd_m",
	    "submission/inet/smtpd_sasl_auth_enable = yes\nsubmission/inet/x",
	    "submission: smtpd_milters does not ask the filter, but people",
	    NULL },
	{ "logins everywhere, and port 25 does not ask", "smtp_tcp_port = smtp",
	    "smtp_tcp_port = smtp\nsmtpd_sasl_auth_enable = yes", "smtp: "
	    "smtpd_milters does not ask the filter, but people log in there",
	    NULL },
	{ "logins everywhere, where only this host comes",
	    "inet_interfaces = all\n", "inet_interfaces = loopback-only\n"
	    "smtpd_sasl_auth_enable = yes\n", NULL, NULL },
	{ "logins where it is", "submission/inet/smtpd_m",
	    "submission/inet/smtpd_sasl_auth_enable = yes\nsubmission/inet/smtpd_m",
	    NULL, NULL },
	{ "DKIM before us", "unix:/run/stamp.sock, unix:/run/opendkim.sock",
	    "unix:/run/opendkim.sock unix:/run/stamp.sock",
	    "submission: smtpd_milters: unix:/run/opendkim.sock comes before",
	    NULL },
	{ "mail in clear while the filter is away", "action = tempfail",
	    "action = accept", "milter_default_action = accept", NULL },
	{ "the same for one milter", "/inet/smtpd_milters = unix:/run/seal",
	    "/inet/smtpd_milters = { unix:/run/seal.sock, default_action=accept } x",
	    "127.0.0.1:10026: milter_default_action = accept", NULL },
	{ "tempfail for one milter", "/inet/smtpd_milters = unix:/run/seal",
	    "/inet/smtpd_milters = { unix:/run/seal.sock, default_action=tempfail } x",
	    NULL, NULL },
	{ "local mail is not asked for", "non_smtpd_milters = unix:/run/st",
	    "non_smtpd_milters = unix:/run/x", "main.cf: non_smtpd_milters "
	    "does not ask the filter, but local = true",
	    "authorize { local = true identities = any }" },
	{ "local mail is not asked for, and need not",
	    "non_smtpd_milters = unix:/run/st",
	    "non_smtpd_milters = unix:/run/x", NULL, NULL },
	{ "QMQP clients are local", "bounce     unix", "628 inet n - n - - "
	    "qmqpd\nbounce     unix", "628: its clients are local to the "
	    "filter", "authorize { local = true identities = any }" },
	{ "QMQP clients are nobody", "bounce     unix", "628 inet n - n - - "
	    "qmqpd\nbounce     unix", "628: mail is stamped, but there is no",
	    NULL },
	{ "local mail goes to the second pass",
	    "non_smtpd_milters = unix:/run/stamp",
	    "non_smtpd_milters = unix:/run/seal",
	    "main.cf: non_smtpd_milters asks the listener of role seal",
	    NULL },
	{ "local mail does not go on", "pickup/unix/content", "pickup/unix/x",
	    "pickup: mail is stamped, but there is no content_filter", NULL },
	{ "stamped mail does not go on", "submission/inet/content",
	    "submission/inet/x",
	    "submission: mail is stamped, but there is no content_filter",
	    NULL },
	{ "the transport is missing", "submission/inet/content_filter = s",
	    "submission/inet/content_filter = x", "master.cf: there is no "
	    "service xmimehop", NULL },
	{ "nobody listens there", "filter = smimehop:[127.0.0.1]:10026\npick",
	    "filter = smimehop:[127.0.0.1]:10027\npick",
	    "submission: content_filter = smimehop:[127.0.0.1]:10027: no "
	    "smtpd", NULL },
	{ "the second pass does not ask us", "26/inet/smtpd_milters",
	    "26/inet/x", "master.cf: no service asks the listener of role "
	    "seal", NULL },
	{ "others reach the second pass", "127.0.0.1:10026",
	    "192.0.2.1:10026", "192.0.2.1:10026: others than this host can "
	    "reach the second pass; wanted 127.0.0.1:10026", NULL },
	{ "mail goes round", "26/inet/content_filter =",
	    "26/inet/content_filter = smimehop:[127.0.0.1]:10026",
	    "127.0.0.1:10026: content_filter = smimehop:[127.0.0.1]:10026: "
	    "mail would go round", NULL },
	{ "aliases after the split", "no_header_body_checks,no_address_map",
	    "no_header_body_checks,x", "127.0.0.1:10026: "
	    "receive_override_options lacks no_address_mappings", NULL },
	{ "checks after the stamp", "no_header_body_checks,", "",
	    "receive_override_options lacks no_header_body_checks", NULL },
	{ "fields added after the stamp", "26/inet/local_header_rewrite", "x",
	    "127.0.0.1:10026: local_header_rewrite_clients = permit", NULL },
	{ "8-bit mail converted after the stamp",
	    "smimehop/unix/disable_mime", "x/y/disable_mime",
	    "smimehop: disable_mime_output_conversion = no, wanted yes",
	    NULL },
	{ "long lines broken after the stamp", "smimehop/unix/smtp_line",
	    "x/y/smtp_line", "smimehop: smtp_line_length_limit = 998, "
	    "wanted 0", NULL },
	{ "a way past the second pass", "smtp_header_checks =\n",
	    "smtp_header_checks =\nsmtp_fallback_relay = [192.0.2.1]\n",
	    "smimehop: smtp_fallback_relay = [192.0.2.1]: mail that the "
	    "second pass does not take", NULL },
	{ "a filter that is no second pass",
	    "filter = smimehop:[127.0.0.1]:10026\npick",
	    "filter = smimehop:[127.0.0.1]:smtp\npick",
	    "submission: content_filter = smimehop:[127.0.0.1]:smtp: the "
	    "smtpd at smtp does not ask", NULL },
	{ "the same by its number", "filter = smimehop:[127.0.0.1]:10026\npick",
	    "filter = smimehop:[127.0.0.1]:25\npick", "the smtpd at smtp does "
	    "not ask", NULL },
	{ "the same without a port", "filter = smimehop:[127.0.0.1]:10026\npick",
	    "filter = smimehop:[127.0.0.1]\npick", "[127.0.0.1]: the smtpd at "
	    "smtp does not ask", NULL },
	{ "a second pass that is no smtpd", "smtpd -o x=y\n[::1]",
	    "spawn -o x=y\n[::1]", "the spawn at 127.0.0.1:10026 does not",
	    NULL },
	{ "another host", "filter = smimehop:[127.0.0.1]:10026\npick",
	    "filter = smimehop:[192.0.2.9]:10026\npick", "submission: "
	    "content_filter = smimehop:[192.0.2.9]:10026 leads to 192.0.2.9: "
	    "mail would leave", NULL },
	{ "another host by name", "filter = smimehop:[127.0.0.1]:10026\npick",
	    "filter = smimehop:[seal.example.org]:10026\npick", "leads to "
	    "seal.example.org: mail would leave", NULL },
	{ "another host when the first is away",
	    "filter = smimehop:[127.0.0.1]:10026\npick",
	    "filter = smimehop:[127.0.0.1]:10026, [192.0.2.9]:10026\npick",
	    "leads to 192.0.2.9: mail would leave", NULL },
	{ "wherever DNS says", "filter = smimehop:[127.0.0.1]:10026\npick",
	    "filter = smimehop:localhost:10026\npick", "without brackets the "
	    "MX record of localhost decides where it leads; wanted "
	    "[localhost]:10026", NULL },
	{ "localhost, with one address", "smimehop:[127.0.0.1]:10026\npick",
	    "smimehop:[localhost]:10026\npick", NULL, NULL },
	{ "localhost, which is another service on IPv6",
	    "smimehop:[127.0.0.1]:10026\npick",
	    "smimehop:[localhost]:10027\npick",
	    "the smtpd at [::1]:10027 does not ask", NULL },
	{ "the second pass on IPv6", "127.0.0.1]:10026", "IPv6:::1]:10026",
	    "content_filter = smimehop:[IPv6:::1]:10026: no smtpd", NULL },
	{ "the recipient's own server", "filter = smimehop:[127.0.0.1]:10026\np",
	    "filter = smimehop:\np", "submission: content_filter = smimehop: "
	    "names no destination", NULL },
	{ "a transport of another kind", "smtp -o x=y\nbounce",
	    "pipe -o x=y\nbounce", "submission: content_filter = "
	    "smimehop:[127.0.0.1]:10026 leads to pipe, wanted smtp", NULL },
	{ "a table that leads elsewhere", "cleanup_service_name = c",
	    "header_checks = regexp:{ { /^Subject: x/ FILTER smtp:[192.0.2.9] } }"
	    "\ncleanup_service_name = c", "cleanup: header_checks: regexp:{ { "
	    "/^Subject: x/ FILTER smtp:[192.0.2.9] } } has FILTER", NULL },
	{ "a restriction that leads elsewhere", "cleanup_service_name = c",
	    "smtpd_sender_restrictions = permit_mynetworks, "
	    "check_sender_access inline:{ { a@b.c = filter smtp:[d] } }\n"
	    "cleanup_service_name = c", "submission: smtpd_sender_restrictions: "
	    "inline:{ { a@b.c = filter smtp:[d] } } has FILTER", NULL },
	{ "tables that lead nowhere", "cleanup_service_name = c",
	    "header_checks = regexp:{ { /FILTER/ REJECT no filter, } }, "
	    "mysql:/no/such\nsmtpd_sender_restrictions = "
	    "check_sender_access { hash:/no/such, default_action=permit }\n"
	    "cleanup_service_name = c", NULL, NULL },
	{ "what the filter makes is changed", "cleanup_service_name = c",
	    "milter_header_checks = regexp:{ { /^Content-Type:/ REPLACE x } }\n"
	    "cleanup_service_name = c", "cleanup: milter_header_checks: "
	    "regexp:{ { /^Content-Type:/ REPLACE x } } has REPLACE", NULL },
	{ "the same, where nobody can read it", "cleanup_service_name = c",
	    "milter_header_checks = mysql:/etc/x\ncleanup_service_name = c",
	    "cleanup: milter_header_checks: mysql:/etc/x cannot be read here",
	    NULL },
	{ "the same, where it names no table", "cleanup_service_name = c",
	    "milter_header_checks = proxy:x\ncleanup_service_name = c",
	    "cleanup: milter_header_checks: proxy:x cannot be read here",
	    NULL },
	{ "what the filter makes is looked at", "cleanup_service_name = c",
	    "milter_header_checks = regexp:{ { /^X-Spam: YES/ HOLD } }\n"
	    "cleanup_service_name = c", NULL, NULL },
	{ "fields taken away on the way out", "smtp_header_checks =\n",
	    "smtp_header_checks = pcre:{ { /^Received:/ IGNORE } }\n",
	    "smtp: smtp_header_checks: pcre:{ { /^Received:/ IGNORE } } has "
	    "REPLACE, PREPEND, IGNORE or STRIP, which may change", NULL },
	{ "fields looked at on the way out", "smtp_header_checks =\n",
	    "smtp_header_checks = pcre:{ { /^Received:/ WARN } }\n",
	    "smimehop: smtp_header_checks = pcre:", NULL },
	{ "From rewritten by LMTP", "smtp       unix  -       -       n       -"
	    "       -       smtp\n", "lmtp unix - - n - - lmtp -o x=y\n",
	    "lmtp: lmtp_generic_maps = hash:/x: it changes From", NULL },
	{ "another filter behind the signature",
	    "submission/inet/smtpd_milters = unix:/run/stamp.sock",
	    "submission/inet/smtpd_milters = unix:/run/direct.sock",
	    "submission: content_filter = smimehop:[127.0.0.1]:10026: mail "
	    "goes through another filter after it was signed",
	    "listener \"unix:/run/direct.sock\" { }" },
	{ "stamps on what Postfix itself has to say", "cleanup_service_name = c",
	    "internal_mail_filter_classes = bounce, notify\n"
	    "cleanup_service_name = c",
	    "main.cf: internal_mail_filter_classes = bounce, notify: ",
	    NULL },
	{ "From rewritten on the way out", "smtp_generic_maps =\nsmtp_header",
	    "smtp_generic_maps = hash:/x\nsmtp_header",
	    "smtp: smtp_generic_maps = hash:/x: it changes From", NULL },
	{ "senders rewritten after the stamp", "sender_canonical_maps =",
	    "sender_canonical_maps = tcp:localhost:10001",
	    "main.cf: sender_canonical_maps = tcp:localhost:10001: senders "
	    "change", NULL },
	{ "a stamp that is returned", "bounce/unix/cleanup_s", "x/y/z",
	    "bounce: what is returned to senders may have a stamp", NULL },
	{ "a queue that outlives stamps", "lifetime = 5d", "lifetime = 8d",
	    "main.cf: maximal_queue_lifetime = 8d is longer", NULL },
	{ "a longer life for stamps", "lifetime = 5d", "lifetime = 8d", NULL,
	    "stamp-lifetime = 2w" },
	{ "the filter switched off in the service",
	    "submission/inet/content_filter", "submission/inet/"
	    "receive_override_options = no_milters\nsubmission/inet/"
	    "content_filter", "submission: receive_override_options has "
	    "no_milters", NULL },
	{ "handed on before the filter is asked",
	    "submission/inet/content_filter", "submission/inet/"
	    "smtpd_proxy_filter = 127.0.0.1:10024\nsubmission/inet/"
	    "content_filter", "submission: smtpd_proxy_filter = "
	    "127.0.0.1:10024: mail is handed on there", NULL },
	{ "an alias to who must be encrypted to", NULL, NULL, "main.cf: "
	    "alias_maps: inline:{ { info = alice, bob@partner.example } } "
	    "leads to bob@partner.example, but only after the filter",
	    NEEDS("@partner.example") },
	{ "the same, said what to do", NULL, NULL, "encrypt = require of "
	    "recipients p does not count there; wanted virtual_alias_maps\n",
	    NEEDS("bob@partner.example") },
	{ "to somebody else", NULL, NULL, NULL, NEEDS("@other.example") },
	{ "to who may be encrypted to", NULL, NULL, NULL, "recipients p { "
	    "members = { \"@partner.example\" } encrypt = prefer }" },
	{ "the alias itself must be encrypted to", ALIAS, "alias_maps = "
	    "inline:{ { bob@partner.example = alice } }", NULL,
	    NEEDS("@partner.example") },
	{ "nothing but localhost is local", "mydestination = example.org,",
	    "mydestination =", NULL, NEEDS("@partner.example") },
	{ "nothing is local", "mydestination = example.org, "
	    "localhost.example.org, localhost", "mydestination =", NULL,
	    NEEDS("@partner.example") },
	{ "a domain that begins like localhost", "= example.org, localhost.ex",
	    "= localhosts.example.org, localhost.ex", "main.cf: alias_maps: ",
	    NEEDS("@partner.example") },
	{ "something else than local(8) delivers", "local_transport = local:",
	    "local_transport = smtp:", NULL, NEEDS("@partner.example") },
	{ "one pass, and recipients who are rewritten", "sender_canonical_maps "
	    "=\n", "sender_canonical_maps =\nrecipient_canonical_maps = "
	    "inline:{ @old.example=@partner.example, a@b.c=d@partner.example }"
	    "\n", "main.cf: recipient_canonical_maps: inline:{ @old.example="
	    "@partner.example, a@b.c=d@partner.example } leads to "
	    "@partner.example (and 1 more), but",
	    "listener \"unix:/run/stamp.sock\" { role = direct }"
	    NEEDS("@partner.example") },
	{ "no aliases", ALIAS, "alias_maps =", NULL,
	    NEEDS("@partner.example") },
	{ "aliases that nobody can read here", ALIAS, "alias_maps = nis:x",
	    "main.cf: alias_maps: nis:x cannot be read here: look",
	    NEEDS("@partner.example") },
	{ "which hurts nobody", ALIAS, "alias_maps = nis:x", NULL, NULL },
	{ "who is unknown here", "luser_relay =", "luser_relay = "
	    "$user@partner.example", "main.cf: luser_relay: "
	    "$user@partner.example leads to $user@partner.example",
	    NEEDS("@partner.example") },
	{ "one pass, in which no alias is expanded", NULL, NULL, "main.cf: "
	    "virtual_alias_maps: inline:{ { a@example.org = "
	    "bob@partner.example } } leads to bob@partner.example, but only "
	    "after the filter, which encrypts for the alias or not at all: "
	    "encrypt = require of recipients p does not count there; wanted "
	    "two passes", "listener \"unix:/run/stamp.sock\" { role = direct }"
	    NEEDS("@partner.example") },
	{ "nobody asks anything", "run/s", "run/x/s", "no service asks one of "
	    "the listeners", NULL },
};

static char *
replaced(const char *text, const struct row *row, bool *is_found)
{
	struct buf	 out = { 0 };
	size_t		 len = row->find == NULL ? 0 : strlen(row->find);

	while (*text != '\0')
		if (len > 0 && strncmp(text, row->find, len) == 0) {
			buf_adds(&out, row->replace);
			text += len;
			*is_found = true;
		} else
			buf_addc(&out, *text++);
	return buf_take_str(&out);
}

static struct config *
parse(const struct row *row)
{
	const char		*more = row->config == NULL ? "" : row->config;
	char			*text = mem_strf("%s%s\n",
	    strstr(more, "role = direct") != NULL ? "" :
	    "listener \"unix:/run/stamp.sock\" { role = stamp }\n"
	    "listener \"unix:/run/seal.sock\" { role = seal }\n", more);
	static char		 path[] = "t.conf";
	struct config_source	 source = { path, text, strlen(text) };
	struct config		*config;
	struct err		 err = { 0 };

	REQUIRE_OK(config_parse(&source, 1, &config, &err), err);
	free(text);
	return config;
}

static void
note(void *arg, const char *about, const char *finding)
{
	buf_addf(arg, "%s: %s\n", about, finding);
}

int
main(void)
{
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		const struct row	*row = &rows[i];
		bool			 is_found = row->find == NULL;
		char			*a = replaced(main_cf, row, &is_found);
		char			*b = replaced(services, row, &is_found);
		char			*c = replaced(overrides, row,
		    &is_found);
		struct config		*config = parse(row);
		struct postconf		 pc;
		struct buf		 found = { 0 };
		char			*text;

		test_row(row->what);
		CHECK(is_found);
		postconf_parse(&pc, a, b, c);
		postfix_check(&pc, config, note, &found);
		text = buf_take_str(&found);
		if (row->want == NULL)
			CHECK_STR(text, "");
		else if (strstr(text, row->want) == NULL)
			CHECK_STR(text, row->want);
		else
			CHECK(true);
		free(text);
		postconf_free(&pc);
		config_free(config);
		free(a);
		free(b);
		free(c);
	}
	return test_done("postfix_check");
}
