/*
 * test_basis.c - when does an accepted token still stand?
 */
#include "authn/basis.h"

#include <stdio.h>

#include "tests/support/rows.h"

/* RFC 7517 A.1 and RFC 7515 A.3.1 */
#define KEY_A                                                                  \
	"\"kty\":\"EC\",\"crv\":\"P-256\","                                    \
	"\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","               \
	"\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\""
#define KEY_B                                                                  \
	"\"kty\":\"EC\",\"crv\":\"P-256\","                                    \
	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","               \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""

#define URL "https://one.example.com"
#define MAPPINGS                                                               \
	"    claimMappings: {username: {claim: sub, prefix: \"a:\"},\n"        \
	"      groups: {claim: groups, prefix: \"g:\"}}\n"
#define ONE                                                                    \
	"  - issuer: {url: \"" URL "\", audiences: [k8s]}\n" MAPPINGS          \
	"    claimValidationRules: [{claim: hd, requiredValue: x}]\n"
#define TWO                                                                    \
	"  - issuer: {url: \"https://two.example.com\", audiences: "           \
	"[k8s]}\n" MAPPINGS
#define HEAD                                                                   \
	"apiVersion: apiserver.config.k8s.io/v1\n"                             \
	"kind: AuthenticationConfiguration\njwt:\n"

static const char *const algorithms[] = {"RS256", "ES256"};
static const char *const names[] = {"system:a", "system:b"};

static struct issuers_options
options(void)
{
	return (struct issuers_options){.path = "authn.yaml",
	    .algorithms = algorithms,
	    .algorithm_count = 2,
	    .nbf_skew_s = 60};
}

static struct issuers *
parse(const struct issuers_options *o, const char *text)
{
	struct errinfo err = {0};
	struct issuers *i = NULL;

	assert_ok(issuers_parse(o, slice_of(text), &i, &err));
	errinfo_release(&err);
	return i;
}

static struct jwks *
key_set(const char *text)
{
	struct errinfo err = {0};
	struct jwks *k = NULL;

	assert_ok(jwks_parse(slice_of(text), "set", &k, &err));
	errinfo_release(&err);
	return k;
}

/* Of a token of the issuer `URL`, signed by the key "k" of keys. */
static struct basis
basis_of(const struct issuers *i, const struct jwks *keys)
{
	struct basis b = {0};
	bool unknown;
	const struct jwk *k = jwks_find(keys, SLICE("k"), JWS_ES256, &unknown);
	size_t n = issuers_find(i, SLICE(URL));

	assert_non_null(k);
	assert_true(n < i->count);
	memcpy(b.rules, i->list[n].digest, DIGEST_SIZE);
	memcpy(b.key, jwk_digest(k), DIGEST_SIZE);
	return b;
}

/* spec: T-65 - exactly what decides about a token changes the basis */
static struct rules_row {
	const char *name;
	const char *text; /* NULL: other options */
	bool holds;
} rules_rows[] = {
    /* clang-format off */
	{ "the same", HEAD ONE, true },
	{ "a comment, and another beside it", "# x\n" HEAD ONE TWO, true },
	{ "in another place", HEAD TWO ONE, true },
	{ "gone", HEAD TWO, false },
	{ "another audience", HEAD
	    "  - issuer: {url: \"" URL "\", audiences: [other]}\n" MAPPINGS
	    "    claimValidationRules: [{claim: hd, requiredValue: x}]\n", false },
	{ "an audience more", HEAD
	    "  - issuer: {url: \"" URL "\", audiences: [k8s, other],"
	    " audienceMatchPolicy: MatchAny}\n" MAPPINGS
	    "    claimValidationRules: [{claim: hd, requiredValue: x}]\n", false },
	{ "another user claim", HEAD
	    "  - issuer: {url: \"" URL "\", audiences: [k8s]}\n"
	    "    claimMappings: {username: {claim: oid, prefix: \"a:\"},\n"
	    "      groups: {claim: groups, prefix: \"g:\"}}\n"
	    "    claimValidationRules: [{claim: hd, requiredValue: x}]\n", false },
	{ "another user prefix", HEAD
	    "  - issuer: {url: \"" URL "\", audiences: [k8s]}\n"
	    "    claimMappings: {username: {claim: sub, prefix: \"b:\"},\n"
	    "      groups: {claim: groups, prefix: \"g:\"}}\n"
	    "    claimValidationRules: [{claim: hd, requiredValue: x}]\n", false },
	{ "another group prefix", HEAD
	    "  - issuer: {url: \"" URL "\", audiences: [k8s]}\n"
	    "    claimMappings: {username: {claim: sub, prefix: \"a:\"},\n"
	    "      groups: {claim: groups, prefix: \"h:\"}}\n"
	    "    claimValidationRules: [{claim: hd, requiredValue: x}]\n", false },
	{ "another group claim", HEAD
	    "  - issuer: {url: \"" URL "\", audiences: [k8s]}\n"
	    "    claimMappings: {username: {claim: sub, prefix: \"a:\"},\n"
	    "      groups: {claim: roles, prefix: \"g:\"}}\n"
	    "    claimValidationRules: [{claim: hd, requiredValue: x}]\n", false },
	{ "no groups", HEAD
	    "  - issuer: {url: \"" URL "\", audiences: [k8s]}\n"
	    "    claimMappings: {username: {claim: sub, prefix: \"a:\"}}\n"
	    "    claimValidationRules: [{claim: hd, requiredValue: x}]\n", false },
	{ "no rule", HEAD
	    "  - issuer: {url: \"" URL "\", audiences: [k8s]}\n" MAPPINGS, false },
	{ "another value", HEAD
	    "  - issuer: {url: \"" URL "\", audiences: [k8s]}\n" MAPPINGS
	    "    claimValidationRules: [{claim: hd, requiredValue: z}]\n", false },
    /* clang-format on */
};

