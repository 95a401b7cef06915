/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/cert.h"
#include "store/cert_index.h"
#include "store/key.h"
#include "store/survey.h"

#define DAY	86400
#define PAGE	200	/* certificates looked at before others get in */

static void
add_signers(struct survey *survey, const struct cert_facts *facts)
{
	for (size_t i = 0; i < facts->n_addresses; i++) {
		survey->signers = mem_grow(survey->signers,
		    survey->n_signers + 1, sizeof(*survey->signers));
		survey->signers[survey->n_signers++] = (struct survey_signer){
		    mem_str(facts->addresses[i]), facts->fp,
		    facts->not_after };
	}
}

static bool
look_at(struct store *store, const struct cert_record *record, int64_t now,
    struct survey *survey, struct err *err)
{
	enum key_protection	 key;

	survey->certs[record->state]++;
	if (record->facts.not_after < now)
		survey->expired++;
	if (!key_protection_of(store, record->facts.spki, &key, err))
		return false;
	if (key == KEY_NONE)
		return true;
	survey->keys++;
	if (record->state != CERT_DISTRUSTED && cert_is_leaf(&record->facts) &&
	    (record->facts.uses & CERT_MAY_SIGN) != 0)
		add_signers(survey, &record->facts);
	return true;
}

/* *after moves on; *n is how many there were. */
static bool
look_at_page(struct store *store, struct fingerprint *after, int64_t now,
    struct survey *survey, size_t *n, struct err *err)
{
	struct cert_record	*records = NULL;
	bool			 is_ok;

	if (!store_begin_read(store, err))
		return false;
	is_ok = cert_index_list(store, after, PAGE, &records, n, err);
	for (size_t i = 0; i < *n; i++) {
		is_ok = is_ok && look_at(store, &records[i], now, survey, err);
		*after = records[i].facts.fp;
		record_free_cert(&records[i]);
	}
	store_end_read(store);
	free(records);
	return is_ok;
}

/* The next fingerprint in order; false after the last there can be. */
static bool
step(struct fingerprint *fp)
{
	for (size_t i = sizeof(fp->bytes); i > 0; i--)
		if (++fp->bytes[i - 1] != 0)
			return true;
	return false;
}

static int
by_address(const void *a, const void *b)
{
	const struct survey_signer	*x = a, *y = b;
	int				 order = strcmp(x->addr, y->addr);

	if (order != 0)
		return order;
	return x->not_after > y->not_after ? -1 : x->not_after < y->not_after;
}

/* A successor is there already: the one before it may expire in peace. */
static void
keep_last(struct survey *survey)
{
	size_t	 kept = 0;

	if (survey->n_signers == 0)
		return;
	qsort(survey->signers, survey->n_signers, sizeof(*survey->signers),
	    by_address);
	for (size_t i = 1; i < survey->n_signers; i++)
		if (strcmp(survey->signers[i].addr,
		    survey->signers[kept].addr) == 0)
			free(survey->signers[i].addr);
		else
			survey->signers[++kept] = survey->signers[i];
	survey->n_signers = kept + 1;
}

bool
survey_store(struct store *store, int64_t now, bool (*go_on)(void),
    struct survey *survey, struct err *err)
{
	struct fingerprint	 after = { { 0 } };
	size_t			 n;
	bool			 is_ok;

	*survey = (struct survey){ .n_signers = 0 };
	do {
		n = 0;
		is_ok = go_on() ?
		    look_at_page(store, &after, now, survey, &n, err) :
		    err_set(err, ERR_TEMP, "the survey was stopped");
		if (!is_ok) {
			survey_free(survey);
			return false;
		}
	} while (n == PAGE && step(&after));
	keep_last(survey);
	return true;
}

void
survey_free(struct survey *survey)
{
	for (size_t i = 0; i < survey->n_signers; i++)
		free(survey->signers[i].addr);
	free(survey->signers);
	*survey = (struct survey){ .n_signers = 0 };
}

int
survey_due(int64_t not_after, int64_t before, int64_t now)
{
	static const int	 days[] = { 1, 7, 14, 30 };

	/* Once it is over, the list and `check` tell. */
	for (size_t i = 0; now < not_after && i < sizeof(days) /
	    sizeof(days[0]); i++) {
		int64_t	 due = not_after - (int64_t)days[i] * DAY;

		if (now >= due)
			return before < due ? days[i] : 0;
	}
	return 0;
}
