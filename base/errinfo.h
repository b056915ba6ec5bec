/*
 * errinfo.h - errors for people: file, line and what would be right.
 *
 * A loader adds every mistake it finds and goes on where it can, so that one
 * run shows them all.  Each report is one line, "FILE:LINE: TEXT".  A zeroed
 * errinfo is ready for use.  Not thread-safe.
 */
#ifndef BASE_ERRINFO_H
#define BASE_ERRINFO_H

#include "base/buf.h"
#include "base/status.h"

struct errinfo {
	enum status first; /* outcome of the first error; STATUS_OK: none */
	unsigned errors;
	unsigned warnings;
	struct buf text; /* the reports, errors and warnings, a line each */
};

enum {
	ERRINFO_MAX = 256 * 1024
};

void errinfo_release(struct errinfo *e);

/*
 * Add one error and return st, so that a caller can write
 * `return errinfo_set(err, STATUS_MALFORMED, file, line, "...", ...)`.
 * file: what people call the input; NULL: no place is named.  line: from 1;
 * 0: the file as a whole.  e may be NULL: nothing is recorded.  Foreign text
 * is made printable.  Reports beyond ERRINFO_MAX are counted only.
 */
enum status errinfo_set(struct errinfo *e, enum status st, const char *file,
    unsigned line, const char *fmt, ...) PRINTF_LIKE(5, 6);

/* The same for what is worth saying and stops nothing; "warning: " first. */
void errinfo_warn(struct errinfo *e, const char *file, unsigned line,
    const char *fmt, ...) PRINTF_LIKE(4, 5);

/* STATUS_OK if no error was added, else the first one's outcome. */
enum status errinfo_status(const struct errinfo *e);

#endif
