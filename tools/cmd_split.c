/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/bundle.h"
#include "store/cert.h"
#include "store/export.h"
#include "store/key.h"
#include "tools/certs.h"
#include "tools/cmd.h"
#include "tools/files.h"
#include "tools/out.h"
#include "tools/unlock.h"

#define NAME_LEN	64	/* bytes of a file's name, without its end */
#define CHAIN_MAX	16

enum {
	OPT_OUT = CMD_OPTION,
	OPT_FORCE,
	OPT_FILE,
	OPT_FD
};

struct splitter {
	const struct cmd_context	*ctx;
	const char			*dir;
	bool				 is_forced;
	json_t				*items;
	bool				 has_refused;
};

/* One file's certificates, by which keys and chains are named. */
struct piece {
	const struct bundle_item	*item;
	X509				*cert;	/* NULL: no certificate */
	struct cert_facts		 facts;
	char				*name;
};

static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || strchr("@._+-", c) != NULL;
}

/*
 * alice@example.org-3f9a12cd: from what the certificate says, so of harmless
 * characters only, and never hidden or like an option.
 */
static char *
file_name(const struct cert_facts *facts)
{
	const char	*title = certs_title(facts);
	char		 name[NAME_LEN + 1], fp[TEXT_FP_LEN];
	size_t		 n = 0;

	if (strncasecmp(title, "CN=", 3) == 0)
		title += 3;
	for (; *title != '\0' && n < NAME_LEN; title++) {
		char	 c = is_plain(*title) ? *title : '_';

		if (n == 0 && (c == '.' || c == '-'))
			c = '_';
		name[n++] = c;
	}
	name[n] = '\0';
	text_fp(&facts->fp, fp);
	return mem_strf("%s-%.8s", name, fp);
}

/* One line, or one object, for each piece. */
static void
report(struct splitter *s, const char *source, const struct bundle_item *item,
    const struct piece *piece, const char *path, const char *reason)
{
	json_t	*json;

	s->has_refused |= reason != NULL;
	if (!s->ctx->is_json) {
		printf("%-7s  %s%s%s  (%s%s%s)\n",
		    reason == NULL ? "written" : "refused",
		    bundle_kind_name(item->kind), path == NULL ? "" : " ",
		    path == NULL ? "" : path, source,
		    item->where[0] == '\0' ? "" : ", ", item->where);
		if (reason != NULL)
			printf("    because %s\n", reason);
		return;
	}
	json = json_object();
	json_object_set_new(json, "source", out_json_str(source));
	json_object_set_new(json, "where", out_json_str(item->where));
	json_object_set_new(json, "kind",
	    json_string(bundle_kind_name(item->kind)));
	json_object_set_new(json, "verdict",
	    json_string(reason == NULL ? "written" : "refused"));
	json_object_set_new(json, "reason", out_json_str(reason));
	json_object_set_new(json, "file", out_json_str(path));
	json_object_set_new(json, "fingerprint", piece == NULL ? json_null() :
	    out_json_fp(&piece->facts.fp));
	json_object_set_new(json, "subject",
	    out_json_str(piece == NULL ? NULL : piece->facts.subject));
	json_array_append_new(s->items, json);
}

static void
write_piece(struct splitter *s, const char *source,
    const struct bundle_item *item, const struct piece *piece,
    const char *name, const char *end, const struct buf *bytes)
{
	char		*path = mem_strf("%s/%s%s", s->dir, name, end);
	struct err	 err;

	if (files_write(path, bytes, s->is_forced, &err))
		report(s, source, item, piece, path, NULL);
	else
		report(s, source, item, piece, NULL, err.reason);
	free(path);
}

static bool
read_piece(const struct bundle_item *item, struct piece *piece,
    struct err *err)
{
	if (!cert_read(item->der.data, item->der.len, &piece->facts, err))
		return false;
	piece->cert = cert_parse(item->der.data, item->der.len, err);
	if (piece->cert == NULL) {
		cert_facts_free(&piece->facts);
		return false;
	}
	piece->item = item;
	piece->name = file_name(&piece->facts);
	return true;
}

