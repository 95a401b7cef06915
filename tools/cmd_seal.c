/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/cmd.h"
#include "tools/mailfile.h"
#include "tools/walk.h"

/* seal: the mail as the MTA would have sent it, on standard output. */

static int
print_sealed(const struct walk *w, const struct file *source, struct err *err)
{
	const struct edits	*edits = &w->journey.edits;
	int			 status = CMD_OK;

	for (size_t i = 0; i < w->n_refused; i++, status = CMD_FAILED)
		fprintf(stderr, "%03d %s %s\n", w->refused[i].decision.code,
		    w->refused[i].decision.enhanced,
		    w->refused[i].decision.reply);
	if (w->mail->n_recipients == 0 && w->n_refused > 0)
		return status;
	if (edits->answer != EDITS_ACCEPT) {
		fprintf(stderr, "%s %s %s\n", edits->code, edits->xcode,
		    edits->text);
		return CMD_FAILED;
	}
	if (!edits_has_changes(edits)) {
		if (fwrite(source->bytes.data, 1, source->bytes.len,
		    stdout) == source->bytes.len)
			return status;
		err_errno(err, ERR_TEMP, "write the mail");
		return cmd_fail(err);
	}
	if (!mailfile_write(w->mail, edits, stdout, err))
		return cmd_fail(err);
	return status;
}

int
cmd_seal(struct cmd_context *ctx, int argc, char **argv)
{
	struct envelope	 envelope = { 0 };
	struct files	 files = { 0 };
	struct walk	 w = { 0 };
	struct err	 err = { 0 };
	int		 status;

	if (!walk_options(ctx, argc, argv, &envelope, &status))
		return status;
	if (argc != optind)
		return cmd_usage(argv[0]);
	files_read(&files, "-");
	if (files.n == 0 || files.list[0].err.kind != ERR_NONE)
		status = files.n == 0 ? CMD_FAILED :
		    cmd_fail(&files.list[0].err);
	else if (!walk_run(ctx, &envelope, &files.list[0], false, &w, &err))
		status = cmd_fail(&err);
	else
		status = print_sealed(&w, &files.list[0], &err);
	walk_end(&w);
	files_free(&files);
	return status;
}
