/*
 * rows.h - tests gathered from functions, tables and files, run as one group.
 */
#ifndef TESTS_SUPPORT_ROWS_H
#define TESTS_SUPPORT_ROWS_H

#include "tests/support/assert.h"
#include "tests/support/vectors.h"

struct rows {
	struct CMUnitTest *tests;
	size_t count;
};

typedef void (*row_fn)(void **state);

void rows_add(struct rows *r, const char *name, row_fn test, void *state);

/*
 * One test for each of count structs of size bytes at table; the first member
 * of each is its name, a const char *, and *state points at the struct.
 */
void rows_add_table(struct rows *r, void *table, size_t count, size_t size,
    row_fn test);
#define ROWS_ADD_TABLE(r, table, test)                                         \
	rows_add_table((r), (table), COUNT_OF(table), sizeof((table)[0]),      \
	    (test))

/* One test for each row of v, which outlives the run. */
void rows_add_vectors(struct rows *r, const struct vectors *v, row_fn test);

/* Runs all, forgets them, and returns how many failed. */
int rows_run(struct rows *r, const char *group);

#endif
