/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "policy/config_scan.h"

#define NAMES_MAX	64	/* names in one section; more than there are */

struct token {
	const char	*at;
	size_t		 len;
	int		 line;
};

/* The names given so far, at top level or in one section. */
struct names {
	struct token	 seen[NAMES_MAX];
	size_t		 n;
};

struct state {
	const struct config_source	*source;
	struct config_scan		*out;
	struct err			*err;
	char				*p;		/* into out->text */
	int				 line;
	int				 depth;
	bool				 wants_value;	/* "=" was read */
	bool				 in_list;
	struct token			 words[2];	/* of what begins */
	size_t				 n_words;	/* may be over 2 */
	struct names			 top;
	struct names			 section;
};

static bool
refuse(struct state *s, const char *found, const char *wanted)
{
	return err_set(s->err, ERR_CONFIG, "%s:%d: found %s, wanted %s",
	    s->source->path, s->line, found, wanted);
}

/* Remember a name; refuse one that this section or level has already. */
static bool
take_name(struct state *s, struct names *names, const struct token *name)
{
	char	*shown;

	for (size_t i = 0; i < names->n; i++) {
		const struct token	*old = &names->seen[i];

		if (old->len != name->len ||
		    memcmp(old->at, name->at, name->len) != 0)
			continue;
		shown = text_safe(name->at, name->len, 60);
		err_set(s->err, ERR_CONFIG,
		    "%s:%d: found %s a second time, wanted it once; "
		    "the first is in line %d", s->source->path, name->line,
		    shown, old->line);
		free(shown);
		return false;
	}
	if (names->n == NAMES_MAX)
		return refuse(s, "too many options in one place",
		    "options that exist");
	names->seen[names->n++] = *name;
	return true;
}

/* A word is a value, or belongs to the name of an option or a section. */
static void
add_word(struct state *s, const char *at, size_t len)
{
	if (s->wants_value) {
		s->wants_value = false;
		return;
	}
	if (s->in_list)
		return;
	if (s->n_words < 2)
		s->words[s->n_words] = (struct token){ at, len, s->line };
	s->n_words++;
}

static bool
open_brace(struct state *s)
{
	struct config_scan	*out = s->out;

	if (s->wants_value) {
		s->wants_value = false;
		s->in_list = true;
		return true;
	}
	if (s->in_list)
		return refuse(s, "a second \"{\" inside a list",
		    "\"}\" at its end");
	if (s->depth == 1)
		return refuse(s, "a section inside a section",
		    "\"}\" at the end of the outer one");
	/* One word, no title: a section that there is only one of. */
	if (s->n_words == 1 && !take_name(s, &s->top, &s->words[0]))
		return false;
	out->section_lines = mem_grow(out->section_lines,
	    out->n_sections + 1, sizeof(*out->section_lines));
	out->section_lines[out->n_sections++] =
	    s->n_words > 0 ? s->words[0].line : s->line;
	s->depth = 1;
	s->section.n = 0;
	s->n_words = 0;
	return true;
}

static bool
close_brace(struct state *s)
{
	s->n_words = 0;
	s->wants_value = false;
	if (s->in_list)
		s->in_list = false;
	else if (--s->depth < 0)
		return refuse(s, "\"}\"", "an option or a section");
	return true;
}

static bool
take_equals(struct state *s)
{
	struct names	*names = s->depth == 0 ? &s->top : &s->section;

	s->p++;
	if (s->n_words == 0)
		return refuse(s, "\"=\"", "the name of an option before it");
	if (!take_name(s, names, &s->words[0]))
		return false;
	s->n_words = 0;
	s->wants_value = true;
	return true;
}

static bool
take_quoted(struct state *s)
{
	char	*begin = s->p, quote = *s->p;

	for (s->p++; *s->p != quote; s->p++) {
		if (*s->p == '\\' && s->p[1] != '\0' && s->p[1] != '\n')
			s->p++;
		else if (*s->p == '\0' || *s->p == '\n')
			return refuse(s, "the end of the line inside quotes",
			    "the closing quote");
		else if (s->p[0] == '$' && s->p[1] == '{')
			return refuse(s, "\"${\"", "no variable: none is "
			    "expanded");
	}
	s->p++;
	add_word(s, begin + 1, (size_t)(s->p - begin) - 2);
	return true;
}

