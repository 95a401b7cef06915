/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "policy/config.h"
#include "policy/config_bundle.h"
#include "tools/check_files.h"

struct finder {
	check_files_fn	*found;
	void		*arg;
	uid_t		 owner;		/* whom the store should belong to */
};

static void	 tell(struct finder *, const char *, const char *, ...)
		    __attribute__((format(printf, 3, 4)));

static void
tell(struct finder *f, const char *about, const char *fmt, ...)
{
	char	 text[400];
	va_list	 ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f->found(f->arg, about, text);
}

/* False, and told, if it is not there; what it is for follows its name. */
static bool
look(struct finder *f, const char *path, const char *what, struct stat *st)
{
	if (stat(path, st) == 0)
		return true;
	tell(f, path, "%s: %s", what, strerror(errno));
	return false;
}

/* --- what decides who signs as whom --------------------------------------- */

/* In a folder that others write to, they put another file in its place. */
static void
check_folder_of(struct finder *f, const char *path)
{
	char		*folder = mem_str(path), *slash = strrchr(folder, '/');
	struct stat	 st;

	if (slash != NULL)
		slash[slash == folder ? 1 : 0] = '\0';
	if (slash != NULL && stat(folder, &st) == 0 &&
	    (st.st_mode & 022) != 0 && (st.st_mode & S_ISVTX) == 0)
		tell(f, folder, "others than its owner may replace %s in it "
		    "(mode %04o)", path, (unsigned)st.st_mode & 07777);
	free(folder);
}

static void
check_source(struct finder *f, const char *path)
{
	struct stat	 st;

	if (stat(path, &st) == -1)
		return;			/* gone since it was read */
	if ((st.st_mode & 022) != 0)
		tell(f, path, "others than its owner may change it (mode "
		    "%04o), and so who signs as whom",
		    (unsigned)st.st_mode & 07777);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		tell(f, path, "belongs to user %ju, who may change who signs "
		    "as whom; root is wanted", (uintmax_t)st.st_uid);
	check_folder_of(f, path);
}

/* --- secrets -------------------------------------------------------------- */

static void
check_master_key(struct finder *f, const char *path)
{
	struct stat	 st;

	/* systemd may hand it over from elsewhere (LoadCredential=). */
	if (!look(f, path, "the master key", &st))
		return;
	if ((st.st_mode & 077) != 0)
		tell(f, path, "the master key is open to others (mode %04o, "
		    "0400 is wanted)", (unsigned)st.st_mode & 07777);
	if (st.st_uid != 0 && st.st_uid != f->owner)
		tell(f, path, "the master key belongs to user %ju, root is "
		    "wanted", (uintmax_t)st.st_uid);
	check_folder_of(f, path);
}

static void
check_store(struct finder *f, const char *path)
{
	struct stat	 st;

	if (stat(path, &st) == -1)
		return;			/* the store's own reason follows */
	if ((st.st_mode & 077) != 0)
		tell(f, path, "the store is open to others (mode %04o, 0700 "
		    "is wanted)", (unsigned)st.st_mode & 07777);
	if (f->owner != (uid_t)-1 && st.st_uid != f->owner)
		tell(f, path, "the store belongs to user %ju, and not to the "
		    "configured one", (uintmax_t)st.st_uid);
}

/* Mail waits there, before it is encrypted: in files without a name. */
static void
check_spool(struct finder *f, const char *path)
{
	struct stat	 st;

	if (!look(f, path, "spool-dir", &st))
		return;
	if (!S_ISDIR(st.st_mode))
		tell(f, path, "spool-dir is no folder");
	else if ((st.st_mode & 02) != 0 && (st.st_mode & S_ISVTX) == 0)
		tell(f, path, "spool-dir is everybody's, without a sticky "
		    "bit (mode %04o)", (unsigned)st.st_mode & 07777);
}

/* --- users, groups, sockets ----------------------------------------------- */

static void
check_users(struct finder *f, const struct config *config)
{
	const struct passwd	*user = getpwnam(config->user);
	uid_t			 filter;

	f->owner = user == NULL ? (uid_t)-1 : user->pw_uid;
	if (user == NULL)
		tell(f, config->path, "user = \"%s\": there is no such user",
		    config->user);
	else if (user->pw_uid == 0)
		tell(f, config->path, "user = \"%s\": the keys are not "
		    "separated from root", config->user);
	user = getpwnam(config->filter_user);
	filter = user == NULL ? (uid_t)-1 : user->pw_uid;
	if (user == NULL)
		tell(f, config->path, "filter-user = \"%s\": there is no such "
		    "user, so that who reads mail has the keys as well",
		    config->filter_user);
	else if (filter == 0 || filter == f->owner)
		tell(f, config->path, "filter-user = \"%s\": who reads mail "
		    "has to be neither root nor the store's owner",
		    config->filter_user);
}

static void
check_listener(struct finder *f, const struct listener *listener)
{
	char		*folder, *slash;
	struct stat	 st;

	if (listener->path == NULL)
		return;
	if (listener->group[0] != '\0' && getgrnam(listener->group) == NULL)
		tell(f, listener->spec, "group = \"%s\": there is no such "
		    "group", listener->group);
	if ((listener->mode & 02) != 0)
		tell(f, listener->spec, "mode = \"%04o\": every user of this "
		    "host can connect, claim to be anybody, and have mail "
		    "signed", (unsigned)listener->mode);
	folder = mem_str(listener->path);
	if ((slash = strrchr(folder, '/')) != NULL && slash != folder)
		*slash = '\0';
	/* systemd makes those in /run when it starts the daemon. */
	if (strncmp(folder, "/run/", 5) != 0)
		look(f, folder, "the folder of a listener", &st);
	free(folder);
}

static void
check_named(struct finder *f, const struct config *config)
{
	check_users(f, config);
	check_master_key(f, config->master_key);
	check_store(f, config->store);
	check_spool(f, config->spool_dir);
	for (size_t i = 0; i < config->n_listeners; i++)
		check_listener(f, &config->listeners[i]);
}

bool
check_files(const char *config_path, check_files_fn *found, void *arg,
    struct err *err)
{
	struct finder		 f = { .found = found, .arg = arg };
	struct config_bundle	 bundle;
	struct config		*config = NULL;
	bool			 is_ok;

	if (!config_bundle_read(config_path, &bundle, err))
		return false;
	is_ok = config_parse(bundle.sources, bundle.n, &config, err);
	if (is_ok) {
		for (size_t i = 0; i < bundle.n; i++)
			check_source(&f, bundle.sources[i].path);
		check_named(&f, config);
	}
	config_free(config);
	config_bundle_free(&bundle);
	return is_ok;
}
