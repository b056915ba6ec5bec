/*
 * test_token_cache.c - what is remembered, for whom, how long, how much.
 */
#include "authn/token_cache.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/random.h"
#include "tests/support/rows.h"

enum {
	NOW = 1000,
	LATER = 2000,
	BYTES = 1 << 20, /* more than any test but one needs */
};

static struct identity *
identity(const char *name)
{
	struct user u = {.name = slice_of(name)};
	struct identity *id = identity_new(&u);

	assert_non_null(id);
	return id;
}

/* Put a token whose identity has the token's name; the cache keeps it. */
static void
put(struct token_cache *c, unsigned scope, uint64_t generation,
    const char *token, int64_t expires_s)
{
	struct token_verdict v = {.reason = AUTHN_OK,
	    .identity = identity(token),
	    .issuer = 3,
	    .expires_s = expires_s};

	token_cache_put(c, scope, generation, slice_of(token), &v, NULL);
	assert_int_equal(v.identity->refs <= 2, true);
	identity_unref(v.identity);
}

static bool
has(struct token_cache *c, unsigned scope, uint64_t generation,
    const char *token, int64_t now_s)
{
	struct token_found f = {.issuer = 99};

	if (!token_cache_get(c, scope, generation, slice_of(token), now_s,
		&f)) {
		assert_null(f.identity);
		assert_int_equal(f.issuer, 99);
		return false;
	}
	assert_slice(f.identity->user.name, token);
	assert_int_equal(f.issuer, 3);
	assert_true(f.expires_s > now_s);
	assert_false(f.has_proof);
	identity_unref(f.identity);
	return true;
}

/* spec: T-82: the whole token is the key */
static void
test_the_whole_token(void **state)
{
	struct token_cache *c = token_cache_new(8, BYTES);

	(void)state;
	assert_false(has(c, 0, 1, "a.b.c", NOW));
	put(c, 0, 1, "a.b.c", LATER);
	assert_true(has(c, 0, 1, "a.b.c", NOW));
	assert_true(has(c, 0, 1, "a.b.c", NOW));
	assert_false(has(c, 0, 1, "a.b.d", NOW));
	assert_false(has(c, 0, 1, "a.b.", NOW));
	assert_false(has(c, 0, 1, "a.b.cc", NOW));
	assert_false(has(c, 0, 1, "", NOW));
	assert_int_equal(token_cache_count(c), 1);
	token_cache_free(c);
	token_cache_free(NULL);
}

/* spec: T-82: it ends at exp; and once ended it is gone */
static void
test_expiry(void **state)
{
	struct token_cache *c = token_cache_new(8, BYTES);

	(void)state;
	put(c, 0, 1, "t", LATER);
	assert_true(has(c, 0, 1, "t", LATER - 1));
	assert_false(has(c, 0, 1, "t", LATER));
	assert_int_equal(token_cache_count(c), 0);
	assert_false(has(c, 0, 1, "t", NOW)); /* though the clock went back */
	token_cache_free(c);
}

/* spec: T-82: nothing lives longer because the clock was set back */
static void
test_a_clock_that_goes_back(void **state)
{
	struct token_cache *c = token_cache_new(8, BYTES);

	(void)state;
	assert_false(has(c, 0, 1, "t", NOW));
	put(c, 0, 1, "t", LATER);
	assert_true(has(c, 0, 1, "t", NOW + 9));
	assert_false(has(c, 0, 1, "t", NOW + 8));
	assert_int_equal(token_cache_count(c), 0);
	put(c, 0, 1, "t", LATER);
	assert_true(has(c, 0, 1, "t", NOW + 8));
	/* Also where it was not asked for in the meantime. */
	assert_false(has(c, 0, 1, "other", NOW));
	assert_false(has(c, 0, 1, "t", NOW + 9));
	token_cache_free(c);
}

