/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/mem.h"
#include "milter/vault_client.h"
#include "policy/config.h"
#include "store/custody.h"
#include "store/store.h"
#include "tools/cmd.h"
#include "tools/open.h"
#include "tools/out.h"

#define LOCK_TIMEOUT_MS	2000

struct setup {
	const struct config	*config;
	struct store_options	 store;
	uid_t			 uid;		/* who owns the store */
	gid_t			 gid;
	bool			 made_key;
	bool			 made_store;
};

/*
 * Nobody else may put his own file or folder in the place of ours: the
 * folder above belongs to root or us, and others cannot write to it, or
 * cannot rename what is not theirs (sticky).
 */
static bool
check_parent(const char *path, struct err *err)
{
	char		*copy = mem_str(path);
	const char	*parent = dirname(copy);
	struct stat	 st;
	bool		 ok = false;

	if (stat(parent, &st) == -1)
		err_errno(err, ERR_CONFIG, "%s: the folder above it", path);
	else if ((st.st_uid != 0 && st.st_uid != geteuid()) ||
	    ((st.st_mode & 022) != 0 && (st.st_mode & S_ISVTX) == 0))
		err_set(err, ERR_CONFIG, "%s is no safe place for %s: others "
		    "can change it", parent, path);
	else
		ok = true;
	free(copy);
	return ok;
}

/* The one folder that a key is in, of which an installation knows nothing. */
static bool
make_parent(const char *path, struct err *err)
{
	char		*copy = mem_str(path);
	const char	*parent = dirname(copy);
	bool		 ok = true;

	if (access(parent, F_OK) == -1 && errno == ENOENT) {
		ok = check_parent(parent, err);
		if (ok && (mkdir(parent, 0755) == -1 ||
		    chmod(parent, 0755) == -1))
			ok = err_errno(err, ERR_CONFIG, "make the folder %s",
			    parent);
	}
	free(copy);
	return ok;
}

/* As root the store goes to the configured user, else to the caller. */
static bool
find_owner(struct setup *setup, struct err *err)
{
	const struct passwd	*pw;

	setup->uid = geteuid();
	setup->gid = getegid();
	if (setup->uid != 0)
		return true;
	errno = 0;
	if ((pw = getpwnam(setup->config->user)) == NULL)
		return err_set(err, ERR_CONFIG, "there is no user \"%s\", who "
		    "is to own the store: adduser --system --group %s",
		    setup->config->user, setup->config->user);
	setup->uid = pw->pw_uid;
	setup->gid = pw->pw_gid;
	return true;
}

static bool
make_key(struct setup *setup, struct err *err)
{
	const char	*path = setup->config->master_key;

	if (master_key_read(path, setup->store.master_key, err))
		return true;
	/* Whatever is there already is not ours to replace. */
	if (access(path, F_OK) == 0 || errno != ENOENT)
		return false;
	if (!make_parent(path, err) || !check_parent(path, err) ||
	    !master_key_create(path, err) ||
	    !master_key_read(path, setup->store.master_key, err))
		return false;
	setup->made_key = true;
	return true;
}

static bool
is_empty(const char *dir)
{
	DIR			*folder = opendir(dir);
	const struct dirent	*entry;
	bool			 is_bare = folder != NULL;

	while (is_bare && (entry = readdir(folder)) != NULL)
		is_bare = strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0;
	if (folder != NULL)
		closedir(folder);
	return is_bare;
}

static bool
make_folder(struct setup *setup, struct err *err)
{
	const char	*dir = setup->config->store;
	struct stat	 st;
	int		 fd;

	if (!check_parent(dir, err))
		return false;
	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		return err_errno(err, ERR_CONFIG, "create the folder %s", dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return err_errno(err, ERR_CONFIG, "open the folder %s", dir);
	/* As adduser leaves it: nothing in it yet, but others may look. */
	if (is_empty(dir))
		fchmod(fd, 0700);
	if (fstat(fd, &st) == -1 || (st.st_uid == geteuid() &&
	    st.st_uid != setup->uid &&
	    fchown(fd, setup->uid, setup->gid) == -1)) {
		err_errno(err, ERR_CONFIG, "give the folder %s to user %ju",
		    dir, (uintmax_t)setup->uid);
		close(fd);
		return false;
	}
	close(fd);
	if (st.st_uid != geteuid() && st.st_uid != setup->uid)
		return err_set(err, ERR_CONFIG, "the folder %s belongs to "
		    "user %ju, and not to user %ju", dir,
		    (uintmax_t)st.st_uid, (uintmax_t)setup->uid);
	if ((st.st_mode & 077) != 0)
		return err_set(err, ERR_CONFIG, "the folder %s is open to "
		    "others: chmod 700 it", dir);
	return true;
}

/* In what is not empty there is a store, or nothing that is ours. */
static bool
make_store(struct setup *setup, struct err *err)
{
	struct store	*store = NULL;

	if (!access_become(setup->uid, setup->gid, err))
		return false;
	if (is_empty(setup->config->store)) {
		setup->made_store = store_create(&setup->store, err);
		return setup->made_store;
	}
	if (!store_open(&setup->store, &store, err))
		return false;
	store_close(store);
	return true;
}

static bool
is_running(const struct config *config)
{
	struct custody	*vault = NULL;
	char		*path = mem_strf("%s/admin.sock", config->store);
	bool		 is_absent;
	struct err	 ignored;
	bool		 ok;

	ok = vault_client_open_admin(path, &vault, &is_absent, &ignored);
	free(path);
	if (ok)
		custody_close(vault);
	return ok;
}

static void
print_done(const struct cmd_context *ctx, const struct setup *setup)
{
	const struct config	*config = setup->config;

	if (ctx->is_json) {
		out_json_take(json_pack("{s:s, s:b, s:s, s:b}",
		    "store", config->store, "store_created",
		    setup->made_store, "master_key", config->master_key,
		    "master_key_created", setup->made_key));
		return;
	}
	printf("store       %s (%s)\n", config->store,
	    setup->made_store ? "created" : "was there; unchanged");
	printf("master key  %s (%s)\n", config->master_key,
	    setup->made_key ? "created" : "was there; unchanged");
	if (setup->made_key || setup->made_store)
		printf("\nWithout the master key nobody can use the keys in "
		    "the store.  Keep a copy of it\nin a safe place, apart "
		    "from the backups of the store.\n");
	printf("\nNext: smimectl import FILE..., then \"enabled = true\" in "
	    "%s.\n", ctx->config_path);
}

int
cmd_init(struct cmd_context *ctx, int argc, char **argv)
{
	struct setup	 setup = { .store.lock_timeout_ms = LOCK_TIMEOUT_MS };
	struct config	*config = NULL;
	struct err	 err;
	int		 status;

	if (!cmd_operands(ctx, argc, argv, 0, &status))
		return status;
	status = CMD_FAILED;
	if (!config_read(ctx->config_path, &config, &err))
		return cmd_fail(&err);
	setup.config = config;
	setup.store.dir = config->store;
	if (is_running(config)) {
		print_done(ctx, &setup);
		status = CMD_OK;
	} else if (find_owner(&setup, &err) && make_folder(&setup, &err) &&
	    make_key(&setup, &err) && make_store(&setup, &err)) {
		print_done(ctx, &setup);
		status = CMD_OK;
	} else
		status = cmd_fail(&err);
	OPENSSL_cleanse(setup.store.master_key,
	    sizeof(setup.store.master_key));
	config_free(config);
	return status;
}
