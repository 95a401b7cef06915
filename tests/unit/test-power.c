/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/mman.h>
#include <sys/wait.h>

#include "store/cert.h"
#include "store/custody.h"
#include "store/event.h"
#include "store/store.h"
#include "store/verify.h"
#include "tests/lib/pki.h"
#include "tests/lib/power.h"
#include "tests/lib/scratch.h"
#include "tests/lib/test.h"

/*
 * The power fails at some write: what was reported as done is in the store,
 * what was not is there as a whole or not at all, and nothing is damaged.  A
 * score of moments; SMIME_LONG=1 takes each, several times.
 */
#define BATCHES		10
#define EACH		3	/* certificates of a batch */
#define STEPS		(3 * BATCHES)

/* What the child that dies has done; in memory that both share. */
struct report {
	volatile int		 done;		/* steps */
	volatile unsigned int	 writes;	/* when it has not died */
};

static struct pki_cert	 certs[BATCHES][EACH];
static struct report	*report;
static struct err	 err;

static struct store_options
options_of(const char *dir)
{
	struct store_options	 options = { .dir = dir,
	    .lock_timeout_ms = 1000 };

	memset(options.master_key, 7, sizeof(options.master_key));
	return options;
}

static struct custody *
open_custody(const char *dir, struct err *why)
{
	struct store_options	 options = options_of(dir);
	struct store		*store;

	return store_open(&options, &store, why) ?
	    custody_of_store_take(store) : NULL;
}

static void
make_certs(void)
{
	for (int i = 0; i < BATCHES * EACH; i++) {
		char		 alt[64];
		struct pki_spec	 spec = { .cn = "A", .alt = alt };
		EVP_PKEY	*key = pki_key("P-256");

		snprintf(alt, sizeof(alt), "email:a%d@example.org", i);
		certs[i / EACH][i % EACH] = pki_issue(&spec, key, NULL);
	}
}

static void
free_certs(void)
{
	for (int i = 0; i < BATCHES * EACH; i++) {
		EVP_PKEY_free(certs[i / EACH][i % EACH].key);
		pki_free(&certs[i / EACH][i % EACH]);
	}
}

static struct fingerprint
fingerprint(const struct pki_cert *cert)
{
	struct fingerprint	 fp;

	pki_must(EVP_Digest(cert->der, cert->der_len, fp.bytes, NULL,
	    EVP_sha256(), NULL) == 1, "SHA-256");
	return fp;
}

/* --- in the process that dies ---------------------------------------------------- */

static bool
put_batch(struct custody *custody, int batch)
{
	struct put_cert		 puts[EACH];
	struct put_result	 results[EACH];

	for (int i = 0; i < EACH; i++)
		puts[i] = (struct put_cert){ certs[batch][i].der,
		    certs[batch][i].der_len, CERT_TRUSTED, "test" };
	return custody_put_certs(custody, puts, EACH, PKI_NOW, results, &err);
}

static bool
put_key(struct custody *custody)
{
	struct put_key		 key = { .source = "test" };
	struct put_result	 result;
	uint8_t			*plain;
	bool			 is_ok;

	plain = pki_pkcs8(certs[0][0].key, &key.plain_len);
	key.plain = plain;
	is_ok = custody_put_key(custody, &key, PKI_NOW, &result, &err);
	OPENSSL_free(plain);
	return is_ok && result.verdict == PUT_ADDED;
}

/* Of each batch: put it; a key or distrust; remove its last. */
static bool
do_step(struct custody *custody, int step)
{
	int			 batch = step / 3;
	struct fingerprint	 fp;

	switch (step % 3) {
	case 0:
		return put_batch(custody, batch);
	case 1:
		if (batch == 0)
			return put_key(custody);
		fp = fingerprint(&certs[batch][1]);
		return custody_set_state(custody, &fp, CERT_DISTRUSTED, &err);
	default:
		fp = fingerprint(&certs[batch][EACH - 1]);
		return custody_remove(custody, &fp, false, &err);
	}
}

