/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <linux/landlock.h>

#ifdef HAVE_LIBSECCOMP
#include <seccomp.h>
#endif

#include "milter/sandbox.h"

#ifdef HAVE_LIBSECCOMP

/*
 * Denied rather than allowed calls are listed: what libmilter, OpenSSL, GLib
 * and libdb use differs between versions of theirs and of libc, and a mail
 * must not hang on a library update.
 */
static const int	 denied[] = {
	/* other programs */
	SCMP_SYS(execve), SCMP_SYS(execveat),
	/* other machines and services */
	SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(bind),
	/* other processes */
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_open),
	SCMP_SYS(pidfd_getfd), SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(process_madvise), SCMP_SYS(kcmp),
	/* other users and name spaces */
	SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid),
	SCMP_SYS(setregid), SCMP_SYS(setresuid), SCMP_SYS(setresgid),
	SCMP_SYS(setgroups), SCMP_SYS(setns), SCMP_SYS(unshare),
	SCMP_SYS(chroot), SCMP_SYS(pivot_root), SCMP_SYS(mount),
	SCMP_SYS(umount2), SCMP_SYS(open_by_handle_at),
	/* the kernel */
	SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup), SCMP_SYS(keyctl), SCMP_SYS(add_key),
	SCMP_SYS(request_key), SCMP_SYS(init_module),
	SCMP_SYS(finit_module), SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load), SCMP_SYS(reboot), SCMP_SYS(swapon),
	SCMP_SYS(swapoff), SCMP_SYS(acct), SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime), SCMP_SYS(adjtimex),
};

/* Whom they signal is their first argument. */
static const int	 signalling[] = {
	SCMP_SYS(kill), SCMP_SYS(tgkill), SCMP_SYS(rt_sigqueueinfo),
	SCMP_SYS(rt_tgsigqueueinfo),
};

static int
add_rules(scmp_filter_ctx ctx)
{
	uint64_t	 self = (uint64_t)getpid();
	int		 rc = 0;

	for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++)
		if (rc == 0)
			rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
			    denied[i], 0);
	/* Signals only to itself: abort(), and libmilter's own threads. */
	for (size_t i = 0; i < sizeof(signalling) / sizeof(signalling[0]); i++)
		if (rc == 0)
			rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
			    signalling[i], 1, SCMP_A0(SCMP_CMP_NE, self));
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
		    SCMP_SYS(tkill), 0);
	/* Limits of others; getrlimit() says 0 for its own. */
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
		    SCMP_SYS(prlimit64), 1, SCMP_A0(SCMP_CMP_NE, 0));
	/* No typing at the terminal of who runs it with -f. */
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
		    SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_MASKED_EQ,
		    0xffffffff, TIOCSTI));
	/*
	 * New name spaces by way of clone().  The flags of clone3() are out of
	 * a filter's sight; without it libc takes clone().
	 */
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
		    SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ,
		    CLONE_NEWUSER, CLONE_NEWUSER));
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS),
		    SCMP_SYS(clone3), 0);
	return rc;
}

static bool
restrict_calls(const char **missing, struct err *err)
{
	scmp_filter_ctx	 ctx = seccomp_init(SCMP_ACT_ALLOW);
	int		 rc = -ENOMEM;

	(void)missing;
	if (ctx != NULL && (rc = add_rules(ctx)) == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	if (rc == 0)
		return true;
	errno = -rc;
	return err_errno(err, ERR_CONFIG, "cannot restrict system calls");
}

#else

static bool
restrict_calls(const char **missing, struct err *err)
{
	(void)err;
	*missing = "system calls are not restricted: built without libseccomp";
	return true;
}

#endif

#define READ_FILES	(LANDLOCK_ACCESS_FS_EXECUTE | \
			    LANDLOCK_ACCESS_FS_READ_FILE | \
			    LANDLOCK_ACCESS_FS_READ_DIR)
/* All that the first version of Landlock knows; later ones know more. */
#define ALL_FILES	((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

static bool
allow(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr	 rule = {
		.allowed_access = access,
		.parent_fd = open(path, O_PATH | O_CLOEXEC),
	};
	struct stat				 st;
	long					 rc;

	/* What this system does not have needs no leave. */
	if (rule.parent_fd == -1)
		return errno == ENOENT;
	if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE;
	rc = syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
	return rc == 0;
}

static bool
restrict_files(const char *writable, const char **missing, struct err *err)
{
	/* Of /etc only what libraries read: the master key may be there. */
	static const char *const	 readable[] = { "/usr", "/lib",
	    "/lib64", "/opt", "/etc/ld.so.cache", "/etc/localtime",
	    "/etc/ssl" };
	struct landlock_ruleset_attr	 attr = {
		.handled_access_fs = ALL_FILES };
	int				 ruleset;
	bool				 is_ok = true;

	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr,
	    sizeof(attr), 0);
	if (ruleset == -1) {
		*missing = "files are not restricted: the kernel has no "
		    "Landlock";
		return true;
	}
	for (size_t i = 0; i < sizeof(readable) / sizeof(readable[0]); i++)
		is_ok = is_ok && allow(ruleset, readable[i], READ_FILES);
	if (writable != NULL)
		is_ok = is_ok && allow(ruleset, writable, ALL_FILES &
		    ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE);
	is_ok = is_ok && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
	if (!is_ok)
		err_errno(err, ERR_CONFIG, "cannot restrict files to %s",
		    writable == NULL ? "libraries" : writable);
	close(ruleset);
	return is_ok;
}

bool
sandbox_enter(const char *writable, const char **missing, struct err *err)
{
	*missing = "";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return err_errno(err, ERR_CONFIG, "PR_SET_NO_NEW_PRIVS");
	return restrict_files(writable, missing, err) &&
	    restrict_calls(missing, err);
}
