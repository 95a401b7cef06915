/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_DER_H
#define STORE_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The outline of BER and DER (X.690): where an element begins and ends and
 * what is inside, no more.  It tells what a file is before OpenSSL is asked
 * to read it, and finds the good certificates beside a damaged one.
 */
struct der {
	uint8_t		 tag;		/* the identifier octet */
	const uint8_t	*whole;		/* all of it, header and end included */
	size_t		 whole_len;
	const uint8_t	*data;		/* its contents */
	size_t		 len;
};

#define DER_INTEGER	0x02
#define DER_BITS	0x03
#define DER_OCTETS	0x04
#define DER_OID		0x06
#define DER_SEQUENCE	0x30
#define DER_CONTEXT(n)	((uint8_t)(0xa0 | (n)))	/* constructed */

/*
 * The element at the front of *data; *data and *len move past it.  False,
 * with nothing moved, at the end and where no whole element stands.
 * Indefinite lengths are followed; tag numbers over 30 are none of ours.
 */
bool	der_next(const uint8_t **data, size_t *len, struct der *);
/* As der_next(), and it must have this tag. */
bool	der_expect(const uint8_t **data, size_t *len, uint8_t tag,
	    struct der *);

#endif
