/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "store/cert.h"
#include "store/cert_index.h"
#include "store/cert_pick.h"
#include "store/custody.h"
#include "store/identity.h"
#include "store/key.h"
#include "store/signer.h"
#include "store/store.h"
#include "store/trust.h"

#define IDENTITIES_MAX	512	/* unlocked keys in memory */
#define LOOKUP_MAX	1000	/* entries that a prefix may name */

/* custody.h over the store itself. */
struct local {
	struct store		*store;
	struct trust		*trust;
	struct identity_cache	*identities;
};

/* --- find ----------------------------------------------------------------- */

/*
 * May this certificate be used?  The gate, then trust, then the key: the
 * first that says no gives the reason.
 */
static bool
weigh(struct local *local, const struct cert_record *record, enum cert_use use,
    const char *addr, int64_t now, struct candidate *candidate,
    struct err *err)
{
	const struct cert_facts	*facts = &record->facts;
	enum key_protection	 key;
	struct trust_verdict	 verdict;
	struct err		 why;

	memset(candidate, 0, sizeof(*candidate));
	candidate->fp = facts->fp;
	candidate->not_before = facts->not_before;
	candidate->not_after = facts->not_after;
	if (!key_protection_of(local->store, facts->spki, &key, err))
		return false;
	candidate->has_key = key != KEY_NONE;
	if (!cert_usable(facts, use, addr, now, &why)) {
		candidate->reason = mem_str(why.reason);
		return true;
	}
	if (!trust_judge(local->trust, record, now, &verdict, err))
		return false;
	if (!verdict.is_trusted)
		candidate->reason = mem_strf("not trusted: %s", verdict.text);
	else if (use == CERT_USE_SIGN && !candidate->has_key)
		candidate->reason = mem_str("has no private key here");
	return true;
}

/* The certificate itself goes along with the candidate that may be chosen. */
static void
keep_if_best(struct finding *finding, const struct candidate *candidate,
    struct cert_record *record)
{
	struct candidate	 pair[2];

	if (candidate->reason != NULL)
		return;
	if (finding->der != NULL) {
		pair[0] = finding->candidates[0];
		pair[1] = *candidate;
		cert_pick_sort(pair, 2);
		if (!text_fp_equal(&pair[0].fp, &candidate->fp))
			return;
	}
	free(finding->der);
	finding->der = record->der;
	finding->der_len = record->der_len;
	record->der = NULL;
}

static bool
add_candidate(struct local *local, struct finding *finding,
    const struct fingerprint *fp, enum cert_use use, const char *addr,
    int64_t now, struct err *err)
{
	struct candidate	*candidate = &finding->candidates[finding->n];
	struct cert_record	 record;
	bool			 found, is_ok;

	if (!cert_index_get(local->store, fp, &record, &found, err))
		return false;
	if (!found)
		return err_set(err, ERR_TEMP, "the store's index names a "
		    "certificate that is not there");
	is_ok = weigh(local, &record, use, addr, now, candidate, err);
	if (is_ok) {
		keep_if_best(finding, candidate, &record);
		finding->n++;
		cert_pick_sort(finding->candidates, finding->n);
	}
	record_free_cert(&record);
	return is_ok;
}

static bool
find(struct local *local, const char *addr, enum cert_use use, int64_t now,
    struct finding **out, struct err *err)
{
	struct fingerprint_list	 fps;
	struct finding		*finding = mem_alloc(sizeof(*finding));
	bool			 is_ok;

	is_ok = cert_index_find(local->store, CERT_INDEX_ADDRESS, addr,
	    strlen(addr), &fps, err);
	if (is_ok)
		finding->candidates = mem_array(fps.n,
		    sizeof(*finding->candidates));
	for (size_t i = 0; is_ok && i < fps.n; i++)
		is_ok = add_candidate(local, finding, &fps.list[i], use, addr,
		    now, err);
	free(fps.list);
	if (!is_ok) {
		finding_free(finding);
		return false;
	}
	finding->reason = cert_pick_reason(finding->candidates, finding->n);
	*out = finding;
	return true;
}

