/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/x509.h>

#include "store/key.h"
#include "store/survey.h"
#include "tests/lib/scratch_store.h"

static struct err err;

#define IN(days)	(PKI_NOW + (days) * PKI_DAY)

/* "When it ends, when somebody last looked, what is said now." */
static const struct {
	const char	*what;
	int64_t		 ends, before;
	int		 want;
} due[] = {
	{ "a year left",			IN(365), 0, 0 },
	{ "31 days left",			IN(31), 0, 0 },
	{ "30 days left: said",			IN(30), IN(-1), 30 },
	{ "30 days left, said before",		IN(30), IN(0), 0 },
	{ "20 days left, first look",		IN(20), 0, 30 },
	{ "20 days left, said before",		IN(20), IN(-1), 0 },
	{ "14 days left: said",			IN(14), IN(-1), 14 },
	{ "7 days left: said",			IN(7), IN(-1), 7 },
	{ "7 days left after a month away",	IN(7), IN(-30), 7 },
	{ "1 day left: said",			IN(1), IN(-1), 1 },
	{ "an hour left, said before",		PKI_NOW + 3600, IN(0), 0 },
	{ "an hour left, first look",		PKI_NOW + 3600, 0, 1 },
	{ "expired: the list tells",		IN(-1), 0, 0 },
};

static void
put_cert(struct store *store, EVP_PKEY *key, const char *alt, int64_t until,
    enum cert_state state, bool with_key)
{
	struct pki_cert	 cert = pki_issue(&(struct pki_spec){ .cn = "Test",
	    .alt = alt, .until = until }, key, NULL);

	scratch_put(store, &cert, state);
	if (with_key)
		scratch_put_key(store, key);
	pki_free(&cert);
}

static bool
always(void)
{
	return true;
}

static bool
never(void)
{
	return false;
}

static void
test_glance(void)
{
	struct store	*store = scratch_store("survey");
	EVP_PKEY	*mine = pki_key("P-256"), *other = pki_key("P-256");
	struct survey	 survey;

	put_cert(store, mine, "email:alice@example.org", 20, CERT_TRUSTED,
	    true);
	/* Renewed with the same key: the later one counts. */
	put_cert(store, mine, "email:alice@example.org", 200, CERT_TRUSTED,
	    false);
	put_cert(store, other, "email:bob@example.net", 10, CERT_TRUSTED,
	    false);
	put_cert(store, other, "email:eve@example.net", -1, CERT_DISTRUSTED,
	    false);
	/* More than a page. */
	for (int i = 0; i < 250; i++) {
		char	 alt[64];

		snprintf(alt, sizeof(alt), "email:user%d@example.com", i);
		put_cert(store, other, alt, 300, CERT_CHAIN, false);
	}

	REQUIRE_OK(survey_store(store, PKI_NOW, always, &survey, &err), err);
	CHECK_INT(survey.certs[CERT_TRUSTED], 3);
	CHECK_INT(survey.certs[CERT_CHAIN], 250);
	CHECK_INT(survey.certs[CERT_ANCHOR], 0);
	CHECK_INT(survey.certs[CERT_DISTRUSTED], 1);
	CHECK_INT(survey.expired, 1);
	CHECK_INT(survey.keys, 2);
	REQUIRE(survey.n_signers == 1);
	CHECK_STR(survey.signers[0].addr, "alice@example.org");
	CHECK_INT(survey.signers[0].not_after, IN(200));
	survey_free(&survey);

	CHECK(!survey_store(store, PKI_NOW, never, &survey, &err));
	CHECK_INT(err.kind, ERR_TEMP);
	store_close(store);
	EVP_PKEY_free(mine);
	EVP_PKEY_free(other);
}

int
main(void)
{
	for (size_t i = 0; i < TEST_LEN(due); i++) {
		test_row(due[i].what);
		CHECK_INT(survey_due(due[i].ends, due[i].before, PKI_NOW),
		    due[i].want);
	}
	test_row(NULL);
	test_glance();
	return test_done("survey");
}
