/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/socket.h>

#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "base/mem.h"
#include "milter/snapshot.h"
#include "milter/vault_answer.h"
#include "milter/vault_client.h"
#include "milter/vault_upload.h"
#include "milter/vault_wire.h"
#include "policy/config.h"
#include "policy/config_parse.h"
#include "store/stamp_key.h"
#include "tests/lib/fake_custody.h"
#include "tests/lib/test.h"

/*
 * A client and the vault's answers, with a socket between them and a custody
 * behind that says the same every time: what is asked arrives, what is
 * answered comes back, and nobody may ask for more than is his.
 */
struct side {
	struct vault		 vault;
	enum vault_rights	 rights;
	int			 fd;
	sem_t			*gate;		/* before the first answer */
};

/* What the vault refused last; its thread has written before it answers. */
static char	 recorded[512];

static void
record(const struct sign_request *request, const char *reason)
{
	snprintf(recorded, sizeof(recorded), "%s|%s", request->from, reason);
}

static const char	 config_text[] = "enabled = true\nkey-rate = 77\n"
    "group \"never\" {\n\tmembers = { \"@never.example\" }\n"
    "\tsign = never\n\toverride = false\n}\n";

static void
use_config(const char *text)
{
	static char		 path[] = "test.conf";
	struct config_source	 source = { .path = path,
	    .bytes = (char *)(uintptr_t)text, .len = strlen(text) };
	struct config		*config;
	struct err		 err = { 0 };

	REQUIRE_OK(config_parse(&source, 1, &config, &err), err);
	snapshot_swap_take(config);
}
/* Of the client that was connected last. */
static struct stamper	 stamper;

static void *
answer_all(void *arg)
{
	struct side	*side = arg;
	static uint8_t	 request[WIRE_MAX];
	struct buf	 answer = { 0 };
	sem_t		*gate = side->gate;
	ssize_t		 len;

	while ((len = recv(side->fd, request, sizeof(request), 0)) > 0) {
		if (gate != NULL)
			sem_wait(gate);
		gate = NULL;
		buf_clear(&answer);
		vault_answer(&side->vault, side->rights, request, (size_t)len,
		    &answer);
		if (answer.len > 0)
			send(side->fd, answer.data, answer.len, MSG_NOSIGNAL);
	}
	buf_free(&answer);
	close(side->fd);
	return NULL;
}

/* The first answer is given when the second request has come. */
static void *
open_gate(void *arg)
{
	struct side	*side = arg;
	char		 byte;

	recv(side->fd, &byte, 1, MSG_PEEK);
	sem_post(side->gate);
	return NULL;
}

static struct custody *
connect_to(struct side *side, enum vault_rights rights, sem_t *gate,
    int timeout_ms, pthread_t *thread)
{
	int	 pair[2];

	REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	*side = (struct side){ .rights = rights, .fd = pair[1], .gate = gate };
	side->vault.custody = custody_new(&fake_custody_ops, NULL);
	side->vault.record = record;
	REQUIRE(pthread_create(thread, NULL, answer_all, side) == 0);
	return vault_client_new(&pair[0], 1, timeout_ms, &stamper);
}

static void
finish(struct custody *custody, struct side *side, pthread_t thread)
{
	custody_close(custody);
	pthread_join(thread, NULL);
	custody_close(side->vault.custody);
}

