/*
 * builder.c - objects by key, and what has changed since the last seal.
 */
#include "rbac/builder.h"

#include <stdlib.h>

#include "rbac/seal.h"

enum {
	NUMBERS_FREE = 1024 /* before roles are numbered anew */
};

struct builder {
	struct rights_seed seed;
	struct shardmap objects[STORED_KINDS];
	size_t skipped;
	struct role_numbers numbers;
	struct policy *last; /* NULL: there is none to start from */
	/* The keys of what has changed since, each in an object that is held
	 * for the sake of it. */
	struct strmap changed;
};

static void
drop_stored(void *s)
{
	stored_unref(s);
}

struct builder *
builder_new(void)
{
	struct builder *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->seed = rights_seed_random();
	for (size_t i = 0; i < STORED_KINDS; i++)
		shardmap_init(&b->objects[i], drop_stored);
	role_numbers_init(&b->numbers);
	strmap_init(&b->changed);
	return b;
}

static void
forget_changes(struct builder *b)
{
	const struct strmap_entry *e;
	size_t i = 0;

	while ((e = strmap_next(&b->changed, &i)) != NULL)
		stored_unref(e->value);
	strmap_release(&b->changed);
	strmap_init(&b->changed);
}

void
builder_free(struct builder *b)
{
	if (b == NULL)
		return;
	forget_changes(b);
	policy_unref(b->last);
	role_numbers_release(&b->numbers);
	for (size_t i = 0; i < STORED_KINDS; i++)
		shardmap_release(&b->objects[i]);
	free(b);
}

/* --- objects -------------------------------------------------------------- */

/* A mark too many does no harm. */
static enum status
note_change(struct builder *b, struct stored *s)
{
	enum status st;

	if (b->last == NULL || strmap_get(&b->changed, s->key) != NULL)
		return STATUS_OK;
	st = strmap_put(&b->changed, s->key, stored_ref(s), NULL);
	if (st != STATUS_OK)
		stored_unref(s);
	return st;
}

/* Takes the reference to s. */
static enum status
put_take(struct builder *b, struct stored *s)
{
	struct shardmap *map;
	struct stored *former;
	enum status st;
	uint64_t hash;

	if (s == NULL)
		return STATUS_NOMEM;
	map = &b->objects[s->kind];
	hash = hash_bytes(&b->seed.key, s->key);
	former = shardmap_find(map, hash, stored_is, &s->key);
	st = note_change(b, s);
	if (st == STATUS_OK)
		st = shardmap_put(map, hash, former, s);
	if (st != STATUS_OK)
		stored_unref(s);
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
remove_key(struct builder *b, enum stored_kind kind, struct slice key)
{
	uint64_t hash = hash_bytes(&b->seed.key, key);
	struct stored *s =
	    shardmap_find(&b->objects[kind], hash, stored_is, &key);
	enum status st;

	if (s == NULL)
		return STATUS_OK;
	st = note_change(b, s);
	return st == STATUS_OK ? shardmap_remove(&b->objects[kind], hash, s)
			       : st;
}

static enum status
remove_object(struct builder *b, enum stored_kind kind, struct slice ns,
    struct slice name)
{
	enum status st = STATUS_NOMEM;
	struct buf key;

	buf_init(&key, ns.n + name.n + 64);
	stored_put_key(&key, kind, ns, name);
	if (!key.overflow)
		st = remove_key(b, kind, buf_slice(&key));
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

static size_t
count_objects(const struct builder *b)
{
	size_t n = 0;

	for (size_t i = 0; i < STORED_KINDS; i++)
		n += b->objects[i].count;
	return n;
}

/*
 * Numbers of roles that are gone, and that no binding names any more, are not
 * given back one by one: when they are the most, all start anew.
 */
static void
renumber_roles(struct builder *b)
{
	if (b->numbers.map.count <= 2 * count_objects(b) + NUMBERS_FREE)
		return;
	forget_changes(b);
	policy_unref(b->last);
	b->last = NULL;
	role_numbers_release(&b->numbers);
	role_numbers_init(&b->numbers);
}

enum status
builder_seal(struct builder *b, bool aggregate, struct policy **out)
{
	struct seal in = {
	    .seed = b->seed,
	    .objects = b->objects,
	    .changed = &b->changed,
	    .numbers = &b->numbers,
	    .aggregate = aggregate,
	    .skipped = b->skipped,
	};
	struct policy *p = NULL;
	enum status st;

	renumber_roles(b);
	in.former = b->last;
	st = seal_policy(&in, &p);
	if (st != STATUS_OK)
		return st;
	forget_changes(b);
	policy_unref(b->last);
	b->last = policy_ref(p);
	*out = p;
	return STATUS_OK;
}
