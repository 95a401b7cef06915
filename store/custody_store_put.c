/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "store/admit.h"
#include "store/audit.h"
#include "store/cert.h"
#include "store/cert_batch.h"
#include "store/cert_index.h"
#include "store/custody_store_impl.h"
#include "store/key.h"
#include "store/revoke.h"
#include "store/store.h"

/* --- certificates ------------------------------------------------------- */

static bool
put_cert(struct custody_store *local, const char *who,
    const struct put_cert *put, const struct cert_facts *facts, int64_t now,
    struct put_result *result, struct err *err)
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
put_all(struct custody_store *local, const char *who,
    const struct put_cert *certs, const struct cert_facts *facts, size_t n,
    int64_t now, struct put_result *results, struct err *err)
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

bool
custody_store_put_certs(void *arg, const char *who,
    const struct put_cert *certs, size_t n, int64_t now,
    struct put_result *results, struct err *err)
{
	struct custody_store	*local = arg;
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

/* --- keys --------------------------------------------------------------- */

/* A key's event names the first of its certificates. */
static bool
audit_key_import(struct custody_store *local, const char *who,
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
put_key_locked(struct custody_store *local, const char *who,
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

bool
custody_store_put_key(void *arg, const char *who, const struct put_key *key,
    int64_t now, struct put_result *result, struct err *err)
{
	struct custody_store	*local = arg;
	EVP_PKEY		*pkey = NULL;
	uint8_t			 id[KEY_ID_LEN];
	struct err		 why;
	bool			 is_ok;

	memset(result, 0, sizeof(*result));
	if (!key_parse(key->plain, key->plain_len, &pkey, id, &why))
		return admit_refuse(result, why.reason);
	EVP_PKEY_free(pkey);
	if (!is_encrypted_key(key))
		return admit_refuse(result, "no readable encrypted private "
		    "key");
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

/* --- revocation lists --------------------------------------------------- */

bool
custody_store_put_crl(void *arg, const char *who, const struct put_crl *put,
    int64_t now, struct put_result *result, struct err *err)
{
	struct custody_store	*local = arg;
	struct audit		 audit = { local->store, who };
	struct crl		 crl;
	struct err		 why;
	bool			 is_ok, is_change;

	memset(result, 0, sizeof(*result));
	if (!crl_read(put->der, put->der_len, &crl, &why))
		return admit_refuse(result, why.reason);
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
