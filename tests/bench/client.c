/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "tests/bench/client.h"
#include "tests/lib/milter_protocol.h"

#define CHUNK		65535u
#define PACKET_MAX	(CHUNK + 1024u)
#define IN_ROOM		(2 * PACKET_MAX)

/* --- writing ------------------------------------------------------------------ */

static uint8_t *
more(struct script *s, size_t len)
{
	if (s->len + len > s->room) {
		s->room = 2 * (s->len + len);
		if ((s->bytes = realloc(s->bytes, s->room)) == NULL)
			err(2, "realloc");
	}
	s->len += len;
	return s->bytes + s->len - len;
}

static void
add(struct script *s, const void *data, size_t len)
{
	memcpy(more(s, len), data, len);
}

static void
add_str(struct script *s, const char *text)
{
	add(s, text, strlen(text) + 1);
}

/* Where the packet begins; end_packet() fills in its length. */
static size_t
begin_packet(struct script *s, char command)
{
	size_t	 start = s->len;

	more(s, 4);
	add(s, &command, 1);
	return start;
}

static void
end_packet(struct script *s, size_t start)
{
	uint32_t	 len = htonl((uint32_t)(s->len - start - 4));

	memcpy(s->bytes + start, &len, sizeof(len));
}

static void
wait_here(struct script *s)
{
	s->waits = reallocarray(s->waits, s->n_waits + 1, sizeof(*s->waits));
	if (s->waits == NULL)
		err(2, "reallocarray");
	s->waits[s->n_waits++] = s->len;
}

/* Names and values in turn, up to NULL. */
static void
add_macros(struct script *s, char command, const char *const pairs[])
{
	size_t	 start = begin_packet(s, 'D');

	add(s, &command, 1);
	for (size_t i = 0; pairs[i] != NULL; i++)
		add_str(s, pairs[i]);
	end_packet(s, start);
}

/* A step of one or two strings; second may be NULL, and first too. */
static void
add_step(struct script *s, char command, const char *first,
    const char *second, bool is_answered)
{
	size_t	 start = begin_packet(s, command);

	if (first != NULL)
		add_str(s, first);
	if (second != NULL)
		add_str(s, second);
	end_packet(s, start);
	if (is_answered)
		wait_here(s);
}

static void
add_field(struct script *s, uint32_t steps, const char *name,
    const char *value)
{
	if ((steps & NO_HEADER) == 0)
		add_step(s, 'L', name,
		    steps & LEADING_SPACE ? value : value + 1,
		    (steps & NR_HEADER) == 0);
}

/* All of them, so that nobody is hidden. */
static void
add_to(struct script *s, const struct mail *mail, uint32_t steps)
{
	char	*value = NULL;
	size_t	 len;
	FILE	*out = open_memstream(&value, &len);

	if (out == NULL)
		err(2, "open_memstream");
	for (size_t i = 0; i < mail->n_to; i++)
		fprintf(out, "%s%s", i == 0 ? " " : ",\n\t", mail->to[i]);
	if (fclose(out) == EOF)
		err(2, "open_memstream");
	add_field(s, steps, "To", value);
	free(value);
}

static void
add_headers(struct script *s, const struct mail *mail, uint32_t steps)
{
	char	 from[256];

	snprintf(from, sizeof(from), " Bench <%s>", mail->from);
	add_field(s, steps, "Received", " from client.test (client.test "
	    "[127.0.0.1])\n\tby mx.example.org (Postfix) with ESMTPSA id "
	    "4Xk1Qz2mYz\n\tfor <somebody@example.net>; "
	    "Wed, 25 Nov 2026 03:00:00 +0000 (UTC)");
	add_field(s, steps, "Date", " Wed, 25 Nov 2026 03:00:00 +0000");
	add_field(s, steps, "From", from);
	add_to(s, mail, steps);
	add_field(s, steps, "Message-ID", " <1@client.test>");
	add_field(s, steps, "Subject", " How fast is it?");
	add_field(s, steps, "MIME-Version", " 1.0");
	add_field(s, steps, "Content-Type", " text/plain; charset=us-ascii");
	if ((steps & NO_EOH) == 0)
		add_step(s, 'N', NULL, NULL, (steps & NR_EOH) == 0);
}

