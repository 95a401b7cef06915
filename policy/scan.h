/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICY_SCAN_H
#define POLICY_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "policy/config.h"

/*
 * What is done to a configuration file before libconfuse sees it, because
 * libconfuse is lenient where an administrator's slip must not pass: it takes
 * the last of repeated options, merges repeated sections, expands "${...}",
 * accepts a section or comment without end, and counts the line of each
 * comment twice.
 */
struct scan {
	char	*text;		/* the file with its comments blanked */
	int	*section_lines;	/* where each section begins, in file order */
	size_t	 n_sections;
};

/* ERR_CONFIG: "file:line: found X, wanted Y". */
bool	scan_file(const struct config_source *, struct scan *out,
	    struct err *);
void	scan_free(struct scan *);	/* its contents */

#define SCAN_WORD_MAX	1024	/* bytes of a word in a list, with its NUL */

/*
 * Lists in files of their own (members, identities): lines of words with
 * blanks between them, "#" and what follows is a comment.  scan_list() checks
 * a whole file: UTF-8, no control characters, no word of SCAN_WORD_MAX.
 */
bool	scan_list(const struct config_source *, struct err *);
/* The next word of this line; false at its end, where *p then stands. */
bool	scan_word(const char **p, const char *end, char word[SCAN_WORD_MAX]);

#endif
