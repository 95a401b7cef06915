/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_MASTER_KEY_H
#define STORE_MASTER_KEY_H

#include <stdbool.h>
#include <stddef.h>
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

/*
 * A change of the master key (smimectl rewrap) writes the new key beside the
 * old one, changes the store, then puts the new file in the place of the old.
 * Where it was interrupted, or the service manager still hands out a copy of
 * the old key, the store's key is one of these: the file at path, if
 * master_key_read() took the credential; and the new file.  Returns how many
 * there are; what cannot be read is none.  The caller wipes them.
 */
#define MASTER_KEY_SPARES	2
size_t	master_key_read_spares(const char *path,
	    uint8_t keys[MASTER_KEY_SPARES][MASTER_KEY_LEN]);
/* Where the new key waits, the caller frees it; and its bytes. */
char	*master_key_new_path(const char *path);
bool	master_key_read_new(const char *path, uint8_t key[MASTER_KEY_LEN],
	    struct err *);
/*
 * The new file in the place of the old, which stays under a name with the
 * date: backups made before need it.  *former is that name, the caller's;
 * NULL: there was no old file.  Each step harms nothing if it is the last.
 */
bool	master_key_replace(const char *path, int64_t now, char **former,
	    struct err *);

#endif
