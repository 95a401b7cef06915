/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/addr.h"
#include "base/mem.h"
#include "milter/generation.h"
#include "milter/lookup.h"

static struct finding *
find_kept(const struct lookup *lookup, const char *addr, enum cert_use use)
{
	struct finding	*finding = NULL;

	if (lookup->found != NULL)
		find_cache_get(lookup->found, addr, use, generation_now(),
		    lookup->now, &finding);
	return finding;
}

static void
keep(const struct lookup *lookup, const char *addr, enum cert_use use,
    uint64_t generation, const struct finding *finding)
{
	if (lookup->found != NULL)
		find_cache_put(lookup->found, addr, use, generation,
		    lookup->now, finding);
}

static void
find(struct lookup *lookup, const char *addr, enum cert_use use,
    struct finding **out, struct err *err)
{
	uint64_t	 generation = generation_now();

	if ((*out = find_kept(lookup, addr, use)) != NULL)
		return;
	if (lookup->outage.kind != ERR_NONE)
		*err = lookup->outage;
	else if (custody_find(lookup->custody, addr, use, lookup->now, out,
	    err))
		keep(lookup, addr, use, generation, *out);
	else
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

/* Those that are not out[i] already, in one question. */
static bool
find_others(struct lookup *lookup, const char *const *addrs, size_t n,
    struct finding **out, struct err *err)
{
	uint64_t	  generation = generation_now();
	const char	**asked = mem_array(n, sizeof(*asked));
	struct finding	**answers = mem_array(n, sizeof(*answers));
	size_t		 *at = mem_array(n, sizeof(*at)), n_asked = 0;
	bool		  is_ok;

	for (size_t i = 0; i < n; i++)
		if (out[i] == NULL) {
			asked[n_asked] = addrs[i];
			at[n_asked++] = i;
		}
	is_ok = n_asked == 0 || custody_find_all(lookup->custody, asked,
	    n_asked, CERT_USE_ENCRYPT, lookup->now, answers, err);
	for (size_t i = 0; is_ok && i < n_asked; i++) {
		out[at[i]] = answers[i];
		keep(lookup, asked[i], CERT_USE_ENCRYPT, generation,
		    answers[i]);
	}
	free(asked);
	free(answers);
	free(at);
	return is_ok;
}

void
lookup_encrypt_all(struct lookup *lookup, const char *const *addrs, size_t n,
    struct finding **out, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		out[i] = find_kept(lookup, addrs[i], CERT_USE_ENCRYPT);
	if (lookup->outage.kind != ERR_NONE)
		*err = lookup->outage;
	else if (!find_others(lookup, addrs, n, out, err))
		lookup->outage = *err;
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
