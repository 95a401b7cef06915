/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "milter/edits.h"

static void
add(struct edits *edits, enum edit_kind kind, const char *name, size_t index,
    const char *value)
{
	struct header_edit	*edit;

	edits->headers = mem_grow(edits->headers, edits->n_headers + 1,
	    sizeof(*edits->headers));
	edit = &edits->headers[edits->n_headers++];
	edit->kind = kind;
	edit->name = mem_str(name);
	edit->index = (int)index;
	edit->value = mem_str(value);
}

void
edits_remove(struct edits *edits, const struct headers *headers,
    const char *name)
{
	for (size_t i = headers_count_name(headers, name); i > 0; i--)
		add(edits, EDIT_DELETE, name, i, NULL);
}

void
edits_set(struct edits *edits, const struct headers *headers,
    const char *name, const char *value)
{
	size_t	 n = headers_count_name(headers, name);

	for (size_t i = n; i > 1; i--)
		add(edits, EDIT_DELETE, name, i, NULL);
	if (n == 0)
		add(edits, EDIT_ADD, name, 0, value);
	else if (n > 1 || strcmp(headers_find(headers, name, 0), value) != 0)
		add(edits, EDIT_CHANGE, name, 1, value);
}

void
edits_change(struct edits *edits, const char *name, size_t index,
    const char *value)
{
	add(edits, EDIT_CHANGE, name, index, value);
}

/* What becomes of the index-th field of this name; NULL: it stays. */
static const struct header_edit *
edit_of(const struct edits *edits, const char *name, int index)
{
	for (size_t i = 0; i < edits->n_headers; i++)
		if (edits->headers[i].kind != EDIT_ADD &&
		    edits->headers[i].index == index &&
		    strcasecmp(edits->headers[i].name, name) == 0)
			return &edits->headers[i];
	return NULL;
}

/* Its index among the fields of its name, from 1; 0 if no edit names it. */
static int
index_of(const struct edits *edits, const struct headers *headers, size_t i)
{
	const char	*name = headers_at(headers, i)->name;
	bool		 is_named = false;
	int		 index = 1;

	for (size_t k = 0; k < edits->n_headers && !is_named; k++)
		is_named = strcasecmp(edits->headers[k].name, name) == 0;
	if (!is_named)
		return 0;
	for (size_t k = 0; k < i; k++)
		if (strcasecmp(headers_at(headers, k)->name, name) == 0)
			index++;
	return index;
}

bool
edits_result(const struct edits *edits, const struct headers *headers,
    struct headers **out, struct err *err)
{
	struct headers	*result = headers_new();
	bool		 is_ok = true;

	for (size_t i = 0; is_ok && i < headers_count(headers); i++) {
		const struct header		*h = headers_at(headers, i);
		const struct header_edit	*edit = edit_of(edits, h->name,
		    index_of(edits, headers, i));

		if (edit == NULL)
			is_ok = headers_add(result, h->name, h->value, err);
		else if (edit->kind == EDIT_CHANGE)
			is_ok = headers_add(result, h->name, edit->value,
			    err);
	}
	for (size_t i = 0; is_ok && i < edits->n_headers; i++)
		if (edits->headers[i].kind == EDIT_ADD)
			is_ok = headers_add(result, edits->headers[i].name,
			    edits->headers[i].value, err);
	if (is_ok)
		*out = result;
	else
		headers_free(result);
	return is_ok;
}

void
edits_answer(struct edits *edits, enum edits_answer answer, const char *code,
    const char *xcode, const char *text)
{
	edits_drop_changes(edits);
	edits->answer = answer;
	snprintf(edits->code, sizeof(edits->code), "%s", code);
	snprintf(edits->xcode, sizeof(edits->xcode), "%s", xcode);
	free(edits->text);
	edits->text = mem_str(text);
}

void
edits_drop_changes(struct edits *edits)
{
	for (size_t i = 0; i < edits->n_headers; i++) {
		free(edits->headers[i].name);
		free(edits->headers[i].value);
	}
	free(edits->headers);
	edits->headers = NULL;
	edits->n_headers = 0;
	pieces_free(edits->body);
	edits->body = NULL;
}

bool
edits_has_changes(const struct edits *edits)
{
	return edits->n_headers > 0 || edits->body != NULL;
}

void
edits_clear(struct edits *edits)
{
	edits_drop_changes(edits);
	free(edits->text);
	memset(edits, 0, sizeof(*edits));
}
