/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/group.h"
#include "store/verify.h"
#include "tools/certs.h"
#include "tools/check_files.h"
#include "tools/cmd.h"
#include "tools/open.h"
#include "tools/out.h"

enum {
	OPT_EXPIRING = CMD_OPTION,
	OPT_STORE
};

struct checker {
	const struct cmd_context	*ctx;
	const struct config		*config;
	json_t				*findings;
	int				 soon_days;
	bool				 is_store;	/* its records only */
	size_t				 n_records;	/* looked at */
	/*
	 * Who needs what by the configuration: an address or a domain with
	 * its "@", and the section that says so.
	 */
	json_t				*must_sign;
	json_t				*may_sign;
	json_t				*must_encrypt;
};

static void
add_finding(struct checker *c, const char *about, const char *text,
    const struct fingerprint *fp)
{
	json_array_append_new(c->findings, json_pack("{s:o, s:o, s:o}",
	    "about", out_json_str(about), "finding", out_json_str(text),
	    "fingerprint", fp == NULL ? json_null() : out_json_fp(fp)));
}

static void
add_file_finding(void *arg, const char *about, const char *finding)
{
	add_finding(arg, about, finding, NULL);
}

static bool
note_group_member(void *arg, const char *member, size_t set)
{
	struct checker			*c = arg;
	const struct config_group	*group = &c->config->groups[set];

	if (group->options.sign == WANT_REQUIRE)
		json_object_set_new(c->must_sign, member,
		    out_json_str(group->label));
	else if (group->options.sign == WANT_PREFER && member[0] != '@')
		json_object_set_new(c->may_sign, member,
		    out_json_str(group->label));
	return true;
}

static bool
note_recipient(void *arg, const char *member, size_t set)
{
	struct checker				*c = arg;
	const struct config_recipients		*section =
	    &c->config->recipients[set];

	if (section->has_encrypt && section->encrypt == WANT_REQUIRE)
		json_object_set_new(c->must_encrypt, member,
		    out_json_str(section->label));
	return true;
}

/* Archives, which have to be able to read all that is encrypted. */
static void
note_archives(struct checker *c, const struct config_group *group)
{
	const struct config_addresses	*to = &group->options.also_encrypt_to;

	for (size_t i = 0; group->options.encrypt != WANT_NEVER && i < to->n;
	    i++)
		if (strcmp(to->list[i], "self") != 0)
			json_object_set_new(c->must_encrypt, to->list[i],
			    out_json_str(group->label));
}

static void
note_needs(struct checker *c)
{
	group_table_walk(c->config->group_members, note_group_member, c);
	group_table_walk(c->config->recipients_members, note_recipient, c);
	note_archives(c, &c->config->default_group);
	for (size_t i = 0; i < c->config->n_groups; i++)
		note_archives(c, &c->config->groups[i]);
}

/* Of a domain that has to sign only the addresses in the store are known. */
static void
note_address(struct checker *c, const char *addr)
{
	const struct config	*config = c->config;
	size_t			 set = group_table_find(config->group_members,
				    addr);

	if (set != GROUP_NONE &&
	    config->groups[set].options.sign == WANT_REQUIRE)
		json_object_set_new(c->must_sign, addr,
		    out_json_str(config->groups[set].label));
}

static bool
check_cert(void *arg, struct custody *custody, const struct cert_entry *entry,
    const struct cert_facts *facts, struct err *err)
{
	struct checker	*c = arg;
	json_t		*row, *issues;

	for (size_t i = 0; cert_is_leaf(facts) && i < facts->n_addresses; i++)
		note_address(c, facts->addresses[i]);
	/* Distrusting one settles all that was wrong with it. */
	if (entry->state == CERT_DISTRUSTED)
		return true;
	row = certs_json(entry, facts, c->ctx->now, c->soon_days);
	issues = json_object_get(row, "issues");
	for (size_t i = 0; i < json_array_size(issues); i++)
		add_finding(c, certs_title(facts),
		    json_string_value(json_array_get(issues, i)), &facts->fp);
	json_decref(row);
	(void)custody;
	(void)err;
	return true;
}

/* Can these do what the sections want, today?  Domains are left out. */
static bool
check_needs(struct checker *c, struct custody *custody, const json_t *needs,
    enum cert_use use, const char *wants, struct err *err)
{
	const char	*addr;
	json_t		*label;

	json_object_foreach((json_t *)(uintptr_t)needs, addr, label) {
		struct finding	*finding = NULL;
		char		*text;

		if (addr[0] == '@')
			continue;
		if (!custody_find(custody, addr, use, c->ctx->now, &finding,
		    err))
			return false;
		if (finding->der == NULL && (needs != c->may_sign ||
		    finding->n == 0)) {
			text = mem_strf("%s %s: %s", json_string_value(label),
			    wants, finding->reason);
			add_finding(c, addr, text, NULL);
			free(text);
		}
		finding_free(finding);
	}
	return true;
}

