/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/mem.h"
#include "store/credential.h"
#include "store/custody_store_impl.h"
#include "store/dump.h"
#include "store/event_log.h"
#include "store/event_table.h"
#include "store/key_rate.h"
#include "store/rewrap.h"
#include "store/stamp_key.h"
#include "store/store.h"
#include "store/trust.h"
#include "store/verify.h"

#define CREDENTIALS_MAX	512	/* unlocked keys in memory */

/* --- the master key ----------------------------------------------------- */

static bool
local_rewrap(void *arg, const char *who, const uint8_t *new_master,
    int64_t now, size_t *n, struct err *err)
{
	struct custody_store	*local = arg;

	return rewrap_store(local->store, who, new_master, now, n, err);
}

/* --- events ------------------------------------------------------------- */

static void
local_note(void *arg, const struct event *event)
{
	struct custody_store	*local = arg;

	event_log_add(local->events, event);
}

static bool
local_events(void *arg, const struct event_query *query,
    struct event_cursor *cursor, struct event_page *page, struct err *err)
{
	struct custody_store	*local = arg;
	bool			 is_ok;

	if (!store_begin_read(local->store, err))
		return false;
	is_ok = event_table_list(local->store, query, cursor, page, err);
	store_end_read(local->store);
	return is_ok;
}

static bool
local_stamp_keys(void *arg, struct stamp_keys *keys, struct err *err)
{
	struct custody_store	*local = arg;
	bool			 is_ok;

	if (!store_begin_read(local->store, err))
		return false;
	is_ok = stamp_key_read(local->store, keys, err);
	store_end_read(local->store);
	return is_ok;
}

/* --- all records -------------------------------------------------------- */

static bool
local_records(void *arg, struct buf *cursor, size_t max, struct buf *rows,
    struct err *err)
{
	struct custody_store	*local = arg;
	bool			 is_ok;

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
	struct custody_store	*local = arg;
	bool			 is_ok;

	if (!store_begin_read(local->store, err))
		return false;
	is_ok = verify_page(local->store, cursor, findings, err);
	store_end_read(local->store);
	return is_ok;
}

/* --- the handle --------------------------------------------------------- */

static void
local_close(void *arg)
{
	struct custody_store	*local = arg;

	key_rate_free(local->rate);
	event_log_free(local->events);
	credential_cache_free(local->credentials);
	trust_free(local->trust);
	store_close(local->store);
	free(local);
}

static const struct custody_ops	 ops = {
	.find = custody_store_find,
	.sign = custody_store_sign,
	.list = custody_store_list,
	.lookup = custody_store_lookup,
	.note = local_note,
	.put_certs = custody_store_put_certs,
	.put_crl = custody_store_put_crl,
	.remove_crls = custody_store_remove_crls,
	.put_key = custody_store_put_key,
	.get_key = custody_store_get_key,
	.chain = custody_store_chain,
	.set_state = custody_store_set_state,
	.remove = custody_store_remove,
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
	struct custody_store	*local = mem_alloc(sizeof(*local));

	local->store = store;
	local->trust = trust_new(store);
	local->credentials = credential_cache_new(CREDENTIALS_MAX);
	local->events = event_log_new(store);
	local->rate = key_rate_new();
	return custody_new(&ops, local);
}
