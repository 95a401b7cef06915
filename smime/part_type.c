/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "smime/entity.h"
#include "smime/part_type.h"

struct part_types {
	struct buf	 header;	/* the mail's Content fields */
	struct entity	*top;		/* NULL: no memory for it */
};

struct part_types *
part_types_new(const struct headers *headers, const uint8_t *body, size_t len)
{
	struct part_types	*types = mem_alloc(sizeof(*types));
	struct span		 header, nothing = { (const uint8_t *)"", 0 };
	struct err		 err;

	for (size_t i = 0; i < headers_count(headers); i++) {
		const struct header	*h = headers_at(headers, i);

		if (headers_is_content(h->name))
			headers_write(&types->header, h->name, h->value);
	}
	if (!buf_ok(&types->header, "the header", &err))
		return types;
	header = types->header.len == 0 ? nothing :
	    (struct span){ types->header.data, types->header.len };
	if (!entity_parse(header, (struct span){ body, len }, &types->top,
	    &err) && !entity_parse(header, nothing, &types->top, &err))
		types->top = NULL;
	return types;
}

static bool
is_in_message(const struct entity *part)
{
	for (part = part->parent; part != NULL; part = part->parent)
		if (content_type_under(part->type, "message/"))
			return true;
	return false;
}

static bool
has_param(const struct entity *part, const char *param, const char *value)
{
	char	*field = entity_value(part, "Content-Type", 0);
	char	 found[CONTENT_PARAM_MAX];
	bool	 has = field != NULL &&
		    content_type_param(field, param, found) &&
		    (value == NULL || strcasecmp(found, value) == 0);

	free(field);
	return has;
}

bool
part_types_have(const struct part_types *types, const char *type,
    const char *param, const char *value)
{
	for (const struct entity *part = types->top; part != NULL;
	    part = entity_next(part))
		if (!part->is_doubtful && strcmp(part->type, type) == 0 &&
		    !is_in_message(part) &&
		    (param == NULL || has_param(part, param, value)))
			return true;
	return false;
}

void
part_types_free(struct part_types *types)
{
	if (types == NULL)
		return;
	entity_free(types->top);
	buf_free(&types->header);
	free(types);
}
