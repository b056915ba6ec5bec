/*
 * batch.h - a question a line, an answer a line.
 *
 * Questions come from standard input, answers go to standard output in the
 * same order, until the end of input.  What is there at once is shared out
 * among the cores: reading JSON is most of the work.
 */
#ifndef CLI_BATCH_H
#define CLI_BATCH_H

#include "base/buf.h"

/* What a command does with a line. */
struct batch_work {
	/* One thread's memory between lines, made from arg; NULL: no memory. */
	void *(*begin)(const void *arg);
	void (*end)(void *state);
	/*
	 * Append the answer to out, without a line's end.  False: it is an
	 * error, the question was not understood.
	 */
	bool (*answer)(void *state, struct slice line, int64_t now_s,
	    struct buf *out);
	const void *arg;
};

/* The exit status: 0 if every line was answered without an error. */
int batch_run(const struct batch_work *work);

#endif
