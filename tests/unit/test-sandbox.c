/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "milter/process.h"
#include "milter/sandbox.h"
#include "tests/lib/test.h"

/*
 * What a process of the daemon could do that was taken over.  In a folder that
 * all may enter lie a store, a master key and a spool; a vault runs beside.
 */
static char	 folder[] = "/tmp/test-sandbox.XXXXXX";
static char	 store[64], record[96], admin[96], key[64], spool[64], new[64];
static pid_t	 vault;
static char	 vault_word[] = "the vault's secret";
static int	 inet_socket, unix_socket;	/* open before, as by a library */

/* --- attempts: true if it can be done ---------------------------------------- */

static bool
can_open(const char *path, int flags)
{
	int	 fd = open(path, flags, 0600);

	if (fd != -1)
		close(fd);
	return fd != -1;
}

static bool
reads_record(void)
{
	return can_open(record, O_RDONLY);
}

static bool
writes_record(void)
{
	return can_open(record, O_WRONLY);
}

static bool
makes_record(void)
{
	char	 path[128];

	snprintf(path, sizeof(path), "%s/log.0000000001", store);
	return can_open(path, O_CREAT | O_WRONLY);
}

static bool
lists_store(void)
{
	return can_open(store, O_RDONLY | O_DIRECTORY);
}

static bool
removes_record(void)
{
	return rename(record, key) == 0 || unlink(record) == 0;
}

static bool
reads_key(void)
{
	return can_open(key, O_RDONLY);
}

static bool
reads_memory(void)
{
	char	 path[64];

	snprintf(path, sizeof(path), "/proc/%ld/mem", (long)vault);
	return can_open(path, O_RDONLY);
}

static bool
reads_descriptors(void)
{
	char	 path[64];

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)vault);
	return can_open(path, O_RDONLY | O_DIRECTORY);
}

static bool
traces(void)
{
	if (ptrace(PTRACE_SEIZE, vault, NULL, NULL) == -1)
		return false;
	ptrace(PTRACE_DETACH, vault, NULL, NULL);
	return true;
}

static bool
copies_memory(void)
{
	char		 word[sizeof(vault_word)];
	struct iovec	 here = { word, sizeof(word) };
	struct iovec	 there = { vault_word, sizeof(vault_word) };

	return process_vm_readv(vault, &here, 1, &there, 1, 0) != -1;
}

static bool
signals(void)
{
	return kill(vault, 0) == 0;
}

static bool
queues_signal(void)
{
	union sigval	 value = { .sival_int = 0 };

	return sigqueue(vault, 0, value) == 0;
}

static bool
signals_supervisor(void)
{
	return kill(getppid(), 0) == 0;
}

static bool
takes_descriptor(void)
{
	int	 fd = (int)syscall(SYS_pidfd_open, vault, 0);

	return fd != -1 && syscall(SYS_pidfd_getfd, fd, 0, 0) != -1;
}

static bool
limits(void)
{
	struct rlimit	 limit;

	return prlimit(vault, RLIMIT_NOFILE, NULL, &limit) == 0;
}

static bool
becomes_root(void)
{
	return setresuid(0, 0, 0) == 0 || seteuid(0) == 0;
}

static bool
makes_socket(void)
{
	static const int	 families[] = { AF_INET, AF_INET6, AF_UNIX,
	    AF_NETLINK, AF_PACKET };

	for (size_t i = 0; i < TEST_LEN(families); i++)
		if (socket(families[i], SOCK_STREAM, 0) != -1 ||
		    socket(families[i], SOCK_DGRAM, 0) != -1)
			return true;
	return false;
}

/* Refused as such, and not because nobody listens. */
static bool
connects_out(void)
{
	struct sockaddr_in	 addr = { .sin_family = AF_INET,
	    .sin_port = htons(9) };

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect(inet_socket, (struct sockaddr *)&addr,
	    sizeof(addr)) == 0 || errno != EPERM;
}

static bool
connects_admin(void)
{
	struct sockaddr_un	 addr = { .sun_family = AF_UNIX };

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%.90s", admin);
	return connect(unix_socket, (struct sockaddr *)&addr,
	    sizeof(addr)) == 0;
}

static bool
listens(void)
{
	struct sockaddr_in	 addr = { .sin_family = AF_INET };

	return bind(inet_socket, (struct sockaddr *)&addr, sizeof(addr)) == 0;
}

static bool
runs_program(void)
{
	char	*argv[] = { NULL };
	int	 fd = open("/bin/true", O_RDONLY);

	execv("/bin/true", argv);
	syscall(SYS_execveat, fd, "", argv, argv, AT_EMPTY_PATH);
	if (fd != -1)
		close(fd);
	return false;	/* or this process would be another */
}

static bool
makes_namespace(void)
{
	return unshare(CLONE_NEWUSER) == 0 ||
	    syscall(SYS_clone, (unsigned long)CLONE_NEWUSER | SIGCHLD, NULL,
	    NULL, NULL, 0) > 0;
}

