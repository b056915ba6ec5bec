/*
 * fuzz_h1_parse.c - heads: any split gives the same, and nothing that would
 * confuse the next reader comes through.
 */
#include "http/connect.h"
#include "http/h1_parse.h"

#include <assert.h>

static enum h1_result
scan(struct slice in, size_t first, size_t *start, size_t *end,
    struct h1_fault *fault)
{
	struct h1_scan s = {0};
	enum h1_result r =
	    h1_scan(&s, slice_first(in, first), true, start, end, fault);

	return r == H1_MORE ? h1_scan(&s, in, true, start, end, fault) : r;
}

/* A proxy's answer, whose last octet decides: a tunnel opens once. */
static void
check_connect(struct slice in)
{
	char text[128];
	struct buf why;
	enum connect_answer a;

	buf_init_fixed(&why, text, sizeof(text));
	a = connect_read(in, &why);
	assert((a == CONNECT_BAD) == (why.len != 0));
	if (a == CONNECT_OPEN)
		assert(connect_read(slice_first(in, in.n - 1), &why) ==
		    CONNECT_MORE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_make((const char *)data, size);
	struct h1_fault fault = {0}, other = {0};
	struct request_head r;
	size_t start = 0, end = 0, start2 = 0, end2 = 0;
	enum h1_result whole = scan(in, size, &start, &end, &fault);
	enum h1_result split = scan(in, size / 2, &start2, &end2, &other);

	check_connect(in);
	assert(whole == split && start == start2 && end == end2);
	if (whole != H1_DONE ||
	    h1_parse_request(slice_make(in.p + start, end - start), &r,
		&fault) != H1_DONE)
		return 0;
	assert(end <= size && r.headers.count <= HEADERS_MAX);
	assert(headers_count(&r.headers, SLICE("content-length")) +
		headers_count(&r.headers, SLICE("transfer-encoding")) <=
	    1);
	assert(r.minor == 0 || r.host.n != 0);
	for (size_t i = 0; i < r.headers.count; i++)
		assert(memchr(r.headers.list[i].value.p, '\n',
			   r.headers.list[i].value.n) == NULL);
	return 0;
}
