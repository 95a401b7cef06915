/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_SANDBOX_H
#define MILTER_SANDBOX_H

#include "base/err.h"

/*
 * What a process that was taken over can no longer do.  Entered once, after
 * privileges were dropped and every socket is open; for all threads to come.
 *
 * System calls (seccomp): no new programs, no new connections, no looking
 * into or signalling other processes, nothing that administers the system.
 * Files (Landlock, where the kernel has it): system libraries to read,
 * and one folder to write: the spool of a filter, the store of the vault; or
 * none (NULL).
 *
 * *missing names in words what this build or kernel lacks; "" if nothing.
 * False: the kernel has it and refused it, ERR_CONFIG.
 */
bool	sandbox_enter(const char *writable, const char **missing,
	    struct err *);

#endif
