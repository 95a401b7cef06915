/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/mem.h"
#include "milter/stats.h"
#include "milter/vault_client.h"
#include "milter/vault_wire.h"
#include "store/verify.h"

/* An administrator's request may wait behind a bulk import. */
#define ADMIN_TIMEOUT_MS	60000
/* Certificates in one transaction: mail is looked up for in between. */
#define PUT_MAX			100

struct channel {
	int		 fd;
	bool		 is_busy;
	uint32_t	 last_id;
	uint8_t		*room;		/* WIRE_MAX bytes for an answer */
};

struct client {
	pthread_mutex_t	 mutex;		/* over is_busy of all channels */
	pthread_cond_t	 freed;
	struct channel	*channels;
	size_t		 n;
	int		 timeout_ms;
	atomic_uint	 n_notes;	/* sent, or tried to */
};

static int64_t
clock_us(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t
clock_ms(void)
{
	return clock_us() / 1000;
}

static struct channel *
take_channel(struct client *client, int64_t deadline, struct err *err)
{
	struct channel	*found = NULL;
	struct timespec	 until = { .tv_sec = deadline / 1000,
	    .tv_nsec = deadline % 1000 * 1000000 };
	int		 rc = 0;

	pthread_mutex_lock(&client->mutex);
	for (;;) {
		for (size_t i = 0; i < client->n && found == NULL; i++)
			if (!client->channels[i].is_busy)
				found = &client->channels[i];
		if (found != NULL || rc == ETIMEDOUT)
			break;
		rc = pthread_cond_timedwait(&client->freed, &client->mutex,
		    &until);
	}
	if (found != NULL)
		found->is_busy = true;
	pthread_mutex_unlock(&client->mutex);
	if (found == NULL)
		err_set(err, ERR_TEMP,
		    "the vault is busy: no channel to it became free");
	return found;
}

static void
give_back(struct client *client, struct channel *channel)
{
	pthread_mutex_lock(&client->mutex);
	channel->is_busy = false;
	pthread_cond_signal(&client->freed);
	pthread_mutex_unlock(&client->mutex);
}

/* Ready for these events before the deadline? */
static bool
wait_for(int fd, short events, int64_t deadline, struct err *err)
{
	struct pollfd	 pfd = { .fd = fd, .events = events };

	for (;;) {
		int64_t	 left = deadline - clock_ms();
		int	 rc = poll(&pfd, 1, left < 0 ? 0 : (int)left);

		if (rc > 0)
			return true;
		if (rc == 0)
			return err_set(err, ERR_TEMP,
			    "the vault did not answer in time");
		if (errno != EINTR)
			return err_errno(err, ERR_TEMP, "poll the vault");
	}
}

static bool
send_request(int fd, const struct buf *request, int64_t deadline,
    struct err *err)
{
	for (;;) {
		if (send(fd, request->data, request->len,
		    MSG_DONTWAIT | MSG_NOSIGNAL) != -1)
			return true;
		if (errno != EAGAIN && errno != EINTR)
			return err_errno(err, ERR_TEMP, "ask the vault");
		if (!wait_for(fd, POLLOUT, deadline, err))
			return false;
	}
}

/* Answers to requests given up before, and deaths of earlier vaults. */
static void
drop_old_answers(struct channel *channel)
{
	while (recv(channel->fd, channel->room, WIRE_MAX, MSG_DONTWAIT) > 0)
		;
}

/* The answer with this id; those of requests given up before are dropped. */
static bool
receive_answer(struct channel *channel, int timeout_ms,
    struct wire_reader *reader, enum err_kind *kind, int64_t deadline,
    struct err *err)
{
	for (;;) {
		ssize_t	 len;
		uint8_t	 version;
		uint32_t answered;

		/* The socket's own timeout saves a poll, unless it is late. */
		if (deadline - clock_ms() < timeout_ms / 2 &&
		    !wait_for(channel->fd, POLLIN, deadline, err))
			return false;
		len = recv(channel->fd, channel->room, WIRE_MAX, 0);
		if (len == -1 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (len == -1)
			return err_errno(err, ERR_TEMP, "hear the vault");
		if (len == 0)
			return err_set(err, ERR_TEMP,
			    "the vault closed the connection");
		*reader = (struct wire_reader){ .p = channel->room,
		    .left = (size_t)len };
		version = wire_get_u8(reader);
		*kind = (enum err_kind)wire_get_enum(reader, ERR_BUG);
		answered = wire_get_u32(reader);
		if (answered == 0 && !reader->failed)
			return true;
		if (answered != channel->last_id && !reader->failed)
			continue;
		if (reader->failed || version != WIRE_VERSION)
			return err_set(err, ERR_TEMP,
			    "the vault's answer is malformed");
		return true;
	}
}

/* A request under construction, and the answer to it, in the channel's room. */
struct call {
	struct client		*client;
	struct channel		*channel;	/* ours from ask() to end() */
	struct buf		 request;
	struct wire_reader	 reader;
	bool			 is_answer_secret;
};

static void
begin(struct call *call, enum wire_op op)
{
	memset(call, 0, sizeof(*call));
	call->request.max = WIRE_MAX;
	call->request.is_secret = op == WIRE_PUT_KEY || op == WIRE_REWRAP;
	call->is_answer_secret = op == WIRE_GET_KEY;
	wire_put_u8(&call->request, WIRE_VERSION);
	wire_put_u8(&call->request, (uint8_t)op);
	wire_put_u32(&call->request, 0);
}

/* Was everything read that was sent?  Ends the call either way. */
static bool
end(struct call *call, bool is_ok, struct err *err)
{
	if (is_ok && !wire_is_done(&call->reader))
		is_ok = err_set(err, ERR_TEMP,
		    "the vault's answer is malformed");
	if (call->channel != NULL) {
		if (call->is_answer_secret)
			OPENSSL_cleanse(call->channel->room, WIRE_MAX);
		give_back(call->client, call->channel);
	}
	buf_free(&call->request);
	return is_ok;
}

/* Fill in the id, send, receive; the reader stands at the results then. */
static bool
ask(struct client *client, struct call *call, struct err *err)
{
	int64_t		 begun = clock_us();
	int64_t		 deadline = begun / 1000 + client->timeout_ms;
	struct channel	*channel;
	enum err_kind	 kind = ERR_NONE;
	char		*reason;
	bool		 is_ok;

	if (!buf_ok(&call->request, "a request to the vault", err) ||
	    (channel = take_channel(client, deadline, err)) == NULL)
		return false;
	call->client = client;
	call->channel = channel;
	if (++channel->last_id == 0)
		channel->last_id = 1;
	drop_old_answers(channel);
	for (int i = 0; i < 4; i++)
		call->request.data[2 + i] =
		    (uint8_t)(channel->last_id >> (24 - 8 * i));
	is_ok = send_request(channel->fd, &call->request, deadline, err) &&
	    receive_answer(channel, client->timeout_ms, &call->reader, &kind,
	    deadline, err);
	stats_vault(clock_us() - begun, is_ok);
	if (!is_ok || kind == ERR_NONE)
		return is_ok;
	reason = wire_get_str(&call->reader);
	err_set(err, kind, "%s", reason == NULL ? "no reason given" : reason);
	free(reason);
	return false;
}

static bool
client_find(void *arg, const char *addr, enum cert_use use, int64_t now,
    struct finding **out, struct err *err)
{
	struct call	 call;
	bool		 is_ok;

	*out = NULL;
	begin(&call, WIRE_FIND);
	wire_put_str(&call.request, addr);
	wire_put_u8(&call.request, (uint8_t)use);
	wire_put_i64(&call.request, now);
	is_ok = ask(arg, &call, err);
	if (is_ok)
		*out = wire_get_finding(&call.reader);
	is_ok = end(&call, is_ok, err);
	if (!is_ok) {
		finding_free(*out);
		*out = NULL;
	}
	return is_ok;
}

/* What has been read is the caller's also on failure. */
static bool
get_findings(struct wire_reader *reader, struct finding **out, size_t n,
    size_t *n_found)
{
	*n_found = wire_get_u32(reader);
	if (*n_found == 0 || *n_found > n)
		return false;
	for (size_t i = 0; i < *n_found; i++)
		if ((out[i] = wire_get_finding(reader)) == NULL)
			return false;
	return true;
}

static bool
client_find_some(void *arg, const char *const *addrs, size_t n,
    enum cert_use use, int64_t now, struct finding **out, size_t *n_found,
    struct err *err)
{
	struct call	 call;
	bool		 is_ok;

	if (n > WIRE_FIND_MAX)
		n = WIRE_FIND_MAX;
	begin(&call, WIRE_FIND_SOME);
	wire_put_u8(&call.request, (uint8_t)use);
	wire_put_i64(&call.request, now);
	wire_put_u32(&call.request, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		wire_put_str(&call.request, addrs[i]);
	is_ok = ask(arg, &call, err);
	if (is_ok && !get_findings(&call.reader, out, n, n_found))
		call.reader.failed = true;
	return end(&call, is_ok, err);
}

static bool
client_sign(void *arg, const struct sign_request *request, struct buf *out,
    struct err *err)
{
	struct call	 call;
	const uint8_t	*der;
	size_t		 len;
	bool		 is_ok;

	begin(&call, WIRE_SIGN);
	wire_put_sign_request(&call.request, request);
	is_ok = ask(arg, &call, err);
	if (is_ok) {
		der = wire_get_bytes(&call.reader, &len);
		buf_add(out, der, len);
		is_ok = buf_ok(out, "a signature", err);
	}
	return end(&call, is_ok, err);
}

static bool
get_entries(struct client *client, struct call *call, struct cert_entry **out,
    size_t *n, struct err *err)
{
	bool	 is_ok = ask(client, call, err);

	*out = NULL;
	*n = 0;
	if (is_ok)
		wire_get_entries(&call->reader, out, n);
	is_ok = end(call, is_ok, err);
	if (!is_ok) {
		cert_entry_free(*out, *n);
		*out = NULL;
		*n = 0;
	}
	return is_ok;
}

static bool
client_list(void *arg, const struct fingerprint *after, size_t max,
    int64_t now, struct cert_entry **out, size_t *n, struct err *err)
{
	struct call	 call;

	begin(&call, WIRE_LIST);
	wire_put_u8(&call.request, after != NULL);
	if (after != NULL)
		wire_put_fp(&call.request, after);
	wire_put_u32(&call.request, max > UINT32_MAX ? UINT32_MAX :
	    (uint32_t)max);
	wire_put_i64(&call.request, now);
	return get_entries(arg, &call, out, n, err);
}

static bool
client_lookup(void *arg, const char *what, int64_t now,
    struct cert_entry **out, size_t *n, struct err *err)
{
	struct call	 call;

	begin(&call, WIRE_LOOKUP);
	wire_put_str(&call.request, what);
	wire_put_i64(&call.request, now);
	return get_entries(arg, &call, out, n, err);
}

static bool
client_chain(void *arg, const struct fingerprint *fp, int64_t now,
    struct cert_entry **out, size_t *n, struct err *err)
{
	struct call	 call;

	begin(&call, WIRE_CHAIN);
	wire_put_fp(&call.request, fp);
	wire_put_i64(&call.request, now);
	return get_entries(arg, &call, out, n, err);
}

/* One packet's worth, from *done on; *done is where the next begins. */
static bool
put_some(struct client *client, const char *who, const struct put_cert *certs,
    size_t n, int64_t now, struct put_result *results, size_t *done,
    struct err *err)
{
	struct call	 call;
	size_t		 count = 0, room = WIRE_MAX - 1024;
	bool		 is_ok;

	while (*done + count < n && count < PUT_MAX) {
		const struct put_cert	*c = &certs[*done + count];
		size_t			 need = c->der_len + 16 +
		    (c->source == NULL ? 0 : strlen(c->source));

		if (need > room)
			break;
		room -= need;
		count++;
	}
	if (count == 0)
		return err_set(err, ERR_DATA, "a certificate of %zu bytes is "
		    "too large for the vault", certs[*done].der_len);
	begin(&call, WIRE_PUT_CERTS);
	wire_put_str(&call.request, who);
	wire_put_i64(&call.request, now);
	wire_put_u32(&call.request, (uint32_t)count);
	for (size_t i = *done; i < *done + count; i++) {
		wire_put_bytes(&call.request, certs[i].der, certs[i].der_len);
		wire_put_u8(&call.request, (uint8_t)certs[i].state);
		wire_put_str(&call.request, certs[i].source);
	}
	is_ok = ask(client, &call, err);
	for (size_t i = *done; is_ok && i < *done + count; i++)
		wire_get_result(&call.reader, &results[i]);
	*done += count;
	return end(&call, is_ok, err);
}

static bool
client_put_certs(void *arg, const char *who, const struct put_cert *certs,
    size_t n, int64_t now, struct put_result *results, struct err *err)
{
	size_t	 done = 0;

	memset(results, 0, n * sizeof(*results));
	while (done < n)
		if (!put_some(arg, who, certs, n, now, results, &done,
		    err))
			return false;
	return true;
}

/* One piece; with the last one comes the result. */
static bool
put_piece(struct client *client, const char *who, const struct put_crl *crl,
    int64_t now, const struct wire_piece *piece, struct put_result *result,
    struct err *err)
{
	struct call	 call;
	bool		 is_ok;

	begin(&call, WIRE_PUT_CRL);
	wire_put_str(&call.request, who);
	wire_put_piece(&call.request, piece);
	wire_put_str(&call.request, crl->source);
	wire_put_u8(&call.request, crl->is_dry_run);
	wire_put_i64(&call.request, now);
	is_ok = ask(client, &call, err);
	if (is_ok && piece->offset + piece->len == piece->total)
		wire_get_result(&call.reader, result);
	return end(&call, is_ok, err);
}

static bool
client_put_crl(void *arg, const char *who, const struct put_crl *crl,
    int64_t now, struct put_result *result, struct err *err)
{
	struct wire_piece	 piece = { .total = (uint32_t)crl->der_len };
	bool			 is_ok = true;

	memset(result, 0, sizeof(*result));
	if (crl->der_len > UINT32_MAX)
		return err_set(err, ERR_DATA, "a list of %zu bytes is too "
		    "large for the vault", crl->der_len);
	if (RAND_bytes(piece.token, sizeof(piece.token)) != 1)
		return err_openssl(err, ERR_TEMP, "no random bytes");
	for (size_t at = 0; is_ok && at < crl->der_len; at += piece.len) {
		piece.offset = (uint32_t)at;
		piece.data = crl->der + at;
		piece.len = crl->der_len - at < WIRE_PIECE ?
		    crl->der_len - at : WIRE_PIECE;
		is_ok = put_piece(arg, who, crl, now, &piece, result, err);
	}
	return is_ok;
}

static bool
client_remove_crls(void *arg, const char *who, const struct fingerprint *fp,
    struct err *err)
{
	struct call	 call;

	begin(&call, WIRE_REMOVE_CRLS);
	wire_put_str(&call.request, who);
	wire_put_fp(&call.request, fp);
	return end(&call, ask(arg, &call, err), err);
}

static bool
client_put_key(void *arg, const char *who, const struct put_key *key,
    int64_t now, struct put_result *result, struct err *err)
{
	struct call	 call;
	bool		 is_ok;

	memset(result, 0, sizeof(*result));
	begin(&call, WIRE_PUT_KEY);
	wire_put_str(&call.request, who);
	wire_put_bytes(&call.request, key->plain, key->plain_len);
	wire_put_bytes(&call.request, key->wrapped, key->wrapped_len);
	wire_put_str(&call.request, key->source);
	wire_put_i64(&call.request, now);
	is_ok = ask(arg, &call, err);
	if (is_ok)
		wire_get_result(&call.reader, result);
	return end(&call, is_ok, err);
}

static bool
client_get_key(void *arg, const char *who, const struct fingerprint *fp,
    enum key_protection *protection, struct buf *out, struct err *err)
{
	struct call	 call;
	const uint8_t	*data;
	size_t		 len;
	bool		 is_ok;

	begin(&call, WIRE_GET_KEY);
	wire_put_str(&call.request, who);
	wire_put_fp(&call.request, fp);
	is_ok = ask(arg, &call, err);
	if (is_ok) {
		*protection = (enum key_protection)wire_get_enum(&call.reader,
		    KEY_PASSPHRASE);
		data = wire_get_bytes(&call.reader, &len);
		out->is_secret = true;
		buf_add(out, data, len);
		is_ok = buf_ok(out, "a key", err);
	}
	return end(&call, is_ok, err);
}

static bool
client_set_state(void *arg, const char *who, const struct fingerprint *fp,
    enum cert_state state, struct err *err)
{
	struct call	 call;

	begin(&call, WIRE_SET_STATE);
	wire_put_str(&call.request, who);
	wire_put_fp(&call.request, fp);
	wire_put_u8(&call.request, (uint8_t)state);
	return end(&call, ask(arg, &call, err), err);
}

static bool
client_remove(void *arg, const char *who, const struct fingerprint *fp,
    bool key_only, struct err *err)
{
	struct call	 call;

	begin(&call, WIRE_REMOVE);
	wire_put_str(&call.request, who);
	wire_put_fp(&call.request, fp);
	wire_put_u8(&call.request, key_only);
	return end(&call, ask(arg, &call, err), err);
}

static bool
client_rewrap(void *arg, const char *who, const uint8_t *new_master,
    int64_t now, size_t *n, struct err *err)
{
	struct call	 call;
	bool		 is_ok;

	begin(&call, WIRE_REWRAP);
	wire_put_str(&call.request, who);
	wire_put_bytes(&call.request, new_master, MASTER_KEY_LEN);
	wire_put_i64(&call.request, now);
	is_ok = ask(arg, &call, err);
	if (is_ok)
		*n = wire_get_u32(&call.reader);
	return end(&call, is_ok, err);
}

/*
 * Over any channel, whoever else waits for an answer there: a packet is sent
 * whole, and gets none.
 */
static void
client_note(void *arg, const struct event *event)
{
	struct client	*client = arg;
	struct call	 call;
	size_t		 i;

	begin(&call, WIRE_NOTE);
	wire_put_event(&call.request, event);
	i = atomic_fetch_add(&client->n_notes, 1) % client->n;
	if (!call.request.failed)
		send(client->channels[i].fd, call.request.data,
		    call.request.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	buf_free(&call.request);
}

static bool
get_page(struct wire_reader *r, struct event_page *page)
{
	page->is_end = wire_get_enum(r, 1) == 1;
	page->n = wire_get_u32(r);
	if (page->n > WIRE_EVENTS_MAX) {
		page->n = 0;
		return false;
	}
	page->list = mem_array(page->n, sizeof(*page->list));
	for (size_t i = 0; i < page->n; i++)
		wire_get_event(r, &page->list[i]);
	return true;
}

static bool
client_events(void *arg, const struct event_query *query,
    struct event_cursor *cursor, struct event_page *page, struct err *err)
{
	struct call	 call;
	bool		 is_ok;

	memset(page, 0, sizeof(*page));
	begin(&call, WIRE_EVENTS);
	wire_put_str(&call.request, query->addr);
	wire_put_u8(&call.request, query->is_failed);
	wire_put_u32(&call.request, query->max > WIRE_EVENTS_MAX ?
	    WIRE_EVENTS_MAX : (uint32_t)query->max);
	wire_put_cursor(&call.request, cursor);
	is_ok = ask(arg, &call, err);
	if (is_ok) {
		wire_get_cursor(&call.reader, cursor);
		call.reader.failed |= !get_page(&call.reader, page);
	}
	is_ok = end(&call, is_ok, err);
	if (!is_ok)
		event_page_free(page);
	return is_ok;
}

static bool
client_make_stamp(void *arg, const struct stamp *stamp, char **out,
    struct err *err)
{
	struct call	 call;
	bool		 is_ok;

	*out = NULL;
	begin(&call, WIRE_MAKE_STAMP);
	wire_put_stamp(&call.request, stamp);
	is_ok = ask(arg, &call, err);
	if (is_ok && (*out = wire_get_str(&call.reader)) == NULL)
		call.reader.failed = true;
	is_ok = end(&call, is_ok, err);
	if (!is_ok) {
		free(*out);
		*out = NULL;
	}
	return is_ok;
}

static bool
client_check_stamp(void *arg, const struct stamp_query *query,
    struct stamp *out, struct err *err)
{
	struct call	 call;
	bool		 is_ok;

	memset(out, 0, sizeof(*out));
	begin(&call, WIRE_CHECK_STAMP);
	wire_put_str(&call.request, query->text);
	wire_put_str(&call.request, query->sender);
	wire_put_bytes(&call.request, query->digest, sizeof(query->digest));
	is_ok = ask(arg, &call, err);
	if (is_ok)
		wire_get_stamp(&call.reader, out);
	is_ok = end(&call, is_ok, err);
	if (!is_ok)
		stamp_clear(out);
	return is_ok;
}

static bool
client_records(void *arg, struct buf *cursor, size_t max, struct buf *rows,
    struct err *err)
{
	struct call	 call;
	const uint8_t	*data;
	size_t		 len;
	bool		 is_ok;

	begin(&call, WIRE_RECORDS);
	wire_put_bytes(&call.request, cursor->data, cursor->len);
	wire_put_u32(&call.request, max > WIRE_MAX ? WIRE_MAX :
	    (uint32_t)max);
	is_ok = ask(arg, &call, err);
	buf_clear(rows);
	if (is_ok) {
		buf_clear(cursor);
		data = wire_get_bytes(&call.reader, &len);
		buf_add(cursor, data, len);
		data = wire_get_bytes(&call.reader, &len);
		buf_add(rows, data, len);
		is_ok = buf_ok(cursor, "a place in the store", err) &&
		    buf_ok(rows, "rows of the store", err);
	}
	return end(&call, is_ok, err);
}

static bool
client_verify(void *arg, struct buf *cursor, struct verify_findings *findings,
    struct err *err)
{
	struct call	 call;
	const uint8_t	*data;
	size_t		 len, n;
	bool		 is_ok;

	begin(&call, WIRE_VERIFY);
	wire_put_bytes(&call.request, cursor->data, cursor->len);
	is_ok = ask(arg, &call, err);
	buf_clear(cursor);
	if (is_ok) {
		data = wire_get_bytes(&call.reader, &len);
		buf_add(cursor, data, len);
		findings->n_records += wire_get_u32(&call.reader);
		n = wire_get_u32(&call.reader);
		for (size_t i = 0; i < n && !call.reader.failed; i++) {
			char	*about = wire_get_str(&call.reader);
			char	*text = wire_get_str(&call.reader);

			if (about != NULL && text != NULL)
				verify_add(findings, about, text);
			free(about);
			free(text);
		}
		is_ok = buf_ok(cursor, "a place in the store", err);
	}
	return end(&call, is_ok, err);
}

static void
client_close(void *arg)
{
	struct client	*client = arg;

	for (size_t i = 0; i < client->n; i++) {
		close(client->channels[i].fd);
		free(client->channels[i].room);
	}
	pthread_cond_destroy(&client->freed);
	pthread_mutex_destroy(&client->mutex);
	free(client->channels);
	free(client);
}

static const struct custody_ops	 client_ops = {
	.find = client_find,
	.find_some = client_find_some,
	.sign = client_sign,
	.list = client_list,
	.lookup = client_lookup,
	.put_certs = client_put_certs,
	.put_crl = client_put_crl,
	.remove_crls = client_remove_crls,
	.put_key = client_put_key,
	.get_key = client_get_key,
	.chain = client_chain,
	.set_state = client_set_state,
	.remove = client_remove,
	.note = client_note,
	.events = client_events,
	.records = client_records,
	.verify = client_verify,
	.rewrap = client_rewrap,
	.close = client_close,
};

static struct client *
new_client(const int *fds, size_t n, int timeout_ms)
{
	struct client		*client = mem_alloc(sizeof(*client));
	const struct timeval	 timeout = { .tv_sec = timeout_ms / 1000,
	    .tv_usec = timeout_ms % 1000 * 1000 };
	pthread_condattr_t	 attr;

	pthread_mutex_init(&client->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&client->freed, &attr);
	pthread_condattr_destroy(&attr);
	client->channels = mem_array(n, sizeof(*client->channels));
	client->n = n;
	client->timeout_ms = timeout_ms;
	for (size_t i = 0; i < n; i++) {
		uint32_t	*id = &client->channels[i].last_id;

		client->channels[i].fd = fds[i];
		/* Its pages are taken as answers fill them. */
		client->channels[i].room = mem_alloc(WIRE_MAX);
		setsockopt(fds[i], SOL_SOCKET, SO_RCVTIMEO, &timeout,
		    sizeof(timeout));
		/*
		 * A filter that died may have asked over the same channel, and
		 * be answered only now: its numbers must be others than ours.
		 */
		if (getrandom(id, sizeof(*id), 0) != sizeof(*id))
			abort();
	}
	return client;
}

struct custody *
vault_client_new(const int *fds, size_t n, int timeout_ms,
    struct stamper *stamper)
{
	struct client	*client = new_client(fds, n, timeout_ms);

	if (stamper != NULL)
		*stamper = (struct stamper){ client_make_stamp,
		    client_check_stamp, client };
	return custody_new(&client_ops, client);
}

static bool
connect_admin(const char *path, int *out, bool *is_absent, struct err *err)
{
	struct sockaddr_un	 addr = { .sun_family = AF_UNIX };
	int			 fd;

	*is_absent = false;
	if (strlen(path) >= sizeof(addr.sun_path))
		return err_set(err, ERR_CONFIG, "%s: the path of a socket has "
		    "at most %zu bytes; use a shorter store path", path,
		    sizeof(addr.sun_path) - 1);
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return err_errno(err, ERR_TEMP, "socket");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == -1) {
		*is_absent = errno == ENOENT || errno == ECONNREFUSED;
		err_errno(err, errno == EACCES ? ERR_CONFIG : ERR_TEMP,
		    "cannot reach the vault at %s", path);
		close(fd);
		return false;
	}
	*out = fd;
	return true;
}

bool
vault_client_open_admin(const char *path, struct custody **out,
    bool *is_absent, struct err *err)
{
	int	 fd;

	if (!connect_admin(path, &fd, is_absent, err))
		return false;
	*out = vault_client_new(&fd, 1, ADMIN_TIMEOUT_MS, NULL);
	return true;
}

/* A request without arguments, over a connection of its own. */
static bool
ask_daemon(const char *path, enum wire_op op,
    bool (*read_answer)(struct wire_reader *, void *), void *arg,
    bool *is_absent, struct err *err)
{
	struct client	*client;
	struct call	 call;
	int		 fd;
	bool		 is_ok;

	if (!connect_admin(path, &fd, is_absent, err))
		return false;
	client = new_client(&fd, 1, ADMIN_TIMEOUT_MS);
	begin(&call, op);
	is_ok = ask(client, &call, err);
	while (is_ok && read_answer != NULL && call.reader.left > 0 &&
	    read_answer(&call.reader, arg))
		;
	is_ok = end(&call, is_ok, err);
	client_close(client);
	return is_ok;
}

bool
vault_client_reload(const char *path, bool *is_absent, struct err *err)
{
	return ask_daemon(path, WIRE_RELOAD, NULL, NULL, is_absent, err);
}

struct status_reader {
	vault_client_status_fn	*fn;
	void			*arg;
};

static bool
read_sample(struct wire_reader *r, void *arg)
{
	const struct status_reader	*reader = arg;
	char				*text[4];
	bool				 is_whole = true;

	for (size_t i = 0; i < 4; i++) {
		text[i] = wire_get_str(r);
		is_whole = is_whole && text[i] != NULL;
	}
	if (is_whole)
		reader->fn(reader->arg, &(struct stats_sample){
		    .name = text[0], .suffix = text[1], .labels = text[2],
		    .value = strtod(text[3], NULL) });
	for (size_t i = 0; i < 4; i++)
		free(text[i]);
	return is_whole;
}

bool
vault_client_status(const char *path, vault_client_status_fn *fn, void *arg,
    bool *is_absent, struct err *err)
{
	struct status_reader	 reader = { fn, arg };

	return ask_daemon(path, WIRE_STATUS, read_sample, &reader, is_absent,
	    err);
}
