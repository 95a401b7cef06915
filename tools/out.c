/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tools/out.h"

#define GAP		2	/* blanks between columns */
#define CUT_MIN		8	/* a column is never cut below this */
#define FIELD_WIDTH	13

struct out_table {
	const struct out_column	*columns;
	size_t			 n;
	char			**cells;	/* n for each row */
	size_t			 n_rows;
};

struct out_table *
out_table_new(const struct out_column *columns, size_t n)
{
	struct out_table	*table = mem_alloc(sizeof(*table));

	table->columns = columns;
	table->n = n;
	return table;
}

void
out_table_row(struct out_table *table, const char *const *cells)
{
	size_t	 n_cells = table->n_rows * table->n;

	/* Grown by doubling; the capacity is the next power of two. */
	if ((table->n_rows & (table->n_rows - 1)) == 0)
		table->cells = mem_grow(table->cells,
		    (table->n_rows == 0 ? 1 : 2 * table->n_rows) * table->n,
		    sizeof(*table->cells));
	for (size_t i = 0; i < table->n; i++)
		table->cells[n_cells + i] = mem_str(cells[i]);
	table->n_rows++;
}

const char *
out_colour(enum out_colour colour)
{
	static const char *const	 codes[] = {
		[OUT_GOOD] = "\033[32m",
		[OUT_BAD] = "\033[31m",
		[OUT_PLAIN] = "\033[0m",
	};
	const char	*no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (!isatty(STDOUT_FILENO) || (no != NULL && no[0] != '\0') ||
	    term == NULL || strcmp(term, "dumb") == 0)
		return "";
	return codes[colour];
}

/*
 * Bytes of the next character, and the columns that it takes: two for those
 * of East Asia, none for what goes on top of the one before.
 */
static size_t
next_char(const char *s, size_t *columns)
{
	mbstate_t	 state = { 0 };
	wchar_t		 c;
	size_t		 len = mbrtowc(&c, s, strlen(s), &state);
	int		 w;

	*columns = 1;
	if (len == 0 || len == (size_t)-1 || len == (size_t)-2)
		return 1;
	if ((w = wcwidth(c)) >= 0)
		*columns = (size_t)w;
	return len;
}

static size_t
width(const char *s)
{
	size_t	 n = 0, columns;

	while (*s != '\0') {
		s += next_char(s, &columns);
		n += columns;
	}
	return n;
}

/* 0: as wide as it likes. */
static size_t
terminal_width(void)
{
	struct winsize	 ws;

	if (!isatty(STDOUT_FILENO) ||
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == -1)
		return 0;
	return ws.ws_col;
}

static void
measure(const struct out_table *table, size_t *widths)
{
	for (size_t i = 0; i < table->n; i++) {
		widths[i] = width(table->columns[i].title);
		for (size_t row = 0; row < table->n_rows; row++) {
			size_t	 w = width(table->cells[row * table->n + i]);

			if (w > widths[i])
				widths[i] = w;
		}
	}
}

/* Take from the widest flexible column until all fits, or none is left. */
static void
fit(const struct out_table *table, size_t *widths, size_t room)
{
	for (;;) {
		size_t	 sum = GAP * (table->n - 1), widest = table->n;

		for (size_t i = 0; i < table->n; i++) {
			sum += widths[i];
			if (table->columns[i].is_flexible &&
			    widths[i] > CUT_MIN && (widest == table->n ||
			    widths[i] > widths[widest]))
				widest = i;
		}
		if (sum <= room || widest == table->n)
			return;
		widths[widest]--;
	}
}

static void
print_cell(const char *cell, size_t room, bool is_bad, bool is_last)
{
	size_t	 len, columns, w = width(cell), shown = 0;
	bool	 is_cut = w > room;

	if (is_bad)
		fputs(out_colour(OUT_BAD), stdout);
	for (; *cell != '\0'; cell += len, shown += columns) {
		len = next_char(cell, &columns);
		if (is_cut && shown + columns > room - 1)
			break;
		fwrite(cell, 1, len, stdout);
	}
	if (is_cut) {
		fputs("\u2026", stdout);
		shown++;
	}
	if (is_bad)
		fputs(out_colour(OUT_PLAIN), stdout);
	if (is_last)
		putchar('\n');
	else
		printf("%*s", (int)(GAP + room - shown), "");
}

static void
print_row(const struct out_table *table, const size_t *widths,
    char *const *cells)
{
	size_t	 last = table->n - 1;

	/* No blanks at the end of a line. */
	while (last > 0 && (cells == NULL ? table->columns[last].title :
	    cells[last])[0] == '\0')
		last--;
	for (size_t i = 0; i <= last; i++)
		print_cell(cells == NULL ? table->columns[i].title : cells[i],
		    widths[i], cells != NULL && table->columns[i].is_bad,
		    i == last);
}

void
out_table_print_take(struct out_table *table)
{
	size_t	*widths = mem_array(table->n, sizeof(*widths));
	size_t	 room = terminal_width();

	measure(table, widths);
	if (room > 0)
		fit(table, widths, room);
	if (table->n_rows > 0)
		print_row(table, widths, NULL);
	for (size_t row = 0; row < table->n_rows; row++)
		print_row(table, widths, table->cells + row * table->n);
	for (size_t i = 0; i < table->n_rows * table->n; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
	free(widths);
}

void
out_field(const char *name, const char *fmt, ...)
{
	va_list	 ap;
	int	 len = printf("%s%s", name, name[0] == '\0' ? "" : ":");

	printf("%*s", len < FIELD_WIDTH ? FIELD_WIDTH - len : 1, "");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void
out_json_take(json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(json);
}

json_t *
out_json_str(const char *s)
{
	json_t	*json;
	char	*safe;

	if (s == NULL)
		return json_null();
	if ((json = json_string(s)) != NULL)
		return json;
	safe = text_safe(s, strlen(s), 4 * strlen(s));
	json = json_string(safe);
	free(safe);
	return json;
}

json_t *
out_json_time(int64_t when)
{
	char	 text[TEXT_TIME_LEN];

	text_time(when, text);
	return json_string(text);
}

json_t *
out_json_fp(const struct fingerprint *fp)
{
	char	 text[TEXT_FP_LEN];

	text_fp(fp, text);
	return json_string(text);
}

const char *
out_json_text(const json_t *object, const char *key)
{
	const char	*text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

char *
out_join(const json_t *array, const char *separator)
{
	struct buf	 out = { 0 };

	for (size_t i = 0; i < json_array_size(array); i++)
		buf_addf(&out, "%s%s", i == 0 ? "" : separator,
		    json_string_value(json_array_get(array, i)));
	return buf_take_str(&out);
}

void
out_fp_groups(const struct fingerprint *fp, char out[OUT_FP_LEN])
{
	char	 hex[TEXT_FP_LEN];

	text_fp(fp, hex);
	for (size_t i = 0; i < 64; i++) {
		if (i > 0 && i % 4 == 0)
			*out++ = ' ';
		*out++ = hex[i];
	}
	*out = '\0';
}
