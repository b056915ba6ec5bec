/*
 * index.c - changes sorted by list, and lists made from old ones and changes.
 */
#include "rbac/index.h"

#include <stdlib.h>

#include "rbac/subjects.h"

/* One subject of a binding that joins or leaves. */
struct index_change {
	uint64_t hash; /* of the list */
	struct grants_key key;
	struct grant grant;
	bool leaves;
};

/* --- changes -------------------------------------------------------------- */

void
index_changes_init(struct index_changes *c, const struct hash_key *seed)
{
	*c = (struct index_changes){.seed = seed};
	arena_init(&c->text, SIZE_MAX / 2);
}

void
index_changes_release(struct index_changes *c)
{
	free(c->items);
	arena_release(&c->text);
}

static enum status
make_room(struct index_changes *c)
{
	size_t room = c->room != 0 ? c->room * 2 : 16;
	struct index_change *items;

	if (c->count < c->room)
		return STATUS_OK;
	items = realloc(c->items, room * sizeof(*items));
	if (items == NULL)
		return STATUS_NOMEM;
	c->items = items;
	c->room = room;
	return STATUS_OK;
}

/* `system:serviceaccount:` NS `:` NAME. */
static struct slice
service_account(struct index_changes *c, struct slice ns, struct slice name)
{
	struct slice prefix = SLICE("system:serviceaccount:");
	size_t n = prefix.n + ns.n + 1 + name.n;
	char *text = arena_alloc(&c->text, n);

	if (text == NULL)
		return SLICE_EMPTY;
	memcpy(text, prefix.p, prefix.n);
	memcpy(text + prefix.n, ns.p, ns.n);
	text[prefix.n + ns.n] = ':';
	if (name.n != 0)
		memcpy(text + prefix.n + ns.n + 1, name.p, name.n);
	return slice_make(text, n);
}

/*
 * Whose list the subject leads to; false: nobody's.
 * kubernetes pkg/registry/rbac/validation/rule.go, appliesToUser.
 */
static bool
key_of(struct index_changes *c, const struct binding *b,
    const struct subject *s, struct grants_key *key)
{
	struct slice ns = slice_is_empty(s->ns) ? b->ns : s->ns;

	*key = (struct grants_key){.subject = s->name, .ns = b->ns};
	if (slice_eq(s->kind, SLICE("User")))
		return true;
	key->group = slice_eq(s->kind, SLICE("Group"));
	if (key->group)
		return true;
	if (!slice_eq(s->kind, SLICE("ServiceAccount")) || slice_is_empty(ns))
		return false;
	key->subject = service_account(c, ns, s->name);
	return true;
}

enum status
index_changes_add(struct index_changes *c, const struct binding *b,
    uint32_t role, bool leaves)
{
	uint64_t scope = scope_hash(c->seed, b->ns);

	/* No request has the empty namespace of such a RoleBinding. */
	if (!b->cluster && slice_is_empty(b->ns))
		return STATUS_OK;
	for (size_t i = 0; i < b->subject_count; i++) {
		struct index_change *x;

		if (make_room(c) != STATUS_OK)
			return STATUS_NOMEM;
		x = &c->items[c->count];
		if (!key_of(c, b, &b->subjects[i], &x->key))
			continue;
		if (c->text.overflow)
			return STATUS_NOMEM;
		x->hash = grants_hash(
		    subject_hash(c->seed, x->key.group, x->key.subject), scope);
		x->grant = (struct grant){b, role, (uint32_t)i};
		x->leaves = leaves;
		c->count++;
	}
	return STATUS_OK;
}

static int
key_cmp(const struct index_change *x, const struct index_change *y)
{
	int c = (x->hash > y->hash) - (x->hash < y->hash);

	if (c == 0)
		c = x->key.group - y->key.group;
	if (c == 0)
		c = slice_cmp(x->key.subject, y->key.subject);
	return c != 0 ? c : slice_cmp(x->key.ns, y->key.ns);
}