/* spec: T-82, T-87: other keys or rules, another judgement */
static void
test_generation(void **state)
{
	struct token_cache *c = token_cache_new(8, BYTES);

	(void)state;
	put(c, 0, 1, "t", LATER);
	assert_false(has(c, 0, 2, "t", NOW));
	assert_int_equal(token_cache_count(c), 0);
	assert_false(has(c, 0, 1, "t", NOW));
	put(c, 0, 2, "t", LATER);
	assert_true(has(c, 0, 2, "t", NOW));
	token_cache_free(c);
}

static void
test_scope(void **state)
{
	struct token_cache *c = token_cache_new(8, BYTES);

	(void)state;
	put(c, 1, 7, "t", LATER);
	assert_false(has(c, 2, 7, "t", NOW));
	assert_true(has(c, 1, 7, "t", NOW));
	put(c, 2, 8, "t", LATER);
	assert_true(has(c, 1, 7, "t", NOW));
	assert_true(has(c, 2, 8, "t", NOW));
	assert_int_equal(token_cache_count(c), 2);
	token_cache_free(c);
}

/* spec: T-82: failures are not successes */
static void
test_failures_are_not_kept(void **state)
{
	struct token_cache *c = token_cache_new(8, BYTES);
	struct identity *id = identity("t");
	struct token_verdict v = {.reason = AUTHN_EXPIRED,
	    .identity = id,
	    .expires_s = LATER};

	(void)state;
	token_cache_put(c, 0, 1, SLICE("t"), &v, NULL);
	v = (struct token_verdict){.reason = AUTHN_OK, .expires_s = LATER};
	token_cache_put(c, 0, 1, SLICE("t"), &v, NULL);
	assert_int_equal(token_cache_count(c), 0);
	identity_unref(id);
	token_cache_free(c);
}

/* spec: Entra PoP time: it is remembered no longer than it may be shown */
static void
test_a_proof(void **state)
{
	struct token_cache *c = token_cache_new(8, BYTES);
	struct address place = {FAMILY_V4, {10, 1, 2, 3}};
	struct token_found f;
	struct token_verdict v = {.reason = AUTHN_OK,
	    .identity = identity("t"),
	    .expires_s = LATER,
	    .has_proof = true,
	    .proof_until_s = NOW + 5};

	(void)state;
	token_cache_put(c, 0, 1, SLICE("t"), &v, NULL); /* from nowhere */
	assert_int_equal(token_cache_count(c), 0);
	token_cache_put(c, 0, 1, SLICE("t"), &v, &place);
	assert_true(token_cache_get(c, 0, 1, SLICE("t"), NOW + 4, &f));
	assert_true(f.has_proof);
	assert_true(address_eq(&f.place, &place));
	assert_int_equal(f.expires_s, LATER); /* the session's end */
	identity_unref(f.identity);
	assert_false(token_cache_get(c, 0, 1, SLICE("t"), NOW + 5, &f));
	v.proof_until_s = LATER + 5; /* the access token ends before */
	token_cache_put(c, 0, 1, SLICE("t"), &v, &place);
	assert_false(token_cache_get(c, 0, 1, SLICE("t"), LATER, &f));
	identity_unref(v.identity);
	token_cache_free(c);
}

static void
test_putting_twice_replaces(void **state)
{
	struct token_cache *c = token_cache_new(8, BYTES);

	(void)state;
	put(c, 0, 1, "t", LATER);
	put(c, 0, 2, "t", LATER + 5);
	assert_int_equal(token_cache_count(c), 1);
	assert_true(has(c, 0, 2, "t", LATER + 4));
	token_cache_free(c);
}

static void
test_least_recently_used_makes_room(void **state)
{
	struct token_cache *c = token_cache_new(3, BYTES);

	(void)state;
	put(c, 0, 1, "a", LATER);
	put(c, 0, 1, "b", LATER);
	put(c, 0, 1, "c", LATER);
	assert_true(has(c, 0, 1, "a", NOW));
	put(c, 0, 1, "d", LATER);
	assert_int_equal(token_cache_count(c), 3);
	assert_false(has(c, 0, 1, "b", NOW));
	assert_true(has(c, 0, 1, "a", NOW));
	assert_true(has(c, 0, 1, "c", NOW));
	assert_true(has(c, 0, 1, "d", NOW));
	token_cache_free(c);
}

