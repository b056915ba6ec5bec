/*
 * test_rules_asked.c - access rules made by hand, and asked by hand: what no
 * row of tests/vectors/rules can say.
 */
#include <stdio.h>

#include "rbac/judge.h"
#include "tests/support/rows.h"

enum {
	NOW_S = 1795435200 /* 2026-11-23T12:00:00Z, a Monday */
};

#define LIST(...)                                                              \
	{                                                                      \
		(const char *const[]){__VA_ARGS__}, lines,                     \
		    sizeof((const char *const[]){__VA_ARGS__}) /               \
		    sizeof(const char *)                                       \
	}

static const unsigned lines[] = {1, 2, 3, 4};
static struct config *config;

static struct access_rules *
rules_of(const struct config_rule *list, size_t count)
{
	struct config_cluster c = {.rules = list, .rule_count = count};
	struct access_rules *rules = NULL;
	struct errinfo err = {0};

	assert_ok(access_rules_new(config, &c, NULL, NOW_S, &rules, &err));
	errinfo_release(&err);
	return rules;
}

/* Where nobody is in the group "nobody", whatever matches is refused. */
static struct rules_answer
ask(const struct access_rules *rules, const struct attributes *a,
    const struct namespaces *known)
{
	struct user u = {.name = SLICE("eve")};
	struct rules_question q = {.requestor = &u,
	    .attributes = a,
	    .now_s = NOW_S,
	    .namespaces = known};
	struct rules_answer answer;

	access_rules_ask(rules, &q, &answer);
	return answer;
}

static bool
is_refused(const struct config_rule *rule, const struct attributes *a)
{
	struct access_rules *rules = rules_of(rule, 1);
	bool refused = ask(rules, a, NULL).refused != NULL;

	access_rules_unref(rules);
	return refused;
}

static const struct config_requirement has_tier = {.key = "tier",
    .op = "Exists"};

/* --- paths ---------------------------------------------------------------- */

/* spec: T-61 - an access review may ask about every verb of a path */
static void
test_verbs_of_paths(void **state)
{
	const struct config_rule get = {.name = "x",
	    .verbs = LIST("get"),
	    .urls = LIST("/metrics"),
	    .required_groups = LIST("nobody")};
	const struct config_rule every = {.name = "x",
	    .verbs = LIST("*"),
	    .urls = LIST("/metrics"),
	    .required_groups = LIST("nobody")};
	static const struct {
		const char *verb, *path;
		bool get, every;
	} rows[] = {
	    {"get", "/metrics", true, true},
	    {"post", "/metrics", false, true},
	    {"", "/metrics", false, true},
	    {"*", "/metrics", true, true},
	    {"*", "/healthz", false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct attributes a = {.verb = slice_of(rows[i].verb),
		    .path = slice_of(rows[i].path)};

		assert_int_equal(is_refused(&get, &a), rows[i].get);
		assert_int_equal(is_refused(&every, &a), rows[i].every);
	}
}

/* What names anything of a resource is not about paths. */
static void
test_rules_about_resources_only(void **state)
{
	const struct config_rule list[] = {
	    {.name = "names", .names = LIST("ca")},
	    {.name = "namespaces", .namespaces = LIST("prod")},
	    {.name = "selector",
		.has_selector = true,
		.selector = &has_tier,
		.selector_count = 1},
	};
	struct attributes path = {.verb = SLICE("get"),
	    .path = SLICE("/metrics")};
	struct attributes thing = {.is_resource = true,
	    .verb = SLICE("get"),
	    .resource = SLICE("pods"),
	    .ns = SLICE("prod"),
	    .name = SLICE("ca")};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(list); i++) {
		struct config_rule rule = list[i];

		rule.required_groups = (struct config_strings)LIST("nobody");
		assert_false(is_refused(&rule, &path));
		assert_true(is_refused(&rule, &thing));
	}
}

/* --- resources ------------------------------------------------------------ */

/* Proxying to a node is each of these; one of them is enough. */
static void
test_proxying_to_a_node(void **state)
{
	static const struct {
		const char *resource;
		bool refused;
	} rows[] = {
	    {"pods/exec", true},
	    {"pods/attach", true},
	    {"pods/portforward", true},
	    {"pods/log", true},
	    {"pods/*", true},
	    {"pods/eviction", false},
	    {"pods", false},
	};
	struct attributes a = {.is_resource = true,
	    .verb = SLICE("get"),
	    .resource = SLICE("nodes"),
	    .subresource = SLICE("proxy"),
	    .name = SLICE("n")};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct config_rule rule = {.name = "x",
		    .namespaces = LIST("prod"),
		    .resources = {&rows[i].resource, lines, 1},
		    .required_groups = LIST("nobody")};

		assert_int_equal(is_refused(&rule, &a), rows[i].refused);
	}
}

