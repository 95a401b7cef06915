/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "milter/admin.h"

#define BACKLOG	16

static bool
is_somebody_listening(const struct sockaddr_un *addr)
{
	int	 fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	bool	 is_there = fd != -1 &&
	    connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0;

	if (fd != -1)
		close(fd);
	return is_there;
}

static bool
listen_at(int fd, const struct sockaddr_un *addr, struct err *err)
{
	mode_t	 saved = umask(0177);
	int	 rc = bind(fd, (const struct sockaddr *)addr, sizeof(*addr));

	umask(saved);
	if (rc == -1 || listen(fd, BACKLOG) == -1)
		return err_errno(err, ERR_CONFIG, "cannot listen at %s",
		    addr->sun_path);
	return true;
}

bool
admin_open(const char *store, const struct process_user *owner, int *fd,
    char **path, struct err *err)
{
	struct sockaddr_un	 addr = { .sun_family = AF_UNIX };

	*path = mem_strf("%s/admin.sock", store);
	if (strlen(*path) >= sizeof(addr.sun_path))
		return err_set(err, ERR_CONFIG, "%s: the path of a socket has "
		    "at most %zu bytes; use a shorter store path", *path,
		    sizeof(addr.sun_path) - 1);
	strcpy(addr.sun_path, *path);
	if (access(store, F_OK) == -1)
		return err_errno(err, ERR_CONFIG, "there is no store at %s "
		    "(make one with smimectl init)", store);
	if (is_somebody_listening(&addr))
		return err_set(err, ERR_CONFIG, "another smime-milter is "
		    "running with the store %s", store);
	unlink(*path);
	*fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (*fd == -1)
		return err_errno(err, ERR_TEMP, "socket");
	if (!listen_at(*fd, &addr, err))
		return false;
	if (geteuid() == 0 && lchown(*path, owner->uid, owner->gid) == -1)
		return err_errno(err, ERR_CONFIG, "cannot give %s to %s",
		    *path, owner->name);
	return true;
}
