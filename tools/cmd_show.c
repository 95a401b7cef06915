/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/mem.h"
#include "tools/certs.h"
#include "tools/cmd.h"
#include "tools/open.h"
#include "tools/out.h"

enum {
	OPT_KEYS = CMD_OPTION,
	OPT_CAS,
	OPT_ADDRESS,
	OPT_ISSUES,
	OPT_EXPIRING
};

struct lister {
	const struct cmd_context	*ctx;
	json_t				*rows;
	bool				 only_keys;
	bool				 only_cas;
	bool				 only_issues;
	int				 expiring;	/* days; -1: whenever */
	char				 address[ADDR_MAX];	/* "": any */
};

static bool
is_wanted(const struct lister *l, const struct cert_entry *entry,
    const struct cert_facts *facts, const json_t *row)
{
	if (l->only_keys && entry->key == KEY_NONE)
		return false;
	if (l->only_cas && !facts->is_ca)
		return false;
	if (l->address[0] != '\0' && !cert_has_address(facts, l->address))
		return false;
	if (l->expiring >= 0 && certs_days_left(facts->not_after,
	    l->ctx->now) >= l->expiring && facts->not_after > l->ctx->now)
		return false;
	return !l->only_issues ||
	    json_array_size(json_object_get(row, "issues")) > 0;
}

static bool
add_row(void *arg, struct custody *custody, const struct cert_entry *entry,
    const struct cert_facts *facts, struct err *err)
{
	struct lister	*l = arg;
	json_t		*row = certs_json(entry, facts, l->ctx->now,
			    l->expiring >= 0 ? l->expiring : CERTS_SOON_DAYS);

	if (!certs_add_others(custody, entry, facts, l->ctx->now, row, err)) {
		json_decref(row);
		return false;
	}
	if (is_wanted(l, entry, facts, row))
		json_array_append_new(l->rows, row);
	else
		json_decref(row);
	return true;
}

static void
print_list(const json_t *rows)
{
	static const struct out_column	 columns[] = {
		{ "CERTIFICATE FOR", true, false }, { "UNTIL", false, false },
		{ "USE", false, false }, { "KEY", false, false },
		{ "TRUST", false, false }, { "ID", false, false },
		{ "ISSUES", true, true },
	};
	struct out_table		*table = out_table_new(columns, 7);

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t	*row = json_array_get(rows, i);
		char		*who, *uses, *issues, *until, *id;

		who = out_join(json_object_get(row, "addresses"), " ");
		uses = out_join(json_object_get(row, "uses"), " ");
		issues = out_join(json_object_get(row, "issues"), "; ");
		until = mem_strn(out_json_text(row, "not_after"), 10);
		id = mem_strn(out_json_text(row, "fingerprint"), 16);
		out_table_row(table, (const char *const[]){
		    who[0] != '\0' ? who : out_json_text(row, "subject"), until,
		    uses, json_is_true(json_object_get(row, "has_key")) ?
		    "yes" : "-", out_json_text(row, "trust"), id, issues });
		free(who);
		free(uses);
		free(issues);
		free(until);
		free(id);
	}
	out_table_print_take(table);
}

/* The expensive part, with the store open; printing comes after. */
static bool
collect(struct cmd_context *ctx, struct lister *l, struct err *err)
{
	struct access	*access = NULL;
	struct custody	*custody;
	bool		 ok;

	ok = access_open(ctx, ACCESS_FOR_GOOD, &access, err) &&
	    access_custody(access, &custody, err) &&
	    certs_walk(custody, ctx->now, add_row, l, err);
	access_close(access);
	return ok;
}

