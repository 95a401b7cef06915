/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "store/audit.h"
#include "store/cert.h"
#include "store/cert_index.h"
#include "store/credential.h"
#include "store/custody_store_impl.h"
#include "store/key.h"
#include "store/revoke.h"
#include "store/store.h"

bool
custody_store_get_key(void *arg, const char *who, const struct fingerprint *fp,
    enum key_protection *protection, struct buf *out, struct err *err)
{
	struct custody_store	*local = arg;
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
set_state(struct custody_store *local, const char *who,
    const struct fingerprint *fp, enum cert_state state, struct err *err)
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

bool
custody_store_set_state(void *arg, const char *who,
    const struct fingerprint *fp, enum cert_state state, struct err *err)
{
	struct custody_store	*local = arg;

	if (!store_begin_write(local->store, err))
		return false;
	if (!set_state(local, who, fp, state, err)) {
		store_abort(local->store);
		return false;
	}
	return store_commit(local->store, err);
}

static bool
remove_key(struct custody_store *local, const struct cert_facts *facts,
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
remove_both(struct custody_store *local, const struct cert_record *record,
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
remove_some(struct custody_store *local, const char *who,
    const struct cert_record *record, bool key_only, struct err *err)
{
	struct audit	 audit = { local->store, who };

	return (key_only ? remove_key(local, &record->facts, true, err) :
	    remove_both(local, record, err)) &&
	    audit_cert(&audit, EVENT_REMOVAL, key_only ? "key" :
	    "certificate", &record->facts, NULL, err);
}

bool
custody_store_remove(void *arg, const char *who, const struct fingerprint *fp,
    bool key_only, struct err *err)
{
	struct custody_store	*local = arg;
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

bool
custody_store_remove_crls(void *arg, const char *who,
    const struct fingerprint *fp, struct err *err)
{
	struct custody_store	*local = arg;
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