static void
test_what_has_ended_makes_room_first(void **state)
{
	struct token_cache *c = token_cache_new(4, BYTES);

	(void)state;
	put(c, 0, 1, "old", NOW + 1);
	put(c, 0, 1, "a", LATER);
	assert_true(has(c, 0, 1, "a", NOW + 1)); /* tells the time */
	put(c, 0, 1, "b", LATER);
	assert_int_equal(token_cache_count(c), 2);
	token_cache_free(c);
}

static void
test_no_room_at_all(void **state)
{
	struct token_cache *c = token_cache_new(0, BYTES);

	(void)state;
	assert_non_null(c);
	put(c, 0, 1, "a", LATER);
	assert_int_equal(token_cache_count(c), 0);
	assert_false(has(c, 0, 1, "a", NOW));
	token_cache_free(c);
}

/* A token above the limit is not even hashed. */
static void
test_huge(void **state)
{
	struct token_cache *c = token_cache_new(1, BYTES);
	char *text = calloc(1, TOKEN_MAX + 2);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', TOKEN_MAX + 1);
	put(c, 0, 1, text, LATER);
	assert_false(has(c, 0, 1, text, NOW));
	text[TOKEN_MAX] = '\0';
	put(c, 0, 1, text, LATER);
	assert_true(has(c, 0, 1, text, NOW));
	free(text);
	token_cache_free(c);
}

/* --- against a plain model: a list, the newest at its end --- */

enum {
	MODEL_MAX = 16
};

struct known {
	unsigned token;
	uint64_t generation;
	int64_t expires_s;
};

struct model {
	struct known list[MODEL_MAX];
	size_t count;
};

static size_t
model_find(const struct model *m, unsigned token)
{
	size_t i = 0;

	while (i < m->count && m->list[i].token != token)
		i++;
	return i;
}

static void
model_drop(struct model *m, size_t i)
{
	m->count--;
	memmove(&m->list[i], &m->list[i + 1],
	    (m->count - i) * sizeof(m->list[0]));
}

static bool
model_get(struct model *m, unsigned token, uint64_t generation, int64_t now_s)
{
	size_t i = model_find(m, token);
	struct known k;

	if (i == m->count)
		return false;
	k = m->list[i];
	model_drop(m, i);
	if (k.generation != generation || now_s >= k.expires_s)
		return false;
	m->list[m->count++] = k;
	return true;
}

static void
model_put(struct model *m, unsigned token, uint64_t generation,
    int64_t expires_s, int64_t now_s)
{
	size_t i = model_find(m, token);

	if (i != m->count)
		model_drop(m, i);
	if (m->count != 0 &&
	    (m->count == MODEL_MAX || now_s >= m->list[0].expires_s))
		model_drop(m, 0);
	m->list[m->count++] = (struct known){token, generation, expires_s};
}

static void
test_model(void **state)
{
	struct token_cache *c = token_cache_new(MODEL_MAX, BYTES);
	struct model m = {.count = 0};
	uint64_t seed = 11;

	(void)state;
	for (int step = 0; step < 50000; step++) {
		unsigned token = random_below(&seed, 24);
		uint64_t generation = 1 + (uint64_t)step / 5000;
		int64_t now_s = step / 10;
		char text[16];

		(void)snprintf(text, sizeof(text), "t%u", token);
		assert_int_equal(has(c, 0, generation, text, now_s),
		    model_get(&m, token, generation, now_s));
		if (random_below(&seed, 3) == 0) {
			int64_t expires_s = now_s + 1 + random_below(&seed, 50);

			put(c, 0, generation, text, expires_s);
			model_put(&m, token, generation, expires_s, now_s);
		}
		assert_int_equal(token_cache_count(c), m.count);
	}
	token_cache_free(c);
}

