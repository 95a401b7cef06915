/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/mman.h>

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "milter/stats.h"

#define GROUPS		256	/* counted by name; more are counted together */
#define NAME_MAX_LEN	63
#define BUCKETS		14

typedef _Atomic uint64_t count_t;

enum action { SIGN, ENCRYPT, SIGN_ENCRYPT, STAMP, NONE, REJECT, TEMPFAIL,
	N_ACTIONS };

static const char *const	 action_names[N_ACTIONS] = {
	"sign", "encrypt", "sign+encrypt", "stamp", "none", "reject",
	"tempfail"
};
static const char *const	 process_names[] = {
	[STATS_SUPERVISOR] = "supervisor",
	[STATS_VAULT] = "vault",
	[STATS_FILTER] = "filter",
	[STATS_METRICS] = "metrics",
};
static const char *const	 state_names[] = {
	"trusted", "anchor", "chain", "distrusted"
};

/* Upper bounds, in microseconds. */
static const int64_t	 bounds[BUCKETS] = { 1000, 2500, 5000, 10000, 25000,
	50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000,
	30000000 };

struct histogram {
	count_t	 buckets[BUCKETS + 1];	/* the last is for all above */
	count_t	 sum_us;
};

/* Free while its name begins with NUL; a name once written stays. */
struct group_count {
	atomic_flag	 is_taken;
	_Atomic bool	 is_named;
	char		 name[NAME_MAX_LEN + 1];
	count_t		 mails[N_ACTIONS];
};

struct place {
	_Atomic int64_t	 pid;
	_Atomic int	 kind;
	_Atomic int64_t	 started;
	count_t		 connections;
	count_t		 mails;		/* in hand */
	count_t		 memory, disk;	/* bytes of mail */
};

/* The count is odd while it is being written. */
struct trouble {
	_Atomic uint32_t	 version;
	struct stats_trouble	 what;
};

static struct stats {
	int64_t			 started;
	struct place		 places[STATS_PROCESSES];
	count_t			 restarts[N_STATS_PROCESS];
	count_t			 mails[N_ACTIONS][N_WHY];
	count_t			 bytes;
	struct histogram	 mail_us;
	struct histogram	 vault_us;
	count_t			 vault_failures;
	count_t			 connections;
	count_t			 limits[N_LIMITS];
	count_t			 errors;
	count_t			 generation;
	_Atomic int64_t		 config_since;
	count_t			 config_refused;
	count_t			 certs[4];
	count_t			 keys, expired, store_bytes;
	_Atomic int64_t		 next_expiry;
	struct trouble		 troubles[STATS_TROUBLES];
	count_t			 n_troubles;
	struct group_count	 groups[GROUPS + 1];	/* the last: all others */
}			*stats;
static size_t		 here;
static bool		 is_reader;

