/*
 * test_pop.c - proofs of possession, each row with the rule that decides it.
 */
#include "authn/pop.h"

#include <stdlib.h>

#include "authn/token.h"
#include "tests/support/failing.h"
#include "tests/support/guard.h"
#include "tests/support/keys.h"
#include "tests/support/rows.h"

enum {
	NOW = 1800000000
};

#define TENANT "11111111-2222-3333-4444-55555555aaaa"
#define HOST                                                                   \
	"/subscriptions/s/resourceGroups/g/providers/"                         \
	"Microsoft.Kubernetes/connectedClusters/c"

static struct vectors vectors;

struct world {
	struct issuers *issuers;
	struct jwks *set;
	struct jwks *sets[3];
	struct jws_verifier *verifier;
};

/* setup: taken, required, strict (no skew), off, keyless */
static void
load_issuers(struct world *w, struct slice setup)
{
	static const char *const algorithms[] = {"RS256", "PS256", "ES256"};
	static const char *const tenants[] = {TENANT};
	static const char *const audiences[] = {
	    "6dae42f8-4368-4678-94ff-3960e28e3630"};
	static const char *const own[] = {"https://kubernetes.default.svc"};
	struct issuers_entra entra = {.cloud = entra_cloud_at(0),
	    .tenants = tenants,
	    .tenant_count = 1,
	    .audiences = audiences,
	    .audience_count = 1,
	    .pop_host = slice_eq_str(setup, "off") ? NULL : HOST,
	    .pop_required = slice_eq_str(setup, "required")};
	struct issuers_accounts accounts = {own[0], own, 1, 1};
	struct issuers_options o = {.path = "x",
	    .entra = &entra,
	    .accounts = &accounts,
	    .algorithms = algorithms,
	    .algorithm_count = COUNT_OF(algorithms),
	    .nbf_skew_s = slice_eq_str(setup, "strict") ? 0 : 60};

	assert_ok(issuers_load(&o, &w->issuers, NULL));
	assert_int_equal(w->issuers->count, COUNT_OF(w->sets));
}

