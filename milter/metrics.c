/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "milter/control.h"
#include "milter/exposition.h"
#include "milter/generation.h"
#include "milter/listening.h"
#include "milter/log.h"
#include "milter/metrics.h"
#include "milter/report.h"
#include "milter/sandbox.h"
#include "milter/stats.h"

#define CONNECTIONS_MAX	16
#define IDLE_SECONDS	30	/* Prometheus asks every 15 or 60 */
#define MEMORY_MAX	16384	/* of a connection: request line and fields */

bool
metrics_open(const char *spec, int *fd, struct err *err)
{
	struct config_socket	 where;
	const char		*wanted = config_socket_parse(spec, &where);

	if (wanted != NULL)
		return err_set(err, ERR_BUG, "metrics: wanted %s", wanted);
	if (!listening_at(&where, 0666, fd, err))
		return err_prefix(err, "metrics");
	return true;
}

static enum MHD_Result
send_page(struct MHD_Connection *connection, unsigned status,
    struct buf *page, const char *type)
{
	struct MHD_Response	*response;
	enum MHD_Result		 result;

	response = MHD_create_response_from_buffer(page->len, page->data,
	    MHD_RESPMEM_MUST_COPY);
	buf_free(page);
	if (response == NULL)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW,
		    "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result
send_text(struct MHD_Connection *connection, unsigned status,
    const char *text)
{
	struct buf	 page = { 0 };

	buf_add(&page, text, strlen(text));
	return send_page(connection, status, &page, "text/plain");
}

/* Called first when the request's fields are there, then when all is. */
static enum MHD_Result
answer(void *arg, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *body,
    size_t *body_len, void **state)
{
	static int	 seen;
	struct buf	 page = { 0 };
	struct err	 err;

	(void)arg;
	(void)version;
	(void)body;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return send_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
		    "GET /metrics is all there is.\n");
	if (*state == NULL) {
		*state = &seen;
		return MHD_YES;
	}
	/* What nobody asked for is let pass unread. */
	if (*body_len > 0) {
		*body_len = 0;
		return MHD_YES;
	}
	if (strcmp(url, "/metrics") != 0)
		return send_text(connection, MHD_HTTP_NOT_FOUND,
		    "The measures of smime-milter are at /metrics.\n");
	exposition_write(&page);
	if (buf_ok(&page, "the measures", &err))
		return send_page(connection, MHD_HTTP_OK, &page,
		    EXPOSITION_TYPE);
	buf_free(&page);
	return send_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
	    "There is no memory for the measures.\n");
}

/* Its own words about clients who hang up are nobody's concern. */
static void
ignore(void *arg, const char *fmt, va_list ap)
{
	(void)arg;
	(void)fmt;
	(void)ap;
}

static bool
serve(int listener, struct err *err)
{
	if (MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL,
	    0, NULL, NULL, answer, NULL,
	    MHD_OPTION_EXTERNAL_LOGGER, ignore, NULL,
	    MHD_OPTION_LISTEN_SOCKET, listener,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_MAX,
	    MHD_OPTION_END) == NULL)
		return err_set(err, ERR_TEMP,
		    "libmicrohttpd does not serve the metrics");
	return true;
}

_Noreturn void
metrics_main(const struct metrics_start *start)
{
	struct err	 err = { 0 };
	const char	*missing = "";
	int		 fds[] = { start->listener, start->control,
			    start->log, start->ready };

	log_open_child(start->log);
	process_keep_only(fds, sizeof(fds) / sizeof(fds[0]));
	stats_read_only();
	generation_read_only();
	if (!process_confine(start->user, start->supervisor, &err) ||
	    !sandbox_enter(NULL, &missing, &err) ||
	    !serve(start->listener, &err))
		report_failure(start->ready, &err);
	if (missing[0] != '\0')
		log_line(LOG_WARNING, "metrics: %s", missing);
	report_ready(start->ready);
	for (;;) {
		control_tell_alive(start->control);
		sleep(1);
	}
}
