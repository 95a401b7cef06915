/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Input: a byte that says what to do, a mail.  Whatever is sealed is opened
 * by libcrypto, and holds the entity's bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "smime/detect.h"
#include "tests/lib/seal.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
add_run(void *arg, const uint8_t *data, size_t len, struct err *err)
{
	(void)err;
	buf_add(arg, data, len);
	return true;
}

static void
check_inner(const struct transform_request *request, const struct buf *inner)
{
	struct canon	 canon = { 0 };
	struct buf	 want = { 0 };
	struct err	 err;

	if (!request->sign)
		canon.entity = canon_as_is(request->headers, request->body,
		    request->body_len);
	else if (!canon_entity(request->headers, request->body,
	    request->body_len, scan_bytes(request->body, request->body_len),
	    &canon, &err))
		abort();
	pieces_walk(canon.entity, add_run, &want, &err);
	if (want.len != inner->len ||
	    memcmp(want.data, inner->data, want.len) != 0)
		abort();
	buf_free(&want);
	canon_clear(&canon);
}

static void
seal(const struct seal_mail *mail, struct seal_id *id, uint8_t how)
{
	struct encrypt_cert		 cert = { id->der, id->der_len };
	struct transform_request	 request = {
		.headers = mail->headers,
		.body = mail->body,
		.body_len = mail->body_len,
		.sign = how % 3 != 1,
		.encrypt = how % 3 != 0,
		.format = (how & 64) != 0 ? TRANSFORM_OPAQUE :
		    TRANSFORM_DETACHED,
		.digest = (enum digest)(how / 3 % 3),
		.signer = seal_sign,
		.signer_arg = id,
		.options = { .cipher = (enum cipher)(how / 9 % 4),
		    .spool.memory_max = SEAL_MEMORY },
		.recipients = &cert,
		.n_recipients = 1
	};
	struct transform_result		*result;
	struct buf			 out = { 0 }, inner = { 0 };
	struct err			 err;

	if (!transform_mail(&request, &result, &err)) {
		if (err.kind != ERR_MESSAGE)
			abort();
		return;
	}
	seal_apply(mail->headers, result, &out);
	if (!seal_open(&out, id, request.sign, request.encrypt, &inner, &err))
		abort();
	check_inner(&request, &inner);
	transform_result_free(result);
	buf_free(&out);
	buf_free(&inner);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct seal_id	*id;
	struct seal_mail	 mail;
	struct detected		 detected;
	struct err		 err;

	if (id == NULL)
		id = seal_id_new("EC:P-256", "a@example.org");
	if (len == 0 || !seal_mail_read(data + 1, len - 1, true, &mail, &err))
		return 0;
	detect_headers(mail.headers, &detected);
	detect_body(mail.headers, mail.body, mail.body_len, &detected);
	seal(&mail, id, data[0]);
	seal_mail_clear(&mail);
	return 0;
}
