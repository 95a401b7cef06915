/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/snapshot.h"
#include "milter/stats.h"
#include "milter/vault_answer.h"
#include "milter/vault_sign.h"
#include "policy/config.h"
#include "policy/group.h"
#include "policy/identity.h"
#include "store/audit.h"

/* Could any mail from this address be signed at all? */
static bool
is_ever_signed(const struct config *config, const char *from)
{
	size_t			 set = group_table_find_tagged(
	    config->group_members, from, config->subaddress_delimiter);
	const struct options	*options = set == GROUP_NONE ?
	    &config->default_group.options : &config->groups[set].options;

	if (options->sign != WANT_NEVER || options->override)
		return true;
	for (size_t i = 0; i < config->n_recipients; i++)
		if (config->recipients[i].has_sign &&
		    config->recipients[i].sign != WANT_NEVER)
			return true;
	return false;
}

/* The certificate itself is judged again by custody_sign(). */
static bool
is_allowed(const struct config *config, const struct sign_request *request,
    struct err *err)
{
	struct err	 why;

	if (!config->enabled)
		return err_set(err, ERR_TEMP, "signing is not enabled");
	if (!identity_check(config, request->login, request->client,
	    request->from, &why))
		return err_set(err, ERR_TEMP, "%s", why.reason);
	if (!is_ever_signed(config, request->from))
		return err_set(err, ERR_TEMP, "the group of %s never signs",
		    request->from);
	return true;
}

/* Of what gets as far as the store, the store keeps an event itself. */
static void
note_refusal(const struct vault *vault, const struct sign_request *request,
    const char *reason)
{
	struct event	 event;

	audit_signature(request, reason, &event);
	custody_note(vault->custody, &event);
	event_free(&event);
}

bool
vault_sign(const struct vault *vault, struct sign_request *request,
    struct buf *signed_data, struct err *err)
{
	struct snapshot		*snapshot = snapshot_hold();
	const struct config	*config = snapshot_config(snapshot);
	bool			 is_ok;

	request->per_minute = (uint32_t)config->key_rate;
	is_ok = is_allowed(config, request, err);
	if (!is_ok)
		note_refusal(vault, request, err->reason);
	is_ok = is_ok &&
	    custody_sign(vault->custody, request, signed_data, err);
	snapshot_release(snapshot);
	if (!is_ok && err->limit != LIMIT_NONE)
		stats_limit(err->limit);
	if (!is_ok && vault->record != NULL)
		vault->record(request, err->reason);
	return is_ok || err_prefix(err, "the vault does not sign");
}
