/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/bundle.h"
#include "store/import.h"
#include "tools/ask.h"
#include "tools/certs.h"
#include "tools/cmd.h"
#include "tools/files.h"
#include "tools/open.h"
#include "tools/out.h"
#include "tools/progress.h"
#include "tools/unlock.h"

enum {
	OPT_NO_TRUST = CMD_OPTION,
	OPT_TRUST_ALL,
	OPT_DRY_RUN,
	OPT_FILE,
	OPT_FD
};

struct counts {
	size_t	 added, known, refused;
};

static const char *
verdict_name(enum put_verdict verdict)
{
	return verdict == PUT_ADDED ? "added" :
	    verdict == PUT_KNOWN ? "known" : "refused";
}

static json_t *
item_json(const char *source, const struct import_item *item)
{
	json_t	*json = json_object(), *addresses = json_array();

	json_object_set_new(json, "source", out_json_str(source));
	json_object_set_new(json, "where", out_json_str(item->where));
	json_object_set_new(json, "kind",
	    json_string(bundle_kind_name(item->kind)));
	json_object_set_new(json, "verdict",
	    json_string(verdict_name(item->verdict)));
	json_object_set_new(json, "reason", out_json_str(item->reason));
	json_object_set_new(json, "fingerprint", !item->has_facts ?
	    json_null() : out_json_fp(&item->facts.fp));
	json_object_set_new(json, "subject", out_json_str(
	    item->has_facts ? item->facts.subject : item->crl_issuer));
	for (size_t i = 0; item->has_facts && i < item->facts.n_addresses; i++)
		json_array_append_new(addresses,
		    out_json_str(item->facts.addresses[i]));
	json_object_set_new(json, "addresses", addresses);
	json_object_set_new(json, "trust", item->kind != BUNDLE_CERT ||
	    item->verdict == PUT_REFUSED ? json_null() :
	    json_string(cert_state_name(item->state)));
	return json;
}

/* What has to be compared with its owner's word, and all that helps. */
static void
print_facts(const struct cert_facts *facts)
{
	char	 fp[OUT_FP_LEN], from[TEXT_TIME_LEN], until[TEXT_TIME_LEN];

	out_fp_groups(&facts->fp, fp);
	text_date(facts->not_before, from);
	text_date(facts->not_after, until);
	printf("    subject      %s\n", facts->subject);
	for (size_t i = 0; i < facts->n_addresses; i++)
		printf("    address      %s\n", facts->addresses[i]);
	printf("    valid        %s to %s\n", from, until);
	printf("    fingerprint  %.39s\n                 %s\n", fp, fp + 40);
}

static void
print_item(const char *source, const struct import_item *item)
{
	printf("%s%-7s%s  %s", out_colour(item->verdict == PUT_REFUSED ?
	    OUT_BAD : item->verdict == PUT_ADDED ? OUT_GOOD : OUT_PLAIN),
	    verdict_name(item->verdict), out_colour(OUT_PLAIN),
	    bundle_kind_name(item->kind));
	if (item->has_facts)
		printf(" %s%s", item->kind == BUNDLE_KEY ? "for " : "",
		    certs_title(&item->facts));
	else if (item->crl_issuer != NULL)
		printf(" of %s", item->crl_issuer);
	printf("  (%s%s%s)\n", source, item->where[0] == '\0' ? "" : ", ",
	    item->where);
	if (item->reason != NULL)
		printf("    %s %s\n", item->verdict == PUT_REFUSED ?
		    "because" : "note:", item->reason);
	if (item->kind == BUNDLE_CERT && item->verdict == PUT_ADDED) {
		printf("    as           %s\n", cert_state_name(item->state));
		print_facts(&item->facts);
	}
}

static void
print_end(const struct counts *counts, bool is_dry_run, bool is_trusting)
{
	printf("%zu added, %zu known, %zu refused%s\n", counts->added,
	    counts->known, counts->refused,
	    is_dry_run ? " (nothing was changed)" : "");
	if (is_trusting && !is_dry_run)
		printf("Whoever can make you import a certificate can read or "
		    "forge mail: compare each\nfingerprint with its owner, in "
		    "person or by telephone.\n");
}

static void
tell(const struct cmd_context *ctx, const char *source,
    const struct import_report *report, json_t *items, struct counts *counts,
    bool *is_trusting)
{
	for (size_t i = 0; i < report->n; i++) {
		const struct import_item	*item = &report->items[i];

		*(item->verdict == PUT_ADDED ? &counts->added :
		    item->verdict == PUT_KNOWN ? &counts->known :
		    &counts->refused) += 1;
		*is_trusting |= item->kind == BUNDLE_CERT &&
		    item->verdict == PUT_ADDED &&
		    (item->state == CERT_TRUSTED ||
		    item->state == CERT_ANCHOR);
		if (ctx->is_json)
			json_array_append_new(items, item_json(source, item));
		else
			print_item(source, item);
	}
}

/* More than one CA at once: all of the web's, perhaps. */
static bool
confirm_cas(const char *name, size_t n)
{
	char	*question = mem_strf("%s holds %zu CA certificates. Trust "
		    "all that any of them issued?", name, n);
	bool	 ok = ask_yes(question);

	free(question);
	return ok;
}

/* What is imported at once. */
struct job {
	struct cmd_context	*ctx;
	const struct files	*files;
	struct bundle		**bundles;	/* of the files */
	struct import_file	*imports;
	bool			 trust_all;
	struct access		*access;
	struct progress		 progress;
};