static bool
local_find(void *arg, const char *addr, enum cert_use use, int64_t now,
    struct finding **out, struct err *err)
{
	struct local	*local = arg;
	bool		 is_ok;

	if (!store_begin_read(local->store, err))
		return false;
	is_ok = find(local, addr, use, now, out, err);
	store_end_read(local->store);
	return is_ok;
}

/* --- sign ----------------------------------------------------------------- */

static bool
get(struct local *local, const struct fingerprint *fp,
    struct cert_record *record, struct err *err)
{
	char	 hex[TEXT_FP_LEN];
	bool	 found;

	if (!cert_index_get(local->store, fp, record, &found, err))
		return false;
	if (found)
		return true;
	text_fp(fp, hex);
	return err_set(err, ERR_DATA, "there is no certificate %s", hex);
}

/* What goes along with a signature: all above the signer but a root. */
static bool
load_chain(struct local *local, const struct cert_record *record, int64_t now,
    STACK_OF(X509) *chain, struct err *err)
{
	struct cert_record	*issuers;
	size_t			 n;
	bool			 is_ok;

	is_ok = trust_issuers(local->trust, record, now, &issuers, &n, err);
	for (size_t i = 0; i < n; i++) {
		X509	*x509;

		if (is_ok && !issuers[i].facts.is_self_signed) {
			x509 = cert_parse(issuers[i].der, issuers[i].der_len,
			    err);
			is_ok = x509 != NULL;
			if (is_ok && sk_X509_push(chain, x509) == 0)
				abort();
		}
		record_free_cert(&issuers[i]);
	}
	free(issuers);
	return is_ok;
}

static struct identity *
load_identity(struct local *local, const struct cert_record *record,
    int64_t now, struct err *err)
{
	STACK_OF(X509)	*chain = sk_X509_new_null();
	X509		*cert = NULL;
	EVP_PKEY	*key = NULL;

	if (chain == NULL)
		abort();
	if ((cert = cert_parse(record->der, record->der_len, err)) == NULL ||
	    !load_chain(local, record, now, chain, err) ||
	    !key_unlock(local->store, record->facts.spki, &key, err))
		goto fail;
	if (key == NULL) {
		err_set(err, ERR_DATA, "certificate has no private key here");
		goto fail;
	}
	if (X509_check_private_key(cert, key) != 1) {
		err_openssl(err, ERR_TEMP,
		    "the certificate's key is not its own");
		goto fail;
	}
	return identity_new_take(&record->facts.fp,
	    store_generation(local->store), cert, chain, key);
fail:
	X509_free(cert);
	sk_X509_pop_free(chain, X509_free);
	EVP_PKEY_free(key);
	return NULL;
}

static struct identity *
get_identity(struct local *local, const struct cert_record *record,
    int64_t now, struct err *err)
{
	struct identity	*identity;

	identity = identity_cache_get(local->identities, &record->facts.fp,
	    store_generation(local->store));
	if (identity != NULL)
		return identity;
	if ((identity = load_identity(local, record, now, err)) != NULL)
		identity_cache_put(local->identities, identity);
	return identity;
}

/* The certificate to encrypt replies to, where it is not the signer's. */
static bool
get_reply_cert(struct local *local, const char *from,
    const struct fingerprint *signer, int64_t now, X509 **out, struct err *err)
{
	struct finding	*finding = NULL;
	bool		 is_ok = true;

	*out = NULL;
	if (!find(local, from, CERT_USE_ENCRYPT, now, &finding, err))
		return false;
	if (finding->der != NULL &&
	    !text_fp_equal(&finding->candidates[0].fp, signer)) {
		*out = cert_parse(finding->der, finding->der_len, err);
		is_ok = *out != NULL;
	}
	finding_free(finding);
	return is_ok;
}

