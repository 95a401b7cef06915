/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "policy/config_bundle.h"
#include "policy/config_parse.h"

static bool
read_all(int fd, struct config_source *source, struct err *err)
{
	struct stat	 st;
	struct buf	 buf = { .max = CONFIG_SOURCE_MAX };
	char		 chunk[16384];
	ssize_t		 n;

	if (fstat(fd, &st) == -1)
		return err_errno(err, ERR_CONFIG, "%s", source->path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CONFIG, "%s: found no regular file, "
		    "wanted one", source->path);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(&buf, chunk, (size_t)n);
	if (n == -1) {
		buf_free(&buf);
		return err_errno(err, ERR_CONFIG, "%s", source->path);
	}
	if (!buf_ok(&buf, source->path, err)) {
		buf_free(&buf);
		err->kind = ERR_CONFIG;
		return false;
	}
	source->len = buf.len;
	source->bytes = buf_take_str(&buf);
	return true;
}

/* Append one file to a bundle. */
static bool
read_source(struct config_bundle *bundle, const char *path, struct err *err)
{
	struct config_source	*source;
	int			 fd;
	bool			 is_ok;

	bundle->sources = mem_grow(bundle->sources, bundle->n + 1,
	    sizeof(*bundle->sources));
	source = &bundle->sources[bundle->n++];
	*source = (struct config_source){ .path = mem_str(path) };
	/* O_NONBLOCK: a FIFO is refused rather than waited for. */
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1)
		return err_errno(err, ERR_CONFIG, "%s", path);
	is_ok = read_all(fd, source, err);
	close(fd);
	return is_ok;
}

bool
config_bundle_read(const char *path, struct config_bundle *out,
    struct err *err)
{
	struct config_bundle	 bundle = { 0 };
	struct config_name	*names = NULL;
	size_t			 n = 0;
	bool			 is_ok = false;

	if (!read_source(&bundle, path, err) ||
	    !config_parse_names(&bundle.sources[0], &names, &n, err))
		goto out;
	for (size_t i = 0; i < n; i++)
		if (!read_source(&bundle, names[i].path, err)) {
			err_prefix(err, "%s:%d", path, names[i].line);
			goto out;
		}
	*out = bundle;
	bundle = (struct config_bundle){ 0 };
	is_ok = true;
out:
	for (size_t i = 0; i < n; i++)
		free(names[i].path);
	free(names);
	config_bundle_free(&bundle);
	return is_ok;
}

void
config_bundle_free(struct config_bundle *bundle)
{
	for (size_t i = 0; i < bundle->n; i++) {
		free(bundle->sources[i].path);
		free(bundle->sources[i].bytes);
	}
	free(bundle->sources);
	*bundle = (struct config_bundle){ 0 };
}
