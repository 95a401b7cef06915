/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "milter/control.h"
#include "milter/log.h"
#include "milter/process.h"
#include "milter/snapshot.h"
#include "milter/vault_wire.h"
#include "policy/config.h"
#include "policy/config_bundle.h"
#include "policy/config_parse.h"

#define SOURCES_MAX	10000

enum kind {
	KIND_CONFIG,
	KIND_CHANNELS,
	KIND_RELOAD,		/* from the vault, and the next */
	KIND_ALIVE
};

struct message {
	enum kind	 kind;
	uint32_t	 number;	/* generation, role of the channels, the sender's pid */
	struct config	*config;	/* KIND_CONFIG */
	int		 fds[CONTROL_FDS_MAX];	/* KIND_CHANNELS; or to close */
	size_t		 n_fds;
};

/* The fixed part of a message; descriptors come beside it. */
struct head {
	uint32_t	 kind;
	uint32_t	 number;
};

union fd_space {
	struct cmsghdr	 align;
	char		 bytes[CMSG_SPACE(CONTROL_FDS_MAX * sizeof(int))];
};

static bool
send_message(int fd, struct head head, const int *fds, size_t n,
    struct err *err)
{
	union fd_space	 space = { 0 };
	struct iovec	 iov = { .iov_base = &head, .iov_len = sizeof(head) };
	struct msghdr	 msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr	*cmsg;

	if (n > 0) {
		msg.msg_control = space.bytes;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, n * sizeof(int));
	}
	if (sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		return err_errno(err, ERR_TEMP, "tell a process of ours");
	return true;
}

static bool
write_all(int fd, const struct buf *buf, struct err *err)
{
	size_t	 done = 0;

	while (done < buf->len) {
		ssize_t	 n = write(fd, buf->data + done, buf->len - done);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return err_errno(err, ERR_TEMP,
			    "keep the configuration in memory");
		done += (size_t)n;
	}
	return true;
}

/* For each file its path, its length, its bytes. */
static bool
pack(const struct config_bundle *bundle, struct buf *out, struct err *err)
{
	for (size_t i = 0; i < bundle->n; i++) {
		wire_put_str(out, bundle->sources[i].path);
		wire_put_i64(out, (int64_t)bundle->sources[i].len);
		buf_add(out, bundle->sources[i].bytes, bundle->sources[i].len);
	}
	return buf_ok(out, "the configuration", err);
}

bool
control_send_config(int fd, uint32_t generation,
    const struct config_bundle *bundle, int done, struct err *err)
{
	struct buf	 packed = { 0 };
	int		 fds[2];
	int		 memory = memfd_create("configuration",
	    MFD_CLOEXEC | MFD_ALLOW_SEALING);
	bool		 is_ok;

	if (memory == -1)
		return err_errno(err, ERR_TEMP, "memfd_create");
	is_ok = pack(bundle, &packed, err) &&
	    write_all(memory, &packed, err);
	if (is_ok && fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_WRITE | F_SEAL_SEAL) == -1)
		is_ok = err_errno(err, ERR_TEMP, "seal the configuration");
	fds[0] = memory;
	fds[1] = done;
	if (is_ok)
		is_ok = send_message(fd, (struct head){ KIND_CONFIG,
		    generation }, fds, done == -1 ? 1 : 2, err);
	buf_free(&packed);
	close(memory);
	return is_ok;
}

bool
control_send_channels(int fd, enum role role, const int *fds, size_t n,
    struct err *err)
{
	return send_message(fd, (struct head){ KIND_CHANNELS, role }, fds, n,
	    err);
}

