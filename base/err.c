/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#define BASE_ERR_C
#include "base/err.h"

bool
err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	va_list	 ap;

	err->kind = kind;
	err->limit = LIMIT_NONE;
	va_start(ap, fmt);
	vsnprintf(err->reason, sizeof(err->reason), fmt, ap);
	va_end(ap);
	return false;
}

bool
err_limit(struct err *err, enum err_kind kind, enum limit limit,
    const char *fmt, ...)
{
	va_list	 ap;

	err->kind = kind;
	err->limit = limit;
	va_start(ap, fmt);
	vsnprintf(err->reason, sizeof(err->reason), fmt, ap);
	va_end(ap);
	return false;
}

static void
append(struct err *err, const char *text)
{
	size_t	 len = strlen(err->reason);

	snprintf(err->reason + len, sizeof(err->reason) - len, ": %s", text);
}

bool
err_errno(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	int	 saved = errno;
	va_list	 ap;

	err->kind = kind;
	err->limit = LIMIT_NONE;
	va_start(ap, fmt);
	vsnprintf(err->reason, sizeof(err->reason), fmt, ap);
	va_end(ap);
	/* Safe among threads since glibc 2.32. */
	append(err, strerror(saved));
	return false;
}

/*
 * The first entry is the cause; those after it are callers' remarks.  The
 * queue belongs to the thread, and libmilter changes threads between
 * callbacks, so nothing may stay in it.
 */
bool
err_openssl(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	unsigned long	 code = ERR_get_error();
	const char	*text = code != 0 ? ERR_reason_error_string(code) : NULL;
	va_list		 ap;

	err->kind = kind;
	err->limit = LIMIT_NONE;
	va_start(ap, fmt);
	vsnprintf(err->reason, sizeof(err->reason), fmt, ap);
	va_end(ap);
	if (text != NULL)
		append(err, text);
	else if (code != 0) {
		char	 number[64];

		snprintf(number, sizeof(number), "OpenSSL error %lx", code);
		append(err, number);
	}
	ERR_clear_error();
	return false;
}

bool
err_prefix(struct err *err, const char *fmt, ...)
{
	char	 old[sizeof(err->reason)];
	va_list	 ap;

	memcpy(old, err->reason, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(err->reason, sizeof(err->reason), fmt, ap);
	va_end(ap);
	append(err, old);
	return false;
}

void
err_clear(struct err *err)
{
	err->kind = ERR_NONE;
	err->limit = LIMIT_NONE;
	err->reason[0] = '\0';
}