static void
test_what_a_filter_asks(void)
{
	struct side		 side;
	pthread_t		 thread;
	struct custody		*c = connect_to(&side, VAULT_DIRECT, NULL, 5000,
	    &thread);
	struct sign_request	 request = { .from = "a@example.org",
	    .login = "a@example.org", .queue_id = "4Xk1", .digest =
	    DIGEST_SHA256, .use_pss = true };
	struct finding		*f = NULL;
	struct buf		 out = { 0 };
	struct err		 err = { 0 };

	CHECK_OK(custody_find(c, "a@example.org", CERT_USE_SIGN, 1764032455,
	    &f, &err), err);
	REQUIRE(f != NULL);
	CHECK_INT(f->n, 2);
	CHECK_INT(f->candidates[0].fp.bytes[31], 0xab);
	CHECK_INT(f->candidates[0].not_before, -5);
	CHECK_INT(f->candidates[0].not_after, 1764032455);
	CHECK(f->candidates[0].has_key);
	CHECK_STR(f->candidates[0].reason, NULL);
	CHECK_STR(f->candidates[1].reason, "certificate expired 2026-03-01");
	CHECK_MEM(f->der, f->der_len, "\x30\x00", 2);
	finding_free(f);

	f = NULL;
	CHECK(!custody_find(c, "broken@example.org", CERT_USE_SIGN, 0, &f,
	    &err));
	CHECK_INT(err.kind, ERR_TEMP);
	CHECK_STR(err.reason, "the disk is gone");
	CHECK(f == NULL);

	memset(request.hash, 'h', sizeof(request.hash));
	CHECK_OK(custody_sign(c, &request, &out, &err), err);
	CHECK_MEM(out.data, out.len, "a@example.org|a@example.org|-|4Xk1|"
	    "sha-256 pss|77|hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh", 82);
	buf_free(&out);
	finish(c, &side, thread);
}

static void
check_refused(struct custody *c, const struct sign_request *request,
    const char *reason)
{
	struct buf	 out = { 0 };
	struct err	 err = { 0 };
	char		 want[256];

	snprintf(recorded, sizeof(recorded), "nothing");
	CHECK(!custody_sign(c, request, &out, &err));
	CHECK_INT(err.kind, ERR_TEMP);
	snprintf(want, sizeof(want), "the vault does not sign: %s", reason);
	CHECK_STR(err.reason, want);
	snprintf(want, sizeof(want), "%s|%s", request->from, reason);
	CHECK_STR(recorded, want);
	CHECK_INT(out.len, 0);
	buf_free(&out);
}

static void
test_signatures_nobody_may_have(void)
{
	struct side		 side;
	pthread_t		 thread;
	struct custody		*c = connect_to(&side, VAULT_DIRECT, NULL, 5000,
	    &thread);
	struct sign_request	 request = { .from = "a@example.org" };

	test_row("nobody logged in");
	check_refused(c, &request, "nobody is authenticated");
	test_row("somebody else logged in");
	request.login = "b@example.org";
	check_refused(c, &request, "login b@example.org may not use "
	    "From <a@example.org>");
	test_row("a group that never signs");
	request.login = request.from = "a@never.example";
	check_refused(c, &request, "the group of a@never.example never signs");
	test_row("nothing is enabled");
	request.login = request.from = "a@example.org";
	use_config("");
	check_refused(c, &request, "signing is not enabled");
	use_config(config_text);
	test_row("what custody_sign() refuses");
	request.from = request.login = "broken@example.org";
	check_refused(c, &request, "the key is gone");
	test_row(NULL);
	finish(c, &side, thread);
}

static void
test_what_a_filter_may_not_ask(void)
{
	struct side		 side;
	pthread_t		 thread;
	struct custody		*c = connect_to(&side, VAULT_DIRECT, NULL, 5000,
	    &thread);
	struct fingerprint	 fp = { { 0 } };
	struct cert_entry	*list = NULL;
	enum key_protection	 protection = KEY_NONE;
	struct put_result	 result = { 0 };
	struct put_cert		 cert = { .der = (const uint8_t *)"x",
	    .der_len = 1 };
	struct put_crl		 crl = { .der = (const uint8_t *)"x",
	    .der_len = 1 };
	struct buf		 key = { 0 };
	uint8_t			 new_master[MASTER_KEY_LEN] = { 42 };
	struct err		 err = { 0 };
	size_t			 n = 0;

	CHECK(!custody_list(c, NULL, 10, 0, &list, &n, &err));
	CHECK_STR(err.reason, "request 7 is not answered here");
	CHECK(!custody_lookup(c, "a@b.example", 0, &list, &n, &err));
	CHECK(!custody_put_certs(c, &cert, 1, 0, &result, &err));
	CHECK(!custody_put_crl(c, &crl, 0, &result, &err));
	CHECK(!custody_remove_crls(c, &fp, &err));
	CHECK(!custody_get_key(c, &fp, &protection, &key, &err));
	CHECK(!custody_set_state(c, &fp, CERT_ANCHOR, &err));
	CHECK(!custody_remove(c, &fp, false, &err));
	CHECK(!custody_rewrap(c, new_master, 0, &n, &err));
	CHECK_INT(key.len, 0);
	buf_free(&key);
	finish(c, &side, thread);
}

