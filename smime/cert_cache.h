/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SMIME_CERT_CACHE_H
#define SMIME_CERT_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

/*
 * A certificate for its DER, decoded or remembered: to decode one takes as
 * long as five RSA encryptions, and a key's first use as long again.  Found
 * by all its bytes, so nothing here can be stale, and nothing is said about
 * trust.  A fixed number are kept for the whole process, any thread may ask.
 *
 * The caller's: X509_free(); not to be changed, for others have it too.
 * NULL, with the reason in OpenSSL's queue if it has one: no certificate, or
 * bytes behind it.
 */
X509	*cert_cache_get(const uint8_t *der, size_t len);

#endif
