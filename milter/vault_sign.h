/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_VAULT_SIGN_H
#define MILTER_VAULT_SIGN_H

#include "base/buf.h"
#include "base/err.h"

struct sign_request;
struct vault;

/*
 * The signature that a filter or smimectl asks for, if the rules of the
 * current snapshot allow it; either way it is recorded.  A filter that was
 * broken into may ask for anything, so nothing that it says is believed but
 * the login, which the record shows. 
 *
 * A refusal by the rules is ERR_TEMP: an honest filter gets one only if the
 * configuration has just changed, and the mail is then sent again later.
 */
bool	vault_sign(const struct vault *, struct sign_request *,
	    struct buf *signed_data, struct err *);

#endif