static bool
writes_elsewhere(void)
{
	return can_open(new, O_CREAT | O_WRONLY);
}

static bool
reads_accounts(void)
{
	return can_open("/etc/passwd", O_RDONLY);
}

static bool
reads_environment(void)
{
	return can_open("/proc/1/environ", O_RDONLY);
}

static bool
types_at_terminal(void)
{
	return ioctl(STDIN_FILENO, TIOCSTI, "x") == 0 || errno != EPERM;
}

static bool
dumps(void)
{
	struct rlimit	 limit = { 1, 1 };

	return prctl(PR_GET_DUMPABLE) != 0 ||
	    getrlimit(RLIMIT_CORE, &limit) == -1 || limit.rlim_max != 0;
}

#define BY_USER	1	/* another user alone is enough to stop it */
#define BY_CALLS 2	/* seccomp is */
#define BY_FILES 4	/* Landlock is */

static const struct {
	const char	*label;
	bool		(*can)(void);
	int		 stopped_by;
} attempts[] = {
	{ "read the store", reads_record, BY_USER | BY_FILES },
	{ "write into the store", writes_record, BY_USER | BY_FILES },
	{ "add to the store", makes_record, BY_USER | BY_FILES },
	{ "list the store", lists_store, BY_USER | BY_FILES },
	{ "remove from the store", removes_record, BY_USER | BY_FILES },
	{ "read the master key", reads_key, BY_USER | BY_FILES },
	{ "read the vault's memory", reads_memory, BY_USER | BY_FILES },
	{ "see what the vault has open", reads_descriptors,
	    BY_USER | BY_FILES },
	{ "trace the vault", traces, BY_USER | BY_CALLS },
	{ "copy the vault's memory", copies_memory, BY_USER | BY_CALLS },
	{ "signal the vault", signals, BY_USER | BY_CALLS },
	{ "queue a signal", queues_signal, BY_USER | BY_CALLS },
	{ "signal the supervisor", signals_supervisor, BY_USER | BY_CALLS },
	{ "take the vault's descriptors", takes_descriptor,
	    BY_USER | BY_CALLS },
	{ "ask for the vault's limits", limits, BY_USER | BY_CALLS },
	{ "become root", becomes_root, BY_USER | BY_CALLS },
	{ "reach the admin socket", connects_admin, BY_USER | BY_CALLS },
	{ "make a socket", makes_socket, BY_CALLS },
	{ "connect a socket that it has", connects_out, BY_CALLS },
	{ "bind it", listens, BY_CALLS },
	{ "run a program", runs_program, BY_CALLS },
	{ "make a name space", makes_namespace, BY_CALLS },
	{ "type at the terminal", types_at_terminal, BY_CALLS },
	{ "write elsewhere", writes_elsewhere, BY_FILES },
	{ "read /etc/passwd", reads_accounts, BY_FILES },
	{ "read the first process's environment", reads_environment,
	    BY_FILES },
};

static void
test_attempts(int stopped_by)
{
	for (size_t i = 0; i < TEST_LEN(attempts); i++) {
		if ((attempts[i].stopped_by & stopped_by) == 0)
			continue;
		test_row(attempts[i].label);
		CHECK(!attempts[i].can());
	}
	test_row(NULL);
}

/* --- what it has to be able to do --------------------------------------------- */

static void *
nothing(void *arg)
{
	return arg;
}