/* An access review may write a subresource twice, or mean all of them. */
static void
test_subresources_in_reviews(void **state)
{
	static const struct {
		const char *rule, *resource, *subresource;
		bool refused;
	} rows[] = {
	    {"pods/exec", "pods/exec", "", true},
	    {"pods/exec", "pods/exec", "log", false},
	    {"pods/exec", "pods/exec", "exec", false},
	    {"pods/exec", "pods", "*", true},
	    {"pods/exec", "pods/*", "", true},
	    {"*/scale", "deployments", "*", true},
	    {"*/scale", "deployments/*", "", true},
	    {"*/scale", "deployments", "", false},
	    {"jobs/*", "deployments", "*", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct config_rule rule = {.name = "x",
		    .resources = {&rows[i].rule, lines, 1},
		    .required_groups = LIST("nobody")};
		struct attributes a = {.is_resource = true,
		    .verb = SLICE("get"),
		    .resource = slice_of(rows[i].resource),
		    .subresource = slice_of(rows[i].subresource),
		    .ns = SLICE("prod"),
		    .name = SLICE("web")};

		if (is_refused(&rule, &a) != rows[i].refused)
			fail_msg("row %zu", i);
	}
}

/* --- namespaces ----------------------------------------------------------- */

/* Fields of match are joined by and, these as well. */
static void
test_names_and_labels_of_namespaces(void **state)
{
	const struct config_requirement both[] = {has_tier,
	    {.key = "team", .op = "DoesNotExist"}};
	const struct config_rule rule = {.name = "x",
	    .namespaces = LIST("shop", "lab", "den"),
	    .has_selector = true,
	    .selector = both,
	    .selector_count = 2,
	    .required_groups = LIST("nobody")};
	const struct label labels[] = {{SLICE_INIT("tier"), SLICE_INIT("x")},
	    {SLICE_INIT("team"), SLICE_INIT("y")}};
	struct ns_labels *list[] = {
	    ns_labels_new(SLICE("shop"), labels, 1),
	    ns_labels_new(SLICE("lab"), NULL, 0),
	    ns_labels_new(SLICE("den"), labels, 2),
	    ns_labels_new(SLICE("other"), labels, 1),
	};
	static const bool refused[] = {true, false, false, false};
	struct namespaces *known = namespaces_new(list, COUNT_OF(list));
	struct access_rules *rules = rules_of(&rule, 1);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(list); i++) {
		struct attributes a = {.is_resource = true,
		    .verb = SLICE("get"),
		    .resource = SLICE("pods"),
		    .ns = ns_labels_name(list[i])};
		struct rules_answer answer = ask(rules, &a, known);

		assert_int_equal(answer.refused != NULL, refused[i]);
		assert_false(answer.by_labels);
		ns_labels_unref(list[i]);
	}
	namespaces_unref(known);
	access_rules_unref(rules);
}

/*
 * spec: T-61 - a review's answer is that of the requests that it stands for:
 * without a namespace those in all of them, and of what has no namespace
 * those without, whatever the review names.
 */
