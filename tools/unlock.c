/* SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tools/ask.h"
#include "tools/cmd.h"
#include "tools/unlock.h"

#define TRIES	3

/* An empty answer is a no: "" has been tried already. */
static bool
ask_one_more(const struct file *file, struct passphrases *passphrases)
{
	char		*prompt = mem_strf("Passphrase for %s (empty: skip): ",
			    file->name);
	size_t		 before = passphrases->n;
	struct err	 ignored;
	bool		 ok;

	ok = ask_passphrase(prompt, false, passphrases, &ignored) &&
	    passphrases->words[before][0] != '\0';
	free(prompt);
	return ok;
}

bool
unlock_bundle(const struct file *file, struct passphrases *passphrases,
    struct progress *progress, struct bundle **out, struct err *err)
{
	for (int i = 0;; i++) {
		if (!bundle_read(file->bytes.data, file->bytes.len,
		    passphrases, out, err))
			return err_prefix(err, "%s", file->name);
		if (!bundle_is_locked(*out) || i == TRIES ||
		    !ask_has_terminal())
			return true;
		if (progress != NULL)
			progress_end(progress);
		if (!ask_one_more(file, passphrases))
			return true;
		bundle_free(*out);
	}
}

bool
unlock_option(bool is_file, struct passphrases *passphrases, int *status)
{
	struct err	 err;
	char		*end;
	long		 fd = -1;

	if (!is_file) {
		fd = strtol(optarg, &end, 10);
		if (*optarg == '\0' || *end != '\0' || fd < 0 || fd > INT_MAX) {
			err_set(&err, ERR_CONFIG,
			    "--passphrase-fd %s: no number", optarg);
			*status = cmd_fail(&err);
			return false;
		}
	}
	if (ask_passphrase_file(is_file ? optarg : NULL, (int)fd, passphrases,
	    &err))
		return true;
	*status = cmd_fail(&err);
	return false;
}
