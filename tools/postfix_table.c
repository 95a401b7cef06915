/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/stat.h>

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "tools/files.h"
#include "tools/postfix_table.h"

#define BLANK	" \t\r\n"

char *
postfix_table_next(const char **p)
{
	size_t	 len = 0, depth = 0;

	*p += strspn(*p, BLANK ",");
	for (; (*p)[len] != '\0'; len++)
		if ((*p)[len] == '{')
			depth++;
		else if ((*p)[len] == '}' && depth > 0)
			depth--;
		else if (depth == 0 && strchr(BLANK ",", (*p)[len]) != NULL)
			break;
	if (len == 0)
		return NULL;
	*p += len;
	return mem_strn(*p - len, len);
}

/* Is one of the words here, in either case? */
static bool
is_one_of(const char *text, size_t len, const char *const *words)
{
	for (; *words != NULL; words++) {
		const size_t	 n = strlen(*words);

		if (len >= n && strncasecmp(text, *words, n) == 0 &&
		    (len == n || strchr(BLANK "}", text[n]) != NULL))
			return true;
	}
	return false;
}

/* Where the delimiter of a pattern stands again; 0 if there is no pattern. */
static size_t
pattern_end(const char *line, size_t len)
{
	const size_t	 start = len > 0 && line[0] == '!';

	if (start == len || !ispunct((unsigned char)line[start]))
		return 0;
	for (size_t i = start + 1; i < len; i++)
		if (line[i] == '\\')
			i++;
		else if (line[i] == line[start])
			return i;
	return 0;
}

/* "/pattern/flags ACTION", "key ACTION", and a line that continues one. */
static bool
line_has_action(const char *line, size_t len, const char *const *actions)
{
	size_t	 i = pattern_end(line, len);

	while (i < len && strchr(BLANK, line[i]) == NULL)
		i++;
	while (i < len && strchr(BLANK, line[i]) != NULL)
		i++;
	return i < len && is_one_of(line + i, len - i, actions);
}

static bool
text_has_action(const char *text, size_t len, const char *const *actions)
{
	for (size_t n; len > 0; text += n, len -= n) {
		const char	*end = memchr(text, '\n', len);

		n = end == NULL ? len : (size_t)(end - text) + 1;
		if (text[0] != '#' && line_has_action(text, n, actions))
			return true;
	}
	return false;
}

/* "{ { /pattern/ ACTION } }": any word of it may be the action. */
static bool
braces_have_action(const char *text, const char *const *actions)
{
	for (size_t i = 0, len = strlen(text); i + 1 < len; i++)
		if (strchr(BLANK "=", text[i]) != NULL &&
		    is_one_of(text + i + 1, len - i - 1, actions))
			return true;
	return false;
}

char *
postfix_table_file(const char *path)
{
	struct files	 files = { 0 };
	struct stat	 st;
	struct buf	 text = { 0 };
	bool		 is_read = false;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
		files_read(&files, path);
	for (size_t i = 0; i < files.n; i++) {
		const struct file	*file = &files.list[i];

		is_read = file->err.kind == ERR_NONE;
		if (is_read)
			buf_add(&text, file->bytes.data, file->bytes.len);
	}
	files_free(&files);
	return is_read ? buf_take_str(&text) : NULL;
}

char *
postfix_table_text(const char *table)
{
	static const char *const	 types[] = { "regexp", "pcre", "cidr",
	    "texthash", "hash", "btree", "lmdb", "cdb", "dbm", "sdbm" };
	const char			*text;

	if (strncmp(table, "proxy:", 6) == 0)
		table += 6;
	text = strchr(table, ':');
	if (text++ == NULL)
		return NULL;	/* "proxy:" and no table */
	if (*text == '{')
		return mem_str(text);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strncmp(table, types[i], strlen(types[i])) == 0 &&
		    table[strlen(types[i])] == ':' && *text == '/')
			return postfix_table_file(text);
	return NULL;
}

static bool
table_has_action(const char *table, const char *const *actions, bool *is_read)
{
	char	*text = postfix_table_text(table);
	bool	 is_found = false;

	*is_read = text != NULL;
	if (text != NULL)
		is_found = text[0] == '{' ? braces_have_action(text, actions) :
		    text_has_action(text, strlen(text), actions);
	free(text);
	return is_found;
}

char *
postfix_table_with(const char *setting, const char *const *actions,
    char **unreadable)
{
	const char	*p = setting;
	char		*table;
	bool		 is_read;

	if (unreadable != NULL)
		*unreadable = NULL;
	for (; (table = postfix_table_next(&p)) != NULL; free(table)) {
		if (table[0] == '{' || strchr(table, ':') == NULL)
			continue;	/* a restriction, not a table */
		if (table_has_action(table, actions, &is_read))
			return table;
		if (!is_read && unreadable != NULL && *unreadable == NULL)
			*unreadable = mem_str(table);
	}
	return NULL;
}