static const struct piece *
find_issuer(const struct piece *pieces, size_t n, const struct piece *of)
{
	for (size_t i = 0; i < n; i++)
		if (pieces[i].cert != NULL && !of->facts.is_self_signed &&
		    pieces[i].facts.subject_hash == of->facts.issuer_hash &&
		    X509_check_issued(pieces[i].cert, of->cert) == X509_V_OK)
			return &pieces[i];
	return NULL;
}

static const struct piece *
find_owner(const struct piece *pieces, size_t n,
    const struct bundle_item *key)
{
	EVP_PKEY		*pkey;
	const struct piece	*owner = NULL;
	struct err		 ignored;

	if (!pkcs8_load(key->der.data, key->der.len, &pkey, &ignored))
		return NULL;
	for (size_t i = 0; i < n && owner == NULL; i++)
		if (pieces[i].cert != NULL &&
		    EVP_PKEY_eq(X509_get0_pubkey(pieces[i].cert), pkey) == 1)
			owner = &pieces[i];
	EVP_PKEY_free(pkey);
	return owner;
}

static bool
add_pem(const struct piece *piece, struct buf *out, struct err *err)
{
	struct cert_entry	 entry = { .der = piece->item->der.data,
				    .der_len = piece->item->der.len };

	return export_pem_cert(&entry, out, err);
}

/* The certificate and, if its issuers are here, the chain beside it. */
static void
split_cert(struct splitter *s, const char *source, const struct piece *pieces,
    size_t n, const struct piece *piece)
{
	const struct piece	*at = piece;
	struct buf		 out = { 0 };
	struct err		 err;

	if (!add_pem(piece, &out, &err)) {
		report(s, source, piece->item, piece, NULL, err.reason);
		buf_free(&out);
		return;
	}
	write_piece(s, source, piece->item, piece, piece->name, ".pem", &out);
	if (!cert_is_leaf(&piece->facts) ||
	    find_issuer(pieces, n, piece) == NULL) {
		buf_free(&out);
		return;
	}
	for (int i = 0; i < CHAIN_MAX &&
	    (at = find_issuer(pieces, n, at)) != NULL; i++)
		add_pem(at, &out, &err);
	write_piece(s, source, piece->item, piece, piece->name, "-chain.pem",
	    &out);
	buf_free(&out);
}

/* "key-3f9a12cd": by its public key, so that files do not meet in a name. */
static char *
key_name(const struct bundle_item *item)
{
	uint8_t		 id[KEY_ID_LEN];
	char		 hex[2 * 4 + 1];
	EVP_PKEY	*key;
	struct err	 ignored;

	if (!key_parse(item->der.data, item->der.len, &key, id, &ignored))
		return mem_strf("key-%s", item->where);
	EVP_PKEY_free(key);
	text_hex(id, 4, hex);
	return mem_strf("key-%s", hex);
}

static void
split_key(struct splitter *s, const char *source, const struct piece *owner,
    const struct bundle_item *item)
{
	struct buf	 out = { .is_secret = true };
	struct err	 err;
	bool		 is_wrapped = item->wrapped.len > 0;
	char		*name = owner != NULL ? mem_str(owner->name) :
			    key_name(item);

	for (char *c = name; *c != '\0'; c++)
		if (!is_plain(*c))
			*c = '_';
	if (export_pem(is_wrapped ? "ENCRYPTED PRIVATE KEY" : "PRIVATE KEY",
	    is_wrapped ? &item->wrapped : &item->der, &out, &err))
		write_piece(s, source, item, owner, name, ".key", &out);
	else
		report(s, source, item, owner, NULL, err.reason);
	free(name);
	buf_free(&out);
}

static void
split_crl(struct splitter *s, const char *source,
    const struct bundle_item *item)
{
	struct buf	 out = { 0 };
	struct err	 err;
	uint8_t		 digest[EVP_MAX_MD_SIZE];
	char		 hex[2 * 4 + 1] = "";
	char		*name;

	if (EVP_Digest(item->der.data, item->der.len, digest, NULL,
	    EVP_sha256(), NULL) == 1)
		text_hex(digest, 4, hex);
	name = mem_strf("crl-%s", hex);
	if (export_pem("X509 CRL", &item->der, &out, &err))
		write_piece(s, source, item, NULL, name, ".pem", &out);
	else
		report(s, source, item, NULL, NULL, err.reason);
	free(name);
	buf_free(&out);
}

