/*
 * test_policy.c - RBAC decisions and sentences, as upstream gives them.
 *
 * Policies and questions stand in tests/vectors/rbac.
 */
#include "rbac/policy.h"

#include <stdio.h>

#include "rbac/authorize.h"
#include "rbac/builder.h"
#include "rbac/policy_load.h"
#include "tests/support/random.h"
#include "tests/support/rows.h"

enum column {
	USER,
	GROUPS,
	VERB,
	GROUP,
	RESOURCE,
	SUBRESOURCE,
	NAMESPACE,
	NAME,
	PATH,
	DECISION,
	REASON,
	MESSAGE,
};

static struct policy *rules_policy, *random_policy, *aggregate_policy;

/* --- questions from files ------------------------------------------------- */

enum {
	GROUPS_MAX = 8
};

static struct user
user_from(const struct vector *v, struct slice groups[GROUPS_MAX])
{
	struct user u = {.name = v->columns[USER], .groups = groups};
	struct slice rest = v->columns[GROUPS];
	bool done = slice_eq(rest, SLICE("-"));

	while (u.group_count < GROUPS_MAX &&
	    slice_split(&rest, '|', &done, &groups[u.group_count]))
		u.group_count++;
	return u;
}

static struct attributes
attributes_from(const struct vector *v)
{
	return (struct attributes){
	    .is_resource = slice_is_empty(v->columns[PATH]),
	    .verb = v->columns[VERB],
	    .api_group = v->columns[GROUP],
	    .resource = v->columns[RESOURCE],
	    .subresource = v->columns[SUBRESOURCE],
	    .ns = v->columns[NAMESPACE],
	    .name = v->columns[NAME],
	    .path = v->columns[PATH],
	};
}

static void
check_question(const struct vector *v, const struct policy *p)
{
	struct slice groups[GROUPS_MAX];
	struct user u = user_from(v, groups);
	struct attributes a = attributes_from(v);
	struct verdict got = policy_evaluate(p, &u, &a);
	struct buf text;

	assert_slice(v->columns[DECISION],
	    got.decision == ALLOW ? "allow" : "no_opinion");
	buf_init(&text, 4096);
	policy_put_reason(&text, p, &got, &u, &a);
	assert_slices(buf_slice(&text), v->columns[REASON]);
	buf_reset(&text);
	if (got.decision != ALLOW)
		authorize_put_forbidden(&text, &u, &a);
	assert_slices(buf_slice(&text), v->columns[MESSAGE]);
	assert_false(text.overflow);
	buf_release(&text);
}

/* spec: T-61, T-62, T-64 */
static void
check_rules(void **state)
{
	check_question(*state, rules_policy);
}

static void
check_random(void **state)
{
	check_question(*state, random_policy);
}

/* spec: kubernetes pkg/controller/clusterroleaggregation */
static void
check_aggregate(void **state)
{
	check_question(*state, aggregate_policy);
}

/* --- values for the tests below ------------------------------------------- */

#define STRINGS(...)                                                           \
	((struct strings){(const struct slice[]){__VA_ARGS__},                 \
	    sizeof((const struct slice[]){__VA_ARGS__}) /                      \
		sizeof(struct slice)})

static struct attributes
resource_request(const char *verb, const char *resource, const char *ns)
{
	return (struct attributes){
	    .is_resource = true,
	    .verb = slice_of(verb),
	    .resource = slice_of(resource),
	    .ns = slice_of(ns),
	};
}

static void
put_cluster_pair(struct builder *b, const char *verb)
{
	struct rule rule = {
	    .verbs = {(const struct slice[]){slice_of(verb)}, 1},
	    .api_groups = STRINGS(SLICE("")),
	    .resources = STRINGS(SLICE("pods")),
	};
	struct role role = {
	    .cluster = true,
	    .name = SLICE("r"),
	    .rules = &rule,
	    .rule_count = 1,
	};
	struct subject subject = {SLICE("User"), SLICE("jane"), SLICE("")};
	struct binding binding = {
	    .cluster = true,
	    .name = SLICE("b"),
	    .role_kind = SLICE("ClusterRole"),
	    .role_name = SLICE("r"),
	    .subjects = &subject,
	    .subject_count = 1,
	};

	assert_ok(builder_put_role(b, &role));
	assert_ok(builder_put_binding(b, &binding));
}

static struct policy *
sealed(struct builder *b)
{
	struct policy *p = NULL;

	assert_ok(builder_seal(b, true, &p));
	return p;
}

static bool
may(const struct policy *p, const char *name, const char *verb)
{
	struct user u = {.name = slice_of(name)};
	struct attributes a = resource_request(verb, "pods", "dev");

	return policy_evaluate(p, &u, &a).decision == ALLOW;
}

/* --- a policy's life ------------------------------------------------------ */