static void
check_rules(void **state)
{
	const struct rules_row *row = *state;
	const struct issuers_options o = options();
	struct issuers *before = parse(&o, HEAD ONE);
	struct issuers *after = parse(&o, row->text);
	struct jwks *keys = key_set("{\"keys\":[{\"kid\":\"k\"," KEY_A "}]}");
	struct jwks *sets[] = {keys, keys};
	struct basis b = basis_of(before, keys);

	assert_true(basis_holds(&b, before, sets));
	assert_int_equal(basis_holds(&b, after, sets), row->holds);
	/* spec: T-86 - no set is known: the last good ones are to come */
	sets[0] = sets[1] = NULL;
	assert_int_equal(basis_holds(&b, after, sets), row->holds);
	issuers_unref(before);
	issuers_unref(after);
	jwks_unref(keys);
}

static bool
holds_with(const struct issuers_options *o)
{
	const struct issuers_options first = options();
	struct issuers *before = parse(&first, HEAD ONE);
	struct issuers *after = parse(o, HEAD ONE);
	struct jwks *keys = key_set("{\"keys\":[{\"kid\":\"k\"," KEY_A "}]}");
	struct basis b = basis_of(before, keys);
	bool holds = basis_holds(&b, after, &keys);

	issuers_unref(before);
	issuers_unref(after);
	jwks_unref(keys);
	return holds;
}

/* spec: T-55, T-68, T-74, T-75 - what the configuration says of all issuers */
static void
test_options(void **state)
{
	static const char *const swapped[] = {"ES256", "RS256"};
	static const char *const hosts[] = {"keys.example.com"};
	struct issuers_options o = options();

	(void)state;
	assert_true(holds_with(&o));
	o.algorithms = swapped;
	assert_true(holds_with(&o));
	o.key_hosts = hosts; /* keys may come from elsewhere; these are here */
	o.key_host_count = 1;
	assert_true(holds_with(&o));
	o.algorithm_count = 1;
	assert_false(holds_with(&o));
	o = options();
	o.nbf_skew_s = 59;
	assert_false(holds_with(&o));
	o = options();
	o.exp_skew_s = 1;
	assert_false(holds_with(&o));
	o = options();
	o.reserved_users = names;
	o.reserved_user_count = 2;
	assert_false(holds_with(&o));
	o = options();
	o.reserved_groups = names;
	o.reserved_group_count = 2;
	assert_false(holds_with(&o));
}

/* What is listed for users is not listed for groups. */
static void
test_reserved_lists_differ(void **state)
{
	struct issuers_options users = options(), groups = options();
	struct issuers *a, *b;

	(void)state;
	users.reserved_users = groups.reserved_groups = names;
	users.reserved_user_count = groups.reserved_group_count = 2;
	a = parse(&users, HEAD ONE);
	b = parse(&groups, HEAD ONE);
	assert_memory_not_equal(a->list[0].digest, b->list[0].digest,
	    DIGEST_SIZE);
	issuers_unref(a);
	issuers_unref(b);
}

