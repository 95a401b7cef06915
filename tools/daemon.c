/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/mem.h"
#include "policy/config.h"
#include "tools/daemon.h"

bool
daemon_socket(const char *config_path, char **out, struct err *err)
{
	struct config	*config = NULL;

	if (!config_read(config_path, &config, err))
		return false;
	*out = mem_strf("%s/admin.sock", config->store);
	config_free(config);
	return true;
}

bool
daemon_absent(const char *socket, struct err *err)
{
	return err_set(err, ERR_TEMP, "no daemon runs: nobody listens at %s",
	    socket);
}
