/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/export.h"
#include "tools/ask.h"
#include "tools/certs.h"
#include "tools/cmd.h"
#include "tools/files.h"
#include "tools/open.h"
#include "tools/out.h"
#include "tools/unlock.h"

enum {
	OPT_CHAIN = CMD_OPTION,
	OPT_KEY,
	OPT_BUNDLE,
	OPT_P12,
	OPT_DER,
	OPT_LEGACY,
	OPT_UNPROTECTED,
	OPT_OUT,
	OPT_FILE,
	OPT_FD
};

struct exporter {
	int			 form;		/* OPT_DER and so on; 0: PEM */
	bool			 is_legacy;
	bool			 is_unprotected;
	const char		*path;		/* NULL: standard output */
	struct passphrases	 passphrases;
	/* What the store gave. */
	struct cert_entry	*cert;
	struct cert_entry	*chain;
	size_t			 n_chain;
	struct export_key	 key;
};

static bool
wants_chain(const struct exporter *e)
{
	return e->form == OPT_CHAIN || e->form == OPT_BUNDLE ||
	    e->form == OPT_P12;
}

static bool
wants_key(const struct exporter *e)
{
	return e->form == OPT_KEY || e->form == OPT_BUNDLE ||
	    e->form == OPT_P12;
}

/* Everything out of the store at once; nobody is asked meanwhile. */
static bool
fetch(struct cmd_context *ctx, const char *id, struct exporter *e,
    struct err *err)
{
	struct access	*access = NULL;
	struct custody	*custody;
	bool		 ok;

	e->key.bytes.is_secret = true;
	ok = access_open(ctx, ACCESS_FOR_NOW, &access, err) &&
	    access_custody(access, &custody, err) &&
	    certs_find_one(custody, id, ctx->now, &e->cert, err);
	if (ok && wants_chain(e))
		ok = custody_chain(custody, &e->cert->fp, ctx->now, &e->chain,
		    &e->n_chain, err);
	if (ok && wants_key(e))
		ok = custody_get_key(custody, &e->cert->fp,
		    &e->key.protection, &e->key.bytes, err);
	if (ok && wants_key(e) && e->key.protection == KEY_NONE)
		ok = err_set(err, ERR_DATA, "there is no private key of this "
		    "certificate");
	access_close(access);
	return ok;
}

/*
 * A key under a passphrase goes out as it is, or opens with that passphrase;
 * any other goes under a new one, unless in clear by --unprotected.
 */
static bool
get_passphrase(struct exporter *e, struct err *err)
{
	bool	 is_kept = e->key.protection == KEY_PASSPHRASE;

	if (!wants_key(e) || e->passphrases.n > 0)
		return true;
	if (is_kept && e->form == OPT_KEY && !e->is_unprotected)
		return true;
	if (!is_kept && e->is_unprotected)
		return true;
	return ask_passphrase(is_kept ? "Passphrase of the key: " :
	    "New passphrase: ", !is_kept, &e->passphrases, err);
}

static bool
add_key(const struct exporter *e, struct buf *out, struct err *err)
{
	struct buf	 plain = { .is_secret = true };
	bool		 ok = true;

	/* Checked also where the key goes out as it is: DESIGN.md 9.10. */
	if (e->is_unprotected || (e->form == OPT_BUNDLE &&
	    e->key.protection == KEY_PASSPHRASE))
		ok = export_key_plain(&e->key, &e->passphrases, &plain, err);
	if (ok && e->is_unprotected)
		ok = export_pem("PRIVATE KEY", &plain, out, err);
	else if (ok)
		ok = export_key_pem(&e->key, &e->passphrases, out, err);
	buf_free(&plain);
	return ok;
}

/*
 * The file goes under the passphrase that opened the key, or under the new
 * one.  Of several, the first that opens the key.
 */
static bool
make_p12(const struct exporter *e, struct buf *out, struct err *err)
{
	struct buf		 plain = { .is_secret = true };
	struct cert_facts	 facts;
	struct export_p12	 p12 = { .cert = e->cert, .chain = e->chain,
				    .n_chain = e->n_chain,
				    .plain_key = &plain,
				    .is_legacy = e->is_legacy };
	bool			 ok = false;

	for (size_t i = 0; i < e->passphrases.n && !ok; i++) {
		struct passphrases	 one = { e->passphrases.words + i, 1 };

		p12.passphrase = one.words[0];
		ok = export_key_plain(&e->key, &one, &plain, err);
	}
	if (ok && cert_read(e->cert->der, e->cert->der_len, &facts, err)) {
		p12.name = certs_title(&facts);
		ok = export_pkcs12(&p12, out, err);
		cert_facts_free(&facts);
	}
	buf_free(&plain);
	return ok;
}

