/*
 * aggregate.c - rules of cluster roles that are made of other roles' rules.
 *
 * Equal rules get one number, so that skipping duplicates is a look into an
 * array and comparing two rounds is comparing numbers.
 */
#include "rbac/aggregate.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/strmap.h"
#include "rbac/selector.h"

/* The numbers of a role's rules. */
struct list {
	size_t *ids; /* in the arena, with room for so many */
	size_t count, room;
};

struct aggregation {
	struct policy_role *roles;
	size_t count;
	struct list *lists;        /* of each role */
	const struct rule **rules; /* by number, from 1 */
	size_t rule_count;
	size_t *seen; /* by number: the last walk that met it */
	size_t walk;
	size_t *found;         /* what a walk collects */
	struct strmap numbers; /* a rule's content -> &rules[number] */
	struct arena arena;    /* lists and keys */
};

/* --- selectors ------------------------------------------------------------ */

static bool
selectors_are_valid(const struct role *r)
{
	for (size_t i = 0; i < r->selector_count; i++) {
		if (!selector_is_valid(&r->selectors[i]))
			return false;
	}
	return true;
}

static bool
is_selected(const struct selector *s, const struct role *r)
{
	return selector_holds(s, r->labels, r->label_count);
}

/* --- numbers for rules ---------------------------------------------------- */

static void
put_strings(struct buf *b, const struct strings *s)
{
	buf_putf(b, "%zu ", s->count);
	for (size_t i = 0; i < s->count; i++) {
		buf_putf(b, "%zu ", s->items[i].n);
		buf_put(b, s->items[i]);
	}
}

/* Equal for equal rules only; absent and empty lists are the same. */
static void
put_rule(struct buf *b, const struct rule *r)
{
	put_strings(b, &r->verbs);
	put_strings(b, &r->api_groups);
	put_strings(b, &r->resources);
	put_strings(b, &r->resource_names);
	put_strings(b, &r->urls);
}

static enum status
number_rule(struct aggregation *g, const struct rule *r, struct buf *key,
    size_t *id)
{
	const struct rule **known;
	struct slice copy;

	buf_reset(key);
	put_rule(key, r);
	if (key->overflow)
		return STATUS_NOMEM;
	known = strmap_get(&g->numbers, buf_slice(key));
	if (known == NULL) {
		known = &g->rules[++g->rule_count];
		*known = r;
		copy = arena_dup(&g->arena, buf_slice(key));
		if (g->arena.overflow ||
		    strmap_put(&g->numbers, copy, known, NULL) != STATUS_OK)
			return STATUS_NOMEM;
	}
	*id = (size_t)(known - g->rules);
	return STATUS_OK;
}

static enum status
list_set(struct aggregation *g, struct list *l, const size_t *ids, size_t n)
{
	if (n > l->room) {
		l->ids = arena_alloc(&g->arena, n * sizeof(*l->ids));
		if (l->ids == NULL)
			return STATUS_NOMEM;
		l->room = n;
	}
	if (n != 0)
		memcpy(l->ids, ids, n * sizeof(*l->ids));
	l->count = n;
	return STATUS_OK;
}

static enum status
number_role(struct aggregation *g, size_t i, struct buf *key)
{
	const struct policy_role *r = &g->roles[i];
	enum status st = STATUS_OK;

	for (size_t j = 0; j < r->count && st == STATUS_OK; j++)
		st = number_rule(g, r->rules[j], key, &g->found[j]);
	if (st == STATUS_OK)
		st = list_set(g, &g->lists[i], g->found, r->count);
	return st;
}

static enum status
number_rules(struct aggregation *g)
{
	enum status st = STATUS_OK;
	struct buf key;

	buf_init(&key, SIZE_MAX / 2);
	for (size_t i = 0; i < g->count && st == STATUS_OK; i++)
		st = number_role(g, i, &key);
	buf_release(&key);
	return st;
}

/* --- rounds --------------------------------------------------------------- */

