/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "milter/log.h"
#include "milter/report.h"

static const char	 ready_mark[] = "\001";

bool
report_pipe(int *reader, int *writer, struct err *err)
{
	int	 fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1)
		return err_errno(err, ERR_TEMP, "pipe");
	*reader = fds[0];
	*writer = fds[1];
	return true;
}

static void
say(int writer, const char *text)
{
	/* A sentence is shorter than what a pipe takes at once. */
	while (write(writer, text, strlen(text)) == -1 && errno == EINTR)
		;
	close(writer);
}

void
report_ready(int writer)
{
	if (writer != -1)
		say(writer, ready_mark);
}

_Noreturn void
report_failure(int writer, const struct err *err)
{
	if (writer != -1)
		say(writer, err->reason);
	else
		log_line(LOG_ERR, "cannot start: %s", err->reason);
	_exit(1);
}

bool
report_wait(int reader, int timeout_ms, struct err *err)
{
	struct pollfd	 pfd = { .fd = reader, .events = POLLIN };
	char		 text[sizeof(err->reason)];
	ssize_t		 len;
	int		 rc;

	while ((rc = poll(&pfd, 1, timeout_ms)) == -1 && errno == EINTR)
		;
	if (rc == 0)
		return err_set(err, ERR_TEMP,
		    "it was not ready within %d seconds", timeout_ms / 1000);
	len = rc == -1 ? -1 : read(reader, text, sizeof(text) - 1);
	if (len <= 0)
		return err_set(err, ERR_TEMP, "it ended without a word");
	text[len] = '\0';
	if (strcmp(text, ready_mark) == 0)
		return true;
	return err_set(err, ERR_CONFIG, "%s", text);
}
