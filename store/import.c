/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "store/crl.h"
#include "store/import.h"

#define BATCH	256	/* certificates in one transaction */

struct importer {
	struct custody			*custody;
	const struct bundle		*bundle;
	const char			*source;
	const struct import_options	*options;
	struct import_report		*report;
	size_t				 n_cas;	/* of import_count_cas() */
};

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
wanted_state(const struct importer *im, const struct bundle_item *item,
    const struct cert_facts *facts)
{
	if (im->options->no_trust || item->is_signature)
		return CERT_CHAIN;
	if (cert_is_leaf(facts))
		return CERT_TRUSTED;
	if (im->n_cas == 1 || (im->n_cas > 1 && im->options->trust_all))
		return CERT_ANCHOR;
	return CERT_CHAIN;
}

/* What the administrator should know of an item that was not refused. */
static void
remark(const struct importer *im, struct import_item *item)
{
	char	 date[TEXT_TIME_LEN];

	if (item->verdict == PUT_REFUSED || item->reason != NULL)
		return;
	if (im->options->now > item->facts.not_after) {
		text_date(item->facts.not_after, date);
		item->reason = mem_strf("expired %s; kept", date);
	} else if (im->options->now < item->facts.not_before) {
		text_date(item->facts.not_before, date);
		item->reason = mem_strf("not valid before %s; kept", date);
	} else if (im->n_cas > 1 && item->state == CERT_CHAIN &&
	    !im->options->no_trust)
		set_reason(item, "one of several CA certificates: no anchor; "
		    "trust it by its ID, or all of them with --trust-all");
}

/* Can this item go in, and how? */
static bool
prepare_cert(const struct importer *im, const struct bundle_item *from,
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
	item->state = wanted_state(im, from, &item->facts);
	*put = (struct put_cert){ .der = from->der.data,
	    .der_len = from->der.len, .state = item->state,
	    .source = im->source };
	return true;
}

