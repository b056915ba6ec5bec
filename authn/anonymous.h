/*
 * anonymous.h - who may come without credentials, and where to.
 *
 * kubernetes/apiserver pkg/authentication/request/anonymous/anonymous.go: a
 * path is compared whole, decoded and without the query; there are no
 * patterns.  A bad credential never becomes an anonymous one.
 */
#ifndef AUTHN_ANONYMOUS_H
#define AUTHN_ANONYMOUS_H

#include "base/attr.h"
#include "base/slice.h"

/* All zero: nobody.  Points into whatever it was read from. */
struct anonymous {
	bool enabled;
	const char *const *paths; /* none: everywhere */
	size_t path_count;
};

/* path: decoded, without the query. */
bool anonymous_admits(const struct anonymous *a, struct slice path);

#endif