static bool
prepare_sign(struct local *local, const struct sign_request *request,
    int64_t now, struct identity **identity, X509 **reply, struct err *err)
{
	struct candidate	 candidate = { .reason = NULL };
	struct cert_record	 record;
	bool			 is_ok = false;

	if (!get(local, &request->fp, &record, err))
		return false;
	if (!weigh(local, &record, CERT_USE_SIGN, request->from, now,
	    &candidate, err))
		goto out;
	if (candidate.reason != NULL) {
		err_set(err, ERR_DATA, "certificate %s", candidate.reason);
		goto out;
	}
	if (!get_reply_cert(local, request->from, &request->fp, now, reply,
	    err))
		goto out;
	*identity = get_identity(local, &record, now, err);
	is_ok = *identity != NULL;
out:
	free(candidate.reason);
	record_free_cert(&record);
	return is_ok;
}

static bool
local_sign(void *arg, const struct sign_request *request,
    struct buf *signed_data, struct err *err)
{
	struct local	*local = arg;
	struct identity	*identity = NULL;
	struct signer	 signer = { 0 };
	X509		*reply = NULL;
	bool		 is_ok;

	/* signingTime is our clock's, so validity is asked of it as well. */
	if (!store_begin_read(local->store, err))
		return false;
	is_ok = prepare_sign(local, request, (int64_t)time(NULL), &identity,
	    &reply, err);
	store_end_read(local->store);
	if (is_ok) {
		signer.cert = identity->cert;
		signer.chain = identity->chain;
		signer.key = identity->key;
		signer.encrypt = reply;
		is_ok = signer_sign(&signer, request->digest, request->hash,
		    signed_data, err);
	}
	identity_release(identity);
	X509_free(reply);
	return is_ok || err_prefix(err, "sign as %s", request->from);
}

/* --- entries -------------------------------------------------------------- */

/* The record's bytes and source move into the entry. */
static bool
make_entry(struct local *local, struct cert_record *record, int64_t now,
    struct cert_entry *entry, struct err *err)
{
	struct trust_verdict	 verdict;

	if (!trust_judge(local->trust, record, now, &verdict, err) ||
	    !key_protection_of(local->store, record->facts.spki, &entry->key,
	    err))
		return false;
	entry->fp = record->facts.fp;
	entry->der = record->der;
	entry->der_len = record->der_len;
	entry->state = record->state;
	entry->added = record->added;
	entry->source = record->source;
	if (verdict.is_trusted)
		entry->trusted_by = mem_str(verdict.text);
	record->der = NULL;
	record->source = NULL;
	return true;
}

static bool
make_entries(struct local *local, struct cert_record *records, size_t n,
    int64_t now, struct cert_entry **out, size_t *n_out, struct err *err)
{
	struct cert_entry	*entries = mem_array(n, sizeof(*entries));
	bool			 is_ok = true;

	for (size_t i = 0; i < n; i++) {
		if (is_ok)
			is_ok = make_entry(local, &records[i], now,
			    &entries[i], err);
		record_free_cert(&records[i]);
	}
	free(records);
	if (!is_ok) {
		cert_entry_free(entries, n);
		return false;
	}
	*out = entries;
	*n_out = n;
	return true;
}

/* False when there is none after the last. */
static bool
next_fp(struct fingerprint *fp)
{
	for (size_t i = sizeof(fp->bytes); i-- > 0;)
		if (++fp->bytes[i] != 0)
			return true;
	return false;
}

static bool
local_list(void *arg, const struct fingerprint *after, size_t max, int64_t now,
    struct cert_entry **out, size_t *n, struct err *err)
{
	struct local		*local = arg;
	struct fingerprint	 from = { { 0 } };
	struct cert_record	*records = NULL;
	size_t			 n_records = 0;
	bool			 is_ok;

	*out = NULL;
	*n = 0;
	if (after != NULL) {
		from = *after;
		if (!next_fp(&from))
			return true;
	}
	if (!store_begin_read(local->store, err))
		return false;
	is_ok = cert_index_list(local->store, &from, max, &records, &n_records,
	    err) && make_entries(local, records, n_records, now, out, n, err);
	store_end_read(local->store);
	return is_ok;
}

