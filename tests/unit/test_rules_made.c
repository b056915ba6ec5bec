/*
 * test_rules_made.c - access rules that cannot be made, and why.
 */
#include "rbac/rules.h"
#include "tests/support/failing.h"
#include "tests/support/rows.h"

enum {
	NOW_S = 1795435200 /* 2026-11-23T12:00:00Z, a Monday */
};

static struct config *config;
static struct networks *networks;

static enum status
make(const struct config_rule *rule, struct access_rules **out,
    struct errinfo *err)
{
	struct config_cluster c = {.rules = rule, .rule_count = 1};

	return access_rules_new(config, &c, networks, NOW_S, out, err);
}

static void
refuse(const struct config_rule *rule, enum status want, const char *words)
{
	struct access_rules *rules = NULL;
	struct errinfo err = {0};

	assert_status(make(rule, &rules, &err), want);
	assert_null(rules);
	assert_int_equal(err.errors, 1);
	if (!slice_contains(buf_slice(&err.text), slice_of(words)))
		fail_msg("\"%s\" is not in: %.*s", words,
		    SLICE_ARG(buf_slice(&err.text)));
	errinfo_release(&err);
}

static void
test_mistakes(void **state)
{
	const struct config_requirement bad = {.key = "tier",
	    .op = "In",
	    .line = 17};
	const struct config_requirement both[] = {
	    {.key = "team", .op = "Exists", .line = 16}, bad};
	const struct config_rule selector = {.name = "x",
	    .has_selector = true,
	    .selector = both,
	    .selector_count = 2,
	    .client_certificate = true};

	(void)state;
	refuse(&selector, STATUS_MALFORMED,
	    ":17: namespaceSelector: the requirement on \"tier\" is not valid");
}

static void
test_none(void **state)
{
	struct config_cluster c = {.rule_count = 0};
	struct access_rules *rules = NULL;
	struct errinfo err = {0};
	struct rules_question q = {.requestor = NULL};
	struct rules_answer a;

	(void)state;
	assert_ok(access_rules_new(config, &c, networks, NOW_S, &rules, &err));
	assert_null(rules);
	assert_int_equal(access_rules_count(rules), 0);
	assert_false(access_rules_have_times(rules));
	access_rules_ask(rules, &q, &a);
	assert_null(a.refused);
	assert_int_equal(a.shadow_count, 0);
	access_rules_unref(rules);
}

/* Everything that a rule can have. */
static const char *const words[] = {"a", "b"};
static const char *const offices[] = {"bastion", "vpn"};
static const unsigned lines[] = {1, 2};
static const struct config_requirement requirement = {.key = "tier",
    .op = "In",
    .values = {words, lines, 2},
    .line = 1};
static const struct config_times windows[] = {
    {.days = CONFIG_ALL_DAYS, .to_min = 60, .time_zone = "UTC", .line = 1},
    {.days = CONFIG_ALL_DAYS,
	.to_min = 60,
	.time_zone = "Europe/Berlin",
	.line = 2}};
#define WORDS                                                                  \
	{                                                                      \
		words, lines, 2                                                \
	}
static const struct config_rule full = {
    .name = "full",
    .users = WORDS,
    .groups = WORDS,
    .verbs = WORDS,
    .api_groups = WORDS,
    .resources = WORDS,
    .namespaces = WORDS,
    .names = WORDS,
    .urls = WORDS,
    .has_selector = true,
    .selector = &requirement,
    .selector_count = 1,
    .networks = {offices, lines, 2},
    .required_users = WORDS,
    .required_groups = WORDS,
    .times = windows,
    .time_count = 2,
};

/* What of the full rule user a lacks, asked about what it names. */
static unsigned
lacked(const struct access_rules *rules)
{
	struct slice group = SLICE("b");
	struct user u = {.name = SLICE("a"),
	    .groups = &group,
	    .group_count = 1};
	struct attributes a = {.is_resource = true,
	    .verb = SLICE("b"),
	    .api_group = SLICE("a"),
	    .resource = SLICE("b"),
	    .ns = SLICE("a"),
	    .name = SLICE("b")};
	struct rules_question q = {.requestor = &u,
	    .attributes = &a,
	    .now_s = NOW_S};
	struct rules_answer answer;

	access_rules_ask(rules, &q, &answer);
	return answer.lacks;
}