/*
 * Everything out of the files, which are not needed after that.  The terminal
 * is asked here, before the store is opened.
 */
static void
read_bundles(struct job *job, struct passphrases *passphrases, bool no_trust)
{
	struct err	 err;

	progress_begin(&job->progress, "reading files", job->files->n);
	for (size_t i = 0; i < job->files->n; i++) {
		const struct file	*file = &job->files->list[i];
		struct import_file	*import = &job->imports[i];
		size_t			 n_cas;

		progress_show(&job->progress, i);
		if (file->err.kind != ERR_NONE)
			job->bundles[i] = bundle_of_error(&file->err);
		else if (!unlock_bundle(file, passphrases, &job->progress,
		    &job->bundles[i], &err))
			job->bundles[i] = bundle_of_error(&err);
		import->bundle = job->bundles[i];
		import->source = file->name;
		import->trust_all = job->trust_all;
		n_cas = import_count_cas(import->bundle);
		if (n_cas > 1 && !no_trust && !job->trust_all) {
			progress_end(&job->progress);
			import->trust_all = confirm_cas(file->name, n_cas);
		}
	}
	progress_end(&job->progress);
}

/* Between batches the store may go to a daemon that has just started. */
static bool
next_custody(void *arg, size_t n_done, struct custody **out, struct err *err)
{
	struct job	*job = arg;

	progress_show(&job->progress, n_done);
	return access_custody_again(job->access, out, err);
}

static bool
put_bundles(struct job *job, const struct import_options *given,
    struct err *err)
{
	struct import_options	 options = *given;
	size_t			 total = 0;
	bool			 ok;

	options.custody = next_custody;
	options.arg = job;
	for (size_t i = 0; i < job->files->n; i++)
		total += job->bundles[i]->n;
	progress_begin(&job->progress, "importing", total);
	ok = import_files(job->imports, job->files->n, &options, err);
	progress_end(&job->progress);
	access_release(job->access);
	return ok;
}

static struct counts
tell_all(const struct job *job, bool is_dry_run)
{
	struct counts	 counts = { 0 };
	json_t		*items = json_array();
	bool		 is_trusting = false;

	for (size_t i = 0; i < job->files->n; i++)
		tell(job->ctx, job->imports[i].source,
		    &job->imports[i].report, items, &counts, &is_trusting);
	if (job->ctx->is_json)
		out_json_take(json_pack("{s:O}", "items", items));
	else
		print_end(&counts, is_dry_run, is_trusting);
	json_decref(items);
	return counts;
}

static int
run_import(struct cmd_context *ctx, const struct files *files,
    struct passphrases *passphrases, const struct import_options *options,
    bool trust_all)
{
	struct job	 job = { .ctx = ctx, .files = files,
			    .trust_all = trust_all };
	struct err	 err = { 0 };
	int		 status = CMD_OK;

	if (!access_open(ctx, ACCESS_FOR_GOOD, &job.access, &err))
		return cmd_fail(&err);
	job.bundles = mem_array(files->n, sizeof(*job.bundles));
	job.imports = mem_array(files->n, sizeof(*job.imports));
	read_bundles(&job, passphrases, options->no_trust);
	if (!put_bundles(&job, options, &err))
		status = cmd_fail(&err);
	if (tell_all(&job, options->dry_run).refused > 0 && status == CMD_OK)
		status = CMD_FAILED;
	for (size_t i = 0; i < files->n; i++) {
		import_report_free(&job.imports[i].report);
		bundle_free(job.bundles[i]);
	}
	free(job.imports);
	free(job.bundles);
	access_close(job.access);
	return status;
}

int
cmd_import(struct cmd_context *ctx, int argc, char **argv)
{
	static const struct option	 options[] = {
		{ "no-trust", no_argument, NULL, OPT_NO_TRUST },
		{ "trust-all", no_argument, NULL, OPT_TRUST_ALL },
		{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
		{ "passphrase-file", required_argument, NULL, OPT_FILE },
		{ "passphrase-fd", required_argument, NULL, OPT_FD },
		CMD_OPTIONS
	};
	struct import_options	 import = { .now = ctx->now };
	struct passphrases	 passphrases = { 0 };
	struct files		 files = { 0 };
	bool			 trust_all = false;
	int			 opt, status = CMD_OK;

	while ((opt = getopt_long(argc, argv, CMD_SHORT, options,
	    NULL)) != -1) {
		switch (opt) {
		case OPT_NO_TRUST:
			import.no_trust = true;
			break;
		case OPT_TRUST_ALL:
			trust_all = true;
			break;
		case OPT_DRY_RUN:
			import.dry_run = true;
			break;
		case OPT_FILE:
		case OPT_FD:
			if (!unlock_option(opt == OPT_FILE, &passphrases,
			    &status))
				goto out;
			break;
		default:
			if (!cmd_option(ctx, argv[0], opt, &status))
				goto out;
		}
	}
	if (optind == argc || (import.no_trust && trust_all)) {
		status = cmd_usage(argv[0]);
		goto out;
	}
	for (int i = optind; i < argc; i++)
		files_read(&files, argv[i]);
	status = run_import(ctx, &files, &passphrases, &import, trust_all);
out:
	files_free(&files);
	passphrases_free(&passphrases);
	return status;
}
