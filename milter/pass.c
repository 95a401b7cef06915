/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/mem.h"
#include "base/text.h"
#include "milter/pass.h"
#include "milter/stamp.h"

#define ID_LEN	16	/* random bytes of a Message-ID */

static bool
digest(const struct headers *headers, const struct mail *mail,
    uint8_t out[STAMP_DIGEST_LEN], struct err *err)
{
	const uint8_t	*body;
	size_t		 len;

	return spool_bytes(mail->body, &body, &len, err) &&
	    stamp_digest(headers, body, len, out, err);
}

/*
 * Where there are filters Postfix cuts a field at 60000 bytes, each time at
 * another place (cleanup_message.c, KLUDGE_HEADER_LIMIT).
 */
#define FIELD_MAX	59000

/* --- the first pass ------------------------------------------------------------ */

/* Copies of one mail have one Message-ID, so it cannot be left to the MTA. */
static bool
add_message_id(const struct mail *mail, struct journey *j, struct err *err)
{
	const char	*at = strrchr(j->from[0] != '\0' ? j->from :
			    j->sender, '@');
	uint8_t		 random[ID_LEN];
	char		 hex[2 * ID_LEN + 1], *value;

	if (headers_count_name(mail->headers, "Message-ID") > 0)
		return true;
	if (RAND_bytes(random, sizeof(random)) != 1)
		return err_openssl(err, ERR_TEMP, "make a Message-ID");
	text_hex(random, sizeof(random), hex);
	value = mem_strf(" <%s@%s>", hex, at != NULL ? at + 1 : "localhost");
	edits_set(&j->edits, mail->headers, "Message-ID", value);
	free(value);
	return true;
}

static void
remove_hidden(const struct mail *mail, struct edits *edits)
{
	edits_remove(edits, mail->headers, "Bcc");
	edits_remove(edits, mail->headers, "Resent-Bcc");
}

/* Nobody's wishes count but those of whom the mail is. */
static struct stamp
describe(const struct mail *mail, const struct journey *j)
{
	struct stamp	 stamp = {
		.login = mem_str(mail->login),
		.client = mem_str(mail->client),
		.sender = mem_str(mail->sender),
		.was_encryptable = j->decision.do_encrypt,
	};

	if (j->is_authorised) {
		stamp.sign = j->wishes.sign;
		stamp.encrypt = j->wishes.encrypt;
	}
	return stamp;
}

/* What would come back from the second pass is better refused now. */
static bool
can_pass(const struct mail *mail, struct err *err)
{
	/* The MTA will complete it, and did not say how. */
	if (mail->sender[0] != '\0' && strchr(mail->sender, '@') == NULL)
		return err_set(err, ERR_MESSAGE, "the sender of the envelope, "
		    "%.100s, has no domain", mail->sender);
	for (size_t i = 0; i < headers_count(mail->headers); i++) {
		const struct header	*field = headers_at(mail->headers, i);

		if (strlen(field->value) > FIELD_MAX)
			return err_set(err, ERR_MESSAGE, "the field %.100s "
			    "has more than %d bytes, which Postfix cuts off",
			    field->name, FIELD_MAX);
	}
	return true;
}

bool
pass_stamp(const struct journey_request *request, struct journey *j,
    struct err *err)
{
	const struct mail	*mail = request->mail;
	struct stamp		 stamp;
	struct headers		*after = NULL;
	char			*text = NULL, *value;
	bool			 is_ok;

	if (!can_pass(mail, err))
		return false;
	remove_hidden(mail, &j->edits);
	if (!add_message_id(mail, j, err) ||
	    !edits_result(&j->edits, mail->headers, &after, err))
		return false;
	stamp = describe(mail, j);
	is_ok = digest(after, mail, stamp.digest, err) &&
	    request->stamper->make(request->stamper->arg, &stamp, &text, err);
	if (is_ok) {
		value = mem_strf(" %s", text);
		edits_set(&j->edits, mail->headers, STAMP_FIELD, value);
		j->has_stamp = true;
		free(value);
	}
	free(text);
	stamp_clear(&stamp);
	headers_free(after);
	return is_ok || err_prefix(err, "stamp the mail");
}

/* --- the second ------------------------------------------------------------------ */

/* The stamp's value as it was made: the MTA may have put a space before it. */
static char *
take_text(const char *value)
{
	return mem_str(value[0] == ' ' ? value + 1 : value);
}

static bool
check(const struct journey_request *request, struct stamp *out,
    struct err *err)
{
	const struct mail	*mail = request->mail;
	char			*text = take_text(headers_find(mail->headers,
	    STAMP_FIELD, 0));
	struct stamp_query	 query = { .text = text,
	    .sender = mail->sender };
	bool			 is_ok;

	is_ok = digest(mail->headers, mail, query.digest, err) &&
	    request->stamper->check(request->stamper->arg, &query, out, err);
	free(text);
	return is_ok;
}

bool
pass_read_stamp(const struct journey_request *request, struct journey *j,
    struct err *err)
{
	struct mail	*mail = request->mail;
	size_t		 n = headers_count_name(mail->headers, STAMP_FIELD);
	struct stamp	 stamp = { .time = 0 };

	/* Whoever connects here is the MTA, which is nobody's login. */
	mail_set(&mail->login, NULL);
	mail_set(&mail->client, NULL);
	memset(&j->wishes, 0, sizeof(j->wishes));
	if (n == 0)
		return true;
	if (n > 1)
		return err_set(err, ERR_MESSAGE,
		    "the mail has %zu stamps, and one at most is ours", n);
	if (!check(request, &stamp, err))
		return false;
	mail_set(&mail->login, stamp.login);
	mail_set(&mail->client, stamp.client);
	j->wishes.sign = stamp.sign;
	j->wishes.encrypt = stamp.encrypt;
	j->was_encryptable = stamp.was_encryptable;
	j->has_stamp = true;
	stamp_clear(&stamp);
	return true;
}

void
pass_remove_stamp(const struct journey_request *request, struct journey *j)
{
	edits_remove(&j->edits, request->mail->headers, STAMP_FIELD);
}
