/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_CUSTODY_H
#define STORE_CUSTODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alg.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "store/master_key.h"

/*
 * All that the rest of the program may ask of certificates and keys.
 * Two implementations: custody_open() in custody.c goes straight to the store,
 * vault_client_open() in milter/ asks the vault that owns it.  A filter's
 * channel to the vault answers custody_find() and custody_sign() only.
 *
 * Any number of threads may use one handle at once.
 * Addresses are normalised by addr_normalise().  Times are seconds since the
 * epoch.  Every call returns false with ERR_TEMP when the store or the vault
 * cannot answer.
 */
struct custody;

enum cert_use {
	CERT_USE_SIGN,		/* a certificate to sign with, and its key */
	CERT_USE_ENCRYPT	/* a certificate to encrypt to */
};

/* What a record says about trust in a certificate (DESIGN.md 9.9). */
enum cert_state {
	CERT_TRUSTED,		/* a leaf, for its addresses, without any CA */
	CERT_ANCHOR,		/* a CA: all it issues is trusted */
	CERT_CHAIN,		/* material: usable only under an anchor */
	CERT_DISTRUSTED		/* never used, nor what it issued */
};
const char *cert_state_name(enum cert_state);	/* "trusted", "anchor", ... */

struct event;
struct event_cursor;
struct event_page;
struct event_query;
struct stamp_keys;

/* --- what a filter asks ------------------------------------------------ */

/* A certificate that was considered, and what spoke against it. */
struct candidate {
	struct fingerprint	 fp;
	int64_t			 not_before;
	int64_t			 not_after;
	bool			 has_key;
	char			*reason;	/* NULL: usable */
};

struct finding {
	struct candidate	*candidates;	/* usable ones first, best first */
	size_t			 n;
	uint8_t			*der;		/* of candidates[0]; NULL if none is usable */
	size_t			 der_len;
	char			*reason;	/* why none is usable, in a few words; else NULL */
};

/*
 * Who can sign as this address, or decrypt mail to it?  "Nobody" is an answer
 * (true, der NULL).  *out is the caller's: finding_free().
 */
bool	custody_find(struct custody *, const char *addr, enum cert_use,
	    int64_t now, struct finding **out, struct err *);
void	finding_free(struct finding *);
/*
 * The same for n addresses, asked at once: out[i] for addrs[i], each the
 * caller's.  After a failure all of out is NULL.
 */
bool	custody_find_all(struct custody *, const char *const *addrs, size_t n,
	    enum cert_use, int64_t now, struct finding **out, struct err *);

struct sign_request {
	struct fingerprint	 fp;		/* the certificate to sign with */
	const char		*from;		/* the address signed for */
	const char		*login;		/* who claims it; NULL: nobody logged in */
	const char		*client;	/* "192.0.2.7", "local" or NULL */
	const char		*queue_id;	/* for the record; may be NULL */
	enum digest		 digest;
	bool			 use_pss;	/* RSA keys: RSASSA-PSS */
	uint8_t			 hash[DIGEST_LEN_MAX];	/* of the entity */
	/* For the store: signatures that one key may make; 0: any number. */
	uint32_t		 per_minute;
};

/*
 * A finished detached SignedData (DER, RFC 8551, section 3.5) over the hash:
 * signer and intermediates inside, never the root; signed attributes
 * contentType, messageDigest, signingTime, smimeCapabilities and
 * signingCertificateV2.  ERR_DATA: the certificate cannot sign for this
 * address; the gate is asked again here.  ERR_TEMP, too, if its key has made
 * too many signatures of late.
 */
bool	custody_sign(struct custody *, const struct sign_request *,
	    struct buf *signed_data, struct err *);

/*
 * What became of a mail (EVENT_MAIL), for smimectl log.  Does not wait; where
 * the vault is busy the event is lost, and the log line remains.
 */
void	custody_note(struct custody *, const struct event *);

/* --- what the administrator's tool asks -------------------------------- */

/*
 * Who asks, in words; borrowed by custody_as(), which is the same custody in
 * another's name.  It is kept with what he adds, and in events.
 */
void	custody_set_who(struct custody *, const char *who);
struct custody *custody_as(struct custody *, const char *who);

/* How a private key is held (DESIGN.md 6, 9.10). */
enum key_protection {
	KEY_NONE,		/* there is no key */
	KEY_SEALED,		/* came unprotected; sealed under the master key */
	KEY_PASSPHRASE		/* came under a passphrase, which it keeps */
};

