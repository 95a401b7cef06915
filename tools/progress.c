/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "tools/progress.h"

#define PATIENCE_MS	1000	/* what is over by then needs no line */
#define INTERVAL_MS	200

static int64_t
clock_ms(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
progress_begin(struct progress *p, const char *what, size_t total)
{
	*p = (struct progress){ .what = what, .total = total,
	    .shown_ms = clock_ms() + PATIENCE_MS - INTERVAL_MS };
}

void
progress_show(struct progress *p, size_t done)
{
	int64_t	 now = clock_ms();
	int	 len;

	if (now < p->shown_ms + INTERVAL_MS || !isatty(STDERR_FILENO))
		return;
	p->shown_ms = now;
	len = fprintf(stderr, "\r%s: %zu of %zu", p->what, done, p->total);
	if (len > p->len)
		p->len = len;
	fflush(stderr);
}

void
progress_end(struct progress *p)
{
	if (p->len > 0)
		fprintf(stderr, "\r%*s\r", p->len, "");
	p->len = 0;
	fflush(stderr);
}
