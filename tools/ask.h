/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_ASK_H
#define TOOLS_ASK_H

#include <stdbool.h>

#include "base/err.h"
#include "store/pkcs8.h"

/*
 * What is asked of the administrator.  Passphrases come from a file, a
 * descriptor or the terminal, never from arguments or the environment,
 * which others can see.
 */

/* One on each line; path or, where that is NULL, fd. */
bool	ask_passphrase_file(const char *path, int fd, struct passphrases *,
	    struct err *);

/*
 * One from the terminal, without echo; "" is an answer.  False when there
 * is no terminal (ERR_DATA).  is_new: asked for twice, until both are alike.
 */
bool	ask_passphrase(const char *prompt, bool is_new, struct passphrases *,
	    struct err *);

/* "question [y/N] " on the terminal.  False: no, or there is no terminal. */
bool	ask_yes(const char *question);
bool	ask_has_terminal(void);

#endif
