/*
 * strings.h - a list of strings, borrowed.
 *
 * A value: whoever makes one keeps its slices and their text alive.  Zero is
 * the empty list.  Pure.
 */
#ifndef BASE_STRINGS_H
#define BASE_STRINGS_H

#include "base/slice.h"

struct strings {
	const struct slice *items;
	size_t count;
};

/* True if one of them is s, octet for octet.  Linear. */
static inline bool
strings_has(const struct strings *list, struct slice s)
{
	for (size_t i = 0; i < list->count; i++) {
		if (slice_eq(list->items[i], s))
			return true;
	}
	return false;
}

#endif
