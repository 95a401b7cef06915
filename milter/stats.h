/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_STATS_H
#define MILTER_STATS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "policy/decide.h"

/*
 * What the daemon counts, in memory that all its processes share.  The
 * supervisor makes it before its first child; each process adds to it, by
 * single atomic additions, and counts go on where a killed process left them.
 * They are numbers only, and nothing is decided by them: a broken-into filter
 * can make them lie, no more.
 *
 * Without stats_open() (smimectl, tests) adding does nothing.
 */
bool	stats_open(struct err *);

/* --- processes ----------------------------------------------------------- */

enum stats_process {
	STATS_SUPERVISOR,
	STATS_VAULT,
	STATS_FILTER,
	STATS_METRICS,
	N_STATS_PROCESS
};

#define STATS_PROCESSES	64

/*
 * A process that runs from now on in one of the supervisor's places for them;
 * what its forerunner had open is open no longer.  pid 0: none runs there.
 */
void	stats_process(size_t place, enum stats_process, pid_t,
	    bool is_restart);
/* The calling process's own place, for what it has open. */
void	stats_here(size_t place);
/* The calling process counts nothing any more, and cannot. */
void	stats_read_only(void);

/* --- counting ------------------------------------------------------------ */

void	stats_connection(int change);
void	stats_mail_begins(void);
void	stats_mail_ends(void);

/*
 * A mail was answered; is_stamped: by the first of two passes, for the second
 * to do what was decided; us: microseconds between its end and that.
 */
void	stats_mail(const struct decision *, bool is_stamped, const char *group,
	    size_t bytes, int64_t us);
/* A filter had to wait that long for the vault; or in vain. */
void	stats_vault(int64_t us, bool is_answered);
/* What there may be only so much of was reached, for a mail or a request. */
void	stats_limit(enum limit);
/* Bytes of mail that the calling process has in memory and in files. */
void	stats_spooled(uint64_t memory, uint64_t disk);
/* A configuration counts from now on, or was refused. */
void	stats_config(uint32_t generation, bool is_taken);
/* An error was logged. */
void	stats_error(void);

/* What the store has; by the vault. */
struct stats_store {
	uint64_t	 certs[4];	/* by enum cert_state */
	uint64_t	 keys;
	uint64_t	 expired;
	int64_t		 next_expiry;	/* of a certificate with a key; 0: none */
	uint64_t	 bytes;		/* on disk */
};
void	stats_store(const struct stats_store *);

/*
 * The last lines of the log that say why a mail was not taken, or that
 * something is wrong; by the supervisor, who writes the log.
 */
#define STATS_TROUBLES		10
#define STATS_TROUBLE_LEN	400	/* with its NUL; the rest is cut */
void	stats_trouble(const char *line);

/* --- reading ------------------------------------------------------------- */

enum stats_kind { STATS_COUNTER, STATS_GAUGE, STATS_HISTOGRAM };

/* Names and labels follow Prometheus's conventions. */
struct stats_sample {
	const char	*name;		/* "smime_milter_mails_total" */
	const char	*help;		/* one sentence */
	enum stats_kind	 kind;
	const char	*suffix;	/* of a histogram's sample: "_bucket"; or "" */
	const char	*labels;	/* "action=\"sign\",reason=\"none\""; or "" */
	double		 value;
};

/* Every sample, those of one name together; borrowed until fn returns. */
void	stats_walk(void (*fn)(void *, const struct stats_sample *), void *);

struct stats_trouble {
	int64_t	 when;
	char	 text[STATS_TROUBLE_LEN];
};

/* The i-th of them, the newest first; false: there are no more. */
bool	stats_trouble_at(size_t i, struct stats_trouble *);

#endif
