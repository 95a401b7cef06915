/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "milter/listening.h"

#define BACKLOG	16

static bool
is_somebody_listening(const struct sockaddr_un *addr, int type)
{
	int	 fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	bool	 is_there = fd != -1 &&
	    connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0;

	if (fd != -1)
		close(fd);
	return is_there;
}

static bool
make_way(const struct sockaddr_un *addr, int type, struct err *err)
{
	struct stat	 st;

	if (lstat(addr->sun_path, &st) == -1)
		return errno == ENOENT || err_errno(err, ERR_CONFIG, "%s",
		    addr->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_CONFIG, "there is a file at %s, which "
		    "is no socket", addr->sun_path);
	if (is_somebody_listening(addr, type))
		return err_set(err, ERR_CONFIG, "another process, maybe "
		    "another smime-milter, listens at %s", addr->sun_path);
	if (unlink(addr->sun_path) == -1)
		return err_errno(err, ERR_CONFIG, "cannot remove the old "
		    "socket %s", addr->sun_path);
	return true;
}

static bool
listen_on(int fd, const void *addr, socklen_t len, const char *name,
    struct err *err)
{
	if (bind(fd, addr, len) == -1 || listen(fd, BACKLOG) == -1)
		return err_errno(err, ERR_CONFIG, "cannot listen at %s",
		    name);
	return true;
}

bool
listening_unix(const char *path, int type, mode_t mode, int *fd,
    struct err *err)
{
	struct sockaddr_un	 addr = { .sun_family = AF_UNIX };
	mode_t			 saved;
	bool			 is_ok;

	if (strlen(path) >= sizeof(addr.sun_path))
		return err_set(err, ERR_CONFIG, "%s: the path of a socket has "
		    "at most %zu bytes", path, sizeof(addr.sun_path) - 1);
	strcpy(addr.sun_path, path);
	if (!make_way(&addr, type, err))
		return false;
	if ((*fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0)) == -1)
		return err_errno(err, ERR_TEMP, "socket");
	saved = umask((mode_t)~mode & 0777);
	is_ok = listen_on(*fd, &addr, sizeof(addr), path, err);
	umask(saved);
	return is_ok;
}

bool
listening_at(const struct config_socket *where, mode_t mode, int *fd,
    struct err *err)
{
	struct sockaddr_in	 v4 = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)where->port) };
	struct sockaddr_in6	 v6 = { .sin6_family = AF_INET6,
	    .sin6_port = htons((uint16_t)where->port) };
	bool			 is_v4 = where->family == AF_INET;
	const char		*host = where->host;
	int			 on = 1;

	if (where->family == AF_UNIX)
		return listening_unix(where->path, SOCK_STREAM, mode, fd,
		    err);
	if (strcmp(host, "localhost") == 0)
		host = is_v4 ? "127.0.0.1" : "::1";
	if (inet_pton(where->family, host, is_v4 ? (void *)&v4.sin_addr :
	    (void *)&v6.sin6_addr) != 1)
		return err_set(err, ERR_BUG, "%s is no address", host);
	if ((*fd = socket(where->family, SOCK_STREAM | SOCK_CLOEXEC,
	    0)) == -1)
		return err_errno(err, ERR_TEMP, "socket");
	setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return is_v4 ? listen_on(*fd, &v4, sizeof(v4), host, err) :
	    listen_on(*fd, &v6, sizeof(v6), host, err);
}
