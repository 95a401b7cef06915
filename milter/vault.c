/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/socket.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/mem.h"
#include "base/wipe.h"
#include "milter/control.h"
#include "milter/generation.h"
#include "milter/log.h"
#include "milter/report.h"
#include "milter/sandbox.h"
#include "milter/snapshot.h"
#include "milter/vault.h"
#include "milter/vault_answer.h"
#include "milter/vault_watch.h"
#include "milter/vault_record.h"
#include "milter/vault_wire.h"
#include "policy/config.h"
#include "store/store.h"

#define LOCK_WAIT_MS	30000	/* smimectl may be in the middle of something */
#define ADMIN_MAX	16	/* administrators at once */
#define ADMIN_SEND_SECONDS 10	/* for an answer to be taken */
#define RELOAD_MS	20000	/* for all processes to have it */
#define STOP_SECONDS	30	/* for what is in work */
#define GATHER_US	10000	/* for what is told, to take much at once */
#define SECURE_HEAP	(8 * 1024 * 1024)	/* about a thousand unlocked keys */

/* Requests in work hold it for reading; whoever stops the vault, for writing. */
static pthread_rwlock_t	 at_work = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t	 admin_mutex = PTHREAD_MUTEX_INITIALIZER;
static int		 admin_count;

/* One connection, served by one thread. */
struct server {
	const struct vault	*vault;
	enum vault_rights	 rights;
	int			 fd;
	bool			 is_told;	/* answers nothing, see receive() */
};

/* One more or one less; false if there are as many as there may be. */
static bool
count_admins(int change)
{
	bool	 is_room;

	pthread_mutex_lock(&admin_mutex);
	is_room = admin_count + change <= ADMIN_MAX;
	if (is_room)
		admin_count += change;
	pthread_mutex_unlock(&admin_mutex);
	return is_room;
}

static bool
send_answer(int fd, const struct buf *answer)
{
	ssize_t	 len;

	while ((len = send(fd, answer->data, answer->len,
	    MSG_NOSIGNAL)) == -1 && errno == EINTR)
		;
	if (len == -1 && errno != EPIPE && errno != ECONNRESET)
		log_line(LOG_WARNING, "send an answer of the vault: %s",
		    strerror(errno));
	return len != -1;
}

/* For its mail a filter has no other channel: it is not given up. */
static bool
may_hear_again(const struct server *server)
{
	if (errno == EINTR)
		return true;
	if (server->rights == VAULT_ADMIN || errno == EBADF)
		return false;
	if (errno != ECONNRESET) {
		log_line(LOG_WARNING, "hear a filter: %s", strerror(errno));
		sleep(1);
	}
	return true;
}

/*
 * Nobody waits for what is only told: it may gather for a moment, so that
 * each mail of many does not wake the vault for its event.
 */
static ssize_t
receive(const struct server *server, uint8_t *request)
{
	ssize_t	 len;

	if (server->is_told) {
		len = recv(server->fd, request, WIRE_MAX, MSG_DONTWAIT);
		if (len != -1 || errno != EAGAIN)
			return len;
		usleep(GATHER_US);
	}
	return recv(server->fd, request, WIRE_MAX, 0);
}

/* Answer requests until the other side is gone, or does not listen. */
static void
serve(const struct server *server)
{
	uint8_t		*request = mem_alloc(WIRE_MAX);
	struct buf	 answer = { 0 };
	bool		 is_sent;

	for (;;) {
		ssize_t	 len = receive(server, request);

		if (len == -1 && may_hear_again(server))
			continue;
		if (len <= 0)
			break;
		pthread_rwlock_rdlock(&at_work);
		buf_clear(&answer);
		vault_answer(server->vault, server->rights, request,
		    (size_t)len, &answer);
		/* A request may have carried a key. */
		if (server->rights == VAULT_ADMIN)
			OPENSSL_cleanse(request, (size_t)len);
		is_sent = answer.len == 0 || send_answer(server->fd, &answer);
		pthread_rwlock_unlock(&at_work);
		/* A filter's channel outlives the filter, and serves the next. */
		if (!is_sent && server->rights == VAULT_ADMIN)
			break;
	}
	buf_free(&answer);
	free(request);
}

static void *
serve_channel(void *arg)
{
	struct server	*server = arg;

	serve(server);
	close(server->fd);
	free(server);
	return NULL;
}

static void *
serve_admin(void *arg)
{
	serve_channel(arg);
	count_admins(-1);
	return NULL;
}

static bool
serve_in_thread(const struct vault *vault, enum vault_rights rights, int fd,
    bool is_told, void *(*fn)(void *), struct err *err)
{
	struct server	*server = mem_alloc(sizeof(*server));

	*server = (struct server){ .vault = vault, .rights = rights,
	    .fd = fd, .is_told = is_told };
	if (process_thread(fn, server, err))
		return true;
	close(fd);
	free(server);
	return false;
}

/* The channels of the filters that start with the vault ... */
static bool
serve_channels(const struct vault *vault, const struct vault_start *start,
    struct err *err)
{
	for (size_t i = 0; i < start->n_channels; i++)
		if (!serve_in_thread(vault,
		    vault_rights_of(start->channels[i].role),
		    start->channels[i].fd, start->channels[i].is_told,
		    serve_channel, err))
			return false;
	return true;
}

/* ... and those of a filter that comes later. */
static void
on_channels(void *arg, enum role role, const int *fds, size_t n)
{
	struct err	 err;

	for (size_t i = 0; i < n; i++)
		if (!serve_in_thread(arg, vault_rights_of(role), fds[i], i == 0,
		    serve_channel, &err))
			log_line(LOG_ERR, "vault: %s", err.reason);
}

