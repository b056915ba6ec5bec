/*
 * test_mirror_copy.c - namespaces, and copies of what a mirror holds.
 */
#include "rbac/mirror.h"

#include "tests/support/mirrors.h"
#include "tests/support/rows.h"

/* --- namespaces --- */

static enum ns_answer
selects(const struct mirror *m, const char *ns)
{
	const struct slice value = SLICE("yes");
	const struct requirement guard = {.key = SLICE("guard"),
	    .op = SLICE("In"),
	    .values = {&value, 1}};
	const struct selector s = {&guard, 1};
	struct namespaces *n = NULL;
	enum ns_answer a;

	assert_ok(mirror_namespaces(m, &n));
	a = namespaces_select(n, &s, slice_of(ns));
	namespaces_unref(n);
	return a;
}

static void
test_labels_of_namespaces(void **state)
{
	struct mirror *m = mirror_new();
	struct mirror_event got;

	(void)state;
	assert_true(mirror_read_list(m, MIRROR_NAMESPACES,
	    LIST("PartialObjectMetadata", "",
		"{\"metadata\":{\"name\":\"dev\",\"labels\":{\"guard\":"
		"\"yes\"}}},{\"metadata\":{\"name\":\"prod\"}}")));
	assert_int_equal(selects(m, "dev"), NS_SELECTED);
	assert_int_equal(selects(m, "prod"), NS_NOT_SELECTED);
	assert_int_equal(selects(m, "new"), NS_UNKNOWN);
	assert_ok(mirror_read_line(m, MIRROR_NAMESPACES,
	    EVENT("MODIFIED",
		"{\"metadata\":{\"name\":\"dev\",\"labels\":{},"
		"\"resourceVersion\":\"2\"}}"),
	    &got));
	assert_true(got.changed);
	assert_int_equal(selects(m, "dev"), NS_NOT_SELECTED);
	/* Of a wrong shape: unknown, which every selector may touch. */
	assert_ok(mirror_read_line(m, MIRROR_NAMESPACES,
	    EVENT("MODIFIED",
		"{\"metadata\":{\"name\":\"dev\",\"labels\":{\"a\":1},"
		"\"resourceVersion\":\"3\"}}"),
	    &got));
	assert_true(got.changed);
	assert_int_equal(selects(m, "dev"), NS_UNKNOWN);
	mirror_free(m);
}

/* --- copies --- */

static void
put_copy(struct mirror *m, struct buf *out)
{
	struct mirror_copy about = {1700000000, true};

	buf_init(out, 1 << 20);
	mirror_put_copy(m, &about, "https://a", out);
	assert_false(out->overflow);
	mirror_sign_copy(out);
}

static void
test_a_copy_reads_as_what_was_written(void **state)
{
	struct mirror *m = mirror_of_some(), *again = mirror_new();
	struct mirror_copy about;
	struct errinfo err = {0};
	struct buf first, second;

	(void)state;
	assert_true(mirror_read_list(m, MIRROR_NAMESPACES,
	    LIST("Namespace", "",
		"{\"metadata\":{\"name\":\"dev\",\"labels\":{\"guard\":"
		"\"yes\"}}}")));
	put_copy(m, &first);
	assert_ok(mirror_take_copy(again, buf_slice(&first), "copy",
	    "https://a", &about, &err));
	assert_int_equal(about.heard_s, 1700000000);
	assert_true(about.has_namespaces);
	assert_true(mirror_allows(again, "jane"));
	assert_false(mirror_allows(again, "joe"));
	assert_int_equal(selects(again, "dev"), NS_SELECTED);
	put_copy(again, &second);
	assert_int_equal(first.len, second.len);
	/* What is listed now and is the same changes nothing. */
	assert_false(mirror_read_list(again, MIRROR_CLUSTER_ROLES, ROLES));
	buf_release(&first);
	buf_release(&second);
	mirror_free(m);
	mirror_free(again);
}

static void
test_no_copy_is_good_when_cut(void **state)
{
	struct mirror *m = mirror_of_some();
	struct buf text;

	(void)state;
	put_copy(m, &text);
	for (size_t n = 0; n + 1 < text.len; n++) {
		struct mirror *again = mirror_new();
		struct mirror_copy about;
		struct errinfo err = {0};

		assert_status(mirror_take_copy(again,
				  slice_first(buf_slice(&text), n), "copy",
				  NULL, &about, &err),
		    STATUS_MALFORMED);
		assert_true(err.errors == 1);
		errinfo_release(&err);
		mirror_free(again);
	}
	buf_release(&text);
	mirror_free(m);
}

static enum status
read_copy(struct slice text, const char *server)
{
	struct mirror *again = mirror_new();
	struct mirror_copy about;
	struct errinfo err = {0};
	enum status st =
	    mirror_take_copy(again, text, "copy", server, &about, &err);

	errinfo_release(&err);
	mirror_free(again);
	return st;
}

static void
test_no_copy_is_good_with_a_bit_changed(void **state)
{
	struct mirror *m = mirror_of_some();
	struct buf text;

	(void)state;
	put_copy(m, &text);
	for (size_t bit = 0; bit < 8 * text.len; bit++) {
		text.data[bit / 8] ^= (char)(1 << bit % 8);
		assert_status(read_copy(buf_slice(&text), "https://a"),
		    STATUS_MALFORMED);
		text.data[bit / 8] ^= (char)(1 << bit % 8);
	}
	assert_ok(read_copy(buf_slice(&text), "https://a"));
	buf_release(&text);
	mirror_free(m);
}

static void
test_no_copy_of_another_server_is_good(void **state)
{
	struct mirror *m = mirror_of_some();
	struct buf text;

	(void)state;
	put_copy(m, &text);
	assert_status(read_copy(buf_slice(&text), "https://b"),
	    STATUS_MALFORMED);
	assert_ok(read_copy(buf_slice(&text), NULL));
	buf_release(&text);
	mirror_free(m);
}

int
main(void)
{
	struct rows r = {0};

	rows_add(&r, "labels of namespaces", test_labels_of_namespaces, NULL);
	rows_add(&r, "a copy reads as what was written",
	    test_a_copy_reads_as_what_was_written, NULL);
	rows_add(&r, "no copy is good when cut", test_no_copy_is_good_when_cut,
	    NULL);
	rows_add(&r, "no copy is good with a bit changed",
	    test_no_copy_is_good_with_a_bit_changed, NULL);
	rows_add(&r, "no copy of another server is good",
	    test_no_copy_of_another_server_is_good, NULL);
	return rows_run(&r, "mirror copy");
}
