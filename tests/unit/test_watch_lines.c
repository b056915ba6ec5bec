/*
 * test_watch_lines.c - a watch reads the same, wherever it is cut.
 */
#include "rbac/watch_lines.h"

#include "tests/support/rows.h"

static const char text[] = "{\"a\":1}\n\n{}\nlonger than the others\nx\nrest";
static const char *const lines[] = {"{\"a\":1}", "", "{}",
    "longer than the others", "x"};

/* All lines that come out of data; *count goes on. */
static void
feed(struct watch_lines *w, struct slice data, size_t *count)
{
	struct slice line;

	while (watch_lines_next(w, &data, &line) == WATCH_LINE) {
		assert_true(*count < COUNT_OF(lines));
		assert_slice(line, lines[*count]);
		++*count;
	}
	assert_int_equal(data.n, 0);
}

static void
test_every_two_cuts(void **state)
{
	struct slice all = slice_of(text);

	(void)state;
	for (size_t i = 0; i <= all.n; i++) {
		for (size_t j = i; j <= all.n; j++) {
			struct watch_lines w;
			size_t count = 0;

			watch_lines_init(&w);
			feed(&w, slice_first(all, i), &count);
			feed(&w, slice_first(slice_from(all, i), j - i),
			    &count);
			feed(&w, slice_from(all, j), &count);
			assert_int_equal(count, COUNT_OF(lines));
			watch_lines_release(&w);
		}
	}
}

static void
test_octet_by_octet(void **state)
{
	struct watch_lines w;
	size_t count = 0;

	(void)state;
	watch_lines_init(&w);
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		feed(&w, slice_make(text + i, 1), &count);
	assert_int_equal(count, COUNT_OF(lines));
	watch_lines_release(&w);
}

static void
test_reset_forgets_the_beginning(void **state)
{
	struct watch_lines w;
	struct slice data = SLICE("half a l"), line;

	(void)state;
	watch_lines_init(&w);
	assert_int_equal(watch_lines_next(&w, &data, &line), WATCH_MORE);
	watch_lines_reset(&w);
	data = SLICE("whole\n");
	assert_int_equal(watch_lines_next(&w, &data, &line), WATCH_LINE);
	assert_slice(line, "whole");
	watch_lines_release(&w);
}

/* In pieces of 16 KiB, as a connection gives them. */
static enum watch_line
feed_long(size_t length)
{
	static char piece[16384];
	enum watch_line r = WATCH_MORE;
	struct watch_lines w;
	struct slice line = SLICE_EMPTY, data;

	memset(piece, 'x', sizeof(piece));
	watch_lines_init(&w);
	while (length != 0 && r == WATCH_MORE) {
		size_t n = length < sizeof(piece) ? length : sizeof(piece);

		data = slice_make(piece, n);
		r = watch_lines_next(&w, &data, &line);
		length -= n;
	}
	data = SLICE("\n");
	if (r == WATCH_MORE)
		r = watch_lines_next(&w, &data, &line);
	if (r == WATCH_LINE)
		assert_int_equal(line.p[line.n - 1], 'x');
	watch_lines_release(&w);
	return r;
}

static void
test_the_longest_line(void **state)
{
	(void)state;
	assert_int_equal(feed_long(WATCH_LINE_MAX), WATCH_LINE);
	assert_int_equal(feed_long((size_t)WATCH_LINE_MAX + 1), WATCH_TOO_LONG);
}

int
main(void)
{
	struct rows r = {0};

	rows_add(&r, "every two cuts give the same lines", test_every_two_cuts,
	    NULL);
	rows_add(&r, "octet by octet", test_octet_by_octet, NULL);
	rows_add(&r, "a reset forgets the beginning of a line",
	    test_reset_forgets_the_beginning, NULL);
	rows_add(&r, "the longest line and a longer one", test_the_longest_line,
	    NULL);
	return rows_run(&r, "watch_lines");
}