static void
world_init(struct world *w, struct slice setup)
{
	*w = (struct world){0};
	load_issuers(w, setup);
	w->set = keys_load("tests/vectors/authn/keys.json");
	for (size_t i = 0; i < COUNT_OF(w->sets); i++)
		w->sets[i] = slice_eq_str(setup, "keyless") ? NULL : w->set;
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

/* --- rows of pop.txt --- */

static bool
is_plain(const struct vector *row)
{
	return slice_starts(row->columns[0], SLICE("a plain token"));
}

static void
check_accepted(const struct vector *row, const struct token_verdict *v,
    int64_t now)
{
	assert_non_null(v->identity);
	assert_slices(v->identity->user.name, row->columns[4]);
	assert_int_equal(v->has_proof, !is_plain(row));
	assert_int_equal(v->expires_s, NOW + 3600);
	if (!v->has_proof)
		return;
	assert_int_equal(v->proof_until_s, v->signed_s + POP_AGE_S + 1);
	assert_true(now < v->proof_until_s);
}

/*
 * Each row names its rule.
 * spec: T-67..T-81, RFC 7638 3, Entra PoP, Entra PoP form, Entra PoP time
 * spec: Entra PoP host, Entra PoP key, Entra PoP binding, Entra PoP cost
 */
static void
check_row(void **state)
{
	const struct vector *row = *state;
	struct guard g = {0};
	struct world w;
	struct token_verdict v;
	uint64_t now;

	world_init(&w, row->columns[1]);
	assert_true(slice_to_u64(row->columns[2], INT64_MAX, &now));
	token_judge(w.issuers, w.sets, w.verifier,
	    guard_copy(&g, row->columns[5]), (int64_t)now, &v);
	guard_release(&g);
	assert_slices(slice_of(authn_reason_name(v.reason)), row->columns[3]);
	assert_int_equal(v.wants_keys, slice_eq_str(row->columns[4], "fetch"));
	if (v.reason == AUTHN_OK) {
		check_accepted(row, &v, (int64_t)now);
	} else {
		assert_null(v.identity);
		assert_false(v.has_proof);
	}
	identity_unref(v.identity);
	world_release(&w);
}

/* --- properties --- */

static struct slice
proof(const char *name)
{
	for (size_t i = 0; i < vectors.count; i++) {
		if (slice_eq_str(vectors.rows[i]->columns[0], name))
			return vectors.rows[i]->columns[5];
	}
	fail_msg("pop.txt has no row \"%s\"", name);
	return SLICE_EMPTY;
}

static const char usual[] = "a proof as kubelogin makes it";

/* No octet can be another one, nor be left out. */
static void
test_every_octet_counts(void **state)
{
	struct slice good = proof(usual);
	char *copy = malloc(good.n);
	struct token_verdict v;
	struct world w;

	(void)state;
	assert_non_null(copy);
	world_init(&w, SLICE("taken"));
	for (size_t i = 0; i < good.n; i++) {
		memcpy(copy, good.p, good.n);
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		token_judge(w.issuers, w.sets, w.verifier,
		    slice_make(copy, good.n), NOW, &v);
		assert_int_not_equal(v.reason, AUTHN_OK);
		assert_null(v.identity);
		token_judge(w.issuers, w.sets, w.verifier, slice_first(good, i),
		    NOW, &v);
		assert_int_not_equal(v.reason, AUTHN_OK);
	}
	free(copy);
	world_release(&w);
}

static void
open_row(struct world *w, const char *name, struct pop *out)
{
	struct pop_rules rules = {SLICE(HOST), 60};

	assert_int_equal(pop_open(&rules, proof(name), NOW, out), AUTHN_OK);
	assert_int_equal(pop_verify(out, w->verifier), AUTHN_OK);
}

/* spec: Entra PoP replay: key and nonce, else the whole token */
static void
test_what_a_proof_is_known_by(void **state)
{
	static const char *const same_nonce = "Entra PoP host: in another case";
	struct pop one, two, three, four;
	struct world w;

	(void)state;
	world_init(&w, SLICE("taken"));
	open_row(&w, usual, &one);
	open_row(&w, same_nonce, &two);
	open_row(&w, "no nonce", &three);
	open_row(&w, "Entra PoP key: exponent 3", &four);
	assert_memory_equal(one.proof.key, two.proof.key, DIGEST_SIZE);
	assert_memory_not_equal(one.proof.token, two.proof.token, DIGEST_SIZE);
	assert_memory_not_equal(one.proof.key, three.proof.key, DIGEST_SIZE);
	/* The same nonce by another key is another proof. */
	assert_memory_not_equal(one.proof.key, four.proof.key, DIGEST_SIZE);
	assert_int_equal(one.signed_s, NOW);
	pop_release(&one);
	pop_release(&two);
	pop_release(&three);
	pop_release(&four);
	world_release(&w);
}

/*
 * spec: T-125, T-01: nobody is refused for want of memory.  The library can do
 * without some of what it asks for.
 */
static void
test_memory_runs_out(void **state)
{
	struct slice good = proof(usual);
	struct token_verdict v;
	struct world w;
	unsigned failures = 0;

	(void)state;
	world_init(&w, SLICE("taken"));
	for (unsigned long n = 1;; n++) {
		bool failed;

		failing_at(n);
		token_judge(w.issuers, w.sets, w.verifier, good, NOW, &v);
		failed = failing_stop();
		assert_true(v.reason == AUTHN_INTERNAL || v.reason == AUTHN_OK);
		assert_int_equal(v.identity != NULL, v.reason == AUTHN_OK);
		identity_unref(v.identity);
		if (!failed)
			break;
		failures += v.reason == AUTHN_INTERNAL;
	}
	assert_int_equal(v.reason, AUTHN_OK);
	assert_true(failures > 10);
	world_release(&w);
}

/* What would be believed of tokens without it is not what is with it. */
static void
test_rules_have_digests(void **state)
{
	static const char *const setups[] = {"taken", "required", "off"};
	struct world w[COUNT_OF(setups)];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(setups); i++) {
		world_init(&w[i], slice_of(setups[i]));
		for (size_t k = 0; k < i; k++) {
			assert_memory_not_equal(w[i].issuers->list[0].digest,
			    w[k].issuers->list[0].digest, DIGEST_SIZE);
			/* The cluster's own issuer has no part in it. */
			assert_memory_equal(w[i].issuers->list[2].digest,
			    w[k].issuers->list[2].digest, DIGEST_SIZE);
		}
	}
	for (size_t i = 0; i < COUNT_OF(setups); i++)
		world_release(&w[i]);
}

int
main(void)
{
	struct rows rows = {0};
	int failed;

	vectors_read(&vectors, "tests/vectors/authn/pop.txt");
	rows_add_vectors(&rows, &vectors, check_row);
	rows_add(&rows, "every octet of a proof counts",
	    test_every_octet_counts, NULL);
	rows_add(&rows, "what a proof is known by",
	    test_what_a_proof_is_known_by, NULL);
	rows_add(&rows, "memory runs out", test_memory_runs_out, NULL);
	rows_add(&rows, "rules have digests", test_rules_have_digests, NULL);
	failed = rows_run(&rows, "pop");
	vectors_release(&vectors);
	return failed;
}
