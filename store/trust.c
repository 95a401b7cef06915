/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "store/cert_index.h"
#include "store/revoke.h"
#include "store/trust.h"

#define DEPTH_MAX	8	/* certificates between leaf and anchor */
#define NODES_MAX	32	/* CA certificates looked at for one leaf */
#define REMEMBER	3600	/* seconds */
#define SLOTS		32768	/* verdicts remembered, 10 MB when full */
#define AUTH_LEVEL	2	/* RSA 2048 and SHA-256 or better in a chain */

struct slot {
	struct fingerprint	 fp;
	uint64_t		 generation;	/* 0: the slot is empty */
	int64_t			 from;		/* judged at; holds from then */
	int64_t			 until;		/* and before this */
	struct trust_verdict	 verdict;
};

struct trust {
	struct store	*store;
	pthread_mutex_t	 lock;
	struct slot	*slots;
};

/* A CA certificate above the one that is judged. */
struct node {
	struct cert_record	 record;
	X509			*x509;
	int			 depth;		/* 0 issued the leaf itself */
	bool			 is_distrusted;
	bool			 is_revoked;
};

/* All that might be in a chain, found by issuers' names. */
struct graph {
	X509			*leaf;
	struct node		 nodes[NODES_MAX];
	size_t			 n;
	bool			 has_unfit;	/* distrusted or revoked */
	bool			 is_revoked;	/* the leaf */
	struct crl_revoked	 revoked;	/* when, and why */
};

struct trust *
trust_new(struct store *store)
{
	struct trust	*trust = mem_alloc(sizeof(*trust));

	trust->store = store;
	trust->slots = mem_array(SLOTS, sizeof(*trust->slots));
	pthread_mutex_init(&trust->lock, NULL);
	return trust;
}

void
trust_free(struct trust *trust)
{
	if (trust == NULL)
		return;
	pthread_mutex_destroy(&trust->lock);
	free(trust->slots);
	free(trust);
}

/* --- what was judged before ----------------------------------------------- */

static struct slot *
slot_of(struct trust *trust, const struct fingerprint *fp)
{
	return &trust->slots[(fp->bytes[0] << 8 | fp->bytes[1]) % SLOTS];
}

/* Generations count from 0, a used slot's from 1. */
static uint64_t
generation(const struct trust *trust)
{
	return store_generation(trust->store) + 1;
}

static bool
recall(struct trust *trust, const struct fingerprint *fp, int64_t now,
    struct trust_verdict *verdict)
{
	const struct slot	*slot = slot_of(trust, fp);
	bool			 is_known;

	pthread_mutex_lock(&trust->lock);
	is_known = slot->generation == generation(trust) &&
	    now >= slot->from && now < slot->until &&
	    text_fp_equal(&slot->fp, fp);
	if (is_known)
		*verdict = slot->verdict;
	pthread_mutex_unlock(&trust->lock);
	return is_known;
}

static void
remember(struct trust *trust, const struct fingerprint *fp, int64_t now,
    int64_t until, const struct trust_verdict *verdict)
{
	struct slot	*slot = slot_of(trust, fp);

	pthread_mutex_lock(&trust->lock);
	slot->fp = *fp;
	slot->generation = generation(trust);
	slot->from = now;
	slot->until = until;
	slot->verdict = *verdict;
	pthread_mutex_unlock(&trust->lock);
}

/* --- the certificates above ----------------------------------------------- */

static bool
is_issuer(const struct node *node, X509 *subject)
{
	EVP_PKEY	*key = X509_get0_pubkey(node->x509);
	bool		 is_ok;

	/*
	 * A distrusted CA is recognised by its key alone, whatever the
	 * subject says of its issuer's serial number.
	 */
	is_ok = node->record.facts.is_ca && key != NULL &&
	    (node->record.state == CERT_DISTRUSTED ||
	    X509_check_issued(node->x509, subject) == X509_V_OK) &&
	    X509_verify(subject, key) == 1;
	ERR_clear_error();
	return is_ok;
}

static bool
is_in_graph(const struct graph *graph, const struct fingerprint *fp)
{
	for (size_t i = 0; i < graph->n; i++)
		if (text_fp_equal(&graph->nodes[i].record.facts.fp, fp))
			return true;
	return false;
}

static bool
add_node(struct trust *trust, struct graph *graph,
    const struct fingerprint *fp, X509 *subject, int depth, struct err *err)
{
	struct node	*node = &graph->nodes[graph->n];
	bool		 found;

	memset(node, 0, sizeof(*node));
	if (!cert_index_get(trust->store, fp, &node->record, &found, err))
		return false;
	if (!found)
		return err_set(err, ERR_TEMP,
		    "the index names a certificate that is not there");
	node->depth = depth;
	node->x509 = cert_parse(node->record.der, node->record.der_len, err);
	if (node->x509 == NULL) {
		record_free_cert(&node->record);
		err->kind = ERR_TEMP;
		return false;
	}
	if (is_issuer(node, subject)) {
		graph->n++;
		return true;
	}
	X509_free(node->x509);
	record_free_cert(&node->record);
	return true;
}