/* A list is larger than a packet: the pieces are put together again. */
static void
test_large_list(void)
{
	static const size_t	 sizes[] = { 1, WIRE_PIECE - 1, WIRE_PIECE,
				    WIRE_PIECE + 1, 3 * WIRE_PIECE + 7 };
	struct side		 side;
	pthread_t		 thread;
	struct custody		*c = connect_to(&side, VAULT_ADMIN, NULL, 5000,
	    &thread);
	struct fingerprint	 none = { { 9 } }, some = { { 8 } };
	uint8_t			*bytes = malloc(4 * WIRE_PIECE);
	struct put_crl		 crl = { .der = bytes, .source = "here" };
	struct err		 err = { 0 };

	for (size_t i = 0; i < 4 * WIRE_PIECE; i++)
		bytes[i] = (uint8_t)(i * i >> 3);
	for (size_t i = 0; i < TEST_LEN(sizes); i++) {
		struct put_result	 direct = { 0 }, got = { 0 };

		crl.der_len = sizes[i];
		crl.is_dry_run = i % 2 == 1;
		fake_put_crl(NULL, "", &crl, 0, &direct, &err);
		REQUIRE_OK(custody_put_crl(c, &crl, 0, &got, &err), err);
		CHECK_INT(got.verdict, direct.verdict);
		CHECK_STR(got.reason, direct.reason);
		free(direct.reason);
		free(got.reason);
	}
	CHECK_OK(custody_remove_crls(c, &some, &err), err);
	CHECK(!custody_remove_crls(c, &none, &err));
	CHECK_INT(err.kind, ERR_DATA);
	free(bytes);
	finish(c, &side, thread);
}

/* Pieces that do not belong together make no whole. */
static void
test_pieces(void)
{
	struct wire_piece	 piece = { .total = 4,
				    .data = (const uint8_t *)"abcd" };
	struct buf		 whole = { 0 };
	struct err		 err;
	bool			 is_whole;

	piece.len = 2;
	REQUIRE_OK(vault_upload_add(&piece, &whole, &is_whole, &err), err);
	CHECK(!is_whole);
	test_row("somebody else's");
	piece.token[0] = 1;
	piece.offset = 2;
	CHECK(!vault_upload_add(&piece, &whole, &is_whole, &err));
	CHECK_INT(err.kind, ERR_TEMP);
	test_row("the first again, where the second belongs");
	piece.token[0] = 0;
	piece.offset = 1;
	CHECK(!vault_upload_add(&piece, &whole, &is_whole, &err));
	test_row("the second");
	piece.offset = 2;
	piece.data += 2;
	REQUIRE_OK(vault_upload_add(&piece, &whole, &is_whole, &err), err);
	CHECK(is_whole);
	CHECK_MEM(whole.data, whole.len, "abcd", 4);
	test_row("too large");
	piece.offset = 0;
	piece.total = VAULT_UPLOAD_MAX + 1;
	CHECK(!vault_upload_add(&piece, &whole, &is_whole, &err));
	CHECK_INT(err.kind, ERR_DATA);
	test_row(NULL);
	buf_free(&whole);
}

