/*
 * test_pop_window.c - proofs that come again: from where, and for how long.
 */
#include "authn/pop_window.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "tests/support/failing.h"
#include "tests/support/random.h"
#include "tests/support/rows.h"

enum {
	NOW = 1000000
};

static struct pop_showing
showing(unsigned key, unsigned token, const char *address, const char *user,
    int64_t signed_s)
{
	struct pop_showing s = {.user = slice_of(user),
	    .signed_s = signed_s,
	    .until_s = signed_s + POP_AGE_S + 1};
	struct address a;
	char text[32];

	(void)snprintf(text, sizeof(text), "key %u", key);
	digest_sha256(slice_of(text), s.proof.key);
	(void)snprintf(text, sizeof(text), "token %u", token);
	digest_sha256(slice_of(text), s.proof.token);
	assert_ok(address_parse(slice_of(address), &a));
	s.place = pop_place(&a);
	return s;
}

/* One shard: keys that all fall into the first one. */
static struct pop_showing
crowded(unsigned n, const char *user, int64_t signed_s)
{
	struct pop_showing s = showing(n, n, "10.0.0.1", user, signed_s);

	memset(s.proof.key, 0, sizeof(uint64_t));
	return s;
}

static void
admits(struct pop_window *w, const struct pop_showing *s, int64_t now_s)
{
	assert_int_equal(pop_window_admit(w, s, now_s), AUTHN_OK);
}

static void
refuses(struct pop_window *w, const struct pop_showing *s, int64_t now_s)
{
	assert_int_equal(pop_window_admit(w, s, now_s), AUTHN_POP_REPLAY);
}

/* spec: Entra PoP replay */
static void
test_the_same_from_one_place(void **state)
{
	struct pop_window *w = pop_window_new();
	struct pop_showing s = showing(1, 1, "10.0.0.1", "ann", NOW);
	struct pop_showing elsewhere = showing(1, 1, "10.0.0.2", "ann", NOW);
	struct pop_showing other = showing(1, 2, "10.0.0.1", "ann", NOW);
	struct pop_showing next = showing(2, 3, "10.0.0.2", "ann", NOW);

	(void)state;
	admits(w, &s, NOW);
	admits(w, &s, NOW);
	refuses(w, &elsewhere, NOW);
	refuses(w, &other, NOW);
	admits(w, &s, NOW + POP_AGE_S);
	refuses(w, &elsewhere, NOW + POP_AGE_S);
	admits(w, &next, NOW + POP_AGE_S);
	pop_window_free(w);
	pop_window_free(NULL);
}

/*
 * spec: Entra PoP replay: a host's network, for IPv6; a mapped one is IPv4
 * spec: RFC 6052 2.1, RFC 8215, RFC 4380 4: as are translated ones
 */
