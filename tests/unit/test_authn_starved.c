/*
 * test_authn_starved.c - memory runs out while somebody is told who they are:
 * the answer is what it would have been, or that there is no memory.
 * spec: T-01, T-125
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "authn/claims.h"
#include "authn/entra_cloud.h"
#include "authn/pem.h"
#include "authn/token_cache.h"
#include "authn/x509.h"
#include "tests/support/failing.h"
#include "tests/support/keys.h"
#include "tests/support/rows.h"

enum {
	NOW = 1800000000,
	BLOCK = 4096,       /* of an arena */
#ifdef __SANITIZE_ADDRESS__ /* libcrypto is slow to look into */
	KEYS_STEP = 7
#else
	KEYS_STEP = 1
#endif
};

/*
 * libjwt 3.3.3 loses a number of a signature that it cannot hold.  To know its
 * leaks by name they must be seen whole.
 */
const char *__asan_default_options(void);
const char *__lsan_default_suppressions(void);

const char *
__asan_default_options(void)
{
	return "fast_unwind_on_malloc=0";
}

const char *
__lsan_default_suppressions(void)
{
	return "leak:openssl_verify_sha_pem\n";
}

static const char set_file[] = "tests/vectors/authn/keys.json";
static const char issuers_file[] = "tests/vectors/authn/issuers.yaml";

static const char *const algorithms[] = {"RS256", "RS384", "RS512", "PS256",
    "PS384", "PS512", "ES256", "ES384", "ES512"};
static const char *const names[] = {"system:robot"};

static struct vectors vectors;

/*
 * What one failed allocation, each step-th after the other, does to attempt,
 * until none is left that could fail.  attempt: true if it was told of want of
 * memory.
 */
static void
starve(bool (*attempt)(void *arg), void *arg, unsigned step, unsigned at_least)
{
	unsigned told = 0;
	bool failed = true;

	for (unsigned long n = 1; failed; n += step) {
		bool said;

		failing_at(n);
		said = attempt(arg);
		failed = failing_stop();
		assert_true(failed || !said);
		told += said;
	}
	assert_true(told >= at_least);
}

/* --- issuers --- */

struct loading {
	struct issuers_options options;
	struct slice text;
	size_t count;
};

static bool
load_issuers(void *arg)
{
	const struct loading *l = arg;
	struct issuers *i = NULL;
	struct errinfo err = {0};
	enum status st = issuers_parse(&l->options, l->text, &i, &err);

	assert_int_equal(i != NULL, st == STATUS_OK);
	if (st == STATUS_OK)
		assert_int_equal(i->count, l->count);
	else
		assert_status(st, STATUS_NOMEM);
	issuers_unref(i);
	errinfo_release(&err);
	return st != STATUS_OK;
}

/*
 * Two issuers with a text of that many octets: the blocks of memory that all
 * the others lie in end elsewhere for each.
 */
static void
put_configuration(struct buf *b, unsigned octets)
{
	buf_reset(b);
	buf_puts(b,
	    "apiVersion: apiserver.config.k8s.io/v1\n"
	    "kind: AuthenticationConfiguration\njwt:\n");
	for (unsigned i = 0; i < 2; i++) {
		buf_putf(b,
		    "- issuer: {url: \"https://i%u.example\", audiences: [a, "
		    "b], audienceMatchPolicy: MatchAny}\n"
		    "  claimMappings:\n"
		    "    username: {claim: sub, prefix: \"\"}\n"
		    "    groups: {claim: groups, prefix: \"\"}\n"
		    "  claimValidationRules:\n"
		    "  - {claim: a, requiredValue: \"",
		    i);
		for (unsigned k = 0; k < octets; k++)
			buf_putc(b, 'a');
		buf_puts(b, "\"}\n  - {claim: b}\n");
	}
	buf_puts(b,
	    "anonymous: {enabled: true, conditions: [{path: /a}, {path: "
	    "/b}]}\n");
}

static void
test_configuration(void **state)
{
	struct loading l = {.options = {.path = "auth.yaml",
				.algorithms = algorithms,
				.algorithm_count = COUNT_OF(algorithms),
				.key_hosts = names,
				.key_host_count = 1,
				.reserved_users = names,
				.reserved_user_count = 1,
				.reserved_groups = names,
				.reserved_group_count = 1},
	    .count = 2};
	struct buf text;

	(void)state;
	buf_init(&text, 1 << 16);
	for (unsigned octets = 0; octets < BLOCK; octets += 32) {
		put_configuration(&text, octets);
		l.text = buf_slice(&text);
		starve(load_issuers, &l, 1, 10);
	}
	buf_release(&text);
}

