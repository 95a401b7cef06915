/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_EDITS_H
#define MILTER_EDITS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/pieces.h"
#include "smime/headers.h"

/*
 * What the MTA will be asked to do with one mail: an answer, and for an
 * accepted mail header changes and a new body.  A zeroed one says "try again
 * later"; anything better has to be earned.
 */
enum edits_answer {
	EDITS_TEMPFAIL,
	EDITS_REJECT,
	EDITS_ACCEPT
};

enum edit_kind {
	EDIT_CHANGE,	/* the index-th field of that name gets this value */
	EDIT_DELETE,	/* the index-th field of that name goes */
	EDIT_ADD	/* a new field at the end */
};

struct header_edit {
	enum edit_kind	 kind;
	char		*name;
	int		 index;		/* from 1, as libmilter counts */
	char		*value;		/* leading space included; NULL to delete */
};

struct edits {
	enum edits_answer	 answer;
	char			 code[4];	/* "550"; for TEMPFAIL and REJECT */
	char			 xcode[10];	/* "5.7.1" */
	char			*text;		/* one plain sentence */
	struct header_edit	*headers;	/* in the order to apply */
	size_t			 n_headers;
	struct pieces		*body;		/* NULL: as it is */
};

/*
 * Take every field of that name out of the mail; nothing if it has none.
 * Highest index first: Postfix renumbers after each deletion, Sendmail
 * does not (TRAPS: CVE-2022-48521 was this).
 */
void	edits_remove(struct edits *, const struct headers *, const char *name);

/*
 * Let the mail have exactly one field of that name: the first is changed in
 * place, further ones deleted, a missing one added.
 */
void	edits_set(struct edits *, const struct headers *, const char *name,
	    const char *value);

/* The index-th (from 1) field of that name gets another value. */
void	edits_change(struct edits *, const char *name, size_t index,
	    const char *value);

/* The header as it will be; the caller's.  ERR_MESSAGE as headers_add(). */
bool	edits_result(const struct edits *, const struct headers *,
	    struct headers **out, struct err *);

/* The answer in place of mail: takes all changes back. */
void	edits_answer(struct edits *, enum edits_answer, const char *code,
	    const char *xcode, const char *text);

/* Forget header changes and body, keep the answer. */
void	edits_drop_changes(struct edits *);
bool	edits_has_changes(const struct edits *);
void	edits_clear(struct edits *);

#endif
