/*
 * test_namespaces.c - labels of namespaces, found and selected.
 */
#include "rbac/namespaces.h"

#include <stdio.h>

#include "rbac/labels.h"
#include "rbac/selector.h"
#include "tests/support/assert.h"
#include "tests/support/failing.h"

enum {
	MANY = 500
};

static struct ns_labels *
with_label(const char *name, const char *key, const char *value)
{
	struct label l = {slice_of(key), slice_of(value)};
	struct ns_labels *n = ns_labels_new(slice_of(name), &l, 1);

	assert_non_null(n);
	return n;
}

static struct selector
one(struct requirement *q, const char *op, const struct slice *values,
    size_t count)
{
	*q = (struct requirement){.key = SLICE("tier"),
	    .op = slice_of(op),
	    .values = {values, count}};
	return (struct selector){q, 1};
}

/* Each is found among many, whatever the order they came in; no other is. */
static void
test_many(void **state)
{
	struct ns_labels *list[MANY];
	const struct slice prod[] = {SLICE_INIT("prod")};
	struct requirement q;
	struct selector s = one(&q, "In", prod, 1);
	struct namespaces *n;
	char name[32];

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		unsigned k = i * 7 % MANY; /* each once, in no order */

		(void)snprintf(name, sizeof(name), "ns-%u", k);
		list[i] = with_label(name, "tier", k % 2 == 0 ? "prod" : "dev");
	}
	n = namespaces_new(list, MANY);
	assert_non_null(n);
	for (unsigned i = 0; i < MANY; i++)
		ns_labels_unref(list[i]); /* it has its own references */
	assert_int_equal(namespaces_count(n), MANY);
	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "ns-%u", i);
		assert_int_equal(namespaces_select(n, &s, slice_of(name)),
		    i % 2 == 0 ? NS_SELECTED : NS_NOT_SELECTED);
		(void)snprintf(name, sizeof(name), "ns-%u-", i);
		assert_int_equal(namespaces_select(n, &s, slice_of(name)),
		    NS_UNKNOWN);
	}
	assert_int_equal(namespaces_select(n, &s, SLICE_EMPTY), NS_UNKNOWN);
	assert_int_equal(namespaces_select(n, &s, SLICE("zz")), NS_UNKNOWN);
	namespaces_unref(namespaces_ref(n));
	assert_int_equal(namespaces_count(n), MANY);
	namespaces_unref(n);
}

static void
test_nothing_is_known(void **state)
{
	struct requirement q;
	struct selector s = one(&q, "Exists", NULL, 0);
	struct namespaces *n = namespaces_new(NULL, 0);

	(void)state;
	assert_non_null(n);
	assert_int_equal(namespaces_count(n), 0);
	assert_int_equal(namespaces_count(NULL), 0);
	assert_int_equal(namespaces_select(n, &s, SLICE("a")), NS_UNKNOWN);
	assert_int_equal(namespaces_select(NULL, &s, SLICE("a")), NS_UNKNOWN);
	namespaces_unref(n);
	namespaces_unref(NULL);
	ns_labels_unref(NULL);
}

/* k8s.io/apimachinery pkg/labels/selector.go, Requirement.Matches */
static void
test_operators(void **state)
{
	static const struct slice values[] = {SLICE_INIT("prod"),
	    SLICE_INIT("")};
	static const struct {
		const char *op;
		size_t values;
		bool prod, dev, empty, none; /* by the label's value */
	} rows[] = {
	    {"In", 2, true, false, true, false},
	    {"In", 1, true, false, false, false},
	    {"NotIn", 2, false, true, false, true},
	    {"NotIn", 1, false, true, true, true},
	    {"Exists", 0, true, true, true, false},
	    {"DoesNotExist", 0, false, false, false, true},
	};
	struct ns_labels *list[] = {
	    with_label("prod", "tier", "prod"),
	    with_label("dev", "tier", "dev"),
	    with_label("empty", "tier", ""),
	    with_label("none", "tiers", "prod"),
	};
	struct namespaces *n = namespaces_new(list, COUNT_OF(list));

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const bool want[] = {rows[i].prod, rows[i].dev, rows[i].empty,
		    rows[i].none};
		struct requirement q;
		struct selector s = one(&q, rows[i].op, values, rows[i].values);

		assert_true(selector_is_valid(&s));
		for (size_t k = 0; k < COUNT_OF(list); k++)
			assert_int_equal(
			    namespaces_select(n, &s, ns_labels_name(list[k])),
			    want[k] ? NS_SELECTED : NS_NOT_SELECTED);
	}
	for (size_t k = 0; k < COUNT_OF(list); k++)
		ns_labels_unref(list[k]);
	namespaces_unref(n);
}

