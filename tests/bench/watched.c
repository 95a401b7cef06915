/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/watched.h"

/* A file of a process, as a string; empty if it is gone. */
static void
read_proc(pid_t pid, const char *name, char *out, size_t room)
{
	char	 path[64];
	int	 fd;
	ssize_t	 n = 0;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	if ((fd = open(path, O_RDONLY)) != -1) {
		n = read(fd, out, room - 1);
		close(fd);
	}
	out[n > 0 ? n : 0] = '\0';
}

/* proc(5): the name in stat, which may hold anything, ends at the last ")". */
static bool
is_child(pid_t pid, pid_t parent)
{
	char	 text[1024], *p;
	long	 found;

	read_proc(pid, "stat", text, sizeof(text));
	return (p = strrchr(text, ')')) != NULL &&
	    sscanf(p, ") %*c %ld", &found) == 1 && found == parent;
}

static void
add(struct watched *w, pid_t pid)
{
	if (w->n == WATCHED_MAX)
		errx(2, "the daemon has more than %d processes", WATCHED_MAX);
	if (clock_getcpuclockid(pid, &w->clocks[w->n]) != 0)
		errx(2, "there is no process %d", (int)pid);
	w->pids[w->n++] = pid;
}

struct watched
watched_find(pid_t supervisor)
{
	struct watched	 w = { .n = 0 };
	DIR		*proc = opendir("/proc");
	struct dirent	*entry;

	if (proc == NULL)
		err(2, "/proc");
	add(&w, supervisor);
	while ((entry = readdir(proc)) != NULL) {
		pid_t	 pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 0 && is_child(pid, supervisor))
			add(&w, pid);
	}
	closedir(proc);
	return w;
}

double
watched_cpu_ms(const struct watched *w)
{
	double	 sum = 0;

	for (size_t i = 0; i < w->n; i++) {
		struct timespec	 ts;

		if (clock_gettime(w->clocks[i], &ts) == -1)
			errx(2, "process %d of the daemon ended",
			    (int)w->pids[i]);
		sum += (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
	}
	return sum;
}

static long
sum_status(const struct watched *w, const char *name)
{
	char	 text[4096], *p;
	long	 sum = 0;

	for (size_t i = 0; i < w->n; i++) {
		read_proc(w->pids[i], "status", text, sizeof(text));
		if ((p = strstr(text, name)) != NULL)
			sum += strtol(p + strlen(name), NULL, 10);
	}
	return sum;
}

long
watched_now_kib(const struct watched *w)
{
	return sum_status(w, "\nVmRSS:");
}

long
watched_peak_kib(const struct watched *w)
{
	return sum_status(w, "\nVmHWM:");
}

void
watched_forget_peak(const struct watched *w)
{
	for (size_t i = 0; i < w->n; i++) {
		char	 path[64];
		FILE	*file;

		snprintf(path, sizeof(path), "/proc/%d/clear_refs",
		    (int)w->pids[i]);
		if ((file = fopen(path, "w")) == NULL ||
		    fputs("5", file) == EOF || fclose(file) == EOF)
			err(2, "%s", path);
	}
}
