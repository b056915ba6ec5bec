/*
 * fuzz_uri.c - targets: what passes the door decodes to a harmless path.
 */
#include "http/uri.h"

#include <assert.h>
#include <stdlib.h>

/* Segments "." and "..", and empty ones before the tail, must not be left. */
static void
check_segments(struct slice path, bool has_tail)
{
	struct slice piece;
	bool done = false;

	assert(path.n != 0 && path.p[0] == '/');
	path = slice_from(path, 1);
	while (slice_split(&path, '/', &done, &piece)) {
		assert(!slice_eq(piece, SLICE(".")));
		assert(!slice_eq(piece, SLICE("..")));
		assert(piece.n != 0 || done || has_tail);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_make((const char *)data, size);
	struct uri uri;
	char *path;
	size_t n, tail;

	(void)uri_is_authority(in);
	if (uri_parse(in, &uri) != STATUS_OK)
		return 0;
	tail = uri_proxy_tail(uri.path);
	assert(tail <= uri.path.n);
	path = malloc(uri.path.n + 1);
	assert(path != NULL);
	assert(uri_decode(uri.path, path, &n) == STATUS_OK);
	if (uri_door(uri.path, tail) == NULL) {
		assert(memchr(path, '\0', n) == NULL);
		assert(slice_is_utf8(slice_make(path, n)));
		check_segments(slice_make(path, n), tail != uri.path.n);
	}
	free(path);
	return 0;
}
