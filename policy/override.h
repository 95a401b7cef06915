/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICY_OVERRIDE_H
#define POLICY_OVERRIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * What the sender asks for this one mail, by X-SMIME-Sign and X-SMIME-Encrypt
 * headers and by tags in the Subject.  Only reading is done here: the headers
 * are removed from everybody's mail, match.h obeys only authorised senders.
 */
enum wish {
	WISH_NONE,
	WISH_YES,
	WISH_NO,
	WISH_BAD	/* repeated, differing or unknown: reason says which */
};

struct wishes {
	enum wish	 sign;
	enum wish	 encrypt;
	char		 reason[80];	/* of the first WISH_BAD; safe */
	bool		 has_sign;	/* a header has been seen */
	bool		 has_encrypt;
};

/* Is this the name of a header that states a wish, in any case? */
bool	override_is_header(const char *name);
/*
 * Add what one header says; its value as it stands, folds and all.  A name
 * that is none of ours changes nothing.  Start with wishes all zero.
 */
void	override_add_header(struct wishes *, const char *name,
	    const char *value, size_t len);
/*
 * Add what the tags [sign] [nosign] [encrypt] [noencrypt] in a Subject say,
 * in any case, anywhere in it, inside encoded-words too (RFC 2047).
 * Header and tag may say the same, in either order.
 * True: there were some, and rest (empty before) is the Subject without them,
 * otherwise byte for byte.  False: rest is not touched.
 */
bool	override_add_subject(struct wishes *, const char *value, size_t len,
	    struct buf *rest);

#endif
