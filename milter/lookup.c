/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/addr.h"
#include "milter/lookup.h"

static void
find(struct lookup *lookup, const char *addr, enum cert_use use,
    struct finding **out, struct err *err)
{
	*out = NULL;
	if (lookup->outage.kind != ERR_NONE)
		*err = lookup->outage;
	else if (!custody_find(lookup->custody, addr, use, lookup->now, out,
	    err))
		lookup->outage = *err;
}

void
lookup_sign(struct lookup *lookup, const char *addr, struct finding **out,
    struct err *err)
{
	find(lookup, addr, CERT_USE_SIGN, out, err);
}

/* Where the address has none that is usable, perhaps it has without its tag. */
static void
find_untagged(struct lookup *lookup, const char *addr, struct finding **out,
    struct err *err)
{
	char		 plain[ADDR_MAX];
	struct finding	*other;

	if (*out == NULL || (*out)->der != NULL ||
	    !addr_without_tag(addr, lookup->delimiters, plain))
		return;
	find(lookup, plain, CERT_USE_ENCRYPT, &other, err);
	/* Where neither can be used, the reasons of the closer one are told. */
	if (other != NULL && other->der == NULL && (*out)->n > 0) {
		finding_free(other);
		return;
	}
	finding_free(*out);
	*out = other;
}

void
lookup_encrypt(struct lookup *lookup, const char *addr, struct finding **out,
    struct err *err)
{
	find(lookup, addr, CERT_USE_ENCRYPT, out, err);
	find_untagged(lookup, addr, out, err);
}

void
lookup_encrypt_all(struct lookup *lookup, const char *const *addrs, size_t n,
    struct finding **out, struct err *err)
{
	memset(out, 0, n * sizeof(*out));
	if (lookup->outage.kind != ERR_NONE) {
		*err = lookup->outage;
		return;
	}
	if (!custody_find_all(lookup->custody, addrs, n, CERT_USE_ENCRYPT,
	    lookup->now, out, err)) {
		lookup->outage = *err;
		return;
	}
	for (size_t i = 0; i < n; i++)
		find_untagged(lookup, addrs[i], &out[i], err);
}

enum cert_fact
lookup_fact(const struct finding *finding, const struct err *err,
    const char **reason)
{
	*reason = NULL;
	if (finding == NULL) {
		if (err->kind == ERR_NONE)
			return CERT_FACT_NOT_ASKED;
		*reason = err->reason;
		return CERT_FACT_UNKNOWN;
	}
	if (finding->der != NULL)
		return CERT_FACT_USABLE;
	*reason = finding->reason;
	return finding->n == 0 ? CERT_FACT_NONE : CERT_FACT_UNUSABLE;
}
