/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/socket.h>

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "milter/child.h"
#include "milter/vault_wire.h"

#define RESTART_MIN_MS	100
#define RESTART_MAX_MS	30000
#define WAIT_MAX_MS	1000

int64_t
child_clock_ms(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool
open_pair(int *here, int *there, struct err *err)
{
	int	 pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return err_errno(err, ERR_TEMP, "socketpair");
	*here = pair[0];
	*there = pair[1];
	return true;
}

static void
close_pair(int *here, int *there)
{
	if (*here != -1)
		close(*here);
	if (*there != -1)
		close(*there);
}

struct child *
child_new(enum child_kind kind, const struct listener *listener,
    struct err *err)
{
	struct child	*child = mem_alloc(sizeof(*child));
	bool		 is_ok;

	child->kind = kind;
	child->name = mem_str(listener != NULL ? listener->spec :
	    kind == CHILD_VAULT ? "the vault" : "metrics");
	child->path = mem_str(listener == NULL ? NULL : listener->path);
	child->listener = listener;
	child->role = listener == NULL ? ROLE_DIRECT : listener->role;
	child->control[0] = child->control[1] = -1;
	for (size_t i = 0; i < CHILD_CHANNELS; i++)
		child->filter_ends[i] = child->vault_ends[i] = -1;
	is_ok = open_pair(&child->control[0], &child->control[1], err);
	for (size_t i = 0; is_ok && listener != NULL && i < CHILD_CHANNELS;
	    i++)
		is_ok = open_pair(&child->filter_ends[i],
		    &child->vault_ends[i], err);
	if (is_ok)
		return child;
	child_free(child);
	return NULL;
}

void
child_free(struct child *child)
{
	close_pair(&child->control[0], &child->control[1]);
	for (size_t i = 0; i < CHILD_CHANNELS; i++)
		close_pair(&child->filter_ends[i], &child->vault_ends[i]);
	free(child->name);
	free(child->path);
	free(child);
}

void
child_started(struct child *child, pid_t pid)
{
	child->pid = pid;
	child->started_ms = child_clock_ms();
	child->heard_ms = 0;
}

void
child_ended(struct child *child)
{
	int64_t	 now = child_clock_ms();
	int	 delay = child->delay_ms * 2;

	if (delay < RESTART_MIN_MS || now - child->started_ms > RESTART_MAX_MS)
		delay = RESTART_MIN_MS;
	if (delay > RESTART_MAX_MS)
		delay = RESTART_MAX_MS;
	child->delay_ms = delay;
	child->restart_ms = now + delay;
	child->pid = 0;
}

void
child_tell_vault_died(const struct child *filter)
{
	struct buf	 answer = { 0 };

	wire_put_u8(&answer, WIRE_VERSION);
	wire_put_u8(&answer, ERR_TEMP);
	wire_put_u32(&answer, 0);
	wire_put_str(&answer, "the vault died");
	for (size_t i = 1; i < CHILD_CHANNELS; i++)
		send(filter->vault_ends[i], answer.data, answer.len,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	buf_free(&answer);
}

bool
child_is_due(const struct child *child)
{
	return child->pid == 0 && !child->is_retired &&
	    child_clock_ms() >= child->restart_ms;
}

bool
child_is_silent(const struct child *child, int limit_ms, int start_ms)
{
	int64_t	 now = child_clock_ms();

	if (child->pid == 0)
		return false;
	if (child->heard_ms == 0)
		return now - child->started_ms > start_ms;
	return now - child->heard_ms > limit_ms;
}

int
child_wait_ms(struct child *const *children, size_t n)
{
	int64_t	 wait = WAIT_MAX_MS, now = child_clock_ms();

	for (size_t i = 0; i < n; i++)
		if (children[i]->pid == 0 && !children[i]->is_retired &&
		    children[i]->restart_ms - now < wait)
			wait = children[i]->restart_ms - now;
	return wait < 0 ? 0 : (int)wait;
}