static size_t
add_unseen(struct aggregation *g, const struct list *from, size_t n)
{
	for (size_t i = 0; i < from->count; i++) {
		size_t id = from->ids[i];

		if (g->seen[id] == g->walk)
			continue;
		g->seen[id] = g->walk;
		g->found[n++] = id;
	}
	return n;
}

/* For each selector in order, each other role that it selects, by name. */
static size_t
collect(struct aggregation *g, size_t self)
{
	const struct role *r = g->roles[self].role;
	size_t n = 0;

	g->walk++;
	for (size_t i = 0; i < r->selector_count; i++) {
		for (size_t j = 0; j < g->count; j++) {
			if (j != self &&
			    is_selected(&r->selectors[i], g->roles[j].role))
				n = add_unseen(g, &g->lists[j], n);
		}
	}
	return n;
}

static bool
is_computed(const struct role *r)
{
	return r->aggregated && selectors_are_valid(r);
}

static enum status
run_round(struct aggregation *g, bool *changed)
{
	*changed = false;
	for (size_t i = 0; i < g->count; i++) {
		struct list *l = &g->lists[i];
		size_t n;

		if (!is_computed(g->roles[i].role))
			continue;
		n = collect(g, i);
		if (n == l->count &&
		    (n == 0 ||
			memcmp(l->ids, g->found, n * sizeof(*l->ids)) == 0))
			continue;
		*changed = true;
		if (list_set(g, l, g->found, n) != STATUS_OK)
			return STATUS_NOMEM;
	}
	return STATUS_OK;
}

static enum status
run_rounds(struct aggregation *g)
{
	enum status st = STATUS_OK;
	bool changed = true;
	size_t rounds = 0;

	for (size_t i = 0; i < g->count; i++)
		rounds += is_computed(g->roles[i].role);
	while (rounds-- > 0 && changed && st == STATUS_OK)
		st = run_round(g, &changed);
	return st;
}

/* --- the whole ------------------------------------------------------------ */

static enum status
prepare(struct aggregation *g)
{
	size_t rules = 0;

	for (size_t i = 0; i < g->count; i++)
		rules += g->roles[i].count;
	g->lists = calloc(g->count + 1, sizeof(*g->lists));
	g->rules = calloc(rules + 1, sizeof(struct rule *));
	g->seen = calloc(rules + 1, sizeof(*g->seen));
	g->found = calloc(rules + 1, sizeof(*g->found));
	strmap_init(&g->numbers);
	arena_init(&g->arena, SIZE_MAX / 2);
	if (g->lists == NULL || g->rules == NULL || g->seen == NULL ||
	    g->found == NULL)
		return STATUS_NOMEM;
	return number_rules(g);
}

/* Puts the lists of the computed roles in force. */
static enum status
publish(struct aggregation *g, const struct rule ***memory)
{
	const struct rule **at;
	size_t total = 1;

	for (size_t i = 0; i < g->count; i++)
		total += g->lists[i].count;
	at = calloc(total, sizeof(struct rule *));
	if (at == NULL)
		return STATUS_NOMEM;
	*memory = at;
	for (size_t i = 0; i < g->count; i++) {
		const struct list *l = &g->lists[i];

		if (!is_computed(g->roles[i].role))
			continue;
		g->roles[i].rules = at;
		g->roles[i].count = l->count;
		for (size_t j = 0; j < l->count; j++)
			*at++ = g->rules[l->ids[j]];
	}
	return STATUS_OK;
}

static bool
has_aggregated(const struct policy_role *roles, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (roles[i].role->aggregated)
			return true;
	}
	return false;
}

enum status
aggregate_roles(struct policy_role *roles, size_t count,
    const struct rule ***memory)
{
	struct aggregation g = {.roles = roles, .count = count};
	enum status st;

	if (!has_aggregated(roles, count))
		return STATUS_OK;
	st = prepare(&g);
	if (st == STATUS_OK)
		st = run_rounds(&g);
	if (st == STATUS_OK)
		st = publish(&g, memory);
	free(g.lists);
	free(g.rules);
	free(g.seen);
	free(g.found);
	strmap_release(&g.numbers);
	arena_release(&g.arena);
	return st;
}
