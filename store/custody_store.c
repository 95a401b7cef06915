/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "store/admit.h"
#include "store/audit.h"
#include "store/cert.h"
#include "store/cert_batch.h"
#include "store/cert_index.h"
#include "store/choose.h"
#include "store/credential.h"
#include "store/custody.h"
#include "store/dump.h"
#include "store/event_log.h"
#include "store/event_table.h"
#include "store/key.h"
#include "store/key_rate.h"
#include "store/revoke.h"
#include "store/rewrap.h"
#include "store/signer.h"
#include "store/stamp_key.h"
#include "store/store.h"
#include "store/trust.h"
#include "store/verify.h"

#define CREDENTIALS_MAX	512	/* unlocked keys in memory */
#define LOOKUP_MAX	1000	/* entries that a prefix may name */

/* custody.h over the store itself. */
struct local {
	struct store		*store;
	struct trust		*trust;
	struct credential_cache	*credentials;
	struct event_log	*events;
	struct key_rate		*rate;
};

/* --- what a filter asks --------------------------------------------------- */

static bool
local_find(void *arg, const char *addr, enum cert_use use, int64_t now,
    struct finding **out, struct err *err)
{
	struct local	*local = arg;
	bool		 is_ok;

	if (!store_begin_read(local->store, err))
		return false;
	is_ok = choose_find(local->store, local->trust, addr, use, now, out,
	    err);
	store_end_read(local->store);
	return is_ok;
}

/* With what is used already of certificate and key, if it is; takes use. */
static struct credential *
make_credential(struct local *local, const struct cert_record *record,
    const struct credential_use *use, struct err *err)
{
	struct credential	*former, *credential;

	former = credential_cache_get(local->credentials, &record->facts.fp,
	    store_generation(local->store));
	credential = former != NULL ? credential_again(former, use) :
	    credential_load(local->store, local->trust, record, use, err);
	credential_release(former);
	if (credential != NULL)
		credential_cache_put(local->credentials, credential);
	return credential;
}

