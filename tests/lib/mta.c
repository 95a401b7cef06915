/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An MTA's side of the milter protocol, for tests without an MTA: one mail is
 * put through a milter as Postfix 3.7 does it, and comes out as the milter's
 * edits make it.
 *
 *	mta -s SOCKET [-l LOGIN] [-c CLIENT] [-n TIMES] [-z SIZE=N] -f FROM
 *	    -r TO ... <MAIL
 *
 * FROM and TO go as they are given, brackets and all.  CLIENT is an IPv4
 * address (127.0.0.1) or "local", which goes with a FROM without brackets.
 * -z is what MAIL FROM says of the size, "SIZE=1000" (RFC 1870).  -n sends the
 * mail so many times over the one connection and prints the last result.
 * Standard output is the mail with CRLF; standard error the verdict:
 * "accept", "reject 550 5.7.1 ...", "tempfail ...", "discard"; before it such
 * a line for each recipient who was refused, the mail goes on for the others.
 * Exit status: 0 accept or discard, 1 reject, 2 tempfail, 3 the milter did not
 * answer or broke the protocol.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "tests/lib/milter_protocol.h"

#define CHUNK		65535u
#define PACKET_MAX	(1u << 20)
#define RCPT_MAX	1000

struct bytes {
	char	*data;
	size_t	 len;
	size_t	 cap;
};

struct header {
	char	*name;
	char	*value;		/* as behind the colon, folds as "\n" */
};

struct mail {
	struct header	*headers;
	size_t		 n;
	struct bytes	 body;
};

struct envelope {
	const char	*login;
	const char	*client;
	const char	*from;
	const char	*size;		/* an argument of MAIL, or NULL */
	const char	*to[RCPT_MAX];
	size_t		 n_to;
};

struct session {
	int		 fd;
	uint32_t	 steps;		/* as negotiated */
};

/* --- bytes ------------------------------------------------------------------ */

static void
add(struct bytes *b, const void *data, size_t len)
{
	/* Twice as much each time: a sanitizer's realloc() always copies. */
	if (b->len + len >= b->cap) {
		b->cap = 2 * (b->len + len + 1);
		if ((b->data = realloc(b->data, b->cap)) == NULL)
			err(3, "realloc");
	}
	memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

static void
add_str(struct bytes *b, const char *s)
{
	add(b, s, strlen(s) + 1);
}

static void
clear(struct bytes *b)
{
	free(b->data);
	*b = (struct bytes){ 0 };
}

static struct bytes
read_all(int fd)
{
	struct bytes	 b = { 0 };
	char		 chunk[65536];
	ssize_t		 n;

	add(&b, "", 0);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		add(&b, chunk, (size_t)n);
	if (n == -1)
		err(3, "read");
	return b;
}

static char *
copy(const char *s, size_t len)
{
	char	*c = strndup(s, len);

	if (c == NULL)
		err(3, "strndup");
	return c;
}

/* --- the mail ---------------------------------------------------------------- */

static void
insert(struct mail *mail, size_t at, const char *name, const char *value)
{
	mail->headers = reallocarray(mail->headers, mail->n + 1,
	    sizeof(*mail->headers));
	if (mail->headers == NULL)
		err(3, "reallocarray");
	if (at > mail->n)
		at = mail->n;
	memmove(mail->headers + at + 1, mail->headers + at,
	    (mail->n - at) * sizeof(*mail->headers));
	mail->headers[at].name = copy(name, strlen(name));
	mail->headers[at].value = copy(value, strlen(value));
	mail->n++;
}

static void
delete(struct mail *mail, size_t at)
{
	free(mail->headers[at].name);
	free(mail->headers[at].value);
	mail->n--;
	memmove(mail->headers + at, mail->headers + at + 1,
	    (mail->n - at) * sizeof(*mail->headers));
}

/*
 * Postfix counts anew after each deletion; an empty value deletes, and an
 * index beyond the last appends.
 */
static void
change(struct mail *mail, uint32_t index, const char *name, const char *value)
{
	uint32_t	 seen = 0;

	for (size_t i = 0; i < mail->n; i++) {
		if (strcasecmp(mail->headers[i].name, name) != 0 ||
		    ++seen != index)
			continue;
		delete(mail, i);
		if (*value != '\0')
			insert(mail, i, name, value);
		return;
	}
	if (*value != '\0')
		insert(mail, mail->n, name, value);
}

/* Line ends of the body become CRLF; headers keep "\n" before a fold. */
static struct mail
parse(const struct bytes *in)
{
	struct mail	 mail = { 0 };
	struct bytes	 lf = { 0 };
	char		*p, *end, *colon;

	add(&lf, "", 0);
	for (size_t i = 0; i < in->len; i++)
		if (in->data[i] != '\r' || i + 1 == in->len ||
		    in->data[i + 1] != '\n')
			add(&lf, in->data + i, 1);
	for (p = lf.data; *p != '\0' && *p != '\n'; p = end + 1) {
		end = p;
		do
			end = strchrnul(end + 1, '\n');
		while (*end != '\0' && (end[1] == ' ' || end[1] == '\t'));
		colon = memchr(p, ':', (size_t)(end - p));
		if (colon == NULL || *end == '\0')
			errx(3, "not a header: %.60s", p);
		*colon = '\0';
		*end = '\0';
		insert(&mail, mail.n, p, colon + 1);
	}
	if (*p == '\n')
		p++;
	for (; p < lf.data + lf.len; p++)
		add(&mail.body, *p == '\n' ? "\r\n" : p, *p == '\n' ? 2 : 1);
	clear(&lf);
	return mail;
}

static void
print(const struct mail *mail)
{
	for (size_t i = 0; i < mail->n; i++) {
		printf("%s:", mail->headers[i].name);
		for (const char *v = mail->headers[i].value; *v != '\0'; v++)
			fputs(*v == '\n' ? "\r\n" : (char[]){ *v, '\0' },
			    stdout);
		fputs("\r\n", stdout);
	}
	fputs("\r\n", stdout);
	fwrite(mail->body.data, 1, mail->body.len, stdout);
}

/* --- packets ----------------------------------------------------------------- */

static void
put(int fd, char command, const struct bytes *payload)
{
	size_t		 len = payload != NULL ? payload->len : 0;
	uint32_t	 size = htonl((uint32_t)len + 1);
	struct bytes	 packet = { 0 };
	size_t		 done = 0;

	add(&packet, &size, sizeof(size));
	add(&packet, &command, 1);
	if (len > 0)
		add(&packet, payload->data, len);
	while (done < packet.len) {
		ssize_t	 n = write(fd, packet.data + done, packet.len - done);

		if (n <= 0)
			err(3, "write to the milter");
		done += (size_t)n;
	}
	clear(&packet);
}

static void
get_bytes(int fd, void *to, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t	 n = read(fd, (char *)to + done, len - done);

		if (n == -1)
			err(3, "read from the milter");
		if (n == 0)
			errx(3, "the milter hung up");
		done += (size_t)n;
	}
}

