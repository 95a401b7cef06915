/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_LIBSYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "base/mem.h"
#include "milter/admin.h"
#include "milter/child.h"
#include "milter/control.h"
#include "milter/filter.h"
#include "milter/log.h"
#include "milter/process.h"
#include "milter/report.h"
#include "milter/stats.h"
#include "milter/supervisor.h"
#include "milter/vault.h"
#include "policy/config.h"
#include "policy/config_bundle.h"

#define START_MS	60000	/* a vault may wait 30 s for the store's lock */
#define SILENT_MIN_MS	5000	/* it says each second that it is alive */
#define STOP_SECONDS	60	/* for mails in hand; the unit's TimeoutStopSec is longer */

struct supervisor {
	const char		*config_path;
	struct config		*config;
	uint32_t		 generation;	/* of the configuration */
	struct process_user	 user;
	struct process_user	 filter_user;
	int			 admin;
	char			*admin_path;
	int			 log_fds[2];	/* here, and the children's end */
	int			 signals;
	struct child		**children;	/* the vault first */
	size_t			 n_children;
	bool			 is_stopping;
};

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

/* The first that no child has; the supervisor has the very first. */
static size_t
free_place(const struct supervisor *s)
{
	size_t	 place = 1;

	for (size_t i = 0; i < s->n_children; i++)
		if (s->children[i]->place == place) {
			place++;
			i = (size_t)-1;
		}
	return place;
}

static bool
add_child(struct supervisor *s, const struct listener *listener,
    struct err *err)
{
	struct child	*child = child_new(listener, err);

	if (child == NULL)
		return false;
	child->place = free_place(s);
	s->children = mem_grow(s->children, s->n_children + 1,
	    sizeof(struct child *));
	s->children[s->n_children++] = child;
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
	s->config_path = path;
	if (!stats_open(err) || !config_read(path, &s->config, err))
		return false;
	stats_process(0, STATS_SUPERVISOR, getpid(), false);
	stats_config(s->generation, true);
	if (s->config->n_listeners == 0)
		return err_set(err, ERR_CONFIG, "%s: no listener is "
		    "configured: the daemon would have nothing to do", path);
	if (!find_users(s, err) || !open_signals(s, err))
		return false;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0,
	    s->log_fds) == -1)
		return err_errno(err, ERR_TEMP, "socketpair");
	if (!add_child(s, NULL, err))
		return false;
	for (size_t i = 0; i < s->config->n_listeners; i++)
		if (!add_child(s, &s->config->listeners[i], err))
			return false;
	return admin_open(s->config->store, &s->user, &s->admin,
	    &s->admin_path, err);
}

/* --- starting -------------------------------------------------------------- */

/* The vault's ends of all filters' channels; the caller's. */
static struct vault_channel *
collect_channels(const struct supervisor *s, size_t *n)
{
	struct vault_channel	*list = mem_array(
	    s->n_children * CHILD_CHANNELS, sizeof(*list));

	*n = 0;
	for (size_t i = 0; i < s->n_children; i++)
		for (size_t k = 0; k < CHILD_CHANNELS &&
		    s->children[i]->kind == CHILD_FILTER; k++)
			list[(*n)++] = (struct vault_channel){
			    s->children[i]->vault_ends[k],
			    s->children[i]->role };
	return list;
}