static void
test_what_an_administrator_asks(void)
{
	struct side		 side;
	pthread_t		 thread;
	struct custody		*c = connect_to(&side, VAULT_ADMIN, NULL, 5000,
	    &thread);
	struct fingerprint	 fp = { { 0 } };
	struct sign_request	 request = { .from = "a@example.org",
	    .login = "a@example.org" };
	struct cert_entry	*list = NULL;
	enum key_protection	 protection = KEY_NONE;
	struct put_result	 result = { 0 };
	struct put_key		 key = { .plain = (const uint8_t *)"plain",
	    .plain_len = 5 };
	struct buf		 out = { 0 };
	uint8_t			 new_master[MASTER_KEY_LEN] = { 42 };
	struct stamp_keys	 stamps;
	struct err		 err = { 0 };
	size_t			 n = 0;

	CHECK_OK(custody_list(c, NULL, 10, 0, &list, &n, &err), err);
	REQUIRE(n == 3);
	CHECK_INT(list[2].fp.bytes[0], 3);
	CHECK_MEM(list[2].der, list[2].der_len, "certificate", 11);
	CHECK_INT(list[2].state, CERT_ANCHOR);
	CHECK_INT(list[2].added, 1700000002);
	CHECK_STR(list[2].source, "a file");
	CHECK_INT(list[2].key, KEY_SEALED);
	CHECK_STR(list[0].trusted_by, NULL);
	CHECK_STR(list[2].trusted_by, "itself");
	cert_entry_free(list, n);
	CHECK_OK(custody_list(c, &fp, 10, 0, &list, &n, &err), err);
	CHECK_INT(n, 0);
	cert_entry_free(list, n);

	CHECK_OK(custody_put_key(c, &key, 0, &result, &err), err);
	CHECK_INT(result.verdict, PUT_ADDED);
	free(result.reason);
	CHECK_OK(custody_get_key(c, &fp, &protection, &out, &err), err);
	CHECK_INT(protection, KEY_PASSPHRASE);
	CHECK_MEM(out.data, out.len, "secret", 6);
	CHECK_OK(custody_set_state(c, &fp, CERT_TRUSTED, &err), err);
	CHECK(!custody_set_state(c, &fp, CERT_DISTRUSTED, &err));
	CHECK_INT(err.kind, ERR_DATA);
	CHECK_OK(custody_remove(c, &fp, true, &err), err);
	CHECK_OK(custody_rewrap(c, new_master, 1700000000, &n, &err), err);
	CHECK_INT(n, new_master[0]);
	/* What stamps are made with is the vault's alone. */
	CHECK(!custody_stamp_keys(c, &stamps, &err));
	CHECK_INT(err.kind, ERR_BUG);

	/* smimectl seal signs as the filter would. */
	buf_clear(&out);
	CHECK_OK(custody_sign(c, &request, &out, &err), err);
	request.login = NULL;
	CHECK(!custody_sign(c, &request, &out, &err));
	buf_free(&out);
	finish(c, &side, thread);
}

/* Each role's filter gets what that role needs, and nothing else. */
static void
test_stamps(void)
{
	static const struct {
		const char		*what;
		enum vault_rights	 rights;
		bool			 may_sign, may_make, may_check;
	}			 rows[] = {
		{ "direct", VAULT_DIRECT, true, false, false },
		{ "stamp", VAULT_STAMP, false, true, false },
		{ "seal", VAULT_SEAL, true, false, true },
		{ "an administrator", VAULT_ADMIN, true, false, false },
	};
	char			*text = NULL, *other = NULL;
	struct err		 err = { 0 };

	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		struct side		 side;
		pthread_t		 thread;
		struct custody		*c = connect_to(&side,
		    rows[i].rights, 0, 5000, &thread);
		struct sign_request	 sign = { .from = "a@example.org",
		    .login = "a@example.org" };
		struct stamp		 stamp = { .time = 1, .encrypt =
		    WISH_NO, .was_encryptable = true }, out;
		struct stamp_query	 query = { .text = text == NULL ?
		    "v=1" : text, .sender = "a@example.org" };
		struct finding		*f = NULL;
		struct buf		 der = { 0 };

		test_row(rows[i].what);
		CHECK(custody_find(c, "a@example.org", CERT_USE_SIGN, 1, &f,
		    &err));
		finding_free(f);
		CHECK_INT(custody_sign(c, &sign, &der, &err),
		    rows[i].may_sign);
		buf_free(&der);
		stamp.login = mem_str("a@example.org");
		stamp.sender = mem_str("a@example.org");
		CHECK_INT(stamper.make(stamper.arg, &stamp, &other, &err),
		    rows[i].may_make);
		if (rows[i].may_make)
			text = other;
		stamp_clear(&stamp);
		CHECK_INT(stamper.check(stamper.arg, &query, &out, &err),
		    rows[i].may_check);
		if (rows[i].may_check) {
			/* The time is the vault's, not what was asked for. */
			CHECK(out.time > 1764000000);
			CHECK_STR(out.login, "a@example.org");
			CHECK_STR(out.client, NULL);
			CHECK_INT(out.encrypt, WISH_NO);
			CHECK(out.was_encryptable);
			stamp_clear(&out);
			query.text = "v=1";
			CHECK(!stamper.check(stamper.arg, &query, &out,
			    &err));
			CHECK_INT(err.kind, ERR_MESSAGE);
		} else
			CHECK_INT(err.kind, ERR_BUG);
		finish(c, &side, thread);
	}
	test_row(NULL);
	free(text);
}