static bool
check_all(struct cmd_context *ctx, struct checker *c, struct err *err)
{
	struct access		*access = NULL;
	struct custody		*custody;
	const struct config	*config;
	bool			 ok;

	if (!check_files(ctx->config_path, add_file_finding, c, err) ||
	    !access_open(ctx, ACCESS_FOR_GOOD, &access, err))
		return false;
	c->config = config = access_config(access);
	if (!config->enabled)
		add_finding(c, config->path, "enabled = false: mail passes "
		    "untouched", NULL);
	for (size_t i = 0; i < config->n_warnings; i++)
		add_finding(c, config->path, config->warnings[i], NULL);
	note_needs(c);
	ok = access_custody(access, &custody, err) &&
	    certs_walk(custody, ctx->now, check_cert, c, err) &&
	    check_needs(c, custody, c->must_sign, CERT_USE_SIGN,
	    "requires a signature", err) &&
	    check_needs(c, custody, c->may_sign, CERT_USE_SIGN,
	    "would sign", err) &&
	    check_needs(c, custody, c->must_encrypt, CERT_USE_ENCRYPT,
	    "requires encryption", err);
	access_close(access);
	return ok;
}

/* Record by record; where one is damaged, nothing else can be looked at. */
static bool
check_store(struct cmd_context *ctx, struct checker *c, struct err *err)
{
	struct verify_findings	 findings = { 0 };
	struct access		*access = NULL;
	struct custody		*custody;
	struct buf		 cursor = { 0 };
	bool			 ok;

	ok = access_open(ctx, ACCESS_FOR_GOOD, &access, err) &&
	    access_custody(access, &custody, err);
	while (ok) {
		ok = custody_verify(custody, &cursor, &findings, err);
		for (size_t i = 0; ok && i < findings.n; i++)
			add_finding(c, findings.list[i].about,
			    findings.list[i].text, NULL);
		c->n_records = findings.n_records;
		verify_findings_free(&findings);
		findings.n_records = c->n_records;
		if (cursor.len == 0)
			break;
	}
	buf_free(&cursor);
	access_close(access);
	return ok;
}

static void
print_findings(const json_t *findings)
{
	size_t	 n = json_array_size(findings);

	for (size_t i = 0; i < n; i++) {
		const json_t	*f = json_array_get(findings, i);
		const char	*fp = out_json_text(f, "fingerprint");

		printf("%s: %s", out_json_text(f, "about"),
		    out_json_text(f, "finding"));
		if (fp[0] != '\0')
			printf(" (%.16s)", fp);
		putchar('\n');
	}
	if (n == 0)
		printf("nothing found\n");
}

int
cmd_check(struct cmd_context *ctx, int argc, char **argv)
{
	static const struct option	 options[] = {
		{ "expiring", required_argument, NULL, OPT_EXPIRING },
		{ "store", no_argument, NULL, OPT_STORE },
		CMD_OPTIONS
	};
	struct checker			 c = { .ctx = ctx,
					    .soon_days = CERTS_SOON_DAYS };
	struct err			 err;
	int				 opt, status = CMD_OK;

	while ((opt = getopt_long(argc, argv, CMD_SHORT, options,
	    NULL)) != -1)
		if (opt == OPT_EXPIRING) {
			if (!certs_parse_days(optarg, &c.soon_days))
				return cmd_usage(argv[0]);
		} else if (opt == OPT_STORE)
			c.is_store = true;
		else if (!cmd_option(ctx, argv[0], opt, &status))
			return status;
	if (optind != argc)
		return cmd_usage(argv[0]);
	c.findings = json_array();
	c.must_sign = json_object();
	c.may_sign = json_object();
	c.must_encrypt = json_object();
	if (!(c.is_store ? check_store(ctx, &c, &err) :
	    check_all(ctx, &c, &err))) {
		status = cmd_fail(&err);
	} else {
		if (json_array_size(c.findings) > 0)
			status = CMD_FAILED;
		if (ctx->is_json)
			out_json_take(json_pack("{s:O, s:I}", "findings",
			    c.findings, "records",
			    (json_int_t)c.n_records));
		else
			print_findings(c.findings);
		if (c.is_store && !ctx->is_json)
			printf("%zu records were looked at\n", c.n_records);
	}
	json_decref(c.findings);
	json_decref(c.must_sign);
	json_decref(c.may_sign);
	json_decref(c.must_encrypt);
	return status;
}
