/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_PASS_H
#define MILTER_PASS_H

#include <stdbool.h>

#include "milter/journey.h"

/*
 * What the two passes of role = stamp and role = seal add to a mail's journey
 * (smime-milter.conf(5), "Two passes").
 */

/*
 * Stamp: the mail is accepted, its edits are complete but for the stamp.  Adds
 * that, a Message-ID where there is none, and takes Bcc away.
 */
bool	pass_stamp(const struct journey_request *, struct journey *,
	    struct err *);

/*
 * Seal: who sent the mail and what he wished, from its stamp.  Without one
 * nobody did, which is no error.  ERR_MESSAGE: a stamp that is not ours, not
 * this mail's, too old or one of several.
 */
bool	pass_read_stamp(const struct journey_request *, struct journey *,
	    struct err *);

/* Seal: the stamp goes, whatever is done to the mail. */
void	pass_remove_stamp(const struct journey_request *, struct journey *);

#endif
