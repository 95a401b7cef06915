/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/event_log.h"
#include "store/event_table.h"
#include "store/table.h"
#include "tests/lib/scratch_store.h"

static struct err err;

static struct event
mail_event(const char *queue_id, const char *from, const char *to, bool failed)
{
	struct event	 event = { .kind = EVENT_MAIL, .at = PKI_NOW,
			    .is_failed = failed, .n_recipients = 1 };

	event_set(&event, EVENT_QUEUE_ID, queue_id);
	event_set(&event, EVENT_FROM, from);
	event_add_address(&event, EVENT_TO, to);
	return event;
}

/* --- one event -------------------------------------------------------------- */

static void
test_comes_back(void)
{
	struct event	 in = mail_event("4Xk1", "a@example.org",
			    "b@example.net", true), out;
	struct buf	 bytes = { 0 }, again = { 0 };

	event_add_address(&in, EVENT_TO, "c@example.net");
	event_setf(&in, EVENT_REASON, "%d of them", 7);
	event_set(&in, EVENT_GROUP, "");
	in.n_recipients = 2;
	event_encode(&in, &bytes);
	REQUIRE_OK(event_decode(bytes.data, bytes.len, &out, &err), err);
	CHECK_INT(out.kind, EVENT_MAIL);
	CHECK_INT(out.at, PKI_NOW);
	CHECK(out.is_failed);
	CHECK_INT(out.n_recipients, 2);
	CHECK_STR(out.text[EVENT_TO], "b@example.net c@example.net");
	CHECK_STR(out.text[EVENT_REASON], "7 of them");
	CHECK_STR(out.text[EVENT_GROUP], NULL);
	event_encode(&out, &again);
	CHECK_MEM(again.data, again.len, bytes.data, bytes.len);
	event_free(&out);
	/* Cut anywhere, or altered anywhere, it is refused. */
	for (size_t i = 0; i < bytes.len; i++) {
		CHECK(!event_decode(bytes.data, i, &out, &err));
		bytes.data[i] ^= 0x20;
		CHECK(!event_decode(bytes.data, bytes.len, &out, &err));
		CHECK_INT(err.kind, ERR_DATA);
		bytes.data[i] ^= 0x20;
	}
	event_free(&in);
	buf_free(&bytes);
	buf_free(&again);
}

static void
test_limits(void)
{
	struct event	 event = { .kind = EVENT_MAIL };
	struct buf	 bytes = { 0 };
	char		*text = mem_alloc(9001), addr[32];

	memset(text, 'x', 9000);
	for (int i = 0; i < EVENT_FIELDS; i++)
		event_set(&event, (enum event_field)i, text);
	CHECK_INT(strlen(event.text[EVENT_REASON]), EVENT_TEXT_MAX);
	event_set(&event, EVENT_TO, NULL);
	for (int i = 0; i < 5000; i++) {
		snprintf(addr, sizeof(addr), "user%d@example.org", i);
		event_add_address(&event, EVENT_TO, addr);
	}
	/* No address is cut. */
	CHECK(strlen(event.text[EVENT_TO]) > EVENT_TO_MAX - 40);
	CHECK_STR(strrchr(event.text[EVENT_TO], '@'), "@example.org");
	event_encode(&event, &bytes);
	CHECK(bytes.len < EVENT_BYTES_MAX);
	event_free(&event);
	buf_free(&bytes);
	free(text);
}

static void
test_concerns(void)
{
	static const struct {
		const char	*what;
		const char	*addr;
		bool		 want;
	} rows[] = {
		{ "the author", "a@example.org", true },
		{ "in another case", "A@Example.ORG", true },
		{ "a recipient", "b@example.net", true },
		{ "the last recipient", "c@example.net", true },
		{ "whoever logged in", "login@example.org", true },
		{ "the end of an address", "@example.net", false },
		{ "the beginning of an address", "b@example.ne", false },
		{ "nobody", "d@example.org", false },
	};
	struct event	 event = mail_event("4Xk1", "a@example.org",
			    "b@example.net", false);

	event_add_address(&event, EVENT_TO, "c@example.net");
	event_set(&event, EVENT_LOGIN, "login@example.org");
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		test_row(rows[i].what);
		CHECK_INT(event_concerns(&event, rows[i].addr), rows[i].want);
	}
	test_row(NULL);
	event_free(&event);
}

/* --- the table ---------------------------------------------------------------- */

static void
add(struct store *store, const struct event *event)
{
	REQUIRE_OK(store_begin_write(store, &err), err);
	REQUIRE_OK(event_table_add(store, event, 1, &err), err);
	REQUIRE_OK(store_commit(store, &err), err);
}

/* All that are found, by queue id or action, with blanks between. */
static char *
list(struct store *store, struct event_query query)
{
	struct event_cursor	 cursor = { 0 };
	struct event_page	 page = { 0 };
	struct buf		 out = { 0 };

	while (!page.is_end) {
		event_page_free(&page);
		REQUIRE_OK(store_begin_read(store, &err), err);
		REQUIRE_OK(event_table_list(store, &query, &cursor, &page,
		    &err), err);
		store_end_read(store);
		CHECK(page.n <= query.max);
		for (size_t i = 0; i < page.n; i++)
			buf_addf(&out, "%s ", page.list[i].text[
			    page.list[i].kind == EVENT_MAIL ? EVENT_QUEUE_ID :
			    EVENT_ACTION]);
	}
	event_page_free(&page);
	buf_addc(&out, '\0');
	return (char *)out.data;
}

