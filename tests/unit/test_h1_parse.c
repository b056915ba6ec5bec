/*
 * test_h1_parse.c - heads by rows, and the same for every split.
 */
#include "http/h1_parse.h"

#include <string.h>

#include "tests/support/guard.h"
#include "tests/support/rows.h"

static const char *const framings[] = {[BODY_NONE] = "none",
    [BODY_LENGTH] = "length",
    [BODY_CHUNKED] = "chunked",
    [BODY_UNTIL_CLOSE] = "until-close"};

static void
put_rest(struct buf *out, enum framing framing, uint64_t length,
    bool keep_alive, bool expects, enum upgrade upgrade)
{
	buf_putf(out, " %s", framings[framing]);
	if (framing == BODY_LENGTH)
		buf_putf(out, "=%llu", (unsigned long long)length);
	buf_puts(out, keep_alive ? " keep" : " close");
	if (expects)
		buf_puts(out, " expect");
	if (upgrade != UPGRADE_NONE)
		buf_putf(out, " upgrade=%s", upgrade_name(upgrade));
}

/*
 * Scan what has arrived, and parse once the head is whole.  A scan goes on
 * where it stood.
 */
static enum h1_result
feed_request(struct h1_scan *s, struct slice in, struct buf *out)
{
	struct request_head r;
	struct h1_fault fault = {0};
	size_t start, end;
	enum h1_result result = h1_scan(s, in, true, &start, &end, &fault);

	if (result == H1_DONE)
		result = h1_parse_request(slice_make(in.p + start, end - start),
		    &r, &fault);
	if (result == H1_BAD)
		buf_putf(out, "%d", fault.status);
	if (result != H1_DONE)
		return result;
	buf_putf(out, "%s ",
	    r.method != HTTP_UNKNOWN ? method_name(r.method) : "?");
	buf_put(out, r.target);
	buf_putf(out, " 1.%u ", r.minor);
	buf_put(out, r.host);
	put_rest(out, r.framing, r.length, r.keep_alive, r.expects_continue,
	    r.upgrade);
	return result;
}

static void
check_request(void **state)
{
	const struct vector *v = *state;
	struct slice head = v->columns[1];
	struct guard g = {0};
	char text[512];
	struct buf out;

	buf_init_fixed(&out, text, sizeof(text));
	for (size_t cut = 0; cut <= head.n; cut++) {
		struct h1_scan s = {0};
		struct slice part = guard_copy(&g, slice_first(head, cut));

		buf_reset(&out);
		if (feed_request(&s, part, &out) == H1_MORE)
			(void)feed_request(&s, guard_copy(&g, head), &out);
		assert_slices(buf_slice(&out), v->columns[2]);
	}
	guard_release(&g);
}

static void
check_response(void **state)
{
	const struct vector *v = *state;
	struct slice head = v->columns[2];
	struct h1_scan s = {0};
	struct h1_fault fault = {0};
	struct response_head r;
	struct guard g = {0};
	size_t start, end;
	char text[512];
	struct buf out;
	enum h1_result result;

	buf_init_fixed(&out, text, sizeof(text));
	head = guard_copy(&g, head);
	result = h1_scan(&s, head, false, &start, &end, &fault);
	if (result == H1_DONE)
		result =
		    h1_parse_response(slice_make(head.p + start, end - start),
			method_parse(v->columns[1]), &r, &fault);
	if (result == H1_DONE) {
		buf_putf(&out, "%u 1.%u", r.status, r.minor);
		put_rest(&out, r.framing, r.length, r.keep_alive, false,
		    r.upgrade);
	} else {
		buf_puts(&out, "502");
	}
	assert_slices(buf_slice(&out), v->columns[3]);
	guard_release(&g);
}

/* A head of `fields` fields, or with one field or target of `size` bytes. */
static int
refusal_of(size_t target, size_t field, size_t fields)
{
	static char text[300 * 1024];
	struct h1_scan s = {0};
	struct h1_fault fault = {0};
	size_t start, end;
	struct buf b;

	buf_init_fixed(&b, text, sizeof(text));
	buf_puts(&b, "GET /");
	for (size_t i = 1; i < target; i++)
		buf_putc(&b, 'a');
	buf_puts(&b, " HTTP/1.1\r\n");
	for (size_t i = 0; i < fields; i++)
		buf_puts(&b, "A: b\r\n");
	if (field != 0) {
		buf_puts(&b, "X: ");
		for (size_t i = 3; i < field; i++)
			buf_putc(&b, 'a');
		buf_puts(&b, "\r\n");
	}
	buf_puts(&b, "\r\n");
	assert_false(b.overflow);
	if (h1_scan(&s, buf_slice(&b), true, &start, &end, &fault) == H1_DONE)
		return 200;
	return fault.status;
}

/* spec: T-05, T-22: at each ceiling, and one above */
static void
test_limits(void **state)
{
	size_t frame = sizeof("GET  HTTP/1.1") - 1;

	(void)state;
	assert_int_equal(refusal_of(H1_REQUEST_LINE_MAX - frame, 0, 1), 200);
	assert_int_equal(refusal_of(H1_REQUEST_LINE_MAX - frame + 1, 0, 1),
	    414);
	assert_int_equal(refusal_of(1, H1_FIELD_MAX, 1), 200);
	assert_int_equal(refusal_of(1, H1_FIELD_MAX + 1, 1), 431);
	assert_int_equal(refusal_of(1, 0, HEADERS_MAX), 200);
	assert_int_equal(refusal_of(1, 0, HEADERS_MAX + 1), 431);
	assert_int_equal(
	    refusal_of(H1_REQUEST_LINE_MAX - frame, H1_FIELD_MAX, 10), 431);
}

int
main(void)
{
	struct rows rows = {0};
	struct vectors requests = {0};
	struct vectors responses = {0};
	int failed;

	vectors_read(&requests, "tests/vectors/http/requests.txt");
	vectors_read(&responses, "tests/vectors/http/responses.txt");
	rows_add_vectors(&rows, &requests, check_request);
	rows_add_vectors(&rows, &responses, check_response);
	rows_add(&rows, "limits", test_limits, NULL);
	failed = rows_run(&rows, "h1_parse");
	vectors_release(&requests);
	vectors_release(&responses);
	return failed;
}