/* A revocation list of a CA. */
struct crl_entry {
	int64_t			 added;
	int64_t			 this_update;
	int64_t			 next_update;	/* 0: not said */
	uint32_t		 n_revoked;
};

/* A certificate as the store has it, everything needed to list or show it. */
struct cert_entry {
	struct fingerprint	 fp;
	uint8_t			*der;
	size_t			 der_len;
	enum cert_state		 state;
	int64_t			 added;
	char			*source;	/* what it was imported from */
	char			*added_by;	/* by whom, "" if that is not known */
	enum key_protection	 key;
	char			*trusted_by;	/* anchor or itself, in words; NULL: untrusted */
	char			*untrusted;	/* why it is not trusted; or NULL */
	bool			 is_revoked;	/* untrusted says when */
	struct crl_entry	*crls;		/* of a CA */
	size_t			 n_crls;
};

/*
 * Entries in the order of their fingerprints, at most max of them, beginning
 * after `after` (NULL: from the start).  *n is 0 at the end.
 */
bool	custody_list(struct custody *, const struct fingerprint *after,
	    size_t max, int64_t now, struct cert_entry **out, size_t *n,
	    struct err *);
/*
 * Entries whose fingerprint begins with these hex digits, or for an address,
 * or after CUSTODY_BY_KEY with this public key: 64 hex digits, the SHA-256 of
 * its SubjectPublicKeyInfo.
 */
#define CUSTODY_BY_KEY	"key:"
bool	custody_lookup(struct custody *, const char *prefix_or_addr, int64_t now,
	    struct cert_entry **out, size_t *n, struct err *);
void	cert_entry_free(struct cert_entry *, size_t n);

enum put_verdict {
	PUT_ADDED,
	PUT_KNOWN,	/* was there already; nothing changed */
	PUT_REFUSED	/* reason says why */
};

struct put_result {
	enum put_verdict	 verdict;
	enum cert_state		 state;		/* of the certificate as it is now */
	char			*reason;	/* of a refusal, or a remark; may be NULL */
};

struct put_cert {
	const uint8_t		*der;		/* borrowed */
	size_t			 der_len;
	enum cert_state		 state;		/* as asked for; the store may grant less */
	const char		*source;
};

/*
 * Add certificates, all in one transaction; one result each.  A leaf that
 * would displace another is stored as CERT_CHAIN with a remark, see
 * DESIGN.md 9.9.  The caller frees results[].reason.
 */
bool	custody_put_certs(struct custody *, const struct put_cert *, size_t n,
	    int64_t now, struct put_result *results, struct err *);

struct put_crl {
	const uint8_t		*der;		/* borrowed */
	size_t			 der_len;
	const char		*source;
	bool			 is_dry_run;	/* only say what would be done */
};

/*
 * Keep a revocation list in place of an older one.  Refused unless a
 * certificate of the CA that has signed it is there.
 */
bool	custody_put_crl(struct custody *, const struct put_crl *, int64_t now,
	    struct put_result *, struct err *);
/*
 * Forget the lists of a CA, by one of its certificates.  ERR_DATA: there are
 * none.
 */
bool	custody_remove_crls(struct custody *, const struct fingerprint *,
	    struct err *);

struct put_key {
	const uint8_t		*plain;		/* PKCS#8 PrivateKeyInfo, DER; borrowed */
	size_t			 plain_len;
	const uint8_t		*wrapped;	/* EncryptedPrivateKeyInfo, DER, kept as it is; NULL if none */
	size_t			 wrapped_len;
	const char		*source;
};

/* Refused unless a certificate with its public key is there. */
bool	custody_put_key(struct custody *, const struct put_key *, int64_t now,
	    struct put_result *, struct err *);

/*
 * The key of a certificate, for export.  KEY_PASSPHRASE: out is the
 * EncryptedPrivateKeyInfo as it was imported.  KEY_SEALED: the plain
 * PrivateKeyInfo; out->is_secret is set.  KEY_NONE: empty.
 */
bool	custody_get_key(struct custody *, const struct fingerprint *,
	    enum key_protection *, struct buf *out, struct err *);

/* The issuing certificates that the store has, nearest first, root included. */
bool	custody_chain(struct custody *, const struct fingerprint *, int64_t now,
	    struct cert_entry **out, size_t *n, struct err *);