/* By list, in it by the binding's name, in that by subject. */
static int
change_cmp(const void *a, const void *b)
{
	const struct index_change *x = a, *y = b;
	int c = key_cmp(x, y);

	if (c == 0)
		c = slice_cmp(x->grant.binding->name, y->grant.binding->name);
	if (c == 0)
		c = (x->grant.subject > y->grant.subject) -
		    (x->grant.subject < y->grant.subject);
	return c;
}

/* --- lists ---------------------------------------------------------------- */

static void
merged_free(struct merged *m)
{
	if (m == NULL)
		return;
	rights_release(&m->rights);
	free(m);
}

void
grants_unref(void *value)
{
	struct grants *g = value;

	if (!ref_down(&g->refs))
		return;
	merged_free(g->merged);
	free(g);
}

/* Empty, with room for so many. */
static struct grants *
grants_new(const struct grants_key *key, size_t room)
{
	size_t items = room * sizeof(struct grant);
	size_t text = key->subject.n + key->ns.n;
	struct grants *g = malloc(sizeof(*g) + items + text);
	char *at;

	if (g == NULL)
		return NULL;
	at = (char *)(g->items + room);
	*g = (struct grants){
	    .subject_n = (uint32_t)key->subject.n,
	    .ns_n = (uint32_t)key->ns.n,
	    .room = (uint32_t)room,
	    .group = key->group,
	};
	ref_init(&g->refs);
	if (key->subject.n != 0)
		memcpy(at, key->subject.p, key->subject.n);
	if (key->ns.n != 0)
		memcpy(at + key->subject.n, key->ns.p, key->ns.n);
	return g;
}

/*
 * One role counts once, by the first binding: later ones allow nothing that
 * it does not.
 */
static enum status
merge_roles(const struct policy *p, const struct grants *g, struct merged *m,
    struct role_marks *marks)
{
	enum status st = STATUS_OK;

	for (size_t i = 0; i < g->count && st == STATUS_OK; i++) {
		uint32_t number = g->items[i].role;
		const struct compiled_role *r = policy_role(p, number);

		if (r == NULL) {
			failures_add(&m->failures, g->items[i].binding);
		} else if (marks->marks[number] == 0) {
			marks->marks[number] = 1;
			st = rights_merge(&m->rights, &r->rights, (uint32_t)i);
		}
	}
	for (size_t i = 0; i < g->count; i++) {
		if (g->items[i].role < marks->count)
			marks->marks[g->items[i].role] = 0;
	}
	return st;
}

/* A long list gets its table; p's roles are complete.  former: or NULL. */
static enum status
finish_list(const struct policy *p, struct grants *g,
    const struct grants *former, struct role_marks *marks)
{
	enum status st = STATUS_OK;
	struct merged *m;

	if (g->count <= GRANTS_SHORT)
		return STATUS_OK;
	m = calloc(1, sizeof(*m));
	if (m == NULL)
		return STATUS_NOMEM;
	if (former != NULL && former->merged != NULL)
		st = rights_expect(&m->rights, &former->merged->rights);
	if (st == STATUS_OK)
		st = merge_roles(p, g, m, marks);
	if (st == STATUS_OK)
		g->merged = m;
	else
		merged_free(m);
	return st;
}

/* In map, former by g, either of which may be NULL; g is not taken. */
static enum status
replace(struct shardmap *map, uint64_t hash, struct grants *former,
    struct grants *g)
{
	enum status st;

	if (g == NULL)
		return former != NULL ? shardmap_remove(map, hash, former)
				      : STATUS_OK;
	st = shardmap_put(map, hash, former, g);
	if (st == STATUS_OK)
		ref_up(&g->refs); /* the one that the map has taken */
	return st;
}

/* The same in both maps; g is finished, or NULL, and not taken. */
static enum status
replace_list(struct policy *p, uint64_t hash, struct grants *former,
    struct grants *g)
{
	bool was_merged = former != NULL && former->merged != NULL;
	bool is_merged = g != NULL && g->merged != NULL;