static bool
add_issuers(struct trust *trust, struct graph *graph, X509 *subject,
    uint32_t issuer_hash, int depth, struct err *err)
{
	struct fingerprint_list	 fps;
	bool			 is_ok;

	is_ok = cert_index_find_subject(trust->store, issuer_hash, &fps, err);
	for (size_t i = 0; is_ok && i < fps.n && graph->n < NODES_MAX; i++)
		if (!is_in_graph(graph, &fps.list[i]))
			is_ok = add_node(trust, graph, &fps.list[i], subject,
			    depth, err);
	free(fps.list);
	return is_ok;
}

/*
 * Distrust is of the CA, not of one certificate: another one for the same
 * name and key does not bring it back.
 */
static void
spread_distrust(struct graph *graph)
{
	for (size_t i = 0; i < graph->n; i++) {
		const struct cert_record *bad = &graph->nodes[i].record;

		if (bad->state != CERT_DISTRUSTED)
			continue;
		graph->has_unfit = true;
		for (size_t j = 0; j < graph->n; j++) {
			struct node	*node = &graph->nodes[j];

			if (memcmp(node->record.facts.spki, bad->facts.spki,
			    sizeof(bad->facts.spki)) == 0)
				node->is_distrusted = true;
		}
	}
}

/*
 * Has a CA that issued this certificate revoked it?  Its name and the number
 * are compared first, for they cost less than a signature.
 */
static bool
find_revocation(struct trust *trust, const struct graph *graph, X509 *subject,
    uint32_t issuer_hash, struct crl_revoked *revoked, bool *yes,
    struct err *err)
{
	*yes = false;
	for (size_t i = 0; !*yes && i < graph->n; i++) {
		const struct node	*node = &graph->nodes[i];
		bool			 found;

		if (node->record.facts.subject_hash != issuer_hash)
			continue;
		if (!revoke_find(trust->store, &node->record.facts,
		    X509_get0_serialNumber(subject), revoked, &found, err))
			return false;
		*yes = found && is_issuer(node, subject);
	}
	return true;
}

/* Unlike distrust, revocation is of the one certificate. */
static bool
mark_revoked(struct trust *trust, struct graph *graph,
    const struct cert_facts *leaf, struct err *err)
{
	struct crl_revoked	 ignored;

	if (!leaf->is_self_signed && !find_revocation(trust, graph,
	    graph->leaf, leaf->issuer_hash, &graph->revoked,
	    &graph->is_revoked, err))
		return false;
	for (size_t i = 0; i < graph->n; i++) {
		struct node	*node = &graph->nodes[i];

		if (node->record.facts.is_self_signed)
			continue;
		if (!find_revocation(trust, graph, node->x509,
		    node->record.facts.issuer_hash, &ignored,
		    &node->is_revoked, err))
			return false;
		if (node->is_revoked)
			graph->has_unfit = true;
	}
	return true;
}

static void
graph_free(struct graph *graph)
{
	for (size_t i = 0; i < graph->n; i++) {
		X509_free(graph->nodes[i].x509);
		record_free_cert(&graph->nodes[i].record);
	}
	X509_free(graph->leaf);
	free(graph);
}

/* Breadth first; nodes are added behind while they are gone through. */
static struct graph *
graph_new(struct trust *trust, const struct cert_record *leaf, struct err *err)
{
	struct graph	*graph = mem_alloc(sizeof(*graph));
	bool		 is_ok;

	graph->leaf = cert_parse(leaf->der, leaf->der_len, err);
	is_ok = graph->leaf != NULL && (leaf->facts.is_self_signed ||
	    add_issuers(trust, graph, graph->leaf, leaf->facts.issuer_hash, 0,
	    err));
	for (size_t i = 0; is_ok && i < graph->n; i++) {
		const struct node	*node = &graph->nodes[i];

		if (node->depth < DEPTH_MAX - 1 &&
		    !node->record.facts.is_self_signed)
			is_ok = add_issuers(trust, graph, node->x509,
			    node->record.facts.issuer_hash, node->depth + 1,
			    err);
	}
	if (!is_ok || !mark_revoked(trust, graph, &leaf->facts, err)) {
		err->kind = ERR_TEMP;
		graph_free(graph);
		return NULL;
	}
	spread_distrust(graph);
	return graph;
}