static void
work(const char *dir)
{
	struct event	 event = { .kind = EVENT_MAIL, .at = PKI_NOW };
	struct custody	*custody = open_custody(dir, &err);

	if (custody == NULL)
		_exit(1);
	for (int step = 0; step < STEPS; step++) {
		if (!do_step(custody, step))
			_exit(1);
		report->done = step + 1;
		/* Which another thread writes, without waiting for the disk. */
		custody_note(custody, &event);
	}
	custody_close(custody);
}

static void
recover(const char *dir)
{
	struct custody	*custody = open_custody(dir, &err);

	if (custody == NULL)
		_exit(1);
	custody_close(custody);
}

static void
create(const char *dir)
{
	struct store_options	 options = options_of(dir);

	if (!store_create(&options, &err)) {
		printf("create: %s\n", err.reason);
		exit(1);
	}
	report->done = 1;
}

/* In a child; false when the power was lost. */
static bool
is_finished(void (*fn)(const char *), const char *dir, unsigned int cut_at,
    unsigned int seed, bool is_lying)
{
	pid_t	 pid;
	int	 status;

	fflush(stdout);
	REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		power_watch(dir, cut_at, seed, is_lying);
		fn(dir);
		report->writes = power_count();
		_exit(0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	REQUIRE(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == POWER_LOST);
	return WEXITSTATUS(status) == 0;
}

/* --- afterwards -------------------------------------------------------------------- */

struct seen {
	bool			 is_there;
	enum cert_state		 state;
	enum key_protection	 key;
};

static bool
look(struct custody *custody, const struct pki_cert *cert, struct seen *seen)
{
	struct fingerprint	 fp = fingerprint(cert);
	struct cert_entry	*entries;
	char			 hex[TEXT_FP_LEN];
	size_t			 n;

	text_fp(&fp, hex);
	if (!custody_lookup(custody, hex, PKI_NOW, &entries, &n, &err))
		return false;
	*seen = (struct seen){ .is_there = n == 1 };
	if (n == 1) {
		seen->state = entries[0].state;
		seen->key = entries[0].key;
	}
	cert_entry_free(entries, n);
	return true;
}

/* What is wrong with a batch, of which so many steps were reported; or NULL. */
static const char *
judge_batch(const struct seen seen[EACH], int batch, int done)
{
	if (done > 0 && !(seen[0].is_there && seen[1].is_there))
		return "what was imported is not there";
	if (done < 0 && (seen[0].is_there || seen[1].is_there ||
	    seen[2].is_there))
		return "something is there that was never imported";
	if (seen[0].is_there != seen[1].is_there ||
	    (done <= 1 && seen[2].is_there != seen[0].is_there))
		return "half of an import is there";
	if (done > 1 && batch == 0 && seen[0].key != KEY_SEALED)
		return "a key is not there";
	if (done > 1 && batch > 0 && seen[1].state != CERT_DISTRUSTED)
		return "what was distrusted is trusted";
	if (done == 2 && !seen[2].is_there && report->done % 3 != 2)
		return "what was imported is not there";
	return done > 2 && seen[2].is_there ? "what was removed is there" :
	    NULL;
}

static const char *
judge_records(struct custody *custody)
{
	struct verify_findings	 findings = { 0 };
	struct buf		 cursor = { 0 };
	static char		 text[1024];
	bool			 is_ok;

	do {
		is_ok = custody_verify(custody, &cursor, &findings, &err);
	} while (is_ok && cursor.len > 0);
	text[0] = '\0';
	if (!is_ok)
		snprintf(text, sizeof(text), "%s", err.reason);
	else if (findings.n > 0)
		snprintf(text, sizeof(text), "%s: %s", findings.list[0].about,
		    findings.list[0].text);
	verify_findings_free(&findings);
	buf_free(&cursor);
	return text[0] == '\0' ? NULL : text;
}

static const char *
judge(const char *dir)
{
	struct custody	*custody = open_custody(dir, &err);
	const char	*fault = NULL;

	if (custody == NULL)
		return err.reason;
	for (int batch = 0; fault == NULL && batch < BATCHES; batch++) {
		struct seen	 seen[EACH];

		for (int i = 0; fault == NULL && i < EACH; i++)
			if (!look(custody, &certs[batch][i], &seen[i]))
				fault = err.reason;
		if (fault == NULL)
			fault = judge_batch(seen, batch,
			    report->done - 3 * batch);
	}
	if (fault == NULL)
		fault = judge_records(custody);
	custody_close(custody);
	return fault;
}

/* --- moments ------------------------------------------------------------------------ */

static const char	*base;		/* an empty store */

static void
renew(const char *dir)
{
	char	 command[1024];

	snprintf(command, sizeof(command), "rm -rf '%s' && cp -a '%s' '%s'",
	    dir, base, dir);
	REQUIRE(system(command) == 0);
	report->done = 0;
}

/* What is wrong when the power failed then, and again during recovery. */
static const char *
fail_at(const char *dir, unsigned int moment, unsigned int seed, bool is_lying)
{
	renew(dir);
	if (!is_finished(work, dir, moment, seed, is_lying) && seed % 2 == 1)
		is_finished(recover, dir, 1 + seed * 7 % 31, seed, is_lying);
	return judge(dir);
}

static void
test_moments(unsigned int every, unsigned int times)
{
	char		 dir[256];
	unsigned int	 writes, n = 0;
	const char	*fault;

	snprintf(dir, sizeof(dir), "%s", scratch_path("moments"));
	renew(dir);
	REQUIRE(is_finished(work, dir, 0, 0, false));
	writes = report->writes;
	REQUIRE(writes > 2 * STEPS);	/* a write and an fsync() each */
	for (unsigned int moment = 1; moment <= writes; moment += every)
		for (unsigned int i = 0; i < times; i++, n++) {
			char	 row[64];

			snprintf(row, sizeof(row), "write %u of %u, seed %u",
			    moment, writes, n);
			test_row(row);
			fault = fail_at(dir, moment, n, false);
			CHECK_STR(fault, NULL);
			test_row(NULL);
		}
	printf("%u moments of %u\n", n, writes);
}

/* So that it is seen that all this would see it. */
static void
test_a_lying_disk(void)
{
	char		 dir[256];
	unsigned int	 n_faults = 0;

	snprintf(dir, sizeof(dir), "%s", scratch_path("lying"));
	for (unsigned int moment = 40; moment < 60; moment += 5)
		if (fail_at(dir, moment, 2 * moment, true) != NULL)
			n_faults++;
	CHECK(n_faults > 0);
}

/* A store that was not made to its end is made again. */
static void
test_creation(unsigned int every)
{
	struct custody	*custody;
	char		 dir[256], row[64];
	unsigned int	 writes = 1;

	for (unsigned int moment = 0; moment <= writes; moment += every) {
		snprintf(row, sizeof(row), "creation, write %u", moment);
		snprintf(dir, sizeof(dir), "%s", scratch_folder(row));
		test_row(row);
		report->done = 0;
		if (is_finished(create, dir, moment, moment, false) &&
		    moment == 0)
			writes = report->writes;
		custody = open_custody(dir, &err);
		if (custody == NULL && report->done == 0) {
			create(dir);
			custody = open_custody(dir, &err);
		}
		CHECK_OK(custody != NULL, err);
		custody_close(custody);
		test_row(NULL);
	}
}

int
main(void)
{
	bool			 is_long = getenv("SMIME_LONG") != NULL;
	struct store_options	 options;

	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(report != MAP_FAILED);
	make_certs();
	base = strdup(scratch_folder("base"));
	options = options_of(base);
	REQUIRE_OK(store_create(&options, &err), err);
	test_moments(is_long ? 1 : 4, is_long ? 5 : 1);
	test_a_lying_disk();
	test_creation(is_long ? 1 : 4);
	free_certs();
	munmap(report, sizeof(*report));
	return test_done("power");
}