static bool
unpack(const uint8_t *bytes, size_t len, struct config **out, struct err *err)
{
	struct wire_reader	 r = { .p = bytes, .left = len };
	struct config_source	*sources = NULL;
	size_t			 n = 0;
	bool			 is_ok = false;

	while (r.left > 0 && !r.failed && n < SOURCES_MAX) {
		int64_t	 size;

		sources = mem_grow(sources, n + 1, sizeof(*sources));
		sources[n].path = wire_get_str(&r);
		size = wire_get_i64(&r);
		if (size < 0 || (uint64_t)size > r.left)
			r.failed = true;
		sources[n].bytes = (char *)(uintptr_t)r.p;
		sources[n].len = r.failed ? 0 : (size_t)size;
		r.p += sources[n].len;
		r.left -= sources[n].len;
		n++;
	}
	if (!wire_is_done(&r))
		err_set(err, ERR_TEMP, "the new configuration is malformed");
	else
		is_ok = config_parse(sources, n, out, err);
	for (size_t i = 0; i < n; i++)
		free(sources[i].path);
	free(sources);
	return is_ok;
}

static bool
read_config(int memory, struct config **out, struct err *err)
{
	struct stat	 st;
	void		*map;
	bool		 is_ok;

	if (fstat(memory, &st) == -1 || st.st_size == 0)
		return err_set(err, ERR_TEMP,
		    "the new configuration is empty");
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, memory,
	    0);
	if (map == MAP_FAILED)
		return err_errno(err, ERR_TEMP, "map the configuration");
	is_ok = unpack(map, (size_t)st.st_size, out, err);
	munmap(map, (size_t)st.st_size);
	return is_ok;
}

static void
take_fds(struct msghdr *msg, struct message *out)
{
	struct cmsghdr	*cmsg = CMSG_FIRSTHDR(msg);

	out->n_fds = 0;
	if (cmsg == NULL || cmsg->cmsg_level != SOL_SOCKET ||
	    cmsg->cmsg_type != SCM_RIGHTS)
		return;
	out->n_fds = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	if (out->n_fds > CONTROL_FDS_MAX)
		out->n_fds = CONTROL_FDS_MAX;
	memcpy(out->fds, CMSG_DATA(cmsg), out->n_fds * sizeof(int));
}

static void
close_all(struct message *message)
{
	for (size_t i = 0; i < message->n_fds; i++)
		close(message->fds[i]);
	message->n_fds = 0;
}

/*
 * Wait for the next message.  False with ERR_BUG: the supervisor is gone;
 * with another kind: this message could not be read, there may be others.
 */
static bool
receive(int fd, int flags, struct message *out, struct err *err)
{
	struct head	 head;
	union fd_space	 space;
	struct iovec	 iov = { .iov_base = &head, .iov_len = sizeof(head) };
	struct msghdr	 msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space.bytes, .msg_controllen = sizeof(space),
	};
	ssize_t		 len;
	bool		 is_ok;

	memset(out, 0, sizeof(*out));
	while ((len = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC | flags)) == -1 &&
	    errno == EINTR)
		;
	if (len == -1 && errno == EAGAIN)
		return err_set(err, ERR_TEMP, "there is no message");
	if (len <= 0)
		return err_set(err, ERR_BUG, "the supervisor is gone");
	take_fds(&msg, out);
	if (len != sizeof(head) ||
	    (out->n_fds == 0) != (head.kind == KIND_ALIVE)) {
		close_all(out);
		return err_set(err, ERR_TEMP, "a message between our "
		    "processes is malformed");
	}
	out->kind = (enum kind)head.kind;
	out->number = head.number;
	if (out->kind != KIND_CONFIG)
		return true;
	is_ok = read_config(out->fds[0], &out->config, err);
	if (!is_ok)
		close_all(out);
	return is_ok;
}

/* --- the vault asks ------------------------------------------------------------ */

enum control_request
control_take_request(int fd, pid_t vault, int *done)
{
	struct message	 message;
	struct err	 ignored;

	while (receive(fd, MSG_DONTWAIT, &message, &ignored)) {
		if (message.kind == KIND_RELOAD && message.n_fds == 1) {
			*done = message.fds[0];
			return CONTROL_RELOAD;
		}
		/* One that died has left its last words in the socket. */
		if (message.kind == KIND_ALIVE &&
		    message.number == (uint32_t)vault)
			return CONTROL_ALIVE;
		close_all(&message);
		config_free(message.config);
	}
	return CONTROL_NOTHING;
}

