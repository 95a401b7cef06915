/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/mem.h"
#include "policy/config_check.h"
#include "policy/config_members.h"
#include "policy/config_scan.h"

bool
config_members_add(struct config_members *members, const char *text, size_t set,
    const char *path, int line, struct err *err)
{
	char	 normalised[ADDR_MAX];

	if (!addr_member_normalise(text, normalised, err))
		return false;
	if ((members->n & (members->n - 1)) == 0)
		members->list = mem_grow(members->list,
		    members->n == 0 ? 1 : 2 * members->n,
		    sizeof(*members->list));
	members->list[members->n++] = (struct config_member){
	    mem_str(normalised), set, path, line };
	return true;
}

bool
config_members_add_file(struct config_members *members, size_t set,
    const struct config_source *source, struct err *err)
{
	const char	*at = source->bytes, *end = at + source->len;
	char		 word[CONFIG_WORD_MAX];

	if (!config_scan_list(source, err))
		return false;
	for (int line = 1; at < end; line++) {
		while (config_scan_word(&at, end, word))
			if (!config_members_add(members, word, set,
			    source->path, line, err))
				return err_prefix(err, "%s:%d", source->path,
				    line);
		if (at < end)	/* the line's end */
			at++;
	}
	return true;
}

static int
compare_members(const void *a, const void *b)
{
	const struct config_member	*x = a, *y = b;

	if (x->set != y->set)
		return x->set < y->set ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* The index, with earlier sets first, and warnings about what never wins. */
struct group_table *
config_members_index(struct config_members *members, struct config *config,
    size_t n_sets, config_members_label *label)
{
	struct group_table	*table = group_table_new();
	bool			*is_reachable = mem_array(n_sets, sizeof(bool));
	int			 line;

	if (members->n > 0)
		qsort(members->list, members->n, sizeof(*members->list),
		    compare_members);
	for (size_t i = 0; i < members->n; i++)
		group_table_add(table, members->list[i].text,
		    members->list[i].set);
	for (size_t i = 0; i < members->n; i++) {
		const struct config_member	*m = &members->list[i];
		size_t			 winner;

		winner = group_table_find(table, m->text);
		if (winner == m->set) {
			is_reachable[m->set] = true;
			continue;
		}
		config_check_warn(config, 0, "%s (%s:%d) of %s is in %s "
		    "already, which comes first and wins", m->text, m->path,
		    m->line, label(config, m->set, &line),
		    label(config, winner, &line));
	}
	for (size_t i = 0; i < n_sets; i++) {
		const char	*name = label(config, i, &line);

		if (!is_reachable[i])
			config_check_warn(config, line, "%s has no member "
			    "that could ever match", name);
	}
	free(is_reachable);
	return table;
}

void
config_members_free(struct config_members *members)
{
	for (size_t i = 0; i < members->n; i++)
		free(members->list[i].text);
	free(members->list);
}