	/* The second map goes first: the first holds former meanwhile. */
	if (replace(&p->merged, hash, was_merged ? former : NULL,
		is_merged ? g : NULL) != STATUS_OK)
		return STATUS_NOMEM;
	return replace(&p->grants, hash, former, g);
}

/*
 * The bindings of a list are those of the former, less those that any change
 * names, and those that join.  Both are in order; of changes that name the
 * same binding, the first that joins counts.
 */
static void
fill_list(struct grants *g, const struct grants *former,
    const struct index_change *x, size_t count)
{
	size_t old = 0, old_count = former != NULL ? former->count : 0;

	for (size_t i = 0; i < count;) {
		struct slice name = x[i].grant.binding->name;
		const struct grant *joins = NULL;
		int c = -1;

		while (old < old_count &&
		    (c = slice_cmp(former->items[old].binding->name, name)) < 0)
			g->items[g->count++] = former->items[old++];
		if (old < old_count && c == 0)
			old++;
		for (; i < count && slice_eq(x[i].grant.binding->name, name);
		     i++) {
			if (!x[i].leaves && joins == NULL)
				joins = &x[i].grant;
		}
		if (joins != NULL)
			g->items[g->count++] = *joins;
	}
	while (old < old_count)
		g->items[g->count++] = former->items[old++];
}

static enum status
change_list(struct policy *p, const struct index_change *x, size_t count,
    struct role_marks *marks)
{
	struct grants *former =
	    shardmap_find(&p->grants, x->hash, grants_is, &x->key);
	size_t room = former != NULL ? former->count : 0;
	enum status st = STATUS_OK;
	struct grants *g;

	for (size_t i = 0; i < count; i++)
		room += !x[i].leaves;
	g = grants_new(&x->key, room);
	if (g == NULL)
		return STATUS_NOMEM;
	fill_list(g, former, x, count);
	st = finish_list(p, g, former, marks);
	if (st == STATUS_OK)
		st = replace_list(p, x->hash, former, g->count != 0 ? g : NULL);
	grants_unref(g);
	return st;
}

enum status
index_apply(struct policy *p, struct index_changes *c,
    struct role_marks *unmarked)
{
	enum status st = STATUS_OK;
	size_t end;

	if (c->count != 0)
		qsort(c->items, c->count, sizeof(c->items[0]), change_cmp);
	for (size_t i = 0; i < c->count && st == STATUS_OK; i = end) {
		for (end = i + 1; end < c->count &&
		     key_cmp(&c->items[i], &c->items[end]) == 0;)
			end++;
		st = change_list(p, &c->items[i], end - i, unmarked);
	}
	return st;
}

/* --- roles ---------------------------------------------------------------- */

static bool
has_marked(const struct grants *g, const struct role_marks *changed)
{
	for (size_t i = 0; i < g->count; i++) {
		uint32_t number = g->items[i].role;

		if (number < changed->count && changed->marks[number] != 0)
			return true;
	}
	return false;
}

static enum status
refresh_list(struct policy *p, uint64_t hash, struct grants *former,
    struct role_marks *unmarked)
{
	struct grants_key key = grants_key(former);
	struct grants *g = grants_new(&key, former->count);
	enum status st;

	if (g == NULL)
		return STATUS_NOMEM;
	memcpy(g->items, former->items, former->count * sizeof(g->items[0]));
	g->count = former->count;
	st = finish_list(p, g, former, unmarked);
	if (st == STATUS_OK)
		st = replace_list(p, hash, former, g);
	grants_unref(g);
	return st;
}

enum status
index_refresh(struct policy *p, const struct role_marks *changed,
    struct role_marks *unmarked)
{
	struct shardmap_walk w = {0};
	enum status st = STATUS_OK;
	struct grants *g;

	while (st == STATUS_OK && (g = shardmap_next(&p->merged, &w)) != NULL) {
		if (has_marked(g, changed))
			st = refresh_list(p, w.hash, g, unmarked);
	}
	return st;
}
