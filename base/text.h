/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SHA-256 over a certificate's DER: the name that everything knows it by. */
struct fingerprint {
	uint8_t	 bytes[32];
};

#define TEXT_FP_LEN	(2 * 32 + 1)
#define TEXT_TIME_LEN	32

/* 64 lower-case hex digits. */
void	text_fp(const struct fingerprint *, char out[TEXT_FP_LEN]);
/*
 * Hex digits of either case, with or without colons or spaces between, into
 * bytes.  Returns how many digits were read, -1 where anything else stands or
 * there are more than 64.
 */
int	text_fp_parse(const char *, struct fingerprint *);
bool	text_fp_equal(const struct fingerprint *, const struct fingerprint *);

/* Seconds since the epoch as 2026-11-25T01:00:55Z (RFC 3339); and its date. */
void	text_time(int64_t, char out[TEXT_TIME_LEN]);
void	text_date(int64_t, char out[TEXT_TIME_LEN]);

/* Valid UTF-8 (RFC 3629) from end to end; NUL is a character like others. */
bool	text_is_utf8(const char *, size_t len);

/*
 * Is it UTF-8 in which each character can be seen?  Not so with controls,
 * blanks of any kind, and what has no width or only changes its neighbours.
 */
bool	text_is_visible(const char *, size_t len);
/*
 * Would it change how the text around it is shown: a control character, a line
 * end, or a mark that overrides or embeds a direction (Unicode UAX #9)?
 */
bool	text_reorders(const char *, size_t len);

void	text_hex(const void *, size_t len, char *out);	/* 2 * len + 1 bytes */

/*
 * A copy that is safe in a log line, on a terminal and in an SMTP reply:
 * control characters, quotes, backslashes and bidirectional marks appear
 * as \xNN, and so does every byte that is not part of valid UTF-8.
 * Cut at max bytes, with "..." at the end.  The caller frees it.
 */
char	*text_safe(const char *, size_t len, size_t max);
/*
 * The same for a distinguished name in the form of RFC 4514: its own escapes
 * stay as they are, and what has to be escaped becomes its "\NN".
 */
char	*text_safe_name(const char *, size_t len, size_t max);

#endif
