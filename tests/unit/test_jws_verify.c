/*
 * test_jws_verify.c - one signature, one key, one algorithm, and no more.
 */
#include "authn/jws_verify.h"

#include <pthread.h>

#include "tests/support/keys.h"
#include "tests/support/rows.h"

static const char keys[] = "tests/vectors/authn/keys.json";
static struct vectors vectors;

/* The token of the row with that name. */
static struct slice
token(const char *name)
{
	for (size_t i = 0; i < vectors.count; i++) {
		if (slice_eq_str(vectors.rows[i]->columns[0], name))
			return vectors.rows[i]->columns[5];
	}
	fail_msg("tokens.txt has no row \"%s\"", name);
	return SLICE_EMPTY;
}

static const struct jwk *
find(const struct jwks *set, const char *kid, enum jws_alg alg)
{
	bool unknown;
	const struct jwk *k = jwks_find(set, slice_of(kid), alg, &unknown);

	assert_non_null(k);
	return k;
}

/*
 * The library has the last word on the signature alone: a token that is long
 * over, not valid yet, for somebody else or without subject has a good one.
 * spec: T-74, T-75
 */
static struct signature_row {
	const char *name;
	const char *token;
} signature_rows[] = {
    {"expired", "T-74 expired in 1970"},
    {"exp is missing", "T-74 no exp"},
    {"exp is a string", "T-74 exp a string"},
    {"exp is negative", "T-74 exp negative"},
    {"not valid yet", "T-75 nbf 2^60"},
    {"for another audience", "T-77 another"},
    {"without audience", "T-77 missing"},
    {"by another issuer", "T-76 http"},
    {"without a subject", "T-78 missing"},
};

static void
check_signature_alone(void **state)
{
	const struct signature_row *row = *state;
	struct jws_verifier *v = jws_verifier_new();
	struct jwks *set = keys_load(keys);

	assert_true(jws_verify(v, find(set, "rsa", JWS_RS256), JWS_RS256,
	    token(row->token)));
	assert_false(jws_verify(v, find(set, "pinned", JWS_RS256), JWS_RS256,
	    token(row->token)));
	jws_verifier_free(v);
	jwks_unref(set);
}

/*
 * spec: T-68: the algorithm that is asked for, and no relative of it.  Each
 * token, under each algorithm that its key would do.
 */
static void
test_exactly_the_algorithm(void **state)
{
	static const struct {
		const char *token;
		enum jws_alg alg;
	} good[] = {
	    {"RS256 with the set's key", JWS_RS256},
	    {"T-68 RS384, the key names no alg", JWS_RS384},
	    {"T-68 RS512, the key names no alg", JWS_RS512},
	    {"T-68 PS256, the key names no alg", JWS_PS256},
	    {"T-68 PS384, the key names no alg", JWS_PS384},
	    {"T-68 PS512, the key names no alg", JWS_PS512},
	};
	struct jws_verifier *v = jws_verifier_new();
	struct jwks *set = keys_load(keys);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		for (int alg = JWS_RS256; alg <= JWS_PS512; alg++)
			assert_int_equal(
			    jws_verify(v, find(set, "rsa", JWS_RS256),
				(enum jws_alg)alg, token(good[i].token)),
			    alg == (int)good[i].alg);
	}
	jws_verifier_free(v);
	jwks_unref(set);
}

/* spec: T-68: a key is not asked to do what it does not fit */
static void
test_a_key_that_does_not_fit(void **state)
{
	struct jws_verifier *v = jws_verifier_new();
	struct jwks *set = keys_load(keys);
	const struct jwk *pinned = find(set, "pinned", JWS_RS256);
	const struct jwk *p256 = find(set, "p256", JWS_ES256);

	(void)state;
	assert_true(jws_verify(v, pinned, JWS_RS256,
	    token("a key that names its alg")));
	assert_false(jws_verify(v, pinned, JWS_RS512,
	    token("T-68 RS512 with a key that names RS256")));
	assert_false(jws_verify(v, pinned, JWS_PS256,
	    token("T-68 PS256 with a key that names RS256")));
	assert_false(
	    jws_verify(v, p256, JWS_RS256, token("RS256 with the set's key")));
	assert_false(jws_verify(v, p256, JWS_NONE, token("T-69 none")));
	jws_verifier_free(v);
	jwks_unref(set);
}

