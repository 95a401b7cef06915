/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/mem.h"
#include "store/custody.h"
#include "store/master_key.h"
#include "tools/cmd.h"
#include "tools/open.h"
#include "tools/out.h"

struct rewrap {
	char	*path;		/* of the master key */
	char	*former;	/* where the old one is kept; NULL: there was none */
	size_t	 n;		/* keys */
};

/* Is there a store that can be opened?  Before a key is made for nothing. */
static bool
look_at_store(const struct cmd_context *ctx, struct rewrap *rewrap,
    struct err *err)
{
	struct access	*access = NULL;
	struct custody	*custody;
	bool		 is_ok;

	is_ok = access_open(ctx, ACCESS_FOR_NOW, &access, err) &&
	    access_custody(access, &custody, err);
	if (is_ok)
		rewrap->path = mem_str(access_config(access)->master_key);
	access_close(access);
	return is_ok;
}

/* The new key, or the one that an interrupted change has left. */
static bool
make_new_key(const char *path, uint8_t key[MASTER_KEY_LEN], struct err *err)
{
	char	*next = master_key_new_path(path);
	bool	 is_ok;

	is_ok = (access(next, F_OK) == 0 || master_key_create(next, err)) &&
	    master_key_read_new(path, key, err);
	free(next);
	return is_ok;
}

/* As the store's owner; the files of the key are the caller's. */
static bool
change_store(const struct cmd_context *ctx, const uint8_t *key,
    struct rewrap *rewrap, struct err *err)
{
	struct access	*access = NULL;
	struct custody	*custody;
	bool		 is_ok;

	is_ok = access_open(ctx, ACCESS_FOR_NOW, &access, err) &&
	    access_custody(access, &custody, err) &&
	    custody_rewrap(custody, key, ctx->now, &rewrap->n, err);
	access_close(access);
	return is_ok;
}

static bool
change_master_key(const struct cmd_context *ctx, struct rewrap *rewrap,
    struct err *err)
{
	uint8_t	 key[MASTER_KEY_LEN];
	bool	 is_ok;

	is_ok = look_at_store(ctx, rewrap, err) &&
	    make_new_key(rewrap->path, key, err) &&
	    change_store(ctx, key, rewrap, err) &&
	    master_key_replace(rewrap->path, ctx->now, &rewrap->former, err);
	OPENSSL_cleanse(key, sizeof(key));
	return is_ok;
}

static void
print_done(const struct cmd_context *ctx, const struct rewrap *rewrap)
{
	if (ctx->is_json) {
		out_json_take(json_pack("{s:I, s:o, s:o}", "keys",
		    (json_int_t)rewrap->n, "master_key",
		    out_json_str(rewrap->path), "former_master_key",
		    out_json_str(rewrap->former)));
		return;
	}
	printf("%zu private key%s sealed under the new master key %s\n",
	    rewrap->n, rewrap->n == 1 ? "" : "s", rewrap->path);
	if (rewrap->former != NULL)
		printf("The former one is %s:\nbackups made before need it.\n",
		    rewrap->former);
	printf("Keep a copy of the new one in a safe place, apart from the "
	    "backups.\n");
}

int
cmd_rewrap(struct cmd_context *ctx, int argc, char **argv)
{
	struct rewrap	 rewrap = { 0 };
	struct err	 err;
	int		 status;

	if (!cmd_operands(ctx, argc, argv, 0, &status))
		return status;
	if (change_master_key(ctx, &rewrap, &err))
		print_done(ctx, &rewrap);
	else
		status = cmd_fail(&err);
	free(rewrap.path);
	free(rewrap.former);
	return status;
}