/* spec: T-01, T-125 - a rule is whole, or there is none and somebody is told */
static void
run_out(const struct config_rule *rule, unsigned at_least)
{
	unsigned refused = 0;
	bool failed = true;

	for (unsigned long n = 1; failed; n++) {
		struct access_rules *rules = NULL;
		struct errinfo err = {0};
		enum status st;

		failing_at(n);
		st = make(rule, &rules, &err);
		failed = failing_stop();
		if (st == STATUS_OK) { /* or it could do without */
			assert_int_equal(lacked(rules),
			    NEED_NETWORK | NEED_TIME);
			assert_int_equal(err.errors, 0);
		} else {
			assert_true(failed);
			assert_null(rules);
			assert_true(err.errors != 0);
			refused++;
		}
		access_rules_unref(rules);
		errinfo_release(&err);
	}
	assert_true(refused >= at_least);
}

static void
test_no_memory(void **state)
{
	(void)state;
	run_out(&full, 5);
}

/* Each of its lists needs memory of its own. */
static void
test_no_memory_for_large_rules(void **state)
{
	enum {
		N = 600
	};
	const char *list[N];
	unsigned numbers[N];
	struct config_rule large = full;
	struct config_requirement requirements[N];
	const struct config_strings many = {list, numbers, N};

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		list[i] = words[i % 2];
		numbers[i] = i;
		requirements[i] = requirement;
	}
	large.users = large.groups = large.verbs = many;
	large.api_groups = large.resources = large.namespaces = many;
	large.names = large.urls = many;
	large.required_users = large.required_groups = many;
	large.selector = requirements;
	large.selector_count = N;
	run_out(&large, 20);
}

/* spec: T-01 - nobody is in a network that is not there */
static void
test_networks_that_are_not_there(void **state)
{
	const struct address somebody = {.family = FAMILY_V4,
	    .octets = {10, 8, 0, 1}};
	const struct config_rule rule = {.name = "x",
	    .networks = {offices, lines, 2}};
	struct config_cluster c = {.rules = &rule, .rule_count = 1};
	struct user u = {.name = SLICE("u")};
	struct attributes a = {.verb = SLICE("get"), .path = SLICE("/")};
	struct rules_question q = {.requestor = &u,
	    .attributes = &a,
	    .address = &somebody};
	struct errinfo err = {0};

	(void)state;
	for (unsigned there = 0; there < 2; there++) {
		struct access_rules *rules = NULL;
		struct rules_answer answer;

		assert_ok(access_rules_new(config, &c,
		    there != 0 ? networks : NULL, NOW_S, &rules, &err));
		access_rules_ask(rules, &q, &answer);
		assert_int_equal(answer.lacks, there != 0 ? 0 : NEED_NETWORK);
		access_rules_unref(rules);
	}
}

static void
test_references(void **state)
{
	struct access_rules *rules = NULL;
	struct errinfo err = {0};

	(void)state;
	assert_ok(make(&full, &rules, &err));
	access_rules_unref(access_rules_ref(rules));
	assert_int_equal(access_rules_count(rules), 1);
	assert_slice(access_rule_name(access_rules_at(rules, 0)), "full");
	access_rules_unref(rules);
	access_rules_unref(NULL);
}

/* All that is lacked, in the words of the configuration. */
static void
test_every_need_has_words(void **state)
{
	struct access_rules *rules = NULL;
	struct errinfo err = {0};
	char text[512];
	struct buf b;

	(void)state;
	assert_ok(make(&full, &rules, &err));
	buf_init_fixed(&b, text, sizeof(text));
	access_rule_put_refusal(&b, access_rules_at(rules, 0),
	    NEED_NETWORK | NEED_USER | NEED_GROUP | NEED_CERTIFICATE |
		NEED_TIME);
	assert_slice(buf_slice(&b),
	    "access rule \"full\" requires network bastion or vpn and user a "
	    "or b and "
	    "group a or b and a client certificate and the time 00:00-01:00 "
	    "UTC or 00:00-01:00 Europe/Berlin");
	access_rules_unref(rules);
}

int
main(void)
{
	struct rows r = {0};
	struct errinfo err = {0};
	int failed;

	assert_ok(config_load("tests/vectors/rules/rules.yaml", CONFIG_NEED_ALL,
	    &config, &err));
	assert_ok(networks_new(config, &networks, &err));
	rows_add(&r, "mistakes", test_mistakes, NULL);
	rows_add(&r, "none", test_none, NULL);
	rows_add(&r, "no memory", test_no_memory, NULL);
	rows_add(&r, "no memory for large rules",
	    test_no_memory_for_large_rules, NULL);
	rows_add(&r, "networks that are not there",
	    test_networks_that_are_not_there, NULL);
	rows_add(&r, "references", test_references, NULL);
	rows_add(&r, "every need has words", test_every_need_has_words, NULL);
	failed = rows_run(&r, "rules made");
	networks_unref(networks);
	config_unref(config);
	errinfo_release(&err);
	return failed;
}
