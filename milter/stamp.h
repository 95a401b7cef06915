/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_STAMP_H
#define MILTER_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "policy/override.h"
#include "smime/headers.h"
#include "store/stamp_key.h"

/*
 * What the first pass (role = stamp) tells the second (role = seal) about a
 * mail, in a header field that nobody else can make:
 *
 *	X-SMIME-Stamp: v=1; t=1764064874; l=...; c=...; s=...; w=-y; e=1;
 *	    d=...; m=...
 *
 * all in one line: the version, when, login, client and envelope sender (in
 * base64url; empty: there was none), the wishes to sign and to encrypt (y, n
 * or -), whether anybody could be encrypted to, the digest of what must not
 * change, and HMAC-SHA-256 over all before it.  There is one way only to
 * write a stamp; what reads alike and is written otherwise is refused.
 *
 * Pure: time and keys are arguments.  The vault makes and checks stamps.
 */
#define STAMP_FIELD		"X-SMIME-Stamp"
#define STAMP_DIGEST_LEN	32
#define STAMP_WORD_MAX		256	/* bytes of login, client or sender */
#define STAMP_SKEW		300	/* seconds that a clock may be set back */

struct stamp {
	int64_t		 time;		/* seconds since the epoch */
	char		*login;		/* NULL: nobody logged in */
	char		*client;	/* "192.0.2.7", "local"; NULL: unknown */
	char		*sender;	/* envelope; "" if null */
	enum wish	 sign;		/* WISH_NONE, _YES or _NO */
	enum wish	 encrypt;
	bool		 was_encryptable;	/* facts.was_encryptable */
	uint8_t		 digest[STAMP_DIGEST_LEN];
};

/*
 * The digest of what must not change between the passes: From, Sender, To,
 * Cc, Subject, Date, Message-ID and Content-* fields, as many as there are,
 * and the body.  Blanks at the ends of a field do not count, nor do empty
 * lines at the end of the body, which relays add and drop.
 */
bool	stamp_digest(const struct headers *, const uint8_t *body,
	    size_t body_len, uint8_t out[STAMP_DIGEST_LEN], struct err *);

/* The field's value, without a leading space.  ERR_MESSAGE: a word is too long. */
bool	stamp_make(const struct stamp *, const uint8_t key[STAMP_KEY_LEN],
	    char **out, struct err *);

/* Who asks about a stamp, and what he has in hand. */
struct stamp_query {
	const char	*text;		/* the field's value */
	const char	*sender;	/* the envelope's now */
	uint8_t		 digest[STAMP_DIGEST_LEN];	/* the mail's now */
};

/*
 * Is it a stamp of ours for this very mail, lifetime seconds old at most?
 * ERR_MESSAGE: it is not, and why.  ERR_TEMP: not yet, by the clock.  *out is the caller's: stamp_clear().
 */
bool	stamp_check(const struct stamp_query *, const struct stamp_keys *,
	    int64_t now, int64_t lifetime, struct stamp *out, struct err *);

void	stamp_clear(struct stamp *);	/* its strings */

/*
 * Who makes and checks stamps for a filter: the vault.  make sets the time.
 * ERR_TEMP: it cannot be asked; else as stamp_make() and stamp_check().
 */
struct stamper {
	bool	(*make)(void *arg, const struct stamp *, char **out,
		    struct err *);
	bool	(*check)(void *arg, const struct stamp_query *,
		    struct stamp *out, struct err *);
	void	*arg;
};

#endif
