/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/child.h"
#include "tests/lib/test.h"

/* One process after the other: how long each lived, and when the next comes. */
static const struct {
	const char	*label;
	int		 lived_ms;
	int		 delay_ms;
} lives[] = {
	{ "the first that dies: the next at once", 50, 100 },
	{ "the second", 50, 200 },
	{ "the third", 50, 400 },
	{ "the fourth", 50, 800 },
	{ "one that lived a bit longer", 20000, 1600 },
	{ "the sixth", 50, 3200 },
	{ "the seventh", 50, 6400 },
	{ "the eighth", 50, 12800 },
	{ "the ninth", 50, 25600 },
	{ "never more than half a minute", 50, 30000 },
	{ "nor after many", 50, 30000 },
	{ "a long life: the next at once", 40000, 100 },
	{ "and so on", 50, 200 },
};

static void
test_restarts(struct child *child)
{
	for (size_t i = 0; i < TEST_LEN(lives); i++) {
		int64_t	 before;

		test_row(lives[i].label);
		child_started(child, 1);
		CHECK(!child_is_due(child));
		child->started_ms -= lives[i].lived_ms;
		before = child_clock_ms();
		child_ended(child);
		CHECK_INT(child->delay_ms, lives[i].delay_ms);
		CHECK(child->restart_ms >= before + lives[i].delay_ms);
		CHECK(!child_is_due(child) || lives[i].delay_ms < 1000);
		child->restart_ms = child_clock_ms();
		CHECK(child_is_due(child));
	}
	test_row("one that is to go is not started again");
	child->is_retired = true;
	CHECK(!child_is_due(child));
	child->is_retired = false;
}

static const struct {
	const char	*label;
	pid_t		 pid;
	int		 started_ago;
	int		 heard_ago;	/* -1: never */
	bool		 is_silent;
} silences[] = {
	{ "it does not run", 0, 900000, -1, false },
	{ "it has just been started", 1, 0, -1, false },
	{ "it is still starting", 1, 50000, -1, false },
	{ "it does not come up", 1, 70000, -1, true },
	{ "it was heard just now", 1, 900000, 0, false },
	{ "it was heard a while ago", 1, 900000, 15000, false },
	{ "it is silent", 1, 900000, 25000, true },
	{ "it was heard soon after its start", 1, 30000, 25000, true },
};

static void
test_silence(struct child *child)
{
	for (size_t i = 0; i < TEST_LEN(silences); i++) {
		test_row(silences[i].label);
		child_started(child, silences[i].pid);
		CHECK_INT(child->heard_ms, 0);
		child->started_ms -= silences[i].started_ago;
		if (silences[i].heard_ago != -1)
			child->heard_ms = child_clock_ms() -
			    silences[i].heard_ago;
		CHECK_INT(child_is_silent(child, 20000, 60000),
		    silences[i].is_silent);
	}
}

int
main(void)
{
	struct err	 err = { 0 };
	struct child	*child = child_new(CHILD_VAULT, NULL, &err);

	REQUIRE_OK(child != NULL, err);
	test_restarts(child);
	test_silence(child);
	child->pid = 0;
	child_free(child);
	return test_done("child");
}
