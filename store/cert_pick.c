/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/cert_pick.h"

static int
compare(const void *left, const void *right)
{
	const struct candidate	*a = left, *b = right;

	if ((a->reason == NULL) != (b->reason == NULL))
		return a->reason == NULL ? -1 : 1;
	if (a->not_before != b->not_before)
		return a->not_before > b->not_before ? -1 : 1;
	if (a->not_after != b->not_after)
		return a->not_after > b->not_after ? -1 : 1;
	return memcmp(a->fp.bytes, b->fp.bytes, sizeof(a->fp.bytes));
}

void
cert_pick_sort(struct candidate *candidates, size_t n)
{
	if (n > 1)
		qsort(candidates, n, sizeof(*candidates), compare);
}

char *
cert_pick_reason(const struct candidate *candidates, size_t n)
{
	if (n == 0)
		return mem_str("no certificate");
	if (candidates[0].reason == NULL)
		return NULL;
	if (n == 1)
		return mem_strf("certificate %s", candidates[0].reason);
	return mem_strf("certificate %s; none of %zu is usable",
	    candidates[0].reason, n);
}
