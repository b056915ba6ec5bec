/*
 * test_subjects.c - lists of grants whose hashes are the same.
 *
 * Nobody without the seed can aim at one, so they are made by hand.
 * spec: T-64
 */
#include "rbac/subjects.h"

#include <stdlib.h>

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

int
main(void)
{
	struct rows rows = {0};

	ROWS_ADD_TABLE(&rows, rows_table, check_row);
	return rows_run(&rows, "subjects");
}