static char
get(int fd, struct bytes *payload)
{
	uint32_t	 size;
	char		 command;

	get_bytes(fd, &size, sizeof(size));
	size = ntohl(size);
	if (size < 1 || size > PACKET_MAX)
		errx(3, "the milter sent a packet of %u bytes", size);
	get_bytes(fd, &command, 1);
	clear(payload);
	add(payload, "", 0);
	if ((payload->data = realloc(payload->data, size)) == NULL)
		err(3, "realloc");
	payload->cap = size;
	payload->len = size - 1;
	get_bytes(fd, payload->data, payload->len);
	payload->data[payload->len] = '\0';
	return command;
}

static uint32_t
number(const struct bytes *b, size_t at)
{
	uint32_t	 n;

	if (b->len < at + sizeof(n))
		errx(3, "the milter sent a short packet");
	memcpy(&n, b->data + at, sizeof(n));
	return ntohl(n);
}

static void
macros(int fd, char command, const char *const pairs[])
{
	struct bytes	 b = { 0 };

	add(&b, &command, 1);
	for (size_t i = 0; pairs[i] != NULL; i++)
		add_str(&b, pairs[i]);
	put(fd, 'D', &b);
	clear(&b);
}

/*
 * Until the milter hangs up, it counts the connection: whoever comes next may
 * be one too many.
 */
static void
quit(int fd)
{
	char	 rest[256];

	put(fd, 'Q', NULL);
	while (read(fd, rest, sizeof(rest)) > 0)
		;
	close(fd);
}

/* --- the conversation ---------------------------------------------------------- */

static int
connect_to(const char *path)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	int			 fd;

	if (strlen(path) >= sizeof(sun.sun_path))
		errx(3, "%s: too long for a socket", path);
	memcpy(sun.sun_path, path, strlen(path));
	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1 ||
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		err(3, "%s", path);
	return fd;
}

