/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "store/crl.h"
#include "store/import.h"

struct importer {
	struct import_file		*files;
	size_t				 n;
	const struct import_options	*options;
	struct custody			*custody;	/* for one batch */
	size_t				 n_done;	/* items */
};

/* One file, while it is gone through. */
struct pass {
	struct importer		*im;
	struct import_file	*file;
	size_t			 n_cas;		/* of import_count_cas() */
};

static bool
get_custody(struct importer *im, struct err *err)
{
	return im->options->custody(im->options->arg, im->n_done, &im->custody,
	    err);
}

static void
set_reason(struct import_item *item, const char *reason)
{
	free(item->reason);
	item->reason = mem_str(reason);
}

static bool
is_good_cert(const struct bundle_item *item)
{
	return item->kind == BUNDLE_CERT && item->reason == NULL;
}

size_t
import_count_cas(const struct bundle *bundle)
{
	struct cert_facts	 facts;
	struct fingerprint	 first;
	struct err		 ignored;
	size_t			 n = 0;
	bool			 is_one = true;

	for (size_t i = 0; i < bundle->n; i++) {
		const struct bundle_item	*item = &bundle->items[i];
		bool				 is_ca;

		if (item->kind == BUNDLE_KEY || item->is_signature)
			return 0;
		if (!is_good_cert(item))
			continue;
		if (!cert_read(item->der.data, item->der.len, &facts,
		    &ignored))
			continue;
		is_ca = !cert_is_leaf(&facts);
		if (n++ == 0)
			first = facts.fp;
		else if (!text_fp_equal(&first, &facts.fp))
			is_one = false;
		cert_facts_free(&facts);
		if (!is_ca)
			return 0;
	}
	/* The same one, several times over, is one. */
	return n > 0 && is_one ? 1 : n;
}

static enum cert_state
wanted_state(const struct pass *pass, const struct bundle_item *item,
    const struct cert_facts *facts)
{
	if (pass->im->options->no_trust || item->is_signature)
		return CERT_CHAIN;
	if (cert_is_leaf(facts))
		return CERT_TRUSTED;
	if (pass->n_cas == 1 || (pass->n_cas > 1 && pass->file->trust_all))
		return CERT_ANCHOR;
	return CERT_CHAIN;
}

/* What the administrator should know of an item that was not refused. */
static void
remark(const struct pass *pass, struct import_item *item)
{
	const struct import_options	*options = pass->im->options;
	char				 date[TEXT_TIME_LEN];

	if (item->verdict == PUT_REFUSED || item->reason != NULL)
		return;
	if (options->now > item->facts.not_after) {
		text_date(item->facts.not_after, date);
		item->reason = mem_strf("expired %s; kept", date);
	} else if (options->now < item->facts.not_before) {
		text_date(item->facts.not_before, date);
		item->reason = mem_strf("not valid before %s; kept", date);
	} else if (pass->n_cas > 1 && item->state == CERT_CHAIN &&
	    !options->no_trust)
		set_reason(item, "one of several CA certificates: no anchor; "
		    "trust it by its ID, or all of them with --trust-all");
}

/* Can this item go in, and how? */
static bool
prepare_cert(const struct pass *pass, const struct bundle_item *from,
    struct import_item *item, struct put_cert *put)
{
	struct err	 err;

	if (!cert_read(from->der.data, from->der.len, &item->facts, &err)) {
		set_reason(item, err.reason);
		return false;
	}
	item->has_facts = true;
	if (cert_is_leaf(&item->facts) && !cert_is_fit(&item->facts, &err)) {
		free(item->reason);
		item->reason = mem_strf("the certificate %s", err.reason);
		return false;
	}
	item->state = wanted_state(pass, from, &item->facts);
	*put = (struct put_cert){ .der = from->der.data,
	    .der_len = from->der.len, .state = item->state,
	    .source = pass->file->source };
	return true;
}

/* A certificate as the store has it already; none: it is not there. */
static bool
look_up(const struct importer *im, const struct cert_facts *facts,
    struct cert_entry **out, size_t *n, struct err *err)
{
	char	 id[TEXT_FP_LEN];

	*out = NULL;
	*n = 0;
	text_fp(&facts->fp, id);
	return custody_lookup(im->custody, id, im->options->now, out, n, err);
}

/* What would be said of these, without putting them in. */
static bool
foresee_certs(const struct pass *pass, struct import_item **items, size_t n,
    struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct cert_entry	*entry;
		size_t			 n_entries;

		if (!look_up(pass->im, &items[i]->facts, &entry, &n_entries,
		    err))
			return false;
		items[i]->verdict = n_entries > 0 ? PUT_KNOWN : PUT_ADDED;
		if (n_entries > 0)
			items[i]->state = entry->state;
		cert_entry_free(entry, n_entries);
		set_reason(items[i], NULL);
		remark(pass, items[i]);
	}
	return true;
}

static bool
foresee_key(const struct importer *im, struct import_item *item,
    struct err *err)
{
	struct cert_entry	*entry;
	size_t			 n;

