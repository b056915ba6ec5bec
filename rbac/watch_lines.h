/*
 * watch_lines.h - the lines of a watch, however its octets are cut.
 *
 * A watch in JSON is one event a line.  Pure; belongs to one thread.
 */
#ifndef RBAC_WATCH_LINES_H
#define RBAC_WATCH_LINES_H

#include "base/attr.h"
#include "base/buf.h"

enum {
	WATCH_LINE_MAX = 4 * 1024 * 1024
};

enum watch_line {
	WATCH_LINE,     /* one is there */
	WATCH_MORE,     /* all that came is used up */
	WATCH_TOO_LONG, /* above WATCH_LINE_MAX, or no memory: give up */
};

struct watch_lines {
	struct buf held; /* the beginning of a line */
	bool given;      /* held was handed out */
};

void watch_lines_init(struct watch_lines *w);
void watch_lines_reset(struct watch_lines *w);
void watch_lines_release(struct watch_lines *w);

/*
 * Take the next line off the front of *data.  *line has no end of line, may
 * be empty, and is valid until the next call or as long as *data's octets.
 */
NODISCARD enum watch_line watch_lines_next(struct watch_lines *w,
    struct slice *data, struct slice *line);

#endif
