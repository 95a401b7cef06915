/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <gmime/gmime.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "smime/address.h"

static pthread_once_t	 gmime_once = PTHREAD_ONCE_INIT;

/*
 * The classes too are made here, once, for the threads that will look at
 * their objects.
 */
static void
init_gmime(void)
{
	g_mime_init();
	g_type_class_ref(INTERNET_ADDRESS_TYPE_MAILBOX);
	g_type_class_ref(INTERNET_ADDRESS_TYPE_GROUP);
}

static GMimeParserOptions *
new_options(void)
{
	GMimeParserOptions	*options;

	pthread_once(&gmime_once, init_gmime);
	options = g_mime_parser_options_new();
	g_mime_parser_options_set_address_compliance_mode(options,
	    GMIME_RFC_COMPLIANCE_STRICT);
	g_mime_parser_options_set_allow_addresses_without_domain(options,
	    FALSE);
	return options;
}

/* --- one mailbox, by the letter of RFC 5322, section 3.4 ---------------- */

static const char *
skip_comment(const char *p)
{
	unsigned	 depth = 0;

	for (; *p != '\0'; p++) {
		if (*p == '(')
			depth++;
		else if (*p == ')' && --depth == 0)
			return p + 1;
		else if (*p == '\\' && *++p == '\0')
			break;
	}
	return NULL;
}

/* White space, folds and comments; NULL if a comment does not end. */
static const char *
skip_cfws(const char *p)
{
	while (p != NULL && *p != '\0' && strchr(" \t\n(", *p) != NULL)
		p = *p == '(' ? skip_comment(p) : p + 1;
	return p;
}

static bool
is_atext(char c)
{
	unsigned char	 u = (unsigned char)c;

	/* RFC 6532 lets in all beyond ASCII. */
	return u > ' ' && u != 127 && strchr("()<>[]:;@\\,.\"", c) == NULL;
}

/* A word of a name; a dot in it is obsolete, common and harmless. */
static const char *
skip_word(const char *p)
{
	const char	*start = p;

	while (is_atext(*p) || *p == '.')
		p++;
	return p == start ? NULL : p;
}

/* Atoms with single dots between them (RFC 5322, section 3.2.3). */
static const char *
skip_dot_atom(const char *p)
{
	for (;; p++) {
		const char	*start = p;

		while (is_atext(*p))
			p++;
		if (p == start)
			return NULL;
		if (*p != '.')
			return p;
	}
}

static const char *
skip_quoted(const char *p)
{
	for (p++; *p != '\0' && *p != '"'; p++) {
		if (*p == '\\' && *++p == '\0')
			return NULL;
	}
	return *p == '"' ? p + 1 : NULL;
}

/* local@domain without white space or comments inside; a literal has none. */
static const char *
skip_addr_spec(const char *p)
{
	p = *p == '"' ? skip_quoted(p) : skip_dot_atom(p);
	if (p == NULL || *p != '@')
		return NULL;
	return skip_dot_atom(p + 1);
}

static const char *
skip_phrase(const char *p)
{
	while (p != NULL && *p != '<') {
		p = *p == '"' ? skip_quoted(p) : skip_word(p);
		p = skip_cfws(p);
	}
	return p;
}

/* The addr-spec of the one mailbox that the value is; NULL if it is not one. */
static char *
read_mailbox(const char *value)
{
	const char	*p = skip_cfws(value), *start, *end;

	if (p == NULL)
		return NULL;
	start = p;
	end = skip_addr_spec(p);
	if (end == NULL) {
		p = skip_phrase(p);
		if (p == NULL || *p != '<')
			return NULL;
		start = p + 1;
		end = skip_addr_spec(start);
		if (end == NULL || *end != '>')
			return NULL;
		p = skip_cfws(end + 1);
	} else
		p = skip_cfws(end);
	if (p == NULL || *p != '\0')
		return NULL;
	return mem_strn(start, (size_t)(end - start));
}

/* --- what could be shown as another address ------------------------------ */

/*
 * A label that IDNA maps to plain ASCII, fullwidth letters for instance, is
 * shown as something else than what the certificate has.
 */
static bool
is_mapped(const char *addr, const char *normalised)
{
	const char	*in = addr_domain(addr), *out = addr_domain(
			    normalised);
	size_t		 len;

	for (;; in += len + 1, out += strcspn(out, ".") + 1) {
		bool	 is_ascii = true;

		len = strcspn(in, ".");
		for (size_t i = 0; i < len; i++)
			is_ascii &= (in[i] & 0x80) == 0;
		if (!is_ascii && strncmp(out, "xn--", 4) != 0)
			return true;
		if (in[len] == '\0')
			return strchr(out, '.') != NULL;
		if (strchr(out, '.') == NULL)
			return true;
	}
}

