/*
 * test_shardmap.c - maps that share: each is as if it were alone.
 */
#include "rbac/shardmap.h"

#include <stdlib.h>

#include "tests/support/failing.h"
#include "tests/support/random.h"
#include "tests/support/rows.h"

enum {
	KEYS = 200,
	MAPS = 4,
	STEPS = 6000
};

static unsigned alive; /* values that somebody holds */

struct value {
	struct ref refs;
	unsigned key;
};

static struct value *
value_new(unsigned key)
{
	struct value *v = malloc(sizeof(*v));

	assert_non_null(v);
	ref_init(&v->refs);
	v->key = key;
	alive++;
	return v;
}

static void
drop(void *value)
{
	struct value *v = value;

	if (!ref_down(&v->refs))
		return;
	alive--;
	free(v);
}

static bool
value_is(const void *value, const void *key)
{
	const struct value *v = value;
	const unsigned *k = key;

	return v->key == *k;
}

/* Few shards, and hashes that many keys have in common. */
static uint64_t
hash_of(unsigned key)
{
	return (uint64_t)(key % 3) | (uint64_t)(key % 40) << SHARDMAP_BITS |
	    (uint64_t)(key % 5) << 60;
}

/* A map, and what it should hold. */
struct model {
	struct shardmap map;
	struct value *values[KEYS];
	size_t count;
};

static void
assert_holds(const struct model *m)
{
	struct shardmap_walk w = {0};
	const struct value *v;
	size_t count = 0;

	for (unsigned key = 0; key < KEYS; key++) {
		uint64_t hash = hash_of(key);
		const struct shardmap_slot *slot =
		    shardmap_scout(&m->map, hash);

		shardmap_prefetch(&m->map, hash);
		assert_ptr_equal(shardmap_find(&m->map, hash, value_is, &key),
		    m->values[key]);
		assert_true(slot != NULL || m->values[key] == NULL);
	}
	while ((v = shardmap_next(&m->map, &w)) != NULL) {
		assert_ptr_equal(v, m->values[v->key]);
		assert_int_equal(w.hash, hash_of(v->key));
		count++;
	}
	assert_int_equal(count, m->count);
	assert_int_equal(m->map.count, m->count);
}

/* Puts or replaces.  Without memory nothing changes; fail: 0, or when. */
static void
put(struct model *m, unsigned key, unsigned fail)
{
	struct value *former = m->values[key], *v = value_new(key);
	enum status st;

	failing_at(fail);
	st = shardmap_put(&m->map, hash_of(key), former, v);
	(void)failing_stop();
	if (st != STATUS_OK) {
		assert_true(fail != 0);
		drop(v);
		return;
	}
	m->count += former == NULL;
	m->values[key] = v;
}

static void
take_out(struct model *m, unsigned key, unsigned fail)
{
	struct value *former = m->values[key];
	enum status st;

	if (former == NULL)
		return;
	failing_at(fail);
	st = shardmap_remove(&m->map, hash_of(key), former);
	(void)failing_stop();
	if (st != STATUS_OK) {
		assert_true(fail != 0);
		return;
	}
	m->values[key] = NULL;
	m->count--;
}

static void
test_copies_are_apart(void **state)
{
	struct model models[MAPS];
	uint64_t seed = 5;

	(void)state;
	memset(models, 0, sizeof(models));
	for (size_t i = 0; i < MAPS; i++)
		shardmap_init(&models[i].map, drop);
	for (unsigned step = 0; step < STEPS; step++) {
		struct model *m = &models[random_below(&seed, MAPS)];
		struct model *from = &models[random_below(&seed, MAPS)];
		unsigned key = random_below(&seed, KEYS);

		if (random_below(&seed, 50) == 0 && from != m) {
			shardmap_release(&m->map);
			*m = *from;
			shardmap_copy(&m->map, &from->map);
		}
		if (random_below(&seed, 5) < 3)
			put(m, key, random_below(&seed, 10) == 0);
		else
			take_out(m, key, random_below(&seed, 10) == 0);
		if (step % 50 == 0) {
			for (size_t i = 0; i < MAPS; i++)
				assert_holds(&models[i]);
		}
	}
	for (size_t i = 0; i < MAPS; i++)
		shardmap_release(&models[i].map);
	assert_int_equal(alive, 0);
}

static void
test_replacing_on_a_walk(void **state)
{
	struct model m = {.count = 0}, shared;
	struct shardmap_walk w = {0};
	struct value *v;
	size_t seen = 0;

	(void)state;
	shardmap_init(&m.map, drop);
	for (unsigned key = 0; key < KEYS; key++)
		put(&m, key, 0);
	shardmap_copy(&shared.map, &m.map); /* so that shards are remade */
	while ((v = shardmap_next(&m.map, &w)) != NULL) {
		put(&m, v->key, 0);
		seen++;
	}
	assert_int_equal(seen, KEYS);
	assert_holds(&m);
	shardmap_release(&shared.map);
	shardmap_release(&m.map);
	assert_int_equal(alive, 0);
}

int
main(void)
{
	struct rows rows = {0};

	rows_add(&rows, "copies are apart", test_copies_are_apart, NULL);
	rows_add(&rows, "replacing on a walk", test_replacing_on_a_walk, NULL);
	return rows_run(&rows, "shardmap");
}
