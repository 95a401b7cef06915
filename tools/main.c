/* SPDX-License-Identifier: BSD-2-Clause */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "base/wipe.h"
#include "tools/cmd.h"

#define PASSPHRASES \
	"  --passphrase-file FILE  passphrases, one on each line, tried in " \
	"order\n" \
	"  --passphrase-fd N       the same from an open descriptor\n"

#define ENVELOPE \
	"  --from ADDR    the envelope's sender\n" \
	"  --to ADDR,...  its recipients\n" \
	"  --login NAME   who authenticated\n" \
	"  --client IP    where the mail comes from, or \"local\"\n"

static const struct cmd commands[] = {
	{ "init", cmd_init, "",
	    "create the store and the master key", NULL },
	{ "import", cmd_import, "[OPTION...] FILE...|DIR...|-",
	    "add certificates and keys, in any form",
	    PASSPHRASES
	    "  --no-trust   take all as material for chains, trust none\n"
	    "  --trust-all  make every CA certificate of a file an anchor\n"
	    "  --dry-run    say what would be done, and do nothing\n" },
	{ "split", cmd_split, "[OPTION...] FILE...|-",
	    "write each certificate and key of a bundle to its own file",
	    PASSPHRASES
	    "  --out DIR    where to; the current folder by default\n"
	    "  --force      replace files that exist\n" },
	{ "list", cmd_list, "[OPTION...]",
	    "list certificates, and what is wrong with them",
	    "  --keys           those with a private key\n"
	    "  --cas            CA certificates\n"
	    "  --address ADDR   those for an address\n"
	    "  --issues         those with something wrong\n"
	    "  --expiring DAYS  those that expire within so many days\n" },
	{ "show", cmd_show, "ID",
	    "show everything about a certificate", NULL },
	{ "export", cmd_export, "[OPTION...] ID",
	    "write a certificate, its chain or its key",
	    "  --chain      the certificate and its issuers\n"
	    "  --key        the private key, under a passphrase\n"
	    "  --bundle     certificate, issuers and key\n"
	    "  --p12        the same as PKCS#12; --legacy for old devices\n"
	    "  --der        the certificate as DER\n"
	    "  --unprotected  with --key or --bundle: the key in clear\n"
	    "  --out FILE   a new file; standard output by default\n"
	    PASSPHRASES },
	{ "remove", cmd_remove, "[--key|--crls] [--yes] ID",
	    "remove a certificate, or only its key",
	    "  --key        remove the key, keep the certificate\n"
	    "  --crls       remove a CA's revocation lists, keep the "
	    "certificate\n"
	    "  --yes        do not ask\n" },
	{ "trust", cmd_trust, "ID",
	    "trust a certificate; a CA's, and all that it issues", NULL },
	{ "distrust", cmd_distrust, "ID",
	    "never use a certificate, nor what it issued", NULL },
	{ "check", cmd_check, "[--expiring DAYS | --store]",
	    "look for everything that is wrong or soon will be",
	    "  --expiring DAYS  what counts as soon; 30 by default\n"
	    "  --store          hold all records of the store against each "
	    "other\n" },
	{ "postfix", cmd_postfix, "[--layout direct|split] [--check]",
	    "print what Postfix has to be told, or check what it was told",
	    "  --layout NAME  direct (one pass) or split (two); as the "
	    "listeners are by default\n"
	    "  --port N       where the second pass listens; 10026 by default\n"
	    "  --check        read Postfix's configuration, say what is wrong\n" },
	{ "status", cmd_status, "", "tell what the daemon does and has done",
	    NULL },
	{ "reload", cmd_reload, "",
	    "make the daemon read its configuration, if it is right", NULL },
	{ "rewrap", cmd_rewrap, "",
	    "seal all private keys under a new master key", NULL },
	{ "backup", cmd_backup, "DIR",
	    "copy all of the store, while it is in use", NULL },
	{ "restore", cmd_restore, "[--yes] DIR",
	    "make the store from a backup",
	    "  --yes  do not ask\n" },
	{ "log", cmd_log, "[-n N] [--address ADDR] [--failed]",
	    "show what was done, to mail and to the store",
	    "  -n N            the last N, 20 by default\n"
	    "  --address ADDR  only what concerns an address\n"
	    "  --failed        only what was refused, or is to be tried "
	    "again\n" },
	{ "explain", cmd_explain, "--from A --to B[,C] [OPTION...] [MAIL]",
	    "tell what would be done with a mail, and why",
	    ENVELOPE },
	{ "seal", cmd_seal, "--from A --to B[,C] [OPTION...]",
	    "sign and encrypt the mail on standard input as the milter does",
	    ENVELOPE },
};

