/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/x509.h>

#include "base/addr.h"
#include "base/mem.h"
#include "store/cert_key.h"
#include "tools/certs.h"
#include "tools/out.h"

#define PAGE		64	/* entries asked for at once */
#define ID_DIGITS_MIN	8
#define DAY		86400

static bool
visit(struct custody *custody, const struct cert_entry *entry, certs_fn *fn,
    void *arg, struct err *err)
{
	struct cert_facts	 facts;
	bool			 ok;

	if (!cert_read(entry->der, entry->der_len, &facts, err))
		return false;
	ok = fn(arg, custody, entry, &facts, err);
	cert_facts_free(&facts);
	return ok;
}

bool
certs_walk(struct custody *custody, int64_t now, certs_fn *fn, void *arg,
    struct err *err)
{
	struct cert_entry	*entries;
	struct fingerprint	 last;
	size_t			 n = 0;
	bool			 is_first = true, ok = true;

	do {
		entries = NULL;
		if (!custody_list(custody, is_first ? NULL : &last, PAGE, now,
		    &entries, &n, err))
			return false;
		for (size_t i = 0; i < n && ok; i++)
			ok = visit(custody, &entries[i], fn, arg, err);
		if (n > 0)
			last = entries[n - 1].fp;
		is_first = false;
		cert_entry_free(entries, n);
	} while (n > 0 && ok);
	return ok;
}

/* The ID as custody_lookup() takes it. */
static bool
normalise_id(const char *id, char out[ADDR_MAX], struct err *err)
{
	struct fingerprint	 fp;
	char			 hex[TEXT_FP_LEN];
	int			 digits;

	if (strchr(id, '@') != NULL)
		return addr_normalise(id, strlen(id), out, err) ||
		    err_prefix(err, "no certificate");
	digits = text_fp_parse(id, &fp);
	if (digits < ID_DIGITS_MIN)
		return err_set(err, ERR_DATA, "\"%.100s\" is neither an "
		    "address nor %d or more digits of a fingerprint", id,
		    ID_DIGITS_MIN);
	text_fp(&fp, hex);
	hex[digits] = '\0';
	strcpy(out, hex);
	return true;
}

bool
certs_find(struct custody *custody, const char *id, int64_t now,
    struct cert_entry **out, size_t *n, struct err *err)
{
	char	 name[ADDR_MAX];

	*out = NULL;
	*n = 0;
	if (!normalise_id(id, name, err) ||
	    !custody_lookup(custody, name, now, out, n, err))
		return false;
	if (*n == 0)
		return err_set(err, ERR_DATA, "no certificate for %s", name);
	return true;
}

bool
certs_find_one(struct custody *custody, const char *id, int64_t now,
    struct cert_entry **out, struct err *err)
{
	struct buf	 list = { 0 };
	char		*text;
	size_t		 n;

	if (!certs_find(custody, id, now, out, &n, err))
		return false;
	if (n == 1)
		return true;
	for (size_t i = 0; i < n && i < 8; i++) {
		struct cert_facts	 facts;
		char			 fp[TEXT_FP_LEN], date[TEXT_TIME_LEN];

		if (!cert_read((*out)[i].der, (*out)[i].der_len, &facts, err))
			continue;
		text_fp(&facts.fp, fp);
		text_date(facts.not_after, date);
		buf_addf(&list, "\n  %.16s  until %s  %.40s", fp, date,
		    certs_title(&facts));
		cert_facts_free(&facts);
	}
	text = buf_take_str(&list);
	err_set(err, ERR_DATA, "%.100s means %zu certificates; name one:%s",
	    id, n, text);
	free(text);
	cert_entry_free(*out, n);
	*out = NULL;
	return false;
}

bool
certs_of_key(struct custody *custody, const struct cert_facts *facts,
    int64_t now, struct cert_entry **out, size_t *n, struct err *err)
{
	char	 what[sizeof(CUSTODY_BY_KEY) + 64];

	*out = NULL;
	*n = 0;
	strcpy(what, CUSTODY_BY_KEY);
	text_hex(facts->spki, sizeof(facts->spki), what + strlen(what));
	return custody_lookup(custody, what, now, out, n, err);
}

const char *
certs_title(const struct cert_facts *facts)
{
	if (facts->n_addresses > 0)
		return facts->addresses[0];
	return facts->subject[0] != '\0' ? facts->subject : "(no name)";
}

int64_t
certs_days_left(int64_t until, int64_t now)
{
	return until <= now ? 0 : (until - now) / DAY;
}