/* All requirements must hold; without any, everything is selected. */
static void
test_requirements_add_up(void **state)
{
	struct requirement both[] = {
	    {.key = SLICE_INIT("tier"), .op = SLICE_INIT("Exists")},
	    {.key = SLICE_INIT("team"), .op = SLICE_INIT("DoesNotExist")},
	};
	struct selector s = {both, 2}, all = {NULL, 0};
	const struct label labels[] = {
	    {SLICE_INIT("tier"), SLICE_INIT("x")},
	    {SLICE_INIT("team"), SLICE_INIT("y")},
	};
	struct ns_labels *list[] = {
	    ns_labels_new(SLICE("a"), labels, 1),
	    ns_labels_new(SLICE("b"), labels, 2),
	    ns_labels_new(SLICE("c"), NULL, 0),
	};
	struct namespaces *n = namespaces_new(list, COUNT_OF(list));

	(void)state;
	assert_int_equal(namespaces_select(n, &s, SLICE("a")), NS_SELECTED);
	assert_int_equal(namespaces_select(n, &s, SLICE("b")), NS_NOT_SELECTED);
	assert_int_equal(namespaces_select(n, &s, SLICE("c")), NS_NOT_SELECTED);
	assert_int_equal(namespaces_select(n, &all, SLICE("c")), NS_SELECTED);
	for (size_t k = 0; k < COUNT_OF(list); k++)
		ns_labels_unref(list[k]);
	namespaces_unref(n);
}

static void
test_invalid_selectors(void **state)
{
	static const struct slice good[] = {SLICE_INIT("a")};
	static const struct slice bad[] = {SLICE_INIT("a"), SLICE_INIT("-")};
	const struct requirement rows[] = {
	    {SLICE_INIT("k"), SLICE_INIT("In"), {NULL, 0}},
	    {SLICE_INIT("k"), SLICE_INIT("NotIn"), {NULL, 0}},
	    {SLICE_INIT("k"), SLICE_INIT("Exists"), {good, 1}},
	    {SLICE_INIT("k"), SLICE_INIT("DoesNotExist"), {good, 1}},
	    {SLICE_INIT("k"), SLICE_INIT("in"), {good, 1}},
	    {SLICE_INIT("k"), SLICE_INIT(""), {NULL, 0}},
	    {SLICE_INIT("-k"), SLICE_INIT("In"), {good, 1}},
	    {SLICE_INIT("k"), SLICE_INIT("In"), {bad, 2}},
	};
	const struct requirement fine = {SLICE_INIT("k"), SLICE_INIT("In"),
	    {good, 1}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct requirement two[] = {fine, rows[i]};
		struct selector s = {two, 2};

		assert_false(selector_is_valid(&s));
		s.count = 1;
		assert_true(selector_is_valid(&s));
	}
}

/* k8s.io/apimachinery pkg/util/validation, IsQualifiedName and its parts */
static void
test_keys_and_values(void **state)
{
	static const struct {
		const char *text;
		bool key, value;
	} rows[] = {
	    {"a", true, true},
	    {"A-z_0.9", true, true},
	    {"", false, true},
	    {"-a", false, false},
	    {"a-", false, false},
	    {"a b", false, false},
	    {"a\xc3\xa9", false, false},
	    {"example.com/a", true, false},
	    {"x/a", true, false},
	    {"/a", false, false},
	    {"x/", false, false},
	    {"x/y/a", false, false},
	    {"X/a", false, false},
	    {"x_y/a", false, false},
	    {"-x/a", false, false},
	    {"x-/a", false, false},
	    {"x..y/a", false, false},
	    {".x/a", false, false},
	    {"x./a", false, false},
	    {"x.-y/a", false, false},
	    {"0.9/a", true, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct slice s = slice_of(rows[i].text);

		if (label_is_key(s) != rows[i].key ||
		    label_is_value(s) != rows[i].value)
			fail_msg("\"%s\"", rows[i].text);
	}
}

/* spec: T-05 - a name of 63 octets, a prefix of 253, and one more */
static void
test_long_keys(void **state)
{
	char text[400];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_true(label_is_value(slice_make(text, 63)));
	assert_false(label_is_value(slice_make(text, 64)));
	assert_true(label_is_key(slice_make(text, 63)));
	assert_false(label_is_key(slice_make(text, 64)));
	text[253] = '/';
	assert_true(label_is_key(slice_make(text, 253 + 1 + 63)));
	assert_false(label_is_key(slice_make(text, 253 + 1 + 64)));
	text[253] = 'a';
	text[254] = '/';
	assert_false(label_is_key(slice_make(text, 254 + 1 + 1)));
}

/* spec: T-125 */
static void
test_no_memory(void **state)
{
	struct ns_labels *a = with_label("a", "k", "v");

	(void)state;
	failing_at(1);
	assert_null(ns_labels_new(SLICE("b"), NULL, 0));
	assert_true(failing_stop());
	failing_at(1);
	assert_null(namespaces_new(&a, 1));
	assert_true(failing_stop());
	assert_slice(ns_labels_name(a), "a");
	ns_labels_unref(ns_labels_ref(a));
	ns_labels_unref(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_nothing_is_known),
	    cmocka_unit_test(test_operators),
	    cmocka_unit_test(test_requirements_add_up),
	    cmocka_unit_test(test_invalid_selectors),
	    cmocka_unit_test(test_keys_and_values),
	    cmocka_unit_test(test_long_keys),
	    cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
