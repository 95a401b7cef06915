/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_DER_H
#define BASE_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Just enough DER to look into a CMS structure and put content into it
 * without copying a mail once more.  Not for what comes from outside: that is
 * OpenSSL's, and store/ber.h's to look at.
 */
struct der {
	const uint8_t	*p;
	const uint8_t	*end;
};

#define DER_INTEGER	0x02
#define DER_BITS	0x03
#define DER_OCTETS	0x04
#define DER_OID		0x06
#define DER_SEQUENCE	0x30
#define DER_SET		0x31
#define DER_CONTEXT(n)	(0xa0 | (n))	/* constructed */
#define DER_CONTEXT_PRIMITIVE(n) (0x80 | (n))

/* The tag of the next element, -1 at the end. */
int	der_tag(const struct der *);
/*
 * Take the next element, which must have this tag: its content in *in, the
 * reader moves behind it.  False if it is another, or does not fit.
 */
bool	der_take(struct der *, int tag, struct der *in);
/* The number of elements left; -1 if they do not add up. */
int	der_count(struct der);
bool	der_is(struct der content, const void *, size_t len);

/* How long tag and length of an element with this much content are. */
size_t	der_head_len(size_t content_len);
/* The whole element. */
size_t	der_len(size_t content_len);
void	der_head(struct buf *, int tag, size_t content_len);

#endif
