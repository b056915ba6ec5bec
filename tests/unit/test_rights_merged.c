/*
 * test_rights_merged.c - one table made of many: keys that only their texts
 * tell apart, and the first role that allows.
 *
 * spec: T-64
 */
#include "rbac/rights.h"

#include "rbac/policy_rule.h"
#include "tests/support/random.h"
#include "tests/support/rows.h"

#define ONE(word)                                                              \
	{                                                                      \
		(const struct slice[]){SLICE_INIT(word)}, 1                    \
	}

static struct rights_seed seed;

static struct rights
rights_of(const struct rule *rule)
{
	struct rights r = {.has = 0};

	assert_ok(rights_init(&r, &seed, &rule, 1));
	return r;
}

/*
 * A table of two rules whose only keys have one hash, that of the first; the
 * question has it, too, and none of its texts.
 */
static struct mistaken {
	const char *name;
	struct rule asked, other; /* each makes one key */
	struct attributes question;
} mistakens[] = {
    /* clang-format off */
	{ "another prefix",
	    { .verbs = ONE("get"), .urls = ONE("/b*") },
	    { .verbs = ONE("get"), .urls = ONE("/a*") },
	    { .verb = SLICE_INIT("get"), .path = SLICE_INIT("/bx") } },
	{ "a path instead of a prefix",
	    { .verbs = ONE("get"), .urls = ONE("/b*") },
	    { .verbs = ONE("get"), .urls = ONE("/b") },
	    { .verb = SLICE_INIT("get"), .path = SLICE_INIT("/bx") } },
	{ "a resource instead of all",
	    { .verbs = ONE("get"), .api_groups = ONE("apps"),
		.resources = ONE("*") },
	    { .verbs = ONE("get"), .api_groups = ONE("apps"),
		.resources = ONE("pods") },
	    { .is_resource = true, .verb = SLICE_INIT("get"),
		.api_group = SLICE_INIT("apps"),
		.resource = SLICE_INIT("jobs") } },
	{ "a group instead of all",
	    { .verbs = ONE("get"), .api_groups = ONE("*"),
		.resources = ONE("jobs") },
	    { .verbs = ONE("get"), .api_groups = ONE("apps"),
		.resources = ONE("jobs") },
	    { .is_resource = true, .verb = SLICE_INIT("get"),
		.api_group = SLICE_INIT("batch"),
		.resource = SLICE_INIT("jobs") } },
    /* clang-format on */
};

static void
check_mistaken(void **state)
{
	const struct mistaken *m = *state;
	struct rights asked = rights_of(&m->asked),
		      other = rights_of(&m->other);
	struct rights_query q = rights_query(&seed, &m->question);
	struct rights merged = {.has = 0};

	assert_int_equal(rights_find(&asked, &q), 0);
	other.keys[0].hash = asked.keys[0].hash;
	assert_ok(rights_merge(&merged, &other, 0));
	merged.has |= asked.has;
	merged.prefix_lengths |= asked.prefix_lengths;
	assert_int_equal(rights_find(&merged, &q), RIGHTS_NONE);
	assert_ok(rights_merge(&merged, &asked, 1));
	assert_int_equal(rights_find(&merged, &q), 1);
	rights_release(&merged);
	rights_release(&asked);
	rights_release(&other);
}

/* Keys that only their texts tell apart are all granted. */
static void
test_merging_keys_of_equal_hashes(void **state)
{
	const struct rule rules[] = {
	    {.verbs = ONE("get"),
		.api_groups = ONE("apps"),
		.resources = ONE("pods")},
	    {.verbs = ONE("get"),
		.api_groups = ONE("apps"),
		.resources = ONE("secrets")},
	    {.verbs = ONE("get"),
		.api_groups = ONE("core"),
		.resources = ONE("pods")},
	    {.verbs = ONE("get"),
		.api_groups = ONE("apps"),
		.resources = ONE("pods"),
		.resource_names = ONE("n")},
	    {.verbs = ONE("strange"),
		.api_groups = ONE("apps"),
		.resources = ONE("pods")},
	    {.verbs = ONE("stranger"),
		.api_groups = ONE("apps"),
		.resources = ONE("pods")},
	    {.verbs = ONE("get"),
		.api_groups = ONE(""),
		.resources = ONE("pods")},
	    {.verbs = ONE("get"), .urls = ONE("pods")},
	    {.verbs = ONE("get"), .urls = ONE("pods*")},
	};
	struct rights parts[COUNT_OF(rules)], merged = {.has = 0};

	(void)state;
	for (uint32_t i = 0; i < COUNT_OF(rules); i++) {
		parts[i] = rights_of(&rules[i]);
		parts[i].keys[0].hash = parts[0].keys[0].hash;
		assert_ok(rights_merge(&merged, &parts[i], i));
		assert_int_equal(merged.right_count, i + 1);
		assert_int_equal(merged.rights[i].position, i);
	}
	rights_release(&merged);
	for (size_t i = 0; i < COUNT_OF(rules); i++)
		rights_release(&parts[i]);
}

/* --- the first that allows ------------------------------------------------ */

