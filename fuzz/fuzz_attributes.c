/*
 * fuzz_attributes.c - method, path and query, a line each.
 */
#include <stdlib.h>

#include "rbac/attributes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_make((const char *)data, size);
	struct slice method, path = SLICE_EMPTY;
	struct attributes a;
	bool done = false;
	size_t room;
	char *scratch;

	(void)slice_split(&rest, '\n', &done, &method);
	(void)slice_split(&rest, '\n', &done, &path);
	room = ATTRIBUTES_SCRATCH(method.n, rest.n);
	scratch = malloc(room);
	if (attributes_parse(method, path, rest, scratch, room, &a) ==
	    STATUS_OK) {
		if (!slice_eq(a.path, path) ||
		    a.is_resource != (a.part_count != 0))
			abort();
		if (!a.is_resource && (a.resource.n != 0 || a.ns.n != 0))
			abort();
		if (a.is_resource && !slice_eq(a.resource, a.parts[0]))
			abort();
		if (slice_index(a.name, '/') != a.name.n)
			abort(); /* a name is one segment */
	}
	free(scratch);
	return 0;
}
