/*
 * test_ranges.c - sets of prefixes: deny beats allow, nobody is the default.
 */
#include "acl/ranges.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/support/guard.h"
#include "tests/support/rows.h"

static struct address
address(const char *text)
{
	struct address a;

	assert_ok(address_parse(slice_of(text), &a));
	return a;
}

static struct ranges *
ranges_from(const char *allow, const char *deny)
{
	struct ranges *r = ranges_new();

	assert_non_null(r);
	assert_ok(
	    ranges_add_text(r, slice_of(allow), "allow", false, NULL, NULL));
	assert_ok(ranges_add_text(r, slice_of(deny), "deny", true, NULL, NULL));
	assert_ok(ranges_seal(r));
	return r;
}

static struct row {
	const char *name;
	const char *allow, *deny;
	const char *asked;
	bool admitted;
	const char *prefix; /* NULL: none decided */
} rows_table[] = {
    /* clang-format off */
	/* spec: T-89 */
	{ "an empty set admits nobody", "", "", "10.0.0.1", false, NULL },
	{ "an empty set admits nobody over IPv6", "", "", "::1", false, NULL },
	{ "the longest allowed prefix is named", "10.0.0.0/8,10.1.0.0/16", "",
	    "10.1.2.3", true, "10.1.0.0/16" },
	{ "a shorter one where the longer does not match",
	    "10.0.0.0/8,10.1.0.0/16", "", "10.2.0.1", true, "10.0.0.0/8" },
	{ "deny within allow", "10.0.0.0/8", "10.66.0.0/16",
	    "10.66.0.1", false, "10.66.0.0/16" },
	{ "deny around allow: deny beats a longer allow",
	    "10.66.1.0/24", "10.66.0.0/16", "10.66.1.1", false,
	    "10.66.0.0/16" },
	{ "deny beats the same prefix", "10.0.0.0/8", "10.0.0.0/8",
	    "10.0.0.1", false, "10.0.0.0/8" },
	{ "the longest denied prefix is named", "0.0.0.0/0",
	    "10.0.0.0/8,10.1.0.0/16", "10.1.0.1", false, "10.1.0.0/16" },
	{ "deny beside does not matter", "10.0.0.0/8", "10.66.0.0/16",
	    "10.67.0.1", true, "10.0.0.0/8" },
	{ "before the first prefix", "10.0.0.0/8", "", "9.255.255.255",
	    false, NULL },
	{ "behind the last prefix", "10.0.0.0/8", "", "11.0.0.0",
	    false, NULL },
	{ "first address", "10.0.0.0/8", "", "10.0.0.0", true, "10.0.0.0/8" },
	{ "last address", "10.0.0.0/8", "", "10.255.255.255", true,
	    "10.0.0.0/8" },
	{ "behind a nested one that does not match",
	    "10.0.0.0/8,10.1.0.0/16,10.1.1.0/24", "", "10.1.2.0", true,
	    "10.1.0.0/16" },
	/* spec: T-91 */
	{ "length 0", "0.0.0.0/0", "", "255.255.255.255", true, "0.0.0.0/0" },
	{ "length 32", "10.0.0.1", "", "10.0.0.1", true, "10.0.0.1/32" },
	{ "length 32, one off", "10.0.0.1", "", "10.0.0.2", false, NULL },
	{ "length 128", "2001:db8::1", "", "2001:db8::1", true,
	    "2001:db8::1/128" },
	{ "length 128, one off", "2001:db8::1", "", "2001:db8::", false,
	    NULL },
	{ "length 65 crosses the halves", "2001:db8:0:0:8000::/65", "",
	    "2001:db8::8000:0:0:1", true, "2001:db8:0:0:8000::/65" },
	{ "length 65, other half", "2001:db8:0:0:8000::/65", "",
	    "2001:db8::1", false, NULL },
	/* spec: T-92 */
	{ "a mapped address is IPv4", "10.0.0.0/8", "", "::ffff:10.0.0.1",
	    true, "10.0.0.0/8" },
	{ "a mapped literal is IPv4", "::ffff:10.0.0.0/104", "", "10.0.0.1",
	    true, "10.0.0.0/8" },
	{ "::/0 does not admit IPv4", "::/0", "", "10.0.0.1", false, NULL },
	{ "0.0.0.0/0 does not admit IPv6", "0.0.0.0/0", "", "::1", false,
	    NULL },
	{ "a compatible address is IPv6", "10.0.0.0/8", "", "::10.0.0.1",
	    false, NULL },
	{ "deny of the other family does not matter", "10.0.0.0/8", "::/0",
	    "10.0.0.1", true, "10.0.0.0/8" },
    /* clang-format on */
};

