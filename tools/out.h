/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_OUT_H
#define TOOLS_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/text.h"

/*
 * What smimectl prints: tables for people, JSON for programs.  Text that came
 * from outside is made safe by whoever hands it over (text_safe()).
 */

/*
 * Colours, on a terminal that has them and without NO_COLOR (no-color.org);
 * "" elsewhere.
 */
enum out_colour {
	OUT_GOOD,
	OUT_BAD,
	OUT_PLAIN	/* back again */
};
const char *out_colour(enum out_colour);

/* A column: what stands above it, and whether it may be cut to fit. */
struct out_column {
	const char	*title;
	bool		 is_flexible;
	bool		 is_bad;	/* what stands in it wants attention */
};

struct out_table;

struct out_table *out_table_new(const struct out_column *, size_t n);
/* One string for each column, copied. */
void	out_table_row(struct out_table *, const char *const *cells);
/*
 * To standard output, in the width of the terminal; whole lines where there
 * is none.  Frees the table.
 */
void	out_table_print_take(struct out_table *);

/* "name:     value", one line each. */
void	out_field(const char *name, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* Indented, to standard output; the reference is taken. */
void	out_json_take(json_t *);
/* A string, null for NULL; what is no UTF-8 is escaped. */
json_t	*out_json_str(const char *);
json_t	*out_json_time(int64_t);
json_t	*out_json_fp(const struct fingerprint *);
/* The string at a key of an object; "" if there is none. */
const char *out_json_text(const json_t *, const char *key);
/* Strings of an array with a separator between; the caller frees it. */
char	*out_join(const json_t *array, const char *separator);

/* The fingerprint in groups of four digits, as people read it out. */
#define OUT_FP_LEN	(64 + 16)
void	out_fp_groups(const struct fingerprint *, char out[OUT_FP_LEN]);

#endif