int
cmd_list(struct cmd_context *ctx, int argc, char **argv)
{
	static const struct option	 options[] = {
		{ "keys", no_argument, NULL, OPT_KEYS },
		{ "cas", no_argument, NULL, OPT_CAS },
		{ "address", required_argument, NULL, OPT_ADDRESS },
		{ "issues", no_argument, NULL, OPT_ISSUES },
		{ "expiring", required_argument, NULL, OPT_EXPIRING },
		CMD_OPTIONS
	};
	struct lister			 l = { .ctx = ctx, .expiring = -1 };
	struct err			 err;
	int				 opt, status = CMD_OK;

	while ((opt = getopt_long(argc, argv, CMD_SHORT, options,
	    NULL)) != -1) {
		switch (opt) {
		case OPT_KEYS:
			l.only_keys = true;
			break;
		case OPT_CAS:
			l.only_cas = true;
			break;
		case OPT_ISSUES:
			l.only_issues = true;
			break;
		case OPT_ADDRESS:
			if (!addr_normalise(optarg, strlen(optarg), l.address,
			    &err)) {
				cmd_fail(&err);
				return CMD_USAGE;
			}
			break;
		case OPT_EXPIRING:
			if (!certs_parse_days(optarg, &l.expiring))
				return cmd_usage(argv[0]);
			break;
		default:
			if (!cmd_option(ctx, argv[0], opt, &status))
				return status;
		}
	}
	if (optind != argc)
		return cmd_usage(argv[0]);
	l.rows = json_array();
	if (!collect(ctx, &l, &err))
		status = cmd_fail(&err);
	else if (ctx->is_json)
		out_json_take(json_pack("{s:O}", "certificates", l.rows));
	else
		print_list(l.rows);
	json_decref(l.rows);
	return status;
}

/* --- show ----------------------------------------------------------------- */

/* The issuers, and which one is missing. */
static bool
add_chain(struct custody *custody, const struct cert_entry *entry,
    const struct cert_facts *facts, int64_t now, json_t *row, struct err *err)
{
	struct cert_entry	*chain = NULL;
	struct cert_facts	 issuer;
	json_t			*list = json_array();
	char			*missing = facts->is_self_signed ? NULL :
				    mem_str(facts->issuer_name);
	size_t			 n = 0;
	bool			 ok;

	ok = custody_chain(custody, &entry->fp, now, &chain, &n, err);
	for (size_t i = 0; ok && i < n; i++) {
		if (!(ok = cert_read(chain[i].der, chain[i].der_len, &issuer,
		    err)))
			break;
		json_array_append_new(list, json_pack("{s:o, s:o, s:s}",
		    "fingerprint", out_json_fp(&issuer.fp),
		    "subject", out_json_str(issuer.subject),
		    "trust", cert_state_name(chain[i].state)));
		free(missing);
		missing = issuer.is_self_signed ? NULL :
		    mem_str(issuer.issuer_name);
		cert_facts_free(&issuer);
	}
	json_object_set_new(row, "chain", list);
	json_object_set_new(row, "missing_issuer", out_json_str(missing));
	free(missing);
	cert_entry_free(chain, n);
	return ok;
}

static void
print_chain(const json_t *row)
{
	const json_t	*chain = json_object_get(row, "chain");

	for (size_t i = 0; i < json_array_size(chain); i++) {
		const json_t	*issuer = json_array_get(chain, i);

		out_field(i == 0 ? "chain" : "", "%s (%s, %.16s)",
		    out_json_text(issuer, "subject"),
		    out_json_text(issuer, "trust"),
		    out_json_text(issuer, "fingerprint"));
	}
	if (out_json_text(row, "missing_issuer")[0] != '\0')
		out_field(json_array_size(chain) == 0 ? "chain" : "",
		    "%s is missing", out_json_text(row, "missing_issuer"));
}

static void
print_each(const char *name, const json_t *array)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		out_field(i == 0 ? name : "", "%s",
		    json_string_value(json_array_get(array, i)));
}

static void
print_crls(const json_t *crls)
{
	for (size_t i = 0; i < json_array_size(crls); i++) {
		const json_t	*crl = json_array_get(crls, i);
		const char	*next = out_json_text(crl, "next_update");

		out_field(i == 0 ? "revocation" : "",
		    "list of %.10s with %lld certificates, next due %.10s",
		    out_json_text(crl, "this_update"),
		    (long long)json_integer_value(json_object_get(crl,
		    "revoked")), next[0] == '\0' ? "some day" : next);
	}
}

