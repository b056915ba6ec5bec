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
	buf_init(out, 1 << 20);
	mirror_put_copy(m, 1700000000, true, out);
	assert_false(out->overflow);
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
	assert_ok(
	    mirror_take_copy(again, buf_slice(&first), "copy", &about, &err));
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
				  &about, &err),
		    STATUS_MALFORMED);
		assert_true(err.errors == 1);
		errinfo_release(&err);
		mirror_free(again);
	}
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
	return rows_run(&r, "mirror copy");
}
