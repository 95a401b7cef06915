/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_CMD_H
#define TOOLS_CMD_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * What the commands of smimectl share.  A command is a function over its own
 * arguments, argv[0] being its name, whose value is the exit status.
 */
enum {
	CMD_OK = 0,
	CMD_FAILED = 1,		/* refused, failed or found wanting */
	CMD_USAGE = 2		/* usage or configuration */
};

struct cmd_context {
	const char	*config_path;
	bool		 is_json;	/* one object on standard output */
	int64_t		 now;		/* when the command began */
};

struct cmd {
	const char	*name;
	int		(*run)(struct cmd_context *, int argc, char **argv);
	const char	*synopsis;	/* arguments, as in the man page */
	const char	*help;		/* one line */
	const char	*options;	/* lines for its own --help; or NULL */
};

int	cmd_init(struct cmd_context *, int, char **);
int	cmd_import(struct cmd_context *, int, char **);
int	cmd_split(struct cmd_context *, int, char **);
int	cmd_list(struct cmd_context *, int, char **);
int	cmd_show(struct cmd_context *, int, char **);
int	cmd_export(struct cmd_context *, int, char **);
int	cmd_remove(struct cmd_context *, int, char **);
int	cmd_trust(struct cmd_context *, int, char **);
int	cmd_distrust(struct cmd_context *, int, char **);
int	cmd_check(struct cmd_context *, int, char **);
int	cmd_explain(struct cmd_context *, int, char **);
int	cmd_backup(struct cmd_context *, int, char **);
int	cmd_restore(struct cmd_context *, int, char **);
int	cmd_log(struct cmd_context *, int, char **);
int	cmd_rewrap(struct cmd_context *, int, char **);
int	cmd_postfix(struct cmd_context *, int, char **);
int	cmd_reload(struct cmd_context *, int, char **);
int	cmd_status(struct cmd_context *, int, char **);
int	cmd_seal(struct cmd_context *, int, char **);

/* Options that each command takes too; values beyond those of chars. */
#define CMD_OPTIONS \
	{ "config", required_argument, NULL, 'c' }, \
	{ "help", no_argument, NULL, 'h' }, \
	{ "json", no_argument, NULL, 'j' }, \
	{ NULL, 0, NULL, 0 }
#define CMD_SHORT	"c:h"
enum {
	CMD_OPTION = 256	/* the first of a command's own */
};

/*
 * For an option that is not the command's own.  False: stop, with *status,
 * since help was asked for or the option is unknown.
 */
bool	cmd_option(struct cmd_context *, const char *name, int opt,
	    int *status);
/*
 * All the options of a command that has none of its own, and its n operands,
 * which begin at argv[optind].  *status: CMD_OK, or why it is to stop.
 */
bool	cmd_operands(struct cmd_context *, int argc, char **argv, int n,
	    int *status);
/* Prints how the command is used to standard error; returns CMD_USAGE. */
int	cmd_usage(const char *name);
/* Prints the reason to standard error; returns the exit status for it. */
int	cmd_fail(const struct err *);

#endif
