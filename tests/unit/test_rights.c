/*
 * test_rights.c - tables of rights, where hashes are no help.
 *
 * What they grant is compared with the rules themselves in test_compiled.c.
 * spec: T-64
 */
#include "rbac/rights.h"

#include <stdio.h>

#include "tests/support/rows.h"

#define STRINGS(...)                                                           \
	((struct strings){(const struct slice[]){__VA_ARGS__},                 \
	    sizeof((const struct slice[]){__VA_ARGS__}) /                      \
		sizeof(struct slice)})

static struct rights_seed seed;

static struct attributes
asked(const char *const words[5])
{
	return (struct attributes){
	    .is_resource = true,
	    .verb = slice_of(words[0]),
	    .api_group = slice_of(words[1]),
	    .resource = slice_of(words[2]),
	    .subresource = slice_of(words[3]),
	    .name = slice_of(words[4]),
	};
}

#define ASKED(...) asked((const char *const[5]){__VA_ARGS__})

static struct rights
rights_of(const struct rule *rule)
{
	struct rights r = {.has = 0};

	assert_ok(rights_init(&r, &seed, &rule, 1));
	return r;
}

/* The question has the hashes of what would be allowed, but not its texts. */
static struct collision {
	const char *name;
	const char *allowed[5]; /* verb, group, resource, subresource, name */
	const char *other[5];
} collisions[] = {
    /* clang-format off */
	{ "another resource", { "get", "apps", "pods", "", "n" },
	    { "get", "apps", "pots", "", "n" } },
	{ "another group", { "get", "apps", "pods", "", "n" },
	    { "get", "caps", "pods", "", "n" } },
	{ "another name", { "get", "apps", "pods", "", "n" },
	    { "get", "apps", "pods", "", "m" } },
	{ "another verb", { "strange", "apps", "pods", "", "n" },
	    { "stranger", "apps", "pods", "", "n" } },
	{ "another subresource", { "get", "apps", "pods", "log", "n" },
	    { "get", "apps", "pods", "lot", "n" } },
	{ "a shorter subresource", { "get", "apps", "pods", "log", "n" },
	    { "get", "apps", "pods", "lo", "n" } },
	{ "the end of a subresource", { "get", "apps", "pods", "log", "n" },
	    { "get", "apps", "pods", "og", "n" } },
	{ "a resource as long as both", { "get", "apps", "pods", "log", "n" },
	    { "get", "apps", "pods/log", "log", "n" } },
	{ "another resource of the subresource",
	    { "get", "apps", "pods", "log", "n" },
	    { "get", "apps", "pots", "log", "n" } },
	{ "no slash between", { "get", "apps", "pods", "log", "n" },
	    { "get", "apps", "pod", "/log", "n" } },
	{ "another subresource of all", { "get", "apps", "x", "scale", "n" },
	    { "get", "apps", "x", "scalp", "n" } },
    /* clang-format on */
};

static void
check_collision(void **state)
{
	const struct collision *c = *state;
	const struct rule rule = {
	    .verbs = STRINGS(SLICE("get"), SLICE("strange")),
	    .api_groups = STRINGS(SLICE("apps")),
	    .resources =
		STRINGS(SLICE("pods"), SLICE("pods/log"), SLICE("*/scale")),
	    .resource_names = STRINGS(SLICE("n")),
	};
	struct attributes allowed = asked(c->allowed), other = asked(c->other);
	struct rights r = rights_of(&rule);
	struct rights_query q = rights_query(&seed, &allowed);

	assert_int_equal(rights_find(&r, &q), 0);
	q.attributes = &other;
	assert_int_equal(rights_find(&r, &q), RIGHTS_NONE);
	rights_release(&r);
}

static void
test_another_path_of_equal_hash(void **state)
{
	const struct rule rule = {.verbs = STRINGS(SLICE("get")),
	    .urls = STRINGS(SLICE("/a/b"))};
	struct attributes a = {.verb = SLICE("get"), .path = SLICE("/a/b")};
	struct attributes b = {.verb = SLICE("get"), .path = SLICE("/a/c")};
	struct rights r = rights_of(&rule);
	struct rights_query q = rights_query(&seed, &a);

	(void)state;
	assert_int_equal(rights_find(&r, &q), 0);
	q.attributes = &b;
	assert_int_equal(rights_find(&r, &q), RIGHTS_NONE);
	rights_release(&r);
}

/* Groups times resources times names would be 64 million keys. */
static void
test_a_wide_rule_takes_little_memory(void **state)
{
	enum {
		N = 400
	};
	char text[N][8];
	struct slice words[N];
	struct rule rule = {.verbs = STRINGS(SLICE("get")),
	    .api_groups = {words, N},
	    .resources = {words, N},
	    .resource_names = {words, N}};
	struct attributes a = ASKED("get", "w7", "w399", "", "w0");
	struct rights_query q;
	struct rights r;

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "w%u", i);
		words[i] = slice_of(text[i]);
	}
	r = rights_of(&rule);
	q = rights_query(&seed, &a);
	assert_int_equal(r.right_count, 0);
	assert_int_equal(r.odd_count, 1);
	assert_int_equal(rights_find(&r, &q), 0);
	a.name = SLICE("other");
	q = rights_query(&seed, &a);
	assert_int_equal(rights_find(&r, &q), RIGHTS_NONE);
	rights_release(&r);
}

