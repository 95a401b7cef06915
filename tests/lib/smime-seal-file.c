/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Usage: smime-seal-file [-k] [-c CERT -p KEY] [-o DIR] FILE...
 *
 * Each mail is signed, encrypted, and both, with a key made here or the PEM
 * files given; libcrypto opens what came out, and the bytes inside have to be
 * the entity's.  One line per mail says how it went; totals follow.  -k keeps the
 * body's line ends.  -o writes the mail as it came, DIR/N.orig; what the
 * recipient gets, DIR/N.inner; and the new mails, DIR/N.signed, N.opaque,
 * N.encrypted and N.both.  Exit status 1 if any mail failed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "smime/detect.h"
#include "tests/lib/seal.h"

enum outcome {
	FAST, SPLICED, OPAQUE, ALONE, REFUSED, FAILED, N_OUTCOMES
};

static const char *const	 outcome_names[N_OUTCOMES] = {
	"fast", "spliced", "opaque", "left alone", "refused", "FAILED"
};

static struct seal_id	*sender;
static const char	*out_dir;
static bool		 keep_line_ends;

static bool
read_file(const char *path, struct buf *out)
{
	FILE	*file = fopen(path, "rb");
	char	 chunk[65536];
	size_t	 n;

	if (file == NULL)
		return false;
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(out, chunk, n);
	fclose(file);
	return !out->failed;
}

static void
write_file(size_t number, const char *suffix, const struct buf *buf)
{
	char	*path;
	FILE	*file;

	if (out_dir == NULL)
		return;
	path = mem_strf("%s/%zu.%s", out_dir, number, suffix);
	if ((file = fopen(path, "wb")) != NULL) {
		fwrite(buf->data, 1, buf->len, file);
		fclose(file);
	}
	free(path);
}

static bool
add_run(void *arg, const uint8_t *data, size_t len, struct err *err)
{
	(void)err;
	buf_add(arg, data, len);
	return true;
}

/* What has to be inside, by a second look at the mail. */
static bool
expected_inner(const struct seal_mail *mail, bool is_signed, struct buf *out,
    struct err *err)
{
	struct canon	 canon = { 0 };

	if (!is_signed)
		canon.entity = canon_as_is(mail->headers, mail->body,
		    mail->body_len);
	else if (!canon_entity(mail->headers, mail->body, mail->body_len,
	    scan_bytes(mail->body, mail->body_len), &canon, err))
		return false;
	pieces_walk(canon.entity, add_run, out, err);
	canon_clear(&canon);
	return true;
}

static bool
seal(const struct seal_mail *mail, bool is_signed, bool is_encrypted,
    enum transform_format format, struct buf *out, struct buf *inner,
    enum canon_how *how, struct err *err)
{
	struct encrypt_cert		 recipient = {
		sender->der, sender->der_len
	};
	struct transform_request	 request = {
		.headers = mail->headers,
		.body = mail->body,
		.body_len = mail->body_len,
		.sign = is_signed,
		.format = format,
		.signer = seal_sign,
		.signer_arg = sender,
		.encrypt = is_encrypted,
		.options = { .cipher = CIPHER_AES256_CBC,
		    .spool.memory_max = SEAL_MEMORY },
		.recipients = &recipient,
		.n_recipients = 1
	};
	struct transform_result		*result;
	struct buf			 want = { 0 };
	bool				 is_ok;

	if (!transform_mail(&request, &result, err))
		return false;
	*how = result->how;
	seal_apply(mail->headers, result, out);
	is_ok = seal_open(out, sender, is_signed, is_encrypted, inner,
	    err) && expected_inner(mail, is_signed, &want, err);
	if (is_ok && (inner->len != want.len || (want.len > 0 &&
	    memcmp(inner->data, want.data, want.len) != 0)))
		is_ok = err_set(err, ERR_BUG, "other bytes came out: %zu "
		    "for %zu", inner->len, want.len);
	transform_result_free(result);
	buf_free(&want);
	return is_ok;
}