static bool
get_by_address(struct local *local, const char *addr,
    struct cert_record **out, size_t *n, struct err *err)
{
	struct fingerprint_list	 fps;
	bool			 is_ok;

	is_ok = cert_index_find(local->store, CERT_INDEX_ADDRESS, addr,
	    strlen(addr), &fps, err);
	if (is_ok)
		*out = mem_array(fps.n, sizeof(**out));
	for (size_t i = 0; is_ok && i < fps.n; i++) {
		is_ok = get(local, &fps.list[i], &(*out)[i], err);
		if (is_ok)
			++*n;
	}
	free(fps.list);
	return is_ok;
}

static bool
begins_with(const struct fingerprint *fp, const struct fingerprint *prefix,
    int digits)
{
	size_t	 whole = (size_t)digits / 2;

	return memcmp(fp->bytes, prefix->bytes, whole) == 0 &&
	    (digits % 2 == 0 ||
	    (fp->bytes[whole] & 0xf0) == prefix->bytes[whole]);
}

static bool
get_by_prefix(struct local *local, const char *text, struct cert_record **out,
    size_t *n, struct err *err)
{
	struct fingerprint	 prefix;
	int			 digits = text_fp_parse(text, &prefix);
	size_t			 n_all, keep = 0;

	if (digits <= 0)
		return err_set(err, ERR_DATA, "neither a fingerprint nor an "
		    "address");
	if (!cert_index_list(local->store, &prefix, LOOKUP_MAX, out, &n_all,
	    err))
		return false;
	while (keep < n_all &&
	    begins_with(&(*out)[keep].facts.fp, &prefix, digits))
		keep++;
	for (size_t i = keep; i < n_all; i++)
		record_free_cert(&(*out)[i]);
	*n = keep;
	return true;
}

static bool
local_lookup(void *arg, const char *text, int64_t now, struct cert_entry **out,
    size_t *n, struct err *err)
{
	struct local		*local = arg;
	struct cert_record	*records = NULL;
	size_t			 n_records = 0;
	bool			 is_ok;

	*out = NULL;
	*n = 0;
	if (!store_begin_read(local->store, err))
		return false;
	if (strchr(text, '@') != NULL)
		is_ok = get_by_address(local, text, &records, &n_records, err);
	else
		is_ok = get_by_prefix(local, text, &records, &n_records, err);
	if (is_ok)
		is_ok = make_entries(local, records, n_records, now, out, n,
		    err);
	else {
		for (size_t i = 0; i < n_records; i++)
			record_free_cert(&records[i]);
		free(records);
	}
	store_end_read(local->store);
	return is_ok;
}

static bool
local_chain(void *arg, const struct fingerprint *fp, int64_t now,
    struct cert_entry **out, size_t *n, struct err *err)
{
	struct local		*local = arg;
	struct cert_record	 record, *issuers = NULL;
	size_t			 n_issuers = 0;
	bool			 is_ok;

	*out = NULL;
	*n = 0;
	if (!store_begin_read(local->store, err))
		return false;
	if ((is_ok = get(local, fp, &record, err))) {
		is_ok = trust_issuers(local->trust, &record, now, &issuers,
		    &n_issuers, err) && make_entries(local, issuers, n_issuers,
		    now, out, n, err);
		record_free_cert(&record);
	}
	store_end_read(local->store);
	return is_ok;
}

/* --- put ------------------------------------------------------------------ */

static bool
refuse(struct put_result *result, const char *reason)
{
	result->verdict = PUT_REFUSED;
	result->reason = mem_str(reason);
	return true;
}

static bool
is_usable(struct local *local, const struct cert_record *record, int64_t now,
    bool *usable, struct err *err)
{
	struct trust_verdict	 verdict;
	struct err		 why;

	*usable = false;
	if (!cert_usable(&record->facts, CERT_USE_SIGN, NULL, now, &why) &&
	    !cert_usable(&record->facts, CERT_USE_ENCRYPT, NULL, now, &why))
		return true;
	if (!trust_judge(local->trust, record, now, &verdict, err))
		return false;
	*usable = verdict.is_trusted;
	return true;
}

