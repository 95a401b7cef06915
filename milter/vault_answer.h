/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_VAULT_ANSWER_H
#define MILTER_VAULT_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "policy/config.h"
#include "store/custody.h"

/* Who asks: filters by their role, each no more than that needs. */
enum vault_rights {
	VAULT_DIRECT,	/* look up and sign */
	VAULT_STAMP,	/* look up and make stamps */
	VAULT_SEAL,	/* look up, check stamps and sign */
	VAULT_ADMIN	/* all that custody.h has */
};
enum vault_rights vault_rights_of(enum role);

struct vault {
	struct custody	*custody;	/* over the store */
	/* Asks the supervisor for a new configuration; NULL: there is none. */
	bool		(*reload)(void *arg, struct err *);
	void		*arg;
	/* Told of each signature that was refused; may be NULL. */
	void		(*record)(const struct sign_request *,
			    const char *reason);
};

/*
 * The answer to one request packet; both as vault_wire.h says.  Whatever the
 * packet holds, there is an answer, but for WIRE_NOTE: that is empty and not
 * to be sent.  Signatures must meet the rules of the current snapshot.  Does
 * no I/O but the store's.
 */
void	vault_answer(const struct vault *, enum vault_rights,
	    const uint8_t *request, size_t len, struct buf *answer);

#endif
