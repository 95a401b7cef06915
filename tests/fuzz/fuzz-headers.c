/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Input: a name, LF, a value.  Whatever is accepted is written as one field,
 * and read again as that one; parameters and addresses are read without harm.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "smime/address.h"
#include "smime/content_type.h"
#include "smime/entity.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_one_field(const struct headers *headers)
{
	const struct header	*field = headers_at(headers, 0);
	struct buf		 out = { 0 };

	headers_write(&out, field->name, field->value);
	for (size_t i = 0; i + 1 < out.len; i++) {
		if (out.data[i] == '\n' && out.data[i + 1] != ' ' &&
		    out.data[i + 1] != '\t')
			abort();
	}
	if (out.len < 2 || memcmp(out.data + out.len - 2, "\r\n", 2) != 0)
		abort();
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char		*text = mem_strn((const char *)data, len);
	char		*value = strchr(text, '\n');
	char		 type[CONTENT_TYPE_MAX], param[CONTENT_PARAM_MAX];
	char		 addr[ADDR_MAX];
	struct headers	*headers = headers_new();
	struct err	 err;

	if (value != NULL) {
		*value++ = '\0';
		if (headers_add(headers, text, value, &err))
			check_one_field(headers);
		if (!content_type_parse(value, type) && type[0] != '\0')
			abort();
		if (!content_type_param(value, "boundary", param) &&
		    param[0] != '\0')
			abort();
		address_from(headers, addr, &err);
		address_list_free(address_visible(headers));
	}
	headers_free(headers);
	free(text);
	return 0;
}
