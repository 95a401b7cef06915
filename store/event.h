/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_EVENT_H
#define STORE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * What was done: to the store, and to each mail.  The log lines of the daemon
 * are the primary record; events are for looking them up by address.
 */
enum event_kind {
	EVENT_MAIL,		/* what became of a mail, as the filter says */
	EVENT_SIGNATURE,	/* made or refused, as the vault says */
	EVENT_GAP,		/* events that could not be kept */
	EVENT_IMPORT,
	EVENT_REMOVAL,
	EVENT_TRUST,		/* trust, distrust */
	EVENT_EXPORT,		/* of a private key */
	EVENT_REWRAP
};
#define EVENT_KIND_LAST		EVENT_REWRAP
const char *event_kind_name(enum event_kind);

/* The texts of an event, each there or not. */
enum event_field {
	EVENT_WHO,		/* the administrator */
	EVENT_QUEUE_ID,
	EVENT_ACTION,		/* "sign+encrypt"; "added"; the new state */
	EVENT_GROUP,
	EVENT_FROM,
	EVENT_LOGIN,
	EVENT_TO,		/* addresses with blanks between */
	EVENT_CERT,		/* fingerprint, 64 hex digits */
	EVENT_CIPHER,
	EVENT_DIGEST,		/* "sha-256:..." of the signed entity */
	EVENT_ABOUT,		/* addresses or subject of a certificate */
	EVENT_SOURCE,		/* what was imported */
	EVENT_REASON,
	EVENT_FIELDS
};
const char *event_field_name(enum event_field);	/* "queue_id" */

#define EVENT_TEXT_MAX	600	/* bytes kept of a text */
#define EVENT_TO_MAX	4096	/* of the recipients */
#define EVENT_BYTES_MAX	16384	/* of an event, encoded */

struct event {
	enum event_kind	 kind;
	int64_t		 at;		/* seconds since the epoch */
	bool		 is_failed;	/* refused, or to be tried again */
	uint32_t	 n_recipients;
	char		*text[EVENT_FIELDS];
};

/* A copy, cut where it is too long; NULL and "" are none. */
void	event_set(struct event *, enum event_field, const char *);
void	event_setf(struct event *, enum event_field, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
/* One more address for EVENT_TO or EVENT_ABOUT, if there is room. */
void	event_add_address(struct event *, enum event_field, const char *);
void	event_free(struct event *);

/* Is this address (normalised) among those of the event? */
bool	event_concerns(const struct event *, const char *addr);

/* As in the store and on the wire.  ERR_DATA: damaged, or of a newer version. */
void	event_encode(const struct event *, struct buf *);
bool	event_decode(const uint8_t *, size_t len, struct event *,
	    struct err *);

#endif
