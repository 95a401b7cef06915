/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "milter/snapshot.h"
#include "milter/stamp.h"
#include "milter/vault_answer_impl.h"
#include "milter/vault_sign.h"
#include "milter/vault_wire.h"

bool
vault_answer_find(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	char		*addr = wire_get_str(r);
	enum cert_use	 use = (enum cert_use)wire_get_enum(r,
	    CERT_USE_ENCRYPT);
	int64_t		 now = wire_get_i64(r);
	struct finding	*finding = NULL;
	bool		 is_ok = false;

	if (!wire_is_done(r) || addr == NULL)
		vault_answer_malformed(err);
	else
		is_ok = custody_find(vault->custody, addr, use, now, &finding,
		    err);
	if (is_ok)
		wire_put_finding(answer, finding);
	finding_free(finding);
	free(addr);
	return is_ok;
}

/* As many as there is room for, one at least; then the client asks again. */
static bool
find_some(const struct vault *vault, char **addrs, size_t n,
    enum cert_use use, int64_t now, struct buf *answer, struct err *err)
{
	struct buf	 found = { 0 };
	size_t		 n_found = 0;
	bool		 is_ok = true;

	while (is_ok && n_found < n) {
		struct finding	*finding = NULL;
		size_t		 before = found.len;

		is_ok = custody_find(vault->custody, addrs[n_found], use, now,
		    &finding, err);
		if (is_ok)
			wire_put_finding(&found, finding);
		finding_free(finding);
		if (n_found > 0 &&
		    found.len > WIRE_MAX - WIRE_HEADER - sizeof(uint32_t)) {
			found.len = before;
			break;
		}
		n_found++;
	}
	wire_put_u32(answer, (uint32_t)n_found);
	buf_add(answer, found.data, found.len);
	answer->failed |= found.failed;
	buf_free(&found);
	return is_ok;
}

bool
vault_answer_find_some(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	enum cert_use	 use = (enum cert_use)wire_get_enum(r,
	    CERT_USE_ENCRYPT);
	int64_t		 now = wire_get_i64(r);
	size_t		 n = wire_get_u32(r), n_read = 0;
	char		*addrs[WIRE_FIND_MAX];
	bool		 is_ok;

	while (n_read < n && n <= WIRE_FIND_MAX &&
	    (addrs[n_read] = wire_get_str(r)) != NULL)
		n_read++;
	if (n == 0 || n_read < n || !wire_is_done(r))
		is_ok = vault_answer_malformed(err);
	else
		is_ok = find_some(vault, addrs, n, use, now, answer, err);
	while (n_read > 0)
		free(addrs[--n_read]);
	return is_ok;
}

bool
vault_answer_sign(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct sign_request	 request;
	struct buf		 der = { .max = WIRE_MAX - 64 };
	bool			 is_ok = false;

	wire_get_sign_request(r, &request);
	if (!wire_is_done(r))
		vault_answer_malformed(err);
	else
		is_ok = vault_sign(vault, &request, &der, err);
	if (is_ok)
		wire_put_bytes(answer, der.data, der.len);
	buf_free(&der);
	wire_sign_request_clear(&request);
	return is_ok;
}

/* --- stamps --------------------------------------------------------------- */

/* The time is the vault's: a filter cannot make a stamp that lasts longer. */
bool
vault_answer_make_stamp(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct stamp_keys	 keys = { .n = 0 };
	struct stamp		 stamp;
	char			*text = NULL;
	bool			 is_ok = false;

	wire_get_stamp(r, &stamp);
	stamp.time = (int64_t)time(NULL);
	if (!wire_is_done(r))
		vault_answer_malformed(err);
	else
		is_ok = custody_stamp_keys(vault->custody, &keys, err) &&
		    stamp_make(&stamp, keys.list[0].bytes, &text, err);
	if (is_ok)
		wire_put_str(answer, text);
	stamp_key_wipe(&keys);
	stamp_clear(&stamp);
	free(text);
	return is_ok;
}

static bool
check_stamp(const struct vault *vault, const struct stamp_query *query,
    struct stamp *out, struct err *err)
{
	struct stamp_keys	 keys = { .n = 0 };
	struct snapshot		*snapshot;
	int64_t			 lifetime;
	bool			 is_ok;

	snapshot = snapshot_hold();
	lifetime = snapshot_config(snapshot)->stamp_lifetime;
	snapshot_release(snapshot);
	is_ok = custody_stamp_keys(vault->custody, &keys, err) &&
	    stamp_check(query, &keys, (int64_t)time(NULL), lifetime, out, err);
	stamp_key_wipe(&keys);
	return is_ok;
}

bool
vault_answer_check_stamp(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	char			*text = wire_get_str(r);
	char			*sender = wire_get_str(r);
	size_t			 len;
	const uint8_t		*digest = wire_get_bytes(r, &len);
	struct stamp_query	 query = { .text = text, .sender = sender };
	struct stamp		 stamp = { .time = 0 };
	bool			 is_ok = false;

	if (!wire_is_done(r) || text == NULL || sender == NULL ||
	    len != sizeof(query.digest))
		vault_answer_malformed(err);
	else {
		memcpy(query.digest, digest, sizeof(query.digest));
		is_ok = check_stamp(vault, &query, &stamp, err);
	}
	if (is_ok)
		wire_put_stamp(answer, &stamp);
	stamp_clear(&stamp);
	free(text);
	free(sender);
	return is_ok;
}

/* A filter tells of its mails, and of nothing else. */
bool
vault_answer_note(const struct vault *vault, struct wire_reader *r,
    struct buf *answer, struct err *err)
{
	struct event	 event;
	bool		 is_ok;

	(void)answer;
	wire_get_event(r, &event);
	is_ok = wire_is_done(r) && event.kind == EVENT_MAIL;
	if (is_ok)
		custody_note(vault->custody, &event);
	event_free(&event);
	return is_ok || vault_answer_malformed(err);
}