/* The same certificate, further up in the same file. */
static bool
is_repeated(const struct piece *pieces, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (pieces[j].cert != NULL && text_fp_equal(
		    &pieces[j].facts.fp, &pieces[i].facts.fp))
			return true;
	return false;
}

static void
split_bundle(struct splitter *s, const char *source,
    const struct bundle *bundle)
{
	struct piece	*pieces = mem_array(bundle->n, sizeof(*pieces));
	struct err	 err;

	for (size_t i = 0; i < bundle->n; i++) {
		const struct bundle_item	*item = &bundle->items[i];

		if (item->reason != NULL)
			report(s, source, item, NULL, NULL, item->reason);
		else if (item->kind == BUNDLE_CERT &&
		    !read_piece(item, &pieces[i], &err))
			report(s, source, item, NULL, NULL, err.reason);
	}
	for (size_t i = 0; i < bundle->n; i++) {
		const struct bundle_item	*item = &bundle->items[i];

		if (pieces[i].cert != NULL && !is_repeated(pieces, i))
			split_cert(s, source, pieces, bundle->n, &pieces[i]);
		else if (item->kind == BUNDLE_KEY && item->reason == NULL)
			split_key(s, source, find_owner(pieces, bundle->n,
			    item), item);
		else if (item->kind == BUNDLE_CRL && item->reason == NULL)
			split_crl(s, source, item);
	}
	for (size_t i = 0; i < bundle->n; i++) {
		if (pieces[i].cert == NULL)
			continue;
		X509_free(pieces[i].cert);
		cert_facts_free(&pieces[i].facts);
		free(pieces[i].name);
	}
	free(pieces);
}

static void
split_file(struct splitter *s, const struct file *file,
    struct passphrases *passphrases)
{
	struct bundle_item	 whole = { .kind = BUNDLE_OTHER, .where = "" };
	struct bundle		*bundle = NULL;
	struct err		 err = file->err;

	if (err.kind != ERR_NONE ||
	    !unlock_bundle(file, passphrases, NULL, &bundle, &err))
		report(s, file->name, &whole, NULL, NULL, err.reason);
	else
		split_bundle(s, file->name, bundle);
	bundle_free(bundle);
}

int
cmd_split(struct cmd_context *ctx, int argc, char **argv)
{
	static const struct option	 options[] = {
		{ "out", required_argument, NULL, OPT_OUT },
		{ "force", no_argument, NULL, OPT_FORCE },
		{ "passphrase-file", required_argument, NULL, OPT_FILE },
		{ "passphrase-fd", required_argument, NULL, OPT_FD },
		CMD_OPTIONS
	};
	struct splitter			 s = { .ctx = ctx, .dir = "." };
	struct passphrases		 passphrases = { 0 };
	struct files			 files = { 0 };
	int				 opt, status = CMD_OK;

	while ((opt = getopt_long(argc, argv, CMD_SHORT, options,
	    NULL)) != -1) {
		switch (opt) {
		case OPT_OUT:
			s.dir = optarg;
			break;
		case OPT_FORCE:
			s.is_forced = true;
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
	if (optind == argc) {
		status = cmd_usage(argv[0]);
		goto out;
	}
	for (int i = optind; i < argc; i++)
		files_read(&files, argv[i]);
	/* If it cannot be made, each file says so. */
	mkdir(s.dir, 0700);
	s.items = json_array();
	for (size_t i = 0; i < files.n; i++)
		split_file(&s, &files.list[i], &passphrases);
	if (ctx->is_json)
		out_json_take(json_pack("{s:o}", "items", s.items));
	else
		json_decref(s.items);
	status = s.has_refused ? CMD_FAILED : CMD_OK;
out:
	files_free(&files);
	passphrases_free(&passphrases);
	return status;
}