/* A control character but the folds', or a mark that turns the direction. */
static bool
has_reordering(const char *value)
{
	while (*value != '\0') {
		size_t	 len = strcspn(value, "\t\n");

		if (text_reorders(value, len))
			return true;
		value += len + (value[len] != '\0');
	}
	return false;
}

/* One of RFC 2047's three parts, to its "?"; NULL where it has none. */
static const char *
skip_encoded(const char *p, const char *end, const char *never)
{
	const char	*start = p;

	while (p < end && *p > ' ' && *p < 127 && strchr(never, *p) == NULL)
		p++;
	return p < end && *p == '?' && p > start ? p + 1 : NULL;
}

/*
 * "=?" that begins no encoded word, or one with blanks or brackets in it:
 * some programs take what stands behind it for a part of the word.
 */
static bool
has_half_word(const char *value)
{
	static const char	 never[] = "?<>@,;:()\"\\";
	const char		*end = value + strlen(value), *p = value;

	while (p != NULL && (p = strstr(p, "=?")) != NULL) {
		p = skip_encoded(p + 2, end, never);
		if (p == NULL || (*p != 'q' && *p != 'Q' && *p != 'b' &&
		    *p != 'B') || p[1] != '?')
			return true;
		if (p[2] == '?' && p[3] == '=')		/* nothing in it */
			p += 2;
		else if ((p = skip_encoded(p + 2, end, never)) == NULL ||
		    *p != '=')
			return true;
	}
	return false;
}

/* Why a program might show another address, in words; NULL: it will not. */
static const char *
doubt(const char *addr, const char *normalised)
{
	const char	*at = addr_domain(addr);
	const char	*word = strstr(addr, "=?");
	const char	*bracket = strpbrk(addr, "[]");

	/* Only quotes let a blank in, and tell where it is. */
	for (const char *p = addr; *p != '\0'; p += strspn(p, " ")) {
		size_t	 len = strcspn(p, " ");

		if (!text_is_visible(p, len))
			return "has a character in its address that cannot "
			    "be seen";
		p += len;
	}
	/* RFC 2047, section 5 has none there, some programs decode it. */
	if (word != NULL && word < at && strstr(word, "?=") != NULL)
		return "has an encoded word in its address";
	/* Quotes let it be there; older programs then find no address. */
	if (bracket != NULL && bracket < at)
		return "has a square bracket in its address";
	if (is_mapped(addr, normalised))
		return "has a domain that is not written as it is shown";
	return NULL;
}

/* --- through GMime ------------------------------------------------------ */

/* GMime finds this one mailbox, too, and its name leaves the address alone. */
static bool
is_agreed(InternetAddressList *list, const char *normalised,
    const char **why)
{
	InternetAddress	*first;
	const char	*addr, *name;
	char		 seen[ADDR_MAX];
	struct err	 err;

	*why = "can be read in several ways";
	if (list == NULL || internet_address_list_length(list) != 1)
		return false;
	first = internet_address_list_get_address(list, 0);
	if (!INTERNET_ADDRESS_IS_MAILBOX(first))
		return false;
	addr = internet_address_mailbox_get_addr(
	    INTERNET_ADDRESS_MAILBOX(first));
	if (addr == NULL || !addr_normalise(addr, strlen(addr), seen, &err) ||
	    strcmp(seen, normalised) != 0)
		return false;
	*why = "has a name that changes how the address is shown";
	name = internet_address_get_name(first);
	return name == NULL || !text_reorders(name, strlen(name));
}

static bool
agrees(const char *value, const char *normalised, const char **why)
{
	GMimeParserOptions	*options = new_options();
	InternetAddressList	*list = internet_address_list_parse(options,
				    value);
	bool			 is_ok = is_agreed(list, normalised, why);

	if (list != NULL)
		g_object_unref(list);
	g_mime_parser_options_free(options);
	return is_ok;
}

static bool
read_one(const struct headers *headers, const char *name, char out[ADDR_MAX],
    struct err *err)
{
	const char	*value = headers_find(headers, name, 0), *why;
	char		*addr;
	bool		 is_ok;