static void
negotiate(struct session *s)
{
	uint32_t	 offer[] = { htonl(MILTER_VERSION), htonl(ACTIONS),
			    htonl(STEPS) };
	struct bytes	 b = { 0 };

	add(&b, offer, sizeof(offer));
	put(s->fd, 'O', &b);
	if (get(s->fd, &b) != 'O')
		errx(3, "the milter does not negotiate");
	if (number(&b, 4) & ~ACTIONS || number(&b, 8) & ~STEPS)
		errx(3, "the milter wants what was not offered");
	s->steps = number(&b, 8);
	clear(&b);
}

/* Exit status for a final answer, after the verdict has been printed. */
static int
verdict(char answer, const struct bytes *b)
{
	switch (answer) {
	case 'a':
	case 'c':
		fprintf(stderr, "accept\n");
		return 0;
	case 'd':
		fprintf(stderr, "discard\n");
		return 0;
	case 'r':
		fprintf(stderr, "reject 550 5.7.1 Command rejected\n");
		return 1;
	case 't':
		fprintf(stderr, "tempfail 451 4.7.1 Service unavailable\n");
		return 2;
	case 'y':
		fprintf(stderr, "%s %s\n", b->data[0] == '5' ? "reject" :
		    "tempfail", b->data);
		return b->data[0] == '5' ? 1 : 2;
	default:
		errx(3, "the milter answered '%c' at the wrong time", answer);
	}
}

/*
 * One step before the end of the mail.  True to go on; else *status is what
 * the milter has decided already.
 */
static bool
step(struct session *s, char command, const struct bytes *payload,
    uint32_t unwanted, uint32_t unanswered, int *status)
{
	struct bytes	 b = { 0 };
	char		 answer;
	bool		 goes_on = true;

	if (s->steps & unwanted)
		return true;
	put(s->fd, command, payload);
	if (s->steps & unanswered)
		return true;
	answer = get(s->fd, &b);
	if (answer != 'c') {
		*status = verdict(answer, &b);
		goes_on = false;
	}
	clear(&b);
	return goes_on;
}

static bool
open_connection(struct session *s, const struct envelope *env, int *status)
{
	bool		 is_local = strcmp(env->client, "local") == 0;
	uint16_t	 port = is_local ? 0 : htons(40000);
	struct bytes	 b = { 0 };
	bool		 goes_on;

	macros(s->fd, 'C', (const char *const[]){ "j", "mx.example.org",
	    "{daemon_name}", "mx.example.org", "v", "Postfix 3.7.11", NULL });
	add_str(&b, "localhost");
	add(&b, "4", 1);
	add(&b, &port, sizeof(port));
	add_str(&b, is_local ? "127.0.0.1" : env->client);
	goes_on = step(s, 'C', &b, NO_CONNECT, NR_CONNECT, status);
	clear(&b);
	add_str(&b, "client.test");
	goes_on = goes_on && step(s, 'H', &b, NO_HELO, NR_HELO, status);
	clear(&b);
	return goes_on;
}

static bool
give_envelope(struct session *s, const struct envelope *env, int *status)
{
	struct bytes	 b = { 0 };
	size_t		 n_taken = 0;
	bool		 goes_on;

	if (env->login != NULL)
		macros(s->fd, 'M', (const char *const[]){ "{auth_type}",
		    "PLAIN", "{auth_authen}", env->login, "{mail_addr}",
		    env->from, NULL });
	else
		macros(s->fd, 'M', (const char *const[]){ "{mail_addr}",
		    env->from, NULL });
	add_str(&b, env->from);
	if (env->size != NULL)
		add_str(&b, env->size);
	goes_on = step(s, 'M', &b, NO_MAIL, NR_MAIL, status);
	clear(&b);
	for (size_t i = 0; goes_on && i < env->n_to; i++) {
		macros(s->fd, 'R', (const char *const[]){ "{rcpt_addr}",
		    env->to[i], NULL });
		add_str(&b, env->to[i]);
		n_taken += step(s, 'R', &b, NO_RCPT, NR_RCPT, status);
		clear(&b);
	}
	goes_on = goes_on && n_taken > 0;
	if (goes_on)
		macros(s->fd, 'T', (const char *const[]){ "i", "4Xk1Qz2mYz",
		    NULL });
	return goes_on && step(s, 'T', NULL, NO_DATA, NR_DATA, status);
}

