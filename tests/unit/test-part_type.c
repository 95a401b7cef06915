/* SPDX-License-Identifier: BSD-2-Clause */
#include "smime/part_type.h"
#include "tests/lib/test.h"

#define INVITATION \
	"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n" \
	"--b\r\nContent-Type: text/calendar; METHOD=\"Request\"\r\n\r\nBEGIN\r\n" \
	"--b--\r\n"
#define FORWARDED \
	"--o\r\nContent-Type: message/rfc822\r\n\r\n" \
	"Content-Type: multipart/alternative; boundary=b\r\n\r\n" INVITATION \
	"--o--\r\n"

static const struct {
	const char	*what;
	const char	*content_type;	/* NULL: no such field */
	const char	*body;
	const char	*type, *param, *value;
	bool		 has;
} rows[] = {
	{ "the mail's own type", " text/calendar; method=REQUEST", "",
	    "text/calendar", NULL, NULL, true },
	{ "another", " text/plain", "", "text/calendar", NULL, NULL, false },
	{ "what is meant where nothing is said", NULL, "", "text/plain", NULL,
	    NULL, true },
	{ "with a parameter", " text/calendar; method=REQUEST", "",
	    "text/calendar", "method", NULL, true },
	{ "without it", " text/calendar; charset=utf-8", "", "text/calendar",
	    "method", NULL, false },
	{ "with a value, in any case", " text/calendar; method=REQUEST", "",
	    "text/calendar", "method", "request", true },
	{ "with another value", " text/calendar; method=REPLY", "",
	    "text/calendar", "method", "request", false },
	{ "a part of it", " multipart/alternative; boundary=b", INVITATION,
	    "text/calendar", "method", "request", true },
	{ "the multipart itself", " multipart/alternative; boundary=b",
	    INVITATION, "multipart/alternative", NULL, NULL, true },
	{ "not what an attached message holds",
	    " multipart/mixed; boundary=o", FORWARDED, "text/calendar", NULL,
	    NULL, false },
	{ "but that there is one", " multipart/mixed; boundary=o", FORWARDED,
	    "message/rfc822", NULL, NULL, true },
	{ "garbage is of no type", " text/calendar/x", "", "text/calendar",
	    NULL, NULL, false },
};

int
main(void)
{
	for (size_t i = 0; i < TEST_LEN(rows); i++) {
		struct headers		*headers = headers_new();
		struct part_types	*types;
		struct err		 err;

		test_row(rows[i].what);
		if (rows[i].content_type != NULL)
			headers_add(headers, "Content-Type",
			    rows[i].content_type, &err);
		types = part_types_new(headers, (const uint8_t *)rows[i].body,
		    strlen(rows[i].body));
		CHECK_INT(part_types_have(types, rows[i].type, rows[i].param,
		    rows[i].value), rows[i].has);
		part_types_free(types);
		headers_free(headers);
	}
	part_types_free(NULL);
	return test_done("part_type");
}