/*
 * A filter may have been taken over: nothing of what it sends is looked at
 * but this, and descriptors that come along are dropped by the kernel.
 */
bool
control_is_alive(int fd, pid_t pid)
{
	struct head	 head;
	bool		 is_alive = false;
	ssize_t		 len;

	while ((len = recv(fd, &head, sizeof(head), MSG_DONTWAIT)) > 0)
		if (len == sizeof(head) && head.kind == KIND_ALIVE &&
		    head.number == (uint32_t)pid)
			is_alive = true;
	return is_alive;
}

void
control_tell_alive(int fd)
{
	struct err	 ignored;

	send_message(fd, (struct head){ KIND_ALIVE, (uint32_t)getpid() },
	    NULL, 0, &ignored);
}

/* What the pipe says until it ends. */
static bool
read_answer(int reader, int timeout_ms, char *text, size_t size,
    struct err *err)
{
	struct pollfd	 pfd = { .fd = reader, .events = POLLIN };
	size_t		 n = 0;
	ssize_t		 len;

	for (;;) {
		int	 rc = poll(&pfd, 1, timeout_ms);

		if (rc == -1 && errno == EINTR)
			continue;
		if (rc <= 0)
			return err_set(err, ERR_TEMP, "not every process has "
			    "the new configuration after %d seconds",
			    timeout_ms / 1000);
		len = read(reader, text + n, size - 1 - n);
		if (len > 0)
			n += (size_t)len;
		else if (len == 0 || errno != EINTR)
			break;
	}
	text[n] = '\0';
	return true;
}

bool
control_reload(int fd, int timeout_ms, struct err *err)
{
	char	 text[sizeof(err->reason)];
	int	 pipe_fds[2];
	bool	 is_ok;

	if (pipe2(pipe_fds, O_CLOEXEC) == -1)
		return err_errno(err, ERR_TEMP, "pipe");
	is_ok = send_message(fd, (struct head){ KIND_RELOAD, 0 },
	    &pipe_fds[1], 1, err);
	close(pipe_fds[1]);
	is_ok = is_ok && read_answer(pipe_fds[0], timeout_ms, text,
	    sizeof(text), err);
	close(pipe_fds[0]);
	if (is_ok && text[0] != '\0')
		return err_set(err, ERR_CONFIG, "%s", text);
	return is_ok;
}

/* --- a child follows ------------------------------------------------------------ */

struct follower {
	int			 fd;
	uint32_t		 generation;
	control_channels_fn	*on_channels;
	void			*arg;
};

static void
take_config(struct follower *follower, const struct message *message)
{
	/* One that waited while this process was started anew is old news. */
	if (message->number <= follower->generation) {
		config_free(message->config);
		return;
	}
	follower->generation = message->number;
	snapshot_swap_take(message->config);
}

static void
obey(struct follower *follower, struct message *message)
{
	if (message->kind == KIND_CHANNELS) {
		if (follower->on_channels != NULL)
			follower->on_channels(follower->arg,
			    (enum role)message->number, message->fds,
			    message->n_fds);
		return;
	}
	take_config(follower, message);
	/* Whoever waits for it may go on. */
	close_all(message);
}

static void *
follow(void *arg)
{
	struct follower	*follower = arg;
	struct message	 message;
	struct err	 err;

	for (;;) {
		if (receive(follower->fd, 0, &message, &err))
			obey(follower, &message);
		else if (err.kind == ERR_BUG)
			break;
		else
			log_line(LOG_ERR, "%s", err.reason);
	}
	free(follower);
	/* The kernel tells only those that the supervisor could have told. */
	kill(getpid(), SIGTERM);
	return NULL;
}

bool
control_follow(int fd, uint32_t generation, control_channels_fn *on_channels,
    void *arg, struct err *err)
{
	struct follower	*follower = mem_alloc(sizeof(*follower));

	*follower = (struct follower){ fd, generation, on_channels, arg };
	return process_thread(follow, follower, err);
}
