/*
 * list_options.h - what the API server reads out of a list request's query.
 *
 * Query: net/url ParseQuery.  Options: kubernetes/apimachinery pkg/apis/meta
 * internalversion ListOptions, as NewRequestInfo decodes them.  Pure.
 */
#ifndef RBAC_LIST_OPTIONS_H
#define RBAC_LIST_OPTIONS_H

#include "base/attr.h"
#include "base/slice.h"

/* A query with more pieces than this reads as empty (net/url of Go 1.26). */
enum {
	QUERY_PIECES_MAX = 10000
};

struct list_options {
	bool watch;
	struct slice name; /* of a field selector that pins metadata.name and
			    * makes a path segment; empty: none does */
	struct slice field_selector, label_selector; /* decoded, as given */
};

/*
 * Read the raw query, without '?'.  Decoding is all or nothing: an option
 * that cannot be read loses the name, and watch is then taken by itself.
 * Slices in *out point into the query or into scratch, which has room for
 * LIST_OPTIONS_SCRATCH(query.n) octets.
 */
#define LIST_OPTIONS_SCRATCH(query_len) (4 * (query_len))
void list_options_read(struct slice query, char *scratch,
    struct list_options *out);

#endif