	if (!look_up(im, &item->facts, &entry, &n, err))
		return false;
	item->verdict = n > 0 && entry->key != KEY_NONE ? PUT_KNOWN :
	    PUT_ADDED;
	cert_entry_free(entry, n);
	return true;
}

static bool
put_batch(const struct pass *pass, const struct put_cert *puts,
    struct import_item **items, size_t n, struct err *err)
{
	struct importer		*im = pass->im;
	struct put_result	 results[IMPORT_BATCH];

	if (n == 0)
		return true;
	if (!get_custody(im, err))
		return false;
	if (im->options->dry_run)
		return foresee_certs(pass, items, n, err);
	memset(results, 0, sizeof(results));
	if (!custody_put_certs(im->custody, puts, n, im->options->now,
	    results, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		items[i]->verdict = results[i].verdict;
		items[i]->state = results[i].state;
		set_reason(items[i], results[i].reason);
		free(results[i].reason);
		remark(pass, items[i]);
	}
	return true;
}

static bool
put_certs(const struct pass *pass, struct err *err)
{
	const struct bundle	*bundle = pass->file->bundle;
	struct put_cert		 puts[IMPORT_BATCH];
	struct import_item	*items[IMPORT_BATCH];
	size_t			 n = 0;

	for (size_t i = 0; i < bundle->n; i++) {
		struct import_item	*item = &pass->file->report.items[i];

		if (bundle->items[i].kind == BUNDLE_CERT)
			pass->im->n_done++;
		if (!is_good_cert(&bundle->items[i]) ||
		    !prepare_cert(pass, &bundle->items[i], item, &puts[n]))
			continue;
		/* Until the store has answered. */
		set_reason(item, "the store did not take it");
		items[n++] = item;
		if (n < IMPORT_BATCH)
			continue;
		if (!put_batch(pass, puts, items, n, err))
			return false;
		n = 0;
	}
	return put_batch(pass, puts, items, n, err);
}

/* What a list is good for, where it was not refused. */
static void
remark_crl(const struct import_options *options, const struct crl *crl,
    struct import_item *item)
{
	char	 until[TEXT_TIME_LEN];

	if (item->verdict == PUT_REFUSED)
		return;
	text_date(crl->next_update, until);
	free(item->reason);
	item->reason = mem_strf("%zu revoked%s%s", crl->n,
	    crl->next_update == 0 ? "" : crl->next_update < options->now ?
	    "; stale since " : "; the next list is due ",
	    crl->next_update == 0 ? "" : until);
}

static bool
put_crl(const struct pass *pass, const struct bundle_item *from,
    struct import_item *item, struct err *err)
{
	struct importer		*im = pass->im;
	struct put_crl		 put = { .der = from->der.data,
				    .der_len = from->der.len,
				    .source = pass->file->source,
				    .is_dry_run = im->options->dry_run };
	struct put_result	 result = { 0 };
	struct crl		 crl;
	struct err		 why;
	bool			 is_ok;

	if (!crl_read(from->der.data, from->der.len, &crl, &why)) {
		set_reason(item, why.reason);
		return true;
	}
	item->crl_issuer = mem_str(crl.issuer);
	is_ok = get_custody(im, err) && custody_put_crl(im->custody, &put,
	    im->options->now, &result, err);
	if (is_ok) {
		item->verdict = result.verdict;
		set_reason(item, result.reason);
		remark_crl(im->options, &crl, item);
	} else
		set_reason(item, "the store did not take it");
	free(result.reason);
	crl_free(&crl);
	return is_ok;
}

/* SHA-256 over the key's SubjectPublicKeyInfo, as in struct cert_facts. */
static bool
hash_public(const struct bundle_item *item, uint8_t out[32], struct err *err)
{
	EVP_PKEY	*key;
	uint8_t		*der = NULL;
	int		 len;
	bool		 ok;

	if (!pkcs8_load(item->der.data, item->der.len, &key, err))
		return false;
	len = i2d_PUBKEY(key, &der);
	EVP_PKEY_free(key);
	ok = len > 0 &&
	    EVP_Digest(der, (size_t)len, out, NULL, EVP_sha256(), NULL) == 1;
	OPENSSL_free(der);
	return ok || err_openssl(err, ERR_DATA,
	    "the public part of a key cannot be found");
}

/* The certificate for a key, in one of the files. */
static bool
find_in_files(const struct importer *im, const uint8_t spki[32],
    const struct import_item **found, const struct bundle_item **from)
{
	for (size_t f = 0; f < im->n; f++)
		for (size_t i = 0; i < im->files[f].report.n; i++) {
			const struct import_item *item =
			    &im->files[f].report.items[i];

			if (item->kind != BUNDLE_CERT || !item->has_facts ||
			    memcmp(item->facts.spki, spki, 32) != 0)
				continue;
			*found = item;
			*from = &im->files[f].bundle->items[i];
			return true;
		}
	return false;
}

/* The certificate for a key, in the store. */
static bool
find_in_store(const struct importer *im, const uint8_t spki[32],
    struct import_item *item, struct err *err)
{
	struct cert_entry	*entries;
	char			 what[sizeof(CUSTODY_BY_KEY) + 64];
	struct err		 ignored;
	size_t			 n;

