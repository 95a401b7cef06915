/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <time.h>

#include <openssl/cms.h>
#include <openssl/pem.h>

#include "store/cert.h"
#include "store/custody.h"
#include "store/store.h"
#include "tests/lib/pki.h"
#include "tests/lib/scratch.h"
#include "tests/lib/test.h"

/*
 * Several threads sign for several people, each of whom has mails by turns
 * with other digests and paddings, while the store changes beneath them.  Each
 * signature must be of its own mail, in the way asked for, by the one asked
 * for, and of now.
 */
#define THREADS	4
#define TURNS	60

static struct person {
	const char	*kind;		/* of pki_key() */
	const char	*addr;
	bool		 has_reply;	/* has another certificate for encryption */
	struct pki_cert	 cert;
	struct fingerprint fp;
} people[] = {
	{ "RSA2048", "r@example.org", .has_reply = false },
	{ "RSA2048", "s@example.org", .has_reply = true },
	{ "RSA-PSS", "t@example.org", .has_reply = true },
	{ "P-256", "u@example.org", .has_reply = false },
	{ "P-256", "v@example.org", .has_reply = true },
	{ "P-384", "w@example.org", .has_reply = false },
	{ "P-521", "x@example.org", .has_reply = true },
};

#define PEOPLE	TEST_LEN(people)

/* The first is what a person has most often. */
static const struct manner {
	enum digest	 digest;
	bool		 use_pss;
} manners[] = {
	{ DIGEST_SHA256, false },
	{ DIGEST_SHA256, true },
	{ DIGEST_SHA512, false },
	{ DIGEST_SHA256, false },
	{ DIGEST_SHA384, true },
};

struct mail {
	const struct person	*person;
	const struct manner	*manner;
	char			 content[64];
	struct buf		 signed_data;
	bool			 is_signed;
	struct err		 err;
};

static struct mail	 mails[THREADS][TURNS];
static struct custody	*custody;
static struct pki_cert	 root, stranger;
static EVP_PKEY		*root_key;
static struct err	 err;

static struct fingerprint
fp_of(const struct pki_cert *cert)
{
	struct cert_facts	 facts;
	struct fingerprint	 fp;

	REQUIRE_OK(cert_read(cert->der, cert->der_len, &facts, &err), err);
	fp = facts.fp;
	cert_facts_free(&facts);
	return fp;
}

static bool
put(const struct pki_cert *cert, enum cert_state state, struct err *why)
{
	struct put_cert		 one = { cert->der, cert->der_len, state,
				    "test" };
	struct put_result	 result = { 0 };
	bool			 is_ok;

	is_ok = custody_put_certs(custody, &one, 1, PKI_NOW, &result, why);
	free(result.reason);
	return is_ok;
}

static struct pki_spec
leaf(const char *addr, const char *ku)
{
	static char	 alt[64];

	snprintf(alt, sizeof(alt), "email:%s", addr);
	return (struct pki_spec){ .cn = addr, .alt = alt, .ku = ku,
	    .eku = "emailProtection", .until = 9000 };
}

static void
make_person(struct person *person)
{
	EVP_PKEY		*key = pki_key(person->kind);
	struct pki_spec		 spec = leaf(person->addr,
				    person->has_reply ?
				    "critical,digitalSignature" :
				    "critical,digitalSignature,"
				    "keyEncipherment,keyAgreement");
	struct put_key		 one = { .source = "test" };
	struct put_result	 result = { 0 };
	struct pki_cert		 reply;
	uint8_t			*der = pki_pkcs8(key, &one.plain_len);

	person->cert = pki_issue(&spec, key, &root);
	person->fp = fp_of(&person->cert);
	REQUIRE_OK(put(&person->cert, CERT_TRUSTED, &err), err);
	one.plain = der;
	REQUIRE_OK(custody_put_key(custody, &one, PKI_NOW, &result, &err),
	    err);
	CHECK_INT(result.verdict, PUT_ADDED);
	free(result.reason);
	OPENSSL_free(der);
	if (!person->has_reply)
		return;
	spec = leaf(person->addr, "critical,keyAgreement");
	reply = pki_issue(&spec, root_key, &root);
	REQUIRE_OK(put(&reply, CERT_CHAIN, &err), err);
	pki_free(&reply);
}

