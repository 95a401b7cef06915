/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "milter/sandbox.h"
#include "tests/lib/test.h"

/* Run in a process of its own that was "taken over". */
static char	 folder[] = "/tmp/test-sandbox.XXXXXX";
static char	 outside[] = "/tmp/test-sandbox-outside.XXXXXX";

static void *
nothing(void *arg)
{
	return arg;
}

static void
test_what_still_works(void)
{
	char		 path[64];
	pthread_t	 thread;
	int		 fd;

	snprintf(path, sizeof(path), "%s/file", folder);
	fd = open(path, O_CREAT | O_RDWR, 0600);
	CHECK(fd != -1);
	CHECK(write(fd, "x", 1) == 1);
	close(fd);
	CHECK(unlink(path) == 0);
	fd = open(folder, O_TMPFILE | O_RDWR, 0600);
	CHECK(fd != -1);
	close(fd);
	CHECK((fd = open("/usr/bin/env", O_RDONLY)) != -1);
	close(fd);
	CHECK(pthread_create(&thread, NULL, nothing, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
}

static void
test_what_no_longer_works(bool has_calls, bool has_files)
{
	char	*argv[] = { NULL };

	if (has_files) {
		CHECK(open(outside, O_RDONLY) == -1 && errno == EACCES);
		CHECK(open("/proc/1/environ", O_RDONLY) == -1);
		CHECK(open("/tmp/test-sandbox-new", O_CREAT | O_RDWR,
		    0600) == -1 && errno == EACCES);
		CHECK(open("/etc/passwd", O_RDWR) == -1 && errno == EACCES);
	}
	if (has_calls) {
		CHECK(socket(AF_INET, SOCK_STREAM, 0) == -1 && errno == EPERM);
		CHECK(socket(AF_UNIX, SOCK_STREAM, 0) == -1 && errno == EPERM);
		CHECK(execv("/bin/true", argv) == -1 && errno == EPERM);
		CHECK(kill(getppid(), 0) == -1 && errno == EPERM);
		CHECK(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == -1 &&
		    errno == EPERM);
	}
}

static int
in_child(void)
{
	const char	*missing = NULL;
	struct err	 err = { 0 };
	bool		 has_calls, has_files;

	REQUIRE_OK(sandbox_enter(folder, &missing, &err), err);
	has_calls = strstr(missing, "system calls") == NULL;
	has_files = strstr(missing, "files") == NULL;
	if (missing[0] != '\0')
		printf("%s\n", missing);
	test_what_still_works();
	test_what_no_longer_works(has_calls, has_files);
	return test_done("sandbox");
}

int
main(void)
{
	pid_t	 pid;
	int	 fd, status = -1;

	REQUIRE(mkdtemp(folder) != NULL);
	REQUIRE((fd = mkstemp(outside)) != -1);
	close(fd);
	fflush(stdout);
	REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		status = in_child();
		fflush(stdout);
		_exit(status);
	}
	waitpid(pid, &status, 0);
	rmdir(folder);
	unlink(outside);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