/* A product that no number holds; the lists are never looked at. */
static void
test_a_product_that_overflows(void **state)
{
	struct slice word = SLICE("w");
	size_t huge = SIZE_MAX / 4;
	struct rule rules[] = {
	    {.verbs = STRINGS(SLICE("get")),
		.api_groups = {&word, huge},
		.resources = {&word, huge}},
	    {.verbs = STRINGS(SLICE("get")),
		.api_groups = {&word, huge},
		.resources = {&word, 1},
		.resource_names = {&word, huge}},
	    {.verbs = STRINGS(SLICE("a"), SLICE("b"), SLICE("c"), SLICE("d")),
		.api_groups = {&word, huge},
		.resources = {&word, 1}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rules); i++) {
		struct rights r = rights_of(&rules[i]);

		assert_int_equal(r.odd_count, 1);
		rights_release(&r);
	}
}

/*
 * Each of many wide rules would find room by itself.  Together they may make
 * KEYS_FREE keys and KEYS_PER_STRING for each string; what is beyond stays odd
 * and is granted all the same.  spec: T-05
 */
static void
test_wide_rules_share_one_budget(void **state)
{
	enum {
		N = 60,
		RULES = 10,
		KEYS_MAX = 4096 + 4 * RULES * (2 * N + 1)
	};
	char text[N][8];
	struct slice words[N], verbs[RULES];
	struct rule rules[RULES];
	const struct rule *list[RULES];
	struct rights r = {.has = 0};

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "w%u", i);
		words[i] = slice_of(text[i]);
	}
	for (unsigned i = 0; i < RULES; i++) {
		verbs[i] = words[i];
		rules[i] = (struct rule){.verbs = {&verbs[i], 1},
		    .api_groups = {words, N},
		    .resources = {words, N}};
		list[i] = &rules[i];
	}
	assert_ok(rights_init(&r, &seed, list, RULES));
	assert_in_range(r.right_count, N * N, KEYS_MAX);
	assert_int_equal(r.odd_count, RULES - r.right_count / (N * N));
	for (unsigned i = 0; i < RULES; i++) {
		struct attributes a = ASKED(text[i], "w0", "w59", "", "x");
		struct rights_query q = rights_query(&seed, &a);

		assert_int_equal(rights_find(&r, &q), 0);
	}
	rights_release(&r);
}

/* spec: T-62 - a bit says how long a prefix is; longer ones stay odd */
static void
test_prefixes_around_the_longest(void **state)
{
	char text[80];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[0] = '/';
	for (size_t n = 61; n < 70; n++) {
		struct slice url = slice_make(text, n + 1);
		struct rule rule = {.verbs = STRINGS(SLICE("get")),
		    .urls = {&url, 1}};
		struct attributes a = {.verb = SLICE("get")};
		struct rights_query q;
		struct rights r;

		text[n] = '*';
		r = rights_of(&rule);
		assert_int_equal(r.odd_count, n > 63);
		for (size_t asked = n - 1; asked <= n + 2; asked++) {
			a.path = slice_make(text, asked);
			q = rights_query(&seed, &a);
			assert_int_equal(rights_find(&r, &q),
			    asked < n ? RIGHTS_NONE : 0);
		}
		rights_release(&r);
		text[n] = 'a';
	}
}

/* Whatever it lists, and however much: without verbs it is nothing. */
static void
test_a_rule_without_verbs(void **state)
{
	struct slice word = SLICE("w");
	struct rule rule = {.api_groups = {&word, 1}, .resources = {&word, 1}};
	struct attributes a = ASKED("", "w", "w", "", "");
	struct rights_query q = rights_query(&seed, &a);
	struct rights r = rights_of(&rule);

	(void)state;
	assert_int_equal(r.right_count + r.odd_count, 0);
	assert_int_equal(rights_find(&r, &q), RIGHTS_NONE);
	rights_release(&r);
}

int
main(void)
{
	struct rows rows = {0};

	seed = rights_seed_random();
	ROWS_ADD_TABLE(&rows, collisions, check_collision);
	rows_add(&rows, "another path of equal hash",
	    test_another_path_of_equal_hash, NULL);
	rows_add(&rows, "a wide rule takes little memory",
	    test_a_wide_rule_takes_little_memory, NULL);
	rows_add(&rows, "a product that overflows",
	    test_a_product_that_overflows, NULL);
	rows_add(&rows, "wide rules share one budget",
	    test_wide_rules_share_one_budget, NULL);
	rows_add(&rows, "prefixes around the longest",
	    test_prefixes_around_the_longest, NULL);
	rows_add(&rows, "a rule without verbs", test_a_rule_without_verbs,
	    NULL);
	return rows_run(&rows, "rights");
}
