/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SMIME_SCAN_H
#define SMIME_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What keeps bytes from being signed as they are (RFC 8551, section 3.1):
 * some program between here and the recipient may change them.
 */
enum scan_finding {
	SCAN_8BIT = 1,		/* a byte over 127 */
	SCAN_NUL = 2,
	SCAN_BARE_CR = 4,	/* CR without LF */
	SCAN_BARE_LF = 8,	/* LF without CR */
	SCAN_LONG = 16,		/* a line over 998 bytes (RFC 5322, 2.1.1) */
	SCAN_BLANK = 32,	/* space or tab before a line's end, or at the end */
	SCAN_FROM = 64		/* a line that begins with "From " */
};

#define SCAN_LINE_MAX	998

/*
 * Fed while the body arrives, at any split.  Zero-initialised is a new one.
 * The fields are the scanner's own; ask with scan_end().
 */
struct scan {
	unsigned	 found;
	size_t		 line_len;	/* of the unfinished line, its CR too */
	uint8_t		 head[5];	/* its first bytes */
	uint8_t		 last;		/* its last byte, and the one before */
	uint8_t		 before;
	size_t		 n_cr;		/* that no LF has followed, up to here */
};

void	 scan_add(struct scan *, const void *, size_t len);
/* Nothing more comes: all findings, 0 for clean. */
unsigned scan_end(struct scan *);
/* All bytes in one call. */
unsigned scan_bytes(const void *, size_t len);
/* "8-bit bytes, lines over 998 bytes": findings in words, never empty. */
const char *scan_words(unsigned found, char *out, size_t out_len);

#endif
