/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_BENCH_FLOOR_H
#define TESTS_BENCH_FLOOR_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What the mathematics alone costs for one mail, in milliseconds of CPU: its
 * hash and one signature, if signed; a key for each recipient and
 * AES-256-CBC, if encrypted; base64 of what comes out.  With OpenSSL's
 * primitives, keys at hand, no copies, no ASN.1, no protocol.
 */
struct floor_work {
	const char	*sender_key;	/* a PEM file; NULL: not signed */
	const char	*recipient_key;	/* a PEM file; RSA or EC */
	size_t		 n_recipients;	/* 0: not encrypted */
	size_t		 size;
};

struct floor;

struct floor	*floor_new(const struct floor_work *);
/* The median of as many as fit into so long, three at least. */
double		 floor_measure(struct floor *, double seconds);
void		 floor_free(struct floor *);

#endif
