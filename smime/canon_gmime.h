/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SMIME_CANON_GMIME_H
#define SMIME_CANON_GMIME_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "smime/entity.h"

/*
 * The content of a leaf, as its encoding label says: what a reader gets.
 * 7bit, 8bit and binary are copied.  ERR_MESSAGE: readers would differ about
 * it (an unknown encoding; base64 with other things in it); ERR_TEMP: memory.
 */
bool	canon_gmime_decode(enum entity_encoding, struct span, struct buf *out,
	    struct err *);

#endif