	if (headers_count_name(headers, name) != 1)
		return err_set(err, ERR_MESSAGE, "the mail has %s %s field",
		    value == NULL ? "no" : "more than one", name);
	if ((addr = read_mailbox(value)) == NULL)
		return err_set(err, ERR_MESSAGE,
		    "the %s field is not one plain mailbox", name);
	is_ok = addr_normalise(addr, strlen(addr), out, err);
	why = is_ok ? doubt(addr, out) : NULL;
	if (has_reordering(value))
		why = "has a character that changes how it is shown";
	else if (has_half_word(value))
		why = "has an encoded word that is none";
	free(addr);
	if (!is_ok)
		return err_prefix(err, "the %s field", name);
	if (why != NULL || !agrees(value, out, &why))
		return err_set(err, ERR_MESSAGE, "the %s field %s", name,
		    why);
	return true;
}

/*
 * A name that RFC 5322, section 2.2 does not let be one: some programs take
 * such a line for the end of the header, and what follows for text.
 */
static bool
check_names(const struct headers *headers, struct err *err)
{
	for (size_t i = 0; i < headers_count(headers); i++)
		for (const char *p = headers_at(headers, i)->name; *p != '\0';
		    p++)
			if ((unsigned char)*p <= ' ' ||
			    (unsigned char)*p >= 127)
				return err_set(err, ERR_MESSAGE, "the header "
				    "has a line that is no field");
	return true;
}

bool
address_from(const struct headers *headers, char out[ADDR_MAX],
    struct err *err)
{
	return check_names(headers, err) &&
	    read_one(headers, "From", out, err);
}

bool
address_sender(const struct headers *headers, char out[ADDR_MAX],
    struct err *err)
{
	out[0] = '\0';
	if (headers_count_name(headers, "Sender") == 0)
		return true;
	return read_one(headers, "Sender", out, err);
}

/* --- lists, as generously as can be ------------------------------------- */

/* An item's address within it, if there is a "<" or something like one. */
struct item {
	const char	*addr;
	size_t		 len;
	const char	*end;	/* the "," ";" or ":" after it, or the end */
};

/*
 * GMime's parser is not asked here: it leaks memory on some garbage.  A
 * group's name is an item without address (RFC 5322, section 3.4).
 */
static void
read_item(const char *p, struct item *item)
{
	const char	*start = p, *next;

	item->addr = NULL;
	item->len = 0;
	while (*p != '\0' && strchr(",;:", *p) == NULL) {
		if (*p == '"')
			next = skip_quoted(p);
		else if (*p == '(')
			next = skip_comment(p);
		else if (*p == '<') {
			next = strchr(p, '>');
			item->addr = p + 1;
			item->len = next == NULL ? 0 : (size_t)(next - p - 1);
		} else
			next = p + 1;
		/* What does not end goes on to the end. */
		p = next == NULL ? p + strlen(p) : next;
	}
	item->end = p;
	if (item->addr != NULL)
		return;
	start = skip_cfws(start);
	if (start == NULL || (next = skip_addr_spec(start)) == NULL ||
	    skip_cfws(next) != p)
		return;
	item->addr = start;
	item->len = (size_t)(next - start);
}

static void
add_item(struct address_list *out, const struct item *item)
{
	char		 normalised[ADDR_MAX];
	struct err	 err;

	if (item->addr == NULL || out->n >= ADDRESS_LIST_MAX ||
	    !addr_normalise(item->addr, item->len, normalised, &err))
		return;
	if (out->n % 16 == 0)
		out->addrs = mem_grow(out->addrs, out->n + 16,
		    sizeof(*out->addrs));
	out->addrs[out->n++] = mem_str(normalised);
}

/* The mailboxes of all fields of these names; names ends with NULL. */
static struct address_list *
read_all(const struct headers *headers, const char *const *names)
{
	struct address_list	*out = mem_alloc(sizeof(*out));
	struct item		 item;
	const char		*p;

	for (; *names != NULL; names++) {
		for (size_t nth = 0; (p = headers_find(headers, *names, nth)) !=
		    NULL; nth++) {
			while (*p != '\0') {
				read_item(p, &item);
				add_item(out, &item);
				p = item.end + (*item.end == '\0' ? 0 : 1);
			}
		}
	}
	return out;
}

struct address_list *
address_authors(const struct headers *headers)
{
	static const char *const	 names[] = { "From", NULL };

	return read_all(headers, names);
}

struct address_list *
address_visible(const struct headers *headers)
{
	static const char *const	 names[] = { "To", "Cc", NULL };

	return read_all(headers, names);
}

bool
address_list_has(const struct address_list *list, const char *normalised)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->addrs[i], normalised) == 0)
			return true;
	}
	return false;
}

void
address_list_free(struct address_list *list)
{
	if (list == NULL)
		return;
	for (size_t i = 0; i < list->n; i++)
		free(list->addrs[i]);
	free(list->addrs);
	free(list);
}
