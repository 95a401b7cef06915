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
#include "milter/log.h"
#include "milter/report.h"
#include "milter/sandbox.h"
#include "milter/vault.h"
#include "milter/vault_answer.h"
#include "milter/vault_wire.h"
#include "policy/config.h"
#include "store/store.h"

#define LOCK_WAIT_MS	30000	/* smimectl may be in the middle of something */
#define ADMIN_MAX	16	/* administrators at once */
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
};

/* Answer requests until the other side is gone. */
static void
serve(const struct server *server)
{
	uint8_t		*request = mem_alloc(WIRE_MAX);
	struct buf	 answer = { 0 };

	for (;;) {
		ssize_t	 len = recv(server->fd, request, WIRE_MAX, 0);

		if (len == -1 && errno == EINTR)
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
		while (send(server->fd, answer.data, answer.len,
		    MSG_NOSIGNAL) == -1 && errno == EINTR)
			;
		pthread_rwlock_unlock(&at_work);
	}
	buf_free(&answer);
	free(request);
}

static void *
serve_channel(void *arg)
{
	struct server	*server = arg;

	serve(server);
	free(server);
	return NULL;
}

static void *
serve_admin(void *arg)
{
	struct server	*server = arg;

	serve(server);
	close(server->fd);
	free(server);
	pthread_mutex_lock(&admin_mutex);
	admin_count--;
	pthread_mutex_unlock(&admin_mutex);
	return NULL;
}

/* libdb and OpenSSL are content with far less than the default stack. */
static bool
start_thread(void *(*fn)(void *), void *arg)
{
	pthread_attr_t	 attr;
	pthread_t	 thread;
	int		 rc;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	rc = pthread_create(&thread, &attr, fn, arg);
	pthread_attr_destroy(&attr);
	return rc == 0;
}

static bool
serve_in_thread(const struct vault *vault, enum vault_rights rights, int fd,
    void *(*fn)(void *))
{
	struct server	*server = mem_alloc(sizeof(*server));

	*server = (struct server){ .vault = vault, .rights = rights,
	    .fd = fd };
	if (start_thread(fn, server))
		return true;
	free(server);
	return false;
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

static bool
admit(void)
{
	bool	 is_admitted;

	pthread_mutex_lock(&admin_mutex);
	is_admitted = admin_count < ADMIN_MAX;
	if (is_admitted)
		admin_count++;
	pthread_mutex_unlock(&admin_mutex);
	return is_admitted;
}

struct doorkeeper {
	const struct vault	*vault;
	int			 listener;
};

static void *
accept_admins(void *arg)
{
	struct doorkeeper	*door = arg;

	for (;;) {
		int	 fd = accept4(door->listener, NULL, NULL,
		    SOCK_CLOEXEC);

		if (fd == -1 && errno != EMFILE && errno != ENFILE &&
		    errno != EINTR && errno != ECONNABORTED)
			break;
		if (fd == -1)
			continue;
		if (!is_administrator(fd) || !admit()) {
			close(fd);
			continue;
		}
		if (!serve_in_thread(door->vault, VAULT_ADMIN, fd,
		    serve_admin)) {
			close(fd);
			pthread_mutex_lock(&admin_mutex);
			admin_count--;
			pthread_mutex_unlock(&admin_mutex);
		}
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
	    .lock_timeout_ms = LOCK_WAIT_MS };
	const char		*missing = "";
	bool			 is_ok;

	if (CRYPTO_secure_malloc_init(SECURE_HEAP, 32) == 2)
		log_line(LOG_WARNING, "vault: memory for keys could not be "
		    "locked: raise LimitMEMLOCK to %d bytes", SECURE_HEAP);
	is_ok = master_key_read(start->config->master_key, options.master_key,
	    err) &&
	    process_confine(start->user, start->supervisor, err) &&
	    sandbox_enter(start->config->store, &missing, err) &&
	    store_open(&options, store, err);
	OPENSSL_cleanse(options.master_key, sizeof(options.master_key));
	if (missing[0] != '\0')
		log_line(LOG_WARNING, "vault: %s", missing);
	return is_ok;
}

static void
keep_descriptors(const struct vault_start *start)
{
	size_t	 n = 0;
	int	*fds = mem_array(start->n_channels + 3, sizeof(*fds));

	for (; n < start->n_channels; n++)
		fds[n] = start->channels[n];
	fds[n++] = start->admin;
	fds[n++] = start->log;
	fds[n++] = start->ready;
	process_keep_only(fds, n);
	free(fds);
}

_Noreturn void
vault_main(const struct vault_start *start)
{
	struct err		 err = { 0 };
	struct store		*store = NULL;
	struct vault		 vault = { .config = start->config };
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
	vault.custody = custody_of_store_take(store);
	for (size_t i = 0; i < start->n_channels; i++)
		if (!serve_in_thread(&vault, VAULT_FILTER, start->channels[i],
		    serve_channel)) {
			err_set(&err, ERR_TEMP, "vault: no threads");
			report_failure(start->ready, &err);
		}
	if (!start_thread(accept_admins, &door)) {
		err_set(&err, ERR_TEMP, "vault: no threads");
		report_failure(start->ready, &err);
	}
	report_ready(start->ready);

	sigemptyset(&all);
	sigaddset(&all, SIGTERM);
	while (sigwait(&all, &sig) != 0)
		;
	/* What is in work is finished and answered, nothing new begins. */
	pthread_rwlock_wrlock(&at_work);
	custody_close(vault.custody);
	_exit(0);
}