/* More than one packet holds: they arrive in several, the results in order. */
static void
test_many_certificates(void)
{
	static uint8_t		 der[3000];
	struct side		 side;
	pthread_t		 thread;
	struct custody		*c = connect_to(&side, VAULT_ADMIN, NULL, 5000,
	    &thread);
	struct put_cert		 certs[300];
	struct put_result	 results[300];
	struct err		 err = { 0 };

	for (size_t i = 0; i < TEST_LEN(certs); i++)
		certs[i] = (struct put_cert){ .der = der, .der_len = 900 + i,
		    .state = CERT_TRUSTED, .source = "a file" };
	CHECK_OK(custody_put_certs(c, certs, TEST_LEN(certs), 0, results,
	    &err), err);
	for (size_t i = 0; i < TEST_LEN(certs); i++) {
		char	 want[64];

		snprintf(want, sizeof(want), "%zu bytes from a file", 900 + i);
		CHECK_STR(results[i].reason, want);
		CHECK_INT(results[i].verdict, i > 100 ? PUT_ADDED :
		    PUT_REFUSED);
		free(results[i].reason);
	}
	finish(c, &side, thread);
}

/* The late answer to the first request is not taken for the second's. */
static void
test_late_answer(void)
{
	struct side	 side;
	pthread_t	 thread, opener;
	struct custody	*c;
	struct finding	*f = NULL;
	struct err	 err = { 0 };
	sem_t		 gate;

	REQUIRE(sem_init(&gate, 0, 0) == 0);
	c = connect_to(&side, VAULT_DIRECT, &gate, 1500, &thread);
	CHECK(!custody_find(c, "a@example.org", CERT_USE_SIGN, 1, &f, &err));
	CHECK_INT(err.kind, ERR_TEMP);
	CHECK_STR(err.reason, "the vault did not answer in time");
	REQUIRE(pthread_create(&opener, NULL, open_gate, &side) == 0);
	CHECK(!custody_find(c, "broken@example.org", CERT_USE_SIGN, 2, &f,
	    &err));
	pthread_join(opener, NULL);
	CHECK_STR(err.reason, "the disk is gone");
	finish(c, &side, thread);
	sem_destroy(&gate);
}

/* Nor is one that another client was to have, who used the same channel. */
static void
test_anothers_answer(void)
{
	struct side	 side;
	pthread_t	 thread, opener;
	struct custody	*former, *c;
	struct finding	*f = NULL;
	struct err	 err = { 0 };
	int		 pair[2], same;
	sem_t		 gate;

	REQUIRE(sem_init(&gate, 0, 0) == 0);
	REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	REQUIRE((same = dup(pair[0])) != -1);
	side = (struct side){ .rights = VAULT_DIRECT, .fd = pair[1],
	    .gate = &gate };
	side.vault.custody = custody_new(&fake_custody_ops, NULL);
	REQUIRE(pthread_create(&thread, NULL, answer_all, &side) == 0);
	former = vault_client_new(&pair[0], 1, 100, NULL);
	CHECK(!custody_find(former, "a@example.org", CERT_USE_SIGN, 1, &f,
	    &err));
	custody_close(former);
	c = vault_client_new(&same, 1, 5000, NULL);
	REQUIRE(pthread_create(&opener, NULL, open_gate, &side) == 0);
	CHECK(!custody_find(c, "broken@example.org", CERT_USE_SIGN, 2, &f,
	    &err));
	pthread_join(opener, NULL);
	CHECK_STR(err.reason, "the disk is gone");
	finish(c, &side, thread);
	sem_destroy(&gate);
}

