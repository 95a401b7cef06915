/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/mem.h"
#include "base/text.h"
#include "milter/vault_client.h"
#include "store/store.h"
#include "tools/open.h"

#define LOCK_TIMEOUT_MS	10000
#define HOLD_MS		500	/* the lock, at one time, in long work */
#define PAUSE_MS	60	/* a vault looks for it every 20 */

struct access {
	struct config		*config;
	struct custody		*vault;		/* NULL: no daemon runs */
	struct custody		*custody;	/* of the store, while open */
	int64_t			 since_ms;	/* when it was opened */
	struct store_options	 store;
	bool			 is_lent;	/* root is to come back */
	char			*who;
};

static int64_t
clock_ms(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool
access_become(uid_t uid, gid_t gid, struct err *err)
{
	if (geteuid() != 0)
		return true;
	if (setgroups(1, &gid) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1)
		return err_errno(err, ERR_TEMP, "become user %ju",
		    (uintmax_t)uid);
	/* As long as it was root's, no one else could look into it. */
	prctl(PR_SET_DUMPABLE, 0);
	return true;
}

/* The effective ids only; the others stay root's. */
static bool
become_for_now(struct access *access, uid_t uid, gid_t gid, struct err *err)
{
	if (geteuid() != 0)
		return true;
	if (setgroups(1, &gid) == -1 || setegid(gid) == -1 ||
	    seteuid(uid) == -1)
		return err_errno(err, ERR_TEMP, "become user %ju",
		    (uintmax_t)uid);
	access->is_lent = true;
	return true;
}

static bool
become_owner(struct access *access, enum access_mode mode, struct err *err)
{
	const char	*dir = access->config->store;
	struct stat	 st;

	if (stat(dir, &st) == -1)
		return err_errno(err, ERR_CONFIG,
		    "there is no store at %s (smimectl init makes one)", dir);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_CONFIG, "%s is no folder", dir);
	if (geteuid() != 0 && geteuid() != st.st_uid)
		return err_set(err, ERR_CONFIG, "the store %s belongs to "
		    "user %ju: run this as that user, or as root", dir,
		    (uintmax_t)st.st_uid);
	return mode == ACCESS_FOR_GOOD ?
	    access_become(st.st_uid, st.st_gid, err) :
	    become_for_now(access, st.st_uid, st.st_gid, err);
}

/* "root", "root (alice)" by way of sudo; what is kept with his changes. */
static char *
caller_name(void)
{
	const struct passwd	*pw = getpwuid(getuid());
	const char		*sudo = getenv("SUDO_USER");
	char			*name = pw != NULL ? mem_str(pw->pw_name) :
				    mem_strf("%ju", (uintmax_t)getuid());
	char			*safe, *both;

	if (getuid() != 0 || sudo == NULL || strcmp(sudo, name) == 0)
		return name;
	safe = text_safe(sudo, strlen(sudo), 64);
	both = mem_strf("%s (%s)", name, safe);
	free(safe);
	free(name);
	return both;
}

/* Only where nobody listens may the store be opened from here. */
static bool
find_vault(struct access *access, struct err *err)
{
	char	*path = mem_strf("%s/admin.sock", access->config->store);
	bool	 is_absent = false, ok;

	ok = vault_client_open_admin(path, &access->vault, &is_absent, err);
	free(path);
	if (ok)
		return true;
	if (!is_absent)
		return false;
	access->vault = NULL;
	return true;
}

bool
access_open(const struct cmd_context *ctx, enum access_mode mode,
    struct access **out, struct err *err)
{
	struct access	*access = mem_alloc(sizeof(*access));
	struct stat	 st;

	*out = NULL;
	if (!config_read(ctx->config_path, &access->config, err))
		goto fail;
	access->who = caller_name();
	access->store.dir = access->config->store;
	access->store.lock_timeout_ms = LOCK_TIMEOUT_MS;
	if (!find_vault(access, err))
		goto fail;
	/* A missing store is the better reason than a missing key. */
	if (access->vault == NULL && stat(access->store.dir, &st) == 0 &&
	    !master_key_read(access->config->master_key,
	    access->store.master_key, err))
		goto fail;
	if (access->vault == NULL)
		access->store.n_spare_keys = master_key_read_spares(
		    access->config->master_key, access->store.spare_keys);
	if (!become_owner(access, mode, err))
		goto fail;
	*out = access;
	return true;
fail:
	access_close(access);
	return false;
}

const struct config *
access_config(const struct access *access)
{
	return access->config;
}

bool
access_custody(struct access *access, struct custody **out, struct err *err)
{
	struct store	*store = NULL;

	if (access->vault == NULL && access->custody == NULL &&
	    !find_vault(access, err))
		return false;
	*out = access->vault;
	if (*out != NULL) {
		custody_set_who(*out, access->who);
		return true;
	}
	if (access->custody == NULL) {
		if (!store_open(&access->store, &store, err))
			return false;
		access->custody = custody_of_store_take(store);
		custody_set_who(access->custody, access->who);
		access->since_ms = clock_ms();
	}
	*out = access->custody;
	return true;
}

void
access_release(struct access *access)
{
	if (access->custody != NULL)
		custody_close(access->custody);
	access->custody = NULL;
}

bool
access_custody_again(struct access *access, struct custody **out,
    struct err *err)
{
	const struct timespec	 pause = { 0, PAUSE_MS * 1000000L };

	if (access->custody != NULL &&
	    clock_ms() - access->since_ms >= HOLD_MS) {
		access_release(access);
		nanosleep(&pause, NULL);
	}
	return access_custody(access, out, err);
}

void
access_close(struct access *access)
{
	if (access == NULL)
		return;
	access_release(access);
	if (access->vault != NULL)
		custody_close(access->vault);
	if (access->is_lent && (seteuid(0) == -1 || setegid(0) == -1))
		abort();	/* files would be written as somebody else */
	OPENSSL_cleanse(&access->store, sizeof(access->store));
	config_free(access->config);
	free(access->who);
	free(access);
}