static void
check_row(void **state)
{
	const struct row *row = *state;
	struct ranges *r = ranges_from(row->allow, row->deny);
	struct address a = address(row->asked);
	struct ranges_hit hit = ranges_lookup(r, &a);
	char text[CIDR_TEXT];

	assert_int_equal(hit.admitted, row->admitted);
	assert_int_equal(hit.matched, row->prefix != NULL);
	if (row->prefix != NULL) {
		cidr_format(&hit.prefix, text);
		assert_string_equal(text, row->prefix);
	}
	ranges_unref(r);
}

static void
test_text_file_of_an_aks_list(void **state)
{
	static const char text[] = "# offices\r\n"
				   "10.0.0.0/8, 192.0.2.1 ,,\r\n"
				   "\t\n"
				   "\t 2001:db8::/32 \t# lab\n"
				   "10.0.0.0/8";
	struct ranges *r = ranges_new();
	struct guard g = {0};
	size_t added = 99;

	(void)state;
	assert_ok(ranges_add_text(r, guard_copy(&g, slice_of(text)), "f", false,
	    &added, NULL));
	guard_release(&g);
	assert_int_equal(added, 4);
	assert_ok(ranges_seal(r));
	assert_int_equal(ranges_count(r), 3);
	ranges_unref(r);
}

static void
test_every_bad_entry_has_its_line(void **state)
{
	struct ranges *r = ranges_new();
	struct errinfo err = {0};
	size_t added = 99;

	(void)state;
	assert_status(ranges_add_text(r,
			  SLICE("10.0.0.0/8\n10.0.0.1/8,10.0.0.2 10.0.0.3\n"
				"# 10.0.0.1/8\n10.0.0.0/33\n"),
			  "ranges.txt", false, &added, &err),
	    STATUS_MALFORMED);
	assert_int_equal(added, 1);
	assert_slice(buf_slice(&err.text),
	    "ranges.txt:2: \"10.0.0.1/8\": the bits behind the prefix must be "
	    "zero\n"
	    "ranges.txt:2: \"10.0.0.2 10.0.0.3\": an address is four decimal "
	    "numbers without leading zeros, or IPv6 text without brackets or "
	    "zone\n"
	    "ranges.txt:4: \"10.0.0.0/33\": the length is a number from 0 to "
	    "32\n");
	errinfo_release(&err);
	ranges_unref(r);
}

static void
test_files(void **state)
{
	char path[] = "/tmp/test_ranges.XXXXXX";
	struct ranges *r = ranges_new();
	struct errinfo err = {0};
	size_t added = 99;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "10.0.0.0/8\n", 11), 11);
	assert_ok(ranges_add_file(r, path, true, &added, &err));
	assert_int_equal(added, 1);
	(void)close(fd);
	(void)unlink(path);
	assert_status(ranges_add_file(r, path, true, &added, &err), STATUS_IO);
	assert_int_equal(added, 0);
	errinfo_release(&err);
	ranges_unref(r);
}

static void
test_everybody_but_the_denied(void **state)
{
	struct ranges *r = ranges_from("", "10.66.0.0/16");
	struct address in = address("2001:db8::1"), out = address("10.66.0.1");
	struct address none = {.family = FAMILY_NONE};

	(void)state;
	ranges_add_everybody(r);
	assert_true(ranges_lookup(r, &in).admitted);
	assert_false(ranges_lookup(r, &in).matched);
	assert_false(ranges_lookup(r, &out).admitted);
	assert_false(ranges_lookup(r, &none).admitted);
	ranges_unref(r);
	assert_false(ranges_lookup(NULL, &in).admitted);
}

static void
test_adding_after_the_seal(void **state)
{
	struct ranges *r = ranges_from("10.0.0.0/8", "");
	struct address a = address("192.0.2.1");
	struct cidr c;

	(void)state;
	assert_ok(cidr_parse(SLICE("192.0.2.0/24"), &c, NULL));
	assert_status(ranges_add(r, &c, false), STATUS_EXISTS);
	assert_ok(ranges_seal(r));
	assert_false(ranges_lookup(ranges_ref(r), &a).admitted);
	assert_int_equal(ranges_count(r), 1);
	ranges_unref(r);
	ranges_unref(r);
}

int
main(void)
{
	struct rows rows = {0};

	ROWS_ADD_TABLE(&rows, rows_table, check_row);
	rows_add(&rows, "a pasted list", test_text_file_of_an_aks_list, NULL);
	rows_add(&rows, "every bad entry has its line",
	    test_every_bad_entry_has_its_line, NULL);
	rows_add(&rows, "files", test_files, NULL);
	rows_add(&rows, "everybody but the denied",
	    test_everybody_but_the_denied, NULL);
	rows_add(&rows, "adding after the seal", test_adding_after_the_seal,
	    NULL);
	return rows_run(&rows, "ranges");
}
