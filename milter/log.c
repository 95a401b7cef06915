/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/socket.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "milter/log.h"
#include "milter/stats.h"

#define LINE_MAX_LEN	2000	/* what syslog daemons take without cutting */

enum target { TO_STDERR, TO_SYSLOG, TO_SUPERVISOR };

static enum target	 target = TO_STDERR;
static int		 supervisor_fd = -1;

void
log_open(bool to_stderr)
{
	target = to_stderr ? TO_STDERR : TO_SYSLOG;
	if (target == TO_SYSLOG)
		openlog("smime-milter", LOG_PID | LOG_NDELAY, LOG_MAIL);
}

void
log_open_child(int fd)
{
	target = TO_SUPERVISOR;
	supervisor_fd = fd;
}

/* Warnings are about what will be, notices and errors about what was. */
static bool
is_trouble(int priority)
{
	return priority <= LOG_ERR || priority == LOG_NOTICE;
}

static void
write_line(int priority, const char *line)
{
	if (is_trouble(priority))
		stats_trouble(line);
	if (target == TO_STDERR)
		fprintf(stderr, "smime-milter: %s\n", line);
	else
		syslog(priority, "%s", line);
}

/* To the supervisor: one packet, its first byte is the priority. */
static void
send_line(int priority, const char *line)
{
	char	 packet[LINE_MAX_LEN + 2];
	int	 len = snprintf(packet, sizeof(packet), "%c%s",
	    (char)('0' + priority), line);

	if (len < 0)
		return;
	if ((size_t)len >= sizeof(packet))
		len = (int)sizeof(packet) - 1;
	while (send(supervisor_fd, packet, (size_t)len, MSG_NOSIGNAL) == -1 &&
	    errno == EINTR)
		;
}

void
log_relay(int fd)
{
	char	 packet[LINE_MAX_LEN + 2];
	ssize_t	 len;

	while ((len = recv(fd, packet, sizeof(packet) - 1, MSG_DONTWAIT)) > 0) {
		packet[len] = '\0';
		if (packet[0] >= '0' && packet[0] <= '7')
			write_line(packet[0] - '0', packet + 1);
	}
}

void
log_line(int priority, const char *fmt, ...)
{
	char	 line[LINE_MAX_LEN + 1];
	va_list	 ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (char *p = line; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	if (priority <= LOG_ERR)
		stats_error();
	if (target == TO_SUPERVISOR)
		send_line(priority, line);
	else
		write_line(priority, line);
}