static void
sign(struct mail *mail)
{
	struct sign_request	 request = { .from = mail->person->addr,
				    .fp = mail->person->fp,
				    .digest = mail->manner->digest,
				    .use_pss = mail->manner->use_pss };

	EVP_Digest(mail->content, strlen(mail->content), request.hash, NULL,
	    EVP_get_digestbyname(alg_digest_openssl(request.digest)), NULL);
	mail->is_signed = custody_sign(custody, &request, &mail->signed_data,
	    &mail->err);
}

/* All begin with the same people, and go on in orders of their own. */
static void *
sign_all(void *arg)
{
	size_t	 thread = (size_t)(uintptr_t)arg;

	for (size_t i = 0; i < TURNS; i++) {
		struct mail	*mail = &mails[thread][i];
		size_t		 turn = i / PEOPLE;

		mail->person = &people[(i * (1 + thread % 3)) % PEOPLE];
		mail->manner = &manners[(turn + thread) % TEST_LEN(manners)];
		snprintf(mail->content, sizeof(mail->content),
		    "Content-Type: text/plain\r\n\r\nMail %zu.%zu\r\n", thread,
		    i);
		sign(mail);
	}
	return NULL;
}

/* Each change makes the store forget what it keeps. */
static void *
change_store(void *arg)
{
	const struct fingerprint *fp = arg;
	struct timespec		 pause = { .tv_nsec = 20 * 1000 * 1000 };
	intptr_t		 n_failed = 0;
	struct err		 why;

	for (int i = 0; i < 3; i++) {
		nanosleep(&pause, NULL);
		n_failed += !put(&stranger, CERT_TRUSTED, &why);
		nanosleep(&pause, NULL);
		n_failed += !custody_remove(custody, fp, false, &why);
	}
	return (void *)n_failed;
}

static bool
is_of_time(CMS_SignerInfo *si, time_t from, time_t to)
{
	ASN1_TYPE	*type = X509_ATTRIBUTE_get0_type(CMS_signed_get_attr(
			    si, CMS_signed_get_attr_by_NID(si,
			    NID_pkcs9_signingTime, -1)), 0);
	struct tm	 tm;
	time_t		 at;

	REQUIRE(type != NULL && ASN1_TIME_to_tm(type->value.utctime, &tm) ==
	    1);
	at = timegm(&tm);
	return at >= from && at <= to;
}

static void
check_manner(CMS_SignerInfo *si, const struct mail *mail)
{
	int		 kind = EVP_PKEY_get_base_id(mail->person->cert.key);
	bool		 is_pss = kind == EVP_PKEY_RSA_PSS ||
			    (kind == EVP_PKEY_RSA && mail->manner->use_pss);
	X509_ALGOR	*digest, *signature;

	CMS_SignerInfo_get0_algs(si, NULL, NULL, &digest, &signature);
	CHECK_INT(OBJ_obj2nid(digest->algorithm), EVP_MD_get_type(
	    EVP_get_digestbyname(alg_digest_openssl(mail->manner->digest))));
	CHECK_INT(OBJ_obj2nid(signature->algorithm) == NID_rsassaPss, is_pss);
	CHECK_INT(CMS_signed_get_attr_by_NID(si, NID_id_smime_aa_encrypKeyPref,
	    -1) >= 0, mail->person->has_reply);
}

static void
check_mail(const struct mail *mail, X509_STORE *trusted, time_t from,
    time_t to)
{
	const unsigned char	*p = mail->signed_data.data;
	CMS_ContentInfo		*cms;
	BIO			*in;
	STACK_OF(X509)		*signers;

	if (!mail->is_signed) {
		CHECK_STR(mail->err.reason, NULL);
		return;
	}
	cms = d2i_CMS_ContentInfo(NULL, &p, (long)mail->signed_data.len);
	REQUIRE(cms != NULL);
	in = BIO_new_mem_buf(mail->content, -1);
	CHECK_INT(CMS_verify(cms, NULL, trusted, in, NULL, CMS_BINARY |
	    CMS_DETACHED), 1);
	signers = CMS_get0_signers(cms);
	CHECK(sk_X509_num(signers) == 1 && X509_cmp(sk_X509_value(signers, 0),
	    mail->person->cert.x509) == 0);
	check_manner(sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0),
	    mail);
	CHECK(is_of_time(sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms),
	    0), from, to));
	sk_X509_free(signers);
	BIO_free(in);
	CMS_ContentInfo_free(cms);
}

