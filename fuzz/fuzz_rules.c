/*
 * fuzz_rules.c - one access rule and one request, each octet a choice.
 *
 * Whatever they are: a rule that matches a request also matches a wider one,
 * and a rule that names less matches no less.
 */
#include <stdlib.h>

#include "rbac/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct choices {
	const uint8_t *data;
	size_t n;
};

static unsigned
choose(struct choices *c, unsigned below)
{
	if (c->n == 0)
		return 0;
	c->n--;
	return *c->data++ % below;
}

static const char *const verbs[] = {"get", "list", "watch", "create", "delete",
    "deletecollection", "proxy", "*", ""};
static const char *const groups[] = {"", "apps", "*", "x.io"};
static const char *const resources[] = {"pods", "pods/exec", "pods/*",
    "*/scale", "*", "secrets", "nodes", "nodes/proxy", "nodes/*", "*/proxy"};
static const char *const plain[] = {"pods", "secrets", "nodes", "*",
    "pods/exec", ""};
static const char *const below[] = {"", "exec", "log", "proxy", "scale", "*",
    "attach"};
static const char *const words[] = {"dev", "prod", "web", "ann", "ops", ""};
static const char *const urls[] = {"/metrics", "/debug/*", "*", "/"};

/* Up to two entries, or an absent field. */
struct set {
	const char *list[2];
	unsigned lines[2];
};

static struct config_strings
choose_set(struct choices *c, struct set *s, const char *const *from,
    unsigned count)
{
	unsigned n = choose(c, 3);

	for (unsigned i = 0; i < n; i++)
		s->list[i] = from[choose(c, count)];
	return (struct config_strings){s->list, s->lines, n};
}
#define CHOOSE_SET(c, s, from) choose_set((c), (s), (from), COUNT_OF(from))

static bool
matches(const struct config_rule *rule, const struct attributes *a,
    const struct user *u)
{
	static struct config *config;
	struct config_cluster cluster = {.rules = rule, .rule_count = 1};
	struct access_rules *rules = NULL;
	struct rules_question q = {.requestor = u, .attributes = a};
	struct rules_answer answer;
	struct errinfo err = {0};

	if (config == NULL)
		(void)config_load("tests/vectors/rules/rules.yaml",
		    CONFIG_NEED_ALL, &config, &err);
	if (access_rules_new(config, &cluster, NULL, 0, &rules, &err) !=
	    STATUS_OK)
		abort();
	access_rules_ask(rules, &q, &answer);
	access_rules_unref(rules);
	errinfo_release(&err);
	/* It asks for a certificate, and nobody has one. */
	if (answer.refused != NULL && answer.lacks != NEED_CERTIFICATE)
		abort();
	return answer.refused != NULL;
}

static void
check_wider_requests(const struct config_rule *rule, const struct attributes *a,
    const struct user *u)
{
	struct attributes wide = *a;
	bool many = slice_eq(a->verb, SLICE("list")) ||
	    slice_eq(a->verb, SLICE("watch")) ||
	    slice_eq(a->verb, SLICE("deletecollection"));

	wide.name = SLICE_EMPTY;
	if (!matches(rule, &wide, u))
		abort();
	if (many && a->is_resource) {
		wide.ns = SLICE_EMPTY;
		if (!matches(rule, &wide, u))
			abort();
	}
	if (a->is_resource) {
		wide = (struct attributes){.is_resource = true,
		    .verb = SLICE("*"),
		    .api_group = SLICE("*"),
		    .resource = SLICE("*")};
		if (!matches(rule, &wide, u))
			abort();
	}
}

static void
check_wider_rules(const struct config_rule *rule, const struct attributes *a,
    const struct user *u)
{
	const size_t fields[] = {offsetof(struct config_rule, users),
	    offsetof(struct config_rule, groups),
	    offsetof(struct config_rule, verbs)};

	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		struct config_rule less = *rule;

		*(struct config_strings *)(void *)((char *)&less + fields[i]) =
		    (struct config_strings){0};
		if (!matches(&less, a, u))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct choices c = {data, size};
	struct set sets[8] = {0};
	struct config_rule rule = {.name = "x", .client_certificate = true};
	struct slice group;
	struct user u;
	struct attributes a;

	rule.users = CHOOSE_SET(&c, &sets[0], words);
	rule.groups = CHOOSE_SET(&c, &sets[1], words);
	rule.verbs = CHOOSE_SET(&c, &sets[2], verbs);
	rule.api_groups = CHOOSE_SET(&c, &sets[3], groups);
	rule.resources = CHOOSE_SET(&c, &sets[4], resources);
	rule.namespaces = CHOOSE_SET(&c, &sets[5], words);
	rule.names = CHOOSE_SET(&c, &sets[6], words);
	rule.urls = CHOOSE_SET(&c, &sets[7], urls);
	group = slice_of(words[choose(&c, COUNT_OF(words))]);
	u = (struct user){
	    .name = slice_of(words[choose(&c, COUNT_OF(words))]),
	    .groups = &group,
	    .group_count = 1,
	};
	a = (struct attributes){
	    .is_resource = choose(&c, 4) != 0,
	    .verb = slice_of(verbs[choose(&c, COUNT_OF(verbs))]),
	    .api_group = slice_of(groups[choose(&c, COUNT_OF(groups))]),
	    .resource = slice_of(plain[choose(&c, COUNT_OF(plain))]),
	    .subresource = slice_of(below[choose(&c, COUNT_OF(below))]),
	    .ns = slice_of(words[choose(&c, COUNT_OF(words))]),
	    .name = slice_of(words[choose(&c, COUNT_OF(words))]),
	    .path = slice_of(urls[choose(&c, COUNT_OF(urls))]),
	};
	if (matches(&rule, &a, &u)) {
		check_wider_requests(&rule, &a, &u);
		check_wider_rules(&rule, &a, &u);
	}
	return 0;
}
