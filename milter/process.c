/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/prctl.h>
#include <sys/resource.h>

#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "milter/process.h"

bool
process_find_user(const char *name, struct process_user *user, struct err *err)
{
	struct passwd	*pw;

	errno = 0;
	if ((pw = getpwnam(name)) == NULL) {
		if (errno != 0 && errno != ENOENT)
			return err_errno(err, ERR_CONFIG,
			    "cannot look up the user %s", name);
		return err_set(err, ERR_CONFIG, "there is no user %s on this "
		    "host: create it (adduser --system --group %s), or name "
		    "another in the configuration", name, name);
	}
	user->name = mem_str(name);
	user->uid = pw->pw_uid;
	user->gid = pw->pw_gid;
	return true;
}

bool
process_confine(const struct process_user *user, pid_t parent, struct err *err)
{
	struct rlimit	 no_core = { 0, 0 };

	if (geteuid() == 0) {
		if (setgroups(0, NULL) == -1 ||
		    setresgid(user->gid, user->gid, user->gid) == -1 ||
		    setresuid(user->uid, user->uid, user->uid) == -1)
			return err_errno(err, ERR_CONFIG,
			    "cannot become the user %s", user->name);
	}
	/* A change of user resets the next two, so they come after it. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    setrlimit(RLIMIT_CORE, &no_core) == -1)
		return err_errno(err, ERR_CONFIG, "cannot confine the process");
	if (getppid() != parent)
		return err_set(err, ERR_TEMP, "the supervisor is gone");
	return true;
}

static int
compare(const void *a, const void *b)
{
	int	 x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

void
process_keep_only(int *fds, size_t n)
{
	unsigned	 from = STDERR_FILENO + 1;

	qsort(fds, n, sizeof(*fds), compare);
	for (size_t i = 0; i < n; i++) {
		if (fds[i] < (int)from)
			continue;
		if ((unsigned)fds[i] > from)
			close_range(from, (unsigned)fds[i] - 1, 0);
		from = (unsigned)fds[i] + 1;
	}
	close_range(from, ~0U, 0);
}

bool
process_thread(void *(*fn)(void *), void *arg, struct err *err)
{
	pthread_t	 thread;
	sigset_t	 all, saved;
	int		 rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	rc = pthread_create(&thread, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	errno = rc;
	if (rc != 0)
		return err_errno(err, ERR_TEMP, "cannot start a thread");
	pthread_detach(thread);
	return true;
}

void
process_raise_files(void)
{
	struct rlimit	 limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}
