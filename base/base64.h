/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Lines of base64 (RFC 2045, section 6.8): 64 characters and CRLF. */
#define BASE64_LINE_IN	48
#define BASE64_LINE_OUT	66

/* n_lines whole lines, all of them with CRLF. */
void	base64_lines(uint8_t *out, const uint8_t *in, size_t n_lines);
/* The last line, of 1 to 48 bytes; returns its length, with CRLF. */
size_t	base64_last(uint8_t out[BASE64_LINE_OUT], const uint8_t *in,
	    size_t len);
/* What so many bytes become. */
size_t	base64_len(size_t len);

#endif
