/*
 * builder.c - objects by key, and the sealing of what is there.
 */
#include "rbac/builder.h"

#include <stdlib.h>

#include "base/strmap.h"
#include "rbac/aggregate.h"
#include "rbac/policy_parts.h"

struct builder {
	struct strmap objects; /* key -> struct stored */
	size_t skipped;
};

struct builder *
builder_new(void)
{
	struct builder *b = calloc(1, sizeof(*b));

	if (b != NULL)
		strmap_init(&b->objects);
	return b;
}

void
builder_free(struct builder *b)
{
	const struct strmap_entry *e;
	size_t i = 0;

	if (b == NULL)
		return;
	while ((e = strmap_next(&b->objects, &i)) != NULL)
		stored_unref(e->value);
	strmap_release(&b->objects);
	free(b);
}

/* Takes the reference to s.  Its key replaces the former object's. */
static enum status
put_take(struct builder *b, struct stored *s)
{
	struct stored *former;
	enum status st;

	if (s == NULL)
		return STATUS_NOMEM;
	/* The map's key lies in the object, so that the old entry goes first;
	 * putting back into the slot just freed needs no memory. */
	former = strmap_remove(&b->objects, s->key);
	st = strmap_put(&b->objects, s->key, s, NULL);
	if (st != STATUS_OK)
		stored_unref(s);
	stored_unref(former);
	return st;
}

enum status
builder_put_role(struct builder *b, const struct role *r)
{
	return put_take(b, stored_new_role(r));
}

enum status
builder_put_binding(struct builder *b, const struct binding *x)
{
	return put_take(b, stored_new_binding(x));
}

static enum status
remove_object(struct builder *b, enum stored_kind kind, struct slice ns,
    struct slice name)
{
	enum status st = STATUS_NOMEM;
	struct buf key;

	buf_init(&key, ns.n + name.n + 64);
	stored_put_key(&key, kind, ns, name);
	if (!key.overflow) {
		stored_unref(strmap_remove(&b->objects, buf_slice(&key)));
		st = STATUS_OK;
	}
	buf_release(&key);
	return st;
}

enum status
builder_remove_role(struct builder *b, bool cluster, struct slice ns,
    struct slice name)
{
	return cluster
	    ? remove_object(b, STORED_CLUSTER_ROLE, SLICE_EMPTY, name)
	    : remove_object(b, STORED_ROLE, ns, name);
}

enum status
builder_remove_binding(struct builder *b, bool cluster, struct slice ns,
    struct slice name)
{
	return cluster
	    ? remove_object(b, STORED_CLUSTER_ROLE_BINDING, SLICE_EMPTY, name)
	    : remove_object(b, STORED_ROLE_BINDING, ns, name);
}

void
builder_count_skipped(struct builder *b)
{
	b->skipped++;
}

/* --- sealing -------------------------------------------------------------- */

static bool
is_role(const struct stored *s)
{
	return s->kind == STORED_ROLE || s->kind == STORED_CLUSTER_ROLE;
}

static struct slice
ns_of(const struct stored *s)
{
	return is_role(s) ? s->role.ns : s->binding.ns;
}

static struct slice
name_of(const struct stored *s)
{
	return is_role(s) ? s->role.name : s->binding.name;
}

static int
stored_cmp(const void *a, const void *b)
{
	const struct stored *x = *(const struct stored *const *)a;
	const struct stored *y = *(const struct stored *const *)b;
	int c = (x->kind > y->kind) - (x->kind < y->kind);

	if (c == 0)
		c = slice_cmp(ns_of(x), ns_of(y));
	return c != 0 ? c : slice_cmp(name_of(x), name_of(y));
}

/* Zeroed room for n things; never NULL for n = 0 while there is memory. */
static void *
room(size_t n, size_t size)
{
	return calloc(n != 0 ? n : 1, size);
}