/* Root and the store's owner; a filter's user never gets this far. */
static bool
is_administrator(int fd)
{
	struct ucred	 peer;
	socklen_t	 len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	log_line(LOG_WARNING, "vault: user %u may not use the admin socket",
	    (unsigned)peer.uid);
	return false;
}

struct doorkeeper {
	const struct vault	*vault;
	int			 listener;
};

static void *
accept_admins(void *arg)
{
	/* One who asks and does not listen must not keep the vault from ending. */
	const struct timeval	 patience = { .tv_sec = ADMIN_SEND_SECONDS };
	struct doorkeeper	*door = arg;
	struct err		 err;

	for (;;) {
		int	 fd = accept4(door->listener, NULL, NULL,
		    SOCK_CLOEXEC);

		if (fd == -1 && (errno == EBADF || errno == EINVAL))
			break;
		if (fd == -1) {
			/* No descriptor is free, say; nobody can wait for it. */
			if (errno != EINTR && errno != ECONNABORTED)
				sleep(1);
			continue;
		}
		if (!is_administrator(fd) || !count_admins(1)) {
			close(fd);
			continue;
		}
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		    sizeof(patience));
		if (!serve_in_thread(door->vault, VAULT_ADMIN, fd, false,
		    serve_admin, &err))
			count_admins(-1);
	}
	return NULL;
}

/*
 * The key is read while the process is still root, the store opened when it
 * no longer is.
 */
static bool
open_store(const struct vault_start *start, struct store **store,
    struct err *err)
{
	struct store_options	 options = { .dir = start->config->store,
	    .lock_timeout_ms = LOCK_WAIT_MS,
	    .generation = generation_counter() };
	const char		*missing = "";
	bool			 is_ok;

	if (!wipe_begin())
		log_line(LOG_WARNING, "vault: keys leave copies in memory: "
		    "OpenSSL was in use too early");
	if (CRYPTO_secure_malloc_init(SECURE_HEAP, 32) == 2)
		log_line(LOG_WARNING, "vault: memory for keys could not be "
		    "locked: raise LimitMEMLOCK to %d bytes", SECURE_HEAP);
	options.n_spare_keys = master_key_read_spares(
	    start->config->master_key, options.spare_keys);
	is_ok = master_key_read(start->config->master_key, options.master_key,
	    err) &&
	    process_confine(start->user, start->supervisor, err) &&
	    sandbox_enter(start->config->store, &missing, err) &&
	    store_open(&options, store, err);
	OPENSSL_cleanse(&options, sizeof(options));
	if (missing[0] != '\0')
		log_line(LOG_WARNING, "vault: %s", missing);
	return is_ok;
}

static void
keep_descriptors(const struct vault_start *start)
{
	size_t	 n = 0;
	int	*fds = mem_array(start->n_channels + 4, sizeof(*fds));

	for (; n < start->n_channels; n++)
		fds[n] = start->channels[n].fd;
	fds[n++] = start->admin;
	fds[n++] = start->control;
	fds[n++] = start->log;
	fds[n++] = start->ready;
	process_keep_only(fds, n);
	free(fds);
}

struct life {
	struct store	*store;
	int		 control;
};

/*
 * Each second the supervisor hears that requests are answered: the store can
 * be read, which it cannot while a thread hangs that holds it.  A store that
 * has to recover does so in the next vault.
 */
static void *
tell_alive(void *arg)
{
	struct life	*life = arg;
	struct err	 err;
	bool		 is_well;

	for (;;) {
		pthread_rwlock_rdlock(&at_work);
		is_well = store_probe(life->store, &err);
		pthread_rwlock_unlock(&at_work);
		if (!is_well) {
			log_line(LOG_ERR, "vault: %s", err.reason);
			_exit(1);
		}
		control_tell_alive(life->control);
		sleep(1);
	}
	return NULL;
}

static bool
ask_for_reload(void *arg, struct err *err)
{
	const struct vault_start	*start = arg;

	return control_reload(start->control, RELOAD_MS, err);
}

_Noreturn void
vault_main(const struct vault_start *start)
{
	struct err		 err = { 0 };
	struct store		*store = NULL;
	struct vault		 vault = { 0 };
	struct life		 life;
	struct doorkeeper	 door = { .vault = &vault,
	    .listener = start->admin };
	sigset_t		 all;
	int			 sig;

	log_open_child(start->log);
	keep_descriptors(start);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	if (!open_store(start, &store, &err))
		report_failure(start->ready, &err);
	life = (struct life){ store, start->control };
	vault.custody = custody_of_store_take(store);
	vault.reload = ask_for_reload;
	vault.arg = (void *)(uintptr_t)start;
	vault.record = vault_record;
	snapshot_swap_take((struct config *)(uintptr_t)start->config);
	if (!serve_channels(&vault, start, &err) ||
	    !control_follow(start->control, start->generation, on_channels,
	    &vault, &err) ||
	    !process_thread(accept_admins, &door, &err) ||
	    !process_thread(tell_alive, &life, &err) ||
	    !vault_watch(store, start->config->store, &err))
		report_failure(start->ready, &err);
	report_ready(start->ready);

	sigemptyset(&all);
	sigaddset(&all, SIGTERM);
	while (sigwait(&all, &sig) != 0)
		;
	/*
	 * What is in work is finished and answered, nothing new begins.  What
	 * hangs must not keep the store from the next vault, though, and the
	 * supervisor, who would see to that, may be gone.
	 */
	sigemptyset(&all);
	sigaddset(&all, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &all, NULL);
	alarm(STOP_SECONDS);
	usleep(2 * GATHER_US);
	pthread_rwlock_wrlock(&at_work);
	vault_watch_stop();
	custody_close(vault.custody);
	_exit(0);
}
