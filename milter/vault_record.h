/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_VAULT_RECORD_H
#define MILTER_VAULT_RECORD_H

struct sign_request;

/*
 * The vault's own line in the log about a signature that it refused.  Those
 * that it made are events (store/event.h).  smime-milter.8 describes both.
 */
void	vault_record(const struct sign_request *, const char *reason);

#endif
