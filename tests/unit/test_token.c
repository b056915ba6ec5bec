/*
 * test_token.c - tokens judged whole, each with the rule that decides it.
 */
#include "authn/token.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/guard.h"
#include "tests/support/keys.h"
#include "tests/support/rows.h"

enum {
	NO_KEYS = 5 /* the issuer in issuers.yaml that has none */
};

static const char folder[] = "tests/vectors/authn/";

/* --- a gateway's view: issuers, and one key set for all of them --- */

struct world {
	struct issuers *issuers;
	struct jwks *set;
	struct jwks *sets[ISSUERS_MAX];
	struct jws_verifier *verifier;
};

static void
load_set(struct world *w, struct slice name)
{
	char path[200];

	(void)snprintf(path, sizeof(path), "%s%.*s.json", folder,
	    SLICE_ARG(name));
	w->set = keys_load(path);
	for (size_t i = 0; i < w->issuers->count; i++)
		w->sets[i] = i != NO_KEYS ? w->set : NULL;
}

static void
load_issuers(struct world *w, struct slice algorithms, bool skew)
{
	static const char *const all[] = {"RS256", "RS384", "RS512", "PS256",
	    "PS384", "PS512", "ES256", "ES384", "ES512"};
	static const char *const two[] = {"RS256", "ES256"};
	static const char *const users[] = {"system:robot"};
	static const char *const groups[] = {"system:robots", "system:masters",
	    "system:authenticated"};
	struct issuers_options o = {.path = "tests/vectors/authn/issuers.yaml",
	    .algorithms = algorithms.n != 0 ? two : all,
	    .algorithm_count = algorithms.n != 0 ? 2 : 9,
	    .reserved_users = users,
	    .reserved_user_count = 1,
	    .reserved_groups = groups,
	    .reserved_group_count = COUNT_OF(groups),
	    .nbf_skew_s = skew ? 0 : 60,
	    .exp_skew_s = skew ? 60 : 0};
	struct errinfo err = {0};

	assert_ok(issuers_load(&o, &w->issuers, &err));
	errinfo_release(&err);
}

/* setup: NAME, NAME:RS256,ES256 or NAME/skew */
static void
world_init(struct world *w, struct slice setup)
{
	size_t colon = slice_index(setup, ':');
	size_t slash = slice_index(setup, '/');
	size_t end = colon < slash ? colon : slash;

	*w = (struct world){0};
	load_issuers(w, slice_from(setup, colon), slash != setup.n);
	load_set(w, slice_first(setup, end));
	w->verifier = jws_verifier_new();
	assert_non_null(w->verifier);
}

static void
world_release(struct world *w)
{
	jws_verifier_free(w->verifier);
	jwks_unref(w->set);
	issuers_unref(w->issuers);
}

/* --- rows of tokens.txt --- */

/* NAME|GROUP,GROUP|JTI */
static void
put_user(struct buf *b, const struct user *u)
{
	buf_put(b, u->name);
	for (size_t i = 0; i < u->group_count; i++) {
		buf_puts(b, i == 0 ? "|" : ",");
		buf_put(b, u->groups[i]);
	}
	buf_puts(b, "|");
	if (u->extra_count == 0)
		return;
	assert_int_equal(u->extra_count, 1);
	assert_slice(u->extra[0].key,
	    "authentication.kubernetes.io/credential-id");
	assert_int_equal(u->extra[0].count, 1);
	assert_true(slice_starts(u->extra[0].values[0], SLICE("JTI=")));
	buf_put(b, slice_from(u->extra[0].values[0], 4));
}

static void
check_user(const struct token_verdict *v, struct slice want)
{
	struct buf text;

	buf_init(&text, 1 << 20);
	put_user(&text, &v->identity->user);
	if (want.n != 0)
		assert_slices(buf_slice(&text), want);
	buf_release(&text);
}

/* spec: T-67..T-81, RFC 7518 3.4, RFC 7519 5.2; each row names its rule */
static void
check_row(void **state)
{
	const struct vector *row = *state;
	struct guard g = {0};
	struct world w;
	struct token_verdict v;
	uint64_t now;
	bool fetch = slice_eq(row->columns[4], SLICE("fetch"));

	world_init(&w, row->columns[1]);
	assert_true(slice_to_u64(row->columns[2], INT64_MAX, &now));
	token_judge(w.issuers, w.sets, w.verifier,
	    guard_copy(&g, row->columns[5]), (int64_t)now, &v);
	guard_release(&g);
	assert_slices(slice_of(authn_reason_name(v.reason)), row->columns[3]);
	assert_int_equal(v.wants_keys, fetch);
	if (v.reason == AUTHN_OK) {
		assert_non_null(v.identity);
		assert_true(v.issuer < w.issuers->count);
		assert_true(v.expires_s > (int64_t)now);
		check_user(&v, row->columns[4]);
	} else {
		assert_null(v.identity);
	}
	identity_unref(v.identity);
	world_release(&w);
}