static void
test_scopes_of_reviews(void **state)
{
	const struct config_rule rule = {.name = "x",
	    .namespaces = LIST("prod"),
	    .required_groups = LIST("nobody")};
	static const struct {
		const char *verb, *group, *resource, *ns, *name;
		bool request, review; /* refused */
	} rows[] = {
	    {"get", "", "pods", "", "", false, true},
	    {"create", "apps", "deployments", "", "", false, true},
	    {"delete", "", "pods", "", "web", false, true},
	    {"get", "x.io", "things", "", "", false, true},
	    {"get", "", "pods", "prod", "", true, true},
	    {"get", "", "pods", "dev", "", false, false},
	    {"list", "", "pods", "", "", true, true},
	    {"list", "", "pods", "dev", "", false, false},
	    {"*", "*", "*", "dev", "", false, false},
	    /* kubectl names its current namespace here, too */
	    {"get", "", "nodes", "", "n", false, false},
	    {"get", "", "nodes", "prod", "n", true, false},
	    {"list", "", "nodes", "", "", true, true},
	    {"list", "", "nodes", "dev", "", false, true},
	    {"create", "rbac.authorization.k8s.io", "clusterroles", "", "",
		false, false},
	    {"create", "x.io", "clusterroles", "", "", false, true},
	    {"patch", "", "nodes/status", "", "n", false, false},
	    /* a namespace is in itself */
	    {"get", "", "namespaces", "dev", "prod", false, true},
	    {"get", "", "namespaces", "prod", "dev", true, false},
	    {"delete", "", "namespaces", "", "prod", false, true},
	    {"delete", "", "namespaces", "dev", "", false, true},
	    {"create", "", "namespaces", "prod", "", true, false},
	    {"create", "", "namespaces", "", "", false, false},
	    {"list", "", "namespaces", "dev", "", false, true},
	    {"watch", "", "namespaces", "", "dev", true, true},
	    {"get", "x.io", "namespaces", "dev", "prod", false, false},
	};
	struct access_rules *rules = rules_of(&rule, 1);
	struct user u = {.name = SLICE("eve")};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct attributes a = {.is_resource = true,
		    .verb = slice_of(rows[i].verb),
		    .api_group = slice_of(rows[i].group),
		    .resource = slice_of(rows[i].resource),
		    .ns = slice_of(rows[i].ns),
		    .name = slice_of(rows[i].name)};
		struct authorize_chain chain = {.order = {AUTHORIZER_UPSTREAM},
		    .count = 1};
		struct judge j = {.chain = &chain, .rules = rules};
		struct judge_question q = {.requestor = &u,
		    .user = &u,
		    .attributes = &a};
		struct judgement x;

		judge(&j, &q, &x);
		if ((x.stage == JUDGE_ACCESS_RULE) != rows[i].request)
			fail_msg("request %zu", i);
		q.is_review = true;
		judge(&j, &q, &x);
		if ((x.stage == JUDGE_ACCESS_RULE) != rows[i].review)
			fail_msg("review %zu", i);
	}
	access_rules_unref(rules);
}

/* spec: T-130 - what labels that are known select waits for nothing */
static void
test_known_labels_are_no_guess(void **state)
{
	const struct config_rule rule = {.name = "x",
	    .has_selector = true,
	    .selector = &has_tier,
	    .selector_count = 1,
	    .required_groups = LIST("nobody")};
	const struct label tier = {SLICE_INIT("tier"), SLICE_INIT("x")};
	struct ns_labels *shop = ns_labels_new(SLICE("shop"), &tier, 1);
	struct namespaces *known = namespaces_new(&shop, 1);
	struct access_rules *rules = rules_of(&rule, 1);
	struct authorize_chain chain = {.order = {AUTHORIZER_UPSTREAM},
	    .count = 1};
	struct judge j = {.chain = &chain,
	    .rules = rules,
	    .awaits_labels = true};
	struct user u = {.name = SLICE("eve")};
	struct attributes a = {.is_resource = true,
	    .verb = SLICE("get"),
	    .resource = SLICE("pods"),
	    .ns = SLICE("shop")};
	struct judge_question q = {.requestor = &u,
	    .user = &u,
	    .attributes = &a};
	struct judgement x;

	(void)state;
	judge(&j, &q, &x);
	assert_int_equal(x.stage, JUDGE_WAIT);
	j.namespaces = known;
	judge(&j, &q, &x);
	assert_int_equal(x.stage, JUDGE_ACCESS_RULE);
	access_rules_unref(rules);
	namespaces_unref(known);
	ns_labels_unref(shop);
}

/* --- several rules -------------------------------------------------------- */

/* Of several that guess the first is named; one that knows goes before them. */
static void
test_the_first_of_guesses(void **state)
{
	const struct config_rule guess = {.has_selector = true,
	    .selector = &has_tier,
	    .selector_count = 1,
	    .required_groups = LIST("nobody")};
	struct config_rule list[] = {guess, guess,
	    {.name = "plain", .required_groups = LIST("nobody")},
	    {.name = "last", .required_groups = LIST("nobody")}};
	struct attributes a = {.is_resource = true,
	    .verb = SLICE("get"),
	    .resource = SLICE("pods"),
	    .ns = SLICE("shop")};
	struct access_rules *rules;
	struct rules_answer answer;

	(void)state;
	list[0].name = "one";
	list[1].name = "two";
	rules = rules_of(list, 2);
	answer = ask(rules, &a, NULL);
	assert_slice(access_rule_name(answer.refused), "one");
	assert_true(answer.by_labels);
	access_rules_unref(rules);
	rules = rules_of(list, 4);
	answer = ask(rules, &a, NULL);
	assert_slice(access_rule_name(answer.refused), "plain");
	assert_false(answer.by_labels);
	access_rules_unref(rules);
}

