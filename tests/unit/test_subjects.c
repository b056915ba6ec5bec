/*
 * test_subjects.c - lists of grants whose hashes are the same.
 *
 * Nobody without the seed can aim at one, so they are made by hand.
 * spec: T-64
 */
#include "rbac/subjects.h"

#include <stdlib.h>

#include "rbac/grants.h"
#include "tests/support/rows.h"

static struct row {
	const char *name;
	bool group;
	const char *subject, *ns;
	bool is; /* the list of group "ops" in namespace "dev" */
} rows_table[] = {
    /* clang-format off */
	{ "itself", true, "ops", "dev", true },
	{ "a user of that name", false, "ops", "dev", false },
	{ "another group", true, "opt", "dev", false },
	{ "another namespace", true, "ops", "den", false },
	{ "the cluster", true, "ops", "", false },
	{ "a border elsewhere", true, "opsd", "ev", false },
    /* clang-format on */
};

/* With room for two, so that the text is not where the items end. */
static struct grants *
grants_of(bool group, struct slice subject, struct slice ns)
{
	struct grants *g =
	    calloc(1, sizeof(*g) + 2 * sizeof(g->items[0]) + subject.n + ns.n);
	char *text;

	assert_non_null(g);
	g->group = group;
	g->count = 1;
	g->room = 2;
	g->subject_n = (uint32_t)subject.n;
	g->ns_n = (uint32_t)ns.n;
	text = (char *)(g->items + g->room);
	memcpy(text, subject.p, subject.n);
	memcpy(text + subject.n, ns.p, ns.n);
	return g;
}

static void
check_row(void **state)
{
	const struct row *row = *state;
	struct grants *g = grants_of(true, SLICE("ops"), SLICE("dev"));
	const struct grants_key key = {row->group, slice_of(row->subject),
	    slice_of(row->ns)};

	assert_int_equal(grants_is(g, &key), row->is);
	free(g);
}

/* spec: T-61 - a list that lies where another's hash leads grants nothing */
static void
test_the_list_of_somebody_else(void **state)
{
	struct builder *b = builder_new();
	const struct slice all = SLICE("*");
	const struct rule rule = {.verbs = {&all, 1},
	    .api_groups = {&all, 1},
	    .resources = {&all, 1}};
	const struct role role = {.cluster = true,
	    .name = SLICE("admin"),
	    .rules = &rule,
	    .rule_count = 1};
	const struct subject root = {SLICE("User"), SLICE("root"), SLICE_EMPTY};
	const struct binding binding = {.cluster = true,
	    .name = SLICE("b"),
	    .role_kind = SLICE("ClusterRole"),
	    .role_name = SLICE("admin"),
	    .subjects = &root,
	    .subject_count = 1};
	struct user users[] = {{.name = SLICE("root")}, {.name = SLICE("eve")}};
	struct attributes a = {.is_resource = true,
	    .verb = SLICE("get"),
	    .resource = SLICE("pods")};
	struct policy_cursor c = {.last = NULL};
	struct policy_grant g;
	struct policy *p = NULL;
	struct grants *list;
	uint64_t hash[2];

	(void)state;
	assert_ok(builder_put_role(b, &role));
	assert_ok(builder_put_binding(b, &binding));
	assert_ok(builder_seal(b, true, &p));
	for (size_t i = 0; i < 2; i++)
		hash[i] = grants_hash(
		    subject_hash(&p->seed.key, false, users[i].name), 0);
	list = shardmap_find(&p->grants, hash[0], grants_is,
	    &(const struct grants_key){false, SLICE("root"), SLICE_EMPTY});
	assert_non_null(list);
	ref_up(&list->refs);
	assert_ok(shardmap_put(&p->grants, hash[1], NULL, list));
	assert_int_equal(policy_evaluate(p, &users[0], &a).decision, ALLOW);
	assert_int_equal(policy_evaluate(p, &users[1], &a).decision,
	    NO_OPINION);
	assert_false(policy_next_grant(p, &users[1], SLICE("n"), &c, &g));
	policy_unref(p);
	builder_free(b);
}

int
main(void)
{
	struct rows rows = {0};

	ROWS_ADD_TABLE(&rows, rows_table, check_row);
	rows_add(&rows, "the list of somebody else",
	    test_the_list_of_somebody_else, NULL);
	return rows_run(&rows, "subjects");
}