static void
test_entra_and_accounts(void **state)
{
	static const char *const tenants[] = {
	    "11111111-2222-3333-4444-55555555aaaa",
	    "22222222-2222-3333-4444-55555555aaaa"};
	char audience[BLOCK + 1];
	const char *const audiences[] = {audience, "a"};
	const struct issuers_entra entra = {.cloud = entra_cloud_at(0),
	    .tenants = tenants,
	    .tenant_count = COUNT_OF(tenants),
	    .audiences = audiences,
	    .audience_count = COUNT_OF(audiences)};
	const struct issuers_accounts accounts = {.url = "https://c.example",
	    .audiences = names,
	    .audience_count = 1};
	struct loading l = {.options = {.entra = &entra,
				.accounts = &accounts,
				.algorithms = algorithms,
				.algorithm_count = COUNT_OF(algorithms),
				.key_hosts = names,
				.key_host_count = 1,
				.reserved_users = names,
				.reserved_user_count = 1,
				.reserved_groups = names,
				.reserved_group_count = 1},
	    .count = 5};

	(void)state;
	for (unsigned octets = 1; octets <= BLOCK; octets += 32) {
		memset(audience, 'a', octets);
		audience[octets] = '\0';
		starve(load_issuers, &l, 1, 5);
	}
}

/* --- claims --- */

struct mapping {
	struct issuers *issuers;
	json_t *claims;
};

static bool
map_claims(void *arg)
{
	const struct mapping *m = arg;
	struct identity *id = NULL;
	enum authn_reason r = claims_identity(m->issuers, 0, m->claims, &id);

	if (r == AUTHN_OK) {
		/* "oidc:" stands before it; nothing is missing behind. */
		assert_int_equal(id->user.name.n,
		    5 + json_string_length(json_object_get(m->claims, "sub")));
		assert_int_equal(id->user.group_count, 3);
		assert_int_equal(id->user.extra_count, 1);
	} else {
		assert_int_equal(r, AUTHN_INTERNAL);
		assert_null(id);
	}
	identity_unref(id);
	return r != AUTHN_OK;
}

static void
test_claims(void **state)
{
	struct issuers_options o = {.path = issuers_file};
	struct mapping m;
	char text[CLAIM_TEXT_MAX];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_ok(issuers_load(&o, &m.issuers, NULL));
	for (int n = 1; n <= CLAIM_TEXT_MAX; n += 4) {
		m.claims =
		    json_pack("{s:s%,s:[s%,s%],s:s%}", "sub", text, n, "groups",
			text, n, text, sizeof(text), "jti", text, sizeof(text));
		assert_non_null(m.claims);
		starve(map_claims, &m, 1, 2);
		json_decref(m.claims);
	}
	issuers_unref(m.issuers);
}

/* --- keys --- */

static bool
parse_keys(void *arg)
{
	const struct slice *text = arg;
	struct errinfo err = {0};
	struct jwks *set = NULL;
	enum status st = jwks_parse(*text, "keys", &set, &err);

	if (st == STATUS_OK) {
		/* No key is left out for it. */
		assert_int_equal(jwks_count(set), 2);
		assert_int_equal(err.warnings, 0);
	} else {
		assert_status(st, STATUS_NOMEM);
		assert_null(set);
	}
	jwks_unref(set);
	errinfo_release(&err);
	return st != STATUS_OK;
}

/* spec: T-86: a set that lacks a key for want of memory replaces nothing */
static void
test_keys(void **state)
{
#define POINT                                                                  \
	"\"kty\":\"EC\",\"crv\":\"P-256\","                                    \
	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","               \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
	struct slice json =
	    SLICE("{\"keys\":[{" POINT ",\"kid\":\"one\"},{" POINT
		  ",\"kid\":\"two\",\"issuer\":\"i\","
		  "\"cloud_instance_name\":\"c\"}]}");

	(void)state;
	starve(parse_keys, &json, KEYS_STEP, 10);
}

/*
 * Who begins without memory has no verifier, then and later: libcrypto may
 * have remembered that it failed.  In a process of its own.
 */
