/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/stat.h>

#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libmilter/mfapi.h>

#include "base/mem.h"
#include "milter/callbacks.h"
#include "milter/control.h"
#include "milter/filter.h"
#include "milter/find_cache.h"
#include "milter/generation.h"
#include "milter/log.h"
#include "milter/report.h"
#include "milter/sandbox.h"
#include "milter/session.h"
#include "milter/snapshot.h"
#include "milter/vault_client.h"
#include "policy/config.h"

#define BACKLOG		1024
#define DRAIN_SECONDS	50	/* less than the supervisor waits */

/* The folder has to be there; libmilter's own words would not say so. */
static bool
check_folder(const char *path, struct err *err)
{
	char		*folder = mem_str(path), *slash = strrchr(folder, '/');
	struct stat	 st;
	bool		 is_ok = true;

	if (slash != NULL && slash != folder) {
		*slash = '\0';
		if (stat(folder, &st) == -1)
			is_ok = err_errno(err, ERR_CONFIG,
			    "the socket's folder %s", folder);
	}
	free(folder);
	return is_ok;
}

static bool
open_socket(const struct listener *listener, struct err *err)
{
	mode_t	 saved;
	int	 rc;

	if (listener->path != NULL && !check_folder(listener->path, err))
		return false;
	if (smfi_setconn((char *)(uintptr_t)listener->spec) != MI_SUCCESS)
		return err_set(err, ERR_CONFIG, "libmilter does not accept "
		    "the listener %s", listener->spec);
	if (smfi_setbacklog(BACKLOG) != MI_SUCCESS)
		return err_set(err, ERR_BUG, "smfi_setbacklog");
	saved = umask((mode_t)~listener->mode & 0777);
	errno = 0;
	rc = smfi_opensocket(true);
	umask(saved);
	if (rc != MI_SUCCESS)
		return errno == 0 ? err_set(err, ERR_CONFIG,
		    "cannot listen at %s", listener->spec) :
		    err_errno(err, ERR_CONFIG, "cannot listen at %s",
		    listener->spec);
	return true;
}

/* Who may connect: the group named for it ("postfix"). */
static bool
give_socket(const struct listener *listener, struct err *err)
{
	struct group	*group;

	if (listener->path == NULL)
		return true;
	if (listener->group[0] != '\0') {
		if ((group = getgrnam(listener->group)) == NULL)
			return err_set(err, ERR_CONFIG, "listener %s: there "
			    "is no group %s", listener->spec, listener->group);
		if (lchown(listener->path, (uid_t)-1, group->gr_gid) == -1)
			return err_errno(err, ERR_CONFIG, "cannot give %s to "
			    "the group %s", listener->path, listener->group);
	}
	if (chmod(listener->path, listener->mode) == -1)
		return err_errno(err, ERR_CONFIG, "cannot set the mode of %s",
		    listener->path);
	return true;
}

static void
keep_descriptors(const struct filter_start *start)
{
	size_t	 n = 0;
	int	*fds = mem_array(start->n_channels + 3, sizeof(*fds));

	for (; n < start->n_channels; n++)
		fds[n] = start->channels[n];
	fds[n++] = start->control;
	fds[n++] = start->log;
	fds[n++] = start->ready;
	process_keep_only(fds, n);
	free(fds);
}

/*
 * smfi_main() returns while callbacks at a mail's end still run, and an exit
 * now would leave their mails to the MTA's time-out.
 */
static void
drain(void)
{
	struct timespec	 pause = { .tv_nsec = 20 * 1000 * 1000 };

	/* Once more at the end: for libmilter to send the last answer. */
	for (int i = 0; i < DRAIN_SECONDS * 50; i++) {
		bool	 is_last = session_in_hand() == 0;

		nanosleep(&pause, NULL);
		if (is_last)
			break;
	}
	if (session_in_hand() > 0)
		log_line(LOG_WARNING, "stopping with %u mails unfinished; "
		    "their senders will try again", session_in_hand());
}

static void
wake(int sig)
{
	(void)sig;
}

/*
 * libmilter looks every five seconds whether it should stop, or when a signal
 * interrupts its poll(): FILTER_WAKE does that and nothing else.
 */
static bool
be_wakeable(struct err *err)
{
	struct sigaction	 action = { .sa_handler = wake,
	    .sa_flags = SA_RESTART };

	return sigaction(FILTER_WAKE, &action, NULL) == 0 ||
	    err_errno(err, ERR_BUG, "sigaction");
}

struct life {
	int		 control;
	pthread_t	 listener;	/* who runs smfi_main() */
};

/*
 * The supervisor hears each second that threads of this process still run.
 * Where it is gone nobody else wakes libmilter.
 */
static void *
tell_alive(void *arg)
{
	const struct life	*life = arg;

	for (;;) {
		control_tell_alive(life->control);
		sleep(1);
		pthread_kill(life->listener, FILTER_WAKE);
	}
	return NULL;
}

_Noreturn void
filter_main(const struct filter_start *start)
{
	struct err	 err = { 0 };
	struct filter	 filter = { .role = start->listener->role };
	struct life	 life = { start->control, pthread_self() };
	const char	*missing;

	log_open_child(start->log);
	keep_descriptors(start);
	if (!be_wakeable(&err) || !callbacks_register(&filter, &err) ||
	    !open_socket(start->listener, &err) ||
	    !give_socket(start->listener, &err) ||
	    !process_confine(start->user, start->supervisor, &err) ||
	    !sandbox_enter(start->config->spool_dir, &missing, &err))
		report_failure(start->ready, &err);
	if (missing[0] != '\0')
		log_line(LOG_WARNING, "%s: %s", start->listener->spec,
		    missing);
	/* Inherited from the supervisor, whose copy is another's memory. */
	snapshot_swap_take((struct config *)(uintptr_t)start->config);
	generation_read_only();
	filter.found = find_cache_new();
	filter.custody = vault_client_new(start->channels, start->n_channels,
	    start->config->vault_timeout * 1000, &filter.stamper);
	if (!control_follow(start->control, start->generation, NULL, NULL,
	    &err) ||
	    !process_thread(tell_alive, &life, &err))
		report_failure(start->ready, &err);
	report_ready(start->ready);
	if (smfi_main() != MI_SUCCESS) {
		log_line(LOG_ERR, "%s: libmilter gave up",
		    start->listener->spec);
		_exit(1);
	}
	signal(FILTER_WAKE, SIG_IGN);
	drain();
	/* Worker threads may still hold what a clean-up would free. */
	_exit(0);
}
