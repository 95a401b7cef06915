/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the store costs with N certificates, a million by default:
 *
 *	bench-store [N [FOLDER]]
 *
 * Imports them, looks addresses up, opens the store after a clean stop and
 * after a kill, and prints one line for each.  The certificates are one
 * template with other numbers, addresses and keys in it; their signatures are
 * not valid, which nothing here asks.  FOLDER is where the store is made
 * and removed; /tmp by default.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include <signal.h>
#include <time.h>

#include "base/mem.h"
#include "store/cert.h"
#include "store/custody.h"
#include "store/store.h"
#include "tests/lib/pki.h"

#define BATCH		1000	/* certificates in a transaction */
#define WORKING_SET	10000	/* addresses that mail goes to */
#define LOOKUPS		50000
#define ADDRESS		"u00000000@bench.example"

/* A certificate and the places in it that differ from one to the next. */
struct template {
	struct pki_cert	 cert;
	uint8_t		*address;
	uint8_t		*serial;
	uint8_t		*ski;
	uint8_t		*modulus;
};

static struct err	 err;
static struct template	 template;
static char		 dir[256];

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	printf("%s: %s\n", what, err.reason);
	exit(1);
}

static uint8_t *
find(const void *bytes, size_t len)
{
	uint8_t	*p = memmem(template.cert.der, template.cert.der_len, bytes,
		    len);

	pki_must(p != NULL, "find a place in the template");
	return p;
}

static void
make_template(void)
{
	struct pki_spec		 spec = { .cn = "A Correspondent",
				    .alt = "email:" ADDRESS,
				    .ku = "digitalSignature,keyEncipherment",
				    .eku = "emailProtection",
				    .until = 3650 };
	struct pki_spec		 ca_spec = { .cn = "A CA", .is_ca = true };
	EVP_PKEY		*key = pki_key("RSA2048"),
				*ca_key = pki_key("RSA2048");
	struct pki_cert		 ca = pki_issue(&ca_spec, ca_key, NULL);
	BIGNUM			*n = NULL;
	uint8_t			 modulus[256];
	const ASN1_OCTET_STRING	*ski;
	X509			*x509;
	const unsigned char	*p;

	template.cert = pki_issue(&spec, key, &ca);
	/* A serial number of eight bytes; the template's has two. */
	x509 = template.cert.x509;
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509),
	    0x7172737475767778);
	X509_sign(x509, ca_key, EVP_sha256());
	OPENSSL_free(template.cert.der);
	template.cert.der = NULL;
	template.cert.der_len = (size_t)i2d_X509(x509, &template.cert.der);
	template.address = find(ADDRESS, sizeof(ADDRESS) - 1);
	template.serial = find("qrstuvwx", 8);
	ski = X509_get0_subject_key_id(x509);
	p = ASN1_STRING_get0_data(ski);
	template.ski = find(p, (size_t)ASN1_STRING_length(ski));
	EVP_PKEY_get_bn_param(key, "n", &n);
	pki_must(BN_bn2binpad(n, modulus, sizeof(modulus)) > 0, "modulus");
	template.modulus = find(modulus, sizeof(modulus)) + 100;
	BN_free(n);
	pki_free(&ca);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
}

static void
address(unsigned i, char out[32])
{
	snprintf(out, 32, "u%08u@bench.example", i);
}

static uint8_t *
make_cert(unsigned i)
{
	char	 addr[32];

	address(i, addr);
	memcpy(template.address, addr, sizeof(ADDRESS) - 1);
	memcpy(template.serial + 4, &i, sizeof(i));
	memcpy(template.ski, &i, sizeof(i));
	memcpy(template.modulus, &i, sizeof(i));
	return mem_dup(template.cert.der, template.cert.der_len);
}

