/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/socket.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/mem.h"
#include "base/text.h"
#include "policy/config.h"
#include "policy/config_socket.h"
#include "policy/config_value.h"

#define SIZE_LARGEST	(INT_MAX - 1)	/* libmilter counts in int */
#define DISK_LARGEST	(1ull << 40)	/* 1024G */
#define COUNT_LARGEST	100000
#define RATE_LARGEST	10000000
#define SECONDS_LARGEST	240		/* MTAs wait for 300 */
#define AGE_LARGEST	(100 * 86400)	/* what Postfix allows its queue */

/* Words in the order of their enums, NULL at the end. */
static const char *const want_words[] = {
	"never", "prefer", "require", NULL };
static const char *const otherwise_words[] = {
	"plain", "reject", "tempfail", NULL };
static const char *const on_error_words[] = {
	"tempfail", "reject", "accept", NULL };
static const char *const role_words[] = {
	"direct", "stamp", "seal", NULL };
static const char *const format_words[] = {
	"detached", "opaque", NULL };
static const char *const signature_algorithm_words[] = {
	"rsa", "rsa-pss", NULL };
static const char *const key_management_words[] = {
	"rsa", "rsa-oaep", NULL };

const char *
config_want_name(enum want want)
{
	return want_words[want];
}

const char *
config_otherwise_name(enum otherwise otherwise)
{
	return otherwise_words[otherwise];
}

const char *
config_on_error_name(enum on_error on_error)
{
	return on_error_words[on_error];
}

const char *
config_role_name(enum role role)
{
	return role_words[role];
}

bool
config_value_refuse(const char *value, const char *wanted, struct err *err)
{
	char	*shown = text_safe(value, strlen(value), 80);

	err_set(err, ERR_CONFIG, "found \"%s\", wanted %s", shown, wanted);
	free(shown);
	return false;
}

static int
find_word(const char *const *words, const char *value)
{
	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], value) == 0)
			return i;
	return -1;
}

bool
config_value_bool(void *field, const char *value, struct err *err)
{
	static const char *const	 words[] = {
		"false", "true", "no", "yes", "off", "on", NULL };
	int				 i = find_word(words, value);

	if (i < 0)
		return config_value_refuse(value, "true or false", err);
	*(bool *)field = i % 2 == 1;
	return true;
}

bool
config_value_want(void *field, const char *value, struct err *err)
{
	int	 i = find_word(want_words, value);

	if (i < 0)
		return config_value_refuse(value,
		    "never, prefer or require", err);
	*(enum want *)field = (enum want)i;
	return true;
}

bool
config_value_otherwise(void *field, const char *value, struct err *err)
{
	int	 i = find_word(otherwise_words, value);

	if (i < 0)
		return config_value_refuse(value,
		    "plain, reject or tempfail", err);
	*(enum otherwise *)field = (enum otherwise)i;
	return true;
}

bool
config_value_on_error(void *field, const char *value, struct err *err)
{
	int	 i = find_word(on_error_words, value);

	if (i < 0)
		return config_value_refuse(value,
		    "tempfail, reject or accept", err);
	*(enum on_error *)field = (enum on_error)i;
	return true;
}

bool
config_value_role(void *field, const char *value, struct err *err)
{
	int	 i = find_word(role_words, value);

	if (i < 0)
		return config_value_refuse(value, "direct, stamp or seal",
		    err);
	*(enum role *)field = (enum role)i;
	return true;
}

bool
config_value_format(void *field, const char *value, struct err *err)
{
	int	 i = find_word(format_words, value);

	if (i < 0)
		return config_value_refuse(value, "detached or opaque", err);
	*(enum signed_format *)field = (enum signed_format)i;
	return true;
}

bool
config_value_signature_algorithm(void *field, const char *value,
    struct err *err)
{
	int	 i = find_word(signature_algorithm_words, value);

	if (i < 0)
		return config_value_refuse(value, "rsa or rsa-pss", err);
	*(enum signature_algorithm *)field = (enum signature_algorithm)i;
	return true;
}

bool
config_value_key_management(void *field, const char *value, struct err *err)
{
	int	 i = find_word(key_management_words, value);

	if (i < 0)
		return config_value_refuse(value, "rsa or rsa-oaep", err);
	*(enum key_management *)field = (enum key_management)i;
	return true;
}