	strcpy(what, CUSTODY_BY_KEY);
	text_hex(spki, 32, what + strlen(what));
	if (!custody_lookup(im->custody, what, im->options->now, &entries, &n,
	    err))
		return false;
	for (size_t i = 0; i < n && !item->has_facts; i++)
		item->has_facts = cert_read(entries[i].der,
		    entries[i].der_len, &item->facts, &ignored);
	cert_entry_free(entries, n);
	return true;
}

/* Where a key belongs; in a report, its certificate is told by its facts. */
static bool
pair_key(const struct importer *im, const struct bundle_item *from,
    struct import_item *item, struct err *err)
{
	const struct import_item	*cert;
	const struct bundle_item	*cert_from;
	uint8_t				 spki[32];

	if (!hash_public(from, spki, err)) {
		set_reason(item, err->reason);
		return true;
	}
	if (!find_in_files(im, spki, &cert, &cert_from))
		return find_in_store(im, spki, item, err);
	item->has_facts = cert_read(cert_from->der.data, cert_from->der.len,
	    &item->facts, err);
	if (cert->verdict == PUT_REFUSED) {
		free(item->reason);
		item->reason = mem_strf("its certificate was refused: %s",
		    cert->reason == NULL ? "" : cert->reason);
	}
	return true;
}

static bool
put_key(const struct pass *pass, const struct bundle_item *from,
    struct import_item *item, struct err *err)
{
	struct importer		*im = pass->im;
	struct put_result	 result = { 0 };
	struct put_key		 put = { .plain = from->der.data,
				    .plain_len = from->der.len,
				    .wrapped = from->wrapped.data,
				    .wrapped_len = from->wrapped.len,
				    .source = pass->file->source };

	/* Until the store has answered. */
	set_reason(item, "the store did not take it");
	if (!get_custody(im, err))
		return false;
	set_reason(item, NULL);
	if (!pair_key(im, from, item, err))
		return false;
	if (item->reason != NULL)
		return true;
	if (!item->has_facts) {
		set_reason(item, "its certificate is neither in the files nor "
		    "in the store: import that first, or both together");
		return true;
	}
	if (im->options->dry_run)
		return foresee_key(im, item, err);
	if (!custody_put_key(im->custody, &put, im->options->now, &result,
	    err)) {
		set_reason(item, err->reason);
		return err->kind == ERR_DATA;
	}
	item->verdict = result.verdict;
	item->state = result.state;
	set_reason(item, result.reason);
	free(result.reason);
	return true;
}

/* What needs certificates that may come in another file: lists, then keys. */
static bool
put_rest(const struct pass *pass, enum bundle_kind kind, struct err *err)
{
	const struct bundle	*bundle = pass->file->bundle;

	for (size_t i = 0; i < bundle->n; i++) {
		const struct bundle_item	*from = &bundle->items[i];
		struct import_item *item = &pass->file->report.items[i];

		if (from->kind != kind)
			continue;
		pass->im->n_done++;
		if (from->reason == NULL && !(kind == BUNDLE_CRL ?
		    put_crl(pass, from, item, err) :
		    put_key(pass, from, item, err)))
			return false;
	}
	return true;
}

/* Everything is refused until the store has said otherwise. */
static void
begin_report(struct import_file *file)
{
	file->report.items = mem_array(file->bundle->n,
	    sizeof(*file->report.items));
	file->report.n = file->bundle->n;
	for (size_t i = 0; i < file->bundle->n; i++) {
		const struct bundle_item	*from =
		    &file->bundle->items[i];
		struct import_item		*item = &file->report.items[i];

		item->kind = from->kind;
		item->where = mem_str(from->where);
		item->verdict = PUT_REFUSED;
		item->reason = mem_str(from->reason == NULL ?
		    "nothing was done with it" : from->reason);
	}
}

static bool
run_pass(struct importer *im, enum bundle_kind kind, struct err *err)
{
	for (size_t i = 0; i < im->n; i++) {
		struct pass	 pass = { .im = im, .file = &im->files[i] };

		if (kind == BUNDLE_CERT) {
			pass.n_cas = import_count_cas(pass.file->bundle);
			if (!put_certs(&pass, err))
				return false;
		} else if (!put_rest(&pass, kind, err))
			return false;
	}
	return true;
}

bool
import_files(struct import_file *files, size_t n,
    const struct import_options *options, struct err *err)
{
	struct importer	 im = { .files = files, .n = n, .options = options };

	for (size_t i = 0; i < n; i++)
		begin_report(&files[i]);
	return run_pass(&im, BUNDLE_CERT, err) &&
	    run_pass(&im, BUNDLE_CRL, err) && run_pass(&im, BUNDLE_KEY, err);
}

void
import_report_free(struct import_report *report)
{
	for (size_t i = 0; i < report->n; i++) {
		free(report->items[i].where);
		free(report->items[i].reason);
		free(report->items[i].crl_issuer);
		if (report->items[i].has_facts)
			cert_facts_free(&report->items[i].facts);
	}
	free(report->items);
	*report = (struct import_report){ 0 };
}
