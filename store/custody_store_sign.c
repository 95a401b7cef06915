/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <time.h>

#include <openssl/x509.h>

#include "store/audit.h"
#include "store/cert.h"
#include "store/cert_index.h"
#include "store/choose.h"
#include "store/credential.h"
#include "store/custody_store_impl.h"
#include "store/event_log.h"
#include "store/key_rate.h"
#include "store/signed_frame.h"
#include "store/signer.h"
#include "store/store.h"

bool
custody_store_find(void *arg, const char *addr, enum cert_use use, int64_t now,
    struct finding **out, struct err *err)
{
	struct custody_store	*local = arg;
	bool			 is_ok;

	if (!store_begin_read(local->store, err))
		return false;
	is_ok = choose_find(local->store, local->trust, addr, use, now, out,
	    err);
	store_end_read(local->store);
	return is_ok;
}

/*
 * With what is used already of certificate and key, if it is; takes use.  An
 * intermediate that has ended may have a successor in the store.
 */
static struct credential *
make_credential(struct custody_store *local, const struct cert_record *record,
    const struct credential_use *use, struct err *err)
{
	struct credential	*former, *credential;

	former = credential_cache_get(local->credentials, &record->facts.fp,
	    store_generation(local->store));
	credential = former != NULL && credential_has_chain(former, use->at) ?
	    credential_again(former, use) :
	    credential_load(local->store, local->trust, record, use, err);
	credential_release(former);
	if (credential != NULL)
		credential_cache_put(local->credentials, credential);
	return credential;
}

/* The certificate to encrypt replies to, where it is not the signer's. */
static bool
get_reply_cert(struct custody_store *local, const char *from,
    const struct fingerprint *signer, int64_t now, X509 **out, struct err *err)
{
	struct finding	*finding = NULL;
	bool		 is_ok = true;

	*out = NULL;
	if (!choose_find(local->store, local->trust, from, CERT_USE_ENCRYPT,
	    now, &finding, err))
		return false;
	if (finding->der != NULL &&
	    !text_fp_equal(&finding->candidates[0].fp, signer)) {
		*out = cert_parse(finding->der, finding->der_len, err);
		is_ok = *out != NULL;
	}
	finding_free(finding);
	return is_ok;
}

static bool
count_signature(struct custody_store *local, const struct sign_request *request,
    const uint8_t spki[KEY_ID_LEN], struct err *err)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	if (key_rate_take(local->rate, spki, request->per_minute,
	    (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000))
		return true;
	return err_limit(err, ERR_TEMP, LIMIT_KEY_RATE, "its key has made %u "
	    "signatures within a minute", (unsigned)request->per_minute);
}

/* May it, and with what; the whole way. */
static struct credential *
judge_signer(struct custody_store *local, const struct sign_request *request,
    int64_t now, struct err *err)
{
	struct credential_use	 use = { .addr = request->from, .at = now };
	struct credential	*credential = NULL;
	struct candidate	 candidate = { .reason = NULL };
	struct cert_record	 record;

	if (!cert_index_need(local->store, &request->fp, &record, err))
		return NULL;
	if (!choose_weigh(local->store, local->trust, &record, CERT_USE_SIGN,
	    request->from, now, &candidate, err))
		goto out;
	if (candidate.reason != NULL) {
		err_set(err, ERR_DATA, "certificate %s", candidate.reason);
		goto out;
	}
	use.not_after = record.facts.not_after;
	if (get_reply_cert(local, request->from, &request->fp, now,
	    &use.reply, err))
		credential = make_credential(local, &record, &use, err);
out:
	free(candidate.reason);
	record_free_cert(&record);
	return credential;
}

/* As judged a moment ago, which an import need not keep waiting. */
static struct credential *
get_credential(struct custody_store *local, const struct sign_request *request,
    int64_t now, struct err *err)
{
	struct credential	*credential;

	credential = credential_cache_get(local->credentials, &request->fp,
	    store_generation(local->store));
	if (credential != NULL &&
	    credential_is_for(credential, request->from, now))
		return credential;
	credential_release(credential);
	if (!store_begin_read(local->store, err))
		return NULL;
	credential = judge_signer(local, request, now, err);
	store_end_read(local->store);
	return credential;
}

/* The first of a credential is built by OpenSSL, the others after it. */
static bool
make_signature(struct credential *credential,
    const struct sign_request *request, int64_t now, struct buf *signed_data,
    struct err *err)
{
	const struct signed_frame	*frame = atomic_load(
	    &credential->frame);
	struct signer	 signer = {
		.cert = credential->cert,
		.chain = credential->chain,
		.key = credential->key,
		.encrypt = credential->reply,
		.use_pss = request->use_pss
	};

	if (frame != NULL && signed_frame_is_for(frame, request->digest,
	    request->use_pss))
		return signed_frame_sign(frame, request->hash, now,
		    signed_data, err);
	if (!signer_sign(&signer, request->digest, request->hash, signed_data,
	    err))
		return false;
	if (frame == NULL)
		credential_give_frame(credential, signed_frame_new(signed_data,
		    credential->key, request->digest, request->use_pss));
	return true;
}

bool
custody_store_sign(void *arg, const struct sign_request *request,
    struct buf *signed_data, struct err *err)
{
	struct custody_store	*local = arg;
	struct credential	*credential;
	int64_t			 now = (int64_t)time(NULL);
	struct event		 event;
	bool			 is_ok;

	/* signingTime is our clock's, so validity is asked of it as well. */
	credential = get_credential(local, request, now, err);
	is_ok = credential != NULL &&
	    count_signature(local, request, credential->spki, err) &&
	    make_signature(credential, request, now, signed_data, err);
	credential_release(credential);
	audit_signature(request, is_ok ? NULL : err->reason, &event);
	event_log_add(local->events, &event);
	event_free(&event);
	return is_ok || err_prefix(err, "sign as %s", request->from);
}
