/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#include "base/limit.h"

/* What went wrong, by what it means for the mail in hand. */
enum err_kind {
	ERR_NONE,
	ERR_TEMP,	/* memory, disk, the vault: try the mail again later */
	ERR_MESSAGE,	/* this mail cannot be handled as it is */
	ERR_DATA,	/* this certificate, key, bundle or record is unfit */
	ERR_CONFIG,	/* the administrator has to change something */
	ERR_BUG		/* ours; treated as ERR_TEMP where mail is concerned */
};

/*
 * A kind and a sentence: what was looked at, what was found, what was wanted.
 * The lowest level writes it; each level above prefixes what it alone knows.
 */
struct err {
	enum err_kind	 kind;
	enum limit	 limit;		/* that was reached, or LIMIT_NONE */
	char		 reason[768];
};

/* Each of these returns false, so that "return err_set(...)" reads well. */
bool	err_set(struct err *, enum err_kind, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
/* As err_set(), because a limit is reached. */
bool	err_limit(struct err *, enum err_kind, enum limit, const char *fmt,
	    ...) __attribute__((format(printf, 4, 5)));
/* As err_set(), followed by ": " and the text of errno. */
bool	err_errno(struct err *, enum err_kind, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
/* As err_set(), with the first reason in OpenSSL's queue, which is emptied. */
bool	err_openssl(struct err *, enum err_kind, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
/* Put "what: " before the reason. */
bool	err_prefix(struct err *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
void	err_clear(struct err *);

#if defined(__clang_analyzer__) && !defined(BASE_ERR_C)
/* It sees one file at a time; this is what it has to know of another. */
#define err_set(...)		((void)err_set(__VA_ARGS__), false)
#define err_limit(...)		((void)err_limit(__VA_ARGS__), false)
#define err_errno(...)		((void)err_errno(__VA_ARGS__), false)
#define err_openssl(...)	((void)err_openssl(__VA_ARGS__), false)
#define err_prefix(...)		((void)err_prefix(__VA_ARGS__), false)
#endif

#endif
