/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_VAULT_ADMIN_H
#define MILTER_VAULT_ADMIN_H

#include "store/custody.h"

/*
 * What only administrators may ask the vault for: custody's calls of the same
 * names (store/custody.h), over the line (milter/vault_call.h) that is their
 * first argument.
 */
bool	vault_admin_list(void *arg, const struct fingerprint *after, size_t max,
	    int64_t now, struct cert_entry **out, size_t *n, struct err *err);
bool	vault_admin_lookup(void *arg, const char *what, int64_t now,
	    struct cert_entry **out, size_t *n, struct err *err);
bool	vault_admin_chain(void *arg, const struct fingerprint *fp, int64_t now,
	    struct cert_entry **out, size_t *n, struct err *err);
bool	vault_admin_put_certs(void *arg, const char *who,
	    const struct put_cert *certs, size_t n, int64_t now,
	    struct put_result *results, struct err *err);
bool	vault_admin_put_crl(void *arg, const char *who,
	    const struct put_crl *crl, int64_t now, struct put_result *result,
	    struct err *err);
bool	vault_admin_remove_crls(void *arg, const char *who,
	    const struct fingerprint *fp, struct err *err);
bool	vault_admin_put_key(void *arg, const char *who,
	    const struct put_key *key, int64_t now, struct put_result *result,
	    struct err *err);
bool	vault_admin_get_key(void *arg, const char *who,
	    const struct fingerprint *fp, enum key_protection *protection,
	    struct buf *out, struct err *err);
bool	vault_admin_set_state(void *arg, const char *who,
	    const struct fingerprint *fp, enum cert_state state,
	    struct err *err);
bool	vault_admin_remove(void *arg, const char *who,
	    const struct fingerprint *fp, bool key_only, struct err *err);
bool	vault_admin_rewrap(void *arg, const char *who,
	    const uint8_t *new_master, int64_t now, size_t *n, struct err *err);
bool	vault_admin_events(void *arg, const struct event_query *query,
	    struct event_cursor *cursor, struct event_page *page,
	    struct err *err);
bool	vault_admin_records(void *arg, struct buf *cursor, size_t max,
	    struct buf *rows, struct err *err);
bool	vault_admin_verify(void *arg, struct buf *cursor,
	    struct verify_findings *findings, struct err *err);

#endif
