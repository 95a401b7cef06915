/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "milter/vault_client.h"
#include "tools/cmd.h"
#include "tools/daemon.h"
#include "tools/out.h"

/* The file is read here first; the daemon then reads its own. */
static bool
reload(const struct cmd_context *ctx, struct err *err)
{
	char	*path;
	bool	 is_absent = false, is_ok;

	if (!daemon_socket(ctx->config_path, &path, err))
		return err_prefix(err, "the configuration stays as it was");
	is_ok = vault_client_reload(path, &is_absent, err);
	if (is_absent)
		daemon_absent(path, err);
	free(path);
	return is_ok;
}

int
cmd_reload(struct cmd_context *ctx, int argc, char **argv)
{
	struct err	 err = { 0 };
	int		 status;

	if (!cmd_operands(ctx, argc, argv, 0, &status))
		return status;
	if (!reload(ctx, &err))
		status = cmd_fail(&err);
	if (ctx->is_json)
		out_json_take(json_pack("{s:b, s:o}", "reloaded",
		    status == CMD_OK, "reason", status == CMD_OK ?
		    json_null() : out_json_str(err.reason)));
	else if (status == CMD_OK)
		printf("the daemon has the new configuration\n");
	return status;
}
