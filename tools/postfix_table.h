/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_POSTFIX_TABLE_H
#define TOOLS_POSTFIX_TABLE_H

/*
 * What Postfix's lookup tables answer with, by their text: that of regexp:,
 * pcre:, cidr:, texthash: and inline: is Postfix's own, that of hash: and its
 * like is what they were made from.
 *
 * setting  as Postfix has it: "header_checks", or a list of restrictions
 * actions  words such as "REPLACE"; NULL behind the last
 *
 * Returns the first table whose text has one of the words, the caller's; NULL:
 * there is none.  unreadable, unless NULL, gets the first whose text is
 * elsewhere (mysql:) or cannot be read, likewise.
 */
char	*postfix_table_with(const char *setting, const char *const *actions,
	    char **unreadable);

/* The next of such a setting, the caller's; NULL: there is no other. */
char	*postfix_table_next(const char **setting);
/*
 * All the text of a table, the caller's, as it stands in its file or, with the
 * braces, in the setting; NULL: it is elsewhere, or cannot be read.
 */
char	*postfix_table_text(const char *table);
/* That of a file, unless it is none, or cannot be read. */
char	*postfix_table_file(const char *path);

#endif