/* "openssl cms -verify", as somebody else's program. */
static void
check_with_openssl(const struct mail *mail)
{
	char	 command[1024];
	FILE	*pem = fopen(scratch_path("root.pem"), "w");

	REQUIRE(pem != NULL && PEM_write_X509(pem, root.x509) == 1);
	fclose(pem);
	scratch_write(scratch_path("sig.der"), mail->signed_data.data,
	    mail->signed_data.len);
	scratch_write(scratch_path("content"), mail->content,
	    strlen(mail->content));
	snprintf(command, sizeof(command), "openssl cms -verify -binary "
	    "-inform DER -in '%s' -content '%s' -CAfile '%s' -purpose "
	    "smimesign -out /dev/null 2>'%s'", scratch_path("sig.der"),
	    scratch_path("content"), scratch_path("root.pem"),
	    scratch_path("log"));
	CHECK_INT(system(command), 0);
}

static void
check_all(time_t from, time_t to)
{
	X509_STORE	*trusted = X509_STORE_new();

	X509_STORE_add_cert(trusted, root.x509);
	for (size_t i = 0; i < THREADS; i++)
		for (size_t j = 0; j < TURNS; j++) {
			test_row(mails[i][j].person->addr);
			check_mail(&mails[i][j], trusted, from, to);
			if (i == 0 && j >= TURNS - PEOPLE)
				check_with_openssl(&mails[i][j]);
			buf_free(&mails[i][j].signed_data);
		}
	test_row(NULL);
	X509_STORE_free(trusted);
}

static void
open_custody(void)
{
	static const struct pki_spec	 root_spec = { .cn = "Root",
	    .is_ca = true, .ku = "critical,keyCertSign", .until = 9000 };
	struct store_options	 options = { .dir = scratch_folder("store"),
				    .lock_timeout_ms = 1000 };
	struct pki_spec		 spec = leaf("stranger@example.org", NULL);
	struct store		*store = NULL;

	memset(options.master_key, 7, sizeof(options.master_key));
	REQUIRE_OK(store_create(&options, &err), err);
	REQUIRE_OK(store_open(&options, &store, &err), err);
	custody = custody_of_store_take(store);
	root_key = pki_key("P-256");
	root = pki_issue(&root_spec, root_key, NULL);
	stranger = pki_issue(&spec, root_key, &root);
	REQUIRE_OK(put(&root, CERT_ANCHOR, &err), err);
	for (size_t i = 0; i < PEOPLE; i++)
		make_person(&people[i]);
}

static void
close_custody(void)
{
	custody_close(custody);
	for (size_t i = 0; i < PEOPLE; i++) {
		EVP_PKEY_free(people[i].cert.key);
		pki_free(&people[i].cert);
	}
	pki_free(&stranger);
	pki_free(&root);
	EVP_PKEY_free(root_key);
}

int
main(void)
{
	pthread_t	 threads[THREADS], changer;
	struct fingerprint stranger_fp;
	time_t		 from;
	void		*n_failed;

	open_custody();
	stranger_fp = fp_of(&stranger);
	from = time(NULL);
	REQUIRE(pthread_create(&changer, NULL, change_store,
	    &stranger_fp) == 0);
	for (size_t i = 0; i < THREADS; i++)
		REQUIRE(pthread_create(&threads[i], NULL, sign_all,
		    (void *)(uintptr_t)i) == 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	pthread_join(changer, &n_failed);
	CHECK_INT((intptr_t)n_failed, 0);
	check_all(from, time(NULL));
	close_custody();
	return test_done("signed_frame");
}
