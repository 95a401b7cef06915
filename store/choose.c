/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/cert.h"
#include "store/cert_index.h"
#include "store/cert_pick.h"
#include "store/choose.h"
#include "store/key.h"

/*
 * May this certificate be used?  The gate, then trust, then the key: the
 * first that says no gives the reason.
 */
bool
choose_weigh(struct store *store, struct trust *trust,
    const struct cert_record *record, enum cert_use use, const char *addr,
    int64_t now, struct candidate *candidate, struct err *err)
{
	const struct cert_facts	*facts = &record->facts;
	enum key_protection	 key;
	struct trust_verdict	 verdict;
	struct err		 why;

	memset(candidate, 0, sizeof(*candidate));
	candidate->fp = facts->fp;
	candidate->not_before = facts->not_before;
	candidate->not_after = facts->not_after;
	if (!key_protection_of(store, facts->spki, &key, err))
		return false;
	candidate->has_key = key != KEY_NONE;
	if (!cert_usable(facts, use, addr, now, &why)) {
		candidate->reason = mem_str(why.reason);
		return true;
	}
	if (!trust_judge(trust, record, now, &verdict, err))
		return false;
	if (verdict.is_revoked)
		candidate->reason = mem_str(verdict.text);
	else if (!verdict.is_trusted)
		candidate->reason = mem_strf("not trusted: %s", verdict.text);
	else if (use == CERT_USE_SIGN && !candidate->has_key)
		candidate->reason = mem_str("has no private key here");
	return true;
}

/* The certificate itself goes along with the candidate that may be chosen. */
static void
keep_if_best(struct finding *finding, const struct candidate *candidate,
    struct cert_record *record)
{
	struct candidate	 pair[2];

	if (candidate->reason != NULL)
		return;
	if (finding->der != NULL) {
		pair[0] = finding->candidates[0];
		pair[1] = *candidate;
		cert_pick_sort(pair, 2);
		if (!text_fp_equal(&pair[0].fp, &candidate->fp))
			return;
	}
	free(finding->der);
	finding->der = record->der;
	finding->der_len = record->der_len;
	record->der = NULL;
}

static bool
add_candidate(struct store *store, struct trust *trust,
    struct finding *finding, const struct fingerprint *fp, enum cert_use use,
    const char *addr, int64_t now, struct err *err)
{
	struct candidate	*candidate = &finding->candidates[finding->n];
	struct cert_record	 record;
	bool			 found, is_ok;

	if (!cert_index_get(store, fp, &record, &found, err))
		return false;
	if (!found)
		return err_set(err, ERR_TEMP, "the store's index names a "
		    "certificate that is not there");
	is_ok = choose_weigh(store, trust, &record, use, addr, now, candidate,
	    err);
	if (is_ok) {
		keep_if_best(finding, candidate, &record);
		finding->n++;
		cert_pick_sort(finding->candidates, finding->n);
	}
	record_free_cert(&record);
	return is_ok;
}

bool
choose_find(struct store *store, struct trust *trust, const char *addr,
    enum cert_use use, int64_t now, struct finding **out, struct err *err)
{
	struct fingerprint_list	 fps;
	struct finding		*finding = mem_alloc(sizeof(*finding));
	bool			 is_ok;

	is_ok = cert_index_find(store, CERT_INDEX_ADDRESS, addr,
	    strlen(addr), &fps, err);
	if (is_ok)
		finding->candidates = mem_array(fps.n,
		    sizeof(*finding->candidates));
	for (size_t i = 0; is_ok && i < fps.n; i++)
		is_ok = add_candidate(store, trust, finding, &fps.list[i],
		    use, addr, now, err);
	free(fps.list);
	if (!is_ok) {
		finding_free(finding);
		return false;
	}
	finding->reason = cert_pick_reason(finding->candidates, finding->n);
	*out = finding;
	return true;
}