static void
test_what_still_works(const char *writable)
{
	char		 path[128];
	struct rlimit	 limit;
	pthread_t	 thread;
	int		 pair[2], fd;

	snprintf(path, sizeof(path), "%s/file", writable);
	CHECK((fd = open(path, O_CREAT | O_RDWR, 0600)) != -1);
	CHECK(write(fd, "x", 1) == 1);
	close(fd);
	CHECK(unlink(path) == 0);
	CHECK((fd = open(writable, O_TMPFILE | O_RDWR, 0600)) != -1);
	close(fd);
	CHECK(can_open("/usr/bin/env", O_RDONLY));
	CHECK(access("/etc/localtime", F_OK) == -1 ||
	    can_open("/etc/localtime", O_RDONLY));
	CHECK(pthread_create(&thread, NULL, nothing, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(kill(getpid(), 0) == 0);
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	CHECK(send(pair[0], "x", 1, 0) == 1);
}

/* --- the processes ----------------------------------------------------------------- */

static int
enter(const char *writable)
{
	const char	*missing = NULL;
	struct err	 err = { 0 };
	int		 stopped_by = 0;

	REQUIRE_OK(sandbox_enter(writable, &missing, &err), err);
	if (missing[0] != '\0')
		printf("%s\n", missing);
	if (strstr(missing, "system calls") == NULL)
		stopped_by |= BY_CALLS;
	if (strstr(missing, "files") == NULL)
		stopped_by |= BY_FILES;
	return stopped_by;
}

/* With a user of its own that alone has to do, and the sandbox alone, too. */
static void
be_filter(const struct process_user *user, bool is_separate)
{
	struct err	 err = { 0 };

	REQUIRE_OK(process_confine(user, getppid(), &err), err);
	CHECK(!dumps());
	if (is_separate)
		test_attempts(BY_USER);
	test_attempts(enter(spool));
	test_what_still_works(spool);
}

static void
be_vault(const struct process_user *user, bool is_separate)
{
	struct err	 err = { 0 };
	int		 stopped_by;

	(void)is_separate;
	REQUIRE_OK(process_confine(user, getppid(), &err), err);
	CHECK(!dumps());
	stopped_by = enter(store);
	if ((stopped_by & BY_CALLS) != 0) {
		CHECK(!makes_socket());
		CHECK(!connects_out());
		CHECK(!runs_program());
		CHECK(!traces());
	}
	if ((stopped_by & BY_FILES) != 0) {
		CHECK(!reads_key());
		CHECK(!writes_elsewhere());
	}
	CHECK(reads_record());
	test_what_still_works(store);
}

static int
run(const char *label, void (*fn)(const struct process_user *, bool),
    const struct process_user *user, bool is_separate)
{
	pid_t	 pid;
	int	 status = 0;

	fflush(stdout);
	REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		fn(user, is_separate);
		status = test_done(label);
		fflush(stdout);
		_exit(status);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void
start_vault(const struct process_user *user)
{
	struct err	 err = { 0 };
	int		 ready[2];
	char		 word;

	REQUIRE(pipe(ready) == 0);
	REQUIRE((vault = fork()) != -1);
	if (vault == 0) {
		if (!process_confine(user, getppid(), &err) ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	REQUIRE(read(ready[0], &word, 1) == 1);
	close(ready[0]);
}

static void
make_file(const char *path, const struct process_user *owner)
{
	int	 fd = open(path, O_CREAT | O_WRONLY, 0600);

	REQUIRE(fd != -1);
	if (owner != NULL && geteuid() == 0)
		REQUIRE(fchown(fd, owner->uid, owner->gid) == 0);
	close(fd);
}

static void
make_folder(const char *path, const struct process_user *owner)
{
	REQUIRE(mkdir(path, 0700) == 0);
	if (geteuid() == 0)
		REQUIRE(chown(path, owner->uid, owner->gid) == 0);
}

/* As a socket that says no to nobody by its mode: the process has to. */
static int
open_admin(void)
{
	struct sockaddr_un	 addr = { .sun_family = AF_UNIX };
	int			 fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%.90s", admin);
	REQUIRE(fd != -1);
	REQUIRE(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0);
	REQUIRE(listen(fd, 4) == 0);
	return fd;
}

static void
name(char *path, size_t size, const char *folder_, const char *file)
{
	snprintf(path, size, "%s/%s", folder_, file);
}

static void
make_world(const struct process_user *owner, const struct process_user *filter)
{
	REQUIRE(mkdtemp(folder) != NULL);
	REQUIRE(chmod(folder, 0755) == 0);
	name(store, sizeof(store), folder, "store");
	name(record, sizeof(record), store, "keys.db");
	name(admin, sizeof(admin), store, "admin.sock");
	name(key, sizeof(key), folder, "master.key");
	name(spool, sizeof(spool), folder, "spool");
	name(new, sizeof(new), folder, "new");
	make_folder(store, owner);
	make_file(record, owner);
	make_file(key, NULL);
	make_folder(spool, filter);
	REQUIRE((inet_socket = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	REQUIRE((unix_socket = socket(AF_UNIX, SOCK_SEQPACKET, 0)) != -1);
}

static void
clear_world(int listener)
{
	kill(vault, SIGKILL);
	waitpid(vault, NULL, 0);
	close(listener);
	unlink(admin);
	unlink(record);
	unlink(key);
	rmdir(spool);
	rmdir(store);
	rmdir(folder);
}

int
main(void)
{
	bool			 is_root = geteuid() == 0;
	struct process_user	 owner = { .uid = getuid(), .gid = getgid() };
	struct process_user	 filter = owner;
	struct err		 err = { 0 };
	int			 listener, status = 0;

	if (is_root) {
		REQUIRE_OK(process_find_user("nobody", &owner, &err), err);
		REQUIRE_OK(process_find_user("daemon", &filter, &err), err);
	} else
		printf("not root: what another user may do is not tested\n");
	make_world(&owner, &filter);
	listener = open_admin();
	start_vault(&owner);
	if (is_root)
		status |= run("a filter with a user of its own", be_filter,
		    &filter, true);
	REQUIRE(!is_root || chown(spool, owner.uid, owner.gid) == 0);
	status |= run("a filter with the vault's user", be_filter, &owner,
	    false);
	status |= run("the vault", be_vault, &owner, false);
	clear_world(listener);
	free(owner.name);
	free(filter.name);
	return status;
}
