/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_WIPE_H
#define BASE_WIPE_H

#include <stdbool.h>

/*
 * OpenSSL decodes a private key by way of ordinary memory that it frees as it
 * is (3.0, its decoders); a copy of each key would stay behind.
 *
 * wipe_install() comes before anything else of OpenSSL.  After wipe_begin()
 * what OpenSSL gives back is wiped, in this process; false: it is not, for
 * OpenSSL was in use before.
 */
void	wipe_install(void);
bool	wipe_begin(void);

#endif