/* A certificate as the store has it already; NULL: not there. */
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
foresee_certs(const struct importer *im, struct import_item **items, size_t n,
    struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct cert_entry	*entry;
		size_t			 n_entries;

		if (!look_up(im, &items[i]->facts, &entry, &n_entries, err))
			return false;
		items[i]->verdict = n_entries > 0 ? PUT_KNOWN : PUT_ADDED;
		if (n_entries > 0)
			items[i]->state = entry->state;
		cert_entry_free(entry, n_entries);
		set_reason(items[i], NULL);
		remark(im, items[i]);
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
put_batch(const struct importer *im, const struct put_cert *puts,
    struct import_item **items, size_t n, struct err *err)
{
	struct put_result	 results[BATCH];

	if (n == 0)
		return true;
	if (im->options->dry_run)
		return foresee_certs(im, items, n, err);
	memset(results, 0, sizeof(results));
	if (!custody_put_certs(im->custody, puts, n, im->options->now,
	    results, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		items[i]->verdict = results[i].verdict;
		items[i]->state = results[i].state;
		set_reason(items[i], results[i].reason);
		free(results[i].reason);
		remark(im, items[i]);
	}
	return true;
}

static bool
put_certs(const struct importer *im, struct err *err)
{
	struct put_cert		 puts[BATCH];
	struct import_item	*items[BATCH];
	size_t			 n = 0;

	for (size_t i = 0; i < im->bundle->n; i++) {
		struct import_item	*item = &im->report->items[i];

		if (!is_good_cert(&im->bundle->items[i]) ||
		    !prepare_cert(im, &im->bundle->items[i], item, &puts[n]))
			continue;
		/* Until the store has answered. */
		set_reason(item, "the store did not take it");
		items[n++] = item;
		if (n < BATCH)
			continue;
		if (!put_batch(im, puts, items, n, err))
			return false;
		n = 0;
	}
	return put_batch(im, puts, items, n, err);
}

/* What a list is good for, where it was not refused. */
static void
remark_crl(const struct importer *im, const struct crl *crl,
    struct import_item *item)
{
	char	 until[TEXT_TIME_LEN];

	if (item->verdict == PUT_REFUSED)
		return;
	text_date(crl->next_update, until);
	free(item->reason);
	item->reason = mem_strf("%zu revoked%s%s", crl->n,
	    crl->next_update == 0 ? "" : crl->next_update < im->options->now ?
	    "; stale since " : "; the next list is due ",
	    crl->next_update == 0 ? "" : until);
}

static bool
put_crl(const struct importer *im, const struct bundle_item *from,
    struct import_item *item, struct err *err)
{
	struct put_crl		 put = { .der = from->der.data,
				    .der_len = from->der.len,
				    .source = im->source,
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
	is_ok = custody_put_crl(im->custody, &put, im->options->now, &result,
	    err);
	if (is_ok) {
		item->verdict = result.verdict;
		set_reason(item, result.reason);
		remark_crl(im, &crl, item);
	} else
		set_reason(item, "the store did not take it");
	free(result.reason);
	crl_free(&crl);
	return is_ok;
}

static bool
put_crls(const struct importer *im, struct err *err)
{
	for (size_t i = 0; i < im->bundle->n; i++) {
		const struct bundle_item	*from = &im->bundle->items[i];

		if (from->kind == BUNDLE_CRL && from->reason == NULL &&
		    !put_crl(im, from, &im->report->items[i], err))
			return false;
	}
	return true;
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

/* The certificate for a key, here in the file. */
static const struct import_item *
find_in_report(const struct importer *im, const uint8_t spki[32])
{
	for (size_t i = 0; i < im->report->n; i++) {
		const struct import_item	*item = &im->report->items[i];

		if (item->kind == BUNDLE_CERT && item->has_facts &&
		    memcmp(item->facts.spki, spki, 32) == 0)
			return item;
	}
	return NULL;
}

/*
 * The certificate for a key, in the store: all are looked at, since a key
 * that comes without its certificate is rare.
 */
static bool
find_in_store(const struct importer *im, const uint8_t spki[32],
    struct import_item *item, struct err *err)
{
	struct cert_entry	*entries = NULL;
	struct fingerprint	 last;
	size_t			 n = 0;
	bool			 is_first = true;
	struct err		 ignored;

	while (!item->has_facts) {
		if (!custody_list(im->custody, is_first ? NULL : &last, BATCH,
		    im->options->now, &entries, &n, err))
			return false;
		for (size_t i = 0; i < n && !item->has_facts; i++) {
			if (!cert_read(entries[i].der, entries[i].der_len,
			    &item->facts, &ignored))
				continue;
			item->has_facts = memcmp(item->facts.spki, spki,
			    32) == 0;
			if (!item->has_facts)
				cert_facts_free(&item->facts);
		}
		if (n > 0)
			last = entries[n - 1].fp;
		is_first = false;
		cert_entry_free(entries, n);
		if (n == 0)
			break;
	}
	return true;
}

/* Where a key belongs; in a report, its certificate is told by its facts. */
static bool
pair_key(const struct importer *im, const struct bundle_item *from,
    struct import_item *item, struct err *err)
{
	const struct import_item	*cert;
	uint8_t				 spki[32];
	size_t				 i;

	if (!hash_public(from, spki, err)) {
		set_reason(item, err->reason);
		return true;
	}
	if ((cert = find_in_report(im, spki)) == NULL)
		return find_in_store(im, spki, item, err);
	i = (size_t)(cert - im->report->items);
	item->has_facts = cert_read(im->bundle->items[i].der.data,
	    im->bundle->items[i].der.len, &item->facts, err);
	if (cert->verdict == PUT_REFUSED)
		item->reason = mem_strf("its certificate was refused: %s",
		    cert->reason == NULL ? "" : cert->reason);
	return true;
}

static bool
put_key(const struct importer *im, const struct bundle_item *from,
    struct import_item *item, struct err *err)
{
	struct put_result	 result = { 0 };
	struct put_key		 put = { .plain = from->der.data,
				    .plain_len = from->der.len,
				    .wrapped = from->wrapped.data,
				    .wrapped_len = from->wrapped.len,
				    .source = im->source };

	if (!pair_key(im, from, item, err))
		return false;
	if (item->reason != NULL)
		return true;
	if (!item->has_facts) {
		set_reason(item, "its certificate is neither in the file nor "
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

static bool
put_keys(const struct importer *im, struct err *err)
{
	for (size_t i = 0; i < im->bundle->n; i++) {
		const struct bundle_item	*from = &im->bundle->items[i];

		if (from->kind == BUNDLE_KEY && from->reason == NULL &&
		    !put_key(im, from, &im->report->items[i], err))
			return false;
	}
	return true;
}

/* Everything is refused until the store has said otherwise. */
static void
begin_report(const struct importer *im)
{
	im->report->items = mem_array(im->bundle->n,
	    sizeof(*im->report->items));
	im->report->n = im->bundle->n;
	for (size_t i = 0; i < im->bundle->n; i++) {
		const struct bundle_item	*from = &im->bundle->items[i];
		struct import_item		*item = &im->report->items[i];

		item->kind = from->kind;
		item->where = mem_str(from->where);
		item->verdict = PUT_REFUSED;
		item->reason = mem_str(from->reason);
	}
}

bool
import_bundle(struct custody *custody, const struct bundle *bundle,
    const char *source, const struct import_options *options,
    struct import_report *report, struct err *err)
{
	struct importer	 im = { .custody = custody, .bundle = bundle,
			    .source = source, .options = options,
			    .report = report,
			    .n_cas = import_count_cas(bundle) };

	begin_report(&im);
	return put_certs(&im, err) && put_crls(&im, err) &&
	    put_keys(&im, err);
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