/* --- properties --- */

static struct vectors vectors;

/* The first row: a token that is welcome. */
static struct slice
good_token(int64_t *now)
{
	uint64_t n;

	assert_true(slice_to_u64(vectors.rows[0]->columns[2], INT64_MAX, &n));
	*now = (int64_t)n;
	return vectors.rows[0]->columns[5];
}

/* No octet of a token can be another one, nor be left out. */
static void
test_every_octet_counts(void **state)
{
	struct token_verdict v;
	struct world w;
	int64_t now;
	struct slice good = good_token(&now);
	char *copy = malloc(good.n);

	(void)state;
	assert_non_null(copy);
	world_init(&w, SLICE("keys"));
	for (size_t i = 0; i < good.n; i++) {
		memcpy(copy, good.p, good.n);
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		token_judge(w.issuers, w.sets, w.verifier,
		    slice_make(copy, good.n), now, &v);
		assert_int_not_equal(v.reason, AUTHN_OK);
		assert_null(v.identity);
		memmove(copy + i, good.p + i + 1, good.n - i - 1);
		token_judge(w.issuers, w.sets, w.verifier,
		    slice_make(copy, good.n - 1), now, &v);
		assert_int_not_equal(v.reason, AUTHN_OK);
	}
	free(copy);
	world_release(&w);
}

/* A verifier keeps nothing of what it saw: refusals change no later word. */
static void
test_a_verifier_forgets(void **state)
{
	struct token_verdict v;
	struct world w;
	int64_t now;
	struct slice good = good_token(&now);

	(void)state;
	world_init(&w, SLICE("keys"));
	for (size_t i = 0; i < vectors.count; i++) {
		const struct vector *row = vectors.rows[i];

		if (!slice_eq(row->columns[1], SLICE("keys")))
			continue;
		token_judge(w.issuers, w.sets, w.verifier, row->columns[5], now,
		    &v);
		identity_unref(v.identity);
		token_judge(w.issuers, w.sets, w.verifier, good, now, &v);
		assert_int_equal(v.reason, AUTHN_OK);
		identity_unref(v.identity);
	}
	world_release(&w);
}

static void
test_expiry_is_told(void **state)
{
	struct token_verdict v;
	struct world w;
	int64_t now;
	struct slice good = good_token(&now);

	(void)state;
	world_init(&w, SLICE("keys/skew"));
	token_judge(w.issuers, w.sets, w.verifier, good, now, &v);
	assert_int_equal(v.reason, AUTHN_OK);
	assert_int_equal(v.issuer, 0);
	assert_int_equal(v.expires_s, now + 3600 + 60);
	identity_unref(v.identity);
	token_judge(w.issuers, w.sets, w.verifier, good, now + 3659, &v);
	assert_int_equal(v.reason, AUTHN_OK);
	identity_unref(v.identity);
	token_judge(w.issuers, w.sets, w.verifier, good, now + 3660, &v);
	assert_int_equal(v.reason, AUTHN_EXPIRED);
	world_release(&w);
}

static void
test_reasons_have_names(void **state)
{
	(void)state;
	assert_string_equal(authn_reason_name(AUTHN_REASONS), "unknown");
	for (int i = 0; i < AUTHN_REASONS; i++) {
		const char *name = authn_reason_name((enum authn_reason)i);

		assert_string_not_equal(name, "unknown");
		for (int k = 0; k < i; k++)
			assert_string_not_equal(name,
			    authn_reason_name((enum authn_reason)k));
	}
}

int
main(void)
{
	struct rows rows = {0};
	int failed;

	vectors_read(&vectors, "tests/vectors/authn/tokens.txt");
	rows_add_vectors(&rows, &vectors, check_row);
	rows_add(&rows, "every octet of a token counts",
	    test_every_octet_counts, NULL);
	rows_add(&rows, "a verifier keeps nothing of what it saw",
	    test_a_verifier_forgets, NULL);
	rows_add(&rows, "the verdict tells when the token ends",
	    test_expiry_is_told, NULL);
	rows_add(&rows, "every reason has a name of its own",
	    test_reasons_have_names, NULL);
	failed = rows_run(&rows, "token");
	vectors_release(&vectors);
	return failed;
}
