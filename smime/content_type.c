/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "smime/content_type.h"

#define NAME_MAX_LEN	64

struct param {
	char	 name[NAME_MAX_LEN];
	char	 value[CONTENT_PARAM_MAX];
	bool	 is_bad;	/* too long, or not as RFC 2045 has it */
};

static bool
is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* RFC 2045, section 5.1. */
static bool
is_token(char c)
{
	return c > ' ' && c < 127 && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

/* White space and comments, which nest (RFC 5322, section 3.2.2). */
static const char *
skip_cfws(const char *p)
{
	unsigned	 depth = 0;

	for (; *p != '\0'; p++) {
		if (*p == '(')
			depth++;
		else if (depth > 0 && *p == ')')
			depth--;
		else if (depth > 0 && *p == '\\' && p[1] != '\0')
			p++;
		else if (depth == 0 && !is_white(*p))
			break;
	}
	return p;
}

/* A token in lower case; NULL if there is none or no room. */
static const char *
read_token(const char *p, char *out, size_t out_len)
{
	size_t	 n = 0;

	while (is_token(*p)) {
		if (n + 1 >= out_len)
			return NULL;
		out[n++] = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
		p++;
	}
	out[n] = '\0';
	return n == 0 ? NULL : p;
}

bool
content_type_parse(const char *value, char out[CONTENT_TYPE_MAX])
{
	char		 type[CONTENT_TYPE_MAX / 2];
	char		 subtype[CONTENT_TYPE_MAX / 2];
	const char	*p;

	out[0] = '\0';
	if ((p = read_token(skip_cfws(value), type, sizeof(type))) == NULL)
		return false;
	p = skip_cfws(p);
	if (*p++ != '/')
		return false;
	if ((p = read_token(skip_cfws(p), subtype, sizeof(subtype))) == NULL)
		return false;
	p = skip_cfws(p);
	if (*p != '\0' && *p != ';')
		return false;
	snprintf(out, CONTENT_TYPE_MAX, "%s/%s", type, subtype);
	return true;
}

static const char *
read_quoted(const char *p, struct param *param)
{
	size_t	 n = 0;

	for (p++; *p != '\0' && *p != '"'; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '\r' || *p == '\n')
			continue;	/* a fold: its white space stays */
		if (n + 1 < sizeof(param->value))
			param->value[n++] = *p;
		else
			param->is_bad = true;
	}
	param->value[n] = '\0';
	if (*p != '"') {
		param->is_bad = true;
		return p;
	}
	return p + 1;
}

/*
 * Without quotes: up to white space or ";".  More than a token is let pass,
 * since mailers write boundary=----=_Part and name=a/b without quotes.
 */
static const char *
read_bare(const char *p, struct param *param)
{
	size_t	 n = 0;

	for (; *p != '\0' && *p != ';' && !is_white(*p); p++) {
		if (n + 1 < sizeof(param->value))
			param->value[n++] = *p;
		else
			param->is_bad = true;
	}
	param->value[n] = '\0';
	return p;
}

/* From after a ";" to the next one or the end. */
static const char *
read_param(const char *p, struct param *param)
{
	const char	*after_name;

	memset(param, 0, sizeof(*param));
	p = skip_cfws(p);
	if (*p == ';' || *p == '\0')
		return p;
	after_name = read_token(p, param->name, sizeof(param->name));
	if (after_name == NULL || *(p = skip_cfws(after_name)) != '=')
		param->is_bad = true;
	else {
		p = skip_cfws(p + 1);
		p = *p == '"' ? read_quoted(p, param) : read_bare(p, param);
		p = skip_cfws(p);
		if (*p != ';' && *p != '\0')
			param->is_bad = true;
	}
	while (*p != ';' && *p != '\0') {
		if (*p == '"') {
			struct param	 junk = { .is_bad = true };

			p = read_quoted(p, &junk);
		} else
			p++;
	}
	return p;
}

static const char *
first_param(const char *value)
{
	const char	*p = value;

	while (*p != '\0' && *p != ';') {
		if (*p == '(')
			p = skip_cfws(p);
		else
			p++;
	}
	return p;
}

/* The one parameter of exactly this name; false if none, several or bad. */
static bool
find(const char *value, const char *name, char out[CONTENT_PARAM_MAX])
{
	struct param	 param;
	const char	*p = first_param(value);
	int		 n = 0;

	while (*p == ';') {
		p = read_param(p + 1, &param);
		if (strcasecmp(param.name, name) != 0)
			continue;
		if (param.is_bad || ++n > 1)
			return false;
		snprintf(out, CONTENT_PARAM_MAX, "%s", param.value);
	}
	return n == 1;
}

/* RFC 2231, section 3: name*0, name*1, ..., each perhaps with a "*" more. */
static bool
find_continued(const char *value, const char *name,
    char out[CONTENT_PARAM_MAX])
{
	char	 part_name[NAME_MAX_LEN + 16], part[CONTENT_PARAM_MAX];
	size_t	 len = 0;

	for (int i = 0; i < 32; i++) {
		snprintf(part_name, sizeof(part_name), "%s*%d", name, i);
		if (!find(value, part_name, part)) {
			strcat(part_name, "*");
			if (!find(value, part_name, part))
				break;
		}
		if (len + strlen(part) + 1 > CONTENT_PARAM_MAX)
			return false;
		strcpy(out + len, part);
		len += strlen(part);
	}
	return len > 0;
}

bool
content_type_param(const char *value, const char *name,
    char out[CONTENT_PARAM_MAX])
{
	char	 encoded[NAME_MAX_LEN];

	out[0] = '\0';
	if (find(value, name, out))
		return true;
	snprintf(encoded, sizeof(encoded), "%s*", name);
	if (find(value, encoded, out) || find_continued(value, name, out))
		return true;
	out[0] = '\0';
	return false;
}

bool
content_type_under(const char *type, const char *prefix)
{
	return strncmp(type, prefix, strlen(prefix)) == 0;
}