static void
test_places(void **state)
{
	static const struct {
		const char *first, *then;
		bool same;
	} rows[] = {
	    {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
	    {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
	    {"2001:db8::", "2001:db8::1", true},
	    {"10.0.0.1", "10.0.0.0", false},
	    {"10.0.0.1", "::ffff:10.0.0.1", true},
	    {"10.0.0.1", "a00:1::", false},
	    {"64:ff9b::10.0.0.1", "64:ff9b::10.0.0.2", false},
	    {"64:ff9b::10.0.0.1", "64:ff9b::a00:1", true},
	    {"64:ff9b:1:ffff::1.2.3.4", "64:ff9b:1:ffff::1.2.3.5", false},
	    {"2001:0:a00:1:0:1:2:3", "2001:0:a00:1:0:1:2:4", false},
	    {"2001:1::1", "2001:1::2", true},
	    {"64:ff9c::1", "64:ff9c::2", true},
	};
	struct pop_window *w = pop_window_new();

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		struct pop_showing a = showing(i, i, rows[i].first, "ann", NOW);
		struct pop_showing b = showing(i, i, rows[i].then, "ann", NOW);

		admits(w, &a, NOW);
		if (rows[i].same)
			admits(w, &b, NOW);
		else
			refuses(w, &b, NOW);
	}
	pop_window_free(w);
}

/* spec: Entra PoP replay: a pool is one place, and no address is it */
static void
test_pools(void **state)
{
	struct address a = pop_place_in("a"), b = pop_place_in("b");
	struct address again = pop_place_in("a"), as_address = pop_place(&a);

	(void)state;
	assert_true(address_eq(&a, &again));
	assert_false(address_eq(&a, &b));
	assert_false(address_eq(&a, &as_address));
	assert_int_equal(a.octets[0], 0xff);
}

/* spec: Entra PoP replay: what has aged is forgotten, and never let in again */
static void
test_the_clock_goes_back(void **state)
{
	struct pop_window *w = pop_window_new();
	struct pop_showing s = crowded(1, "ann", NOW);
	struct pop_showing later = crowded(2, "ann", NOW + POP_AGE_S);
	struct pop_showing older = crowded(3, "bob", NOW - 1);

	(void)state;
	admits(w, &s, NOW);
	admits(w, &later, NOW + POP_AGE_S + 1); /* s leaves */
	refuses(w, &s, NOW);
	refuses(w, &older, NOW);
	admits(w, &later, NOW);
	pop_window_free(w);
}

/* spec: Entra PoP replay: whoever fills it loses their own, nobody another's */
static void
test_one_user_fills_it(void **state)
{
	struct pop_window *w = pop_window_new();
	struct pop_showing ann = crowded(0, "ann", NOW);
	struct pop_showing first = crowded(1, "eve", NOW + 60);
	struct pop_showing stolen = ann;

	(void)state;
	stolen.place.octets[3] = 9;
	admits(w, &ann, NOW);
	for (unsigned i = 1; i < 3 * POP_WINDOW_SHARD_MAX; i++) {
		struct pop_showing s = crowded(i, "eve", NOW + 60 + i / 50);

		admits(w, &s, NOW + i / 50);
	}
	admits(w, &ann, NOW);
	refuses(w, &stolen, NOW);
	refuses(w, &first, NOW); /* forgotten, so it may have been shown */
	for (unsigned i = 0; i < 50; i++) {
		struct pop_showing s = crowded(90000 + i, "bob", NOW - 100);

		admits(w, &s, NOW);
	}
	pop_window_free(w);
}

/* Nobody has two: the oldest leaves, and its time counts for everybody. */
static void
test_many_users_fill_it(void **state)
{
	struct pop_window *w = pop_window_new();
	struct pop_showing early = crowded(99999, "zoe", NOW + 4);
	struct pop_showing late = crowded(99998, "zoe", NOW + 2000);
	char name[16];

	(void)state;
	for (unsigned i = 0; i < POP_WINDOW_SHARD_MAX + 5; i++) {
		struct pop_showing s;

		(void)snprintf(name, sizeof(name), "user %u", i);
		s = crowded(i, name, NOW + i);
		admits(w, &s, NOW + i);
		admits(w, &s, NOW + i);
	}
	refuses(w, &early, NOW + 4);
	admits(w, &late, NOW + 1100);
	pop_window_free(w);
}

/* --- against a plain model that forgets nothing --- */

enum {
	KNOWN_MAX = 4000
};

struct model {
	struct pop_showing list[KNOWN_MAX];
	size_t count;
};

/* AUTHN_OK where it may be let in: never shown, or the same from there. */
static enum authn_reason
model_admit(struct model *m, const struct pop_showing *s, bool let_in)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct pop_showing *k = &m->list[i];

		if (memcmp(k->proof.key, s->proof.key, DIGEST_SIZE) == 0)
			return memcmp(k->proof.token, s->proof.token,
				   DIGEST_SIZE) == 0 &&
				address_eq(&k->place, &s->place)
			    ? AUTHN_OK
			    : AUTHN_POP_REPLAY;
	}
	if (let_in)
		m->list[m->count++] = *s;
	return AUTHN_OK;
}