static _Noreturn void
become(struct supervisor *s, const struct child *child, pid_t parent,
    int ready)
{
	sigset_t	 none;
	size_t		 n_channels;
	struct vault_channel	*channels = collect_channels(s, &n_channels);

	/* What a terminal sends (Ctrl-C) is the supervisor's to handle. */
	setpgid(0, 0);
	stats_here(child->place);
	stats_process(child->place, child->kind == CHILD_VAULT ? STATS_VAULT :
	    STATS_FILTER, getpid(), child->started_ms != 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (child->kind == CHILD_VAULT)
		vault_main(&(struct vault_start){
		    .config = s->config,
		    .generation = s->generation,
		    .user = &s->user,
		    .supervisor = parent,
		    .channels = channels,
		    .n_channels = n_channels,
		    .admin = s->admin,
		    .control = child->control[1],
		    .log = s->log_fds[1],
		    .ready = ready,
		});
	filter_main(&(struct filter_start){
	    .config = s->config,
	    .generation = s->generation,
	    .listener = child->listener,
	    .user = &s->filter_user,
	    .supervisor = parent,
	    .channels = child->filter_ends,
	    .n_channels = CHILD_CHANNELS,
	    .control = child->control[1],
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
	child_started(child, pid);
	return true;
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
		is_ok = err_prefix(err, "%s", child->name);
	close(reader);
	log_relay(s->log_fds[0]);
	return is_ok;
}

static bool
start_all(struct supervisor *s, struct err *err)
{
	for (size_t i = 0; i < s->n_children; i++)
		if (!start_first(s, s->children[i], err))
			return false;
	return true;
}

/* --- while it runs ----------------------------------------------------------- */

static void
note_end(const struct supervisor *s, struct child *child, int status)
{
	child_ended(child);
	stats_process(child->place, STATS_FILTER, 0, false);
	for (size_t i = 0; child->kind == CHILD_VAULT && i < s->n_children;
	    i++)
		if (s->children[i]->kind == CHILD_FILTER)
			child_tell_vault_died(s->children[i]);
	if (s->is_stopping || child->is_retired)
		return;
	if (WIFSIGNALED(status))
		log_line(LOG_ERR, "%s died of signal %d; it is started again",
		    child->name, WTERMSIG(status));
	else
		log_line(LOG_ERR, "%s ended with status %d; it is started "
		    "again", child->name, WEXITSTATUS(status));
}

static void
reap(struct supervisor *s)
{
	pid_t	 pid;
	int	 status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < s->n_children; i++)
			if (s->children[i]->pid == pid)
				note_end(s, s->children[i], status);
}

static bool
is_path_in_use(const struct supervisor *s, const char *path)
{
	for (size_t i = 0; i < s->config->n_listeners; i++)
		if (s->config->listeners[i].path != NULL &&
		    strcmp(s->config->listeners[i].path, path) == 0)
			return true;
	return false;
}

/* Filters that are gone for good. */
static void
clear_away_retired(struct supervisor *s)
{
	for (size_t i = s->n_children; i > 0; i--) {
		struct child	*child = s->children[i - 1];

		if (!child->is_retired || child->pid != 0)
			continue;
		if (child->path != NULL && !is_path_in_use(s, child->path))
			unlink(child->path);
		child_free(child);
		s->children[i - 1] = s->children[--s->n_children];
	}
}

static void
restart_due(struct supervisor *s)
{
	struct err	 err = { 0 };

	for (size_t i = 0; i < s->n_children; i++) {
		struct child	*child = s->children[i];

		if (!child_is_due(child) || start(s, child, -1, &err))
			continue;
		log_line(LOG_ERR, "%s: %s", child->name, err.reason);
		child_ended(child);
	}
}

/* --- a new configuration -------------------------------------------------------- */

static bool
is_same_text(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool
is_same_listener(const struct listener *a, const struct listener *b)
{
	return is_same_text(a->spec, b->spec) && a->role == b->role &&
	    is_same_text(a->group, b->group) && a->mode == b->mode;
}

/* What is tied to the processes' users and the open store. */
static bool
needs_restart(const struct config *a, const struct config *b)
{
	return !is_same_text(a->store, b->store) ||
	    !is_same_text(a->master_key, b->master_key) ||
	    !is_same_text(a->user, b->user) ||
	    !is_same_text(a->filter_user, b->filter_user);
}

static const struct listener *
find_listener(const struct config *config, const struct listener *wanted)
{
	for (size_t i = 0; i < config->n_listeners; i++)
		if (is_same_listener(&config->listeners[i], wanted))
			return &config->listeners[i];
	return NULL;
}

/*
 * A filter goes whose listener went or changed; its mails are finished.  All
 * go if the spool moves, since their sandbox has no way to the new one.
 */
static void
retire_filters(struct supervisor *s, const struct config *fresh)
{
	bool	 is_moved = !is_same_text(s->config->spool_dir,
	    fresh->spool_dir);

	for (size_t i = 0; i < s->n_children; i++) {
		struct child	*child = s->children[i];

		if (child->kind != CHILD_FILTER || child->is_retired)
			continue;
		child->listener = is_moved ? NULL :
		    find_listener(fresh, child->listener);
		if (child->listener != NULL)
			continue;
		child->is_retired = true;
		log_line(LOG_INFO, "%s is no longer configured so",
		    child->name);
		if (child->pid > 0)
			kill(child->pid, SIGTERM);
	}
}

static bool
has_filter(const struct supervisor *s, const struct listener *listener)
{
	for (size_t i = 0; i < s->n_children; i++)
		if (s->children[i]->listener == listener)
			return true;
	return false;
}

static void
add_filters(struct supervisor *s)
{
	struct err	 err = { 0 };

	for (size_t i = 0; i < s->config->n_listeners; i++) {
		const struct listener	*listener = &s->config->listeners[i];

		if (has_filter(s, listener))
			continue;
		if (!add_child(s, listener, &err) ||
		    !control_send_channels(s->children[0]->control[0],
		    listener->role,
		    s->children[s->n_children - 1]->vault_ends,
		    CHILD_CHANNELS, &err))
			log_line(LOG_ERR, "%s: %s", listener->spec,
			    err.reason);
	}
}

static void
tell_children(struct supervisor *s, const struct config_bundle *bundle,
    int done)
{
	struct err	 err = { 0 };

	for (size_t i = 0; i < s->n_children; i++)
		if (!s->children[i]->is_retired &&
		    !control_send_config(s->children[i]->control[0],
		    s->generation, bundle, done, &err))
			log_line(LOG_ERR, "%s keeps its old configuration: %s",
			    s->children[i]->name, err.reason);
}

/*
 * All files are read and checked first; with an error in any of them,
 * everything stays as it was.  done: see control_send_config().
 */
static bool
reload(struct supervisor *s, int done, struct err *err)
{
	struct config_bundle	 bundle = { 0 };
	struct config		*fresh = NULL;

	if (!config_bundle_read(s->config_path, &bundle, err) ||
	    !config_parse(bundle.sources, bundle.n, &fresh, err)) {
		err_prefix(err, "the configuration stays as it was");
		stats_config(0, false);
		log_line(LOG_ERR, "%s", err->reason);
		config_bundle_free(&bundle);
		return false;
	}
	if (needs_restart(s->config, fresh))
		log_line(LOG_WARNING, "store, master-key, user and "
		    "filter-user change only when the daemon is restarted");
	stats_config(++s->generation, true);
	retire_filters(s, fresh);
	config_free(s->config);
	s->config = fresh;
	tell_children(s, &bundle, done);
	add_filters(s);
	config_bundle_free(&bundle);
	log_line(LOG_INFO, "configuration reloaded (generation %u)",
	    (unsigned)s->generation);
	return true;
}

/* smimectl reload, by way of the vault. */
static void
handle_reload(struct supervisor *s, int done)
{
	struct err	 err = { 0 };

	if (s->is_stopping)
		err_set(&err, ERR_TEMP, "the daemon is stopping");
	/* A pipe takes a sentence without waiting. */
	if ((s->is_stopping || !reload(s, done, &err)) &&
	    write(done, err.reason, strlen(err.reason)) == -1)
		log_line(LOG_ERR, "whoever asked for a reload is gone");
	close(done);
}

static void
hear_vault(struct supervisor *s)
{
	struct child		*vault = s->children[0];
	enum control_request	 request;
	int			 done;

	while ((request = control_take_request(vault->control[0], vault->pid,
	    &done)) != CONTROL_NOTHING) {
		if (request == CONTROL_ALIVE)
			vault->heard_ms = child_clock_ms();
		else
			handle_reload(s, done);
	}
}

/*
 * A vault that hangs would have each mail wait for vault-timeout, for ever.
 * Killed it harms nothing: what it has committed is on disk.
 */
static void
end_silent_vault(struct supervisor *s)
{
	struct child	*vault = s->children[0];
	int		 limit_ms = s->config->vault_timeout * 1000;

	if (limit_ms < SILENT_MIN_MS)
		limit_ms = SILENT_MIN_MS;
	if (!child_is_silent(vault, limit_ms, START_MS))
		return;
	log_line(LOG_ERR, "the vault (process %ld) has given no sign of life "
	    "for %lld seconds: it is killed", (long)vault->pid,
	    (long long)(child_clock_ms() - (vault->heard_ms == 0 ?
	    vault->started_ms : vault->heard_ms)) / 1000);
	kill(vault->pid, SIGKILL);
	/* It may take its time to die, if it is the disk that hangs. */
	vault->heard_ms = child_clock_ms();
}

static void
handle_signals(struct supervisor *s)
{
	struct signalfd_siginfo	 info;
	struct err		 err = { 0 };	/* logged by reload() */

	while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			s->is_stopping = true;
		if (info.ssi_signo == SIGHUP && !s->is_stopping)
			reload(s, -1, &err);
	}
	reap(s);
	clear_away_retired(s);
}

/* Signals, log lines, requests: whatever comes first, or nothing in time. */
static void
one_round(struct supervisor *s, int timeout_ms)
{
	struct pollfd	 pfds[3] = {
		{ .fd = s->signals, .events = POLLIN },
		{ .fd = s->log_fds[0], .events = POLLIN },
		{ .fd = s->children[0]->control[0], .events = POLLIN },
	};

	if (poll(pfds, 3, timeout_ms) <= 0)
		return;
	/* A line of the log comes with each mail, all else is rare. */
	if (pfds[1].revents != 0)
		log_relay(s->log_fds[0]);
	if (pfds[2].revents != 0)
		hear_vault(s);
	if (pfds[0].revents != 0)
		handle_signals(s);
}

/* --- stopping ------------------------------------------------------------------- */

static bool
is_running(const struct supervisor *s, enum child_kind kind)
{
	for (size_t i = 0; i < s->n_children; i++)
		if (s->children[i]->kind == kind && s->children[i]->pid > 0)
			return true;
	return false;
}

static void
stop_kind(struct supervisor *s, enum child_kind kind, int seconds)
{
	int64_t	 deadline = child_clock_ms() + (int64_t)seconds * 1000;
	int	 sig = SIGTERM;

	while (is_running(s, kind)) {
		for (size_t i = 0; sig != 0 && i < s->n_children; i++)
			if (s->children[i]->kind == kind &&
			    s->children[i]->pid > 0)
				kill(s->children[i]->pid, sig);
		sig = 0;
		one_round(s, 100);
		if (child_clock_ms() > deadline) {
			sig = SIGKILL;
			deadline = child_clock_ms() + 1000;
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
		if (s->children[i]->path != NULL)
			unlink(s->children[i]->path);
}

static void
release(struct supervisor *s)
{
	for (size_t i = 0; i < s->n_children; i++)
		child_free(s->children[i]);
	free(s->children);
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
		one_round(&s, child_wait_ms(s.children, s.n_children));
		end_silent_vault(&s);
	}
	tell_systemd("STOPPING=1");
	stop_all(&s);
	log_line(LOG_INFO, "stopped");
	release(&s);
	return 0;
}