/* --- verdicts ------------------------------------------------------------- */

static void
say(struct trust_verdict *verdict, bool is_trusted, const char *what,
    const char *name)
{
	verdict->is_trusted = is_trusted;
	verdict->is_revoked = false;
	snprintf(verdict->text, sizeof(verdict->text), "%s%s", what, name);
}

/* A CA that is not for mail issues none, whatever its certificates say. */
static bool
chain_is_for_mail(const STACK_OF(X509) *chain)
{
	for (int i = 1; i < sk_X509_num(chain); i++)
		if ((X509_get_extended_key_usage(sk_X509_value(chain, i)) &
		    (XKU_SMIME | XKU_ANYEKU)) == 0)
			return false;
	return true;
}

/* Why there is no chain, as far as it can be seen from what is there. */
static void
say_what_lacks(const struct graph *graph, const struct cert_record *leaf,
    struct trust_verdict *verdict)
{
	const struct cert_facts	*top = &leaf->facts;

	for (size_t i = 0; i < graph->n; i++) {
		const struct node	*node = &graph->nodes[i];

		if (!node->is_distrusted && !node->is_revoked)
			continue;
		say(verdict, false, node->is_distrusted ?
		    "issued by a distrusted CA: " : "issued by a revoked CA: ",
		    node->record.facts.subject);
		return;
	}
	if (graph->n > 0)
		top = &graph->nodes[graph->n - 1].record.facts;
	if (!top->is_self_signed)
		say(verdict, false, "issuer missing: ", top->issuer_name);
	else if (graph->n == 0)
		say(verdict, false, "signed by itself and not trusted", "");
	else
		say(verdict, false, "no trusted CA: ", top->subject);
}

static void
say_verify_error(X509_STORE_CTX *ctx, struct trust_verdict *verdict)
{
	X509	*at = X509_STORE_CTX_get_current_cert(ctx);
	char	*name = at == NULL ? mem_str("chain") :
		    cert_name(X509_get_subject_name(at));

	verdict->is_trusted = false;
	verdict->is_revoked = false;
	snprintf(verdict->text, sizeof(verdict->text), "%s: %s",
	    X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)),
	    name);
	free(name);
}

static bool
fill_stores(const struct graph *graph, X509_STORE *anchors,
    STACK_OF(X509) *others, size_t *n_anchors)
{
	*n_anchors = 0;
	for (size_t i = 0; i < graph->n; i++) {
		const struct node	*node = &graph->nodes[i];

		if (node->is_distrusted || node->is_revoked)
			continue;
		if (node->record.state == CERT_ANCHOR) {
			if (X509_STORE_add_cert(anchors, node->x509) != 1)
				return false;
			++*n_anchors;
		} else if (sk_X509_push(others, node->x509) == 0)
			return false;
	}
	return true;
}

static bool
verify(const struct graph *graph, const struct cert_record *leaf, int64_t now,
    struct trust_verdict *verdict, struct err *err)
{
	X509_STORE		*anchors = X509_STORE_new();
	STACK_OF(X509)		*others = sk_X509_new_null();
	X509_STORE_CTX		*ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM	*param;
	const STACK_OF(X509)	*chain;
	size_t			 n_anchors;
	bool			 is_ok = false;

	if (anchors == NULL || others == NULL || ctx == NULL ||
	    !fill_stores(graph, anchors, others, &n_anchors) ||
	    X509_STORE_CTX_init(ctx, anchors, graph->leaf, others) != 1) {
		err_openssl(err, ERR_TEMP, "cannot build a chain");
		goto out;
	}
	is_ok = true;
	if (n_anchors == 0) {
		say_what_lacks(graph, leaf, verdict);
		goto out;
	}
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)now);
	X509_VERIFY_PARAM_set_depth(param, DEPTH_MAX);
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
	/* An intermediate CA may be an anchor without its root. */
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	if (X509_verify_cert(ctx) != 1) {
		if (X509_STORE_CTX_get_error(ctx) ==
		    X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY)
			say_what_lacks(graph, leaf, verdict);
		else
			say_verify_error(ctx, verdict);
		goto out;
	}
	chain = X509_STORE_CTX_get0_chain(ctx);
	if (chain_is_for_mail(chain)) {
		char	*name = cert_name(X509_get_subject_name(
			    sk_X509_value(chain, sk_X509_num(chain) - 1)));

		say(verdict, true, name, "");
		free(name);
	} else
		say(verdict, false, "a CA above it is not for mail", "");
out:
	X509_STORE_CTX_free(ctx);
	sk_X509_free(others);
	X509_STORE_free(anchors);
	ERR_clear_error();
	return is_ok;
}

