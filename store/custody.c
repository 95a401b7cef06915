/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/mem.h"
#include "store/custody.h"

struct custody {
	const struct custody_ops	*ops;
	void				*arg;
	char				*who;
	bool				 is_borrowed;	/* of custody_as() */
};

struct custody *
custody_new(const struct custody_ops *ops, void *arg)
{
	struct custody	*custody = mem_alloc(sizeof(*custody));

	custody->ops = ops;
	custody->arg = arg;
	custody->who = mem_str("");
	return custody;
}

void
custody_set_who(struct custody *custody, const char *who)
{
	free(custody->who);
	custody->who = mem_str(who);
}

struct custody *
custody_as(struct custody *custody, const char *who)
{
	struct custody	*other = custody_new(custody->ops, custody->arg);

	custody_set_who(other, who);
	other->is_borrowed = true;
	return other;
}

void
custody_note(struct custody *custody, const struct event *event)
{
	if (custody->ops->note != NULL)
		custody->ops->note(custody->arg, event);
}

bool
custody_events(struct custody *custody, const struct event_query *query,
    struct event_cursor *cursor, struct event_page *page, struct err *err)
{
	return custody->ops->events(custody->arg, query, cursor, page, err);
}

bool
custody_find(struct custody *custody, const char *addr, enum cert_use use,
    int64_t now, struct finding **out, struct err *err)
{
	return custody->ops->find(custody->arg, addr, use, now, out, err);
}

static bool
find_some(struct custody *custody, const char *const *addrs, size_t n,
    enum cert_use use, int64_t now, struct finding **out, size_t *n_found,
    struct err *err)
{
	if (n > 1 && custody->ops->find_some != NULL)
		return custody->ops->find_some(custody->arg, addrs, n, use,
		    now, out, n_found, err);
	*n_found = 1;
	return custody_find(custody, addrs[0], use, now, &out[0], err);
}

bool
custody_find_all(struct custody *custody, const char *const *addrs, size_t n,
    enum cert_use use, int64_t now, struct finding **out, struct err *err)
{
	size_t	 n_found;

	for (size_t i = 0; i < n; i++)
		out[i] = NULL;
	for (size_t done = 0; done < n; done += n_found)
		if (!find_some(custody, addrs + done, n - done, use, now,
		    out + done, &n_found, err)) {
			for (size_t i = 0; i < n; i++) {
				finding_free(out[i]);
				out[i] = NULL;
			}
			return false;
		}
	return true;
}

bool
custody_sign(struct custody *custody, const struct sign_request *request,
    struct buf *signed_data, struct err *err)
{
	return custody->ops->sign(custody->arg, request, signed_data, err);
}

bool
custody_list(struct custody *custody, const struct fingerprint *after,
    size_t max, int64_t now, struct cert_entry **out, size_t *n,
    struct err *err)
{
	return custody->ops->list(custody->arg, after, max, now, out, n, err);
}

bool
custody_lookup(struct custody *custody, const char *prefix_or_addr,
    int64_t now, struct cert_entry **out, size_t *n, struct err *err)
{
	return custody->ops->lookup(custody->arg, prefix_or_addr, now, out, n,
	    err);
}

bool
custody_put_certs(struct custody *custody, const struct put_cert *certs,
    size_t n, int64_t now, struct put_result *results, struct err *err)
{
	return custody->ops->put_certs(custody->arg, custody->who, certs, n, now,
	    results, err);
}

bool
custody_put_crl(struct custody *custody, const struct put_crl *crl,
    int64_t now, struct put_result *result, struct err *err)
{
	return custody->ops->put_crl(custody->arg, custody->who, crl, now, result,
	    err);
}

bool
custody_remove_crls(struct custody *custody, const struct fingerprint *fp,
    struct err *err)
{
	return custody->ops->remove_crls(custody->arg, custody->who, fp, err);
}

bool
custody_put_key(struct custody *custody, const struct put_key *key,
    int64_t now, struct put_result *result, struct err *err)
{
	return custody->ops->put_key(custody->arg, custody->who, key, now, result,
	    err);
}

bool
custody_get_key(struct custody *custody, const struct fingerprint *fp,
    enum key_protection *protection, struct buf *out, struct err *err)
{
	return custody->ops->get_key(custody->arg, custody->who, fp, protection,
	    out, err);
}

bool
custody_chain(struct custody *custody, const struct fingerprint *fp,
    int64_t now, struct cert_entry **out, size_t *n, struct err *err)
{
	return custody->ops->chain(custody->arg, fp, now, out, n, err);
}

bool
custody_set_state(struct custody *custody, const struct fingerprint *fp,
    enum cert_state state, struct err *err)
{
	return custody->ops->set_state(custody->arg, custody->who, fp, state, err);
}

bool
custody_remove(struct custody *custody, const struct fingerprint *fp,
    bool key_only, struct err *err)
{
	return custody->ops->remove(custody->arg, custody->who, fp, key_only, err);
}

bool
custody_rewrap(struct custody *custody,
    const uint8_t new_master[MASTER_KEY_LEN], int64_t now, size_t *n,
    struct err *err)
{
	return custody->ops->rewrap(custody->arg, custody->who, new_master, now, n,
	    err);
}

bool
custody_records(struct custody *custody, struct buf *cursor, size_t max,
    struct buf *rows, struct err *err)
{
	return custody->ops->records(custody->arg, cursor, max, rows, err);
}

bool
custody_verify(struct custody *custody, struct buf *cursor,
    struct verify_findings *findings, struct err *err)
{
	return custody->ops->verify(custody->arg, cursor, findings, err);
}

bool
custody_stamp_keys(struct custody *custody, struct stamp_keys *keys,
    struct err *err)
{
	if (custody->ops->stamp_keys == NULL)
		return err_set(err, ERR_BUG, "only the vault has stamp keys");
	return custody->ops->stamp_keys(custody->arg, keys, err);
}

void
custody_close(struct custody *custody)
{
	if (custody == NULL)
		return;
	if (!custody->is_borrowed)
		custody->ops->close(custody->arg);
	free(custody->who);
	free(custody);
}

const char *
cert_state_name(enum cert_state state)
{
	switch (state) {
	case CERT_TRUSTED:
		return "trusted";
	case CERT_ANCHOR:
		return "anchor";
	case CERT_CHAIN:
		return "chain";
	case CERT_DISTRUSTED:
		return "distrusted";
	}
	return "unknown";
}

void
finding_free(struct finding *finding)
{
	if (finding == NULL)
		return;
	for (size_t i = 0; i < finding->n; i++)
		free(finding->candidates[i].reason);
	free(finding->candidates);
	free(finding->der);
	free(finding->reason);
	free(finding);
}

void
cert_entry_free(struct cert_entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(entries[i].der);
		free(entries[i].source);
		free(entries[i].added_by);
		free(entries[i].trusted_by);
		free(entries[i].untrusted);
		free(entries[i].crls);
	}
	free(entries);
}