static void
check_list(struct store *store, struct event_query query, const char *want)
{
	char	*got = list(store, query);

	CHECK_STR(got, want);
	free(got);
}

static void
test_listing(void)
{
	struct store	*store = scratch_store("listing");
	struct event	 event;

	check_list(store, (struct event_query){ .max = 5 }, "");
	for (int i = 0; i < 6; i++) {
		char	 id[8];

		snprintf(id, sizeof(id), "q%d", i);
		event = mail_event(id, i % 2 == 0 ? "a@example.org" :
		    "b@example.org", "c@example.net", i == 3);
		event.at = PKI_NOW + i;
		add(store, &event);
		event_free(&event);
	}
	/* What an administrator did in between. */
	event = (struct event){ .kind = EVENT_TRUST, .at = PKI_NOW + 2 };
	event_set(&event, EVENT_ACTION, "anchor");
	event_set(&event, EVENT_ABOUT, "a@example.org z@example.org");
	add(store, &event);
	event_free(&event);
	check_list(store, (struct event_query){ .max = 100 },
	    "q5 q4 q3 q2 anchor q1 q0 ");
	/* In pages of any size the same. */
	check_list(store, (struct event_query){ .max = 1 },
	    "q5 q4 q3 q2 anchor q1 q0 ");
	check_list(store, (struct event_query){ .max = 3 },
	    "q5 q4 q3 q2 anchor q1 q0 ");
	check_list(store, (struct event_query){ .max = 3,
	    .addr = "a@example.org" }, "q4 q2 anchor q0 ");
	check_list(store, (struct event_query){ .max = 3,
	    .is_failed = true }, "q3 ");
	check_list(store, (struct event_query){ .max = 3,
	    .addr = "nobody@example.org" }, "");
	store_close(store);
}

static bool
count(void *arg, const uint8_t *key, size_t key_len, const uint8_t *value,
    size_t len, bool *more, struct err *why)
{
	size_t	*n = arg;

	(void)key;
	(void)key_len;
	(void)value;
	(void)len;
	(void)why;
	++*n;
	*more = true;
	return true;
}

/* The oldest go, and mail does not drive out what administrators did. */
static void
test_bounded(void)
{
	struct store	*store = scratch_store("bounded");
	struct event	 trust = { .kind = EVENT_TRUST, .at = PKI_NOW };
	struct event	*mails;
	size_t		 n = 0, batch = EVENT_TABLE_MAX / 4 + 3;

	event_set(&trust, EVENT_ACTION, "anchor");
	add(store, &trust);
	event_free(&trust);
	mails = mem_array(batch, sizeof(*mails));
	for (size_t i = 0; i < batch; i++) {
		mails[i] = (struct event){ .kind = EVENT_MAIL,
		    .at = PKI_NOW };
		event_setf(&mails[i], EVENT_QUEUE_ID, "q%zu", i);
	}
	for (int i = 0; i < 4; i++) {
		REQUIRE_OK(store_begin_write(store, &err), err);
		REQUIRE_OK(event_table_add(store, mails, batch, &err), err);
		REQUIRE_OK(store_commit_later(store, &err), err);
	}
	REQUIRE_OK(store_begin_read(store, &err), err);
	REQUIRE_OK(table_walk(store, TABLE_EVENTS, "", 0, count, &n, &err),
	    err);
	store_end_read(store);
	CHECK_INT(n, EVENT_TABLE_MAX + 1);
	check_list(store, (struct event_query){ .max = 10,
	    .addr = "nobody@example.org" }, "");
	for (size_t i = 0; i < batch; i++)
		event_free(&mails[i]);
	free(mails);
	store_close(store);
}

/* --- on the way there --------------------------------------------------------- */

#define THREADS		4
#define EACH		300

static struct event_log	*shared;

static void *
add_many(void *arg)
{
	for (int i = 0; i < EACH; i++) {
		struct event	 event = mail_event("q", "a@example.org",
				    "b@example.net", false);

		event_log_add(shared, &event);
		event_free(&event);
	}
	return arg;
}

static size_t
count_events(struct store *store)
{
	size_t	 n = 0;

	REQUIRE_OK(store_begin_read(store, &err), err);
	REQUIRE_OK(table_walk(store, TABLE_EVENTS, "", 0, count, &n, &err),
	    err);
	store_end_read(store);
	return n;
}

static void
test_log(void)
{
	struct store	*store = scratch_store("log");
	uint64_t	 before = store_generation(store);
	struct event	 event = mail_event("q", "a@example.org",
			    "b@example.net", false);
	pthread_t	 threads[THREADS];

	shared = event_log_new(store);
	event_log_add(shared, &event);
	event_free(&event);
	/* One alone is written soon, and at the end all are. */
	for (int i = 0; i < 1000 && count_events(store) == 0; i++)
		usleep(20000);
	CHECK_INT(count_events(store), 1);
	for (int i = 0; i < THREADS; i++)
		REQUIRE(pthread_create(&threads[i], NULL, add_many,
		    NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	event_log_free(shared);
	CHECK_INT(count_events(store), 1 + THREADS * EACH);
	/* Cached certificates and keys stay good. */
	CHECK_INT(store_generation(store), before);
	store_close(store);
	event_log_free(event_log_new(NULL));
}

int
main(void)
{
	test_comes_back();
	test_limits();
	test_concerns();
	test_listing();
	test_bounded();
	test_log();
	return test_done("event");
}