/* ERR_DATA: there is no such certificate. */
bool	custody_set_state(struct custody *, const struct fingerprint *,
	    enum cert_state, struct err *);
/* Takes the key along with its last certificate, or the key alone. */
bool	custody_remove(struct custody *, const struct fingerprint *,
	    bool key_only, struct err *);

/*
 * Seal all keys under another master key, as one change (store/rewrap.h).
 * *n is how many there were.
 */
bool	custody_rewrap(struct custody *,
	    const uint8_t new_master[MASTER_KEY_LEN], int64_t now, size_t *n,
	    struct err *);

/*
 * The next page of what was done, newest first (store/event_table.h).  The
 * caller's: event_page_free().
 */
bool	custody_events(struct custody *, const struct event_query *,
	    struct event_cursor *, struct event_page *, struct err *);

/*
 * Records as they are, from the cursor on (store/dump.h), about max bytes of
 * them; none at the end.
 */
bool	custody_records(struct custody *, struct buf *cursor, size_t max,
	    struct buf *rows, struct err *);

/*
 * Look at more records, from the cursor on, and add what is wrong with them
 * (store/verify.h).  The cursor is empty at the end.
 */
struct verify_findings;
bool	custody_verify(struct custody *, struct buf *cursor,
	    struct verify_findings *, struct err *);

/* --- what the vault alone has --------------------------------------------- */

/*
 * What stamps are made and checked with now (store/stamp_key.h); asked anew
 * for each, for the master key may change.  A few microseconds.  Never goes
 * over a socket: ERR_BUG there.
 */
bool	custody_stamp_keys(struct custody *, struct stamp_keys *,
	    struct err *);

void	custody_close(struct custody *);

/* --- for implementations ------------------------------------------------ */

struct custody_ops {
	bool	(*find)(void *, const char *, enum cert_use, int64_t,
		    struct finding **, struct err *);
	/* May find fewer than n, but one: *n_found.  NULL: find() does it. */
	bool	(*find_some)(void *, const char *const *, size_t n,
		    enum cert_use, int64_t, struct finding **,
		    size_t *n_found, struct err *);
	bool	(*sign)(void *, const struct sign_request *, struct buf *,
		    struct err *);
	bool	(*list)(void *, const struct fingerprint *, size_t, int64_t,
		    struct cert_entry **, size_t *, struct err *);
	bool	(*lookup)(void *, const char *, int64_t, struct cert_entry **,
		    size_t *, struct err *);
	/* NULL: events are not kept */
	void	(*note)(void *, const struct event *);
	/* Who asks comes second where it matters; "" if nobody said. */
	bool	(*put_certs)(void *, const char *, const struct put_cert *,
		    size_t, int64_t, struct put_result *, struct err *);
	bool	(*put_crl)(void *, const char *, const struct put_crl *,
		    int64_t, struct put_result *, struct err *);
	bool	(*remove_crls)(void *, const char *,
		    const struct fingerprint *, struct err *);
	bool	(*put_key)(void *, const char *, const struct put_key *,
		    int64_t, struct put_result *, struct err *);
	bool	(*get_key)(void *, const char *, const struct fingerprint *,
		    enum key_protection *, struct buf *, struct err *);
	bool	(*chain)(void *, const struct fingerprint *, int64_t,
		    struct cert_entry **, size_t *, struct err *);
	bool	(*set_state)(void *, const char *, const struct fingerprint *,
		    enum cert_state, struct err *);
	bool	(*remove)(void *, const char *, const struct fingerprint *,
		    bool, struct err *);
	bool	(*rewrap)(void *, const char *, const uint8_t *, int64_t,
		    size_t *, struct err *);
	bool	(*events)(void *, const struct event_query *,
		    struct event_cursor *, struct event_page *, struct err *);
	bool	(*records)(void *, struct buf *, size_t, struct buf *,
		    struct err *);
	bool	(*verify)(void *, struct buf *, struct verify_findings *,
		    struct err *);
	bool	(*stamp_keys)(void *, struct stamp_keys *, struct err *);
	void	(*close)(void *);
};

/* The handle over an implementation; arg goes to each call. */
struct custody *custody_new(const struct custody_ops *, void *arg);

struct store;
/* The store itself as a custody; owns the store from then on. */
struct custody *custody_of_store_take(struct store *);

#endif
