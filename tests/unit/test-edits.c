/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/edits.h"
#include "tests/lib/test.h"

/* A mail's fields as "Name:value" lines, and the edits in one line. */
struct row {
	const char	*what;
	const char	*fields[8];
	const char	*set;		/* NULL: remove */
	const char	*want;
	const char	*result;	/* fields of that name afterwards */
};

static const struct row	 rows[] = {
	{ "removing what is not there asks for nothing",
	    { "Subject: a" }, NULL, "", "" },
	{ "removing one",
	    { "X: a" }, NULL, "-X[1]", "" },
	{ "several go from the highest index down, case does not matter",
	    { "X: a", "Subject: b", "x: c", "X: d" }, NULL,
	    "-X[3] -X[2] -X[1]", "" },
	{ "setting what is missing adds it",
	    { "Subject: a" }, " new", "+X= new", " new" },
	{ "setting what is there once changes it in place",
	    { "X: old" }, " new", "X[1]= new", " new" },
	{ "setting what is right already asks for nothing",
	    { "X: new" }, " new", "", " new" },
	{ "setting what is there five times leaves one",
	    { "X: new", "X: b", "X: c", "X: d", "X: e" }, " new",
	    "-X[5] -X[4] -X[3] -X[2] X[1]= new", " new" },
};

static void
describe(const struct edits *edits, char *out, size_t len)
{
	size_t	 n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < edits->n_headers; i++) {
		const struct header_edit	*e = &edits->headers[i];
		const char			*gap = i == 0 ? "" : " ";

		if (e->kind == EDIT_ADD)
			n += (size_t)snprintf(out + n, len - n, "%s+%s=%s",
			    gap, e->name, e->value);
		else if (e->kind == EDIT_DELETE)
			n += (size_t)snprintf(out + n, len - n, "%s-%s[%d]",
			    gap, e->name, e->index);
		else
			n += (size_t)snprintf(out + n, len - n, "%s%s[%d]=%s",
			    gap, e->name, e->index, e->value);
	}
}

/* Other fields stay, in their order. */
static void
check_result(const struct edits *edits, const struct headers *before,
    const char *want)
{
	struct headers	*after = NULL;
	struct err	 err;
	char		 got[256] = "";

	REQUIRE_OK(edits_result(edits, before, &after, &err), err);
	for (size_t i = 0; i < headers_count_name(after, "X"); i++)
		strcat(got, headers_find(after, "X", i));
	CHECK_STR(got, want);
	CHECK_STR(headers_find(after, "Subject", 0),
	    headers_find(before, "Subject", 0));
	headers_free(after);
}

static void
test_rows(void)
{
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		struct headers	*headers = headers_new();
		struct edits	 edits = { 0 };
		struct err	 err;
		char		 got[256];

		test_row(rows[i].what);
		for (size_t f = 0; rows[i].fields[f] != NULL; f++) {
			char	*name = strdup(rows[i].fields[f]);
			char	*colon = strchr(name, ':');

			*colon = '\0';
			CHECK_OK(headers_add(headers, name, colon + 1, &err),
			    err);
			free(name);
		}
		if (rows[i].set == NULL)
			edits_remove(&edits, headers, "X");
		else
			edits_set(&edits, headers, "X", rows[i].set);
		describe(&edits, got, sizeof(got));
		CHECK_STR(got, rows[i].want);
		check_result(&edits, headers, rows[i].result);
		edits_clear(&edits);
		headers_free(headers);
	}
	test_row(NULL);
}

static void
test_answer_takes_changes_back(void)
{
	struct edits	 edits = { 0 };

	CHECK_INT(edits.answer, EDITS_TEMPFAIL);
	edits_change(&edits, "Subject", 1, " x");
	edits.body = pieces_new();
	CHECK(edits_has_changes(&edits));
	edits_answer(&edits, EDITS_REJECT, "550", "5.7.1", "no");
	CHECK(!edits_has_changes(&edits));
	CHECK_STR(edits.code, "550");
	CHECK_STR(edits.text, "no");
	edits_clear(&edits);
}

int
main(void)
{
	test_rows();
	test_answer_takes_changes_back();
	return test_done("edits");
}
