/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_MASTER_KEY_H
#define STORE_MASTER_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define MASTER_KEY_LEN	32

/*
 * Read the 32 bytes of the master key: $CREDENTIALS_DIRECTORY/master.key if
 * that exists, else path.  ERR_CONFIG unless it is a regular file of 32 bytes
 * that belongs to root or to the caller and that nobody else can read.
 * The caller wipes it.
 */
bool	master_key_read(const char *path, uint8_t key[MASTER_KEY_LEN],
	    struct err *);
/* A new random key in a new file, mode 0400, on disk when it returns. */
bool	master_key_create(const char *path, struct err *);

#endif
