/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "tools/ask.h"

#define LINE_LEN	1024

static volatile sig_atomic_t	 caught;

static void
note_signal(int signo)
{
	caught = signo;
}

static bool
put(int fd, const char *text)
{
	return write(fd, text, strlen(text)) != -1;
}

static int
open_terminal(void)
{
	return open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
}

bool
ask_has_terminal(void)
{
	int	 fd = open_terminal();

	if (fd == -1)
		return false;
	close(fd);
	return true;
}

/*
 * A line without its end: 1, or 0 with what stood before the end of the file,
 * or -1 with errno.  A passphrase that is too long is not cut.
 */
static int
read_line(int fd, char line[LINE_LEN])
{
	size_t	 n = 0;
	char	 c;
	ssize_t	 got;

	while ((got = read(fd, &c, 1)) == 1 && c != '\n' && n < LINE_LEN)
		line[n++] = c;
	if (n == LINE_LEN) {
		errno = EMSGSIZE;
		return -1;
	}
	line[n] = '\0';
	return (int)got;
}

/*
 * With echo off.  A signal must not leave the terminal so: it is noted, and
 * acted upon when the terminal is as before.
 */
static bool
read_hidden(int fd, char line[LINE_LEN])
{
	static const int	 signals[] = { SIGINT, SIGTERM, SIGHUP,
				    SIGQUIT, SIGTSTP };
	struct sigaction	 note = { .sa_handler = note_signal };
	struct sigaction	 saved[5];
	struct termios		 before, hidden;
	bool			 ok;

	if (tcgetattr(fd, &before) == -1)
		return false;
	caught = 0;
	for (size_t i = 0; i < 5; i++)
		sigaction(signals[i], &note, &saved[i]);
	hidden = before;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(fd, TCSAFLUSH, &hidden);
	ok = read_line(fd, line) == 1;
	tcsetattr(fd, TCSAFLUSH, &before);
	put(fd, "\n");
	for (size_t i = 0; i < 5; i++)
		sigaction(signals[i], &saved[i], NULL);
	if (caught != 0)
		raise(caught);
	return ok;
}

static bool
ask_hidden(const char *prompt, char line[LINE_LEN], struct err *err)
{
	int	 fd = open_terminal();
	bool	 ok;

	if (fd == -1)
		return err_set(err, ERR_DATA, "a passphrase is needed, and "
		    "there is no terminal to ask on: use --passphrase-file");
	ok = put(fd, prompt) && read_hidden(fd, line);
	close(fd);
	return ok || err_set(err, ERR_DATA, "no passphrase was given");
}

bool
ask_passphrase(const char *prompt, bool is_new, struct passphrases *list,
    struct err *err)
{
	char	 line[LINE_LEN], again[LINE_LEN] = "";
	bool	 ok;

	do {
		ok = ask_hidden(prompt, line, err) &&
		    (!is_new || ask_hidden("The same again: ", again, err));
	} while (ok && is_new && strcmp(line, again) != 0);
	if (ok)
		passphrases_add(list, line, strlen(line));
	explicit_bzero(line, sizeof(line));
	explicit_bzero(again, sizeof(again));
	return ok;
}

bool
ask_yes(const char *question)
{
	char	 line[LINE_LEN] = "";
	int	 fd = open_terminal();
	bool	 ok;

	if (fd == -1)
		return false;
	ok = put(fd, question) && put(fd, " [y/N] ") &&
	    read_line(fd, line) == 1;
	close(fd);
	return ok && (strcmp(line, "y") == 0 || strcmp(line, "yes") == 0);
}

bool
ask_passphrase_file(const char *path, int fd, struct passphrases *list,
    struct err *err)
{
	char	 line[LINE_LEN];
	int	 got;

	if (path != NULL && (fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return err_errno(err, ERR_DATA, "open %s", path);
	while ((got = read_line(fd, line)) != -1) {
		size_t	 len = strlen(line);

		if (len > 0 && line[len - 1] == '\r')
			len--;
		/* The last line may lack its end. */
		if (got == 1 || len > 0)
			passphrases_add(list, line, len);
		if (got == 0)
			break;
	}
	if (got == -1)
		err_errno(err, ERR_DATA, "read passphrases from %s",
		    path != NULL ? path : "the descriptor");
	explicit_bzero(line, sizeof(line));
	if (path != NULL)
		close(fd);
	return got == 0;
}
