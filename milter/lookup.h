/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_LOOKUP_H
#define MILTER_LOOKUP_H

#include <stdint.h>

#include "base/err.h"
#include "milter/find_cache.h"
#include "policy/decide.h"
#include "store/custody.h"

/*
 * One mail's questions about certificates.  Once one of them found nobody to
 * answer, the others are not asked: the mail waits either way, and each would
 * take its time.
 */
struct lookup {
	struct custody	*custody;
	struct find_cache *found;	/* what it found earlier; or NULL */
	const char	*delimiters;	/* of sub-addresses */
	int64_t		 now;
	struct err	 outage;	/* the first failure; zero at first */
};

/*
 * *out is the caller's; NULL after a failure, which *err tells.
 *
 * To sign, the certificate has to be for this very address: that is what the
 * recipient's program compares with From (RFC 8550, section 3).  To encrypt to
 * a sub-address that has none that is usable, those without its tag count.
 */
void	lookup_sign(struct lookup *, const char *addr, struct finding **out,
	    struct err *);
void	lookup_encrypt(struct lookup *, const char *addr,
	    struct finding **out, struct err *);

/* lookup_encrypt() for many: out[i] and *err as above, with one answer each. */
void	lookup_encrypt_all(struct lookup *, const char *const *addrs, size_t n,
	    struct finding **out, struct err *);

/*
 * What was found, as decide() takes it.  finding NULL: err tells why, or was
 * never set because nobody asked.  *reason is borrowed from either, or NULL.
 */
enum cert_fact lookup_fact(const struct finding *, const struct err *,
	    const char **reason);

#endif
