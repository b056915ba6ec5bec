/*
 * pattern.c - resources and URLs by pattern.
 */
#include "rbac/pattern.h"

bool
pattern_has_resource(struct slice pattern, struct slice resource,
    struct slice subresource)
{
	size_t slash = slice_index(pattern, '/');
	struct slice before = slice_first(pattern, slash), after;

	if (slash == pattern.n)
		return slice_eq(pattern, SLICE("*")) ||
		    (subresource.n == 0 && slice_eq(pattern, resource));
	after = slice_from(pattern, slash + 1);
	if (slice_eq(before, resource))
		return slice_eq(after, SLICE("*")) ||
		    (subresource.n != 0 && slice_eq(after, subresource));
	return slice_eq(before, SLICE("*")) && subresource.n != 0 &&
	    slice_eq(after, subresource);
}

bool
pattern_has_url(struct slice pattern, struct slice path)
{
	if (slice_eq(pattern, path))
		return true;
	return slice_ends(pattern, SLICE("*")) &&
	    slice_starts(path, slice_first(pattern, pattern.n - 1));
}
