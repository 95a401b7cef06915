/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "store/cert.h"
#include "store/custody.h"
#include "store/event.h"
#include "store/store.h"

/*
 * What an administrator did, as an event of the same transaction: whoever
 * finds the change finds the event.  Wants store_begin_write().
 */
struct audit {
	struct store	*store;
	const char	*who;
};

/* action: "trusted", "key"; source may be NULL. */
bool	audit_cert(const struct audit *, enum event_kind, const char *action,
	    const struct cert_facts *, const char *source, struct err *);

/*
 * Certificates that were added, those with results[].verdict PUT_ADDED: an
 * event each, or one for all where there are more than AUDIT_EACH_MAX, so
 * that a large import does not drive out all that was done before.  Each
 * record says itself who added it.
 */
#define AUDIT_EACH_MAX	64
bool	audit_import(const struct audit *, const struct put_cert *,
	    const struct cert_facts *, const struct put_result *, size_t n,
	    struct err *);

/* A revocation list that was added. */
bool	audit_list(const struct audit *, const char *issuer,
	    const char *source, struct err *);

bool	audit_rewrap(const struct audit *, size_t n_keys, struct err *);

/* Of a signature: refused is why there is none, or NULL. */
void	audit_signature(const struct sign_request *, const char *refused,
	    struct event *);

#endif