bool
config_value_cipher(void *field, const char *value, struct err *err)
{
	if (alg_cipher_parse(value, field))
		return true;
	return config_value_refuse(value, "aes-128-cbc, aes-256-cbc, "
	    "aes-128-gcm, aes-256-gcm or auto", err);
}

bool
config_value_digest(void *field, const char *value, struct err *err)
{
	if (alg_digest_parse(value, field))
		return true;
	return config_value_refuse(value, "sha-256, sha-384 or sha-512", err);
}

/* Replaces a string; fields begin as NULL. */
bool
config_value_string(void *field, const char *value, struct err *err)
{
	(void)err;
	free(*(char **)field);
	*(char **)field = mem_str(value);
	return true;
}

bool
config_value_name(void *field, const char *value, struct err *err)
{
	if (value[0] == '\0')
		return config_value_refuse(value, "a name", err);
	return config_value_string(field, value, err);
}

bool
config_value_path(void *field, const char *value, struct err *err)
{
	if (value[0] != '/')
		return config_value_refuse(value, "a path that begins with /",
		    err);
	return config_value_string(field, value, err);
}

/* It tells how much mail there is, and to nobody beyond this machine. */
bool
config_value_metrics(void *field, const char *value, struct err *err)
{
	struct config_socket	 where;
	const char		*wanted;

	if (value[0] == '\0')
		return config_value_string(field, value, err);
	if ((wanted = config_socket_parse(value, &where)) != NULL)
		return config_value_refuse(value, wanted, err);
	if (where.family != AF_UNIX && !where.is_loopback)
		return config_value_refuse(value,
		    "a unix socket or a loopback address", err);
	return config_value_string(field, value, err);
}

/* What people really use, and nothing that quoting makes ambiguous. */
bool
config_value_delimiter(void *field, const char *value, struct err *err)
{
	if (value[strspn(value, "+-=#_")] != '\0')
		return config_value_refuse(value,
		    "nothing, or some of the characters + - = # _", err);
	return config_value_string(field, value, err);
}

/* --- lists ------------------------------------------------------------ */

static const char	 token_chars[] = "abcdefghijklmnopqrstuvwxyz"
	"0123456789!#$&-^_.+";		/* RFC 6838, section 4.2 */

