/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SMIME_SPLICE_H
#define SMIME_SPLICE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/pieces.h"
#include "smime/entity.h"

struct splice_made {
	struct pieces	*entity;	/* the caller's; NULL if it cannot be done */
	char		 why[160];	/* and then why not */
	bool		 is_changed;	/* a byte of what is left differs */
	bool		 is_cut;	/* preamble or epilogue left out */
};

/*
 * A mail as an entity that no transport changes, see canon.h: its own bytes
 * but for the parts that need another encoding, label or header.  header is
 * borrowed until return, body as long as the entity lives.  is_clean: there
 * is nothing in the bytes to look for, only labels.
 *
 * That it cannot be done is an answer (true).  ERR_MESSAGE: one of
 * entity.h's limits; ERR_TEMP: memory.
 */
bool	splice_mail(struct span header, struct span body, bool is_clean,
	    struct splice_made *out, struct err *);

#endif