static void
test_nothing_grants_nothing(void **state)
{
	struct builder *b = builder_new();
	struct policy *p = sealed(b);
	struct user nobody = {.group_count = 0};
	struct attributes a = {.is_resource = false};

	(void)state;
	assert_false(may(NULL, "jane", "get"));
	assert_false(may(p, "jane", "get"));
	assert_int_equal(policy_evaluate(p, &nobody, &a).decision, NO_OPINION);
	assert_int_equal(policy_counts(p).roles, 0);
	policy_unref(p);
	policy_unref(NULL);
	builder_free(b);
	builder_free(NULL);
}

static void
test_nobody_matches_no_rule(void **state)
{
	struct builder *b = builder_new();
	struct subject subject = {SLICE("User"), SLICE(""), SLICE("")};
	struct binding binding = {
	    .cluster = true,
	    .name = SLICE("b"),
	    .role_kind = SLICE("ClusterRole"),
	    .role_name = SLICE("r"),
	    .subjects = &subject,
	    .subject_count = 1,
	};
	struct policy *p;

	(void)state;
	put_cluster_pair(b, "*");
	assert_ok(builder_put_binding(b, &binding));
	p = sealed(b);
	assert_false(may(p, "", "get"));
	policy_unref(p);
	builder_free(b);
}

static void
test_a_sealed_policy_stays_as_it_is(void **state)
{
	struct builder *b = builder_new();
	struct policy *before, *after, *last;

	(void)state;
	put_cluster_pair(b, "get");
	before = policy_ref(sealed(b));
	put_cluster_pair(b, "list"); /* replaces both */
	after = sealed(b);
	assert_ok(builder_remove_binding(b, true, SLICE_EMPTY, SLICE("b")));
	assert_ok(builder_remove_binding(b, true, SLICE_EMPTY, SLICE("none")));
	last = sealed(b);
	builder_free(b);
	assert_true(may(before, "jane", "get"));
	assert_false(may(before, "jane", "list"));
	assert_true(may(after, "jane", "list"));
	assert_false(may(after, "jane", "get"));
	assert_false(may(last, "jane", "list"));
	assert_int_equal(policy_counts(after).cluster_role_bindings, 1);
	assert_int_equal(policy_counts(last).cluster_role_bindings, 0);
	assert_int_equal(policy_counts(last).cluster_roles, 1);
	policy_unref(before);
	policy_unref(before);
	policy_unref(after);
	policy_unref(last);
}

static void
test_a_missing_role_is_a_lookup_error(void **state)
{
	struct builder *b = builder_new();
	struct user u = {.name = SLICE("jane")};
	struct attributes a = resource_request("get", "pods", "dev");
	struct policy *p;
	struct verdict v;

	(void)state;
	put_cluster_pair(b, "get");
	assert_ok(builder_remove_role(b, true, SLICE_EMPTY, SLICE("r")));
	p = sealed(b);
	v = policy_evaluate(p, &u, &a);
	assert_int_equal(v.decision, NO_OPINION);
	assert_int_equal(v.lookup_errors, 1);
	policy_unref(p);
	builder_free(b);
}

/* Namespace "a" with name "bc" is not "ab" with "c". */
static void
test_keys_do_not_run_together(void **state)
{
	struct builder *b = builder_new();
	struct role one = {.ns = SLICE("a"), .name = SLICE("bc")};
	struct role two = {.ns = SLICE("ab"), .name = SLICE("c")};
	struct policy *p;

	(void)state;
	assert_ok(builder_put_role(b, &one));
	assert_ok(builder_put_role(b, &two));
	builder_count_skipped(b);
	p = sealed(b);
	assert_int_equal(policy_counts(p).roles, 2);
	assert_int_equal(policy_counts(p).skipped, 1);
	policy_unref(p);
	builder_free(b);
}

/* --- adding never removes a right ----------------------------------------- */

static const struct slice words[] = {SLICE_INIT("a"), SLICE_INIT("b"),
    SLICE_INIT("*"), SLICE_INIT(""), SLICE_INIT("a/b"), SLICE_INIT("*/b"),
    SLICE_INIT("a*")};

static struct slice
word(uint64_t *seed)
{
	return words[random_below(seed, COUNT_OF(words))];
}

static struct strings
some_words(uint64_t *seed, struct slice room[3])
{
	size_t n = random_below(seed, 4);

	for (size_t i = 0; i < n; i++)
		room[i] = word(seed);
	return (struct strings){room, n};
}

static const struct slice role_names[] = {SLICE_INIT("a"), SLICE_INIT("b"),
    SLICE_INIT("c"), SLICE_INIT("none")};

/* Puts or replaces role i, with its first `count` rules of a fixed sequence. */
static void
put_random_role(struct builder *b, unsigned i, size_t count)
{
	uint64_t seed = 1000 + i;
	struct slice room[8][5][3];
	struct rule rules[8];
	struct role role = {
	    .cluster = i % 2 == 0,
	    .ns = SLICE("a"),
	    .name = role_names[i % 3],
	    .rules = rules,
	    .rule_count = count,
	};

	for (size_t j = 0; j < 8; j++)
		rules[j] = (struct rule){
		    .verbs = some_words(&seed, room[j][0]),
		    .api_groups = some_words(&seed, room[j][1]),
		    .resources = some_words(&seed, room[j][2]),
		    .resource_names = some_words(&seed, room[j][3]),
		    .urls = some_words(&seed, room[j][4]),
		};
	assert_ok(builder_put_role(b, &role));
}

