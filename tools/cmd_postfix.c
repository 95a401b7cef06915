/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tools/cmd.h"
#include "tools/milter_list.h"
#include "tools/out.h"
#include "tools/postconf.h"
#include "tools/postfix_check.h"
#include "tools/postfix_text.h"	/* conf/postfix-*.cf, as arrays of lines */

/*
 * postfix: what Postfix has to be told so that it uses the listeners of this
 * configuration, and whether it was.
 */
enum {
	OPT_LAYOUT = CMD_OPTION,
	OPT_PORT,
	OPT_CHECK
};

static const struct listener *
listener_of(const struct config *config, enum role role)
{
	for (size_t i = 0; i < config->n_listeners; i++)
		if (config->listeners[i].role == role)
			return &config->listeners[i];
	return NULL;
}

/* --- printing ------------------------------------------------------------------- */

/* What stands in the files in conf/, and what it is here. */
struct replacement {
	const char	*text;
	char		*by;		/* NULL: it stays */
};

#define N_REPLACEMENTS	4

/* Comments stay: they tell how smime-milter.conf has it. */
static void
print_line(const char *line, const struct replacement *list)
{
	if (line[0] == '#') {
		puts(line);
		return;
	}
	while (*line != '\0') {
		size_t	 i = 0, len = 0;

		for (; i < N_REPLACEMENTS; i++) {
			len = strlen(list[i].text);
			if (list[i].by != NULL &&
			    strncmp(line, list[i].text, len) == 0)
				break;
		}
		if (i < N_REPLACEMENTS)
			fputs(list[i].by, stdout);
		else
			putchar(*line);
		line += i < N_REPLACEMENTS ? len : 1;
	}
	putchar('\n');
}

static char *
address_of(const struct config *config, enum role role)
{
	const struct listener	*listener = listener_of(config, role);

	if (listener != NULL)
		return milter_list_address(listener);
	fprintf(stderr, "smimectl: %s has no listener of role %s; the one "
	    "printed is an example\n", config->path, config_role_name(role));
	return NULL;
}

static void
print_layout(const struct config *config, bool is_split, const char *port)
{
	const char *const	*lines = is_split ? postfix_split_lines :
	    postfix_direct_lines;
	struct replacement	 list[N_REPLACEMENTS] = {
		{ "unix:/run/smime-milter/smime-milter.sock", is_split ?
		    NULL : address_of(config, ROLE_DIRECT) },
		{ "unix:/run/smime-milter/stamp.sock", is_split ?
		    address_of(config, ROLE_STAMP) : NULL },
		{ "unix:/run/smime-milter/seal.sock", is_split ?
		    address_of(config, ROLE_SEAL) : NULL },
		{ "10026", mem_str(port) },
	};

	for (size_t i = 0; lines[i] != NULL; i++)
		print_line(lines[i], list);
	for (size_t i = 0; i < N_REPLACEMENTS; i++)
		free(list[i].by);
}

/* --- checking ------------------------------------------------------------------- */

/* Once, though several services may lead to it. */
static void
add_finding(void *arg, const char *about, const char *finding)
{
	json_t	*row = json_pack("{s:o, s:o}", "about", out_json_str(about),
		    "finding", out_json_str(finding)), *other;
	size_t	 i;

	json_array_foreach(arg, i, other)
		if (json_equal(row, other)) {
			json_decref(row);
			return;
		}
	json_array_append_new(arg, row);
}

static void
print_findings(const json_t *findings)
{
	size_t	 n = json_array_size(findings);

	for (size_t i = 0; i < n; i++)
		printf("%s: %s\n",
		    out_json_text(json_array_get(findings, i), "about"),
		    out_json_text(json_array_get(findings, i), "finding"));
	if (n == 0)
		printf("nothing found\n");
}

static int
check(const struct cmd_context *ctx, const struct config *config)
{
	struct postconf	 pc;
	json_t		*findings;
	struct err	 err = { 0 };
	int		 status;

	if (!postconf_read(&pc, &err))
		return cmd_fail(&err);
	findings = json_array();
	postfix_check(&pc, config, add_finding, findings);
	postfix_check_sockets(&pc, config, add_finding, findings);
	postconf_free(&pc);
	status = json_array_size(findings) > 0 ? CMD_FAILED : CMD_OK;
	if (ctx->is_json)
		out_json_take(json_pack("{s:O}", "findings", findings));
	else
		print_findings(findings);
	json_decref(findings);
	return status;
}

/* --- the command -------------------------------------------------------------------- */

struct wanted {
	const char	*layout;	/* NULL: by the listeners */
	const char	*port;
	bool		 is_check;
};

static bool
is_port(const char *text)
{
	char	*end;
	long	 port = strtol(text, &end, 10);

	return text[0] >= '0' && text[0] <= '9' && *end == '\0' &&
	    port >= 1 && port <= 65535;
}

static bool
read_options(struct cmd_context *ctx, int argc, char **argv,
    struct wanted *wanted, int *status)
{
	static const struct option	 options[] = {
		{ "layout", required_argument, NULL, OPT_LAYOUT },
		{ "port", required_argument, NULL, OPT_PORT },
		{ "check", no_argument, NULL, OPT_CHECK },
		CMD_OPTIONS
	};
	int				 opt;
	bool				 is_ok = true;

	while ((opt = getopt_long(argc, argv, CMD_SHORT, options,
	    NULL)) != -1)
		if (opt == OPT_LAYOUT)
			wanted->layout = optarg;
		else if (opt == OPT_PORT && optarg != NULL)
			wanted->port = optarg;
		else if (opt == OPT_CHECK)
			wanted->is_check = true;
		else if (!cmd_option(ctx, argv[0], opt, status))
			return false;
	if (wanted->layout != NULL)
		is_ok = strcmp(wanted->layout, "direct") == 0 ||
		    strcmp(wanted->layout, "split") == 0;
	if (optind == argc && is_ok && is_port(wanted->port))
		return true;
	*status = cmd_usage(argv[0]);
	return false;
}

int
cmd_postfix(struct cmd_context *ctx, int argc, char **argv)
{
	struct wanted	 wanted = { .port = "10026" };
	struct config	*config = NULL;
	struct err	 err = { 0 };
	int		 status = CMD_OK;

	if (!read_options(ctx, argc, argv, &wanted, &status))
		return status;
	if (!config_read(ctx->config_path, &config, &err))
		return cmd_fail(&err);
	if (wanted.is_check)
		status = check(ctx, config);
	else
		print_layout(config, wanted.layout != NULL ?
		    strcmp(wanted.layout, "split") == 0 :
		    listener_of(config, ROLE_STAMP) != NULL, wanted.port);
	config_free(config);
	return status;
}