bool
certs_parse_days(const char *s, int *days)
{
	char	*end;
	long	 n = strtol(s, &end, 10);

	if (*s == '\0' || *end != '\0' || n < 0 || n > 3660)
		return false;
	*days = (int)n;
	return true;
}

static json_t *
serial_json(const struct cert_entry *entry)
{
	struct err	 err;
	X509		*cert = cert_parse(entry->der, entry->der_len, &err);
	BIGNUM		*bn = cert == NULL ? NULL :
			    ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert),
			    NULL);
	char		*hex = bn == NULL ? NULL : BN_bn2hex(bn);
	json_t		*json = out_json_str(hex);

	OPENSSL_free(hex);
	BN_free(bn);
	X509_free(cert);
	return json;
}

static json_t *
uses_json(const struct cert_facts *facts)
{
	json_t	*uses = json_array();

	if (cert_is_leaf(facts)) {
		if ((facts->uses & CERT_MAY_SIGN) != 0)
			json_array_append_new(uses, json_string("sign"));
		if ((facts->uses & CERT_MAY_ENCRYPT) != 0)
			json_array_append_new(uses, json_string("encrypt"));
	}
	if (facts->is_ca)
		json_array_append_new(uses, json_string("ca"));
	return uses;
}

static void
add_issue(json_t *issues, char *text)
{
	json_array_append_new(issues, json_string(text));
	free(text);
}

static bool
is_stale(const struct crl_entry *crl, int64_t now)
{
	return crl->next_update != 0 && crl->next_update < now;
}

static char *
stale_text(const struct crl_entry *crl)
{
	char	 date[TEXT_TIME_LEN];

	text_date(crl->next_update, date);
	return mem_strf("its revocation list is stale since %s: import the "
	    "next one", date);
}

static json_t *
crls_json(const struct cert_entry *entry)
{
	json_t	*list = json_array();

	for (size_t i = 0; i < entry->n_crls; i++) {
		const struct crl_entry	*crl = &entry->crls[i];

		json_array_append_new(list, json_pack(
		    "{s:o, s:o, s:I, s:o}",
		    "this_update", out_json_time(crl->this_update),
		    "next_update", crl->next_update == 0 ? json_null() :
		    out_json_time(crl->next_update),
		    "revoked", (json_int_t)crl->n_revoked,
		    "added", out_json_time(crl->added)));
	}
	return list;
}

static json_t *
issues_json(const struct cert_entry *entry, const struct cert_facts *facts,
    int64_t now, int soon_days)
{
	const char	*texts[CERT_ISSUES_MAX];
	size_t		 n = cert_issues(facts, now, texts);
	int64_t		 left = certs_days_left(facts->not_after, now);
	json_t		*issues = json_array();
	char		 date[TEXT_TIME_LEN];

	text_date(facts->not_after, date);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(texts[i], "expired") == 0)
			add_issue(issues, mem_strf("expired %s", date));
		/* Said below, in days that were asked for. */
		else if (strncmp(texts[i], "expires within", 14) != 0)
			add_issue(issues, mem_str(texts[i]));
	}
	if (now <= facts->not_after && left < soon_days)
		add_issue(issues, mem_strf("expires in %lld days",
		    (long long)left));
	if (entry->state == CERT_DISTRUSTED)
		add_issue(issues, mem_str("distrusted"));
	else if (entry->is_revoked)
		add_issue(issues, mem_str(entry->untrusted));
	else if (entry->untrusted != NULL && cert_is_leaf(facts))
		add_issue(issues, mem_strf("not trusted: %s",
		    entry->untrusted));
	for (size_t i = 0; i < entry->n_crls; i++)
		if (is_stale(&entry->crls[i], now))
			add_issue(issues, stale_text(&entry->crls[i]));
	return issues;
}

static bool
is_usable(const struct cert_entry *entry, const struct cert_facts *facts,
    enum cert_use use, int64_t now)
{
	struct err	 why;

	return entry->trusted_by != NULL &&
	    cert_usable(facts, use, NULL, now, &why) &&
	    (use == CERT_USE_ENCRYPT || entry->key != KEY_NONE);
}

static bool
is_usable_at_all(const struct cert_entry *entry,
    const struct cert_facts *facts, int64_t now)
{
	return is_usable(entry, facts, CERT_USE_SIGN, now) ||
	    is_usable(entry, facts, CERT_USE_ENCRYPT, now);
}

/* Another one that is chosen before this one, for an address and a use. */
static bool
add_chosen(struct custody *custody, const struct cert_facts *facts,
    const char *addr, enum cert_use use, int64_t now, json_t *issues,
    struct err *err)
{
	struct finding	*finding = NULL;
	char		 hex[TEXT_FP_LEN];