/* spec: T-87 */
static struct key_row {
	const char *name;
	const char *first, *second; /* sets of the issuers; NULL: none known */
	bool holds;
} key_rows[] = {
    /* clang-format off */
	{ "there", "{\"keys\":[{\"kid\":\"k\"," KEY_A "}]}", NULL, true },
	{ "there under another kid",
	    "{\"keys\":[{\"kid\":\"new\"," KEY_A "}]}", NULL, true },
	{ "not the first of its set", "{\"keys\":[{\"kid\":\"b\"," KEY_B
	    "},{\"kid\":\"a\"," KEY_A "}]}", NULL, true },
	{ "gone", "{\"keys\":[{\"kid\":\"b\"," KEY_B "}]}", NULL, false },
	{ "its kid is another's now",
	    "{\"keys\":[{\"kid\":\"k\"," KEY_B "}]}", NULL, false },
	{ "only another issuer has it",
	    "{\"keys\":[{\"kid\":\"b\"," KEY_B "}]}",
	    "{\"keys\":[{\"kid\":\"k\"," KEY_A "}]}", false },
	{ "none known, and another issuer has others", NULL,
	    "{\"keys\":[{\"kid\":\"b\"," KEY_B "}]}", true },
    /* clang-format on */
};

static void
check_keys(void **state)
{
	const struct key_row *row = *state;
	const struct issuers_options o = options();
	struct issuers *i = parse(&o, HEAD ONE TWO);
	struct jwks *keys = key_set("{\"keys\":[{\"kid\":\"k\"," KEY_A "}]}");
	struct jwks *sets[] = {row->first != NULL ? key_set(row->first) : NULL,
	    row->second != NULL ? key_set(row->second) : NULL};
	struct basis b = basis_of(i, keys);

	assert_int_equal(basis_holds(&b, i, sets), row->holds);
	jwks_unref(keys);
	jwks_unref(sets[0]);
	jwks_unref(sets[1]);
	issuers_unref(i);
}

/* spec: Entra lookup: what was looked up ends where nothing is any more */
static void
test_groups_that_were_looked_up(void **state)
{
	static const char *const tenants[] = {
	    "00000000-1111-2222-3333-44444444abcd"};
	static const char *const audiences[] = {"a"};
	struct issuers_entra entra = {.cloud = entra_cloud_at(0),
	    .tenants = tenants,
	    .tenant_count = 1,
	    .audiences = audiences,
	    .audience_count = 1,
	    .looks_up_groups = true};
	struct issuers_options o = options();
	struct jwks *keys = key_set("{\"keys\":[{\"kid\":\"k\"," KEY_A "}]}");
	struct jwks *sets[] = {keys, keys};
	struct issuers *with, *without;
	struct basis b = {0};
	bool unknown;

	(void)state;
	o.entra = &entra;
	with = parse(&o, "");
	entra.looks_up_groups = false;
	without = parse(&o, "");
	memcpy(b.rules, with->list[0].digest, DIGEST_SIZE);
	memcpy(b.key,
	    jwk_digest(jwks_find(keys, SLICE("k"), JWS_ES256, &unknown)),
	    DIGEST_SIZE);
	assert_true(basis_holds(&b, with, sets));
	assert_true(basis_holds(&b, without, sets));
	b.looked_up = true;
	assert_true(basis_holds(&b, with, sets));
	assert_false(basis_holds(&b, without, sets));
	issuers_unref(with);
	issuers_unref(without);
	jwks_unref(keys);
}

/* Neither does the zero basis of nobody's token stand for anything. */
static void
test_nothing_holds_without_issuers(void **state)
{
	const struct issuers_options o = options();
	struct issuers *i = parse(&o, HEAD ONE);
	struct jwks *sets[] = {NULL};
	struct basis zero = {0};

	(void)state;
	assert_false(basis_holds(&zero, NULL, NULL));
	assert_false(basis_holds(&zero, i, sets));
	issuers_unref(i);
}

int
main(void)
{
	struct rows rows = {0};

	ROWS_ADD_TABLE(&rows, rules_rows, check_rules);
	ROWS_ADD_TABLE(&rows, key_rows, check_keys);
	rows_add(&rows, "options", test_options, NULL);
	rows_add(&rows, "reserved lists differ", test_reserved_lists_differ,
	    NULL);
	rows_add(&rows, "groups that were looked up",
	    test_groups_that_were_looked_up, NULL);
	rows_add(&rows, "nothing holds without issuers",
	    test_nothing_holds_without_issuers, NULL);
	return rows_run(&rows, "basis");
}