/* The key of the CA that really issued it, as far as that CA is here. */
static bool
issuer_key(struct local *local, const struct cert_record *record, int64_t now,
    uint8_t spki[32], bool *found, struct err *err)
{
	struct cert_record	*issuers;
	size_t			 n;

	if (!trust_issuers(local->trust, record, now, &issuers, &n, err))
		return false;
	*found = n > 0;
	if (n > 0)
		memcpy(spki, issuers[0].facts.spki, 32);
	for (size_t i = 0; i < n; i++)
		record_free_cert(&issuers[i]);
	free(issuers);
	return true;
}

/* By signature: anybody can write another's name as his issuer. */
static bool
has_same_issuer(struct local *local, const struct cert_record *a,
    const struct cert_record *b, int64_t now, bool *yes, struct err *err)
{
	uint8_t	 key_a[32], key_b[32];
	bool	 found_a, found_b;

	if (!issuer_key(local, a, now, key_a, &found_a, err) ||
	    !issuer_key(local, b, now, key_b, &found_b, err))
		return false;
	*yes = found_a && found_b && memcmp(key_a, key_b, sizeof(key_a)) == 0;
	return true;
}

/* Would the new one, as the newest, take the place of this one unasked? */
static bool
is_displaced(struct local *local, const struct cert_record *old,
    const struct cert_record *new, int64_t now, bool *yes, struct err *err)
{
	enum key_protection	 key;
	bool			 same;

	*yes = false;
	/* A renewal of the same key displaces nobody. */
	if (memcmp(old->facts.spki, new->facts.spki,
	    sizeof(old->facts.spki)) == 0)
		return true;
	if (!key_protection_of(local->store, old->facts.spki, &key, err))
		return false;
	if (key != KEY_NONE) {
		*yes = true;
		return true;
	}
	if (!is_usable(local, old, now, yes, err))
		return false;
	if (!*yes)
		return true;
	if (!has_same_issuer(local, old, new, now, &same, err))
		return false;
	*yes = !same;
	return true;
}

static bool
find_displaced(struct local *local, const struct cert_record *new,
    const char *addr, int64_t now, bool *yes, struct err *err)
{
	struct cert_record	*others = NULL;
	size_t			 n = 0;
	bool			 is_ok;

	*yes = false;
	is_ok = get_by_address(local, addr, &others, &n, err);
	for (size_t i = 0; is_ok && !*yes && i < n; i++)
		is_ok = is_displaced(local, &others[i], new, now, yes, err);
	for (size_t i = 0; i < n; i++)
		record_free_cert(&others[i]);
	free(others);
	return is_ok;
}

/*
 * A leaf is trusted as asked unless it would displace another of one of its
 * addresses: who can have a file imported must not be able to read the mail
 * to somebody else (DESIGN.md 9.9).
 */
static bool
grant_trust(struct local *local, const struct cert_record *new, int64_t now,
    struct put_result *result, struct err *err)
{
	const struct cert_facts	*facts = &new->facts;
	char			 hex[TEXT_FP_LEN];
	bool			 yes = false;

	result->state = CERT_TRUSTED;
	for (size_t i = 0; i < facts->n_addresses; i++) {
		if (!find_displaced(local, new, facts->addresses[i], now, &yes,
		    err))
			return false;
		if (!yes)
			continue;
		text_fp(&facts->fp, hex);
		result->state = CERT_CHAIN;
		result->reason = mem_strf("%s has another certificate here; "
		    "confirm this one with: smimectl trust %.16s",
		    facts->addresses[i], hex);
		return true;
	}
	return true;
}

