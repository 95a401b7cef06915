/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "milter/vault_admin.h"
#include "milter/vault_call.h"
#include "milter/vault_client.h"

/* An administrator's request may wait behind a bulk import. */
#define ADMIN_TIMEOUT_MS	60000

static bool
client_find(void *arg, const char *addr, enum cert_use use, int64_t now,
    struct finding **out, struct err *err)
{
	struct vault_call	 call;
	bool			 is_ok;

	*out = NULL;
	vault_call_begin(&call, WIRE_FIND);
	wire_put_str(&call.request, addr);
	wire_put_u8(&call.request, (uint8_t)use);
	wire_put_i64(&call.request, now);
	is_ok = vault_call_ask(arg, &call, err);
	if (is_ok)
		*out = wire_get_finding(&call.reader);
	is_ok = vault_call_end(&call, is_ok, err);
	if (!is_ok) {
		finding_free(*out);
		*out = NULL;
	}
	return is_ok;
}

/* What has been read is the caller's also on failure. */
static bool
get_findings(struct wire_reader *reader, struct finding **out, size_t n,
    size_t *n_found)
{
	*n_found = wire_get_u32(reader);
	if (*n_found == 0 || *n_found > n)
		return false;
	for (size_t i = 0; i < *n_found; i++)
		if ((out[i] = wire_get_finding(reader)) == NULL)
			return false;
	return true;
}

static bool
client_find_some(void *arg, const char *const *addrs, size_t n,
    enum cert_use use, int64_t now, struct finding **out, size_t *n_found,
    struct err *err)
{
	struct vault_call	 call;
	bool			 is_ok;

	if (n > WIRE_FIND_MAX)
		n = WIRE_FIND_MAX;
	vault_call_begin(&call, WIRE_FIND_SOME);
	wire_put_u8(&call.request, (uint8_t)use);
	wire_put_i64(&call.request, now);
	wire_put_u32(&call.request, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		wire_put_str(&call.request, addrs[i]);
	is_ok = vault_call_ask(arg, &call, err);
	if (is_ok && !get_findings(&call.reader, out, n, n_found))
		call.reader.failed = true;
	return vault_call_end(&call, is_ok, err);
}

static bool
client_sign(void *arg, const struct sign_request *request, struct buf *out,
    struct err *err)
{
	struct vault_call	 call;
	const uint8_t		*der;
	size_t			 len;
	bool			 is_ok;

	vault_call_begin(&call, WIRE_SIGN);
	wire_put_sign_request(&call.request, request);
	is_ok = vault_call_ask(arg, &call, err);
	if (is_ok) {
		der = wire_get_bytes(&call.reader, &len);
		buf_add(out, der, len);
		is_ok = buf_ok(out, "a signature", err);
	}
	return vault_call_end(&call, is_ok, err);
}

static void
client_note(void *arg, const struct event *event)
{
	struct vault_call	 call;

	vault_call_begin(&call, WIRE_NOTE);
	wire_put_event(&call.request, event);
	vault_call_tell(arg, &call);
}

static bool
client_make_stamp(void *arg, const struct stamp *stamp, char **out,
    struct err *err)
{
	struct vault_call	 call;
	bool			 is_ok;

	*out = NULL;
	vault_call_begin(&call, WIRE_MAKE_STAMP);
	wire_put_stamp(&call.request, stamp);
	is_ok = vault_call_ask(arg, &call, err);
	if (is_ok && (*out = wire_get_str(&call.reader)) == NULL)
		call.reader.failed = true;
	is_ok = vault_call_end(&call, is_ok, err);
	if (!is_ok) {
		free(*out);
		*out = NULL;
	}
	return is_ok;
}

static bool
client_check_stamp(void *arg, const struct stamp_query *query,
    struct stamp *out, struct err *err)
{
	struct vault_call	 call;
	bool			 is_ok;

	memset(out, 0, sizeof(*out));
	vault_call_begin(&call, WIRE_CHECK_STAMP);
	wire_put_str(&call.request, query->text);
	wire_put_str(&call.request, query->sender);
	wire_put_bytes(&call.request, query->digest, sizeof(query->digest));
	is_ok = vault_call_ask(arg, &call, err);
	if (is_ok)
		wire_get_stamp(&call.reader, out);
	is_ok = vault_call_end(&call, is_ok, err);
	if (!is_ok)
		stamp_clear(out);
	return is_ok;
}

static void
client_close(void *arg)
{
	vault_call_close(arg);
}

static const struct custody_ops	 client_ops = {
	.find = client_find,
	.find_some = client_find_some,
	.sign = client_sign,
	.list = vault_admin_list,
	.lookup = vault_admin_lookup,
	.put_certs = vault_admin_put_certs,
	.put_crl = vault_admin_put_crl,
	.remove_crls = vault_admin_remove_crls,
	.put_key = vault_admin_put_key,
	.get_key = vault_admin_get_key,
	.chain = vault_admin_chain,
	.set_state = vault_admin_set_state,
	.remove = vault_admin_remove,
	.note = client_note,
	.events = vault_admin_events,
	.records = vault_admin_records,
	.verify = vault_admin_verify,
	.rewrap = vault_admin_rewrap,
	.close = client_close,
};

struct custody *
vault_client_new(const int *fds, size_t n, int timeout_ms,
    struct stamper *stamper)
{
	struct vault_line	*line = vault_call_open(fds, n, timeout_ms);