/* The token at *p in lower case, *p then behind it; NULL if there is none. */
static char *
take_token(const char **p)
{
	char	*token, *end;

	*p += strspn(*p, " \t");
	token = mem_str(*p);
	for (char *c = token; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	end = token + strspn(token, token_chars);
	*p += end - token;
	*end = '\0';
	if (end != token)
		return token;
	free(token);
	return NULL;
}

static void
type_free(struct config_type *type)
{
	free(type->text);
	free(type->type);
	free(type->param);
	free(type->value);
}

/* type "/" subtype [";" parameter ["=" value]] */
static bool
parse_type(const char *p, struct config_type *type)
{
	char	*major = take_token(&p), *minor = NULL;

	if (major != NULL && *p == '/') {
		p++;
		minor = take_token(&p);
	}
	if (minor != NULL)
		type->type = mem_strf("%s/%s", major, minor);
	free(major);
	free(minor);
	p += strspn(p, " \t");
	if (type->type == NULL || *p == '\0')
		return type->type != NULL;
	if (*p++ != ';' || (type->param = take_token(&p)) == NULL)
		return false;
	if (*p == '=') {
		p++;
		if ((type->value = take_token(&p)) == NULL)
			return false;
	}
	return *p == '\0';
}

bool
config_value_type(void *field, const char *value, struct err *err)
{
	struct config_types	*types = field;
	struct config_type	 type = { 0 };

	if (!parse_type(value, &type)) {
		type_free(&type);
		return config_value_refuse(value, "a media type, such as "
		    "text/calendar or \"text/calendar; method\"", err);
	}
	type.text = mem_str(value);
	types->list = mem_grow(types->list, types->n + 1, sizeof(type));
	types->list[types->n++] = type;
	return true;
}

void
config_value_types_free(struct config_types *types)
{
	for (size_t i = 0; i < types->n; i++)
		type_free(&types->list[i]);
	free(types->list);
}

bool
config_value_address(void *field, const char *value, struct err *err)
{
	struct config_addresses	*addresses = field;
	char			 addr[ADDR_MAX] = "self";

	if (strcmp(value, "self") != 0 &&
	    !addr_normalise(value, strlen(value), addr, err))
		return false;
	addresses->list = mem_grow(addresses->list, addresses->n + 1,
	    sizeof(*addresses->list));
	addresses->list[addresses->n++] = mem_str(addr);
	return true;
}

void
config_value_addresses_free(struct config_addresses *addresses)
{
	for (size_t i = 0; i < addresses->n; i++)
		free(addresses->list[i]);
	free(addresses->list);
}

/* --- numbers ---------------------------------------------------------- */

/* A number from 1 to largest; end is what follows its digits. */
static bool
parse_number(const char *value, unsigned long largest, unsigned long *out,
    const char **end)
{
	unsigned long	 n = 0;

	*end = value;
	for (; **end >= '0' && **end <= '9'; (*end)++) {
		n = n * 10 + (unsigned long)(**end - '0');
		if (n > largest)
			return false;
	}
	*out = n;
	return *end != value && n > 0;
}

/* "50M": a number, perhaps with a unit. */
static bool
parse_bytes(const char *value, uint64_t largest, uint64_t *bytes)
{
	const char	*end;
	unsigned long	 n;
	uint64_t	 unit = 1;

	if (!parse_number(value, SIZE_LARGEST, &n, &end))
		return false;
	if (*end != '\0') {
		unit = *end == 'K' ? 1024ul : *end == 'M' ? 1024ul * 1024 :
		    *end == 'G' ? 1024ul * 1024 * 1024 : 0;
		if (unit == 0 || end[1] != '\0')
			return false;
	}
	*bytes = n * unit;
	return n <= largest / unit;
}

bool
config_value_size(void *field, const char *value, struct err *err)
{
	uint64_t	 bytes;

	if (!parse_bytes(value, SIZE_LARGEST, &bytes))
		return config_value_refuse(value,
		    "a number of bytes below 2G, such as 50M or 512K", err);
	*(size_t *)field = (size_t)bytes;
	return true;
}

bool
config_value_disk(void *field, const char *value, struct err *err)
{
	if (!parse_bytes(value, DISK_LARGEST, field))
		return config_value_refuse(value,
		    "a number of bytes, at most 1024G, such as 500M or 4G",
		    err);
	return true;
}

bool
config_value_count(void *field, const char *value, struct err *err)
{
	const char	*end;
	unsigned long	 n;

	if (!parse_number(value, COUNT_LARGEST, &n, &end) || *end != '\0')
		return config_value_refuse(value,
		    "a number from 1 to 100000", err);
	*(size_t *)field = n;
	return true;
}

bool
config_value_rate(void *field, const char *value, struct err *err)
{
	const char	*end;
	unsigned long	 n;

	if (!parse_number(value, RATE_LARGEST, &n, &end) || *end != '\0')
		return config_value_refuse(value,
		    "a number from 1 to 10000000", err);
	*(size_t *)field = n;
	return true;
}

bool
config_value_seconds(void *field, const char *value, struct err *err)
{
	const char	*end;
	unsigned long	 n;

	if (!parse_number(value, SECONDS_LARGEST, &n, &end) || *end != '\0')
		return config_value_refuse(value,
		    "a number of seconds from 1 to 240", err);
	*(int *)field = (int)n;
	return true;
}

/* With the units that Postfix has for its times. */
bool
config_value_age(void *field, const char *value, struct err *err)
{
	static const struct {
		char		 letter;
		unsigned	 seconds;
	}		 units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 },
		    { 'd', 86400 }, { 'w', 7 * 86400 } };
	const char	*end;
	unsigned long	 n;

	for (size_t i = 0; parse_number(value, AGE_LARGEST, &n, &end) &&
	    i < sizeof(units) / sizeof(units[0]); i++) {
		if (end[0] != units[i].letter || end[1] != '\0' ||
		    n > AGE_LARGEST / units[i].seconds)
			continue;
		*(int *)field = (int)(n * units[i].seconds);
		return true;
	}
	return config_value_refuse(value, "a time up to 100d, with s, m, h, "
	    "d or w for its unit, such as 7d", err);
}

bool
config_value_mode(void *field, const char *value, struct err *err)
{
	char	*end;
	long	 mode = strtol(value, &end, 8);

	if (value[0] != '0' || strlen(value) != 4 || *end != '\0' ||
	    mode < 0 || mode > 0777)
		return config_value_refuse(value,
		    "four octal digits, such as 0660", err);
	*(mode_t *)field = (mode_t)mode;
	return true;
}
