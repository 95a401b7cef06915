/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_CERT_BATCH_H
#define STORE_CERT_BATCH_H

#include <stddef.h>

#include "store/cert.h"
#include "store/custody.h"

/*
 * cert_read() for many, on as many processors as there are, four at most:
 * decoding is two thirds of what an import costs.  reasons[i] is why the i-th
 * is no certificate, the caller's, or NULL where facts[i] are there.
 */
void	cert_batch_read(const struct put_cert *, size_t n,
	    struct cert_facts *facts, char **reasons);

#endif
