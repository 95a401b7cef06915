/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_PEM_H
#define STORE_PEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Armour in text as people hand it on: between bag attributes and dumps,
 * pasted from a terminal, quoted in a mail, all on one line, with any line
 * ends.  RFC 7468, read generously; what the bytes are worth is for others
 * to say.
 */
struct pem_reader {
	const char	*text;		/* borrowed */
	size_t		 len;
	size_t		 at;		/* where the next search begins */
	size_t		 line;		/* of at; from 1 */
	bool		 has_armour;	/* a BEGIN line was seen */
};

struct pem_block {
	char		 label[64];	/* "CERTIFICATE"; "" for base64 alone */
	size_t		 line;		/* where it begins */
	char		*header;	/* RFC 1421 header, LF; NULL if none */
	struct buf	 der;		/* secret, since it may be a key */
	const char	*reason;	/* why der is unfit; NULL: it is not */
};

void	pem_init(struct pem_reader *, const char *, size_t len);
/*
 * The next block between BEGIN and END, or false when there is none.  A block
 * that is cut off or is not base64 comes with its reason, and the search goes
 * on after it.  The block is the caller's: pem_block_free().
 */
bool	pem_next(struct pem_reader *, struct pem_block *);
/*
 * The next run of base64 lines that could be DER, for text without any armour:
 * a pasted certificate, or the signature in a mail.
 */
bool	pem_next_bare(struct pem_reader *, struct pem_block *);
void	pem_block_free(struct pem_block *);

/*
 * Is it UTF-16, with or without its mark?  Then out has the ASCII in it,
 * anything else as "?"; out is the caller's and grows to half of len.
 */
bool	pem_from_utf16(const uint8_t *, size_t len, struct buf *out);

#endif
