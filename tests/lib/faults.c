/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * To be preloaded into the daemon: its calls of the system fail as the story
 * says.  $FAULTS is a file that every process maps when it starts, so that
 * what is in it counts at once, whatever a process may still open:
 *
 *	a count	of calls that failed, 4 bytes, then of calls of the class, 4
 *	a line	PID CLASS ERRNO WHEN
 *
 * In process PID the call number WHEN of CLASS fails with ERRNO; WHEN 0 is each
 * of them.  ERRNO 0 writes half of what there is to write, and succeeds.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES	512

struct plan {
	_Atomic uint32_t	 failed;
	_Atomic uint32_t	 called;
	char			 line[FILE_BYTES - 8];
};

static struct plan	*plan;

#define REAL(name_)	((__typeof__(&name_))dlsym(RTLD_NEXT, #name_))

__attribute__((constructor)) static void
start(void)
{
	const char	*path = getenv("FAULTS");
	int		 fd = path == NULL ? -1 : REAL(open)(path,
	    O_RDWR | O_CLOEXEC);
	void		*p = fd == -1 ? MAP_FAILED : REAL(mmap)(NULL,
	    FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p != MAP_FAILED)
		plan = p;
	if (fd != -1)
		close(fd);
}

/* The error that this call is to have; 0: half of it; -1: none. */
static int
planned(const char *class)
{
	char		 name[32];
	int		 error;
	long		 pid;
	uint32_t	 when, n;

	if (plan == NULL || sscanf(plan->line, "%ld %31s %d %u", &pid, name,
	    &error, &when) != 4 || pid != getpid() || strcmp(name, class) != 0)
		return -1;
	n = atomic_fetch_add(&plan->called, 1) + 1;
	if (when != 0 && n != when)
		return -1;
	atomic_fetch_add(&plan->failed, 1);
	return error;
}

static bool
fails(const char *class)
{
	int	 error = planned(class);

	if (error <= 0)
		return false;
	errno = error;
	return true;
}

static bool
is_socket(int fd)
{
	struct stat	 st;
	int		 saved = errno;
	bool		 is = fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);

	errno = saved;
	return is;
}

static bool
is_file(int fd)
{
	struct stat	 st;
	int		 saved = errno;
	bool		 is = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

	errno = saved;
	return is;
}

/* False: it fails.  len may become half of what it was. */
static bool
may_write(int fd, size_t *len)
{
	int	 error = is_file(fd) ? planned("write") :
	    is_socket(fd) ? planned("send") : -1;

	if (error == 0 && *len > 1)
		*len /= 2;
	if (error <= 0)
		return true;
	errno = error;
	return false;
}

static bool
may_read(int fd)
{
	return !(is_file(fd) ? fails("read") :
	    is_socket(fd) && fails("receive"));
}

ssize_t
write(int fd, const void *data, size_t len)
{
	return may_write(fd, &len) ? REAL(write)(fd, data, len) : -1;
}

ssize_t
pwrite(int fd, const void *data, size_t len, off_t at)
{
	return may_write(fd, &len) ? REAL(pwrite)(fd, data, len, at) : -1;
}

/* Half of it is half of the first piece. */
ssize_t
writev(int fd, const struct iovec *pieces, int n)
{
	size_t	 len = pieces[0].iov_len, all = len;

	if (!may_write(fd, &len))
		return -1;
	return len == all ? REAL(writev)(fd, pieces, n) :
	    REAL(write)(fd, pieces[0].iov_base, len);
}

/* Packets are sent whole or not at all. */
ssize_t
send(int fd, const void *data, size_t len, int flags)
{
	return fails("send") ? -1 : REAL(send)(fd, data, len, flags);
}

ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
	return fails("send") ? -1 : REAL(sendmsg)(fd, message, flags);
}

ssize_t
read(int fd, void *data, size_t len)
{
	return may_read(fd) ? REAL(read)(fd, data, len) : -1;
}

ssize_t
pread(int fd, void *data, size_t len, off_t at)
{
	return may_read(fd) ? REAL(pread)(fd, data, len, at) : -1;
}

ssize_t
recv(int fd, void *data, size_t len, int flags)
{
	return fails("receive") ? -1 : REAL(recv)(fd, data, len, flags);
}

ssize_t
recvmsg(int fd, struct msghdr *message, int flags)
{
	return fails("control") ? -1 : REAL(recvmsg)(fd, message, flags);
}

int
open(const char *path, int flags, ...)
{
	va_list	 ap;
	mode_t	 mode;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	return fails("open") ? -1 : REAL(open)(path, flags, mode);
}

void *
mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	return fails("map") ? MAP_FAILED :
	    REAL(mmap)(at, len, prot, flags, fd, offset);
}

int
fsync(int fd)
{
	return fails("sync") ? -1 : REAL(fsync)(fd);
}

int
fdatasync(int fd)
{
	return fails("sync") ? -1 : REAL(fdatasync)(fd);
}

int
poll(struct pollfd *fds, nfds_t n, int timeout)
{
	return fails("poll") ? -1 : REAL(poll)(fds, n, timeout);
}

int
accept(int fd, struct sockaddr *addr, socklen_t *len)
{
	return fails("accept") ? -1 : REAL(accept)(fd, addr, len);
}
