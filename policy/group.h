/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICY_GROUP_H
#define POLICY_GROUP_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Which of many named sets of addresses has this one?  A set is known by its
 * place in the file; where several have the address the first one wins,
 * however exact or general its member is.
 */
struct group_table;

#define GROUP_NONE	((size_t)-1)

struct group_table *group_table_new(void);
/*
 * member: from addr_member_normalise(), copied.  Returns the set that had
 * this very member before, or GROUP_NONE; the earlier one keeps it.
 */
size_t	group_table_add(struct group_table *, const char *member, size_t set);
/*
 * addr: from addr_normalise(); or a member, which gives the first set that
 * has all of it.  GROUP_NONE: no set has it.
 */
size_t	group_table_find(const struct group_table *, const char *addr);
/*
 * The same for a sub-address: where no set has this very address as a member,
 * the one without its tag is looked up (see addr_without_tag()).
 */
size_t	group_table_find_tagged(const struct group_table *, const char *addr,
	    const char *delimiters);
/* Each member and its set, in no order, until fn says no. */
typedef bool group_fn(void *arg, const char *member, size_t set);
void	group_table_walk(const struct group_table *, group_fn *, void *arg);
void	group_table_free(struct group_table *);

#endif
