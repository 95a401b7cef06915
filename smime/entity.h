/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SMIME_ENTITY_H
#define SMIME_ENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "smime/content_type.h"

#define ENTITY_DEPTH_MAX	32
#define ENTITY_PARTS_MAX	1000
#define ENTITY_FIELDS_MAX	200		/* header fields of one part */
#define ENTITY_HEADER_MAX	(128 * 1024)	/* bytes of one part's header */

enum entity_encoding {
	ENTITY_7BIT,		/* also where nothing is said */
	ENTITY_8BIT,
	ENTITY_BINARY,
	ENTITY_QP,
	ENTITY_BASE64,
	ENTITY_UNKNOWN		/* several, or a word nobody knows */
};

struct span {
	const uint8_t	*data;
	size_t		 len;
};

/* One header field of a part, its fold and line end included. */
struct entity_field {
	struct span	 whole;		/* "Name: value\r\n" */
	struct span	 name;
};

/*
 * Where one MIME part begins and ends; all spans point into the caller's
 * bytes and nothing is changed.  Of a multipart, preamble, children with
 * their delimiters, and epilogue make up the body, in this order.
 */
struct entity {
	struct span		 header;	/* without the empty line */
	struct span		 gap;		/* the empty line; empty if none */
	struct span		 body;
	struct entity_field	*fields;
	size_t			 n_fields;

	char			 type[CONTENT_TYPE_MAX];	/* the default where it says none */
	bool			 has_type;	/* one Content-Type that can be read */
	bool			 is_doubtful;	/* several, or garbage */
	enum entity_encoding	 encoding;

	struct entity		*parent;
	struct entity		*first;		/* of a multipart or message/rfc822 */
	struct entity		*next;
	struct span		 delimiter;	/* before this part, in a multipart */

	/* Of a multipart with parts.  A delimiter is a line, from the line
	 * end before it, if there is one, to its own. */
	char			 boundary[CONTENT_PARAM_MAX];
	struct span		 preamble;
	struct span		 close;		/* the end delimiter; may be missing */
	struct span		 epilogue;
};

/*
 * Read a part whose header and body are given apart (header may be empty).
 * ERR_MESSAGE: a limit is passed, with a sentence that says which.
 * Everything else is read as well as it can be: a multipart without boundary
 * or parts becomes a leaf.  RFC 2046, section 5.1; RFC 2045, section 5.2.
 */
bool	entity_parse(struct span header, struct span body,
	    struct entity **out, struct err *);
/* The next in the order of the bytes, children first; NULL at the end. */
struct entity *entity_next(const struct entity *);
/* Is it inside of top, at any depth? */
bool	entity_is_under(const struct entity *, const struct entity *top);
/* The i-th field of that name, unfolded to one line; the caller's to free. */
char	*entity_value(const struct entity *, const char *name, size_t i);
bool	entity_is_composite(const struct entity *);
void	entity_free(struct entity *);

#endif