bool
stats_open(struct err *err)
{
	void	*p = mmap(NULL, sizeof(*stats), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return err_errno(err, ERR_TEMP, "memory for the counters");
	stats = p;
	stats->started = (int64_t)time(NULL);
	strcpy(stats->groups[GROUPS].name, "(others)");
	stats->groups[GROUPS].is_named = true;
	return true;
}

static void
add(count_t *count, uint64_t n)
{
	atomic_fetch_add_explicit(count, n, memory_order_relaxed);
}

static uint64_t
get(count_t *count)
{
	return atomic_load_explicit(count, memory_order_relaxed);
}

/* --- processes ----------------------------------------------------------- */

void
stats_process(size_t place, enum stats_process kind, pid_t pid,
    bool is_restart)
{
	struct place	*p;

	if (stats == NULL || place >= STATS_PROCESSES)
		return;
	p = &stats->places[place];
	p->kind = (int)kind;
	p->started = (int64_t)time(NULL);
	p->connections = p->mails = p->memory = p->disk = 0;
	p->pid = pid;
	if (is_restart)
		add(&stats->restarts[kind], 1);
}

void
stats_here(size_t place)
{
	here = place < STATS_PROCESSES ? place : STATS_PROCESSES - 1;
}

void
stats_read_only(void)
{
	is_reader = true;
	if (stats != NULL)
		mprotect(stats, sizeof(*stats), PROT_READ);
}

/* --- counting ------------------------------------------------------------ */

void
stats_connection(int change)
{
	if (stats == NULL)
		return;
	add(&stats->places[here].connections, (uint64_t)(int64_t)change);
	if (change > 0)
		add(&stats->connections, 1);
}

void
stats_mail_begins(void)
{
	if (stats != NULL)
		add(&stats->places[here].mails, 1);
}

void
stats_mail_ends(void)
{
	if (stats != NULL)
		add(&stats->places[here].mails, UINT64_MAX);
}

static enum action
action_of(const struct decision *d, bool is_stamped)
{
	if (d->verdict == VERDICT_REJECT)
		return REJECT;
	if (d->verdict == VERDICT_TEMPFAIL)
		return TEMPFAIL;
	if (is_stamped)
		return STAMP;
	if (d->do_sign)
		return d->do_encrypt ? SIGN_ENCRYPT : SIGN;
	return d->do_encrypt ? ENCRYPT : NONE;
}

static void
observe(struct histogram *h, int64_t us)
{
	size_t	 i = 0;

	while (i < BUCKETS && us > bounds[i])
		i++;
	add(&h->buckets[i], 1);
	add(&h->sum_us, us > 0 ? (uint64_t)us : 0);
}

/*
 * A process may die between taking a place and naming it; the place is lost
 * then, and the group finds another.
 */
static struct group_count *
group_of(const char *name)
{
	for (size_t i = 0; i < GROUPS; i++) {
		struct group_count	*g = &stats->groups[i];

		if (!g->is_named && !atomic_flag_test_and_set(&g->is_taken)) {
			snprintf(g->name, sizeof(g->name), "%s", name);
			g->is_named = true;
			return g;
		}
		if (g->is_named && strncmp(g->name, name, NAME_MAX_LEN) == 0)
			return g;
	}
	return &stats->groups[GROUPS];
}

void
stats_mail(const struct decision *d, bool is_stamped, const char *group,
    size_t bytes, int64_t us)
{
	enum action	 action = action_of(d, is_stamped);

	if (stats == NULL)
		return;
	add(&stats->mails[action][d->why], 1);
	add(&group_of(group)->mails[action], 1);
	add(&stats->bytes, bytes);
	observe(&stats->mail_us, us);
}

void
stats_vault(int64_t us, bool is_answered)
{
	if (stats == NULL)
		return;
	if (is_answered)
		observe(&stats->vault_us, us);
	else
		add(&stats->vault_failures, 1);
}

void
stats_limit(enum limit limit)
{
	if (stats != NULL && limit < N_LIMITS)
		add(&stats->limits[limit], 1);
}

void
stats_spooled(uint64_t memory, uint64_t disk)
{
	if (stats == NULL)
		return;
	stats->places[here].memory = memory;
	stats->places[here].disk = disk;
}

void
stats_config(uint32_t generation, bool is_taken)
{
	if (stats == NULL)
		return;
	if (!is_taken) {
		add(&stats->config_refused, 1);
		return;
	}
	stats->generation = generation;
	stats->config_since = (int64_t)time(NULL);
}

void
stats_error(void)
{
	if (stats != NULL && !is_reader)
		add(&stats->errors, 1);
}

void
stats_store(const struct stats_store *store)
{
	if (stats == NULL)
		return;
	for (size_t i = 0; i < 4; i++)
		stats->certs[i] = store->certs[i];
	stats->keys = store->keys;
	stats->expired = store->expired;
	stats->next_expiry = store->next_expiry;
	stats->store_bytes = store->bytes;
}

void
stats_trouble(const char *line)
{
	struct trouble	*t;

	if (stats == NULL)
		return;
	t = &stats->troubles[get(&stats->n_troubles) % STATS_TROUBLES];
	t->version++;
	t->what.when = (int64_t)time(NULL);
	snprintf(t->what.text, sizeof(t->what.text), "%s", line);
	t->version++;
	add(&stats->n_troubles, 1);
}

bool
stats_trouble_at(size_t i, struct stats_trouble *out)
{
	uint64_t	 n = stats == NULL ? 0 : get(&stats->n_troubles);
	struct trouble	*t;
	uint32_t	 version;

	if (i >= n || i >= STATS_TROUBLES)
		return false;
	t = &stats->troubles[(n - 1 - i) % STATS_TROUBLES];
	version = t->version;
	*out = t->what;
	/* The memory is everybody's. */
	out->text[sizeof(out->text) - 1] = '\0';
	return version % 2 == 0 && version == t->version;
}

/* --- reading ------------------------------------------------------------- */

struct walk {
	void			(*fn)(void *, const struct stats_sample *);
	void			*arg;
	struct stats_sample	 sample;
	char			 labels[256];
};

static void
family(struct walk *w, enum stats_kind kind, const char *name,
    const char *help)
{
	w->sample = (struct stats_sample){ .name = name, .help = help,
	    .kind = kind, .suffix = "", .labels = w->labels };
	w->labels[0] = '\0';
}

static void
tell(struct walk *w, double value)
{
	w->sample.value = value;
	w->fn(w->arg, &w->sample);
}

static void
one(struct walk *w, enum stats_kind kind, const char *name, const char *help,
    double value)
{
	family(w, kind, name, help);
	tell(w, value);
}

static void
label(struct walk *w, const char *name, const char *value)
{
	snprintf(w->labels, sizeof(w->labels), "%s=\"%s\"", name, value);
}

static void
walk_mails(struct walk *w)
{
	family(w, STATS_COUNTER, "smime_milter_mails_total",
	    "Mails answered, by what was done and what kept it from more.");
	for (size_t a = 0; a < N_ACTIONS; a++)
		for (size_t y = 0; y < N_WHY; y++) {
			uint64_t	 n = get(&stats->mails[a][y]);

			/* Most pairs never happen. */
			if (n == 0 && y != WHY_NOTHING)
				continue;
			snprintf(w->labels, sizeof(w->labels),
			    "action=\"%s\",reason=\"%s\"", action_names[a],
			    decide_why_name((enum why)y));
			tell(w, (double)n);
		}
	family(w, STATS_COUNTER, "smime_milter_group_mails_total",
	    "Mails answered, by the group whose rules counted.");
	for (size_t i = 0; i <= GROUPS; i++)
		for (size_t a = 0; stats->groups[i].is_named &&
		    a < N_ACTIONS; a++) {
			uint64_t	 n = get(&stats->groups[i].mails[a]);

			if (n == 0)
				continue;
			snprintf(w->labels, sizeof(w->labels),
			    "group=\"%s\",action=\"%s\"",
			    stats->groups[i].name, action_names[a]);
			tell(w, (double)n);
		}
	one(w, STATS_COUNTER, "smime_milter_mail_bytes_total",
	    "Bytes of the bodies of mails that were answered.",
	    (double)get(&stats->bytes));
}

/* Seconds; buckets count all below their bound. */
static void
walk_histogram(struct walk *w, const char *name, const char *help,
    struct histogram *h)
{
	uint64_t	 n = 0;

	family(w, STATS_HISTOGRAM, name, help);
	w->sample.suffix = "_bucket";
	for (size_t i = 0; i < BUCKETS; i++) {
		n += get(&h->buckets[i]);
		snprintf(w->labels, sizeof(w->labels), "le=\"%g\"",
		    (double)bounds[i] / 1e6);
		tell(w, (double)n);
	}
	n += get(&h->buckets[BUCKETS]);
	label(w, "le", "+Inf");
	tell(w, (double)n);
	w->labels[0] = '\0';
	w->sample.suffix = "_sum";
	tell(w, (double)get(&h->sum_us) / 1e6);
	w->sample.suffix = "_count";
	tell(w, (double)n);
}

static void
walk_open(struct walk *w)
{
	uint64_t	 connections = 0, mails = 0, memory = 0, disk = 0;

	for (size_t i = 0; i < STATS_PROCESSES; i++) {
		if (stats->places[i].pid == 0)
			continue;
		connections += get(&stats->places[i].connections);
		mails += get(&stats->places[i].mails);
		memory += get(&stats->places[i].memory);
		disk += get(&stats->places[i].disk);
	}
	one(w, STATS_GAUGE, "smime_milter_connections",
	    "Connections of MTAs that are open.", (double)connections);
	one(w, STATS_COUNTER, "smime_milter_connections_total",
	    "Connections that were opened.",
	    (double)get(&stats->connections));
	one(w, STATS_GAUGE, "smime_milter_mails_in_hand",
	    "Mails that have begun and are not answered.", (double)mails);
	family(w, STATS_GAUGE, "smime_milter_spool_bytes",
	    "Bytes of their bodies, and of what is made of them.");
	label(w, "where", "memory");
	tell(w, (double)memory);
	label(w, "where", "disk");
	tell(w, (double)disk);
	family(w, STATS_COUNTER, "smime_milter_limits_total",
	    "How often each limit was reached.");
	for (size_t i = LIMIT_NONE + 1; i < N_LIMITS; i++) {
		label(w, "limit", limit_name((enum limit)i));
		tell(w, (double)get(&stats->limits[i]));
	}
}

static void
walk_vault(struct walk *w)
{
	walk_histogram(w, "smime_milter_vault_seconds",
	    "How long filters waited for the vault's answer.",
	    &stats->vault_us);
	one(w, STATS_COUNTER, "smime_milter_vault_failures_total",
	    "Requests that the vault did not answer in time.",
	    (double)get(&stats->vault_failures));
}

static void
walk_processes(struct walk *w)
{
	family(w, STATS_GAUGE, "smime_milter_process_start_time_seconds",
	    "When each process was started, since the epoch.");
	for (size_t i = 0; i < STATS_PROCESSES; i++) {
		struct place	*p = &stats->places[i];
		int		 kind = p->kind;

		if (p->pid == 0 || kind < 0 || kind >= N_STATS_PROCESS)
			continue;
		snprintf(w->labels, sizeof(w->labels),
		    "process=\"%s\",pid=\"%lld\"", process_names[kind],
		    (long long)p->pid);
		tell(w, (double)p->started);
	}
	family(w, STATS_COUNTER, "smime_milter_process_restarts_total",
	    "Processes that were started again after they had ended.");
	for (size_t i = STATS_VAULT; i < N_STATS_PROCESS; i++) {
		label(w, "process", process_names[i]);
		tell(w, (double)get(&stats->restarts[i]));
	}
	one(w, STATS_COUNTER, "smime_milter_errors_total",
	    "Errors in the log.", (double)get(&stats->errors));
	one(w, STATS_GAUGE, "smime_milter_config_generation",
	    "How often the configuration was read anew.",
	    (double)get(&stats->generation));
	one(w, STATS_GAUGE, "smime_milter_config_since_seconds",
	    "Since when it counts, since the epoch.",
	    (double)stats->config_since);
	one(w, STATS_COUNTER, "smime_milter_config_refused_total",
	    "Reloads that found a mistake.",
	    (double)get(&stats->config_refused));
}

static void
walk_store(struct walk *w)
{
	family(w, STATS_GAUGE, "smime_milter_certificates",
	    "Certificates in the store, by their trust.");
	for (size_t i = 0; i < 4; i++) {
		label(w, "trust", state_names[i]);
		tell(w, (double)get(&stats->certs[i]));
	}
	one(w, STATS_GAUGE, "smime_milter_certificates_expired",
	    "Certificates in the store that have expired.",
	    (double)get(&stats->expired));
	one(w, STATS_GAUGE, "smime_milter_keys",
	    "Certificates in the store that have their key.",
	    (double)get(&stats->keys));
	one(w, STATS_GAUGE, "smime_milter_next_expiry_time_seconds",
	    "When the next certificate that has its key expires.",
	    stats->next_expiry == 0 ? (double)INFINITY :
	    (double)stats->next_expiry);
	one(w, STATS_GAUGE, "smime_milter_store_bytes",
	    "Size of the store on disk.", (double)get(&stats->store_bytes));
}

void
stats_walk(void (*fn)(void *, const struct stats_sample *), void *arg)
{
	struct walk	 w = { .fn = fn, .arg = arg };

	if (stats == NULL)
		return;
	walk_mails(&w);
	walk_histogram(&w, "smime_milter_mail_seconds",
	    "From a mail's end to its answer.", &stats->mail_us);
	walk_open(&w);
	walk_vault(&w);
	walk_processes(&w);
	walk_store(&w);
}