/* Mostly distrusted because its key got into other hands. */
static bool
has_distrusted_key(struct local *local, const struct cert_facts *facts,
    bool *yes, struct err *err)
{
	struct fingerprint_list	 fps;
	struct cert_record	 record;
	bool			 is_ok;

	*yes = false;
	is_ok = cert_index_find(local->store, CERT_INDEX_SPKI, facts->spki,
	    sizeof(facts->spki), &fps, err);
	for (size_t i = 0; is_ok && !*yes && i < fps.n; i++)
		if ((is_ok = get(local, &fps.list[i], &record, err))) {
			*yes = record.state == CERT_DISTRUSTED;
			record_free_cert(&record);
		}
	free(fps.list);
	return is_ok;
}

/* The state that is given, or a refusal. */
static bool
grant(struct local *local, const struct cert_record *new, int64_t now,
    struct put_result *result, struct err *err)
{
	const struct cert_facts	*facts = &new->facts;
	enum cert_state		 asked = new->state;
	struct err		 why;
	bool			 yes;

	result->state = asked;
	if (asked == CERT_DISTRUSTED)
		return true;
	if (asked == CERT_ANCHOR && !facts->is_ca)
		return refuse(result, "is no CA certificate");
	if (facts->is_ca && (facts->faults &
	    (CERT_FAULT_EXTENSION | CERT_FAULT_WEAK_KEY)) != 0)
		return refuse(result, "is a CA with a weak key or an "
		    "extension that is malformed, or critical and unknown");
	if (cert_is_leaf(facts) && asked != CERT_ANCHOR &&
	    !cert_is_fit(facts, &why))
		return refuse(result, why.reason);
	if (!has_distrusted_key(local, facts, &yes, err))
		return false;
	if (yes)
		return refuse(result, "has the public key of a certificate "
		    "that is distrusted");
	if (asked != CERT_TRUSTED)
		return true;
	if (cert_is_leaf(facts))
		return grant_trust(local, new, now, result, err);
	result->state = CERT_CHAIN;
	result->reason = mem_str("is a CA: kept as chain material");
	return true;
}

static bool
put_cert(struct local *local, const struct put_cert *put,
    const struct cert_facts *facts, int64_t now, struct put_result *result,
    struct err *err)
{
	struct cert_record	 record;
	bool			 found;

	if (!cert_index_get(local->store, &facts->fp, &record, &found, err))
		return false;
	if (found) {
		result->verdict = PUT_KNOWN;
		result->state = record.state;
		record_free_cert(&record);
		return true;
	}
	/* Borrowed: the record is only written. */
	record.state = put->state;
	record.added = now;
	record.source = (char *)(uintptr_t)put->source;
	record.facts = *facts;
	record.der = (uint8_t *)(uintptr_t)put->der;
	record.der_len = put->der_len;
	if (!grant(local, &record, now, result, err))
		return false;
	if (result->verdict == PUT_REFUSED)
		return true;
	record.state = result->state;
	return cert_index_put(local->store, &record, err);
}

static void
drop_results(struct put_result *results, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(results[i].reason);
	memset(results, 0, n * sizeof(*results));
}

static bool
put_all(struct local *local, const struct put_cert *certs,
    const struct cert_facts *facts, size_t n, int64_t now,
    struct put_result *results, struct err *err)
{
	bool	 is_ok = true, is_changed = false;

	if (!store_begin_write(local->store, err))
		return false;
	/* CAs before what they may have issued. */
	for (size_t i = 0; is_ok && i < 2 * n; i++) {
		size_t	 at = i % n;

		if (results[at].verdict == PUT_REFUSED ||
		    facts[at].is_ca != (i < n))
			continue;
		is_ok = put_cert(local, &certs[at], &facts[at], now,
		    &results[at], err);
		if (is_ok && results[at].verdict == PUT_ADDED)
			is_changed = true;
	}
	if (is_ok && is_changed)
		return store_commit(local->store, err);
	store_abort(local->store);
	return is_ok;
}

static bool
local_put_certs(void *arg, const struct put_cert *certs, size_t n, int64_t now,
    struct put_result *results, struct err *err)
{
	struct local		*local = arg;
	struct cert_facts	*facts = mem_array(n, sizeof(*facts));
	struct err		 why;
	bool			 is_ok;