static void
lower_until(const struct cert_facts *facts, int64_t now, int64_t *until)
{
	if (facts->not_before > now && facts->not_before < *until)
		*until = facts->not_before;
	if (facts->not_after >= now && facts->not_after < *until)
		*until = facts->not_after;
}

/*
 * Trusted, and no CA in the store bears its issuer's name: nothing above it
 * can be distrusted, and nothing needs to be decoded.
 */
static bool
stands_alone(struct trust *trust, const struct cert_record *record, bool *yes,
    struct err *err)
{
	struct fingerprint_list	 fps;

	*yes = false;
	if (record->state != CERT_TRUSTED)
		return true;
	if (!cert_index_find_subject(trust->store, record->facts.issuer_hash,
	    &fps, err))
		return false;
	*yes = fps.n == 0 || record->facts.is_self_signed;
	free(fps.list);
	return true;
}

static bool
judge(struct trust *trust, const struct cert_record *record, int64_t now,
    struct trust_verdict *verdict, int64_t *until, struct err *err)
{
	struct graph	*graph;
	bool		 is_alone, is_ok = true;

	if (!stands_alone(trust, record, &is_alone, err))
		return false;
	if (is_alone) {
		*until = now + REMEMBER;
		say(verdict, true, "itself", "");
		return true;
	}
	if ((graph = graph_new(trust, record, err)) == NULL)
		return false;
	*until = now + REMEMBER;
	lower_until(&record->facts, now, until);
	for (size_t i = 0; i < graph->n; i++)
		lower_until(&graph->nodes[i].record.facts, now, until);
	if (graph->is_revoked) {
		say(verdict, false, "", "");
		verdict->is_revoked = true;
		crl_text(&graph->revoked, verdict->text);
	} else if (record->state == CERT_ANCHOR ||
	    (record->state == CERT_TRUSTED && !graph->has_unfit))
		say(verdict, true, "itself", "");
	else
		is_ok = verify(graph, record, now, verdict, err);
	graph_free(graph);
	return is_ok;
}

bool
trust_judge(struct trust *trust, const struct cert_record *record,
    int64_t now, struct trust_verdict *verdict, struct err *err)
{
	int64_t	 until;
	/* What a writer sees has no generation yet, and may never get one. */
	bool	 is_dated = !store_is_writing(trust->store);

	if (record->state == CERT_DISTRUSTED) {
		say(verdict, false, "distrusted", "");
		return true;
	}
	if (record->state == CERT_ANCHOR && record->facts.is_self_signed) {
		say(verdict, true, "itself", "");
		return true;
	}
	if (is_dated && recall(trust, &record->facts.fp, now, verdict))
		return true;
	if (!judge(trust, record, now, verdict, &until, err))
		return false;
	if (is_dated)
		remember(trust, &record->facts.fp, now, until, verdict);
	return true;
}

/* --- the chain itself ----------------------------------------------------- */

static int
rank(const struct node *node, int64_t now)
{
	const struct cert_facts	*facts = &node->record.facts;
	int			 r = 0;

	if (!node->is_distrusted && !node->is_revoked)
		r += 4;
	if (now >= facts->not_before && now <= facts->not_after)
		r += 2;
	if (node->record.state == CERT_ANCHOR)
		r += 1;
	return r;
}

static struct node *
best_issuer(struct graph *graph, X509 *subject, int64_t now)
{
	struct node	*best = NULL;

	for (size_t i = 0; i < graph->n; i++) {
		struct node	*node = &graph->nodes[i];
		int		 lead;

		/* Taken into the chain already: its record has moved. */
		if (node->record.der == NULL || !is_issuer(node, subject))
			continue;
		lead = best == NULL ? 1 : rank(node, now) - rank(best, now);
		if (lead > 0 || (lead == 0 && node->record.facts.not_before >
		    best->record.facts.not_before))
			best = node;
	}
	return best;
}

bool
trust_issuers(struct trust *trust, const struct cert_record *record,
    int64_t now, struct cert_record **out, size_t *n, struct err *err)
{
	struct graph	*graph;
	struct node	*node;
	X509		*subject;
	bool		 is_root = record->facts.is_self_signed;

	*out = NULL;
	*n = 0;
	if ((graph = graph_new(trust, record, err)) == NULL)
		return false;
	subject = graph->leaf;
	/* A renewed root has issued the former one, as far as keys can tell. */
	while (!is_root && (node = best_issuer(graph, subject, now)) != NULL) {
		is_root = node->record.facts.is_self_signed;
		*out = mem_grow(*out, *n + 1, sizeof(**out));
		(*out)[(*n)++] = node->record;
		memset(&node->record, 0, sizeof(node->record));
		subject = node->x509;
	}
	graph_free(graph);
	return true;
}