/* spec: T-82: bounded in bytes too, whatever the groups of a token */
static void
test_bytes(void **state)
{
	struct identity *small = identity("a");
	size_t size = small->size;
	struct token_cache *c = token_cache_new(100, 3 * size);
	struct token_verdict v = {.reason = AUTHN_OK, .expires_s = LATER};
	struct slice groups[64];
	struct user u = {.name = SLICE("big"),
	    .groups = groups,
	    .group_count = COUNT_OF(groups)};

	(void)state;
	put(c, 0, 1, "a", LATER);
	put(c, 0, 1, "b", LATER);
	put(c, 0, 1, "c", LATER);
	assert_int_equal(token_cache_count(c), 3);
	assert_true(has(c, 0, 1, "a", NOW));
	put(c, 0, 1, "d", LATER);
	assert_int_equal(token_cache_count(c), 3);
	assert_false(has(c, 0, 1, "b", NOW));
	assert_true(has(c, 0, 1, "a", NOW));
	put(c, 0, 1, "a", LATER); /* anew: in the place of itself */
	assert_int_equal(token_cache_count(c), 3);
	/* What is larger than all room is not kept, and drops nothing. */
	for (size_t i = 0; i < COUNT_OF(groups); i++)
		groups[i] = SLICE("a-group-with-a-long-name");
	v.identity = identity_new(&u);
	assert_non_null(v.identity);
	assert_true(v.identity->size > 3 * size);
	token_cache_put(c, 0, 1, SLICE("big"), &v, NULL);
	assert_int_equal(token_cache_count(c), 3);
	assert_false(has(c, 0, 1, "big", NOW));
	identity_unref(v.identity);
	identity_unref(small);
	/* An entry of two makes room for itself and for another one. */
	u.group_count = 1;
	groups[0] = slice_make("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 8);
	v.identity = identity_new(&u);
	assert_true(v.identity->size > size && v.identity->size <= 2 * size);
	token_cache_put(c, 0, 1, SLICE("big"), &v, NULL);
	assert_int_equal(token_cache_count(c), 2);
	assert_int_equal(v.identity->refs, 2);
	token_cache_free(c);
	assert_int_equal(v.identity->refs, 1);
	identity_unref(v.identity);
}

/* spec: Entra lookup: looked-up groups are forgotten before their token ends */
static void
test_an_entry_that_ends_before_its_token(void **state)
{
	struct token_cache *c = token_cache_new(8, BYTES);
	struct token_verdict v = {.reason = AUTHN_OK,
	    .identity = identity("t"),
	    .issuer = 3,
	    .expires_s = LATER,
	    .until_s = NOW + 300};
	struct token_found f;

	(void)state;
	token_cache_put(c, 0, 1, SLICE("t"), &v, NULL);
	assert_true(token_cache_get(c, 0, 1, SLICE("t"), NOW + 299, &f));
	assert_ptr_equal(f.identity, v.identity);
	assert_int_equal(f.expires_s, LATER);
	identity_unref(f.identity);
	assert_false(has(c, 0, 1, "t", NOW + 300));
	assert_int_equal(token_cache_count(c), 0);
	/* Nor does it make a token live longer. */
	v.until_s = LATER + 1;
	token_cache_put(c, 0, 1, SLICE("t"), &v, NULL);
	assert_true(has(c, 0, 1, "t", LATER - 1));
	assert_false(has(c, 0, 1, "t", LATER));
	identity_unref(v.identity);
	token_cache_free(c);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_whole_token),
	    cmocka_unit_test(test_expiry),
	    cmocka_unit_test(test_a_clock_that_goes_back),
	    cmocka_unit_test(test_an_entry_that_ends_before_its_token),
	    cmocka_unit_test(test_generation),
	    cmocka_unit_test(test_scope),
	    cmocka_unit_test(test_failures_are_not_kept),
	    cmocka_unit_test(test_a_proof),
	    cmocka_unit_test(test_putting_twice_replaces),
	    cmocka_unit_test(test_least_recently_used_makes_room),
	    cmocka_unit_test(test_what_has_ended_makes_room_first),
	    cmocka_unit_test(test_no_room_at_all),
	    cmocka_unit_test(test_huge),
	    cmocka_unit_test(test_bytes),
	    cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests_name("token_cache", tests, NULL, NULL);
}
