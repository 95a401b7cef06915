/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/signalfd.h>
#include <sys/socket.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "milter/admin.h"
#include "milter/filter.h"
#include "milter/generation.h"
#include "milter/log.h"
#include "milter/metrics.h"
#include "milter/report.h"
#include "milter/stats.h"
#include "milter/supervisor_impl.h"
#include "milter/vault.h"
#include "policy/config.h"

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

bool
supervisor_add_child(struct supervisor *s, enum child_kind kind,
    const struct listener *listener, struct err *err)
{
	struct child	*child = child_new(kind, listener, err);

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
add_metrics(struct supervisor *s, struct err *err)
{
	const char	*spec = s->config->metrics;

	if (!metrics_open(spec, &s->metrics, err) ||
	    !supervisor_add_child(s, CHILD_METRICS, NULL, err))
		return false;
	if (strncmp(spec, "unix:", 5) == 0)
		s->children[s->n_children - 1]->path = mem_str(spec + 5);
	return true;
}

bool
supervisor_prepare(struct supervisor *s, const char *path, struct err *err)
{
	s->config_path = path;
	if (!stats_open(err) || !generation_open(err) ||
	    !config_read(path, &s->config, err))
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
	if (!supervisor_add_child(s, CHILD_VAULT, NULL, err))
		return false;
	for (size_t i = 0; i < s->config->n_listeners; i++)
		if (!supervisor_add_child(s, CHILD_FILTER,
		    &s->config->listeners[i], err))
			return false;
	if (s->config->metrics[0] != '\0' && !add_metrics(s, err))
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
			    s->children[i]->role, k == 0 };
	return list;
}

static const enum stats_process	 counted_as[] = {
	[CHILD_VAULT] = STATS_VAULT,
	[CHILD_FILTER] = STATS_FILTER,
	[CHILD_METRICS] = STATS_METRICS,
};

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
	stats_process(child->place, counted_as[child->kind], getpid(),
	    child->started_ms != 0);
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
	if (child->kind == CHILD_METRICS)
		metrics_main(&(struct metrics_start){
		    .user = &s->filter_user,
		    .supervisor = parent,
		    .listener = s->metrics,
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

bool
supervisor_start(struct supervisor *s, struct child *child, int ready,
    struct err *err)
{
	pid_t	 parent = getpid(), pid;

	if ((pid = fork()) == -1)
		return err_errno(err, ERR_TEMP, "fork");
	if (pid == 0)
		become(s, child, parent, ready);
	child_started(child, pid);
	return true;
}

static bool
start_first(struct supervisor *s, struct child *child, struct err *err)
{
	int	 reader, writer;
	bool	 is_ok;

	if (!report_pipe(&reader, &writer, err))
		return false;
	is_ok = supervisor_start(s, child, writer, err);
	close(writer);
	if (is_ok && !report_wait(reader, SUPERVISOR_START_MS, err))
		is_ok = err_prefix(err, "%s", child->name);
	close(reader);
	log_relay(s->log_fds[0]);
	return is_ok;
}

bool
supervisor_start_all(struct supervisor *s, struct err *err)
{
	for (size_t i = 0; i < s->n_children; i++)
		if (!start_first(s, s->children[i], err))
			return false;
	return true;
}
