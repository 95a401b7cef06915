/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "tools/files.h"

#define TOTAL_MAX	((size_t)512 << 20)	/* bytes of all files */

static struct file *
add_file(struct files *files, const char *path)
{
	struct file	*file;

	files->list = mem_grow(files->list, files->n + 1,
	    sizeof(*files->list));
	file = &files->list[files->n++];
	*file = (struct file){ .bytes.is_secret = true,
	    .name = text_safe(path, strlen(path), 512) };
	return file;
}

static void
read_all(struct files *files, struct file *file, int fd)
{
	uint8_t	 chunk[65536];
	ssize_t	 n = 0;

	while (file->bytes.len <= FILES_SIZE_MAX &&
	    ((n = read(fd, chunk, sizeof(chunk))) > 0 ||
	    (n == -1 && errno == EINTR)))
		if (n > 0)
			buf_add(&file->bytes, chunk, (size_t)n);
	if (n == -1)
		err_errno(&file->err, ERR_DATA, "read %s", file->name);
	else if (file->bytes.len > FILES_SIZE_MAX)
		err_set(&file->err, ERR_DATA, "%s: larger than %u MB",
		    file->name, FILES_SIZE_MAX >> 20);
	else if (!buf_ok(&file->bytes, file->name, &file->err))
		;
	else if ((files->total += file->bytes.len) > TOTAL_MAX)
		err_set(&file->err, ERR_DATA, "%s: more than %zu MB of files "
		    "at once", file->name, TOTAL_MAX >> 20);
	if (file->err.kind != ERR_NONE)
		buf_free(&file->bytes);
	explicit_bzero(chunk, sizeof(chunk));
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
read_folder(struct files *files, const char *path)
{
	struct dirent	**entries = NULL;
	struct stat	 st;
	int		 n = scandir(path, &entries, is_visible, alphasort);
	size_t		 before = files->n;

	if (n == -1)
		err_errno(&add_file(files, path)->err, ERR_DATA, "read %s",
		    path);
	for (int i = 0; i < n; i++) {
		char	*name = mem_strf("%s/%s", path, entries[i]->d_name);

		/* Folders below it, sockets and the like are left out. */
		if (stat(name, &st) == 0 && S_ISREG(st.st_mode))
			files_read(files, name);
		free(name);
		free(entries[i]);
	}
	free(entries);
	if (files->n == before)
		err_set(&add_file(files, path)->err, ERR_DATA,
		    "%.500s: there are no files in it", path);
}

void
files_read(struct files *files, const char *path)
{
	struct file	*file;
	struct stat	 st;
	int		 fd;

	if (strcmp(path, "-") == 0) {
		read_all(files, add_file(files, "(standard input)"),
		    STDIN_FILENO);
		return;
	}
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		read_folder(files, path);
		return;
	}
	file = add_file(files, path);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
		err_errno(&file->err, ERR_DATA, "open %s", file->name);
		return;
	}
	read_all(files, file, fd);
	close(fd);
}

void
files_free(struct files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		free(files->list[i].name);
		buf_free(&files->list[i].bytes);
	}
	free(files->list);
	*files = (struct files){ 0 };
}

static bool
write_all(int fd, const struct buf *buf)
{
	for (size_t done = 0; done < buf->len;) {
		ssize_t	 n = write(fd, buf->data + done, buf->len - done);

		if (n == -1 && errno != EINTR)
			return false;
		if (n > 0)
			done += (size_t)n;
	}
	return true;
}

/* A link cannot replace anything, which a rename would. */
static bool
put_in_place(const char *temp, const char *path, bool is_forced)
{
	if (is_forced)
		return rename(temp, path) == 0;
	return link(temp, path) == 0 && unlink(temp) == 0;
}

bool
files_write(const char *path, const struct buf *buf, bool is_forced,
    struct err *err)
{
	char	*temp;
	int	 fd;
	bool	 ok;

	if (path == NULL)
		return write_all(STDOUT_FILENO, buf) ||
		    err_errno(err, ERR_TEMP, "write to standard output");
	if (!is_forced && access(path, F_OK) == 0)
		return err_set(err, ERR_DATA, "%s exists already", path);
	/* Made whole under another name, so that no half of a key is left. */
	temp = mem_strf("%s.XXXXXX", path);
	if ((fd = mkstemp(temp)) == -1) {
		err_errno(err, ERR_TEMP, "create %s", path);
		free(temp);
		return false;
	}
	ok = write_all(fd, buf) && fsync(fd) == 0;
	ok = close(fd) == 0 && ok;
	ok = ok && put_in_place(temp, path, is_forced);
	if (!ok) {
		err_errno(err, errno == EEXIST ? ERR_DATA : ERR_TEMP,
		    "write %s", path);
		unlink(temp);
	}
	free(temp);
	return ok;
}