/*
 * Whatever is thrown at one shard: what it lets in was never let in from
 * elsewhere, and a new proof signed now by a user with few is let in.
 */
static void
test_model(void **state)
{
	static const char *const places[] = {"10.0.0.1", "10.0.0.2"};
	static const char *const users[] = {"eve", "eve", "eve", "ann", "bob"};
	static struct model m;
	struct pop_window *w = pop_window_new();
	uint64_t seed = 7;
	unsigned refused = 0;

	(void)state;
	for (unsigned step = 0; m.count < KNOWN_MAX; step++) {
		bool again = m.count != 0 && random_below(&seed, 3) == 0;
		int64_t now_s = NOW + step / 8;
		struct pop_showing s;
		enum authn_reason r;

		if (again) {
			s = m.list[random_below(&seed, (unsigned)m.count)];
			if (random_below(&seed, 2) == 0)
				s.place.octets[3] ^= 3;
		} else {
			s = showing(step, step, places[random_below(&seed, 2)],
			    users[random_below(&seed, 5)],
			    now_s - random_below(&seed, 3));
			memset(s.proof.key, 0, sizeof(uint64_t));
		}
		if (now_s >= s.until_s) /* refused before it comes here */
			continue;
		r = pop_window_admit(w, &s, now_s);
		if (r == AUTHN_OK)
			assert_int_equal(model_admit(&m, &s, true), AUTHN_OK);
		else if (!again && !slice_eq(s.user, SLICE("eve")))
			fail_msg("an honest proof is refused in step %u", step);
		else
			refused++;
	}
	assert_true(refused > 100);
	pop_window_free(w);
}

/* --- threads --- */

struct race {
	struct pop_window *w;
	const char *place;
	atomic_uint *admitted; /* of each proof, by this place */
};

enum {
	PROOFS = 2000
};

static void *
show_all(void *arg)
{
	const struct race *race = arg;

	for (unsigned i = 0; i < PROOFS; i++) {
		struct pop_showing s = showing(i, i, race->place, "ann", NOW);

		if (pop_window_admit(race->w, &s, NOW) == AUTHN_OK)
			atomic_fetch_add(&race->admitted[i], 1);
	}
	return NULL;
}

/* spec: Entra PoP replay: of two places that show at once exactly one wins */
static void
test_threads(void **state)
{
	static atomic_uint admitted[PROOFS];
	struct pop_window *w = pop_window_new();
	struct race races[2] = {{w, "10.0.0.1", admitted},
	    {w, "10.0.0.2", admitted}};
	pthread_t threads[2];

	(void)state;
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, show_all, &races[i]), 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (size_t i = 0; i < PROOFS; i++)
		assert_int_equal(admitted[i], 1);
	pop_window_free(w);
}

/* spec: T-125 */
static void
test_memory_runs_out(void **state)
{
	struct pop_showing s = showing(1, 1, "10.0.0.1", "ann", NOW);
	struct pop_window *w;

	(void)state;
	failing_at(1);
	w = pop_window_new();
	assert_true(failing_stop());
	assert_null(w);
	w = pop_window_new();
	failing_at(1);
	assert_int_equal(pop_window_admit(w, &s, NOW), AUTHN_INTERNAL);
	assert_true(failing_stop());
	admits(w, &s, NOW);
	pop_window_free(w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_same_from_one_place),
	    cmocka_unit_test(test_places),
	    cmocka_unit_test(test_pools),
	    cmocka_unit_test(test_the_clock_goes_back),
	    cmocka_unit_test(test_one_user_fills_it),
	    cmocka_unit_test(test_many_users_fill_it),
	    cmocka_unit_test(test_model),
	    cmocka_unit_test(test_threads),
	    cmocka_unit_test(test_memory_runs_out),
	};

	return cmocka_run_group_tests_name("pop_window", tests, NULL, NULL);
}
