/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_CERT_KEY_H
#define STORE_CERT_KEY_H

#include <openssl/types.h>

#include "store/cert.h"

/*
 * A certificate's public key: sets key_kind, key_bits and curve of its facts,
 * and adds the faults CERT_FAULT_KEY_KIND and CERT_FAULT_WEAK_KEY.
 *
 * OpenSSL 3.0 needs more time to find its decoder for a key than for the whole
 * rest of a certificate, so the usual keys are read here.  X509_PUBKEY needs
 * no key decoded for it.
 */
void	cert_key_read(const X509_PUBKEY *, struct cert_facts *);

/* "RSA 2048", "EC P-256", "Ed25519" */
void	cert_key_name(const struct cert_facts *, char out[32]);

#endif
