/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "milter/vault_client.h"
#include "tools/cmd.h"
#include "tools/daemon.h"
#include "tools/out.h"

/*
 * What the daemon has counted: an array of {"name", "labels", "value"} in the
 * order in which it came.
 */

static void
keep_sample(void *arg, const struct stats_sample *s)
{
	json_t	*labels = json_object();
	char	*text = mem_str(s->labels), *rest = text;

	/* a="b",c="d"; the daemon's own values hold no quotes. */
	while (rest[0] != '\0') {
		char	*name = rest, *value = strstr(rest, "=\""), *end;

		if (value == NULL || (end = strchr(value + 2, '"')) == NULL)
			break;
		*value = *end = '\0';
		json_object_set_new(labels, name, out_json_str(value + 2));
		rest = end[1] == ',' ? end + 2 : end + 1;
	}
	free(text);
	text = mem_strf("%s%s", s->name, s->suffix);
	json_array_append_new(arg, json_pack("{s:s, s:o, s:o}",
	    "name", text, "labels", labels, "value", isfinite(s->value) ?
	    json_real(s->value) : json_null()));
	free(text);
}

static void
keep_trouble(void *arg, int64_t when, const char *text)
{
	char	 time[TEXT_TIME_LEN];

	text_time(when, time);
	json_array_append_new(arg, json_pack("{s:s, s:o}", "time", time,
	    "text", out_json_str(text)));
}

/* Of the samples of one name, the i-th; NULL after the last. */
static const json_t *
sample(const json_t *samples, const char *name, size_t i)
{
	size_t	 k;
	json_t	*s;

	json_array_foreach(samples, k, s)
		if (strcmp(out_json_text(s, "name"), name) == 0 && i-- == 0)
			return s;
	return NULL;
}

static double
value_of(const json_t *s)
{
	return s == NULL ? 0 : json_number_value(json_object_get(s, "value"));
}

static double
value(const json_t *samples, const char *name)
{
	return value_of(sample(samples, name, 0));
}

static const char *
label(const json_t *s, const char *name)
{
	return out_json_text(json_object_get(s, "labels"), name);
}

static void
print_since(const char *field, double since, int64_t now)
{
	char		 text[TEXT_TIME_LEN];
	int64_t		 seconds = now - (int64_t)since;

	text_time((int64_t)since, text);
	out_field(field, "since %s (%lld d %lld h %lld min)", text,
	    (long long)seconds / 86400, (long long)seconds / 3600 % 24,
	    (long long)seconds / 60 % 60);
}

static void
print_processes(const json_t *samples, int64_t now)
{
	static const char	 name[] =
	    "smime_milter_process_start_time_seconds";
	const json_t		*s;

	for (size_t i = 0; (s = sample(samples, name, i)) != NULL; i++) {
		char	*field = mem_strf("%s %s", label(s, "process"),
		    label(s, "pid"));

		print_since(field, value_of(s), now);
		free(field);
	}
}

/* "12: sender 10, exempt 2" for each action. */
static void
print_mails(const json_t *samples)
{
	static const char	 name[] = "smime_milter_mails_total";
	const json_t		*s;

	for (size_t i = 0; (s = sample(samples, name, i)) != NULL; i++) {
		const char	*reason = label(s, "reason");

		if (value_of(s) == 0)
			continue;
		if (strcmp(reason, "none") == 0)
			out_field(label(s, "action"), "%.0f", value_of(s));
		else
			out_field(label(s, "action"), "%.0f (%s)", value_of(s),
			    reason);
	}
}

/* The bound below which this share of what was measured lies. */
static double
quantile(const json_t *samples, const char *name, double share)
{
	char		*bucket = mem_strf("%s_bucket", name);
	char		*count = mem_strf("%s_count", name);
	double		 wanted = share * value(samples, count), bound = 0;
	const json_t	*s;

	for (size_t i = 0; (s = sample(samples, bucket, i)) != NULL; i++) {
		bound = strtod(label(s, "le"), NULL);
		if (value_of(s) >= wanted)
			break;
	}
	free(bucket);
	free(count);
	return bound;
}

static void
print_times(const char *field, const json_t *samples, const char *name)
{
	char	*count = mem_strf("%s_count", name);

	if (value(samples, count) > 0)
		out_field(field, "half within %g ms, 99 of 100 within %g ms",
		    1000 * quantile(samples, name, 0.5),
		    1000 * quantile(samples, name, 0.99));
	free(count);
}