/* More addresses, and larger answers, than a packet holds. */
static void
test_many_at_once(void)
{
	enum { N = 250 };
	struct side	 side;
	pthread_t	 thread;
	struct custody	*c = connect_to(&side, VAULT_DIRECT, NULL, 5000,
	    &thread);
	static char	 texts[N][32];
	const char	*addrs[N];
	struct finding	*found[N];
	struct err	 err = { 0 };
	size_t		 n_wrong = 0;

	for (size_t i = 0; i < N; i++) {
		snprintf(texts[i], sizeof(texts[i]), "%s%zu@example.org",
		    i % 7 == 3 || i / 10 == 12 ? "large" : "a", i);
		addrs[i] = texts[i];
	}
	test_row("one answer for each, in order");
	CHECK_OK(custody_find_all(c, addrs, N, CERT_USE_ENCRYPT, 77, found,
	    &err), err);
	for (size_t i = 0; i < N; i++) {
		n_wrong += found[i] == NULL || found[i]->der_len !=
		    (texts[i][0] == 'l' ? 70000 : 2) ||
		    found[i]->candidates[0].not_after != 77;
		finding_free(found[i]);
	}
	CHECK_INT(n_wrong, 0);
	test_row("one that cannot be told: none is");
	addrs[200] = "broken@example.org";
	CHECK(!custody_find_all(c, addrs, N, CERT_USE_ENCRYPT, 77, found,
	    &err));
	CHECK_STR(err.reason, "the disk is gone");
	for (size_t i = 0; i < N; i++)
		n_wrong += found[i] != NULL;
	CHECK_INT(n_wrong, 0);
	test_row("nobody");
	CHECK_OK(custody_find_all(c, addrs, 0, CERT_USE_ENCRYPT, 77, found,
	    &err), err);
	finish(c, &side, thread);
}

/* Any packet, cut anywhere, has an answer and harms nothing. */
static void
test_cut_requests(void)
{
	struct vault	 vault = {
	    .custody = custody_new(&fake_custody_ops, NULL) };
	struct buf	 request = { 0 }, answer = { 0 };
	size_t		 whole;

	wire_put_u8(&request, WIRE_VERSION);
	wire_put_u8(&request, WIRE_FIND);
	wire_put_u32(&request, 7);
	wire_put_str(&request, "a@example.org");
	wire_put_u8(&request, CERT_USE_SIGN);
	wire_put_i64(&request, 0);
	whole = request.len;
	wire_put_u8(&request, 0);
	for (size_t len = 0; len <= whole + 1; len++) {
		buf_clear(&answer);
		vault_answer(&vault, VAULT_DIRECT, request.data, len, &answer);
		REQUIRE(answer.len >= WIRE_HEADER);
		CHECK_INT(answer.data[1], len == whole ? ERR_NONE : ERR_BUG);
	}
	buf_free(&request);
	buf_free(&answer);
	custody_close(vault.custody);
}

/* A page at a time, none left out, whatever fits into a packet. */
static void
test_events(void)
{
	struct side		 side;
	pthread_t		 thread;
	struct custody		*c = connect_to(&side, VAULT_ADMIN, NULL, 5000,
	    &thread);
	struct event_query	 query = { .addr = "a@example.org",
	    .max = 1000 };
	struct event_cursor	 cursor = { 0 };
	struct event_page	 page = { 0 };
	struct err		 err = { 0 };
	int64_t			 n = 0;

	while (!page.is_end) {
		event_page_free(&page);
		REQUIRE_OK(custody_events(c, &query, &cursor, &page, &err),
		    err);
		for (size_t i = 0; i < page.n; i++) {
			CHECK_INT(page.list[i].at, n++);
			CHECK_STR(page.list[i].text[EVENT_ABOUT],
			    "a@example.org");
		}
	}
	CHECK_INT(n, 100);
	event_page_free(&page);
	finish(c, &side, thread);
}

