/*
 * fuzz_h1_body.c - chunked bodies: any split gives the same octets.
 */
#include "http/h1_body.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"

static enum h1_result
feed(struct h1_body *b, struct slice in, struct buf *out)
{
	struct h1_fault fault = {0};
	enum h1_result r;

	do {
		struct slice data;
		size_t used;

		r = h1_body_next(b, in, &used, &data, &fault);
		assert(
		    used <= in.n && (used != 0 || in.n == 0 || r != H1_MORE));
		buf_put(out, data);
		in = slice_from(in, used);
	} while (r == H1_MORE && in.n != 0);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_make((const char *)data, size);
	struct h1_body b;
	struct buf whole, split;
	enum h1_result r = H1_MORE;

	buf_init(&whole, size + 1);
	buf_init(&split, size + 1);
	h1_body_init(&b, BODY_CHUNKED, 0);
	enum h1_result want = feed(&b, in, &whole);

	h1_body_init(&b, BODY_CHUNKED, 0);
	for (size_t i = 0; i < size && r == H1_MORE; i++)
		r = feed(&b, slice_make(in.p + i, 1), &split);
	assert(size == 0 || r == want);
	assert(slice_eq(buf_slice(&whole), buf_slice(&split)));
	buf_release(&whole);
	buf_release(&split);
	return 0;
}
