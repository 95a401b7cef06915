/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_VAULT_WIRE_H
#define MILTER_VAULT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "milter/stamp.h"
#include "store/custody.h"
#include "store/event_table.h"

/*
 * A request to the vault and its answer as bytes.  Each is one packet of a
 * SOCK_SEQPACKET socket:
 *
 *	request	version u8, op u8, id u32, then the call's arguments
 *	answer	version u8, kind u8, id u32, then
 *		    kind 0: the call's results
 *		    else: an enum err_kind, and the reason as a string
 *
 * Numbers are big-endian; bytes and strings have their length (u32) first.
 * An answer with id 0 is the supervisor's: whatever was asked before it, the
 * vault that was to answer has died.
 *
 * A reader never trusts a length: what does not fit makes it fail, and it
 * stays failed, so that a whole packet is read first and judged once.
 */
#define WIRE_VERSION	2
#define WIRE_MAX	(160 * 1024)	/* below the kernel's default for a packet */
#define WIRE_HEADER	6
#define WIRE_FIND_MAX	100	/* addresses in one packet */

enum wire_op {
	WIRE_FIND = 1,
	WIRE_SIGN,
	WIRE_MAKE_STAMP,
	WIRE_CHECK_STAMP,
	WIRE_NOTE,	/* an event; there is no answer */
	WIRE_FIND_SOME,		/* of these, as many as fit into a packet */
	/* From here on only on the admin socket. */
	WIRE_LIST,
	WIRE_LOOKUP,
	WIRE_PUT_CERTS,
	WIRE_PUT_KEY,
	WIRE_GET_KEY,
	WIRE_CHAIN,
	WIRE_SET_STATE,
	WIRE_REMOVE,
	WIRE_RELOAD,
	WIRE_PUT_CRL,		/* a piece of one, see struct wire_piece */
	WIRE_REMOVE_CRLS,
	WIRE_REWRAP,
	WIRE_EVENTS,
	WIRE_RECORDS,
	WIRE_VERIFY,
	WIRE_STATUS,
	WIRE_TROUBLES
};

void	wire_put_u8(struct buf *, uint8_t);
void	wire_put_u32(struct buf *, uint32_t);
void	wire_put_i64(struct buf *, int64_t);
void	wire_put_bytes(struct buf *, const void *, size_t len);
void	wire_put_str(struct buf *, const char *);	/* NULL is kept as NULL */
void	wire_put_fp(struct buf *, const struct fingerprint *);

struct wire_reader {
	const uint8_t	*p;
	size_t		 left;
	bool		 failed;
};

uint8_t	 wire_get_u8(struct wire_reader *);
uint32_t wire_get_u32(struct wire_reader *);
int64_t	 wire_get_i64(struct wire_reader *);
/* Borrowed from the packet; NULL and 0 after a failure. */
const uint8_t *wire_get_bytes(struct wire_reader *, size_t *len);
/* The caller's; NULL for NULL, after a failure, and with a NUL inside. */
char	*wire_get_str(struct wire_reader *);
void	 wire_get_fp(struct wire_reader *, struct fingerprint *);
/* An enum of the values 0 to last; anything else is a failure. */
uint8_t	 wire_get_enum(struct wire_reader *, uint8_t last);
/* Everything was read and nothing is left over. */
bool	 wire_is_done(const struct wire_reader *);

/* The values that custody.h speaks of.  What a get returns is the caller's. */
void	 wire_put_finding(struct buf *, const struct finding *);
struct finding *wire_get_finding(struct wire_reader *);

void	 wire_put_sign_request(struct buf *, const struct sign_request *);
/* Strings in *out are the caller's: wire_sign_request_clear(). */
void	 wire_get_sign_request(struct wire_reader *, struct sign_request *);
void	 wire_sign_request_clear(struct sign_request *);

void	 wire_put_stamp(struct buf *, const struct stamp *);
/* Strings in *out are the caller's: stamp_clear(). */
void	 wire_get_stamp(struct wire_reader *, struct stamp *);

/* As many of n entries as fit into a packet; the reader sees how many. */
void	 wire_put_entries(struct buf *, const struct cert_entry *, size_t n);
bool	 wire_get_entries(struct wire_reader *, struct cert_entry **,
	    size_t *n);

/*
 * What is larger than a packet goes as several, in order.  The last one is
 * answered; those before it are only acknowledged.
 */
struct wire_piece {
	uint8_t		 token[16];	/* random, of the whole */
	uint32_t	 total;		/* bytes of the whole */
	uint32_t	 offset;
	const uint8_t	*data;		/* borrowed */
	size_t		 len;
};
#define WIRE_PIECE	(128 * 1024)	/* bytes in one */
void	 wire_put_piece(struct buf *, const struct wire_piece *);
void	 wire_get_piece(struct wire_reader *, struct wire_piece *);
void	 wire_put_event(struct buf *, const struct event *);
/* Cleared by event_free(), whether it could be read or not. */
void	 wire_get_event(struct wire_reader *, struct event *);
void	 wire_put_cursor(struct buf *, const struct event_cursor *);
void	 wire_get_cursor(struct wire_reader *, struct event_cursor *);
#define WIRE_EVENTS_MAX	(WIRE_MAX / EVENT_BYTES_MAX)	/* of a packet */

void	 wire_put_result(struct buf *, const struct put_result *);
void	 wire_get_result(struct wire_reader *, struct put_result *);

#endif
