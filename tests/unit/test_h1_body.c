/*
 * test_h1_body.c - bodies by rows, and the same for every split.
 */
#include "http/h1_body.h"

#include "http/h1_write.h"
#include "tests/support/guard.h"
#include "tests/support/rows.h"

static void
begin(struct h1_body *b, struct slice framing)
{
	uint64_t length = 0;

	if (slice_starts(framing, SLICE("length="))) {
		assert_true(
		    slice_to_u64(slice_from(framing, 7), INT64_MAX, &length));
		h1_body_init(b, BODY_LENGTH, length);
	} else if (slice_eq(framing, SLICE("chunked"))) {
		h1_body_init(b, BODY_CHUNKED, 0);
	} else if (slice_eq(framing, SLICE("until-close"))) {
		h1_body_init(b, BODY_UNTIL_CLOSE, 0);
	} else {
		h1_body_init(b, BODY_NONE, 0);
	}
}

/* Feed all of in; *rest is what the body did not use. */
static enum h1_result
feed(struct h1_body *b, struct slice in, struct buf *out, struct slice *rest)
{
	struct h1_fault fault = {0};
	enum h1_result r;

	do {
		struct slice data;
		size_t used;

		r = h1_body_next(b, in, &used, &data, &fault);
		assert_true(used <= in.n);
		buf_put(out, data);
		in = slice_from(in, used);
	} while (r == H1_MORE && in.n != 0);
	*rest = in;
	return r;
}

/* spec: T-18, T-19, T-20 */
static void
check_body(void **state)
{
	const struct vector *v = *state;
	struct slice bytes = v->columns[2];
	char text[512];

	for (size_t cut = 0; cut <= bytes.n; cut++) {
		struct guard g = {0}, h = {0};
		struct slice rest;
		struct h1_body b;
		struct buf out;
		enum h1_result r;

		buf_init_fixed(&out, text, sizeof(text));
		begin(&b, v->columns[1]);
		r = feed(&b, guard_copy(&g, slice_first(bytes, cut)), &out,
		    &rest);
		if (r == H1_MORE)
			r = feed(&b, guard_copy(&h, slice_from(bytes, cut)),
			    &out, &rest);
		else if (r == H1_DONE)
			rest = slice_from(bytes, cut - rest.n);
		buf_putc(&out, '|');
		buf_put(&out, rest);
		if (r == H1_DONE)
			assert_slices(buf_slice(&out), v->columns[3]);
		else
			assert_slice(v->columns[3],
			    r == H1_BAD ? "bad" : "more");
		guard_release(&g);
		guard_release(&h);
	}
}

static enum h1_result
feed_text(const char *text, size_t repeat, const char *part, const char *end)
{
	static char bytes[64 * 1024];
	struct h1_body b;
	struct buf in, out;
	struct slice rest;

	buf_init_fixed(&in, bytes, sizeof(bytes));
	buf_init(&out, 65536);
	buf_puts(&in, text);
	for (size_t i = 0; i < repeat; i++)
		buf_puts(&in, part);
	buf_puts(&in, end);
	assert_false(in.overflow);
	h1_body_init(&b, BODY_CHUNKED, 0);
	enum h1_result r = feed(&b, buf_slice(&in), &out, &rest);

	buf_release(&out);
	return r;
}

/* spec: T-05, T-19, T-20: at each ceiling, and one above */
static void
test_limits(void **state)
{
	(void)state;
	/* one octet of the extension's allowance is the line's CR */
	assert_int_equal(
	    feed_text("1;", H1_EXTENSION_MAX - 1, "a", "\r\nx\r\n0\r\n\r\n"),
	    H1_DONE);
	assert_int_equal(
	    feed_text("1;", H1_EXTENSION_MAX, "a", "\r\nx\r\n0\r\n\r\n"),
	    H1_BAD);
	assert_int_equal(
	    feed_text("0\r\n", H1_TRAILERS_MAX, "X: y\r\n", "\r\n"), H1_DONE);
	assert_int_equal(
	    feed_text("0\r\n", H1_TRAILERS_MAX + 1, "X: y\r\n", "\r\n"),
	    H1_BAD);
	assert_int_equal(
	    feed_text("0\r\nX: ", H1_TRAILER_BYTES_MAX - 7, "a", "\r\n\r\n"),
	    H1_DONE);
	assert_int_equal(
	    feed_text("0\r\nX: ", H1_TRAILER_BYTES_MAX - 6, "a", "\r\n\r\n"),
	    H1_BAD);
}

/* What h1_write makes of a chunk, h1_body reads back. */
static void
test_round_trip(void **state)
{
	char wire[256], body[64];
	struct h1_body b;
	struct buf in, out;
	struct slice rest;

	(void)state;
	buf_init_fixed(&in, wire, sizeof(wire));
	buf_init_fixed(&out, body, sizeof(body));
	h1_write_chunk(&in, SLICE("hello"));
	h1_write_chunk(&in, SLICE(" 0123456789abcdef"));
	h1_write_last_chunk(&in);
	h1_body_init(&b, BODY_CHUNKED, 0);
	assert_int_equal(feed(&b, buf_slice(&in), &out, &rest), H1_DONE);
	assert_slice(buf_slice(&out), "hello 0123456789abcdef");
	assert_int_equal(rest.n, 0);
}

int
main(void)
{
	struct rows rows = {0};
	struct vectors bodies = {0};
	int failed;

	vectors_read(&bodies, "tests/vectors/http/bodies.txt");
	rows_add_vectors(&rows, &bodies, check_body);
	rows_add(&rows, "limits", test_limits, NULL);
	rows_add(&rows, "round trip", test_round_trip, NULL);
	failed = rows_run(&rows, "h1_body");
	vectors_release(&bodies);
	return failed;
}