static bool
make(const struct exporter *e, struct buf *out, struct err *err)
{
	bool	 ok = true;

	if (e->form == OPT_DER) {
		buf_add(out, e->cert->der, e->cert->der_len);
		return buf_ok(out, "the exported file", err);
	}
	if (e->form == OPT_P12)
		return make_p12(e, out, err);
	if (e->form == OPT_KEY)
		return add_key(e, out, err);
	ok = export_pem_cert(e->cert, out, err);
	for (size_t i = 0; ok && i < e->n_chain; i++)
		ok = export_pem_cert(&e->chain[i], out, err);
	return ok && (e->form != OPT_BUNDLE || add_key(e, out, err));
}

static bool
is_binary_to_terminal(const struct exporter *e)
{
	return (e->form == OPT_DER || e->form == OPT_P12) &&
	    e->path == NULL && isatty(STDOUT_FILENO);
}

static int
run_export(struct cmd_context *ctx, const char *id, struct exporter *e)
{
	struct buf	 out = { .is_secret = true };
	struct err	 err;
	int		 status = CMD_OK;

	if (is_binary_to_terminal(e)) {
		err_set(&err, ERR_DATA, "that is binary: name a file with "
		    "--out");
		status = cmd_fail(&err);
	} else if (!fetch(ctx, id, e, &err) || !get_passphrase(e, &err) ||
	    !make(e, &out, &err) ||
	    !files_write(e->path, &out, false, &err))
		status = cmd_fail(&err);
	else if (ctx->is_json && e->path != NULL)
		out_json_take(json_pack("{s:o, s:o}", "fingerprint",
		    out_json_fp(&e->cert->fp), "file",
		    out_json_str(e->path)));
	buf_free(&out);
	buf_free(&e->key.bytes);
	cert_entry_free(e->cert, e->cert == NULL ? 0 : 1);
	cert_entry_free(e->chain, e->n_chain);
	return status;
}

int
cmd_export(struct cmd_context *ctx, int argc, char **argv)
{
	static const struct option	 options[] = {
		{ "chain", no_argument, NULL, OPT_CHAIN },
		{ "key", no_argument, NULL, OPT_KEY },
		{ "bundle", no_argument, NULL, OPT_BUNDLE },
		{ "p12", no_argument, NULL, OPT_P12 },
		{ "der", no_argument, NULL, OPT_DER },
		{ "legacy", no_argument, NULL, OPT_LEGACY },
		{ "unprotected", no_argument, NULL, OPT_UNPROTECTED },
		{ "out", required_argument, NULL, OPT_OUT },
		{ "passphrase-file", required_argument, NULL, OPT_FILE },
		{ "passphrase-fd", required_argument, NULL, OPT_FD },
		CMD_OPTIONS
	};
	struct exporter			 e = { 0 };
	int				 opt, status = CMD_OK, n_forms = 0;

	while ((opt = getopt_long(argc, argv, CMD_SHORT, options,
	    NULL)) != -1) {
		switch (opt) {
		case OPT_CHAIN:
		case OPT_KEY:
		case OPT_BUNDLE:
		case OPT_P12:
		case OPT_DER:
			e.form = opt;
			n_forms++;
			break;
		case OPT_LEGACY:
			e.is_legacy = true;
			break;
		case OPT_UNPROTECTED:
			e.is_unprotected = true;
			break;
		case OPT_OUT:
			e.path = optarg;
			break;
		case OPT_FILE:
		case OPT_FD:
			if (!unlock_option(opt == OPT_FILE, &e.passphrases,
			    &status))
				goto out;
			break;
		default:
			if (!cmd_option(ctx, argv[0], opt, &status))
				goto out;
		}
	}
	if (optind != argc - 1 || n_forms > 1 ||
	    (e.is_legacy && e.form != OPT_P12) ||
	    (e.is_unprotected && e.form != OPT_KEY && e.form != OPT_BUNDLE))
		status = cmd_usage(argv[0]);
	else
		status = run_export(ctx, argv[optind], &e);
out:
	passphrases_free(&e.passphrases);
	return status;
}
