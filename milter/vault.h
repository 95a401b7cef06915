/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_VAULT_H
#define MILTER_VAULT_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "milter/process.h"

#include "policy/config.h"

/* The vault's end of a filter's channel, and what that filter is for. */
struct vault_channel {
	int		 fd;
	enum role	 role;
	bool		 is_told;	/* what comes over it gets no answer */
};

/* What the supervisor hands to a new vault; all descriptors stay its own. */
struct vault_start {
	const struct config		*config;
	uint32_t			 generation;
	const struct process_user	*user;
	pid_t				 supervisor;
	const struct vault_channel	*channels;	/* the filters' */
	size_t				 n_channels;
	int				 admin;		/* listening; STORE/admin.sock */
	int				 control;	/* see control.h */
	int				 log;
	int				 ready;		/* see report.h; -1: nobody waits */
};

/*
 * The vault process: reads the master key, becomes the store's owner, opens
 * the store, answers requests until SIGTERM.  Does not return.
 */
_Noreturn void	vault_main(const struct vault_start *);

#endif
