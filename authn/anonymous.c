/*
 * anonymous.c - requests without credentials.
 */
#include "authn/anonymous.h"

bool
anonymous_admits(const struct anonymous *a, struct slice path)
{
	if (!a->enabled || a->path_count == 0)
		return a->enabled;
	for (size_t i = 0; i < a->path_count; i++) {
		if (slice_eq_str(path, a->paths[i]))
			return true;
	}
	return false;
}
