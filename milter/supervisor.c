/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_LIBSYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "base/mem.h"
#include "milter/filter.h"
#include "milter/log.h"
#include "milter/process.h"
#include "milter/report.h"
#include "milter/supervisor.h"
#include "milter/vault.h"
#include "policy/config.h"

#define CHANNELS	8	/* requests that one filter can have with the vault at once */
#define START_MS	60000	/* a vault may wait 30 s for the store's lock */
#define STOP_SECONDS	60	/* for mails in hand; the unit's TimeoutStopSec is longer */
#define RESTART_MIN_MS	100
#define RESTART_MAX_MS	30000

enum child_kind { CHILD_VAULT, CHILD_FILTER };

/* A process that is to run, and the one that does. */
struct child {
	enum child_kind		 kind;
	const struct listener	*listener;	/* a filter's */
	int			*filter_ends;	/* of a filter's channels */
	pid_t			 pid;		/* 0: not running */
	int64_t			 started_ms;
	int64_t			 restart_ms;	/* when, if not running */
	int			 delay_ms;
};

struct supervisor {
	struct config		*config;
	struct process_user	 user;
	struct process_user	 filter_user;
	int			*vault_ends;	/* of all channels, kept across vaults */
	size_t			 n_channels;
	int			 admin;
	char			*admin_path;
	int			 log_fds[2];	/* here, and the children's end */
	int			 signals;
	struct child		*children;	/* the vault first */
	size_t			 n_children;
	bool			 is_stopping;
};

static int64_t
clock_ms(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* --- making what children inherit ---------------------------------------- */

static bool
find_users(struct supervisor *s, struct err *err)
{
	struct err	 none;

	if (geteuid() != 0) {
		/* Who is not root can only run as himself. */
		s->user = (struct process_user){ .name = mem_str("the caller"),
		    .uid = geteuid(), .gid = getegid() };
		s->filter_user = s->user;
		s->filter_user.name = mem_str(s->user.name);
		return true;
	}
	if (!process_find_user(s->config->user, &s->user, err))
		return false;
	if (process_find_user(s->config->filter_user, &s->filter_user, &none))
		return true;
	log_line(LOG_WARNING, "there is no user %s: filters run as %s, who "
	    "owns the keys; create it (adduser --system --group %s)",
	    s->config->filter_user, s->user.name, s->config->filter_user);
	s->filter_user = s->user;
	s->filter_user.name = mem_str(s->user.name);
	return true;
}

static bool
is_somebody_listening(const struct sockaddr_un *addr)
{
	int	 fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	bool	 is_there = fd != -1 &&
	    connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0;

	if (fd != -1)
		close(fd);
	return is_there;
}

/*
 * The admin socket outlives any vault, so that smimectl finds the daemon
 * whatever happens to its processes.
 */
static bool
open_admin(struct supervisor *s, struct err *err)
{
	struct sockaddr_un	 addr = { .sun_family = AF_UNIX };
	mode_t			 saved;
	int			 rc;

	s->admin_path = mem_strf("%s/admin.sock", s->config->store);
	if (strlen(s->admin_path) >= sizeof(addr.sun_path))
		return err_set(err, ERR_CONFIG, "%s: the path of a socket has "
		    "at most %zu bytes; use a shorter store path",
		    s->admin_path, sizeof(addr.sun_path) - 1);
	strcpy(addr.sun_path, s->admin_path);
	if (access(s->config->store, F_OK) == -1)
		return err_errno(err, ERR_CONFIG, "there is no store at %s "
		    "(make one with smimectl init)", s->config->store);
	if (is_somebody_listening(&addr))
		return err_set(err, ERR_CONFIG, "another smime-milter is "
		    "running with the store %s", s->config->store);
	unlink(s->admin_path);
	s->admin = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (s->admin == -1)
		return err_errno(err, ERR_TEMP, "socket");
	saved = umask(0177);
	rc = bind(s->admin, (struct sockaddr *)&addr, sizeof(addr));
	umask(saved);
	if (rc == -1 || listen(s->admin, 16) == -1)
		return err_errno(err, ERR_CONFIG, "cannot listen at %s",
		    s->admin_path);
	if (geteuid() == 0 && lchown(s->admin_path, s->user.uid,
	    s->user.gid) == -1)
		return err_errno(err, ERR_CONFIG, "cannot give %s to %s",
		    s->admin_path, s->user.name);
	return true;
}

static bool
open_channels(struct supervisor *s, struct child *child, struct err *err)
{
	child->filter_ends = mem_array(CHANNELS, sizeof(int));
	s->vault_ends = mem_grow(s->vault_ends, s->n_channels + CHANNELS,
	    sizeof(int));
	for (size_t i = 0; i < CHANNELS; i++) {
		int	 pair[2];

		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
		    pair) == -1)
			return err_errno(err, ERR_TEMP, "socketpair");
		child->filter_ends[i] = pair[0];
		s->vault_ends[s->n_channels++] = pair[1];
	}
	return true;
}