enum {
	ROLES = 12,
	MERGES = 400,
	PATHS = 4,
	QUESTIONS = 5 * (PATHS + 54)
};

static struct strings
some(uint64_t *lots, const struct slice *words, size_t count, unsigned most)
{
	size_t n = 1 + random_below(lots, most);
	size_t first = random_below(lots, (unsigned)(count - n + 1));

	return (struct strings){words + first, n};
}

static struct rule
some_rule(uint64_t *lots)
{
	static const struct slice verbs[] = {SLICE_INIT("get"),
	    SLICE_INIT("list"), SLICE_INIT("strange"), SLICE_INIT("stranger"),
	    SLICE_INIT("*")};
	static const struct slice groups[] = {SLICE_INIT(""),
	    SLICE_INIT("apps"), SLICE_INIT("*")};
	static const struct slice resources[] = {SLICE_INIT("pods"),
	    SLICE_INIT("pods/log"), SLICE_INIT("pods.log"), SLICE_INIT("*/log"),
	    SLICE_INIT("*.log"), SLICE_INIT("*")};
	static const struct slice names[] = {SLICE_INIT("n"), SLICE_INIT("m")};
	static const struct slice urls[] = {SLICE_INIT("/a"), SLICE_INIT("/a*"),
	    SLICE_INIT("/a/*"), SLICE_INIT("*")};
	struct rule r = {.verbs = some(lots, verbs, 5, 2)};

	if (random_below(lots, 4) == 0) {
		r.urls = some(lots, urls, 4, 2);
		return r;
	}
	r.api_groups = some(lots, groups, 3, 2);
	r.resources = some(lots, resources, COUNT_OF(resources), 2);
	if (random_below(lots, 3) == 0)
		r.resource_names = some(lots, names, 2, 2);
	return r;
}

/* Question n of those that the words above can tell apart. */
static struct attributes
question(unsigned n)
{
	static const char *const verbs[] = {"get", "list", "strange",
	    "stranger", "delete"};
	static const char *const groups[] = {"", "apps", "batch"};
	static const char *const resources[] = {"pods", "jobs"};
	static const char *const subs[] = {"", "log", "exec"};
	static const char *const names[] = {"", "n", "m"};
	static const char *const paths[PATHS] = {"/a", "/ab", "/a/", "/b"};
	const char *verb = verbs[n % 5];

	n /= 5;
	if (n < PATHS)
		return (struct attributes){.verb = slice_of(verb),
		    .path = slice_of(paths[n])};
	n -= PATHS;
	return (struct attributes){
	    .is_resource = true,
	    .verb = slice_of(verb),
	    .api_group = slice_of(groups[n % 3]),
	    .resource = slice_of(resources[n / 3 % 2]),
	    .subresource = slice_of(subs[n / 6 % 3]),
	    .name = slice_of(names[n / 18]),
	};
}

/*
 * Merged tables name the first role that allows, as reading the rules one by
 * one does.  spec: kubernetes pkg/registry/rbac/validation/rule.go
 */
static void
test_the_first_role_that_allows(void **state)
{
	uint64_t lots = 4;
	unsigned found = 0;

	(void)state;
	for (unsigned round = 0; round < MERGES; round++) {
		struct rights parts[ROLES], merged = {.has = 0};
		struct rule rules[ROLES];

		for (uint32_t i = 0; i < ROLES; i++) {
			rules[i] = some_rule(&lots);
			parts[i] = rights_of(&rules[i]);
			assert_ok(rights_merge(&merged, &parts[i], 3 * i));
		}
		for (unsigned n = 0; n < QUESTIONS; n++) {
			struct attributes a = question(n);
			struct rights_query q = rights_query(&seed, &a);
			uint32_t want = RIGHTS_NONE;

			for (uint32_t i = ROLES; i-- > 0;) {
				if (rule_allows(&rules[i], &a))
					want = 3 * i;
			}
			assert_int_equal(rights_find(&merged, &q), want);
			found += want != RIGHTS_NONE && want != 0;
		}
		rights_release(&merged);
		for (size_t i = 0; i < ROLES; i++)
			rights_release(&parts[i]);
	}
	assert_true(found > MERGES * 50); /* it was a test of something */
}

/* Later ones add nothing, and take no memory. */
static void
test_merging_the_same_again(void **state)
{
	const struct rule rule = {.verbs = ONE("get"),
	    .api_groups = ONE("apps"),
	    .resources = ONE("pods")};
	struct rights part = rights_of(&rule), merged = {.has = 0};

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		assert_ok(rights_merge(&merged, &part, i));
	assert_int_equal(merged.right_count, 1);
	assert_int_equal(merged.rights[0].position, 0);
	rights_release(&merged);
	rights_release(&part);
}

int
main(void)
{
	struct rows rows = {0};

	seed = rights_seed_random();
	ROWS_ADD_TABLE(&rows, mistakens, check_mistaken);
	rows_add(&rows, "keys of equal hashes",
	    test_merging_keys_of_equal_hashes, NULL);
	rows_add(&rows, "the same again", test_merging_the_same_again, NULL);
	rows_add(&rows, "the first role that allows",
	    test_the_first_role_that_allows, NULL);
	return rows_run(&rows, "rights merged");
}