/*
 * Lines of text that nothing needs to be done to; a blank before the last
 * line end would be something.
 */
static void
add_body(struct script *s, size_t size, uint32_t steps)
{
	static const char	 text[] = "The quick brown fox jumps over the "
	    "lazy dog, and nobody minds it at all.\r\n";
	const size_t		 line = sizeof(text) - 1;

	for (size_t at = 0; at < size && (steps & NO_BODY) == 0; at += CHUNK) {
		size_t	 len = size - at < CHUNK ? size - at : CHUNK;
		size_t	 start = begin_packet(s, 'B');
		uint8_t	*chunk = more(s, len);

		for (size_t i = 0; i < len; i++)
			chunk[i] = (uint8_t)(at + i + 3 < size ?
			    text[(at + i) % line] :
			    ".\r\n"[at + i + 3 - size]);
		end_packet(s, start);
		if ((steps & NR_BODY) == 0)
			wait_here(s);
	}
}

void
client_write_script(struct script *s, const struct mail *mail, uint32_t steps)
{
	char	 address[256], size[32];

	snprintf(size, sizeof(size), "SIZE=%zu", mail->size + 1024);
	snprintf(address, sizeof(address), "<%s>", mail->from);
	add_macros(s, 'M', (const char *const[]){ "{auth_type}", "PLAIN",
	    "{auth_authen}", mail->from, "{mail_addr}", mail->from, NULL });
	if ((steps & NO_MAIL) == 0)
		add_step(s, 'M', address, size, (steps & NR_MAIL) == 0);
	for (size_t i = 0; i < mail->n_to && (steps & NO_RCPT) == 0; i++) {
		snprintf(address, sizeof(address), "<%s>", mail->to[i]);
		add_macros(s, 'R', (const char *const[]){ "{rcpt_addr}",
		    mail->to[i], NULL });
		add_step(s, 'R', address, NULL, (steps & NR_RCPT) == 0);
	}
	add_macros(s, 'T', (const char *const[]){ "i", "4Xk1Qz2mYz", NULL });
	if ((steps & NO_DATA) == 0)
		add_step(s, 'T', NULL, NULL, (steps & NR_DATA) == 0);
	add_headers(s, mail, steps);
	add_body(s, mail->size, steps);
	add_macros(s, 'E', (const char *const[]){ "i", "4Xk1Qz2mYz", NULL });
	add_step(s, 'E', NULL, NULL, false);
}

void
client_free_script(struct script *s)
{
	free(s->bytes);
	free(s->waits);
	*s = (struct script){ 0 };
}

static void
put(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t	 n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			err(2, "write to the milter");
		data += n;
		len -= (size_t)n;
	}
}

/* --- reading -------------------------------------------------------------------- */

static void
need(struct connection *c, size_t len)
{
	while (c->end - c->at < len) {
		ssize_t	 n;

		if (c->at > 0) {
			memmove(c->in, c->in + c->at, c->end - c->at);
			c->end -= c->at;
			c->at = 0;
		}
		n = read(c->fd, c->in + c->end, IN_ROOM - c->end);
		if (n == -1)
			err(2, "read from the milter");
		if (n == 0)
			errx(2, "the milter hung up");
		c->end += (size_t)n;
	}
}

/* The next packet's command; *data is good until the next call. */
static char
get(struct connection *c, const uint8_t **data, size_t *len)
{
	uint32_t	 size;
	const uint8_t	*packet;

	need(c, sizeof(size));
	memcpy(&size, c->in + c->at, sizeof(size));
	size = ntohl(size);
	if (size < 1 || size > PACKET_MAX)
		errx(2, "the milter sent a packet of %u bytes", size);
	need(c, sizeof(size) + size);
	packet = c->in + c->at + sizeof(size);
	c->at += sizeof(size) + size;
	*data = packet + 1;
	*len = size - 1;
	return (char)packet[0];
}

