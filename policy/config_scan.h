/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICY_CONFIG_SCAN_H
#define POLICY_CONFIG_SCAN_H

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
struct config_scan {
	char	*text;		/* the file with its comments blanked */
	int	*section_lines;	/* where each section begins, in file order */
	size_t	 n_sections;
};

/* ERR_CONFIG: "file:line: found X, wanted Y". */
bool	config_scan_file(const struct config_source *, struct config_scan *out,
	    struct err *);
void	config_scan_free(struct config_scan *);	/* its contents */

#define CONFIG_WORD_MAX	1024	/* bytes of a word in a list, with its NUL */

/*
 * Lists in files of their own (members, identities): lines of words with
 * blanks between them, "#" and what follows is a comment.
 * config_scan_list() checks a whole file: UTF-8, no control characters, no
 * word of CONFIG_WORD_MAX.
 */
bool	config_scan_list(const struct config_source *, struct err *);
/* The next word of this line; false at its end, where *p then stands. */
bool	config_scan_word(const char **p, const char *end,
	    char word[CONFIG_WORD_MAX]);

#endif