static void
print_row(const json_t *row, int64_t left)
{
	struct fingerprint	 fp;
	char			 groups[OUT_FP_LEN];
	char			*uses = out_join(json_object_get(row, "uses"),
				    ", ");
	const char		*by = out_json_text(row, "trusted_by");
	const char		*added_by = out_json_text(row, "added_by");

	text_fp_parse(out_json_text(row, "fingerprint"), &fp);
	out_fp_groups(&fp, groups);
	out_field("subject", "%s", out_json_text(row, "subject"));
	out_field("issuer", "%s", out_json_text(row, "issuer"));
	out_field("serial", "%s", out_json_text(row, "serial"));
	print_each("address", json_object_get(row, "addresses"));
	out_field("valid", "%.10s to %.10s (%lld days left)",
	    out_json_text(row, "not_before"), out_json_text(row, "not_after"),
	    (long long)left);
	out_field("public key", "%s",
	    out_json_text(json_object_get(row, "key"), "name"));
	out_field("use", "%s", uses);
	out_field("private key", "%s", out_json_text(row, "key_protection"));
	out_field("trust", "%s%s%s", out_json_text(row, "trust"),
	    by[0] == '\0' ? "" : ", by ", by);
	print_chain(row);
	print_crls(json_object_get(row, "crls"));
	out_field("fingerprint", "%.39s", groups);
	out_field("", "%s", groups + 40);
	out_field("imported", "%s from %s%s%s", out_json_text(row, "added"),
	    out_json_text(row, "source"), added_by[0] == '\0' ? "" : " by ",
	    added_by);
	print_each("issues", json_object_get(row, "issues"));
	free(uses);
}

static bool
add_shown(struct custody *custody, const struct cert_entry *entry,
    int64_t now, json_t *rows, struct err *err)
{
	struct cert_facts	 facts;
	json_t			*row;
	bool			 ok;

	if (!cert_read(entry->der, entry->der_len, &facts, err))
		return false;
	row = certs_json(entry, &facts, now, CERTS_SOON_DAYS);
	json_object_set_new(row, "days_left",
	    json_integer(certs_days_left(facts.not_after, now)));
	ok = certs_add_others(custody, entry, &facts, now, row, err) &&
	    add_chain(custody, entry, &facts, now, row, err);
	json_array_append_new(rows, row);
	cert_facts_free(&facts);
	return ok;
}

static bool
collect_shown(struct cmd_context *ctx, const char *id, json_t *rows,
    struct err *err)
{
	struct access		*access = NULL;
	struct custody		*custody;
	struct cert_entry	*entries = NULL;
	size_t			 n = 0;
	bool			 ok;

	ok = access_open(ctx, ACCESS_FOR_GOOD, &access, err) &&
	    access_custody(access, &custody, err) &&
	    certs_find(custody, id, ctx->now, &entries, &n, err);
	for (size_t i = 0; ok && i < n; i++)
		ok = add_shown(custody, &entries[i], ctx->now, rows, err);
	cert_entry_free(entries, n);
	access_close(access);
	return ok;
}

int
cmd_show(struct cmd_context *ctx, int argc, char **argv)
{
	json_t		*rows;
	struct err	 err;
	int		 status;

	if (!cmd_operands(ctx, argc, argv, 1, &status))
		return status;
	rows = json_array();
	if (!collect_shown(ctx, argv[optind], rows, &err))
		status = cmd_fail(&err);
	else if (ctx->is_json)
		out_json_take(json_pack("{s:O}", "certificates", rows));
	else
		for (size_t i = 0; i < json_array_size(rows); i++) {
			const json_t	*row = json_array_get(rows, i);

			if (i > 0)
				putchar('\n');
			print_row(row, json_integer_value(
			    json_object_get(row, "days_left")));
		}
	json_decref(rows);
	return status;
}