static void
print_store(const json_t *samples)
{
	double		 next = value(samples,
	    "smime_milter_next_expiry_time_seconds");
	double		 n = 0;
	const json_t	*s;
	char		 date[TEXT_TIME_LEN];

	for (size_t i = 0; (s = sample(samples, "smime_milter_certificates",
	    i)) != NULL; i++)
		n += value_of(s);
	out_field("certificates", "%.0f, %.0f of them with their key, "
	    "%.0f expired", n, value(samples, "smime_milter_keys"),
	    value(samples, "smime_milter_certificates_expired"));
	if (next > 0) {
		text_date((int64_t)next, date);
		out_field("next expiry", "%s, of one with its key", date);
	}
	out_field("store", "%.1f MB", value(samples,
	    "smime_milter_store_bytes") / 1e6);
}

static void
print_troubles(const json_t *troubles)
{
	for (size_t i = 0; i < json_array_size(troubles); i++) {
		const json_t	*trouble = json_array_get(troubles, i);

		out_field(i == 0 ? "last troubles" : "", "%s %s",
		    out_json_text(trouble, "time"),
		    out_json_text(trouble, "text"));
	}
}

/* Those that were reached; the names are those of the options. */
static void
print_limits(const json_t *samples)
{
	const char	*field = "limits reached";
	const json_t	*s;

	for (size_t i = 0; (s = sample(samples, "smime_milter_limits_total",
	    i)) != NULL; i++)
		if (value_of(s) > 0) {
			out_field(field, "%s %.0f", label(s, "limit"),
			    value_of(s));
			field = "";
		}
}

static void
print_status(const json_t *samples, const char *path, int64_t now)
{
	print_processes(samples, now);
	out_field("configuration", "%s, changed %.0f times, refused %.0f",
	    path, value(samples, "smime_milter_config_generation"),
	    value(samples, "smime_milter_config_refused_total"));
	print_since("", value(samples, "smime_milter_config_since_seconds"),
	    now);
	out_field("connections", "%.0f open, %.0f so far",
	    value(samples, "smime_milter_connections"),
	    value(samples, "smime_milter_connections_total"));
	out_field("mails in hand", "%.0f",
	    value(samples, "smime_milter_mails_in_hand"));
	out_field("spooled", "%.1f MB in memory, %.1f MB on disk",
	    value_of(sample(samples, "smime_milter_spool_bytes", 0)) / 1e6,
	    value_of(sample(samples, "smime_milter_spool_bytes", 1)) / 1e6);
	print_mails(samples);
	print_limits(samples);
	print_times("mail's end", samples, "smime_milter_mail_seconds");
	print_times("vault", samples, "smime_milter_vault_seconds");
	out_field("vault failures", "%.0f",
	    value(samples, "smime_milter_vault_failures_total"));
	print_store(samples);
	out_field("logged errors", "%.0f",
	    value(samples, "smime_milter_errors_total"));
}

static bool
ask(const struct cmd_context *ctx, json_t *samples, json_t *troubles,
    bool *is_absent, struct err *err)
{
	char	*path;
	bool	 is_ok;

	if (!daemon_socket(ctx->config_path, &path, err))
		return false;
	is_ok = vault_client_status(path, keep_sample, samples, is_absent,
	    err) && vault_client_troubles(path, keep_trouble, troubles,
	    is_absent, err);
	if (*is_absent)
		daemon_absent(path, err);
	free(path);
	return is_ok;
}

int
cmd_status(struct cmd_context *ctx, int argc, char **argv)
{
	struct err	 err = { 0 };
	bool		 is_absent = false;
	json_t		*samples, *troubles;
	int		 status;

	if (!cmd_operands(ctx, argc, argv, 0, &status))
		return status;
	samples = json_array();
	troubles = json_array();
	if (!ask(ctx, samples, troubles, &is_absent, &err))
		status = cmd_fail(&err);
	if (ctx->is_json && (status == CMD_OK || is_absent))
		out_json_take(json_pack("{s:b, s:O, s:O}", "running",
		    status == CMD_OK, "measures", samples, "troubles",
		    troubles));
	else if (status == CMD_OK) {
		print_status(samples, ctx->config_path, ctx->now);
		print_troubles(troubles);
	}
	json_decref(samples);
	json_decref(troubles);
	return status;
}
