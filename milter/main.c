/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wipe.h"
#include "milter/log.h"
#include "milter/report.h"
#include "milter/supervisor.h"
#include "policy/config.h"

#define CONFIG_DEFAULT	SYSCONFDIR "/smime-milter/smime-milter.conf"
#define READY_MS	120000	/* longer than any of its processes is given */

static int
usage(void)
{
	fputs("usage: smime-milter [-c FILE] [-f] [-t]\n"
	    "  -c FILE  the configuration, instead of " CONFIG_DEFAULT "\n"
	    "  -f       stay in the foreground, log to standard error\n"
	    "  -t       check the configuration and exit\n", stderr);
	return 2;
}

static int
check_config(const char *path)
{
	struct config	*config = NULL;
	struct err	 err = { 0 };

	if (!config_read(path, &config, &err)) {
		fprintf(stderr, "smime-milter: %s\n", err.reason);
		return 2;
	}
	for (size_t i = 0; i < config->n_warnings; i++)
		fprintf(stderr, "smime-milter: warning: %s\n",
		    config->warnings[i]);
	printf("%s: the configuration is in order\n", path);
	config_free(config);
	return 0;
}

/*
 * The shell gets its prompt back when the daemon is ready, or its reason
 * why it is not.
 */
static int
run_in_background(const char *path)
{
	struct err	 err = { 0 };
	char		*full;
	int		 reader, writer, null;
	pid_t		 pid;

	if ((full = realpath(path, NULL)) == NULL) {
		fprintf(stderr, "smime-milter: %s: %s\n", path,
		    strerror(errno));
		return 1;
	}
	if (!report_pipe(&reader, &writer, &err)) {
		fprintf(stderr, "smime-milter: %s\n", err.reason);
		return 1;
	}
	if ((pid = fork()) == -1) {
		perror("smime-milter: fork");
		return 1;
	}
	if (pid != 0) {
		close(writer);
		if (report_wait(reader, READY_MS, &err))
			return 0;
		fprintf(stderr, "smime-milter: %s\n", err.reason);
		return 1;
	}
	close(reader);
	setsid();
	if (chdir("/") == -1 || (null = open("/dev/null", O_RDWR)) == -1)
		return 1;
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
	log_open(false);
	return supervisor_run(&(struct supervisor_options){
	    .config_path = full, .ready = writer });
}

int
main(int argc, char **argv)
{
	const char	*path = CONFIG_DEFAULT;
	bool		 in_foreground = false, is_check = false;
	int		 opt;

	while ((opt = getopt(argc, argv, "c:ft")) != -1)
		switch (opt) {
		case 'c':
			path = optarg;
			break;
		case 'f':
			in_foreground = true;
			break;
		case 't':
			is_check = true;
			break;
		default:
			return usage();
		}
	if (optind != argc)
		return usage();
	umask(077);
	/* For the vault, which inherits it. */
	wipe_install();
	if (is_check)
		return check_config(path);
	if (!in_foreground)
		return run_in_background(path);
	log_open(true);
	return supervisor_run(&(struct supervisor_options){
	    .config_path = path, .ready = -1 });
}
