/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_CHOOSE_H
#define STORE_CHOOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/custody.h"
#include "store/record.h"
#include "store/store.h"
#include "store/trust.h"

/*
 * The certificate for an address, out of all that are there.  Both want
 * store_begin_read() or _write(), and are false with ERR_TEMP when the
 * store cannot tell.
 */

/* One of them, with what speaks against it; the caller frees its reason. */
bool	choose_weigh(struct store *, struct trust *,
	    const struct cert_record *, enum cert_use, const char *addr,
	    int64_t now, struct candidate *, struct err *);

/* All of them, best first: custody_find(). */
bool	choose_find(struct store *, struct trust *, const char *addr,
	    enum cert_use, int64_t now, struct finding **out, struct err *);

#endif