	/* Decoding is most of the work, and needs no lock. */
	memset(results, 0, n * sizeof(*results));
	for (size_t i = 0; i < n; i++)
		if (!cert_read(certs[i].der, certs[i].der_len, &facts[i], &why))
			refuse(&results[i], why.reason);
	is_ok = put_all(local, certs, facts, n, now, results, err);
	if (!is_ok)
		drop_results(results, n);
	for (size_t i = 0; i < n; i++)
		cert_facts_free(&facts[i]);
	free(facts);
	return is_ok;
}

/* Is there somebody's certificate for this key? */
static bool
find_owner(struct local *local, const uint8_t id[KEY_ID_LEN],
    struct put_result *result, struct err *err)
{
	struct fingerprint_list	 fps;
	struct cert_record	 record;
	bool			 is_ok, has_leaf = false;

	is_ok = cert_index_find(local->store, CERT_INDEX_SPKI, id, KEY_ID_LEN,
	    &fps, err);
	for (size_t i = 0; is_ok && !has_leaf && i < fps.n; i++)
		if ((is_ok = get(local, &fps.list[i], &record, err))) {
			has_leaf = cert_is_leaf(&record.facts);
			result->state = record.state;
			record_free_cert(&record);
		}
	if (is_ok && fps.n == 0)
		refuse(result, "no certificate with its public key is in the "
		    "store");
	else if (is_ok && !has_leaf)
		refuse(result, "belongs to a CA: such keys are not kept here");
	free(fps.list);
	return is_ok;
}

static bool
put_key_locked(struct local *local, const uint8_t id[KEY_ID_LEN],
    const struct put_key *key, int64_t now, struct put_result *result,
    struct err *err)
{
	enum key_protection	 known;

	if (!find_owner(local, id, result, err))
		return false;
	if (result->verdict == PUT_REFUSED)
		return true;
	if (!key_protection_of(local->store, id, &known, err))
		return false;
	if (known != KEY_NONE) {
		result->verdict = PUT_KNOWN;
		return true;
	}
	return key_put(local->store, id, key, now, err);
}

/* It must be what it says: the bytes are handed out as they are. */
static bool
is_encrypted_key(const struct put_key *key)
{
	const unsigned char	*p = key->wrapped;
	X509_SIG		*sig;
	bool			 is_ok;

	if (key->wrapped == NULL)
		return true;
	if (key->wrapped_len > RECORD_KEY_MAX)
		return false;
	sig = d2i_X509_SIG(NULL, &p, (long)key->wrapped_len);
	is_ok = sig != NULL && p == key->wrapped + key->wrapped_len;
	X509_SIG_free(sig);
	return is_ok;
}

static bool
local_put_key(void *arg, const struct put_key *key, int64_t now,
    struct put_result *result, struct err *err)
{
	struct local	*local = arg;
	EVP_PKEY	*pkey = NULL;
	uint8_t		 id[KEY_ID_LEN];
	struct err	 why;
	bool		 is_ok;

	memset(result, 0, sizeof(*result));
	if (!key_parse(key->plain, key->plain_len, &pkey, id, &why))
		return refuse(result, why.reason);
	EVP_PKEY_free(pkey);
	if (!is_encrypted_key(key))
		return refuse(result, "no readable encrypted private key");
	if (!store_begin_write(local->store, err))
		return false;
	is_ok = put_key_locked(local, id, key, now, result, err);
	if (is_ok && result->verdict == PUT_ADDED)
		is_ok = store_commit(local->store, err);
	else
		store_abort(local->store);
	if (!is_ok)
		drop_results(result, 1);
	return is_ok;
}

/* --- keys, states, removal ------------------------------------------------ */

static bool
local_get_key(void *arg, const struct fingerprint *fp,
    enum key_protection *protection, struct buf *out, struct err *err)
{
	struct local		*local = arg;
	struct cert_record	 record;
	bool			 is_ok;

