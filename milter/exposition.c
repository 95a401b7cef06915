/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "milter/exposition.h"
#include "milter/stats.h"

static const char *const	 kind_names[] = {
	[STATS_COUNTER] = "counter",
	[STATS_GAUGE] = "gauge",
	[STATS_HISTOGRAM] = "histogram",
};

struct page {
	struct buf	*out;
	const char	*name;		/* of the family that is being told */
};

static void
begin_family(struct page *page, const struct stats_sample *s)
{
	page->name = s->name;
	buf_addf(page->out, "# HELP %s %s\n# TYPE %s %s\n", s->name, s->help,
	    s->name, kind_names[s->kind]);
}

static void
write_sample(void *arg, const struct stats_sample *s)
{
	struct page	*page = arg;

	if (page->name == NULL || strcmp(page->name, s->name) != 0)
		begin_family(page, s);
	buf_addf(page->out, "%s%s", s->name, s->suffix);
	if (s->labels[0] != '\0')
		buf_addf(page->out, "{%s}", s->labels);
	if (isinf(s->value))
		buf_addf(page->out, " +Inf\n");
	else
		buf_addf(page->out, " %.15g\n", s->value);
}

void
exposition_write(struct buf *out)
{
	struct page	 page = { .out = out };

	stats_walk(write_sample, &page);
}
