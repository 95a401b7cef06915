/* SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>
#include <string.h>

#include "milter/control.h"
#include "milter/log.h"
#include "milter/notify.h"
#include "milter/stats.h"
#include "milter/supervisor_impl.h"
#include "policy/config.h"
#include "policy/config_bundle.h"
#include "policy/config_parse.h"

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
	    !is_same_text(a->filter_user, b->filter_user) ||
	    !is_same_text(a->metrics, b->metrics);
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
		if (!supervisor_add_child(s, CHILD_FILTER, listener, &err) ||
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
		    s->children[i]->kind != CHILD_METRICS &&
		    !control_send_config(s->children[i]->control[0],
		    s->generation, bundle, done, &err))
			log_line(LOG_ERR, "%s keeps its old configuration: %s",
			    s->children[i]->name, err.reason);
}

bool
supervisor_reload(struct supervisor *s, int done, struct err *err)
{
	struct config_bundle	 bundle = { 0 };
	struct config		*fresh = NULL;

	notify_reloading();
	if (!config_bundle_read(s->config_path, &bundle, err) ||
	    !config_parse(bundle.sources, bundle.n, &fresh, err)) {
		err_prefix(err, "the configuration stays as it was");
		stats_config(0, false);
		log_line(LOG_ERR, "%s", err->reason);
		config_bundle_free(&bundle);
		notify_ready();
		return false;
	}
	if (needs_restart(s->config, fresh))
		log_line(LOG_WARNING, "store, master-key, user, "
		    "filter-user and metrics change only when the daemon is restarted");
	stats_config(++s->generation, true);
	retire_filters(s, fresh);
	config_free(s->config);
	s->config = fresh;
	tell_children(s, &bundle, done);
	add_filters(s);
	config_bundle_free(&bundle);
	notify_ready();
	log_line(LOG_INFO, "configuration reloaded (generation %u)",
	    (unsigned)s->generation);
	return true;
}
