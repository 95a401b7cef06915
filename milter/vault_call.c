/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/random.h>
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/mem.h"
#include "milter/generation.h"
#include "milter/stats.h"
#include "milter/vault_call.h"

struct channel {
	int		 fd;
	bool		 is_busy;
	uint64_t	 generation;	/* when it was emptied */
	uint32_t	 last_id;
	uint8_t		*room;		/* WIRE_MAX bytes for an answer */
};

struct vault_line {
	pthread_mutex_t	 mutex;		/* over is_busy of all channels */
	pthread_cond_t	 freed;
	struct channel	*channels;
	size_t		 n;
	size_t		 first;			/* that has answers */
	int		 timeout_ms;
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
take_channel(struct vault_line *line, int64_t deadline, struct err *err)
{
	struct channel	*found = NULL;
	struct timespec	 until = { .tv_sec = deadline / 1000,
	    .tv_nsec = deadline % 1000 * 1000000 };
	int		 rc = 0;

	pthread_mutex_lock(&line->mutex);
	for (;;) {
		for (size_t i = line->first; i < line->n && found == NULL; i++)
			if (!line->channels[i].is_busy)
				found = &line->channels[i];
		if (found != NULL || rc == ETIMEDOUT)
			break;
		rc = pthread_cond_timedwait(&line->freed, &line->mutex,
		    &until);
	}
	if (found != NULL)
		found->is_busy = true;
	pthread_mutex_unlock(&line->mutex);
	if (found == NULL)
		err_set(err, ERR_TEMP,
		    "the vault is busy: no channel to it became free");
	return found;
}

static void
give_back(struct vault_line *line, struct channel *channel)
{
	pthread_mutex_lock(&line->mutex);
	channel->is_busy = false;
	pthread_cond_signal(&line->freed);
	pthread_mutex_unlock(&line->mutex);
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

/* Deaths of earlier vaults, that is: each was followed by a new generation. */
static void
drop_old_answers(struct channel *channel)
{
	uint64_t	 generation = generation_now();

	if (generation == channel->generation && generation != 0)
		return;
	channel->generation = generation;
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

void
vault_call_begin(struct vault_call *call, enum wire_op op)
{
	memset(call, 0, sizeof(*call));
	call->request.max = WIRE_MAX;
	call->request.is_secret = op == WIRE_PUT_KEY || op == WIRE_REWRAP;
	call->is_answer_secret = op == WIRE_GET_KEY;
	wire_put_u8(&call->request, WIRE_VERSION);
	wire_put_u8(&call->request, (uint8_t)op);
	wire_put_u32(&call->request, 0);
}

bool
vault_call_ask(struct vault_line *line, struct vault_call *call,
    struct err *err)
{
	int64_t		 begun = clock_us();
	int64_t		 deadline = begun / 1000 + line->timeout_ms;
	struct channel	*channel;
	enum err_kind	 kind = ERR_NONE;
	char		*reason;
	bool		 is_ok;

	if (!buf_ok(&call->request, "a request to the vault", err))
		return false;
	if ((channel = take_channel(line, deadline, err)) == NULL) {
		stats_limit(LIMIT_VAULT_TIMEOUT);
		return false;
	}
	call->line = line;
	call->channel = channel;
	if (++channel->last_id == 0)
		channel->last_id = 1;
	drop_old_answers(channel);
	for (int i = 0; i < 4; i++)
		call->request.data[2 + i] =
		    (uint8_t)(channel->last_id >> (24 - 8 * i));
	is_ok = send_request(channel->fd, &call->request, deadline, err) &&
	    receive_answer(channel, line->timeout_ms, &call->reader, &kind,
	    deadline, err);
	stats_vault(clock_us() - begun, is_ok);
	if (!is_ok && clock_ms() >= deadline)
		stats_limit(LIMIT_VAULT_TIMEOUT);
	if (!is_ok || kind == ERR_NONE)
		return is_ok;
	reason = wire_get_str(&call->reader);
	err_set(err, kind, "%s", reason == NULL ? "no reason given" : reason);
	free(reason);
	return false;
}

bool
vault_call_end(struct vault_call *call, bool is_ok, struct err *err)
{
	if (is_ok && !wire_is_done(&call->reader))
		is_ok = err_set(err, ERR_TEMP,
		    "the vault's answer is malformed");
	if (call->channel != NULL) {
		if (call->is_answer_secret)
			OPENSSL_cleanse(call->channel->room, WIRE_MAX);
		give_back(call->line, call->channel);
	}
	buf_free(&call->request);
	return is_ok;
}

/* Any number of threads over the same channel: a packet is sent whole. */
void
vault_call_tell(struct vault_line *line, struct vault_call *call)
{
	if (!call->request.failed)
		send(line->channels[0].fd, call->request.data,
		    call->request.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	buf_free(&call->request);
}

struct vault_line *
vault_call_open(const int *fds, size_t n, int timeout_ms)
{
	struct vault_line	*line = mem_alloc(sizeof(*line));
	const struct timeval	 timeout = { .tv_sec = timeout_ms / 1000,
	    .tv_usec = timeout_ms % 1000 * 1000 };
	pthread_condattr_t	 attr;

	pthread_mutex_init(&line->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&line->freed, &attr);
	pthread_condattr_destroy(&attr);
	line->channels = mem_array(n, sizeof(*line->channels));
	line->n = n;
	line->first = n > 1 ? 1 : 0;
	line->timeout_ms = timeout_ms;
	for (size_t i = 0; i < n; i++) {
		uint32_t	*id = &line->channels[i].last_id;

		line->channels[i].fd = fds[i];
		/* Its pages are taken as answers fill them. */
		line->channels[i].room = mem_alloc(WIRE_MAX);
		setsockopt(fds[i], SOL_SOCKET, SO_RCVTIMEO, &timeout,
		    sizeof(timeout));
		/*
		 * A filter that died may have asked over the same channel, and
		 * be answered only now: its numbers must be others than ours.
		 */
		if (getrandom(id, sizeof(*id), 0) != sizeof(*id))
			abort();
	}
	return line;
}

void
vault_call_close(struct vault_line *line)
{
	for (size_t i = 0; i < line->n; i++) {
		close(line->channels[i].fd);
		free(line->channels[i].room);
	}
	pthread_cond_destroy(&line->freed);
	pthread_mutex_destroy(&line->mutex);
	free(line->channels);
	free(line);
}
