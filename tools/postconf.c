/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tools/postconf.h"

#define OUTPUT_MAX	(4 * 1024 * 1024)	/* bytes that postconf may print */

extern char	**environ;

/* --- asking ------------------------------------------------------------------- */

static bool
read_all(int fd, struct buf *out, struct err *err)
{
	char	 chunk[8192];
	ssize_t	 n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0 ||
	    (n == -1 && errno == EINTR))
		if (n > 0)
			buf_add(out, chunk, (size_t)n);
	if (n == -1)
		return err_errno(err, ERR_TEMP, "read from postconf");
	return buf_ok(out, "what postconf prints", err);
}

/* What it complains about goes to our standard error. */
static bool
run(const char *option, char **out, struct err *err)
{
	const char			*argv[] = { "postconf", option, NULL };
	posix_spawn_file_actions_t	 actions;
	struct buf			 text = { .max = OUTPUT_MAX };
	int				 fds[2], rc, status = 0;
	pid_t				 pid;
	bool				 is_ok;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return err_errno(err, ERR_TEMP, "pipe");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	rc = posix_spawnp(&pid, argv[0], &actions, NULL,
	    (char **)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	if (rc != 0) {
		close(fds[0]);
		return err_set(err, ERR_CONFIG, "postconf cannot be run (%s): "
		    "is Postfix installed here?", strerror(rc));
	}
	is_ok = read_all(fds[0], &text, err);
	close(fds[0]);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	if (is_ok && status != 0)
		is_ok = err_set(err, ERR_CONFIG, "postconf %s failed: Postfix "
		    "has no configuration that it can read", option);
	*out = buf_take_str(&text);
	return is_ok;
}

bool
postconf_read(struct postconf *pc, struct err *err)
{
	char	*main_cf = NULL, *services = NULL, *overrides = NULL;
	bool	 is_ok;

	memset(pc, 0, sizeof(*pc));
	is_ok = run("-x", &main_cf, err) && run("-M", &services, err) &&
	    run("-Px", &overrides, err);
	if (is_ok)
		postconf_parse(pc, main_cf, services, overrides);
	free(main_cf);
	free(services);
	free(overrides);
	return is_ok;
}

/* --- reading what it says -------------------------------------------------------- */

/* The next line, without its end; NULL past the last. */
static char *
next_line(const char **p)
{
	size_t	 len = strcspn(*p, "\n");
	char	*line;

	if (**p == '\0')
		return NULL;
	line = mem_strn(*p, len);
	*p += len + ((*p)[len] == '\n');
	return line;
}

/* The next of the words between blanks; "" if there is none. */
static char *
next_word(const char **p)
{
	char	*word;
	size_t	 len;

	*p += strspn(*p, " \t");
	len = strcspn(*p, " \t");
	word = mem_strn(*p, len);
	*p += len;
	return word;
}

/* "name = value", the name up to its last "/" being the service's. */
static void
add_param(struct postconf *pc, const char *line, bool has_service)
{
	const char		*equals = strchr(line, '=');
	struct postconf_param	*param;
	char			*name, *slash;
	size_t			 len;

	if (equals == NULL)
		return;
	len = (size_t)(equals - line);
	while (len > 0 && line[len - 1] == ' ')
		len--;
	name = mem_strn(line, len);
	slash = has_service ? strrchr(name, '/') : NULL;
	if ((pc->n_params & (pc->n_params - 1)) == 0)
		pc->params = mem_grow(pc->params, pc->n_params == 0 ? 1 :
		    2 * pc->n_params, sizeof(*pc->params));
	param = &pc->params[pc->n_params++];
	param->service = mem_strn(name, slash == NULL ? 0 :
	    (size_t)(slash - name));
	param->name = mem_str(slash == NULL ? name : slash + 1);
	param->value = mem_str(equals + 1 + strspn(equals + 1, " "));
	free(name);
}

/*
 * Eight columns: name, type, private, unprivileged, chroot, wake-up, processes,
 * command.  "-" for chroot meant yes before compatibility level 1.
 */
static void
add_service(struct postconf *pc, const char *line)
{
	struct postconf_service	*service;
	const char		*p = line;
	char			*words[8];
	bool			 was_default = atoi(postconf_get(pc, NULL,
	    "compatibility_level")) < 1;

	for (size_t i = 0; i < 8; i++)
		words[i] = next_word(&p);
	pc->services = mem_grow(pc->services, pc->n_services + 1,
	    sizeof(*pc->services));
	service = &pc->services[pc->n_services++];
	service->name = words[0];
	service->type = words[1];
	service->command = words[7];
	service->is_chroot = words[4][0] == 'y' ||
	    (words[4][0] == '-' && was_default);
	for (size_t i = 2; i < 7; i++)
		free(words[i]);
}

void
postconf_parse(struct postconf *pc, const char *main_cf, const char *services,
    const char *overrides)
{
	char	*line;

	memset(pc, 0, sizeof(*pc));
	for (; (line = next_line(&main_cf)) != NULL; free(line))
		add_param(pc, line, false);
	for (; (line = next_line(&services)) != NULL; free(line))
		add_service(pc, line);
	for (; (line = next_line(&overrides)) != NULL; free(line))
		add_param(pc, line, true);
}

void
postconf_free(struct postconf *pc)
{
	for (size_t i = 0; i < pc->n_services; i++) {
		free(pc->services[i].name);
		free(pc->services[i].type);
		free(pc->services[i].command);
	}
	for (size_t i = 0; i < pc->n_params; i++) {
		free(pc->params[i].service);
		free(pc->params[i].name);
		free(pc->params[i].value);
	}
	free(pc->services);
	free(pc->params);
	memset(pc, 0, sizeof(*pc));
}

static const char *
get_in(const struct postconf *pc, const char *service, const char *name)
{
	for (size_t i = pc->n_params; i > 0; i--)
		if (strcmp(pc->params[i - 1].name, name) == 0 &&
		    strcmp(pc->params[i - 1].service, service) == 0)
			return pc->params[i - 1].value;
	return NULL;
}

const char *
postconf_get(const struct postconf *pc,
    const struct postconf_service *service, const char *name)
{
	const char	*value = NULL;
	char		*key;

	if (service != NULL) {
		key = mem_strf("%s/%s", service->name, service->type);
		value = get_in(pc, key, name);
		free(key);
	}
	if (value == NULL)
		value = get_in(pc, "", name);
	return value == NULL ? "" : value;
}

/* Of two lines with one name Postfix takes the last. */
const struct postconf_service *
postconf_find(const struct postconf *pc, const char *name, const char *type)
{
	for (size_t i = pc->n_services; i > 0; i--)
		if (strcmp(pc->services[i - 1].name, name) == 0 &&
		    strcmp(pc->services[i - 1].type, type) == 0)
			return &pc->services[i - 1];
	return NULL;
}
