/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_LOG_H
#define MILTER_LOG_H

#include <stdbool.h>
#include <syslog.h>

/*
 * The daemon's log.  Only the supervisor writes to syslog or standard error;
 * its children send their lines to it, since a filter may open no socket.
 * Lines hold addresses and fingerprints, never subjects, bodies or keys.
 */

/* Standard error, one line each; or syslog, facility mail. */
void	log_open(bool to_stderr);
/* From here on lines go to the supervisor through this descriptor. */
void	log_open_child(int fd);
/* Supervisor: write the lines that wait at its end.  Never blocks. */
void	log_relay(int fd);

/* LOG_ERR, LOG_WARNING, LOG_NOTICE or LOG_INFO; controls are shown as "?". */
void	log_line(int priority, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

#endif