#define N_COMMANDS	(sizeof(commands) / sizeof(commands[0]))

static const struct cmd *
find_command(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void
print_command(FILE *to, const struct cmd *cmd)
{
	fprintf(to, "usage: smimectl [-c FILE] [--json] %s%s%s\n%s.\n",
	    cmd->name, cmd->synopsis[0] == '\0' ? "" : " ", cmd->synopsis,
	    cmd->help);
	if (cmd->options != NULL)
		fprintf(to, "\n%s", cmd->options);
}

static void
print_all(FILE *to)
{
	fprintf(to, "usage: smimectl [-c FILE] [--json] COMMAND ...\n\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(to, "  %-9s %s\n", commands[i].name,
		    commands[i].help);
	fprintf(to, "\nID is an address, or 8 or more digits from the start of "
	    "a fingerprint.\n\"smimectl COMMAND --help\" tells more; all of "
	    "it is in smimectl(8).\n");
}

int
cmd_usage(const char *name)
{
	const struct cmd	*cmd = find_command(name);

	if (cmd != NULL)
		print_command(stderr, cmd);
	return CMD_USAGE;
}

bool
cmd_option(struct cmd_context *ctx, const char *name, int opt, int *status)
{
	const struct cmd	*cmd = find_command(name);

	switch (opt) {
	case 'c':
		ctx->config_path = optarg;
		return true;
	case 'j':
		ctx->is_json = true;
		return true;
	case 'h':
		if (cmd != NULL)
			print_command(stdout, cmd);
		*status = CMD_OK;
		return false;
	default:
		*status = cmd_usage(name);
		return false;
	}
}

bool
cmd_operands(struct cmd_context *ctx, int argc, char **argv, int n,
    int *status)
{
	static const struct option	 options[] = {
		CMD_OPTIONS
	};
	int				 opt;

	*status = CMD_OK;
	while ((opt = getopt_long(argc, argv, CMD_SHORT, options,
	    NULL)) != -1)
		if (!cmd_option(ctx, argv[0], opt, status))
			return false;
	if (argc - optind != n)
		*status = cmd_usage(argv[0]);
	return *status == CMD_OK;
}

int
cmd_fail(const struct err *err)
{
	fprintf(stderr, "smimectl: %s\n", err->reason);
	return err->kind == ERR_CONFIG ? CMD_USAGE : CMD_FAILED;
}

int
main(int argc, char **argv)
{
	static const struct option	 options[] = {
		CMD_OPTIONS
	};
	static const struct rlimit	 no_core = { 0, 0 };
	struct cmd_context		 ctx = {
		.config_path = SYSCONFDIR "/smime-milter/smime-milter.conf",
		.now = time(NULL),
	};
	const struct cmd		*cmd;
	int				 opt, status;

	/* Keys and passphrases pass through here. */
	setrlimit(RLIMIT_CORE, &no_core);
	wipe_install();
	wipe_begin();
	umask(077);
	/* What is printed is UTF-8, whatever the terminal's locale. */
	setlocale(LC_CTYPE, "C.UTF-8");
	while ((opt = getopt_long(argc, argv, "+" CMD_SHORT, options,
	    NULL)) != -1) {
		if (opt == 'h') {
			print_all(stdout);
			return CMD_OK;
		}
		if (!cmd_option(&ctx, "", opt, &status)) {
			print_all(stderr);
			return CMD_USAGE;
		}
	}
	if (optind == argc) {
		print_all(stderr);
		return CMD_USAGE;
	}
	argc -= optind;
	argv += optind;
	if ((cmd = find_command(argv[0])) == NULL) {
		fprintf(stderr, "smimectl: there is no command \"%s\"\n",
		    argv[0]);
		print_all(stderr);
		return CMD_USAGE;
	}
	optind = 0;	/* glibc: begin anew */
	status = cmd->run(&ctx, argc, argv);
	/* A full disk behind standard output is a failure, too. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("smimectl: standard output cannot be written\n",
		    stderr);
		return CMD_FAILED;
	}
	return status;
}
