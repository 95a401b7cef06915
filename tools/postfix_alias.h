/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_POSTFIX_ALIAS_H
#define TOOLS_POSTFIX_ALIAS_H

#include "tools/postfix_look.h"

/*
 * Aliases that are expanded after the filter saw their mail, to people whose
 * section of recipients has encrypt = require: what it does not see it cannot
 * encrypt to them.
 */
void	postfix_alias_all(const struct postfix_look *);

#endif
