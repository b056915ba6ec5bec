/*
 * lines.h - one line in, one line out, for commands that answer in batches.
 *
 * Lines come from a descriptor and are at most LINES_OCTETS_MAX octets; the
 * last may lack its end.  Answers go to standard output, gathered and written
 * in large pieces, and before input would be waited for, so that a pipe works
 * both ways.
 */
#ifndef CLI_LINES_H
#define CLI_LINES_H

#include "base/buf.h"
#include "base/status.h"

enum {
	LINES_OCTETS_MAX = 1024 * 1024
};

struct lines {
	int in;
	struct buf text;   /* read and not given out yet */
	size_t at;         /* how much of it was given out */
	struct buf answer; /* of the lines so far */
	bool ended;        /* no more input */
	bool skipping;     /* the rest of a line that was too long */
};

/* in: a descriptor.  STATUS_NOMEM. */
NODISCARD enum status lines_init(struct lines *l, int in);
void lines_release(struct lines *l);

/*
 * The next line without its end; false: no more.  *too_long: the line has
 * more octets than are read, *line is how it begins.  *line is valid until
 * the next call.
 */
bool lines_next(struct lines *l, struct slice *line, bool *too_long);

/*
 * True if the next line is here whole: then lines_next neither waits nor
 * moves the lines that it gave out since it last had to read.
 */
bool lines_are_ready(const struct lines *l);

/* Where answers go; lines_next and lines_flush write it out. */
struct buf *lines_answer(struct lines *l);

/* Write what is gathered; false: standard output is gone. */
bool lines_flush(struct lines *l);

#endif
