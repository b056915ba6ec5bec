/*
 * vectors.h - test rows that stand in text files.
 *
 * One row a line, columns separated by tabs; lines that are empty or begin
 * with '#' do not count.  In a column \t, \n, \r, \0, \\ and \xNN stand for
 * the octet they name.  A row becomes one cmocka test, named after its file,
 * its line and how it begins.
 */
#ifndef TESTS_SUPPORT_VECTORS_H
#define TESTS_SUPPORT_VECTORS_H

#include "base/slice.h"

enum {
	VECTOR_COLUMNS = 20
};

struct vector {
	char *test;                           /* the test's name */
	struct slice columns[VECTOR_COLUMNS]; /* those not there are empty */
	size_t count;
	char *text;
};

struct vectors {
	struct vector **rows;
	size_t count;
};

/* Rows of the file are appended to v; a file that is not there aborts. */
void vectors_read(struct vectors *v, const char *path);
void vectors_release(struct vectors *v);

#endif
