/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_REPORT_H
#define MILTER_REPORT_H

#include <stdbool.h>

#include "base/err.h"

/*
 * How a process of the daemon tells the one that started it that it is ready,
 * or why it cannot start: a pipe that carries one sentence, or nothing but a
 * mark.  A descriptor of -1: nobody waits, so failures go to the log.
 */
bool	report_pipe(int *reader, int *writer, struct err *);
void	report_ready(int writer);
/* Ends the process with status 1. */
_Noreturn void	report_failure(int writer, const struct err *);
/* Wait for the sentence; false, with it in err, unless the other is ready. */
bool	report_wait(int reader, int timeout_ms, struct err *);

#endif
