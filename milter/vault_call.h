/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_VAULT_CALL_H
#define MILTER_VAULT_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "milter/vault_wire.h"

/*
 * One request to the vault, and its answer.  A line is one or more channels to
 * the same vault, each with one request at a time; any number of threads may
 * use one line.  Of several channels the first is for what has no answer.
 */
struct vault_line;
struct channel;

/* A request under construction, and the answer to it, in the channel's room. */
struct vault_call {
	struct vault_line	*line;
	struct channel		*channel;	/* ours from ask to end */
	struct buf		 request;
	struct wire_reader	 reader;
	bool			 is_answer_secret;
};

/*
 * The descriptors are taken over.  timeout_ms is for one call: until a channel
 * is free, and then for its answer.
 */
struct vault_line *vault_call_open(const int *fds, size_t n, int timeout_ms);
void	vault_call_close(struct vault_line *);

/* The arguments are put into call->request then (wire_put_*). */
void	vault_call_begin(struct vault_call *, enum wire_op);

/*
 * Fill in the id, send, receive; the reader stands at the results then.  An
 * answer that comes too late is dropped by its id.  False is what the vault
 * says, or ERR_TEMP where it says nothing.
 */
bool	vault_call_ask(struct vault_line *, struct vault_call *, struct err *);

/*
 * Was everything read that was sent?  Ends the call, and has to be called,
 * whether ask succeeded or not, which is_ok tells.
 */
bool	vault_call_end(struct vault_call *, bool is_ok, struct err *);

/* Send and end what has no answer; nobody waits for it, and it may be lost. */
void	vault_call_tell(struct vault_line *, struct vault_call *);

#endif