	if (!store_begin_read(local->store, err))
		return false;
	if ((is_ok = get(local, fp, &record, err))) {
		is_ok = key_export(local->store, record.facts.spki, protection,
		    out, err);
		record_free_cert(&record);
	}
	store_end_read(local->store);
	return is_ok;
}

static bool
check_state(const struct cert_facts *facts, enum cert_state state,
    struct err *err)
{
	if (state == CERT_ANCHOR && !facts->is_ca)
		return err_set(err, ERR_DATA, "certificate is no CA's, so it "
		    "cannot be an anchor");
	if (state == CERT_TRUSTED && !cert_is_fit(facts, err))
		return err_prefix(err, "certificate cannot be trusted");
	return true;
}

static bool
set_state(struct local *local, const struct fingerprint *fp,
    enum cert_state state, struct err *err)
{
	struct cert_record	 record;
	bool			 is_ok;

	if (!get(local, fp, &record, err))
		return false;
	is_ok = check_state(&record.facts, state, err);
	if (is_ok) {
		record.state = state;
		is_ok = cert_index_put(local->store, &record, err);
	}
	record_free_cert(&record);
	return is_ok;
}

static bool
local_set_state(void *arg, const struct fingerprint *fp, enum cert_state state,
    struct err *err)
{
	struct local	*local = arg;

	if (!store_begin_write(local->store, err))
		return false;
	if (!set_state(local, fp, state, err)) {
		store_abort(local->store);
		return false;
	}
	return store_commit(local->store, err);
}

static bool
remove_key(struct local *local, const struct cert_facts *facts,
    bool is_needed, struct err *err)
{
	enum key_protection	 key;

	if (!key_protection_of(local->store, facts->spki, &key, err))
		return false;
	if (key == KEY_NONE)
		return !is_needed || err_set(err, ERR_DATA,
		    "the certificate has no private key here");
	return key_remove(local->store, facts->spki, err);
}

static bool
remove_both(struct local *local, const struct cert_record *record,
    struct err *err)
{
	const struct cert_facts	*facts = &record->facts;
	struct fingerprint_list	 fps;
	bool			 is_last;

	if (!cert_index_remove(local->store, record, err) ||
	    !cert_index_find(local->store, CERT_INDEX_SPKI, facts->spki,
	    sizeof(facts->spki), &fps, err))
		return false;
	is_last = fps.n == 0;
	free(fps.list);
	return !is_last || remove_key(local, facts, false, err);
}

static bool
local_remove(void *arg, const struct fingerprint *fp, bool key_only,
    struct err *err)
{
	struct local		*local = arg;
	struct cert_record	 record;
	bool			 is_ok;

	if (!store_begin_write(local->store, err))
		return false;
	if ((is_ok = get(local, fp, &record, err))) {
		is_ok = key_only ?
		    remove_key(local, &record.facts, true, err) :
		    remove_both(local, &record, err);
		record_free_cert(&record);
	}
	if (is_ok)
		is_ok = store_commit(local->store, err);
	else
		store_abort(local->store);
	identity_cache_clear(local->identities);
	return is_ok;
}

/* --- the handle ----------------------------------------------------------- */

static void
local_close(void *arg)
{
	struct local	*local = arg;

	identity_cache_free(local->identities);
	trust_free(local->trust);
	store_close(local->store);
	free(local);
}

static const struct custody_ops	 local_ops = {
	.find = local_find,
	.sign = local_sign,
	.list = local_list,
	.lookup = local_lookup,
	.put_certs = local_put_certs,
	.put_key = local_put_key,
	.get_key = local_get_key,
	.chain = local_chain,
	.set_state = local_set_state,
	.remove = local_remove,
	.close = local_close,
};

struct custody *
custody_of_store_take(struct store *store)
{
	struct local	*local = mem_alloc(sizeof(*local));

	local->store = store;
	local->trust = trust_new(store);
	local->identities = identity_cache_new(IDENTITIES_MAX);
	return custody_new(&local_ops, local);
}
