/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/admit.h"
#include "store/cert.h"
#include "store/cert_index.h"

bool
admit_refuse(struct put_result *result, const char *reason)
{
	result->verdict = PUT_REFUSED;
	result->reason = mem_str(reason);
	return true;
}

static bool
is_usable(const struct admit *admit, const struct cert_record *record,
    bool *usable, struct err *err)
{
	struct trust_verdict	 verdict;
	struct err		 why;

	*usable = false;
	if (!cert_usable(&record->facts, CERT_USE_SIGN, NULL, admit->now,
	    &why) &&
	    !cert_usable(&record->facts, CERT_USE_ENCRYPT, NULL, admit->now,
	    &why))
		return true;
	if (!trust_judge(admit->trust, record, admit->now, &verdict, err))
		return false;
	*usable = verdict.is_trusted;
	return true;
}

/* The key of the CA that really issued it, as far as that CA is here. */
static bool
issuer_key(const struct admit *admit, const struct cert_record *record,
    uint8_t spki[32], bool *found, struct err *err)
{
	struct cert_record	*issuers;
	size_t			 n;

	if (!trust_issuers(admit->trust, record, admit->now, &issuers, &n, err))
		return false;
	*found = n > 0;
	if (n > 0)
		memcpy(spki, issuers[0].facts.spki, 32);
	for (size_t i = 0; i < n; i++)
		record_free_cert(&issuers[i]);
	free(issuers);
	return true;
}

/* By signature: anybody can write another's name as his issuer. */
static bool
has_same_issuer(const struct admit *admit, const struct cert_record *a,
    const struct cert_record *b, bool *yes, struct err *err)
{
	uint8_t	 key_a[32], key_b[32];
	bool	 found_a, found_b;

	if (!issuer_key(admit, a, key_a, &found_a, err) ||
	    !issuer_key(admit, b, key_b, &found_b, err))
		return false;
	*yes = found_a && found_b && memcmp(key_a, key_b, sizeof(key_a)) == 0;
	return true;
}

/* Would the new one, as the newest, take the place of this one unasked? */
static bool
is_displaced(const struct admit *admit, const struct cert_record *old,
    const struct cert_record *new, bool *yes, struct err *err)
{
	enum key_protection	 key;
	bool			 same;

	*yes = false;
	/* A renewal of the same key displaces nobody. */
	if (memcmp(old->facts.spki, new->facts.spki,
	    sizeof(old->facts.spki)) == 0)
		return true;
	if (!key_protection_of(admit->store, old->facts.spki, &key, err))
		return false;
	if (key != KEY_NONE) {
		*yes = true;
		return true;
	}
	if (!is_usable(admit, old, yes, err))
		return false;
	if (!*yes)
		return true;
	if (!has_same_issuer(admit, old, new, &same, err))
		return false;
	*yes = !same;
	return true;
}

static bool
find_displaced(const struct admit *admit, const struct cert_record *new,
    const char *addr, bool *yes, struct err *err)
{
	struct cert_record	*others = NULL;
	size_t			 n = 0;
	bool			 is_ok;

	*yes = false;
	is_ok = cert_index_at_address(admit->store, addr, &others, &n, err);
	for (size_t i = 0; is_ok && !*yes && i < n; i++)
		is_ok = is_displaced(admit, &others[i], new, yes, err);
	for (size_t i = 0; i < n; i++)
		record_free_cert(&others[i]);
	free(others);
	return is_ok;
}

/*
 * A leaf is trusted as asked unless it would displace another of one of its
 * addresses: who can have a file imported must not be able to read the mail
 * to somebody else (DESIGN.md 9.9).
 */
static bool
grant_trust(const struct admit *admit, const struct cert_record *new,
    struct put_result *result, struct err *err)
{
	const struct cert_facts	*facts = &new->facts;
	char			 hex[TEXT_FP_LEN];
	bool			 yes = false;

	result->state = CERT_TRUSTED;
	for (size_t i = 0; i < facts->n_addresses; i++) {
		if (!find_displaced(admit, new, facts->addresses[i], &yes, err))
			return false;
		if (!yes)
			continue;
		text_fp(&facts->fp, hex);
		result->state = CERT_CHAIN;
		result->reason = mem_strf("%s has another certificate here; "
		    "confirm this one with: smimectl trust %.16s",
		    facts->addresses[i], hex);
		return true;
	}
	return true;
}

/* Mostly distrusted because its key got into other hands. */
static bool
has_distrusted_key(const struct admit *admit, const struct cert_facts *facts,
    bool *yes, struct err *err)
{
	struct fingerprint_list	 fps;
	struct cert_record	 record;
	bool			 is_ok;

	*yes = false;
	is_ok = cert_index_find(admit->store, CERT_INDEX_SPKI, facts->spki,
	    sizeof(facts->spki), &fps, err);
	for (size_t i = 0; is_ok && !*yes && i < fps.n; i++)
		if ((is_ok = cert_index_need(admit->store, &fps.list[i],
		    &record, err))) {
			*yes = record.state == CERT_DISTRUSTED;
			record_free_cert(&record);
		}
	free(fps.list);
	return is_ok;
}

/* The state that is given, or a refusal. */
bool
admit_cert(const struct admit *admit, const struct cert_record *new,
    struct put_result *result, struct err *err)
{
	const struct cert_facts	*facts = &new->facts;
	enum cert_state		 asked = new->state;
	struct err		 why;
	bool			 yes;

	result->state = asked;
	if (asked == CERT_DISTRUSTED)
		return true;
	if (asked == CERT_ANCHOR && !facts->is_ca)
		return admit_refuse(result, "is no CA certificate");
	if (facts->is_ca && (facts->faults &
	    (CERT_FAULT_EXTENSION | CERT_FAULT_WEAK_KEY)) != 0)
		return admit_refuse(result, "is a CA with a weak key or an "
		    "extension that is malformed, or critical and unknown");
	if (cert_is_leaf(facts) && asked != CERT_ANCHOR &&
	    !cert_is_fit(facts, &why))
		return admit_refuse(result, why.reason);
	if (!has_distrusted_key(admit, facts, &yes, err))
		return false;
	if (yes)
		return admit_refuse(result, "has the public key of a "
		    "certificate that is distrusted");
	if (asked != CERT_TRUSTED)
		return true;
	if (cert_is_leaf(facts))
		return grant_trust(admit, new, result, err);
	result->state = CERT_CHAIN;
	result->reason = mem_str("is a CA: kept as chain material");
	return true;
}

/* Is there somebody's certificate for this key? */
bool
admit_key(const struct admit *admit, const uint8_t id[KEY_ID_LEN],
    struct put_result *result, struct err *err)
{
	struct fingerprint_list	 fps;
	struct cert_record	 record;
	bool			 is_ok, has_leaf = false;

	is_ok = cert_index_find(admit->store, CERT_INDEX_SPKI, id, KEY_ID_LEN,
	    &fps, err);
	for (size_t i = 0; is_ok && !has_leaf && i < fps.n; i++)
		if ((is_ok = cert_index_need(admit->store, &fps.list[i],
		    &record, err))) {
			has_leaf = cert_is_leaf(&record.facts);
			result->state = record.state;
			record_free_cert(&record);
		}
	if (is_ok && fps.n == 0)
		admit_refuse(result, "no certificate with its public key is "
		    "in the store");
	else if (is_ok && !has_leaf)
		admit_refuse(result, "belongs to a CA: such keys are not kept "
		    "here");
	free(fps.list);
	return is_ok;
}
