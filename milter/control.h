/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_CONTROL_H
#define MILTER_CONTROL_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#include "policy/config.h"

struct config_bundle;

/*
 * What the supervisor tells its running children, over a socket pair for each:
 * a new configuration, as the bytes of its files in sealed memory, and to the
 * vault the channels of a new filter.  A child that was started meanwhile
 * has the newest already; generations tell.
 *
 * The other way each says that it is alive, and the vault asks for a reload
 * when smimectl wants one.  The answer to that comes over a pipe whose writing end
 * goes along: a sentence if there was a mistake, else nothing, and the pipe
 * ends when the supervisor and each child that was told has closed it.
 */
#define CONTROL_FDS_MAX	16

/*
 * Neither waits: a child that does not listen gets nothing (ERR_TEMP).
 * done: what the child closes when the configuration counts there; or -1.
 */
bool	control_send_config(int fd, uint32_t generation,
	    const struct config_bundle *, int done, struct err *);
bool	control_send_channels(int fd, enum role, const int *fds, size_t n,
	    struct err *);

enum control_request {
	CONTROL_NOTHING,
	CONTROL_ALIVE,
	CONTROL_RELOAD
};

/* What the vault with this pid says; *done is the caller's with a reload. */
enum control_request control_take_request(int fd, pid_t vault, int *done);
/* Does the child with this pid say that it is alive?  All else is ignored. */
bool	control_is_alive(int fd, pid_t);
/* A child's side; what the supervisor does not hear in time is no loss. */
void	control_tell_alive(int fd);
/* The vault's side: ask, and wait.  ERR_CONFIG: it stays as it was. */
bool	control_reload(int fd, int timeout_ms, struct err *);

/*
 * A child's side: a thread that follows the supervisor until it is gone, and
 * then stops this process as SIGTERM would.  Each
 * newer configuration than generation becomes the current snapshot; channels
 * go to the function, which takes them over (NULL: there are none).
 */
typedef void control_channels_fn(void *arg, enum role, const int *fds,
	    size_t n);
bool	control_follow(int fd, uint32_t generation, control_channels_fn *,
	    void *arg, struct err *);

#endif