/* spec: T-05 - as many rules as there may be; each has its own place */
static void
test_shadows_of_many_rules(void **state)
{
	static const unsigned shown[] = {0, 1, 63, 64, 65, 128, 200, 255};
	const struct config_strings eve = LIST("eve"), nobody = LIST("nobody");
	struct config_rule list[ACCESS_RULES_MAX];
	char names[ACCESS_RULES_MAX][8], text[256], want[256];
	struct attributes a = {.verb = SLICE("get"), .path = SLICE("/x")};
	struct access_rules *rules;
	struct rules_answer answer;
	struct buf b, w;

	(void)state;
	for (unsigned i = 0; i < ACCESS_RULES_MAX; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "r%u", i);
		list[i] = (struct config_rule){.name = names[i],
		    .shadow = true,
		    .required_users = eve};
	}
	buf_init_fixed(&w, want, sizeof(want));
	for (size_t i = 0; i < COUNT_OF(shown); i++) {
		list[shown[i]].required_users = nobody;
		buf_putf(&w, "%s%s", i != 0 ? "," : "", names[shown[i]]);
	}
	rules = rules_of(list, ACCESS_RULES_MAX);
	answer = ask(rules, &a, NULL);
	assert_null(answer.refused);
	assert_int_equal(answer.shadow_count, COUNT_OF(shown));
	buf_init_fixed(&b, text, sizeof(text));
	access_rules_put_shadow(&b, rules, &answer);
	assert_slices(buf_slice(&b), buf_slice(&w));
	access_rules_unref(rules);
}

/* A shadow narrows nothing, so nobody is warned of it. */
static void
test_shadows_do_not_narrow(void **state)
{
	const struct config_rule list[] = {
	    {.name = "shadow", .shadow = true, .required_users = LIST("ann")},
	    {.name = "bobs",
		.users = LIST("bob"),
		.required_users = LIST("ann")},
	};
	struct access_rules *rules = rules_of(list, 2);
	struct user bob = {.name = SLICE("bob")}, eve = {.name = SLICE("eve")};

	(void)state;
	assert_true(access_rules_narrow(rules, &bob));
	assert_false(access_rules_narrow(rules, &eve));
	access_rules_unref(rules);
}

/* Whichever rule has times, answers may change; that they are looked at
 * again depends on it.  spec: T-130 */
static void
test_times_of_any_rule(void **state)
{
	const struct config_times noon = {.days = CONFIG_ALL_DAYS,
	    .to_min = 720,
	    .time_zone = "UTC"};
	const struct config_rule timed = {.name = "timed",
	    .times = &noon,
	    .time_count = 1};
	const struct config_rule plain = {.name = "plain",
	    .required_users = LIST("ann")};
	const struct config_rule lists[][2] = {{timed, plain}, {plain, timed}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		struct access_rules *rules = rules_of(lists[i], 2);

		assert_true(access_rules_have_times(rules));
		access_rules_unref(rules);
	}
}

int
main(void)
{
	struct rows r = {0};
	struct errinfo err = {0};
	int failed;

	assert_ok(config_load("tests/vectors/rules/rules.yaml", CONFIG_NEED_ALL,
	    &config, &err));
	rows_add(&r, "verbs of paths", test_verbs_of_paths, NULL);
	rows_add(&r, "rules about resources only",
	    test_rules_about_resources_only, NULL);
	rows_add(&r, "proxying to a node", test_proxying_to_a_node, NULL);
	rows_add(&r, "subresources in reviews", test_subresources_in_reviews,
	    NULL);
	rows_add(&r, "names and labels of namespaces",
	    test_names_and_labels_of_namespaces, NULL);
	rows_add(&r, "scopes of reviews", test_scopes_of_reviews, NULL);
	rows_add(&r, "known labels are no guess",
	    test_known_labels_are_no_guess, NULL);
	rows_add(&r, "the first of guesses", test_the_first_of_guesses, NULL);
	rows_add(&r, "shadows of many rules", test_shadows_of_many_rules, NULL);
	rows_add(&r, "shadows do not narrow", test_shadows_do_not_narrow, NULL);
	rows_add(&r, "times of any rule", test_times_of_any_rule, NULL);
	failed = rows_run(&r, "rules asked");
	config_unref(config);
	errinfo_release(&err);
	return failed;
}