static bool
open_signals(struct supervisor *s, struct err *err)
{
	sigset_t	 set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals == -1)
		return err_errno(err, ERR_TEMP, "signalfd");
	return true;
}

static bool
prepare(struct supervisor *s, const char *path, struct err *err)
{
	if (!config_read(path, &s->config, err))
		return false;
	if (s->config->n_listeners == 0)
		return err_set(err, ERR_CONFIG, "%s: no listener is "
		    "configured: the daemon would have nothing to do", path);
	if (!find_users(s, err) || !open_signals(s, err))
		return false;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0,
	    s->log_fds) == -1)
		return err_errno(err, ERR_TEMP, "socketpair");
	s->n_children = 1 + s->config->n_listeners;
	s->children = mem_array(s->n_children, sizeof(*s->children));
	s->children[0].kind = CHILD_VAULT;
	for (size_t i = 1; i < s->n_children; i++) {
		s->children[i].kind = CHILD_FILTER;
		s->children[i].listener = &s->config->listeners[i - 1];
		if (!open_channels(s, &s->children[i], err))
			return false;
	}
	return open_admin(s, err);
}

/* --- starting -------------------------------------------------------------- */

static _Noreturn void
become(struct supervisor *s, const struct child *child, pid_t parent,
    int ready)
{
	sigset_t	 none;

	/* What a terminal sends (Ctrl-C) is the supervisor's to handle. */
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (child->kind == CHILD_VAULT)
		vault_main(&(struct vault_start){
		    .config = s->config,
		    .user = &s->user,
		    .supervisor = parent,
		    .channels = s->vault_ends,
		    .n_channels = s->n_channels,
		    .admin = s->admin,
		    .log = s->log_fds[1],
		    .ready = ready,
		});
	filter_main(&(struct filter_start){
	    .config = s->config,
	    .listener = child->listener,
	    .user = &s->filter_user,
	    .supervisor = parent,
	    .channels = child->filter_ends,
	    .n_channels = CHANNELS,
	    .log = s->log_fds[1],
	    .ready = ready,
	});
}

static bool
start(struct supervisor *s, struct child *child, int ready, struct err *err)
{
	pid_t	 parent = getpid(), pid;

	if ((pid = fork()) == -1)
		return err_errno(err, ERR_TEMP, "fork");
	if (pid == 0)
		become(s, child, parent, ready);
	child->pid = pid;
	child->started_ms = clock_ms();
	return true;
}

static const char *
name_of(const struct child *child)
{
	return child->kind == CHILD_VAULT ? "the vault" :
	    child->listener->spec;
}

/* At the daemon's start each process must come up, one after the other. */
static bool
start_first(struct supervisor *s, struct child *child, struct err *err)
{
	int	 reader, writer;
	bool	 is_ok;

	if (!report_pipe(&reader, &writer, err))
		return false;
	is_ok = start(s, child, writer, err);
	close(writer);
	if (is_ok && !report_wait(reader, START_MS, err))
		is_ok = err_prefix(err, "%s", name_of(child));
	close(reader);
	log_relay(s->log_fds[0]);
	return is_ok;
}

static bool
start_all(struct supervisor *s, struct err *err)
{
	for (size_t i = 0; i < s->n_children; i++)
		if (!start_first(s, &s->children[i], err))
			return false;
	return true;
}

/* --- while it runs ----------------------------------------------------------- */

/*
 * Start again what ended, at once after a long life and ever later after
 * short ones, so that a process that cannot start does not eat the machine.
 */
static void
plan_restart(struct supervisor *s, struct child *child, int status)
{
	int64_t	 now = clock_ms();
	int	 delay = child->delay_ms * 2;

	if (delay < RESTART_MIN_MS || now - child->started_ms > RESTART_MAX_MS)
		delay = RESTART_MIN_MS;
	if (delay > RESTART_MAX_MS)
		delay = RESTART_MAX_MS;
	child->delay_ms = delay;
	child->restart_ms = now + delay;
	child->pid = 0;
	if (s->is_stopping)
		return;
	if (WIFSIGNALED(status))
		log_line(LOG_ERR, "%s died of signal %d; it is started again",
		    name_of(child), WTERMSIG(status));
	else
		log_line(LOG_ERR, "%s ended with status %d; it is started "
		    "again", name_of(child), WEXITSTATUS(status));
}

static void
reap(struct supervisor *s)
{
	pid_t	 pid;
	int	 status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < s->n_children; i++)
			if (s->children[i].pid == pid)
				plan_restart(s, &s->children[i], status);
}

