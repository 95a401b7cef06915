/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_ADVICE_H
#define TOOLS_ADVICE_H

#include <jansson.h>

#include "tools/walk.h"

/*
 * What to change if something else was wanted than what explain tells: an
 * array of sentences, in the order of the rules.  The caller's.
 */
json_t	*advice_new(const struct walk *);

/* Whose rule it is, and where: "group support (line 12)"; the caller's. */
char	*advice_place(const struct config *, const char *label);

#endif
