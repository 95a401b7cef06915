/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_VAULT_ANSWER_IMPL_H
#define MILTER_VAULT_ANSWER_IMPL_H

#include "base/buf.h"
#include "base/err.h"
#include "milter/vault_answer.h"
#include "milter/vault_wire.h"

/*
 * One call for each request of vault_wire.h: it reads the request to its end
 * and adds what is asked for to the answer.
 */
typedef bool vault_answer_fn(const struct vault *, struct wire_reader *,
	    struct buf *answer, struct err *);

/* vault_answer_mail.c: what filters ask while mail comes in. */
vault_answer_fn	 vault_answer_find, vault_answer_find_some,
	    vault_answer_sign, vault_answer_make_stamp,
	    vault_answer_check_stamp, vault_answer_note;

/* vault_answer_admin.c: what administrators ask. */
vault_answer_fn	 vault_answer_list, vault_answer_lookup,
	    vault_answer_chain, vault_answer_put_certs,
	    vault_answer_put_crl, vault_answer_remove_crls,
	    vault_answer_put_key, vault_answer_get_key,
	    vault_answer_set_state, vault_answer_remove,
	    vault_answer_rewrap, vault_answer_events,
	    vault_answer_records, vault_answer_verify,
	    vault_answer_reload, vault_answer_status,
	    vault_answer_troubles;

/* ERR_BUG, for a request that is none. */
bool	vault_answer_malformed(struct err *);

#endif