static bool
give_mail(struct session *s, const struct mail *mail, int *status)
{
	struct bytes	 b = { 0 };
	bool		 goes_on = true;

	for (size_t i = 0; goes_on && i < mail->n; i++) {
		const char	*value = mail->headers[i].value;

		if (!(s->steps & LEADING_SPACE) && *value == ' ')
			value++;
		add_str(&b, mail->headers[i].name);
		add_str(&b, value);
		goes_on = step(s, 'L', &b, NO_HEADER, NR_HEADER, status);
		clear(&b);
	}
	goes_on = goes_on && step(s, 'N', NULL, NO_EOH, NR_EOH, status);
	for (size_t at = 0; goes_on && at < mail->body.len; at += CHUNK) {
		size_t	 left = mail->body.len - at;

		add(&b, mail->body.data + at, left < CHUNK ? left : CHUNK);
		goes_on = step(s, 'B', &b, NO_BODY, NR_BODY, status);
		clear(&b);
	}
	return goes_on;
}

/* Value behind the name in a header edit that begins at `at`. */
static const char *
value_of(const struct bytes *b, size_t at)
{
	size_t	 name_len = strnlen(b->data + at, b->len - at);

	if (at + name_len + 1 >= b->len)
		errx(3, "the milter sent a header without a value");
	return b->data + at + name_len + 1;
}

/* The milter's edits until its verdict, by Postfix's rules. */
static int
finish(struct session *s, struct mail *mail)
{
	enum { BODY_OLD, BODY_NEW, BODY_CLOSED } state = BODY_OLD;
	const char	*pad = s->steps & LEADING_SPACE ? "" : " ";
	struct bytes	 b = { 0 }, value = { 0 };
	int		 status;

	macros(s->fd, 'E', (const char *const[]){ "i", "4Xk1Qz2mYz", NULL });
	put(s->fd, 'E', NULL);
	for (;;) {
		char	 answer = get(s->fd, &b);
		size_t	 at = answer == 'm' || answer == 'i' ? 4 : 0;

		if (answer != 'b' && state == BODY_NEW)
			state = BODY_CLOSED;
		if (strchr("mih", answer) != NULL) {
			clear(&value);
			add(&value, pad, strlen(pad));
			add_str(&value, value_of(&b, at));
		}
		switch (answer) {
		case 'b':
			if (state == BODY_CLOSED)
				errx(3, "the body was replaced in two runs");
			if (state == BODY_OLD)
				clear(&mail->body);
			state = BODY_NEW;
			add(&mail->body, b.data, b.len);
			break;
		case 'h':
			insert(mail, mail->n, b.data, value.data);
			break;
		case 'i':
			insert(mail, number(&b, 0), b.data + 4, value.data);
			break;
		case 'm':
			change(mail, number(&b, 0), b.data + 4,
			    *value_of(&b, 4) == '\0' ? "" : value.data);
			break;
		case 'p':
			break;
		default:
			status = verdict(answer, &b);
			clear(&b);
			clear(&value);
			return status;
		}
	}
}

static int
send_mail(struct session *s, const struct envelope *env, struct mail *mail)
{
	int	 status = 3;

	if (give_envelope(s, env, &status) && give_mail(s, mail, &status))
		status = finish(s, mail);
	return status;
}

int
main(int argc, char *argv[])
{
	struct envelope	 env = { .client = "127.0.0.1" };
	struct session	 s = { 0 };
	struct bytes	 in;
	struct mail	 mail = { 0 };
	const char	*path = NULL;
	long		 times = 1;
	int		 opt, status = 3;

	while ((opt = getopt(argc, argv, "s:l:c:f:r:n:z:")) != -1) {
		if (opt == 's')
			path = optarg;
		else if (opt == 'l')
			env.login = optarg;
		else if (opt == 'c')
			env.client = optarg;
		else if (opt == 'f')
			env.from = optarg;
		else if (opt == 'r' && env.n_to < RCPT_MAX)
			env.to[env.n_to++] = optarg;
		else if (opt == 'z')
			env.size = optarg;
		else if (opt == 'n')
			times = strtol(optarg, NULL, 10);
		else
			return 3;
	}
	if (path == NULL || env.from == NULL || env.n_to == 0)
		errx(3, "-s, -f and -r are needed");
	in = read_all(STDIN_FILENO);
	s.fd = connect_to(path);
	negotiate(&s);
	if (!open_connection(&s, &env, &status))
		return status;
	while (times-- > 0) {
		while (mail.n > 0)
			delete(&mail, mail.n - 1);
		clear(&mail.body);
		free(mail.headers);
		mail = parse(&in);
		status = send_mail(&s, &env, &mail);
	}
	quit(s.fd);
	if (status == 0)
		print(&mail);
	while (mail.n > 0)
		delete(&mail, mail.n - 1);
	free(mail.headers);
	clear(&mail.body);
	clear(&in);
	return status;
}