	if (stamper != NULL)
		*stamper = (struct stamper){ client_make_stamp,
		    client_check_stamp, line };
	return custody_new(&client_ops, line);
}

static bool
connect_admin(const char *path, int *out, bool *is_absent, struct err *err)
{
	struct sockaddr_un	 addr = { .sun_family = AF_UNIX };
	int			 fd;

	*is_absent = false;
	if (strlen(path) >= sizeof(addr.sun_path))
		return err_set(err, ERR_CONFIG, "%s: the path of a socket has "
		    "at most %zu bytes; use a shorter store path", path,
		    sizeof(addr.sun_path) - 1);
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return err_errno(err, ERR_TEMP, "socket");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == -1) {
		*is_absent = errno == ENOENT || errno == ECONNREFUSED;
		err_errno(err, errno == EACCES ? ERR_CONFIG : ERR_TEMP,
		    "cannot reach the vault at %s", path);
		close(fd);
		return false;
	}
	*out = fd;
	return true;
}

bool
vault_client_open_admin(const char *path, struct custody **out,
    bool *is_absent, struct err *err)
{
	int	 fd;

	if (!connect_admin(path, &fd, is_absent, err))
		return false;
	*out = vault_client_new(&fd, 1, ADMIN_TIMEOUT_MS, NULL);
	return true;
}

/* A request without arguments, over a connection of its own. */
static bool
ask_daemon(const char *path, enum wire_op op,
    bool (*read_answer)(struct wire_reader *, void *), void *arg,
    bool *is_absent, struct err *err)
{
	struct vault_line	*line;
	struct vault_call	 call;
	int			 fd;
	bool			 is_ok;

	if (!connect_admin(path, &fd, is_absent, err))
		return false;
	line = vault_call_open(&fd, 1, ADMIN_TIMEOUT_MS);
	vault_call_begin(&call, op);
	is_ok = vault_call_ask(line, &call, err);
	while (is_ok && read_answer != NULL && call.reader.left > 0 &&
	    read_answer(&call.reader, arg))
		;
	is_ok = vault_call_end(&call, is_ok, err);
	vault_call_close(line);
	return is_ok;
}

bool
vault_client_reload(const char *path, bool *is_absent, struct err *err)
{
	return ask_daemon(path, WIRE_RELOAD, NULL, NULL, is_absent, err);
}

struct status_reader {
	vault_client_status_fn	*fn;
	void			*arg;
};

static bool
read_sample(struct wire_reader *r, void *arg)
{
	const struct status_reader	*reader = arg;
	char				*text[4];
	bool				 is_whole = true;

	for (size_t i = 0; i < 4; i++) {
		text[i] = wire_get_str(r);
		is_whole = is_whole && text[i] != NULL;
	}
	if (is_whole)
		reader->fn(reader->arg, &(struct stats_sample){
		    .name = text[0], .suffix = text[1], .labels = text[2],
		    .value = strtod(text[3], NULL) });
	for (size_t i = 0; i < 4; i++)
		free(text[i]);
	return is_whole;
}

bool
vault_client_status(const char *path, vault_client_status_fn *fn, void *arg,
    bool *is_absent, struct err *err)
{
	struct status_reader	 reader = { fn, arg };

	return ask_daemon(path, WIRE_STATUS, read_sample, &reader, is_absent,
	    err);
}

struct trouble_reader {
	vault_client_trouble_fn	*fn;
	void			*arg;
};

static bool
read_trouble(struct wire_reader *r, void *arg)
{
	const struct trouble_reader	*reader = arg;
	int64_t				 when = wire_get_i64(r);
	char				*text = wire_get_str(r);
	bool				 is_whole = text != NULL;

	if (is_whole)
		reader->fn(reader->arg, when, text);
	free(text);
	return is_whole;
}

bool
vault_client_troubles(const char *path, vault_client_trouble_fn *fn,
    void *arg, bool *is_absent, struct err *err)
{
	struct trouble_reader	 reader = { fn, arg };

	return ask_daemon(path, WIRE_TROUBLES, read_trouble, &reader,
	    is_absent, err);
}