static double
seconds(clockid_t clock)
{
	struct timespec	 ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct custody *
open_store(void)
{
	struct store_options	 options = { .dir = dir,
				    .lock_timeout_ms = 10000 };
	struct store		*store;

	memset(options.master_key, 7, sizeof(options.master_key));
	must(store_open(&options, &store, &err), "open");
	return custody_of_store_take(store);
}

static void
put_batch(struct custody *custody, unsigned from, unsigned n)
{
	static struct put_cert		 certs[BATCH];
	static struct put_result	 results[BATCH];

	for (unsigned i = 0; i < n; i++)
		certs[i] = (struct put_cert){ make_cert(from + i),
		    template.cert.der_len, CERT_TRUSTED, "bench" };
	must(custody_put_certs(custody, certs, n, PKI_NOW, results, &err),
	    "import");
	for (unsigned i = 0; i < n; i++) {
		if (results[i].verdict != PUT_ADDED) {
			printf("certificate %u: %s\n", from + i,
			    results[i].reason);
			exit(1);
		}
		free(results[i].reason);
		free((void *)(uintptr_t)certs[i].der);
	}
}

static void
import(struct custody *custody, unsigned n)
{
	double	 wall = seconds(CLOCK_MONOTONIC);
	double	 cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);

	for (unsigned i = 0; i < n; i += BATCH)
		put_batch(custody, i, n - i < BATCH ? n - i : BATCH);
	wall = seconds(CLOCK_MONOTONIC) - wall;
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	printf("import       %u certificates, %.0f/s (%.0f/s of processor "
	    "time)\n", n, n / wall, n / cpu);
}

static int
compare(const void *a, const void *b)
{
	double	 x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* From an address to its certificate; over a working set, and over all. */
static void
look_up(struct custody *custody, unsigned n, unsigned set, const char *name)
{
	static double	 took[LOOKUPS];
	struct finding	*finding;
	char		 addr[32];

	srandom(4711);
	for (int i = -LOOKUPS; i < LOOKUPS; i++) {
		double	 start;

		address((unsigned)random() % set * (n / set), addr);
		start = seconds(CLOCK_MONOTONIC);
		must(custody_find(custody, addr, CERT_USE_ENCRYPT, PKI_NOW,
		    &finding, &err), "look up");
		/* The first half only warms up. */
		if (i >= 0)
			took[i] = seconds(CLOCK_MONOTONIC) - start;
		pki_must(finding->der != NULL, "a usable certificate");
		finding_free(finding);
	}
	qsort(took, LOOKUPS, sizeof(took[0]), compare);
	printf("look up      %s: median %.1f us, 99 of 100 within %.1f us\n",
	    name, took[LOOKUPS / 2] * 1e6, took[LOOKUPS / 100 * 99] * 1e6);
}

static void
print_memory(void)
{
	char	 line[256];
	FILE	*status = fopen("/proc/self/status", "re");

	while (status != NULL && fgets(line, sizeof(line), status) != NULL)
		if (strncmp(line, "VmRSS:", 6) == 0)
			printf("memory       %.0f MB\n",
			    strtod(line + 6, NULL) / 1024);
	if (status != NULL)
		fclose(status);
}

static void
time_open(const char *after)
{
	double		 start = seconds(CLOCK_MONOTONIC);
	struct custody	*custody = open_store();

	printf("open         after %s: %.3f s\n", after,
	    seconds(CLOCK_MONOTONIC) - start);
	custody_close(custody);
}

/* In the middle of an import. */
static void
kill_importer(unsigned n)
{
	struct timespec	 pause = { 2, 0 };
	pid_t		 pid;
	int		 status;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		struct custody	*custody = open_store();

		for (unsigned i = n;; i += BATCH)
			put_batch(custody, i, BATCH);
	}
	nanosleep(&pause, NULL);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

int
main(int argc, char **argv)
{
	unsigned		 n = argc > 1 ? (unsigned)atoi(argv[1]) :
				    1000000;
	unsigned		 set = n < WORKING_SET ? n : WORKING_SET;
	struct store_options	 options = { .dir = dir };
	struct custody		*custody;
	char			 command[512];

	if (n == 0) {
		fprintf(stderr, "usage: bench-store [N [FOLDER]]\n");
		return 2;
	}
	snprintf(dir, sizeof(dir), "%s/bench-store.XXXXXX", argc > 2 ?
	    argv[2] : "/tmp");
	pki_must(mkdtemp(dir) != NULL, dir);
	setvbuf(stdout, NULL, _IOLBF, 0);
	memset(options.master_key, 7, sizeof(options.master_key));
	make_template();
	must(store_create(&options, &err), "create");
	custody = open_store();
	import(custody, n);
	custody_close(custody);
	time_open("a clean stop");
	custody = open_store();
	look_up(custody, n, set, "10000 addresses");
	look_up(custody, n, n, "all");
	print_memory();
	custody_close(custody);
	kill_importer(n);
	time_open("a kill");
	pki_free(&template.cert);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command) == 0 ? 0 : 1;
}
