/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_VAULT_ANSWER_H
#define MILTER_VAULT_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "store/custody.h"

enum vault_rights {
	VAULT_FILTER,	/* look up and sign */
	VAULT_ADMIN	/* all that custody.h has */
};

struct vault {
	struct custody	*custody;	/* the store */
	/* Asks the supervisor for a new configuration; NULL: there is none. */
	bool		(*reload)(void *arg, struct err *);
	void		*arg;
	/*
	 * Told of each signature that was refused; may be NULL.
	 */
	void		(*record)(const struct sign_request *,
			    const char *reason);
};

/*
 * The answer to one request packet; both as vault_wire.h says.  Whatever the
 * packet holds, there is an answer; an empty one to WIRE_NOTE, not to be sent.  Signatures must meet the rules of the
 * current snapshot.  Does no I/O but the store's.
 */
void	vault_answer(const struct vault *, enum vault_rights,
	    const uint8_t *request, size_t len, struct buf *answer);

#endif
