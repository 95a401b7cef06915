/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "milter/control.h"
#include "milter/filter.h"
#include "milter/generation.h"
#include "milter/log.h"
#include "milter/notify.h"
#include "milter/report.h"
#include "milter/stats.h"
#include "milter/supervisor.h"
#include "milter/supervisor_impl.h"
#include "policy/config.h"

#define SILENT_MIN_MS	5000	/* it says each second that it is alive */
#define GATHER_US	5000	/* for lines of the log, to take many at once */
#define STOP_SECONDS	60	/* for mails in hand; the unit's TimeoutStopSec is longer */

/* --- while it runs ----------------------------------------------------------- */

/*
 * Whoever waits for it hears so.  Whoever asks from now on, which the new
 * generation shows, drops the news and waits for the next vault.
 */
static void
tell_vault_died(const struct supervisor *s)
{
	for (size_t i = 0; i < s->n_children; i++)
		if (s->children[i]->kind == CHILD_FILTER)
			child_tell_vault_died(s->children[i]);
	generation_next();
}

static void
note_end(const struct supervisor *s, struct child *child, int status)
{
	child_ended(child);
	stats_process(child->place, STATS_FILTER, 0, false);
	if (child->kind == CHILD_VAULT)
		tell_vault_died(s);
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

		if (!child_is_due(child) || supervisor_start(s, child, -1, &err))
			continue;
		log_line(LOG_ERR, "%s: %s", child->name, err.reason);
		child_ended(child);
	}
}

/* --- requests and signals -------------------------------------------------- */

/* smimectl reload, by way of the vault. */
static void
handle_reload(struct supervisor *s, int done)
{
	struct err	 err = { 0 };

	if (s->is_stopping)
		err_set(&err, ERR_TEMP, "the daemon is stopping");
	/* A pipe takes a sentence without waiting. */
	if ((s->is_stopping || !supervisor_reload(s, done, &err)) &&
	    write(done, err.reason, strlen(err.reason)) == -1)
		log_line(LOG_ERR, "whoever asked for a reload is gone");
	close(done);
}

static void
hear_vault(struct supervisor *s, struct child *vault)
{
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

static void
hear(struct supervisor *s, struct child *child)
{
	if (child->kind == CHILD_VAULT)
		hear_vault(s, child);
	else if (control_is_alive(child->control[0], child->pid))
		child->heard_ms = child_clock_ms();
}

static int
silence_ms(const struct supervisor *s)
{
	int	 limit_ms = s->config->vault_timeout * 1000;

	return limit_ms < SILENT_MIN_MS ? SILENT_MIN_MS : limit_ms;
}

/*
 * A vault that hangs would have each mail wait for vault-timeout, for ever.
 * Killed it harms nothing: what it has committed is on disk.  A filter's
 * mails are with their senders still.
 */
static void
end_silent(const struct supervisor *s, struct child *child)
{
	if (child->is_retired || !child_is_silent(child, silence_ms(s),
	    SUPERVISOR_START_MS))
		return;
	log_line(LOG_ERR, "%s (process %ld) has given no sign of life "
	    "for %lld seconds: it is killed", child->name, (long)child->pid,
	    (long long)(child_clock_ms() - (child->heard_ms == 0 ?
	    child->started_ms : child->heard_ms)) / 1000);
	kill(child->pid, SIGKILL);
	/* It may take its time to die, if it is the disk that hangs. */
	child->heard_ms = child_clock_ms();
}

/* While something is down for good systemd starts all of it anew. */
static void
look_after(struct supervisor *s)
{
	bool	 are_well = true;

	for (size_t i = 0; i < s->n_children; i++) {
		struct child	*child = s->children[i];

		end_silent(s, child);
		if (!child->is_retired && (child->pid == 0 ||
		    child->heard_ms == 0))
			are_well = false;
	}
	if (are_well)
		notify_alive();
}

static void
handle_signals(struct supervisor *s)
{
	struct signalfd_siginfo	 info;
	struct err		 err = { 0 };	/* logged by supervisor_reload() */

	while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			s->is_stopping = true;
		if (info.ssi_signo == SIGHUP && !s->is_stopping)
			supervisor_reload(s, -1, &err);
	}
	reap(s);
	clear_away_retired(s);
}

/* Signals, log lines, requests: whatever comes first, or nothing in time. */
static void
one_round(struct supervisor *s, int timeout_ms)
{
	size_t		 n = s->n_children;
	struct pollfd	*pfds = mem_array(n + 2, sizeof(*pfds));

	pfds[n] = (struct pollfd){ .fd = s->signals, .events = POLLIN };
	pfds[n + 1] = (struct pollfd){ .fd = s->log_fds[0],
	    .events = POLLIN };
	for (size_t i = 0; i < n; i++)
		pfds[i] = (struct pollfd){ .fd = s->children[i]->control[0],
		    .events = POLLIN };
	if (poll(pfds, n + 2, timeout_ms) > 0) {
		/* A line of the log comes with each mail, all else is rare. */
		if (pfds[n + 1].revents != 0) {
			log_relay(s->log_fds[0]);
			usleep(GATHER_US);
		}
		/* A reload, which is the vault's to ask for, adds children. */
		for (size_t i = n; i > 0; i--)
			if (pfds[i - 1].revents != 0)
				hear(s, s->children[i - 1]);
		if (pfds[n].revents != 0)
			handle_signals(s);
	}
	free(pfds);
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
		sig = kind == CHILD_FILTER ? FILTER_WAKE : 0;
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
	stop_kind(s, CHILD_METRICS, STOP_SECONDS);
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

int
supervisor_run(const struct supervisor_options *options)
{
	struct supervisor	 s = { .admin = -1,
	    .metrics = -1, .log_fds = { -1, -1 } };
	struct err		 err = { 0 };

	process_raise_files();
	if (!supervisor_prepare(&s, options->config_path, &err) ||
	    !supervisor_start_all(&s, &err)) {
		stop_all(&s);
		release(&s);
		report_failure(options->ready, &err);
	}
	report_ready(options->ready);
	notify_ready();
	log_line(LOG_INFO, "ready: %zu listener%s, store %s%s",
	    s.config->n_listeners, s.config->n_listeners == 1 ? "" : "s",
	    s.config->store, s.config->enabled ? "" :
	    "; not enabled: all mail passes untouched");
	while (!s.is_stopping) {
		restart_due(&s);
		one_round(&s, child_wait_ms(s.children, s.n_children));
		look_after(&s);
	}
	notify_stopping();
	stop_all(&s);
	log_line(LOG_INFO, "stopped");
	release(&s);
	return 0;
}
