/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_BER_H
#define STORE_BER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/der.h"

/*
 * The outline of BER and DER (X.690): where an element begins and ends and
 * what is inside, no more.  It tells what a file is before OpenSSL is asked
 * to read it, and finds the good certificates beside a damaged one.  Tags have
 * the names of base/der.h, which is for what we made ourselves.
 */
struct ber {
	uint8_t		 tag;		/* the identifier octet */
	const uint8_t	*whole;		/* all of it, header and end included */
	size_t		 whole_len;
	const uint8_t	*data;		/* its contents */
	size_t		 len;
};

/*
 * The element at the front of *data; *data and *len move past it.  False,
 * with nothing moved, at the end and where no whole element stands.
 * Indefinite lengths are followed; tag numbers over 30 are none of ours.
 */
bool	ber_next(const uint8_t **data, size_t *len, struct ber *);
/* As ber_next(), and it must have this tag. */
bool	ber_expect(const uint8_t **data, size_t *len, uint8_t tag,
	    struct ber *);

#endif
