/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_SURVEY_H
#define STORE_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "store/custody.h"
#include "store/store.h"

/* An address that signs, and until when it can: its newest certificate's end. */
struct survey_signer {
	char			*addr;
	struct fingerprint	 fp;
	int64_t			 not_after;
};

/* What the store has, at a glance. */
struct survey {
	size_t			 certs[CERT_DISTRUSTED + 1];	/* by state */
	size_t			 keys;		/* certificates with their key */
	size_t			 expired;
	struct survey_signer	*signers;	/* by address; who has a key */
	size_t			 n_signers;
};

/*
 * Looks at every certificate, in pages, so that others get in between, and for
 * as long as go_on() says so (else ERR_TEMP).  The result is the caller's:
 * survey_free().
 */
bool	survey_store(struct store *, int64_t now, bool (*go_on)(void),
	    struct survey *, struct err *);
void	survey_free(struct survey *);

/*
 * Days before an end at which to warn, of those passed since `before`; 0: none
 * is due.  before 0: nobody has looked yet.
 */
int	survey_due(int64_t not_after, int64_t before, int64_t now);

#endif