/* Takes a reference to every object, in order of kind, namespace and name. */
static enum status
hold_objects(const struct builder *b, struct policy *p)
{
	const struct strmap_entry *e;
	size_t i = 0, kinds[STORED_KINDS] = {0};

	p->held = room(b->objects.count, sizeof(struct stored *));
	if (p->held == NULL)
		return STATUS_NOMEM;
	while ((e = strmap_next(&b->objects, &i)) != NULL) {
		struct stored *s = stored_ref(e->value);

		p->held[p->held_count++] = s;
		kinds[s->kind]++;
	}
	qsort(p->held, p->held_count, sizeof(struct stored *), stored_cmp);
	p->counts = (struct policy_counts){
	    .roles = kinds[STORED_ROLE],
	    .cluster_roles = kinds[STORED_CLUSTER_ROLE],
	    .role_bindings = kinds[STORED_ROLE_BINDING],
	    .cluster_role_bindings = kinds[STORED_CLUSTER_ROLE_BINDING],
	    .skipped = b->skipped,
	};
	return STATUS_OK;
}

static size_t
count_rules(struct stored *const *roles, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += roles[i]->role.rule_count;
	return n;
}

/* The roles with their stored rules. */
static enum status
fill_roles(struct policy *p)
{
	size_t count = p->counts.roles + p->counts.cluster_roles;
	const struct rule **at;

	p->roles = room(count, sizeof(*p->roles));
	p->rules = room(count_rules(p->held, count), sizeof(*p->rules));
	if (p->roles == NULL || p->rules == NULL)
		return STATUS_NOMEM;
	at = p->rules;
	for (size_t i = 0; i < count; i++) {
		const struct role *r = &p->held[i]->role;

		p->roles[i] = (struct policy_role){r, at, r->rule_count};
		for (size_t j = 0; j < r->rule_count; j++)
			*at++ = &r->rules[j];
	}
	p->cluster_roles = p->roles + p->counts.roles;
	return STATUS_OK;
}

static const struct policy_role *
find_role(const struct policy_role *roles, size_t count, struct slice ns,
    struct slice name)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = slice_cmp(roles[mid].role->ns, ns);

		if (c == 0)
			c = slice_cmp(roles[mid].role->name, name);
		if (c == 0)
			return &roles[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* A Role is looked up in the binding's namespace; other kinds are unknown. */
static const struct policy_role *
resolve(const struct policy *p, const struct binding *b)
{
	if (slice_eq(b->role_kind, SLICE("ClusterRole")))
		return find_role(p->cluster_roles, p->counts.cluster_roles,
		    SLICE_EMPTY, b->role_name);
	if (slice_eq(b->role_kind, SLICE("Role")) && !b->cluster)
		return find_role(p->roles, p->counts.roles, b->ns,
		    b->role_name);
	return NULL;
}

static enum status
fill_bindings(struct policy *p)
{
	size_t first = p->counts.roles + p->counts.cluster_roles;
	size_t count = p->held_count - first;

	p->bindings = room(count, sizeof(*p->bindings));
	if (p->bindings == NULL)
		return STATUS_NOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct binding *b = &p->held[first + i]->binding;

		p->bindings[i] = (struct policy_binding){b, resolve(p, b)};
	}
	p->cluster_bindings = p->bindings + p->counts.role_bindings;
	return STATUS_OK;
}

enum status
builder_seal(const struct builder *b, bool aggregate, struct policy **out)
{
	struct policy *p = calloc(1, sizeof(*p));
	enum status st;

	if (p == NULL)
		return STATUS_NOMEM;
	ref_init(&p->refs);
	st = hold_objects(b, p);
	if (st == STATUS_OK)
		st = fill_roles(p);
	if (st == STATUS_OK && aggregate)
		st = aggregate_roles(p->cluster_roles, p->counts.cluster_roles,
		    &p->aggregated);
	if (st == STATUS_OK)
		st = fill_bindings(p);
	if (st == STATUS_OK)
		*out = p;
	else
		policy_unref(p);
	return st;
}
