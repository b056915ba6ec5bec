/*
 * rows.c - a growing array of cmocka tests.
 */
#include "tests/support/rows.h"

#include <assert.h>
#include <stdlib.h>

void
rows_add(struct rows *r, const char *name, row_fn test, void *state)
{
	r->tests = reallocarray(r->tests, r->count + 1, sizeof(*r->tests));
	assert(r->tests != NULL);
	r->tests[r->count++] = (struct CMUnitTest){.name = name,
	    .test_func = test,
	    .initial_state = state};
}

void
rows_add_table(struct rows *r, void *table, size_t count, size_t size,
    row_fn test)
{
	char *row = table;

	for (size_t i = 0; i < count; i++, row += size) {
		const char *name;

		memcpy(&name, row, sizeof(name));
		rows_add(r, name, test, row);
	}
}

void
rows_add_vectors(struct rows *r, const struct vectors *v, row_fn test)
{
	for (size_t i = 0; i < v->count; i++)
		rows_add(r, v->rows[i]->test, test, v->rows[i]);
}

int
rows_run(struct rows *r, const char *group)
{
	int failed =
	    _cmocka_run_group_tests(group, r->tests, r->count, NULL, NULL);

	free(r->tests);
	*r = (struct rows){NULL, 0};
	return failed;
}
