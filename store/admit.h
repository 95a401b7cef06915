/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_ADMIT_H
#define STORE_ADMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/custody.h"
#include "store/key.h"
#include "store/record.h"
#include "store/store.h"
#include "store/trust.h"

/*
 * What is taken into the store, and with how much trust (DESIGN.md 9.9).
 * Wants store_begin_write(); false is ERR_TEMP.
 */
struct admit {
	struct store	*store;		/* both borrowed */
	struct trust	*trust;
	int64_t		 now;
};

/*
 * A certificate that is not there yet; its state is the one asked for.
 * The result has the state that it gets, with a remark if that is less, or
 * the refusal.
 */
bool	admit_cert(const struct admit *, const struct cert_record *,
	    struct put_result *, struct err *);

/* A key, by its public key; refused without somebody's certificate for it. */
bool	admit_key(const struct admit *, const uint8_t id[KEY_ID_LEN],
	    struct put_result *, struct err *);

/* That is the result; true, for a refusal is an answer.  Reason is copied. */
bool	admit_refuse(struct put_result *, const char *reason);

#endif
