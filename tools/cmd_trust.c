/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "tools/certs.h"
#include "tools/cmd.h"
#include "tools/open.h"
#include "tools/out.h"

static void
tell(const struct cmd_context *ctx, const struct cert_facts *facts,
    enum cert_state state)
{
	char	 fp[OUT_FP_LEN];

	if (ctx->is_json) {
		out_json_take(json_pack("{s:o, s:o, s:s}",
		    "fingerprint", out_json_fp(&facts->fp),
		    "subject", out_json_str(facts->subject),
		    "trust", cert_state_name(state)));
		return;
	}
	out_fp_groups(&facts->fp, fp);
	out_field(cert_state_name(state), "%s", certs_title(facts));
	out_field("subject", "%s", facts->subject);
	out_field("fingerprint", "%.39s", fp);
	out_field("", "%s", fp + 40);
	if (state != CERT_DISTRUSTED)
		printf("Compare the fingerprint with its owner, in person or "
		    "by telephone.\n");
}

/* A CA's certificate is trusted as an anchor, any other for its addresses. */
static bool
set_state(const struct cmd_context *ctx, const char *id, bool is_trusted,
    struct err *err)
{
	struct access		*access = NULL;
	struct custody		*custody;
	struct cert_entry	*entry = NULL;
	struct cert_facts	 facts;
	enum cert_state		 state = CERT_DISTRUSTED;
	bool			 ok;

	if (!access_open(ctx, ACCESS_FOR_GOOD, &access, err))
		return false;
	ok = access_custody(access, &custody, err) &&
	    certs_find_one(custody, id, ctx->now, &entry, err) &&
	    cert_read(entry->der, entry->der_len, &facts, err);
	if (ok) {
		if (is_trusted)
			state = facts.is_ca ? CERT_ANCHOR : CERT_TRUSTED;
		ok = custody_set_state(custody, &entry->fp, state, err);
		if (ok)
			tell(ctx, &facts, state);
		cert_facts_free(&facts);
	}
	cert_entry_free(entry, entry == NULL ? 0 : 1);
	access_close(access);
	return ok;
}

static int
run(struct cmd_context *ctx, int argc, char **argv, bool is_trusted)
{
	struct err	 err;
	int		 status;

	if (!cmd_operands(ctx, argc, argv, 1, &status))
		return status;
	return set_state(ctx, argv[optind], is_trusted, &err) ? CMD_OK :
	    cmd_fail(&err);
}

int
cmd_trust(struct cmd_context *ctx, int argc, char **argv)
{
	return run(ctx, argc, argv, true);
}

int
cmd_distrust(struct cmd_context *ctx, int argc, char **argv)
{
	return run(ctx, argc, argv, false);
}