/* All records, page by page, and what is wrong with them. */
static void
test_records(void)
{
	struct side		 side;
	pthread_t		 thread;
	struct custody		*c = connect_to(&side, VAULT_ADMIN, NULL, 5000,
	    &thread);
	struct verify_findings	 findings = { 0 };
	struct buf		 cursor = { 0 }, rows = { 0 };
	struct err		 err = { 0 };

	REQUIRE_OK(custody_records(c, &cursor, 100, &rows, &err), err);
	CHECK_MEM(rows.data, rows.len, "page 0", 6);
	REQUIRE_OK(custody_records(c, &cursor, 100, &rows, &err), err);
	CHECK_MEM(rows.data, rows.len, "page 1", 6);
	REQUIRE_OK(custody_records(c, &cursor, 100, &rows, &err), err);
	CHECK_INT(rows.len, 0);
	do
		REQUIRE_OK(custody_verify(c, &cursor, &findings, &err), err);
	while (cursor.len > 0);
	CHECK_INT(findings.n, 3);
	CHECK_INT(findings.n_records, 21);
	CHECK_STR(findings.list[2].about, "a record");
	CHECK_STR(findings.list[2].text, "is wrong");
	verify_findings_free(&findings);
	buf_free(&cursor);
	buf_free(&rows);
	finish(c, &side, thread);
}

/* A filter tells of mails, and asks on; of nothing else does it tell. */
static void
test_notes(void)
{
	struct side		 side;
	pthread_t		 thread;
	struct custody		*c = connect_to(&side, VAULT_DIRECT, NULL, 5000,
	    &thread);
	struct event		 event = { .kind = EVENT_MAIL };
	struct event_query	 query = { .max = 1 };
	struct event_cursor	 cursor = { 0 };
	struct event_page	 page;
	struct finding		*finding;
	struct err		 err = { 0 };

	fake_n_notes = 0;
	event_set(&event, EVENT_FROM, "a@example.org");
	for (int i = 0; i < 3; i++)
		custody_note(c, &event);
	event.kind = EVENT_EXPORT;
	custody_note(c, &event);
	event_free(&event);
	/* Its answer is this request's, and comes after all of them. */
	REQUIRE_OK(custody_find(c, "b@example.org", CERT_USE_ENCRYPT, 0,
	    &finding, &err), err);
	CHECK_INT(finding->n, 2);
	finding_free(finding);
	CHECK_INT(fake_n_notes, 3);
	CHECK_STR(fake_note_from, "a@example.org");
	CHECK(!custody_events(c, &query, &cursor, &page, &err));
	CHECK_INT(err.kind, ERR_BUG);
	finish(c, &side, thread);
}

/* Who asks goes along, and is nobody's but his own. */
static void
test_who(void)
{
	struct side		 side;
	pthread_t		 thread;
	struct custody		*c = connect_to(&side, VAULT_ADMIN, NULL, 5000,
	    &thread);
	struct put_cert		 cert = { .der = (const uint8_t *)"x",
	    .der_len = 1, .source = "a file, by " };
	struct put_result	 result = { 0 };
	struct err		 err = { 0 };

	custody_set_who(c, "root (alice)");
	REQUIRE_OK(custody_put_certs(c, &cert, 1, 0, &result, &err), err);
	CHECK_STR(result.reason, "1 bytes from a file, by root (alice)");
	free(result.reason);
	custody_set_who(c, "bob");
	REQUIRE_OK(custody_put_certs(c, &cert, 1, 0, &result, &err), err);
	CHECK_STR(result.reason, "1 bytes from a file, by bob");
	free(result.reason);
	finish(c, &side, thread);
}

int
main(void)
{
	use_config(config_text);
	test_what_a_filter_asks();
	test_signatures_nobody_may_have();
	test_what_a_filter_may_not_ask();
	test_what_an_administrator_asks();
	test_stamps();
	test_many_at_once();
	test_large_list();
	test_pieces();
	test_many_certificates();
	test_late_answer();
	test_anothers_answer();
	test_cut_requests();
	test_events();
	test_records();
	test_notes();
	test_who();
	return test_done("vault");
}
