/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/mem.h"
#include "milter/vault_client.h"
#include "policy/config.h"
#include "store/backup.h"
#include "tools/ask.h"
#include "tools/backup_file.h"
#include "tools/cmd.h"
#include "tools/out.h"

enum {
	OPT_YES = CMD_OPTION
};

struct restore {
	const struct config	*config;
	bool			 is_yes;
	FILE			*file;
	uint64_t		 n;		/* records of the backup */
	struct store_options	 store;		/* of the new one */
	uid_t			 uid;		/* who is to own it */
	gid_t			 gid;
	bool			 is_there;	/* a store to be replaced */
	char			*new_dir;
	char			*former;	/* where that one is kept */
	int			 lock_fd;	/* its lock */
};

static bool
read_backup(struct restore *r, const char *dir, struct err *err)
{
	char	*path = mem_strf("%s/%s", dir, BACKUP_FILE);
	bool	 is_ok = false;

	if ((r->file = fopen(path, "re")) == NULL)
		err_errno(err, ERR_DATA, "open the backup %s", path);
	else if (!backup_check(r->file, &r->n, err))
		err_prefix(err, "%s", path);
	else
		is_ok = true;
	free(path);
	return is_ok;
}

/* As it was, or as the configuration wants it. */
static bool
find_owner(struct restore *r, struct err *err)
{
	const struct passwd	*pw;
	struct stat		 st;

	r->uid = geteuid();
	r->gid = getegid();
	if (stat(r->config->store, &st) == 0) {
		r->uid = st.st_uid;
		r->gid = st.st_gid;
	} else if (r->uid == 0) {
		if ((pw = getpwnam(r->config->user)) == NULL)
			return err_set(err, ERR_CONFIG, "there is no user "
			    "\"%s\", who is to own the store",
			    r->config->user);
		r->uid = pw->pw_uid;
		r->gid = pw->pw_gid;
	}
	if (geteuid() != 0 && geteuid() != r->uid)
		return err_set(err, ERR_CONFIG, "the store %s belongs to "
		    "user %ju: run this as that user, or as root",
		    r->config->store, (uintmax_t)r->uid);
	return true;
}

/* Neither the daemon nor another smimectl has it open. */
static bool
lock_former(struct restore *r, struct err *err)
{
	char		*socket = mem_strf("%s/admin.sock", r->config->store);
	char		*lock = mem_strf("%s/lock", r->config->store);
	struct custody	*vault = NULL;
	bool		 is_absent = true, is_ok = true;

	if (vault_client_open_admin(socket, &vault, &is_absent, err)) {
		custody_close(vault);
		is_ok = err_set(err, ERR_CONFIG, "the daemon is running: stop "
		    "it first");
	} else if (!is_absent)
		is_ok = false;
	r->lock_fd = is_ok ? open(lock, O_RDWR | O_CLOEXEC | O_NOFOLLOW) : -1;
	r->is_there = r->lock_fd != -1;
	if (r->is_there && flock(r->lock_fd, LOCK_EX | LOCK_NB) == -1)
		is_ok = err_set(err, ERR_TEMP, "the store %s is in use",
		    r->config->store);
	free(socket);
	free(lock);
	return is_ok;
}

static bool
confirm(const struct restore *r, struct err *err)
{
	char	*question;
	bool	 is_yes;

	if (!r->is_there || r->is_yes)
		return true;
	question = mem_strf("%s is replaced by a backup of %llu records, and "
	    "kept as %s.\nGo on?", r->config->store, (unsigned long long)r->n,
	    r->former);
	is_yes = ask_yes(question);
	free(question);
	return is_yes || err_set(err, ERR_DATA, "nothing was changed%s",
	    ask_has_terminal() ? "" : "; --yes restores without a question");
}

/* The effective ids only, and back; nothing for somebody who is not root. */
static bool
be(uid_t uid, gid_t gid, struct err *err)
{
	if (getuid() != 0)
		return true;
	if ((uid == 0 && seteuid(0) == -1) || setgroups(1, &gid) == -1 ||
	    setegid(gid) == -1 || seteuid(uid) == -1)
		return err_errno(err, ERR_TEMP, "become user %ju",
		    (uintmax_t)uid);
	return true;
}

static bool
make_folder(const struct restore *r, struct err *err)
{
	if (mkdir(r->new_dir, 0700) == -1)
		return err_errno(err, ERR_CONFIG, "create the folder %s",
		    r->new_dir);
	if (geteuid() == 0 && chown(r->new_dir, r->uid, r->gid) == -1)
		return err_errno(err, ERR_CONFIG, "give the folder %s away",
		    r->new_dir);
	return true;
}