static void
test_odd_texts(void **state)
{
	static char huge[TOKEN_MAX + 8];
	struct slice good = token("RS256 with the set's key");
	struct slice cut[] = {SLICE(""), SLICE("."), SLICE(".."), SLICE("a"),
	    SLICE("\0.\0.\0")};
	struct jws_verifier *v = jws_verifier_new();
	struct jwks *set = keys_load(keys);
	const struct jwk *rsa = find(set, "rsa", JWS_RS256);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cut); i++)
		assert_false(jws_verify(v, rsa, JWS_RS256, cut[i]));
	/* What the library would not see behind a NUL. */
	memcpy(huge, good.p, good.n);
	assert_true(jws_verify(v, rsa, JWS_RS256, slice_make(huge, good.n)));
	assert_false(
	    jws_verify(v, rsa, JWS_RS256, slice_make(huge, good.n + 1)));
	memset(huge, 'A', sizeof(huge));
	assert_false(
	    jws_verify(v, rsa, JWS_RS256, slice_make(huge, sizeof(huge))));
	jws_verifier_free(v);
	jwks_unref(set);
	jws_verifier_free(NULL);
}

/* A verifier outlives keys; a set outlives who verified with it. */
static void
test_lives(void **state)
{
	struct slice good = token("T-68 ES256 with its curve");
	struct jws_verifier *v = jws_verifier_new();

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct jwks *set = keys_load(keys);

		assert_true(jws_verify(v, find(set, "p256", JWS_ES256),
		    JWS_ES256, good));
		jwks_unref(set);
	}
	jws_verifier_free(v);
}

/* --- threads share a set, not a verifier --- */

struct share {
	const struct jwk *rsa, *ec;
	struct slice by_rsa, by_ec;
	unsigned wrong;
};

static void *
verify_often(void *arg)
{
	struct share *s = arg;
	struct jws_verifier *v = jws_verifier_new();

	for (int i = 0; i < 100; i++) {
		if (v == NULL || !jws_verify(v, s->rsa, JWS_RS256, s->by_rsa) ||
		    !jws_verify(v, s->ec, JWS_ES256, s->by_ec) ||
		    jws_verify(v, s->rsa, JWS_PS256, s->by_rsa))
			s->wrong++;
	}
	jws_verifier_free(v);
	return NULL;
}

static void
test_threads(void **state)
{
	struct jwks *set = keys_load(keys);
	struct share shares[4];
	pthread_t threads[COUNT_OF(shares)];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(shares); i++) {
		shares[i] = (struct share){find(set, "rsa", JWS_RS256),
		    find(set, "p256", JWS_ES256),
		    token("RS256 with the set's key"),
		    token("T-68 ES256 with its curve"), 0};
		assert_int_equal(
		    pthread_create(&threads[i], NULL, verify_often, &shares[i]),
		    0);
	}
	for (size_t i = 0; i < COUNT_OF(shares); i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(shares[i].wrong, 0);
	}
	jwks_unref(set);
}

int
main(void)
{
	struct rows rows = {0};
	int failed;

	vectors_read(&vectors, "tests/vectors/authn/tokens.txt");
	ROWS_ADD_TABLE(&rows, signature_rows, check_signature_alone);
	rows_add(&rows, "exactly the algorithm that is asked for",
	    test_exactly_the_algorithm, NULL);
	rows_add(&rows, "a key that does not fit", test_a_key_that_does_not_fit,
	    NULL);
	rows_add(&rows, "texts that are no tokens", test_odd_texts, NULL);
	rows_add(&rows, "keys and verifiers come and go", test_lives, NULL);
	rows_add(&rows, "threads share a set", test_threads, NULL);
	failed = rows_run(&rows, "jws_verify");
	vectors_release(&vectors);
	return failed;
}
