/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/backup.h"
#include "tools/backup_file.h"
#include "tools/cmd.h"
#include "tools/open.h"
#include "tools/out.h"

struct copy {
	const char	*dir;
	char		*part;		/* while it is not complete */
	char		*path;
	FILE		*file;
	uint64_t	 n;
};

/* Under another name until it is complete. */
static bool
make_file(struct copy *copy, struct err *err)
{
	int	 fd;

	if (mkdir(copy->dir, 0700) == -1 && errno != EEXIST)
		return err_errno(err, ERR_DATA, "create the folder %s",
		    copy->dir);
	if (access(copy->path, F_OK) == 0)
		return err_set(err, ERR_DATA, "there is a backup in %s "
		    "already: each has a folder of its own", copy->dir);
	unlink(copy->part);
	fd = open(copy->part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd == -1)
		return err_errno(err, ERR_DATA, "create %s", copy->part);
	copy->file = fdopen(fd, "w");
	return true;
}

static bool
name_file(const struct copy *copy, struct err *err)
{
	int	 fd = open(copy->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool	 is_ok = fd != -1 && rename(copy->part, copy->path) == 0 &&
		    fsync(fd) == 0;

	if (!is_ok)
		err_errno(err, ERR_TEMP, "put %s in its place", copy->path);
	if (fd != -1)
		close(fd);
	return is_ok;
}

static bool
copy_store(const struct cmd_context *ctx, struct copy *copy, struct err *err)
{
	struct access	*access = NULL;
	struct custody	*custody;
	bool		 is_ok;

	/* The store as its owner, the file as whoever called. */
	is_ok = make_file(copy, err) &&
	    access_open(ctx, ACCESS_FOR_NOW, &access, err) &&
	    access_custody(access, &custody, err) &&
	    backup_write(custody, copy->file, &copy->n, err);
	access_close(access);
	if (copy->file != NULL && fclose(copy->file) != 0 && is_ok)
		is_ok = err_errno(err, ERR_TEMP, "write %s", copy->part);
	is_ok = is_ok && name_file(copy, err);
	if (!is_ok && copy->file != NULL)
		unlink(copy->part);
	return is_ok;
}

int
cmd_backup(struct cmd_context *ctx, int argc, char **argv)
{
	struct copy	 copy = { 0 };
	struct err	 err;
	int		 status;

	if (!cmd_operands(ctx, argc, argv, 1, &status))
		return status;
	copy.dir = argv[optind];
	copy.path = mem_strf("%s/%s", copy.dir, BACKUP_FILE);
	copy.part = mem_strf("%s.part", copy.path);
	if (!copy_store(ctx, &copy, &err))
		status = cmd_fail(&err);
	else if (ctx->is_json)
		out_json_take(json_pack("{s:o, s:I}", "file",
		    out_json_str(copy.path), "records", (json_int_t)copy.n));
	else
		printf("%s: %llu records\n", copy.path,
		    (unsigned long long)copy.n);
	free(copy.path);
	free(copy.part);
	return status;
}