	if (!custody_find(custody, addr, use, now, &finding, err))
		return false;
	if (finding->der != NULL &&
	    !text_fp_equal(&finding->candidates[0].fp, &facts->fp)) {
		text_fp(&finding->candidates[0].fp, hex);
		add_issue(issues, mem_strf("not used to %s for %s: %.16s is "
		    "newer", use == CERT_USE_SIGN ? "sign" : "encrypt", addr,
		    hex));
	}
	finding_free(finding);
	return true;
}

/* Is there a usable one for the same key? */
static bool
has_usable_sibling(struct custody *custody, const struct cert_facts *facts,
    int64_t now, bool *yes, struct err *err)
{
	struct cert_entry	*entries;
	size_t			 n;

	*yes = false;
	if (!certs_of_key(custody, facts, now, &entries, &n, err))
		return false;
	for (size_t i = 0; i < n && !*yes; i++) {
		struct cert_facts	 other;
		struct err		 ignored;

		if (!cert_read(entries[i].der, entries[i].der_len, &other,
		    &ignored))
			continue;
		*yes = is_usable_at_all(&entries[i], &other, now);
		cert_facts_free(&other);
	}
	cert_entry_free(entries, n);
	return true;
}

bool
certs_add_others(struct custody *custody, const struct cert_entry *entry,
    const struct cert_facts *facts, int64_t now, json_t *row, struct err *err)
{
	static const enum cert_use	 uses[] = { CERT_USE_SIGN,
					    CERT_USE_ENCRYPT };
	json_t				*issues = json_object_get(row,
					    "issues");
	bool				 yes;

	if (!cert_is_leaf(facts))
		return true;
	for (size_t u = 0; u < 2; u++)
		for (size_t i = 0; i < facts->n_addresses &&
		    is_usable(entry, facts, uses[u], now); i++)
			if (!add_chosen(custody, facts, facts->addresses[i],
			    uses[u], now, issues, err))
				return false;
	if (entry->key == KEY_NONE || is_usable_at_all(entry, facts, now))
		return true;
	if (!has_usable_sibling(custody, facts, now, &yes, err))
		return false;
	if (!yes)
		add_issue(issues, mem_str(
		    "its private key has no usable certificate"));
	return true;
}

static json_t *
key_json(const struct cert_facts *facts)
{
	char	 name[32];

	cert_key_name(facts, name);
	return json_pack("{s:s%, s:i, s:s}",
	    "algorithm", name, strcspn(name, " "),
	    "bits", (int)facts->key_bits, "name", name);
}

static const char *
protection_name(enum key_protection protection)
{
	return protection == KEY_PASSPHRASE ? "passphrase" :
	    protection == KEY_SEALED ? "sealed" : "none";
}

json_t *
certs_json(const struct cert_entry *entry, const struct cert_facts *facts,
    int64_t now, int soon_days)
{
	json_t	*json = json_object(), *addresses = json_array();

	for (size_t i = 0; i < facts->n_addresses; i++)
		json_array_append_new(addresses,
		    out_json_str(facts->addresses[i]));
	json_object_set_new(json, "fingerprint", out_json_fp(&facts->fp));
	json_object_set_new(json, "subject", out_json_str(facts->subject));
	json_object_set_new(json, "issuer", out_json_str(facts->issuer_name));
	json_object_set_new(json, "serial", serial_json(entry));
	json_object_set_new(json, "addresses", addresses);
	json_object_set_new(json, "not_before",
	    out_json_time(facts->not_before));
	json_object_set_new(json, "not_after",
	    out_json_time(facts->not_after));
	json_object_set_new(json, "key", key_json(facts));
	json_object_set_new(json, "uses", uses_json(facts));
	json_object_set_new(json, "has_key",
	    json_boolean(entry->key != KEY_NONE));
	json_object_set_new(json, "key_protection",
	    json_string(protection_name(entry->key)));
	json_object_set_new(json, "trust",
	    json_string(cert_state_name(entry->state)));
	json_object_set_new(json, "trusted_by",
	    out_json_str(entry->trusted_by));
	json_object_set_new(json, "issues",
	    issues_json(entry, facts, now, soon_days));
	if (facts->is_ca)
		json_object_set_new(json, "crls", crls_json(entry));
	json_object_set_new(json, "source", out_json_str(entry->source));
	json_object_set_new(json, "added", out_json_time(entry->added));
	json_object_set_new(json, "added_by", out_json_str(entry->added_by));
	return json;
}
