/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_FIELDS_H
#define STORE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * What records are made of: a kind and a version byte, fields in fixed order,
 * the first eight bytes of SHA-256 over all before.  Numbers are big-endian;
 * bytes and strings have their length (4 bytes) first.
 */
void	fields_begin(struct buf *, char kind, uint8_t version);
void	fields_put_int(struct buf *, uint64_t, int bytes);
void	fields_put_bytes(struct buf *, const void *, size_t len);
/* Cut rather than refused: what a reader would not take is not written. */
void	fields_put_str(struct buf *, const char *, size_t max);
void	fields_end(struct buf *);

/* Once a read has failed, those after it give zeros; asked at the end. */
struct fields_reader {
	const uint8_t	*p;
	size_t		 left;
	bool		 failed;
};

/* Kind, version and sum; the fields are what lies between.  ERR_DATA. */
bool	fields_open(const uint8_t *, size_t len, char kind, uint8_t version,
	    struct fields_reader *, struct err *);
uint64_t fields_take_int(struct fields_reader *, int bytes);
/* A value of an enum or a flag; anything larger is a failure. */
unsigned fields_take_choice(struct fields_reader *, unsigned max);
void	fields_take_fixed(struct fields_reader *, void *out, size_t len);
/* Borrowed from the record. */
const uint8_t *fields_take_bytes(struct fields_reader *, size_t max,
	    size_t *len);
/* The caller's; NULL after a failure. */
char	*fields_take_str(struct fields_reader *, size_t max);
void	fields_take_buf(struct fields_reader *, size_t max, struct buf *out);
/* Everything was read and nothing is left over; else ERR_DATA. */
bool	fields_close(const struct fields_reader *, struct err *);

#endif
