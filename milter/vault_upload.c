/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <string.h>

#include "milter/vault_upload.h"

static pthread_mutex_t	 mutex = PTHREAD_MUTEX_INITIALIZER;
static uint8_t		 token[sizeof(((struct wire_piece *)NULL)->token)];
static struct buf	 bytes;

static bool
add(const struct wire_piece *piece, struct buf *whole, bool *is_whole,
    struct err *err)
{
	if (piece->total > VAULT_UPLOAD_MAX)
		return err_set(err, ERR_DATA, "%u bytes, at most %u are taken",
		    piece->total, VAULT_UPLOAD_MAX);
	if (piece->offset == 0) {
		buf_free(&bytes);
		memcpy(token, piece->token, sizeof(token));
	} else if (memcmp(token, piece->token, sizeof(token)) != 0 ||
	    piece->offset != bytes.len)
		return err_set(err, ERR_TEMP, "somebody else sent something "
		    "large at the same time; try again");
	buf_add(&bytes, piece->data, piece->len);
	if (!buf_ok(&bytes, "what is sent in pieces", err)) {
		buf_free(&bytes);
		return false;
	}
	*is_whole = bytes.len == piece->total;
	if (*is_whole) {
		*whole = bytes;
		bytes = (struct buf){ 0 };
	}
	return true;
}

bool
vault_upload_add(const struct wire_piece *piece, struct buf *whole,
    bool *is_whole, struct err *err)
{
	bool	 is_ok;

	*is_whole = false;
	pthread_mutex_lock(&mutex);
	is_ok = add(piece, whole, is_whole, err);
	pthread_mutex_unlock(&mutex);
	return is_ok;
}