/* --- the conversation -------------------------------------------------------------- */

/* Is this packet of an edit one that sets the Content-Type to type? */
static bool
sets_type(char command, const uint8_t *data, size_t len, const char *type)
{
	static const char	 name[] = "Content-Type";
	size_t			 skip = command == 'h' ? 0 : 4;

	if (strchr("him", command) == NULL || len < skip + sizeof(name) ||
	    strncasecmp((const char *)data + skip, name, sizeof(name)) != 0)
		return false;
	skip += sizeof(name);
	return memmem(data + skip, len - skip, type, strlen(type)) != NULL;
}

bool
client_send(struct connection *c, const struct script *s,
    const struct mail *mail)
{
	const uint8_t	*data;
	size_t		 len, done = 0;
	bool		 has_body = false, has_type = false;
	char		 answer;

	for (size_t i = 0; i < s->n_waits; i++) {
		put(c->fd, s->bytes + done, s->waits[i] - done);
		done = s->waits[i];
		if (get(c, &data, &len) != 'c')
			return false;
	}
	put(c->fd, s->bytes + done, s->len - done);
	for (;;) {
		answer = get(c, &data, &len);
		if (answer == 'b')
			has_body = true;
		else if (sets_type(answer, data, len, mail->new_type))
			has_type = true;
		else if (strchr("himp", answer) == NULL)
			break;
	}
	return (answer == 'a' || answer == 'c') && has_body && has_type;
}

static void
negotiate(struct connection *c)
{
	uint32_t	 offer[] = { htonl(MILTER_VERSION), htonl(ACTIONS),
			    htonl(STEPS) };
	uint32_t	 agreed[3];
	struct script	 s = { 0 };
	size_t		 start = begin_packet(&s, 'O'), len;
	const uint8_t	*data;

	add(&s, offer, sizeof(offer));
	end_packet(&s, start);
	put(c->fd, s.bytes, s.len);
	client_free_script(&s);
	if (get(c, &data, &len) != 'O' || len < sizeof(agreed))
		errx(2, "the milter does not negotiate");
	memcpy(agreed, data, sizeof(agreed));
	c->steps = ntohl(agreed[2]);
}

static void
say_hello(struct connection *c)
{
	uint16_t	 port = htons(40000);
	struct script	 s = { 0 };
	size_t		 start, len;
	const uint8_t	*data;

	add_macros(&s, 'C', (const char *const[]){ "j", "mx.example.org",
	    "{daemon_name}", "mx.example.org", "v", "Postfix 3.7.11", NULL });
	if ((c->steps & NO_CONNECT) == 0) {
		start = begin_packet(&s, 'C');
		add_str(&s, "client.test");
		add(&s, "4", 1);
		add(&s, &port, sizeof(port));
		add_str(&s, "127.0.0.1");
		end_packet(&s, start);
		if ((c->steps & NR_CONNECT) == 0)
			wait_here(&s);
	}
	if ((c->steps & NO_HELO) == 0)
		add_step(&s, 'H', "client.test", NULL,
		    (c->steps & NR_HELO) == 0);
	put(c->fd, s.bytes, s.len);
	for (size_t i = 0; i < s.n_waits; i++)
		if (get(c, &data, &len) != 'c')
			errx(2, "the milter does not want the connection");
	client_free_script(&s);
}

void
client_open(struct connection *c, const char *path)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(sun.sun_path))
		errx(2, "%s: too long for a socket", path);
	memcpy(sun.sun_path, path, strlen(path));
	*c = (struct connection){ .in = malloc(IN_ROOM) };
	if (c->in == NULL)
		err(2, "malloc");
	if ((c->fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1 ||
	    connect(c->fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		err(2, "%s", path);
	negotiate(c);
	say_hello(c);
}

void
client_close(struct connection *c)
{
	struct script	 s = { 0 };

	add_step(&s, 'Q', NULL, NULL, false);
	put(c->fd, s.bytes, s.len);
	client_free_script(&s);
	close(c->fd);
	free(c->in);
}