/* The certificate to encrypt replies to, where it is not the signer's. */
static bool
get_reply_cert(struct local *local, const char *from,
    const struct fingerprint *signer, int64_t now, X509 **out, struct err *err)
{
	struct finding	*finding = NULL;
	bool		 is_ok = true;

	*out = NULL;
	if (!choose_find(local->store, local->trust, from, CERT_USE_ENCRYPT,
	    now, &finding, err))
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
count_signature(struct local *local, const struct sign_request *request,
    const uint8_t spki[KEY_ID_LEN], struct err *err)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	if (key_rate_take(local->rate, spki, request->per_minute,
	    (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000))
		return true;
	return err_limit(err, ERR_TEMP, LIMIT_KEY_RATE, "its key has made %u "
	    "signatures within a minute", (unsigned)request->per_minute);
}

/* May it, and with what; the whole way. */
static struct credential *
judge_signer(struct local *local, const struct sign_request *request,
    int64_t now, struct err *err)
{
	struct credential_use	 use = { .addr = request->from, .at = now };
	struct credential	*credential = NULL;
	struct candidate	 candidate = { .reason = NULL };
	struct cert_record	 record;

	if (!cert_index_need(local->store, &request->fp, &record, err))
		return NULL;
	if (!choose_weigh(local->store, local->trust, &record, CERT_USE_SIGN,
	    request->from, now, &candidate, err))
		goto out;
	if (candidate.reason != NULL) {
		err_set(err, ERR_DATA, "certificate %s", candidate.reason);
		goto out;
	}
	if (get_reply_cert(local, request->from, &request->fp, now,
	    &use.reply, err))
		credential = make_credential(local, &record, &use, err);
out:
	free(candidate.reason);
	record_free_cert(&record);
	return credential;
}

/* As judged a moment ago, which an import need not keep waiting. */
static struct credential *
get_credential(struct local *local, const struct sign_request *request,
    int64_t now, struct err *err)
{
	struct credential	*credential;

	credential = credential_cache_get(local->credentials, &request->fp,
	    store_generation(local->store));
	if (credential != NULL &&
	    credential_is_for(credential, request->from, now))
		return credential;
	credential_release(credential);
	if (!store_begin_read(local->store, err))
		return NULL;
	credential = judge_signer(local, request, now, err);
	store_end_read(local->store);
	return credential;
}

static bool
local_sign(void *arg, const struct sign_request *request,
    struct buf *signed_data, struct err *err)
{
	struct local	*local = arg;
	struct credential	*credential;
	struct signer	 signer = { 0 };
	struct event	 event;
	bool		 is_ok;

	/* signingTime is our clock's, so validity is asked of it as well. */
	credential = get_credential(local, request, (int64_t)time(NULL), err);
	is_ok = credential != NULL &&
	    count_signature(local, request, credential->spki, err);
	if (is_ok) {
		signer.cert = credential->cert;
		signer.chain = credential->chain;
		signer.key = credential->key;
		signer.encrypt = credential->reply;
		signer.use_pss = request->use_pss;
		is_ok = signer_sign(&signer, request->digest, request->hash,
		    signed_data, err);
	}
	credential_release(credential);
	audit_signature(request, is_ok ? NULL : err->reason, &event);
	event_log_add(local->events, &event);
	event_free(&event);
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
	if (record->facts.is_ca && !revoke_lists(local->store, &record->facts,
	    &entry->crls, &entry->n_crls, err))
		return false;
	entry->fp = record->facts.fp;
	entry->der = record->der;
	entry->der_len = record->der_len;
	entry->state = record->state;
	entry->added = record->added;
	entry->source = record->source;
	*(verdict.is_trusted ? &entry->trusted_by : &entry->untrusted) =
	    mem_str(verdict.text);
	entry->is_revoked = verdict.is_revoked;
	entry->added_by = record->added_by;
	record->der = NULL;
	record->source = record->added_by = NULL;
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
get_by_key(struct local *local, const char *hex, struct cert_record **out,
    size_t *n, struct err *err)
{
	struct fingerprint	 key;
	struct fingerprint_list	 fps;
	bool			 is_ok;

	if (text_fp_parse(hex, &key) != 2 * (int)sizeof(key.bytes))
		return err_set(err, ERR_DATA, "no hash of a public key");
	is_ok = cert_index_find(local->store, CERT_INDEX_SPKI, key.bytes,
	    sizeof(key.bytes), &fps, err);
	if (is_ok)
		*out = mem_array(fps.n, sizeof(**out));
	for (; is_ok && *n < fps.n; ++*n)
		if (!(is_ok = cert_index_need(local->store, &fps.list[*n],
		    &(*out)[*n], err)))
			break;
	free(fps.list);
	return is_ok;
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
		is_ok = cert_index_at_address(local->store, text, &records,
		    &n_records, err);
	else if (strncmp(text, CUSTODY_BY_KEY, strlen(CUSTODY_BY_KEY)) == 0)
		is_ok = get_by_key(local, text + strlen(CUSTODY_BY_KEY),
		    &records, &n_records, err);
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
	if ((is_ok = cert_index_need(local->store, fp, &record, err))) {
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
put_cert(struct local *local, const char *who, const struct put_cert *put,
    const struct cert_facts *facts, int64_t now, struct put_result *result,
    struct err *err)
{
	struct admit		 admit = { local->store, local->trust, now };
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
	record.added_by = (char *)(uintptr_t)who;
	record.facts = *facts;
	record.der = (uint8_t *)(uintptr_t)put->der;
	record.der_len = put->der_len;
	if (!admit_cert(&admit, &record, result, err))
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
put_all(struct local *local, const char *who, const struct put_cert *certs,
    const struct cert_facts *facts, size_t n, int64_t now,
    struct put_result *results, struct err *err)
{
	struct audit	 audit = { local->store, who };
	bool		 is_ok = true, is_changed = false;

	if (!store_begin_write(local->store, err))
		return false;
	/* CAs before what they may have issued. */
	for (int ca = 1; ca >= 0; ca--)
		for (size_t i = 0; is_ok && i < n; i++) {
			if (results[i].verdict == PUT_REFUSED ||
			    facts[i].is_ca != (ca == 1))
				continue;
			is_ok = put_cert(local, who, &certs[i], &facts[i],
			    now, &results[i], err);
			if (is_ok && results[i].verdict == PUT_ADDED)
				is_changed = true;
		}
	if (is_ok && is_changed)
		is_ok = audit_import(&audit, certs, facts, results, n, err);
	if (is_ok && is_changed)
		return store_commit(local->store, err);
	store_abort(local->store);
	return is_ok;
}

static bool
local_put_certs(void *arg, const char *who, const struct put_cert *certs,
    size_t n, int64_t now, struct put_result *results, struct err *err)
{
	struct local		*local = arg;
	struct cert_facts	*facts = mem_array(n, sizeof(*facts));
	char			**reasons = mem_array(n, sizeof(*reasons));
	bool			 is_ok;

	/* Decoding is most of the work, and needs no lock. */
	memset(results, 0, n * sizeof(*results));
	cert_batch_read(certs, n, facts, reasons);
	for (size_t i = 0; i < n; i++)
		if (reasons[i] != NULL) {
			results[i].verdict = PUT_REFUSED;
			results[i].reason = reasons[i];
		}
	free(reasons);
	is_ok = put_all(local, who, certs, facts, n, now, results, err);
	if (!is_ok)
		drop_results(results, n);
	for (size_t i = 0; i < n; i++)
		cert_facts_free(&facts[i]);
	free(facts);
	return is_ok;
}

/* A key's event names the first of its certificates. */
static bool
audit_key_import(struct local *local, const char *who,
    const uint8_t id[KEY_ID_LEN], const char *source, struct err *err)
{
	struct audit		 audit = { local->store, who };
	struct fingerprint_list	 fps;
	struct cert_record	 record;
	bool			 is_ok;

	if (!cert_index_find(local->store, CERT_INDEX_SPKI, id, KEY_ID_LEN,
	    &fps, err))
		return false;
	is_ok = fps.n > 0 &&
	    cert_index_need(local->store, &fps.list[0], &record, err);
	if (is_ok) {
		is_ok = audit_cert(&audit, EVENT_IMPORT, "key",
		    &record.facts, source, err);
		record_free_cert(&record);
	}
	free(fps.list);
	return is_ok;
}

static bool
put_key_locked(struct local *local, const char *who,
    const uint8_t id[KEY_ID_LEN],
    const struct put_key *key, int64_t now, struct put_result *result,
    struct err *err)
{
	struct admit		 admit = { local->store, local->trust, now };
	enum key_protection	 known;

	if (!admit_key(&admit, id, result, err))
		return false;
	if (result->verdict == PUT_REFUSED)
		return true;
	if (!key_protection_of(local->store, id, &known, err))
		return false;
	if (known != KEY_NONE) {
		result->verdict = PUT_KNOWN;
		return true;
	}
	return key_put(local->store, who, id, key, now, err) &&
	    audit_key_import(local, who, id, key->source, err);
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
local_put_key(void *arg, const char *who, const struct put_key *key,
    int64_t now, struct put_result *result, struct err *err)
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
	is_ok = put_key_locked(local, who, id, key, now, result, err);
	if (is_ok && result->verdict == PUT_ADDED)
		is_ok = store_commit(local->store, err);
	else
		store_abort(local->store);
	if (!is_ok)
		drop_results(result, 1);
	return is_ok;
}

/* --- revocation lists ----------------------------------------------------- */

static bool
local_put_crl(void *arg, const char *who, const struct put_crl *put,
    int64_t now, struct put_result *result, struct err *err)
{
	struct local	*local = arg;
	struct audit	 audit = { local->store, who };
	struct crl	 crl;
	struct err	 why;
	bool		 is_ok, is_change;

	memset(result, 0, sizeof(*result));
	if (!crl_read(put->der, put->der_len, &crl, &why))
		return refuse(result, why.reason);
	if (!store_begin_write(local->store, err)) {
		crl_free(&crl);
		return false;
	}
	is_ok = revoke_put(local->store, &crl, put, now, result, err);
	is_change = is_ok && result->verdict == PUT_ADDED && !put->is_dry_run;
	if (is_change)
		is_ok = audit_list(&audit, crl.issuer, put->source, err);
	crl_free(&crl);
	if (is_ok && is_change)
		is_ok = store_commit(local->store, err);
	else
		store_abort(local->store);
	if (!is_ok)
		drop_results(result, 1);
	return is_ok;
}

static bool
local_remove_crls(void *arg, const char *who, const struct fingerprint *fp,
    struct err *err)
{
	struct local		*local = arg;
	struct audit		 audit = { local->store, who };
	struct cert_record	 record;
	size_t			 n = 0;
	bool			 is_ok;

	if (!store_begin_write(local->store, err))
		return false;
	if ((is_ok = cert_index_need(local->store, fp, &record, err))) {
		is_ok = revoke_remove(local->store, &record.facts, &n, err) &&
		    audit_cert(&audit, EVENT_REMOVAL, "revocation lists",
		    &record.facts, NULL, err);
		record_free_cert(&record);
	}
	if (is_ok && n == 0)
		is_ok = err_set(err, ERR_DATA, "there is no revocation list "
		    "of this certificate's owner");
	if (is_ok)
		return store_commit(local->store, err);
	store_abort(local->store);
	return false;
}

/* --- keys, states, removal ------------------------------------------------ */

static bool
local_get_key(void *arg, const char *who, const struct fingerprint *fp,
    enum key_protection *protection, struct buf *out, struct err *err)
{
	struct local		*local = arg;
	struct audit		 audit = { local->store, who };
	struct cert_record	 record;
	bool			 is_ok;

	/* A transaction, for no key leaves unless that can be recorded. */
	if (!store_begin_write(local->store, err))
		return false;
	if ((is_ok = cert_index_need(local->store, fp, &record, err))) {
		is_ok = key_export(local->store, record.facts.spki, protection,
		    out, err) && (*protection == KEY_NONE ||
		    audit_cert(&audit, EVENT_EXPORT, "key", &record.facts,
		    NULL, err));
		record_free_cert(&record);
	}
	if (is_ok)
		is_ok = store_commit(local->store, err);
	else
		store_abort(local->store);
	if (!is_ok)
		buf_free(out);
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
set_state(struct local *local, const char *who, const struct fingerprint *fp,
    enum cert_state state, struct err *err)
{
	struct audit		 audit = { local->store, who };
	struct cert_record	 record;
	bool			 is_ok;

	if (!cert_index_need(local->store, fp, &record, err))
		return false;
	is_ok = check_state(&record.facts, state, err);
	if (is_ok) {
		record.state = state;
		is_ok = cert_index_put(local->store, &record, err) &&
		    audit_cert(&audit, EVENT_TRUST, cert_state_name(state),
		    &record.facts, NULL, err);
	}
	record_free_cert(&record);
	return is_ok;
}

static bool
local_set_state(void *arg, const char *who, const struct fingerprint *fp,
    enum cert_state state, struct err *err)
{
	struct local	*local = arg;

	if (!store_begin_write(local->store, err))
		return false;
	if (!set_state(local, who, fp, state, err)) {
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
	    !revoke_remove_orphans(local->store, facts, err) ||
	    !cert_index_find(local->store, CERT_INDEX_SPKI, facts->spki,
	    sizeof(facts->spki), &fps, err))
		return false;
	is_last = fps.n == 0;
	free(fps.list);
	return !is_last || remove_key(local, facts, false, err);
}

static bool
remove_some(struct local *local, const char *who,
    const struct cert_record *record, bool key_only, struct err *err)
{
	struct audit	 audit = { local->store, who };

	return (key_only ? remove_key(local, &record->facts, true, err) :
	    remove_both(local, record, err)) &&
	    audit_cert(&audit, EVENT_REMOVAL, key_only ? "key" :
	    "certificate", &record->facts, NULL, err);
}

static bool
local_remove(void *arg, const char *who, const struct fingerprint *fp,
    bool key_only, struct err *err)
{
	struct local		*local = arg;
	struct cert_record	 record;
	bool			 is_ok;

	if (!store_begin_write(local->store, err))
		return false;
	if ((is_ok = cert_index_need(local->store, fp, &record, err))) {
		is_ok = remove_some(local, who, &record, key_only, err);
		record_free_cert(&record);
	}
	if (is_ok)
		is_ok = store_commit(local->store, err);
	else
		store_abort(local->store);
	credential_cache_clear(local->credentials);
	return is_ok;
}

/* --- the master key --------------------------------------------------------- */

static bool
local_rewrap(void *arg, const char *who, const uint8_t *new_master,
    int64_t now, size_t *n, struct err *err)
{
	struct local	*local = arg;

	return rewrap_store(local->store, who, new_master, now, n, err);
}

/* --- events ----------------------------------------------------------------- */

static void
local_note(void *arg, const struct event *event)
{
	struct local	*local = arg;

	event_log_add(local->events, event);
}

static bool
local_events(void *arg, const struct event_query *query,
    struct event_cursor *cursor, struct event_page *page, struct err *err)
{
	struct local	*local = arg;
	bool		 is_ok;

	if (!store_begin_read(local->store, err))
		return false;
	is_ok = event_table_list(local->store, query, cursor, page, err);
	store_end_read(local->store);
	return is_ok;
}

static bool
local_stamp_keys(void *arg, struct stamp_keys *keys, struct err *err)
{
	struct local	*local = arg;
	bool		 is_ok;

	if (!store_begin_read(local->store, err))
		return false;
	is_ok = stamp_key_read(local->store, keys, err);
	store_end_read(local->store);
	return is_ok;
}

/* --- all records ------------------------------------------------------------ */

static bool
local_records(void *arg, struct buf *cursor, size_t max, struct buf *rows,
    struct err *err)
{
	struct local	*local = arg;
	bool		 is_ok;

	if (!store_begin_read(local->store, err))
		return false;
	is_ok = dump_rows(local->store, cursor, max, rows, err);
	store_end_read(local->store);
	return is_ok;
}

static bool
local_verify(void *arg, struct buf *cursor, struct verify_findings *findings,
    struct err *err)
{
	struct local	*local = arg;
	bool		 is_ok;

	if (!store_begin_read(local->store, err))
		return false;
	is_ok = verify_page(local->store, cursor, findings, err);
	store_end_read(local->store);
	return is_ok;
}

/* --- the handle ----------------------------------------------------------- */

static void
local_close(void *arg)
{
	struct local	*local = arg;

	key_rate_free(local->rate);
	event_log_free(local->events);
	credential_cache_free(local->credentials);
	trust_free(local->trust);
	store_close(local->store);
	free(local);
}

static const struct custody_ops	 local_ops = {
	.find = local_find,
	.sign = local_sign,
	.list = local_list,
	.lookup = local_lookup,
	.note = local_note,
	.put_certs = local_put_certs,
	.put_crl = local_put_crl,
	.remove_crls = local_remove_crls,
	.put_key = local_put_key,
	.get_key = local_get_key,
	.chain = local_chain,
	.set_state = local_set_state,
	.remove = local_remove,
	.rewrap = local_rewrap,
	.events = local_events,
	.records = local_records,
	.verify = local_verify,
	.stamp_keys = local_stamp_keys,
	.close = local_close,
};

struct custody *
custody_of_store_take(struct store *store)
{
	struct local	*local = mem_alloc(sizeof(*local));

	local->store = store;
	local->trust = trust_new(store);
	local->credentials = credential_cache_new(CREDENTIALS_MAX);
	local->events = event_log_new(store);
	local->rate = key_rate_new();
	return custody_new(&local_ops, local);
}
