/*
 * explain_batch.c - decisions, a question a line.
 */
#include <stdlib.h>

#include "cli/batch.h"
#include "cli/explain.h"

/* One thread's. */
struct explaining {
	const struct decider *decider;
	struct question question; /* its memory is kept */
};

static void *
explaining_begin(const void *arg)
{
	struct explaining *e = calloc(1, sizeof(*e));

	if (e != NULL)
		e->decider = arg;
	return e;
}

static void
explaining_end(void *state)
{
	struct explaining *e = state;

	question_release(&e->question);
	free(e);
}

static bool
explain_line(void *state, struct slice line, int64_t now_s, struct buf *out)
{
	struct explaining *e = state;
	struct answer a;
	const char *why;

	if (!question_read(line, &e->question, &why)) {
		answer_put_error(out, e->question.id, slice_of(why));
		return false;
	}
	answer_make(e->decider, &e->question, now_s, &a);
	answer_put_json(out, &e->question, &a);
	return true;
}

int
explain_batch(const struct decider *d)
{
	const struct batch_work work = {.begin = explaining_begin,
	    .end = explaining_end,
	    .answer = explain_line,
	    .arg = d};

	return batch_run(&work);
}
