/* SPDX-License-Identifier: BSD-2-Clause */
#include <time.h>

#include "store/audit.h"
#include "store/event_table.h"

static void
begin(const struct audit *audit, enum event_kind kind, const char *action,
    struct event *event)
{
	*event = (struct event){ .kind = kind, .at = (int64_t)time(NULL) };
	event_set(event, EVENT_WHO, audit->who);
	event_set(event, EVENT_ACTION, action);
}

static bool
end(const struct audit *audit, struct event *event, struct err *err)
{
	bool	 is_ok = event_table_add(audit->store, event, 1, err);

	event_free(event);
	return is_ok;
}

bool
audit_cert(const struct audit *audit, enum event_kind kind, const char *action,
    const struct cert_facts *facts, const char *source, struct err *err)
{
	struct event	 event;
	char		 fp[TEXT_FP_LEN];

	begin(audit, kind, action, &event);
	text_fp(&facts->fp, fp);
	event_set(&event, EVENT_CERT, fp);
	event_set(&event, EVENT_SOURCE, source);
	for (size_t i = 0; i < facts->n_addresses; i++)
		event_add_address(&event, EVENT_ABOUT, facts->addresses[i]);
	if (facts->n_addresses == 0)
		event_set(&event, EVENT_ABOUT, facts->subject);
	return end(audit, &event, err);
}

bool
audit_import(const struct audit *audit, const struct put_cert *certs,
    const struct cert_facts *facts, const struct put_result *results,
    size_t n, struct err *err)
{
	struct event	 event;
	size_t		 n_added = 0, last = 0;

	for (size_t i = 0; i < n; i++)
		if (results[i].verdict == PUT_ADDED) {
			last = i;
			n_added++;
		}
	if (n_added > AUDIT_EACH_MAX) {
		begin(audit, EVENT_IMPORT, "certificates", &event);
		event_setf(&event, EVENT_ABOUT, "%zu certificates", n_added);
		event_set(&event, EVENT_SOURCE, certs[last].source);
		return end(audit, &event, err);
	}
	for (size_t i = 0; i < n; i++)
		if (results[i].verdict == PUT_ADDED && !audit_cert(audit,
		    EVENT_IMPORT, cert_state_name(results[i].state), &facts[i],
		    certs[i].source, err))
			return false;
	return true;
}

bool
audit_list(const struct audit *audit, const char *issuer, const char *source,
    struct err *err)
{
	struct event	 event;

	begin(audit, EVENT_IMPORT, "revocation list", &event);
	event_set(&event, EVENT_ABOUT, issuer);
	event_set(&event, EVENT_SOURCE, source);
	return end(audit, &event, err);
}

bool
audit_rewrap(const struct audit *audit, size_t n_keys, struct err *err)
{
	struct event	 event;

	begin(audit, EVENT_REWRAP, "master key", &event);
	event_setf(&event, EVENT_ABOUT, "%zu private keys", n_keys);
	return end(audit, &event, err);
}

void
audit_signature(const struct sign_request *request, const char *refused,
    struct event *event)
{
	char	 fp[TEXT_FP_LEN], hash[2 * DIGEST_LEN_MAX + 1];

	*event = (struct event){ .kind = EVENT_SIGNATURE,
	    .is_failed = refused != NULL };
	text_fp(&request->fp, fp);
	text_hex(request->hash, alg_digest_len(request->digest), hash);
	event_set(event, EVENT_QUEUE_ID, request->queue_id);
	event_set(event, EVENT_ACTION, refused == NULL ? "signed" : "refused");
	event_set(event, EVENT_FROM, request->from);
	event_set(event, EVENT_LOGIN, request->login);
	event_set(event, EVENT_CERT, fp);
	event_setf(event, EVENT_DIGEST, "%s:%s",
	    alg_digest_name(request->digest), hash);
	event_set(event, EVENT_REASON, refused);
}