static void
test_first_use_fails(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		struct jws_verifier *first, *second;

		failing_at(2);
		first = jws_verifier_new();
		if (!failing_stop())
			_exit(3);
		second = jws_verifier_new();
		_exit(first != NULL || second != NULL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
test_first_use(void **state)
{
	struct jws_verifier *v = jws_verifier_new();

	(void)state;
	assert_non_null(v);
	jws_verifier_free(v);
}

static bool
make_verifier(void *arg)
{
	struct jws_verifier *v = jws_verifier_new();
	bool none = v == NULL;

	(void)arg;
	jws_verifier_free(v);
	return none;
}

static bool
make_cache(void *arg)
{
	struct token_cache *c = token_cache_new(16, 1 << 16);
	bool none = c == NULL;

	(void)arg;
	token_cache_free(c);
	return none;
}

static void
test_verifiers_and_caches(void **state)
{
	(void)state;
	starve(make_verifier, NULL, 1, 2);
	starve(make_cache, NULL, 1, 3);
}

/* --- tokens --- */

struct judging {
	struct issuers *issuers;
	struct jwks *sets[ISSUERS_MAX];
	struct jws_verifier *verifier;
	struct slice token;
};

static bool
judge(void *arg)
{
	const struct judging *j = arg;
	struct token_verdict v;

	token_judge(j->issuers, j->sets, j->verifier, j->token, NOW, &v);
	if (v.reason == AUTHN_OK) {
		assert_slice(v.identity->user.name, "oidc:jane");
		assert_int_equal(v.identity->user.group_count, 2);
		assert_int_equal(v.identity->user.extra_count, 1);
	} else {
		assert_int_equal(v.reason, AUTHN_INTERNAL);
		assert_null(v.identity);
	}
	identity_unref(v.identity);
	return v.reason != AUTHN_OK;
}

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

/* A good token is not a bad one, and its user nobody else. */
static void
test_tokens(void **state)
{
	struct issuers_options o = {.path = issuers_file,
	    .algorithms = algorithms,
	    .algorithm_count = COUNT_OF(algorithms)};
	static const char *const kinds[] = {"RS256 with the set's key",
	    "T-68 PS384, the key names no alg", "T-68 ES512 with its curve"};
	struct judging j = {.sets = {keys_load(set_file)},
	    .verifier = jws_verifier_new()};

	(void)state;
	assert_ok(issuers_load(&o, &j.issuers, NULL));
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		j.token = token(kinds[i]);
		starve(judge, &j, 1, 20);
	}
	jws_verifier_free(j.verifier);
	jwks_unref(j.sets[0]);
	issuers_unref(j.issuers);
}

/* --- certificates --- */

static bool
identify(void *arg)
{
	struct identity *id = NULL;
	const struct x509_rules rules = {.users = names, .user_count = 1};
	enum authn_reason r = x509_identity(arg, &rules, &id);

	if (r == AUTHN_OK) {
		assert_slice(id->user.name, "ann");
		assert_int_equal(id->user.group_count, 3);
	} else {
		assert_int_equal(r, AUTHN_INTERNAL);
		assert_null(id);
	}
	identity_unref(id);
	return r != AUTHN_OK;
}

static void
test_certificates(void **state)
{
	struct slice name = SLICE("ann"), groups[] = {SLICE("a"), SLICE("b")};
	struct peer p = {.common_names = {&name, 1},
	    .organizations = {groups, 2},
	    .is_text = true,
	    .may_sign = true,
	    .may_authenticate = true};

	(void)state;
	starve(identify, &p, 1, 2);
}

static bool
read_pem(void *arg)
{
	const char *fault = pem_certificates_fault(*(struct slice *)arg);

	if (fault != NULL)
		assert_string_equal(fault, "cannot be read: out of memory");
	return fault != NULL;
}

static void
test_pem(void **state)
{
	struct slice text = SLICE("-----BEGIN CERTIFICATE-----\nMAA=\n"
				  "-----END CERTIFICATE-----\n");

	(void)state;
	starve(read_pem, &text, 1, 2);
}

int
main(void)
{
	struct rows all = {0};
	int failed;

	vectors_read(&vectors, "tests/vectors/authn/tokens.txt");
	rows_add(&all, "a first use without memory", test_first_use_fails,
	    NULL);
	rows_add(&all, "the first use", test_first_use, NULL);
	rows_add(&all, "a configuration", test_configuration, NULL);
	rows_add(&all, "Entra ID, service accounts", test_entra_and_accounts,
	    NULL);
	rows_add(&all, "claims", test_claims, NULL);
	rows_add(&all, "keys", test_keys, NULL);
	rows_add(&all, "verifiers and caches", test_verifiers_and_caches, NULL);
	rows_add(&all, "tokens", test_tokens, NULL);
	rows_add(&all, "certificates", test_certificates, NULL);
	rows_add(&all, "PEM", test_pem, NULL);
	failed = rows_run(&all, "authn_starved");
	vectors_release(&vectors);
	return failed;
}
