/*
 * seal.c - a policy of what has changed: roles first, then lists of grants.
 *
 * Cost follows what has changed: the former policy's shards and chunks are
 * shared, and copied where a change falls into them.
 */
#include "rbac/seal.h"

#include <stdlib.h>

#include "rbac/index.h"
#include "rbac/seal_parts.h"

/* --- numbers -------------------------------------------------------------- */

/*
 * A Role is looked up in the binding's namespace; other kinds are unknown.
 * kubernetes pkg/registry/rbac/validation/rule.go, GetRoleReferenceRules.
 */
static enum status
number_of_binding(struct sealer *s, const struct binding *b, uint32_t *number)
{
	buf_reset(&s->key);
	if (slice_eq(b->role_kind, SLICE("ClusterRole"))) {
		stored_put_key(&s->key, STORED_CLUSTER_ROLE, SLICE_EMPTY,
		    b->role_name);
	} else if (slice_eq(b->role_kind, SLICE("Role")) && !b->cluster) {
		stored_put_key(&s->key, STORED_ROLE, b->ns, b->role_name);
	} else {
		*number = ROLE_NONE;
		return STATUS_OK;
	}
	if (s->key.overflow)
		return STATUS_NOMEM;
	return role_number(s->in->numbers, buf_slice(&s->key), number);
}

/* --- what has changed ----------------------------------------------------- */

static struct stored *
find(const struct seal *in, const struct shardmap *objects, struct slice key)
{
	return shardmap_find(objects, hash_bytes(&in->seed.key, key), stored_is,
	    &key);
}

static bool
is_role(const struct stored *x)
{
	return x->kind == STORED_ROLE || x->kind == STORED_CLUSTER_ROLE;
}

/* Cluster roles that are there come last, all at once. */
static enum status
change_roles(struct sealer *s)
{
	bool cluster_roles = s->in->former->aggregate != s->in->aggregate;
	const struct strmap_entry *e;
	enum status st = STATUS_OK;
	size_t i = 0;

	while (st == STATUS_OK && (e = strmap_next(s->in->changed, &i))) {
		const struct stored *x = e->value;

		if (!is_role(x))
			continue;
		cluster_roles = cluster_roles || x->role.cluster;
		x = find(s->in, &s->in->objects[x->kind], e->key);
		if (x == NULL)
			st = seal_remove_role(s, e->key);
		else if (!x->role.cluster)
			st = seal_put_role(s, x);
	}
	if (st == STATUS_OK && cluster_roles)
		st = seal_put_cluster_roles(s);
	return st;
}

static enum status
add_binding(struct sealer *s, struct index_changes *c, const struct stored *x)
{
	uint32_t number;

	if (number_of_binding(s, &x->binding, &number) != STATUS_OK)
		return STATUS_NOMEM;
	return index_changes_add(c, &x->binding, number, false);
}

static enum status
change_bindings(struct sealer *s, struct index_changes *c)
{
	const struct strmap_entry *e;
	enum status st = STATUS_OK;
	size_t i = 0;

	while (st == STATUS_OK && (e = strmap_next(s->in->changed, &i))) {
		const struct stored *x = e->value, *before, *now;

		if (is_role(x))
			continue;
		before = find(s->in, &s->in->former->objects[x->kind], e->key);
		now = find(s->in, &s->in->objects[x->kind], e->key);
		if (before != NULL)
			st = index_changes_add(c, &before->binding, ROLE_NONE,
			    true);
		if (now != NULL && st == STATUS_OK)
			st = add_binding(s, c, now);
	}
	return st;
}

static enum status
all_roles(struct sealer *s)
{
	struct shardmap_walk w = {0};
	enum status st = STATUS_OK;
	struct stored *x;

	while (st == STATUS_OK &&
	    (x = shardmap_next(&s->in->objects[STORED_ROLE], &w)) != NULL)
		st = seal_put_role(s, x);
	return st == STATUS_OK ? seal_put_cluster_roles(s) : st;
}

static enum status
all_bindings(struct sealer *s, struct index_changes *c)
{
	enum status st = STATUS_OK;
	struct stored *x;

	for (enum stored_kind k = STORED_ROLE_BINDING; k < STORED_KINDS; k++) {
		struct shardmap_walk w = {0};

		while (st == STATUS_OK &&
		    (x = shardmap_next(&s->in->objects[k], &w)) != NULL)
			st = add_binding(s, c, x);
	}
	return st;
}

/* --- the whole ------------------------------------------------------------ */

static struct policy *
policy_new(const struct seal *in)
{
	struct policy *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	ref_init(&p->refs);
	p->aggregate = in->aggregate;
	p->skipped = in->skipped;
	p->seed = in->seed;
	for (size_t i = 0; i < STORED_KINDS; i++)
		shardmap_copy(&p->objects[i], &in->objects[i]);
	if (in->former == NULL) {
		shardmap_init(&p->grants, grants_unref);
		shardmap_init(&p->merged, grants_unref);
	} else {
		shardmap_copy(&p->grants, &in->former->grants);
		shardmap_copy(&p->merged, &in->former->merged);
	}
	return p;
}

static enum status
refresh(struct sealer *s, struct role_marks *unmarked)
{
	struct role_marks changed = {.count = unmarked->count};
	enum status st;

	if (s->recompiled_count == 0)
		return STATUS_OK;
	changed.marks = calloc(changed.count, 1);
	if (changed.marks == NULL)
		return STATUS_NOMEM;
	for (size_t i = 0; i < s->recompiled_count; i++)
		changed.marks[s->recompiled[i]] = 1;
	st = index_refresh(s->p, &changed, unmarked);
	free(changed.marks);
	return st;
}

/* Roles are complete; now the lists that they and the bindings change. */
static enum status
fill_lists(struct sealer *s, struct index_changes *c)
{
	struct role_marks unmarked = {.count = s->in->numbers->map.count};
	enum status st;

	unmarked.marks = calloc(unmarked.count + 1, 1);
	if (unmarked.marks == NULL)
		return STATUS_NOMEM;
	st = refresh(s, &unmarked);
	if (st == STATUS_OK)
		st = index_apply(s->p, c, &unmarked);
	free(unmarked.marks);
	return st;
}

static enum status
fill(struct sealer *s)
{
	bool anew = s->in->former == NULL;
	struct index_changes c;
	enum status st;

	index_changes_init(&c, &s->in->seed.key);
	st = seal_share_chunks(s->p, s->in->former);
	if (st == STATUS_OK)
		st = anew ? all_roles(s) : change_roles(s);
	if (st == STATUS_OK)
		st = anew ? all_bindings(s, &c) : change_bindings(s, &c);
	if (st == STATUS_OK)
		st = fill_lists(s, &c);
	index_changes_release(&c);
	return st;
}

enum status
seal_policy(const struct seal *in, struct policy **out)
{
	struct sealer s = {.in = in, .p = policy_new(in)};
	enum status st;

	if (s.p == NULL)
		return STATUS_NOMEM;
	buf_init(&s.key, SIZE_MAX / 2);
	st = fill(&s);
	buf_release(&s.key);
	free(s.recompiled);
	if (st == STATUS_OK)
		*out = s.p;
	else
		policy_unref(s.p);
	return st;
}
