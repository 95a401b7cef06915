/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/mem.h"
#include "milter/vault_answer.h"
#include "milter/vault_answer_impl.h"
#include "milter/vault_wire.h"

enum vault_rights
vault_rights_of(enum role role)
{
	switch (role) {
	case ROLE_DIRECT:
		return VAULT_DIRECT;
	case ROLE_STAMP:
		return VAULT_STAMP;
	case ROLE_SEAL:
		break;
	}
	return VAULT_SEAL;
}

bool
vault_answer_malformed(struct err *err)
{
	return err_set(err, ERR_BUG, "the request to the vault is malformed");
}

#define DIRECT	(1u << VAULT_DIRECT)
#define STAMP	(1u << VAULT_STAMP)
#define SEAL	(1u << VAULT_SEAL)
#define ADMIN	(1u << VAULT_ADMIN)
#define FILTERS	(DIRECT | STAMP | SEAL)

static const struct {
	enum wire_op	 op;
	unsigned	 rights;	/* whose request it may be */
	bool		 has_who;	/* begins with who asks */
	vault_answer_fn	*answer;
} calls[] = {
	{ WIRE_FIND, FILTERS | ADMIN, false, vault_answer_find },
	{ WIRE_SIGN, DIRECT | SEAL | ADMIN, false, vault_answer_sign },
	{ WIRE_MAKE_STAMP, STAMP, false, vault_answer_make_stamp },
	{ WIRE_CHECK_STAMP, SEAL, false, vault_answer_check_stamp },
	{ WIRE_FIND_SOME, FILTERS | ADMIN, false, vault_answer_find_some },
	{ WIRE_NOTE, FILTERS | ADMIN, false, vault_answer_note },
	{ WIRE_LIST, ADMIN, false, vault_answer_list },
	{ WIRE_LOOKUP, ADMIN, false, vault_answer_lookup },
	{ WIRE_PUT_CERTS, ADMIN, true, vault_answer_put_certs },
	{ WIRE_PUT_KEY, ADMIN, true, vault_answer_put_key },
	{ WIRE_GET_KEY, ADMIN, true, vault_answer_get_key },
	{ WIRE_CHAIN, ADMIN, false, vault_answer_chain },
	{ WIRE_SET_STATE, ADMIN, true, vault_answer_set_state },
	{ WIRE_REMOVE, ADMIN, true, vault_answer_remove },
	{ WIRE_RELOAD, ADMIN, false, vault_answer_reload },
	{ WIRE_STATUS, ADMIN, false, vault_answer_status },
	{ WIRE_TROUBLES, ADMIN, false, vault_answer_troubles },
	{ WIRE_PUT_CRL, ADMIN, true, vault_answer_put_crl },
	{ WIRE_REMOVE_CRLS, ADMIN, true, vault_answer_remove_crls },
	{ WIRE_REWRAP, ADMIN, true, vault_answer_rewrap },
	{ WIRE_EVENTS, ADMIN, false, vault_answer_events },
	{ WIRE_RECORDS, ADMIN, false, vault_answer_records },
	{ WIRE_VERIFY, ADMIN, false, vault_answer_verify },
};

/*
 * In the name of whoever asks.  Only administrators get here, so they are
 * believed.
 */
static bool
answer_as(const struct vault *vault, vault_answer_fn *answer_call,
    struct wire_reader *r, struct buf *answer, struct err *err)
{
	struct vault	 named = *vault;
	char		*who = wire_get_str(r);
	bool		 is_ok;

	named.custody = custody_as(vault->custody, who == NULL ? "" : who);
	is_ok = answer_call(&named, r, answer, err);
	custody_close(named.custody);
	free(who);
	return is_ok;
}

static bool
dispatch(const struct vault *vault, enum vault_rights rights, uint8_t op,
    struct wire_reader *r, struct buf *answer, struct err *err)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (calls[i].op != op)
			continue;
		if ((calls[i].rights & 1u << rights) == 0)
			break;
		if (calls[i].has_who)
			return answer_as(vault, calls[i].answer, r, answer,
			    err);
		return calls[i].answer(vault, r, answer, err);
	}
	return err_set(err, ERR_BUG, "request %u is not answered here", op);
}

static void
put_header(struct buf *answer, enum err_kind kind, uint32_t id)
{
	wire_put_u8(answer, WIRE_VERSION);
	wire_put_u8(answer, (uint8_t)kind);
	wire_put_u32(answer, id);
}

void
vault_answer(const struct vault *vault, enum vault_rights rights,
    const uint8_t *request, size_t len, struct buf *answer)
{
	struct wire_reader	 reader = { .p = request, .left = len };
	uint8_t			 version = wire_get_u8(&reader);
	uint8_t			 op = wire_get_u8(&reader);
	uint32_t		 id = wire_get_u32(&reader);
	struct err		 err = { 0 };
	bool			 is_ok;

	answer->max = WIRE_MAX;
	answer->is_secret = op == WIRE_GET_KEY;
	put_header(answer, ERR_NONE, id);
	if (reader.failed || version != WIRE_VERSION)
		is_ok = vault_answer_malformed(&err);
	else
		is_ok = dispatch(vault, rights, op, &reader, answer, &err) &&
		    buf_ok(answer, "the vault's answer", &err);
	/* Whoever told of something does not wait for an answer. */
	if (op == WIRE_NOTE)
		buf_clear(answer);
	if (is_ok || op == WIRE_NOTE)
		return;
	buf_clear(answer);
	put_header(answer, err.kind == ERR_NONE ? ERR_BUG : err.kind, id);
	wire_put_str(answer, err.reason);
}
