/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_CERT_PICK_H
#define STORE_CERT_PICK_H

#include <stddef.h>

#include "store/custody.h"

/*
 * Which of several certificates is used; pure.  Unusable ones drop out first
 * and never hide a usable one; of the others the newest: latest notBefore,
 * then latest notAfter, then lowest fingerprint, so that every host and every
 * run chooses alike (DESIGN.md 6 and 9.9).
 */
void	cert_pick_sort(struct candidate *, size_t n);

/*
 * Why none of the sorted candidates is usable, in a few words that follow
 * "encrypt to b@example.org: "; NULL if the first is.  The caller frees it.
 */
char	*cert_pick_reason(const struct candidate *, size_t n);

#endif