static enum outcome
seal_in_all_ways(const struct seal_mail *mail, size_t number, char *why,
    size_t why_len)
{
	static const struct {
		const char		*what;
		const char		*suffix;
		bool			 sign;
		bool			 encrypt;
		enum transform_format	 format;
	} ways[] = {
		{ "sign", "signed", true, false, TRANSFORM_DETACHED },
		{ "sign opaquely", "opaque", true, false, TRANSFORM_OPAQUE },
		{ "encrypt", "encrypted", false, true, TRANSFORM_DETACHED },
		{ "sign and encrypt", "both", true, true,
		    TRANSFORM_DETACHED },
	};
	enum outcome	 outcome = FAILED;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct buf	 out = { 0 }, inner = { 0 };
		enum canon_how	 how;
		struct err	 err;
		bool		 is_ok;

		err_clear(&err);
		is_ok = seal(mail, ways[i].sign, ways[i].encrypt,
		    ways[i].format, &out, &inner, &how, &err);
		if (is_ok && i == 0) {
			outcome = how == CANON_FAST ? FAST :
			    how == CANON_SPLICED ? SPLICED : OPAQUE;
			write_file(number, "orig", &mail->text);
			write_file(number, "inner", &inner);
		}
		if (is_ok)
			write_file(number, ways[i].suffix, &out);
		buf_free(&out);
		buf_free(&inner);
		if (is_ok)
			continue;
		snprintf(why, why_len, "%s: %s", ways[i].what, err.reason);
		return err.kind == ERR_MESSAGE ? REFUSED : FAILED;
	}
	return outcome;
}

static enum outcome
seal_file(const char *path, size_t number, char *why, size_t why_len)
{
	struct buf	 data = { 0 };
	struct seal_mail mail;
	struct detected	 detected;
	struct canon	 canon;
	struct err	 err;
	enum outcome	 outcome;

	why[0] = '\0';
	if (!read_file(path, &data)) {
		snprintf(why, why_len, "cannot be read");
		return FAILED;
	}
	if (!seal_mail_read(data.data, data.len, keep_line_ends, &mail,
	    &err)) {
		snprintf(why, why_len, "%s", err.reason);
		buf_free(&data);
		return REFUSED;
	}
	detect_headers(mail.headers, &detected);
	detect_body(mail.headers, mail.body, mail.body_len, &detected);
	if (detected.kind != MAIL_PLAIN) {
		snprintf(why, why_len, "%s", detect_name(detected.kind));
		outcome = ALONE;
	} else {
		outcome = seal_in_all_ways(&mail, number, why, why_len);
		if ((outcome == SPLICED || outcome == OPAQUE) &&
		    canon_entity(mail.headers, mail.body, mail.body_len,
		    scan_bytes(mail.body, mail.body_len), &canon, &err)) {
			snprintf(why, why_len, "%s", canon.why);
			canon_clear(&canon);
		}
	}
	seal_mail_clear(&mail);
	buf_free(&data);
	return outcome;
}

int
main(int argc, char **argv)
{
	size_t	 totals[N_OUTCOMES] = { 0 };
	const char	*cert = NULL, *key = NULL;
	char	 why[1024];
	int	 ch;

	while ((ch = getopt(argc, argv, "c:ko:p:")) != -1) {
		if (ch == 'c')
			cert = optarg;
		else if (ch == 'k')
			keep_line_ends = true;
		else if (ch == 'o')
			out_dir = optarg;
		else if (ch == 'p')
			key = optarg;
		else
			return 2;
	}
	sender = cert != NULL && key != NULL ? seal_id_load(cert, key) :
	    seal_id_new("RSA:2048", "a@example.org");
	if (sender == NULL)
		return 2;
	for (int i = optind; i < argc; i++) {
		enum outcome	 outcome = seal_file(argv[i],
		    (size_t)(i - optind), why, sizeof(why));

		totals[outcome]++;
		printf("%s: %s%s%s\n", argv[i], outcome_names[outcome],
		    why[0] == '\0' ? "" : ": ", why);
	}
	for (size_t i = 0; i < N_OUTCOMES; i++)
		printf("%s%s %zu", i == 0 ? "total: " : ", ",
		    outcome_names[i], totals[i]);
	printf("\n");
	seal_id_free(sender);
	return totals[FAILED] > 0;
}
