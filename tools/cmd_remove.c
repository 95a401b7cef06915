/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tools/ask.h"
#include "tools/certs.h"
#include "tools/cmd.h"
#include "tools/open.h"
#include "tools/out.h"

enum {
	OPT_KEY = CMD_OPTION,
	OPT_CRLS,
	OPT_YES
};

struct remover {
	struct cmd_context	*ctx;
	struct access		*access;
	int			 what;		/* OPT_KEY, OPT_CRLS; 0: all */
	bool			 is_sure;	/* not to be asked */
	bool			 takes_key;	/* with its last certificate */
};

/* What would be gone, as a question. */
static bool
ask_remove(const struct remover *r, const struct cert_facts *facts)
{
	char	 fp[TEXT_FP_LEN], *question;
	bool	 ok;

	text_fp(&facts->fp, fp);
	if (r->what == OPT_CRLS)
		question = mem_strf("Remove the revocation lists of %s "
		    "(%.16s)?  What they revoke can be used again.",
		    certs_title(facts), fp);
	else
		question = mem_strf("Remove %s%s%s (%.16s)?%s",
		    r->what == OPT_KEY ? "the private key of " :
		    "the certificate of ", certs_title(facts),
		    r->takes_key && r->what == 0 ? " and its private key, "
		    "which has no other certificate" : "", fp,
		    r->takes_key || r->what == OPT_KEY ? "  Without the key, "
		    "mail that was encrypted to it cannot be read." : "");
	ok = ask_yes(question);
	free(question);
	return ok;
}

static void
tell_removed(const struct remover *r, const struct cert_facts *facts)
{
	bool	 is_key_gone = r->what == OPT_KEY || r->takes_key;

	if (r->ctx->is_json)
		out_json_take(json_pack("{s:o, s:o, s:b, s:b, s:b}",
		    "fingerprint", out_json_fp(&facts->fp),
		    "subject", out_json_str(facts->subject),
		    "certificate_removed", r->what == 0,
		    "key_removed", is_key_gone,
		    "crls_removed", r->what == OPT_CRLS));
	else
		printf("removed %s%s%s\n", r->what == OPT_KEY ?
		    "the private key of " : r->what == OPT_CRLS ?
		    "the revocation lists of " : "", certs_title(facts),
		    r->what == 0 && is_key_gone ? ", and its private key" :
		    "");
}

/* Is there what is to be removed, and what goes with it? */
static bool
look_before(struct remover *r, struct custody *custody,
    const struct cert_entry *entry, const struct cert_facts *facts,
    struct err *err)
{
	struct cert_entry	*siblings;
	size_t			 n;

	if (r->what == OPT_KEY && entry->key == KEY_NONE)
		return err_set(err, ERR_DATA,
		    "there is no private key of this certificate");
	if (r->what == OPT_CRLS && entry->n_crls == 0)
		return err_set(err, ERR_DATA,
		    "there is no revocation list of this certificate's owner");
	if (r->what != 0 || entry->key == KEY_NONE)
		return true;
	if (!certs_of_key(custody, facts, r->ctx->now, &siblings, &n, err))
		return false;
	r->takes_key = n < 2;
	cert_entry_free(siblings, n);
	return true;
}

static bool
remove_it(const struct remover *r, const struct fingerprint *fp,
    struct err *err)
{
	struct custody	*custody;

	if (!access_custody(r->access, &custody, err))
		return false;
	if (r->what == OPT_CRLS)
		return custody_remove_crls(custody, fp, err);
	return custody_remove(custody, fp, r->what == OPT_KEY, err);
}

/* Found, asked about with the store closed, then removed by fingerprint. */
static bool
remove_one(struct remover *r, const struct cert_entry *entry,
    struct custody *custody, struct err *err)
{
	struct cert_facts	 facts;
	bool			 ok;

	if (!cert_read(entry->der, entry->der_len, &facts, err))
		return false;
	ok = look_before(r, custody, entry, &facts, err);
	access_release(r->access);
	if (ok && !r->is_sure && !ask_remove(r, &facts))
		ok = err_set(err, ERR_DATA, "nothing was removed%s",
		    ask_has_terminal() ? "" :
		    ": there is no terminal to ask on; --yes says so");
	ok = ok && remove_it(r, &entry->fp, err);
	if (ok)
		tell_removed(r, &facts);
	cert_facts_free(&facts);
	return ok;
}

int
cmd_remove(struct cmd_context *ctx, int argc, char **argv)
{
	static const struct option	 options[] = {
		{ "key", no_argument, NULL, OPT_KEY },
		{ "crls", no_argument, NULL, OPT_CRLS },
		{ "yes", no_argument, NULL, OPT_YES },
		CMD_OPTIONS
	};
	struct remover			 r = { .ctx = ctx };
	struct custody			*custody;
	struct cert_entry		*entry = NULL;
	struct err			 err;
	int				 opt, status = CMD_OK, n_whats = 0;

	while ((opt = getopt_long(argc, argv, CMD_SHORT, options,
	    NULL)) != -1)
		if (opt == OPT_KEY || opt == OPT_CRLS) {
			r.what = opt;
			n_whats++;
		} else if (opt == OPT_YES)
			r.is_sure = true;
		else if (!cmd_option(ctx, argv[0], opt, &status))
			return status;
	if (optind != argc - 1 || n_whats > 1)
		return cmd_usage(argv[0]);
	if (!access_open(ctx, ACCESS_FOR_GOOD, &r.access, &err) ||
	    !access_custody(r.access, &custody, &err) ||
	    !certs_find_one(custody, argv[optind], ctx->now, &entry, &err) ||
	    !remove_one(&r, entry, custody, &err))
		status = cmd_fail(&err);
	cert_entry_free(entry, entry == NULL ? 0 : 1);
	access_close(r.access);
	return status;
}