static void
put_random_binding(struct builder *b, unsigned i)
{
	static const struct slice kinds[] = {SLICE_INIT("User"),
	    SLICE_INIT("Group"), SLICE_INIT("ServiceAccount")};
	uint64_t seed = 2000 + i;
	char name[16];
	struct subject subject = {
	    .kind = kinds[random_below(&seed, 3)],
	    .name = word(&seed),
	    .ns = random_below(&seed, 2) == 0 ? SLICE("a") : SLICE(""),
	};
	struct binding binding = {
	    .cluster = random_below(&seed, 2) == 0,
	    .ns = SLICE("a"),
	    .role_kind = random_below(&seed, 3) != 0 ? SLICE("ClusterRole")
						     : SLICE("Role"),
	    .role_name = role_names[random_below(&seed, 4)],
	    .subjects = &subject,
	    .subject_count = 1,
	};

	(void)snprintf(name, sizeof(name), "%u", i);
	binding.name = slice_of(name);
	assert_ok(builder_put_binding(b, &binding));
}

static struct verdict
ask_random(const struct policy *p, uint64_t question)
{
	uint64_t seed = question;
	struct slice group = word(&seed);
	struct user u = {.name = word(&seed)};
	struct attributes a = {
	    .is_resource = random_below(&seed, 4) != 0,
	    .verb = word(&seed),
	    .api_group = word(&seed),
	    .resource = word(&seed),
	    .subresource = word(&seed),
	    .name = word(&seed),
	    .path = word(&seed),
	    .ns = random_below(&seed, 2) == 0 ? SLICE("a") : SLICE(""),
	};

	u.groups = &group;
	u.group_count = 1;
	if (random_below(&seed, 4) == 0)
		u.name = SLICE("system:serviceaccount:a:b");
	return policy_evaluate(p, &u, &a);
}

enum {
	QUESTIONS = 400,
	STEPS = 48
};

/* spec: kubernetes plugin/pkg/auth/authorizer/rbac/rbac.go - rules only add */
static void
test_adding_never_removes(void **state)
{
	struct builder *b = builder_new();
	bool had[QUESTIONS] = {false};
	unsigned allowed = 0;

	(void)state;
	for (unsigned step = 0; step < STEPS; step++) {
		struct policy *p;

		if (step % 2 == 0)
			put_random_binding(b, step);
		for (unsigned i = 0; i < 6; i++)
			put_random_role(b, i, step / 6);
		p = sealed(b);
		allowed = 0;
		for (unsigned q = 0; q < QUESTIONS; q++) {
			bool has = ask_random(p, q).decision == ALLOW;

			assert_true(has || !had[q]);
			had[q] = has;
			allowed += has;
		}
		policy_unref(p);
	}
	assert_true(allowed > QUESTIONS / 20); /* it was a test of something */
	builder_free(b);
}

static struct policy *
load(const char *path)
{
	struct errinfo err = {0};
	struct policy *p = NULL;

	if (policy_load(&path, 1, true, &p, &err) != STATUS_OK)
		print_error("%.*s", SLICE_ARG(buf_slice(&err.text)));
	errinfo_release(&err);
	return p;
}

int
main(void)
{
	struct vectors rules = {0}, random = {0}, aggregate = {0};
	struct rows rows = {0};
	int failed;

	rules_policy = load("tests/vectors/rbac/rules.yaml");
	random_policy = load("tests/vectors/rbac/random.yaml");
	aggregate_policy = load("tests/vectors/rbac/aggregate.yaml");
	rows_add(&rows, "nothing grants nothing", test_nothing_grants_nothing,
	    NULL);
	rows_add(&rows, "nobody matches no rule", test_nobody_matches_no_rule,
	    NULL);
	rows_add(&rows, "a sealed policy stays as it is",
	    test_a_sealed_policy_stays_as_it_is, NULL);
	rows_add(&rows, "a missing role is a lookup error",
	    test_a_missing_role_is_a_lookup_error, NULL);
	rows_add(&rows, "keys do not run together",
	    test_keys_do_not_run_together, NULL);
	rows_add(&rows, "adding never removes a right",
	    test_adding_never_removes, NULL);
	vectors_read(&rules, "tests/vectors/rbac/rules.txt");
	vectors_read(&random, "tests/vectors/rbac/random.txt");
	vectors_read(&aggregate, "tests/vectors/rbac/aggregate.txt");
	rows_add_vectors(&rows, &aggregate, check_aggregate);
	rows_add_vectors(&rows, &rules, check_rules);
	rows_add_vectors(&rows, &random, check_random);
	failed = rows_run(&rows, "policy");
	vectors_release(&rules);
	vectors_release(&random);
	vectors_release(&aggregate);
	policy_unref(rules_policy);
	policy_unref(random_policy);
	policy_unref(aggregate_policy);
	return failed;
}
