/*
 * explain_batch.c - a question a line.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/monotime.h"
#include "cli/explain.h"
#include "cli/lines.h"

/* True if the line was answered. */
static bool
answer_line(const struct decider *d, struct slice line, int64_t now_s,
    struct question *q, struct buf *out)
{
	struct answer a;
	const char *why;
	bool good = question_read(line, q, &why);

	if (good) {
		answer_make(d, q, now_s, &a);
		answer_put_json(out, q, &a);
	} else {
		answer_put_error(out, q->id, slice_of(why));
	}
	buf_putc(out, '\n');
	return good;
}

int
explain_batch(const struct decider *d)
{
	struct question q = {0};
	struct lines lines;
	struct slice line;
	bool too_long, good = true;

	if (lines_init(&lines, STDIN_FILENO) != STATUS_OK)
		return 1;
	while (lines_next(&lines, &line, &too_long)) {
		struct buf *out = lines_answer(&lines);

		if (too_long) {
			answer_put_error(out, NULL,
			    SLICE("the line is longer than 1 MiB"));
			buf_putc(out, '\n');
			good = false;
			continue;
		}
		good = answer_line(d, line, walltime_s(), &q, out) && good;
	}
	question_release(&q);
	good = lines_flush(&lines) && good;
	lines_release(&lines);
	return good ? 0 : 1;
}
