/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/socket.h>

#include <unistd.h>

#include "base/mem.h"
#include "milter/admin.h"
#include "milter/listening.h"

bool
admin_open(const char *store, const struct process_user *owner, int *fd,
    char **path, struct err *err)
{
	*path = mem_strf("%s/admin.sock", store);
	if (access(store, F_OK) == -1)
		return err_errno(err, ERR_CONFIG, "there is no store at %s "
		    "(make one with smimectl init)", store);
	if (!listening_unix(*path, SOCK_SEQPACKET, 0600, fd, err))
		return err_prefix(err, "the store %s", store);
	if (geteuid() == 0 && lchown(*path, owner->uid, owner->gid) == -1)
		return err_errno(err, ERR_CONFIG, "cannot give %s to %s",
		    *path, owner->name);
	return true;
}
