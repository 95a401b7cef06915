/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SMIME_PART_TYPE_H
#define SMIME_PART_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "smime/headers.h"

/*
 * Which media types a mail consists of: its own, and those of its parts at
 * any depth; what an attached message holds is not the mail's.  Borrows the
 * body.  A mail beyond the limits of entity.h has only its own type.
 */
struct part_types;

struct part_types *part_types_new(const struct headers *, const uint8_t *body,
	    size_t len);
/*
 * type in lower case.  param NULL: with any parameters; value NULL: with
 * that parameter, whatever its value is; else compared without case.
 */
bool	part_types_have(const struct part_types *, const char *type,
	    const char *param, const char *value);
void	part_types_free(struct part_types *);

#endif
