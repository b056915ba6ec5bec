/*
 * guard.h - bytes that end where memory ends.
 *
 * A parser that reads one octet too far faults at once, with or without a
 * sanitizer.
 */
#ifndef TESTS_SUPPORT_GUARD_H
#define TESTS_SUPPORT_GUARD_H

#include "base/slice.h"

struct guard {
	char *map;
	size_t size; /* of the mapping, the guard page included */
};

/* A copy of s whose last octet lies right before a page nobody may touch. */
struct slice guard_copy(struct guard *g, struct slice s);

/* n writable octets that end there. */
char *guard_room(struct guard *g, size_t n);

/* Unmaps; a zeroed or released guard may be released again. */
void guard_release(struct guard *g);

#endif
