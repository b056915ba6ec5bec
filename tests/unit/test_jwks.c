/*
 * test_jwks.c - key sets: what is refused, what is skipped, what is found.
 */
#include "authn/jwks.h"

#include "authn/jwk.h"
#include "config/file.h"
#include "tests/support/failing.h"
#include "tests/support/guard.h"
#include "tests/support/keys.h"
#include "tests/support/rows.h"

static const char *
outcome(enum status st)
{
	return st == STATUS_OK ? "ok" : status_name(st);
}

/* The kids in their order, "-" for a key that has none. */
static void
check_kids(const struct jwks *set, struct slice want)
{
	bool done = false;
	struct slice kid;
	size_t n = 0;

	while (slice_split(&want, ',', &done, &kid)) {
		bool unknown = true;

		n++;
		if (slice_eq(kid, SLICE("-")))
			continue;
		(void)jwks_find(set, kid, JWS_RS256, &unknown);
		assert_false(unknown);
	}
	assert_int_equal(jwks_count(set), n);
}

/* spec: T-73, T-84, T-86, T-88 */
static void
check_row(void **state)
{
	const struct vector *row = *state;
	struct errinfo err = {0};
	struct guard g = {0};
	struct jwks *set = NULL;
	uint64_t skipped;
	enum status st =
	    jwks_parse(guard_copy(&g, row->columns[4]), "set.json", &set, &err);

	guard_release(&g);
	assert_slices(slice_of(outcome(st)), row->columns[1]);
	assert_true(slice_to_u64(row->columns[2], 1000, &skipped));
	if (st == STATUS_OK) {
		check_kids(set, row->columns[3]);
		assert_int_equal(jwks_skipped(set), skipped);
		assert_int_equal(err.warnings, skipped);
		assert_int_equal(err.errors, 0);
		jwks_unref(set);
	} else {
		assert_null(set);
		assert_int_equal(err.errors, 1);
		assert_true(
		    slice_contains(buf_slice(&err.text), SLICE("set.json:")));
	}
	errinfo_release(&err);
}

/* spec: T-68: each algorithm has its type, and a key's own alg is the only one
 */
static void
test_fit(void **state)
{
	static const struct {
		const char *kid;
		unsigned algorithms;
	} want[] = {
	    {"rsa",
		BIT(JWS_RS256) | BIT(JWS_RS384) | BIT(JWS_RS512) |
		    BIT(JWS_PS256) | BIT(JWS_PS384) | BIT(JWS_PS512)},
	    {"pinned", BIT(JWS_RS256)},
	    {"p256", BIT(JWS_ES256)},
	    {"p384", BIT(JWS_ES384)},
	    {"p521", BIT(JWS_ES512)},
	};
	struct jwks *set = keys_load("tests/vectors/authn/keys.json");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(want); i++) {
		for (int alg = JWS_NONE; alg <= JWS_ES512; alg++) {
			bool unknown;
			const struct jwk *k = jwks_find(set,
			    slice_of(want[i].kid), (enum jws_alg)alg, &unknown);

			assert_false(unknown);
			assert_int_equal(k != NULL,
			    (want[i].algorithms & BIT(alg)) != 0);
		}
	}
	jwks_unref(set);
}

/* spec: T-72 */
static void
test_without_kid(void **state)
{
	struct jwks *set = keys_load("tests/vectors/authn/pair.json");
	bool unknown = true;

	(void)state;
	assert_non_null(jwks_find(set, SLICE_EMPTY, JWS_RS256, &unknown));
	assert_false(unknown);
	assert_non_null(jwks_find(set, SLICE_EMPTY, JWS_ES256, &unknown));
	assert_null(jwks_find(set, SLICE_EMPTY, JWS_ES384, &unknown));
	assert_false(unknown);
	assert_null(jwks_find(set, SLICE("x"), JWS_RS256, &unknown));
	assert_true(unknown);
	jwks_unref(set);
	set = keys_load("tests/vectors/authn/two.json");
	assert_null(jwks_find(set, SLICE_EMPTY, JWS_RS256, &unknown));
	assert_false(unknown);
	jwks_unref(set);
}

static void
test_algorithm_names(void **state)
{
	static const char *const others[] = {"none", "None", "", "HS256",
	    "HS384", "HS512", "EdDSA", "ES256K", "rs256", "RS256 ", "RS1",
	    "RS2567", "RS25"};

	(void)state;
	for (int alg = JWS_RS256; alg <= JWS_ES512; alg++)
		assert_int_equal(
		    jws_alg_parse(slice_of(jws_alg_name((enum jws_alg)alg))),
		    alg);
	for (size_t i = 0; i < COUNT_OF(others); i++)
		assert_int_equal(jws_alg_parse(slice_of(others[i])), JWS_NONE);
}

/* spec: T-84 */
static void
test_too_large(void **state)
{
	struct errinfo err = {0};
	struct jwks *set = NULL;
	struct guard g = {0};
	char *room = guard_room(&g, JWKS_BYTES_MAX + 1);

	(void)state;
	memset(room, ' ', JWKS_BYTES_MAX + 1);
	assert_status(
	    jwks_parse(slice_make(room, JWKS_BYTES_MAX + 1), "x", &set, &err),
	    STATUS_LIMIT);
	assert_null(set);
	guard_release(&g);
	errinfo_release(&err);
}

static void
test_references(void **state)
{
	struct jwks *set = keys_load("tests/vectors/authn/one.json");
	bool unknown;

	(void)state;
	assert_ptr_equal(jwks_ref(set), set);
	jwks_unref(set);
	assert_non_null(jwks_find(set, SLICE_EMPTY, JWS_PS384, &unknown));
	jwks_unref(set);
	jwks_unref(NULL);
}

/* spec: T-125, T-86: each allocation may fail, and nothing is lost or broken */
static void
test_memory_runs_out(void **state)
{
	unsigned failures = 0;
	struct buf text;

	(void)state;
	buf_init(&text, JWKS_BYTES_MAX);
	assert_ok(file_read("tests/vectors/authn/one.json", &text, NULL));
	for (unsigned long n = 1;; n++) {
		struct jwks *set = NULL;
		enum status st;
		bool failed;

		failing_at(n);
		st = jwks_parse(buf_slice(&text), "x", &set, NULL);
		failed = failing_stop();
		assert_int_equal(set != NULL, st == STATUS_OK);
		jwks_unref(set);
		if (!failed)
			break;
		if (st != STATUS_OK)
			assert_status(st, STATUS_NOMEM);
		failures += st != STATUS_OK;
	}
	assert_true(failures > 10);
	buf_release(&text);
}

int
main(void)
{
	struct vectors sets = {0};
	struct rows rows = {0};
	int failed;

	vectors_read(&sets, "tests/vectors/authn/jwks.txt");
	rows_add_vectors(&rows, &sets, check_row);
	rows_add(&rows, "an algorithm needs its type of key, and its alg",
	    test_fit, NULL);
	rows_add(&rows, "without kid exactly one key must fit",
	    test_without_kid, NULL);
	rows_add(&rows, "algorithms are known by exact text",
	    test_algorithm_names, NULL);
	rows_add(&rows, "a set above 1 MiB", test_too_large, NULL);
	rows_add(&rows, "sets are shared", test_references, NULL);
	rows_add(&rows, "memory runs out", test_memory_runs_out, NULL);
	failed = rows_run(&rows, "jwks");
	vectors_release(&sets);
	return failed;
}
