/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICY_CONFIG_CHECK_H
#define POLICY_CONFIG_CHECK_H

#include <stdbool.h>

#include "base/err.h"
#include "policy/config.h"

/* Add a sentence for `smimectl check`; line 0 is left out. */
void	config_check_warn(struct config *, int line, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/*
 * What no single option shows: contradictions (ERR_CONFIG), and what is
 * probably not meant (warnings).
 */
bool	config_check(struct config *, struct err *);

#endif
