/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "milter/mail.h"

struct mail *
mail_new(const struct spool_options *options)
{
	struct mail	*mail = mem_alloc(sizeof(*mail));

	mail->sender = mem_str("");
	mail->headers = headers_new();
	mail->body = spool_new(options);
	return mail;
}

void
mail_set(char **field, const char *value)
{
	free(*field);
	*field = mem_str(value);
}

void
mail_add_recipient(struct mail *mail, const char *addr)
{
	mail->recipients = mem_grow(mail->recipients, mail->n_recipients + 1,
	    sizeof(*mail->recipients));
	mail->recipients[mail->n_recipients++] = mem_str(addr);
}

bool
mail_has_room(struct mail *mail, size_t max)
{
	if (mail->n_recipients < max)
		return true;
	if (mail->failure.kind == ERR_NONE)
		err_limit(&mail->failure, ERR_MESSAGE, LIMIT_RECIPIENTS,
		    "more than %zu recipients (max-recipients)", max);
	return false;
}

void
mail_expect(struct mail *mail, size_t len, size_t max)
{
	if (max != 0 && len > max)
		err_limit(&mail->failure, ERR_MESSAGE, LIMIT_MESSAGE_SIZE,
		    "the mail is announced as %zu bytes", len);
	else
		spool_expect(mail->body, len);
}

void
mail_add_header(struct mail *mail, const char *name, const char *value)
{
	/* The log tells whose mail it was that is too large. */
	if (mail->failure.kind == ERR_NONE ||
	    mail->failure.limit == LIMIT_MESSAGE_SIZE)
		headers_add(mail->headers, name, value, &mail->failure);
}

void
mail_add_body(struct mail *mail, const void *data, size_t len)
{
	if (mail->failure.kind != ERR_NONE)
		return;
	scan_add(&mail->scan, data, len);
	spool_add(mail->body, data, len, &mail->failure);
}

void
mail_free(struct mail *mail)
{
	if (mail == NULL)
		return;
	for (size_t i = 0; i < mail->n_recipients; i++)
		free(mail->recipients[i]);
	free(mail->recipients);
	free(mail->queue_id);
	free(mail->login);
	free(mail->client);
	free(mail->sender);
	headers_free(mail->headers);
	spool_free(mail->body);
	free(mail);
}

char *
mail_strip_brackets(const char *addr)
{
	size_t	 len = strlen(addr);

	if (len >= 2 && addr[0] == '<' && addr[len - 1] == '>')
		return mem_strn(addr + 1, len - 2);
	return mem_str(addr);
}
