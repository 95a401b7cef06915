/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_PKCS12_H
#define STORE_PKCS12_H

#include "store/bundle.h"

/*
 * The certificates, keys and CRLs of a PKCS#12 file (RFC 7292), added to the
 * bundle.  Old files (RC2-40, 3DES) are read as new ones are.  What cannot
 * be read is in the bundle with its reason: a passphrase that does not fit
 * is told apart from an algorithm that is missing here.
 */
void	pkcs12_read(struct bundle *, const char *where, const uint8_t *,
	    size_t len, const struct passphrases *);

#endif