static void
restart_due(struct supervisor *s)
{
	struct err	 err = { 0 };

	for (size_t i = 0; i < s->n_children; i++) {
		struct child	*child = &s->children[i];

		if (child->pid != 0 || clock_ms() < child->restart_ms)
			continue;
		if (!start(s, child, -1, &err)) {
			log_line(LOG_ERR, "%s: %s", name_of(child),
			    err.reason);
			child->restart_ms = clock_ms() + RESTART_MAX_MS;
		}
	}
}

static void
handle_signals(struct supervisor *s)
{
	struct signalfd_siginfo	 info;

	while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			s->is_stopping = true;
		if (info.ssi_signo == SIGHUP)
			log_line(LOG_WARNING, "SIGHUP: the configuration is "
			    "read at the start only; restart to change it");
	}
	reap(s);
}

/* Signals, log lines, restarts: one round, of a second at most. */
static void
one_round(struct supervisor *s, int timeout_ms)
{
	struct pollfd	 pfds[2] = {
		{ .fd = s->signals, .events = POLLIN },
		{ .fd = s->log_fds[0], .events = POLLIN },
	};

	poll(pfds, 2, timeout_ms);
	log_relay(s->log_fds[0]);
	handle_signals(s);
}

static int
next_restart_ms(const struct supervisor *s)
{
	int64_t	 wait = 60000;

	for (size_t i = 0; i < s->n_children; i++)
		if (s->children[i].pid == 0 &&
		    s->children[i].restart_ms - clock_ms() < wait)
			wait = s->children[i].restart_ms - clock_ms();
	return wait < 0 ? 0 : (int)wait;
}

/* --- stopping ------------------------------------------------------------------- */

static bool
is_running(const struct supervisor *s, enum child_kind kind)
{
	for (size_t i = 0; i < s->n_children; i++)
		if (s->children[i].kind == kind && s->children[i].pid > 0)
			return true;
	return false;
}

static void
stop_kind(struct supervisor *s, enum child_kind kind, int seconds)
{
	int64_t	 deadline = clock_ms() + (int64_t)seconds * 1000;
	int	 sig = SIGTERM;

	while (is_running(s, kind)) {
		for (size_t i = 0; sig != 0 && i < s->n_children; i++)
			if (s->children[i].kind == kind &&
			    s->children[i].pid > 0)
				kill(s->children[i].pid, sig);
		sig = 0;
		one_round(s, 100);
		if (clock_ms() > deadline) {
			sig = SIGKILL;
			deadline = clock_ms() + 1000;
		}
	}
}

/* Filters first: the mails that they have in hand still need the vault. */
static void
stop_all(struct supervisor *s)
{
	s->is_stopping = true;
	stop_kind(s, CHILD_FILTER, STOP_SECONDS);
	stop_kind(s, CHILD_VAULT, STOP_SECONDS);
	log_relay(s->log_fds[0]);
	if (s->admin > 0)
		unlink(s->admin_path);
	for (size_t i = 0; i < s->n_children; i++)
		if (s->children[i].kind == CHILD_FILTER &&
		    s->children[i].listener->path != NULL)
			unlink(s->children[i].listener->path);
}

static void
release(struct supervisor *s)
{
	for (size_t i = 0; i < s->n_children; i++)
		free(s->children[i].filter_ends);
	free(s->children);
	free(s->vault_ends);
	free(s->admin_path);
	free(s->user.name);
	free(s->filter_user.name);
	config_free(s->config);
}

static void
tell_systemd(const char *state)
{
#ifdef HAVE_LIBSYSTEMD
	sd_notify(0, state);
#else
	(void)state;
#endif
}

int
supervisor_run(const struct supervisor_options *options)
{
	struct supervisor	 s = { .admin = -1, .log_fds = { -1, -1 } };
	struct err		 err = { 0 };

	process_raise_files();
	if (!prepare(&s, options->config_path, &err) || !start_all(&s, &err)) {
		stop_all(&s);
		release(&s);
		report_failure(options->ready, &err);
	}
	report_ready(options->ready);
	tell_systemd("READY=1");
	log_line(LOG_INFO, "ready: %zu listener%s, store %s%s",
	    s.config->n_listeners, s.config->n_listeners == 1 ? "" : "s",
	    s.config->store, s.config->enabled ? "" :
	    "; not enabled: all mail passes untouched");
	while (!s.is_stopping) {
		restart_due(&s);
		one_round(&s, next_restart_ms(&s));
	}
	tell_systemd("STOPPING=1");
	stop_all(&s);
	log_line(LOG_INFO, "stopped");
	release(&s);
	return 0;
}