static bool
take_word(struct state *s)
{
	char	*begin = s->p;

	while (*s->p != '\0' && strchr(" \t\r\n#\"'{}()=,+", *s->p) == NULL) {
		if (s->p[0] == '/' && (s->p[1] == '/' || s->p[1] == '*'))
			return refuse(s, s->p[1] == '/' ? "\"//\"" : "\"/*\"",
			    "\"#\" before a comment, or quotes around a text");
		if (s->p[0] == '$' && s->p[1] == '{')
			return refuse(s, "\"${\"", "no variable: none is "
			    "expanded");
		if (*s->p == '|')	/* libconfuse: a path to an option */
			return refuse(s, "\"|\"", "quotes around it");
		s->p++;
	}
	add_word(s, begin, (size_t)(s->p - begin));
	return true;
}

static bool
step(struct state *s)
{
	switch (*s->p) {
	case '\n':
		s->line++;
		/* FALLTHROUGH */
	case ' ':
	case '\t':
	case '\r':
		s->p++;
		return true;
	case '#':
		while (*s->p != '\0' && *s->p != '\n')
			*s->p++ = ' ';
		return true;
	case '{':
		s->p++;
		return open_brace(s);
	case '}':
		s->p++;
		return close_brace(s);
	case ',':
		s->p++;
		return true;
	case '=':
		return take_equals(s);
	case '+':
	case '(':
	case ')':
		return refuse(s, "\"+\", \"(\" or \")\"", "quotes around it");
	case '"':
	case '\'':
		return take_quoted(s);
	default:
		return take_word(s);
	}
}

static bool
check_bytes(struct state *s)
{
	const char	*p = s->source->bytes;
	int		 line = 1;

	for (size_t i = 0; i < s->source->len; i++) {
		s->line = line;
		if (p[i] == '\n')
			line++;
		else if (p[i] == 0x7f || ((unsigned char)p[i] < 0x20 &&
		    p[i] != '\t' && p[i] != '\r'))
			return refuse(s, "a control character", "text");
	}
	s->line = 1;
	if (!text_is_utf8(p, s->source->len))
		return refuse(s, "bytes that are no UTF-8", "UTF-8");
	return true;
}

bool
config_scan_file(const struct config_source *source, struct config_scan *out,
    struct err *err)
{
	struct state	*s = mem_alloc(sizeof(*s));
	bool		 is_ok = false;

	*out = (struct config_scan){ 0 };
	*s = (struct state){ .source = source, .out = out, .err = err,
	    .line = 1 };
	if (!check_bytes(s))
		goto out;
	out->text = mem_strn(source->bytes, source->len);
	s->p = out->text;
	while (*s->p != '\0')
		if (!step(s))
			goto out;
	if (s->in_list || s->depth > 0) {
		refuse(s, "the end of the file", "\"}\"");
		goto out;
	}
	is_ok = true;
out:
	if (!is_ok)
		config_scan_free(out);
	free(s);
	return is_ok;
}

void
config_scan_free(struct config_scan *scan)
{
	free(scan->text);
	free(scan->section_lines);
	*scan = (struct config_scan){ 0 };
}

/* --- lists ------------------------------------------------------------ */

bool
config_scan_word(const char **p, const char *end,
    char word[CONFIG_WORD_MAX])
{
	size_t	 n = 0;

	while (*p < end && memchr(" \t\r", **p, 3) != NULL)
		(*p)++;
	if (*p < end && **p == '#')
		while (*p < end && **p != '\n')
			(*p)++;
	while (*p < end && memchr(" \t\r\n", **p, 4) == NULL &&
	    n < CONFIG_WORD_MAX - 1)
		word[n++] = *(*p)++;
	word[n] = '\0';
	return n > 0;
}

bool
config_scan_list(const struct config_source *source, struct err *err)
{
	struct state	 s = { .source = source, .err = err, .line = 1 };
	size_t		 word = 0;

	if (!check_bytes(&s))
		return false;
	for (size_t i = 0; i < source->len; i++) {
		char	 c = source->bytes[i];

		word = memchr(" \t\r\n", c, 4) != NULL ? 0 : word + 1;
		if (word == CONFIG_WORD_MAX)
			return refuse(&s, "a word of over 1000 bytes",
			    "shorter ones");
		if (c == '\n')
			s.line++;
	}
	return true;
}
