/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_VAULT_RECORD_H
#define MILTER_VAULT_RECORD_H

struct sign_request;

/*
 * The vault's own line in the log about a signature, or why there is none
 * (reason, else NULL), so that the filter's word is not all there is about
 * what was signed.  smime-milter.8 describes it.
 */
void	vault_record(const struct sign_request *, const char *reason);

#endif
