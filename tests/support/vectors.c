/*
 * vectors.c - reads rows of text and runs each as a test.
 */
#include "tests/support/vectors.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char
unescaped(const char **p)
{
	char hex[3] = {0};

	switch (*(*p)++) {
	case 't':
		return '\t';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case '0':
		return '\0';
	case '\\':
		return '\\';
	case 'x':
		hex[0] = *(*p)++;
		hex[1] = hex[0] != '\0' ? *(*p)++ : '\0';
		return (char)strtol(hex, NULL, 16);
	default:
		(void)fprintf(stderr, "unknown escape: %s\n", *p - 1);
		abort();
	}
}

/* Cuts a line into columns in place; an octet never grows by unescaping. */
static void
cut_columns(struct vector *row)
{
	const char *from = row->text;
	char *to = row->text, *begin = row->text;

	for (;;) {
		char c = *from++;

		if (c == '\\') {
			*to++ = unescaped(&from);
		} else if (c == '\t' || c == '\0') {
			assert(row->count < VECTOR_COLUMNS);
			row->columns[row->count++] =
			    slice_make(begin, (size_t)(to - begin));
			begin = to;
			if (c == '\0')
				return;
		} else {
			*to++ = c;
		}
	}
}

static void
add_row(struct vectors *v, const char *file, unsigned line, const char *text)
{
	struct vector *row = calloc(1, sizeof(*row));
	const char *base = strrchr(file, '/');

	assert(row != NULL);
	v->rows = reallocarray(v->rows, v->count + 1, sizeof(struct vector *));
	row->text = strdup(text);
	assert(v->rows != NULL && row->text != NULL);
	if (asprintf(&row->test, "%s:%u %.60s", base != NULL ? base + 1 : file,
		line, text) < 0)
		abort();
	for (char *p = row->test; *p != '\0'; p++)
		*p = *p == '\t' ? ' ' : *p;
	cut_columns(row);
	v->rows[v->count++] = row;
}

void
vectors_read(struct vectors *v, const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	unsigned number = 0;
	ssize_t n;

	if (f == NULL) {
		(void)fprintf(stderr, "cannot open %s\n", path);
		abort();
	}
	while ((n = getline(&line, &size, f)) >= 0) {
		number++;
		if (n > 0 && line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (line[0] != '\0' && line[0] != '#')
			add_row(v, path, number, line);
	}
	free(line);
	(void)fclose(f);
}

void
vectors_release(struct vectors *v)
{
	for (size_t i = 0; i < v->count; i++) {
		free(v->rows[i]->test);
		free(v->rows[i]->text);
		free(v->rows[i]);
	}
	free(v->rows);
	*v = (struct vectors){NULL, 0};
}
