/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_BENCH_CLIENT_H
#define TESTS_BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The MTA's side of the milter protocol, for as many mails as can be sent.
 * As Postfix does it: what needs no answer is written without waiting, in as
 * few writes as possible.  Errors end the program.
 */

/* What is sent again and again. */
struct mail {
	const char	 *from;		/* also the login */
	char		**to;
	size_t		  n_to;
	size_t		  size;		/* of the body, in bytes */
	const char	 *new_type;	/* what its Content-Type shall become */
};

struct connection {
	int		 fd;
	uint32_t	 steps;		/* as negotiated */
	uint8_t		*in;		/* read and not looked at: at ... end */
	size_t		 at;
	size_t		 end;
};

/* All packets of a mail, cut where the milter's answer is waited for. */
struct script {
	uint8_t	*bytes;
	size_t	 len;
	size_t	 room;
	size_t	*waits;			/* offsets into bytes */
	size_t	 n_waits;
};

/* Connected, negotiated, and past HELO. */
void	client_open(struct connection *, const char *path);
void	client_close(struct connection *);

/* steps: of all connections that will be given the script. */
void	client_write_script(struct script *, const struct mail *,
	    uint32_t steps);
void	client_free_script(struct script *);

/* False unless the mail was accepted, with a new body, as new_type. */
bool	client_send(struct connection *, const struct script *,
	    const struct mail *);

#endif
