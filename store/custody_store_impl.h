/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_CUSTODY_STORE_IMPL_H
#define STORE_CUSTODY_STORE_IMPL_H

#include "store/custody.h"

/* custody.h over the store itself, and what its files share; arg is this. */
struct custody_store {
	struct store		*store;
	struct trust		*trust;
	struct credential_cache	*credentials;
	struct event_log	*events;
	struct key_rate		*rate;
};

/* --- custody_store_sign.c: what a filter asks --------------------------- */

bool	custody_store_find(void *arg, const char *addr, enum cert_use use,
	    int64_t now, struct finding **out, struct err *err);
bool	custody_store_sign(void *arg, const struct sign_request *request,
	    struct buf *signed_data, struct err *err);

/* --- custody_store_entries.c: certificates with all that is known of them --- */

bool	custody_store_list(void *arg, const struct fingerprint *after,
	    size_t max, int64_t now, struct cert_entry **out, size_t *n,
	    struct err *err);
bool	custody_store_lookup(void *arg, const char *text, int64_t now,
	    struct cert_entry **out, size_t *n, struct err *err);
bool	custody_store_chain(void *arg, const struct fingerprint *fp,
	    int64_t now, struct cert_entry **out, size_t *n, struct err *err);

/* --- custody_store_put.c: what is imported ------------------------------ */

bool	custody_store_put_certs(void *arg, const char *who,
	    const struct put_cert *certs, size_t n, int64_t now,
	    struct put_result *results, struct err *err);
bool	custody_store_put_key(void *arg, const char *who,
	    const struct put_key *key, int64_t now, struct put_result *result,
	    struct err *err);
bool	custody_store_put_crl(void *arg, const char *who,
	    const struct put_crl *put, int64_t now, struct put_result *result,
	    struct err *err);

/* --- custody_store_change.c: keys handed out, states, removals ---------- */

bool	custody_store_get_key(void *arg, const char *who,
	    const struct fingerprint *fp, enum key_protection *protection,
	    struct buf *out, struct err *err);
bool	custody_store_set_state(void *arg, const char *who,
	    const struct fingerprint *fp, enum cert_state state,
	    struct err *err);
bool	custody_store_remove(void *arg, const char *who,
	    const struct fingerprint *fp, bool key_only, struct err *err);
bool	custody_store_remove_crls(void *arg, const char *who,
	    const struct fingerprint *fp, struct err *err);

#endif
