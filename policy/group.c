/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/mem.h"
#include "policy/group.h"

struct slot {
	char	*member;	/* NULL: free */
	size_t	 set;
};

/* Open addressing; at most half full. */
struct group_table {
	struct slot	*slots;
	size_t		 n_slots;	/* a power of two */
	size_t		 n;
};

/* FNV-1a: short strings, and nobody but the administrator chooses them. */
static size_t
hash(const char *prefix, const char *s)
{
	uint64_t	 h = 0xcbf29ce484222325;

	for (; *prefix != '\0'; prefix++)
		h = (h ^ (uint8_t)*prefix) * 0x100000001b3;
	for (; *s != '\0'; s++)
		h = (h ^ (uint8_t)*s) * 0x100000001b3;
	return (size_t)(h ^ h >> 32);
}

/* The slot that has prefix + s, or the free one where it belongs. */
static struct slot *
find_slot(const struct group_table *table, const char *prefix, const char *s)
{
	size_t	 len = strlen(prefix);
	size_t	 i = hash(prefix, s) & (table->n_slots - 1);

	for (;; i = (i + 1) & (table->n_slots - 1)) {
		struct slot	*slot = &table->slots[i];

		if (slot->member == NULL)
			return slot;
		if (strncmp(slot->member, prefix, len) == 0 &&
		    strcmp(slot->member + len, s) == 0)
			return slot;
	}
}

struct group_table *
group_table_new(void)
{
	struct group_table	*table = mem_alloc(sizeof(*table));

	table->n_slots = 64;
	table->slots = mem_array(table->n_slots, sizeof(*table->slots));
	return table;
}

static void
grow(struct group_table *table)
{
	struct slot	*old = table->slots;
	size_t		 n_old = table->n_slots;

	table->n_slots = 2 * n_old;
	table->slots = mem_array(table->n_slots, sizeof(*table->slots));
	for (size_t i = 0; i < n_old; i++)
		if (old[i].member != NULL)
			*find_slot(table, "", old[i].member) = old[i];
	free(old);
}

size_t
group_table_add(struct group_table *table, const char *member, size_t set)
{
	struct slot	*slot = find_slot(table, "", member);

	if (slot->member != NULL)
		return slot->set;
	if (2 * (table->n + 1) > table->n_slots) {
		grow(table);
		slot = find_slot(table, "", member);
	}
	slot->member = mem_str(member);
	slot->set = set;
	table->n++;
	return GROUP_NONE;
}

static size_t
get(const struct group_table *table, const char *prefix, const char *s)
{
	const struct slot	*slot = find_slot(table, prefix, s);

	return slot->member == NULL ? GROUP_NONE : slot->set;
}

static size_t
first(size_t a, size_t b)
{
	return a < b ? a : b;	/* GROUP_NONE is the largest */
}

size_t
group_table_find(const struct group_table *table, const char *addr)
{
	const char	*domain = addr_domain(addr);
	size_t		 found = get(table, "", addr);

	if (domain[0] == '.')	/* itself a member: a domain and below */
		domain++;
	else
		found = first(found, get(table, "@", domain));
	for (; domain != NULL && *domain != '\0';
	    domain = strchr(domain, '.')) {
		if (*domain == '.')
			domain++;
		found = first(found, get(table, "@.", domain));
	}
	return found;
}

size_t
group_table_find_tagged(const struct group_table *table, const char *addr,
    const char *delimiters)
{
	char	 plain[ADDR_MAX];

	if (get(table, "", addr) != GROUP_NONE ||
	    !addr_without_tag(addr, delimiters, plain))
		return group_table_find(table, addr);
	return group_table_find(table, plain);
}

void
group_table_walk(const struct group_table *table, group_fn *fn, void *arg)
{
	for (size_t i = 0; i < table->n_slots; i++)
		if (table->slots[i].member != NULL &&
		    !fn(arg, table->slots[i].member, table->slots[i].set))
			return;
}

void
group_table_free(struct group_table *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->n_slots; i++)
		free(table->slots[i].member);
	free(table->slots);
	free(table);
}
