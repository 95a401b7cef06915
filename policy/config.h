/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICY_CONFIG_H
#define POLICY_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/alg.h"
#include "base/err.h"

/*
 * smime-milter.conf as it stands, with every default filled in.  Immutable
 * once parsed, so that any number of threads may read one.  What each option
 * means is in smime-milter.conf(5); the names are the same, "-" read as "_".
 */

enum want {
	WANT_NEVER,
	WANT_PREFER,		/* where it can be done */
	WANT_REQUIRE		/* or the mail is refused */
};

enum otherwise {
	OTHERWISE_PLAIN,	/* send without encryption */
	OTHERWISE_REJECT,
	OTHERWISE_TEMPFAIL
};

enum signed_format {
	FORMAT_DETACHED,	/* multipart/signed */
	FORMAT_OPAQUE		/* application/pkcs7-mime; signed-data */
};

/* How the content key reaches recipients whose key is RSA; EC has one way. */
enum key_management {
	KEY_MANAGEMENT_RSA,		/* PKCS #1 v1.5: all can read it */
	KEY_MANAGEMENT_RSA_OAEP		/* RFC 8017, with SHA-256 */
};

/* How RSA keys sign; EC has one way. */
enum signature_algorithm {
	SIGNATURE_RSA,			/* PKCS #1 v1.5: all can read it */
	SIGNATURE_RSA_PSS		/* RFC 4056 */
};

enum on_error {
	ON_ERROR_TEMPFAIL,
	ON_ERROR_REJECT,
	ON_ERROR_ACCEPT
};

/* The words of the configuration file: "require", "plain", "accept". */
const char *config_want_name(enum want);
const char *config_otherwise_name(enum otherwise);
const char *config_on_error_name(enum on_error);

/* A media type, maybe with a parameter: "text/calendar; method=reply". */
struct config_type {
	char	*text;		/* as it is told */
	char	*type;		/* lower case */
	char	*param;		/* NULL: whatever there is */
	char	*value;		/* NULL: any; else compared without case */
};

struct config_types {
	struct config_type	*list;
	size_t			 n;
};

/* Addresses, normalised; or "self". */
struct config_addresses {
	char	**list;
	size_t	  n;
};

/* What a group says about its mail. */
struct options {
	enum want		 sign;
	enum want		 encrypt;
	enum otherwise		 mixed;
	enum otherwise		 hidden;
	bool			 override;
	enum cipher		 cipher;
	enum digest		 digest;
	enum signature_algorithm	 signature_algorithm;
	enum key_management	 key_management;
	enum signed_format	 signed_format;
	enum on_error		 on_error;
	struct config_types	 skip_sign;
	struct config_types	 skip_encrypt;
	struct config_addresses	 also_encrypt_to;
};

struct config_group {
	char		*name;		/* "support", "default" */
	char		*label;		/* "group support", for reasons */
	int		 line;		/* where it begins; 0: not there */
	struct options	 options;	/* inheritance from default done */
};

/* What recipients need.  A want counts only where its has_ is set. */
struct config_recipients {
	char		*name;
	char		*label;		/* "recipients partner" */
	int		 line;
	bool		 has_sign;
	bool		 has_encrypt;
	bool		 has_cipher;
	bool		 has_signature_algorithm;
	bool		 has_key_management;
	bool		 has_signed_format;
	enum want	 sign;
	enum want	 encrypt;
	enum cipher	 cipher;
	enum signature_algorithm	 signature_algorithm;
	enum key_management	 key_management;
	enum signed_format	 signed_format;
};

enum role {
	ROLE_DIRECT,		/* one pass, one copy for all recipients */
	ROLE_STAMP,		/* first pass: who sent it, all recipients */
	ROLE_SEAL		/* second pass: stamped, for one recipient */
};
const char *config_role_name(enum role);

struct listener {
	char		*spec;		/* as libmilter takes it */
	char		*path;		/* of a unix socket, or NULL */
	enum role	 role;
	char		*group;		/* who may connect; "" is unchanged */
	mode_t		 mode;		/* of a unix socket */
	bool		 insecure_network;	/* may listen beyond loopback */
	int		 line;
};

/* Whether the sender of a mail may use its From address; see identity.h. */
enum identities {
	IDENTITIES_LOGIN,	/* the login is the address */
	IDENTITIES_ANY,		/* the MTA has checked */
	IDENTITIES_FILE		/* lines of a file, besides the login itself */
};

struct network {
	uint8_t	 addr[16];	/* IPv4 as ::ffff:a.b.c.d */
	int	 bits;		/* of 128 */
};

struct authorize {
	bool		 authenticated;
	bool		 local;
	struct network	*networks;
	size_t		 n_networks;
	enum identities	 identities;
	char		*identities_file;	/* or NULL */
};

struct group_table;		/* policy/group.h */
struct identity_table;		/* policy/identity.h */

struct config {
	char			*path;		/* of the file, for reasons */
	bool			 enabled;
	char			*store;
	char			*master_key;
	char			*user;
	char			*filter_user;
	bool			 subject_tags;
	char			*subaddress_delimiter;	/* characters; "": none */
	bool			 refuse_at_rcpt;	/* see early.h */

	size_t			 max_message_size;	/* bytes */
	size_t			 max_recipients;
	size_t			 spool_memory;		/* bytes, all mails together */
	uint64_t		 spool_disk;		/* bytes, likewise */
	char			*spool_dir;
	size_t			 max_connections;	/* of a listener */
	size_t			 max_mails;		/* in hand, of a listener */
	int			 vault_timeout;		/* seconds */
	size_t			 key_rate;		/* signatures in a minute */
	int			 stamp_lifetime;	/* seconds */
	char			*metrics;		/* a socket, or "" */

	struct listener		*listeners;
	size_t			 n_listeners;
	struct authorize	 authorize;

	struct config_group		 default_group;
	struct config_group		*groups;	/* in file order */
	size_t			 n_groups;
	struct config_recipients	*recipients;	/* in file order */
	size_t			 n_recipients;

	/* Indexes over the above, made by config_parse(). */
	struct group_table	*group_members;
	struct group_table	*recipients_members;
	struct identity_table	*identities;

	/* What `check` tells: sentences that begin with file:line. */
	char			**warnings;
	size_t			 n_warnings;
};

/*
 * The line of a group or a section by its label, as reasons and rules name it;
 * 0: the file has no such section.
 */
int	config_line(const struct config *, const char *label);

/* A file that the configuration consists of, as bytes. */
struct config_source {
	char	*path;
	char	*bytes;
	size_t	 len;
};

/*
 * The configuration file and those that it names, read and parsed.  *out is
 * the caller's: config_free().  ERR_CONFIG: what is wrong, as "file:line:
 * found X, wanted Y".
 */
bool	config_read(const char *path, struct config **out, struct err *);
void	config_free(struct config *);
/* Is there a listener with this role? */
bool	config_has_role(const struct config *, enum role);

#endif
