/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_LIB_SCRATCH_H
#define TESTS_LIB_SCRATCH_H

/* A temporary folder that goes with the test, and a store in it. */

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char	 scratch_dir[64];
static pid_t	 scratch_owner;

static inline void
scratch_remove(void)
{
	char	 command[128];

	/* A child's exit() must not take the folder from its parent. */
	if (getpid() != scratch_owner)
		return;
	snprintf(command, sizeof(command), "rm -rf '%s'", scratch_dir);
	if (system(command) != 0)
		printf("cannot remove %s\n", scratch_dir);
}

/* A new name below the temporary folder; static, of this call. */
static inline const char *
scratch_path(const char *name)
{
	static char	 path[4][256];
	static unsigned	 turn;

	if (scratch_dir[0] == '\0') {
		strcpy(scratch_dir, "/tmp/smime-test.XXXXXX");
		if (mkdtemp(scratch_dir) == NULL) {
			perror("mkdtemp");
			exit(1);
		}
		scratch_owner = getpid();
		atexit(scratch_remove);
	}
	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", scratch_dir, name);
	return path[turn];
}

static inline const char *
scratch_folder(const char *name)
{
	const char	*path = scratch_path(name);

	if (mkdir(path, 0700) == -1) {
		perror(path);
		exit(1);
	}
	return path;
}

static inline void
scratch_write(const char *path, const void *data, size_t len)
{
	int	 fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd == -1 || write(fd, data, len) != (ssize_t)len) {
		perror(path);
		exit(1);
	}
	close(fd);
}

#endif