static bool
fill_store(struct restore *r, struct err *err)
{
	uid_t	 uid = geteuid();
	gid_t	 gid = getegid();
	bool	 is_ok;

	if (!be(r->uid, r->gid, err))
		return false;
	is_ok = backup_restore(r->file, &r->store, err);
	if (!be(uid, gid, err))
		abort();	/* files would be moved as somebody else */
	return is_ok;
}

/*
 * At no moment is there none, or half of one: the two change places.  Where
 * the file system cannot do that, there is none for an instant.
 */
static bool
put_in_place(const struct restore *r, struct err *err)
{
	const char	*dir = r->config->store;
	int		 rc;

	if (!r->is_there)
		rc = rename(r->new_dir, dir);
	else if ((rc = renameat2(AT_FDCWD, r->new_dir, AT_FDCWD, dir,
	    RENAME_EXCHANGE)) == 0)
		rc = rename(r->new_dir, r->former);
	else if (errno == EINVAL || errno == ENOSYS)
		rc = rename(dir, r->former) == 0 ? rename(r->new_dir, dir) :
		    -1;
	if (rc == -1)
		return err_errno(err, ERR_CONFIG, "put the new store %s in "
		    "the place of %s", r->new_dir, dir);
	return true;
}

static void
remove_folder(const char *dir)
{
	DIR		*d = opendir(dir);
	struct dirent	*e;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0)
			unlinkat(dirfd(d), e->d_name, 0);
	if (d != NULL)
		closedir(d);
	rmdir(dir);
}

static bool
restore(struct restore *r, const char *dir, int64_t now, struct err *err)
{
	time_t		 t = (time_t)now;
	struct tm	 tm;
	char		 date[32];
	bool		 is_ok;

	strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", gmtime_r(&t, &tm));
	r->new_dir = mem_strf("%s.restored-%s", r->config->store, date);
	r->former = mem_strf("%s.former-%s", r->config->store, date);
	r->store.dir = r->new_dir;
	r->store.lock_timeout_ms = 1000;
	if (!read_backup(r, dir, err) ||
	    !master_key_read(r->config->master_key, r->store.master_key,
	    err) || !find_owner(r, err) || !lock_former(r, err) ||
	    !confirm(r, err) || !make_folder(r, err))
		return false;
	is_ok = fill_store(r, err) && put_in_place(r, err);
	if (!is_ok)
		remove_folder(r->new_dir);
	return is_ok;
}

static void
print_done(const struct cmd_context *ctx, const struct restore *r)
{
	const char	*former = r->is_there ? r->former : NULL;

	if (ctx->is_json) {
		out_json_take(json_pack("{s:s, s:I, s:o}", "store",
		    r->config->store, "records", (json_int_t)r->n,
		    "former_store", out_json_str(former)));
		return;
	}
	printf("%s: %llu records restored\n", r->config->store,
	    (unsigned long long)r->n);
	if (former != NULL)
		printf("The former one is %s; remove it when nothing is "
		    "missing.\n", former);
}

int
cmd_restore(struct cmd_context *ctx, int argc, char **argv)
{
	static const struct option	 options[] = {
		{ "yes", no_argument, NULL, OPT_YES },
		CMD_OPTIONS
	};
	struct restore	 r = { .lock_fd = -1 };
	struct config	*config = NULL;
	struct err	 err;
	int		 opt, status = CMD_OK;

	while ((opt = getopt_long(argc, argv, CMD_SHORT, options,
	    NULL)) != -1)
		if (opt == OPT_YES)
			r.is_yes = true;
		else if (!cmd_option(ctx, argv[0], opt, &status))
			return status;
	if (optind + 1 != argc)
		return cmd_usage(argv[0]);
	if (!config_read(ctx->config_path, &config, &err))
		return cmd_fail(&err);
	r.config = config;
	if (restore(&r, argv[optind], ctx->now, &err))
		print_done(ctx, &r);
	else
		status = cmd_fail(&err);
	if (r.file != NULL)
		fclose(r.file);
	if (r.lock_fd != -1)
		close(r.lock_fd);
	OPENSSL_cleanse(&r.store, sizeof(r.store));
	free(r.new_dir);
	free(r.former);
	config_free(config);
	return status;
}
