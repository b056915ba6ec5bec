/*
 * invariant.h - what is always true of one connection or one request.
 *
 * A broken invariant is a bug.  In tests and fuzzers it aborts; in the field
 * it costs the one connection, which the caller closes, is logged and counted.
 * assert() stands only where memory shared by others may be corrupt.
 */
#ifndef BASE_INVARIANT_H
#define BASE_INVARIANT_H

#include <stdbool.h>

#include "base/attr.h"

/* Logs and counts; aborts if the build says INVARIANT_ABORTS. */
COLD void invariant_broken(const char *what, const char *file, int line);

/* Broken invariants since the start; for the metric. */
unsigned long invariant_count(void);

/* True while x holds: if (!INVARIANT(x)) return conn_close(...); */
#define INVARIANT(x)                                                           \
	(LIKELY(x) || (invariant_broken(#x, __FILE__, __LINE__), false))

#endif
