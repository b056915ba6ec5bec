/*
 * test_mirror.c - lists and events of an API server's roles.
 */
#include "rbac/mirror.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/failing.h"
#include "tests/support/guard.h"
#include "tests/support/mirrors.h"
#include "tests/support/rows.h"

/* --- lists --- */

static void
test_pages_replace_in_one_step(void **state)
{
	struct mirror *m = mirror_of_some();
	struct errinfo err = {0};
	struct mirror_page p;
	bool changed = false;

	(void)state;
	mirror_list_begin(m, MIRROR_ROLE_BINDINGS);
	assert_ok(mirror_read_page(m, MIRROR_ROLE_BINDINGS,
	    LIST("RoleBinding", ",\"continue\":\"a b/+\"",
		BINDING("c", "2", "joe")),
	    &p));
	assert_string_equal(p.next, "a b/+");
	assert_string_equal(p.version, "9");
	free(p.next);
	assert_true(mirror_allows(m, "jane"));
	assert_false(mirror_allows(m, "joe"));
	assert_ok(mirror_read_page(m, MIRROR_ROLE_BINDINGS,
	    LIST("RoleBinding", ",\"continue\":\"\"", BINDING("d", "2", "jim")),
	    &p));
	assert_null(p.next);
	assert_true(mirror_allows(m, "jane"));
	assert_ok(mirror_list_end(m, MIRROR_ROLE_BINDINGS, &changed, &err));
	assert_true(changed);
	assert_false(mirror_allows(m, "jane"));
	assert_true(mirror_allows(m, "joe") && mirror_allows(m, "jim"));
	assert_int_equal(mirror_count(m, MIRROR_ROLE_BINDINGS), 2);
	mirror_free(m);
}

static void
test_a_list_cut_leaves_nothing(void **state)
{
	struct mirror *m = mirror_of_some();
	struct mirror_page p;

	(void)state;
	mirror_list_begin(m, MIRROR_ROLE_BINDINGS);
	assert_ok(mirror_read_page(m, MIRROR_ROLE_BINDINGS,
	    LIST("RoleBinding", ",\"continue\":\"x\"",
		BINDING("c", "2", "joe")),
	    &p));
	free(p.next);
	assert_false(mirror_read_list(m, MIRROR_ROLE_BINDINGS,
	    LIST("RoleBinding", "", BINDING("b", "1", "jane"))));
	assert_false(mirror_allows(m, "joe"));
	mirror_free(m);
}

static void
test_lists_that_change_nothing(void **state)
{
	struct mirror *m = mirror_of_some();

	(void)state;
	/* Another version, another order of fields, fields nobody knows. */
	assert_false(mirror_read_list(m, MIRROR_ROLE_BINDINGS,
	    LIST("RoleBinding", "",
		"{\"subjects\":[{\"name\":\"jane\",\"kind\":\"User\"}],"
		"\"roleRef\":{\"name\":\"reader\",\"kind\":\"ClusterRole\"},"
		"\"status\":{\"x\":[1,2.5,null,true]}," META("b", "77") "}")));
	assert_true(mirror_read_list(m, MIRROR_ROLE_BINDINGS,
	    LIST("RoleBinding", "", BINDING("b", "1", "joe"))));
	assert_true(mirror_read_list(m, MIRROR_ROLE_BINDINGS,
	    LIST("RoleBinding", "", "")));
	assert_false(mirror_read_list(m, MIRROR_ROLE_BINDINGS,
	    LIST("RoleBinding", "", "")));
	assert_false(mirror_allows(m, "joe"));
	mirror_free(m);
}

static struct bad_page {
	const char *name, *text;
} bad_pages[] = {
    /* clang-format off */
	{ "nothing", "" },
	{ "no object", "[]" },
	{ "an empty object", "{}" },
	{ "a Status", "{\"kind\":\"Status\",\"metadata\":"
	    "{\"resourceVersion\":\"1\"}}" },
	{ "a list of another kind", LIST("ClusterRoleBinding", "", "") },
	{ "one object", "{\"kind\":\"RoleBinding\",\"metadata\":"
	    "{\"resourceVersion\":\"1\"},\"items\":[]}" },
	{ "metadata of namespaces", LIST("PartialObjectMetadata", "", "") },
	{ "no version", "{\"kind\":\"RoleBindingList\",\"metadata\":{},"
	    "\"items\":[]}" },
	{ "a number as version", "{\"kind\":\"RoleBindingList\",\"metadata\":"
	    "{\"resourceVersion\":1},\"items\":[]}" },
	{ "items that are no list", "{\"kind\":\"RoleBindingList\","
	    "\"metadata\":{\"resourceVersion\":\"1\"},\"items\":{}}" },
	{ "octets behind it", LIST("RoleBinding", "", "") "x" },
    /* clang-format on */
};

static void
check_bad_page(void **state)
{
	const struct bad_page *row = *state;
	struct mirror *m = mirror_of_some();
	struct mirror_page p;

	mirror_list_begin(m, MIRROR_ROLE_BINDINGS);
	assert_status(mirror_read_page(m, MIRROR_ROLE_BINDINGS, row->text, &p),
	    STATUS_MALFORMED);
	assert_true(mirror_allows(m, "jane"));
	mirror_free(m);
}

static void
test_no_page_is_good_when_cut(void **state)
{
	const char *whole = LIST("RoleBinding", "", BINDING("b", "1", "jane"));
	struct mirror *m = mirror_of_some();

	(void)state;
	for (size_t n = 0; n < strlen(whole); n++) {
		char *cut = strndup(whole, n);
		struct mirror_page p;

		assert_non_null(cut);
		assert_status(
		    mirror_read_page(m, MIRROR_ROLE_BINDINGS, cut, &p),
		    STATUS_MALFORMED);
		free(cut);
	}
	mirror_free(m);
}

static void
test_null_items_are_none(void **state)
{
	struct mirror *m = mirror_of_some();

	(void)state;
	assert_true(mirror_read_list(m, MIRROR_ROLE_BINDINGS,
	    "{\"kind\":\"RoleBindingList\",\"metadata\":"
	    "{\"resourceVersion\":\"1\"},\"items\":null}"));
	assert_false(mirror_allows(m, "jane"));
	mirror_free(m);
}

/* spec: T-01: an API server with no end of objects takes no end of memory */
static void
test_a_list_that_is_too_large(void **state)
{
	struct mirror *m = mirror_of_some();
	struct mirror_event got;
	struct mirror_page p;
	size_t one = mirror_octets(m, MIRROR_ROLE_BINDINGS);

	(void)state;
	assert_true(one > 0);
	mirror_set_limit(m, 2 * one);
	mirror_list_begin(m, MIRROR_ROLE_BINDINGS);
	for (int i = 0; i < 2; i++) { /* the same object twice is one */
		assert_ok(mirror_read_page(m, MIRROR_ROLE_BINDINGS,
		    LIST("RoleBinding", "", BINDING("b", "1", "jane")), &p));
	}
	assert_status(
	    mirror_read_page(m, MIRROR_ROLE_BINDINGS,
		LIST("RoleBinding", "",
		    BINDING("c", "1", "jane") "," BINDING("d", "1", "jane")),
		&p),
	    STATUS_LIMIT);
	assert_false(mirror_read_list(m, MIRROR_ROLE_BINDINGS,
	    LIST("RoleBinding", "", BINDING("b", "1", "jane"))));
	for (int i = 0; i < 3; i++) {
		assert_ok(mirror_read_line(m, MIRROR_ROLE_BINDINGS,
		    EVENT("ADDED", BINDING("c", "2", "joe")), &got));
		assert_ok(mirror_read_line(m, MIRROR_ROLE_BINDINGS,
		    EVENT("DELETED", BINDING("c", "2", "joe")), &got));
	}
	assert_int_equal(mirror_octets(m, MIRROR_ROLE_BINDINGS), one);
	assert_ok(mirror_read_line(m, MIRROR_ROLE_BINDINGS,
	    EVENT("ADDED", BINDING("c", "2", "joe")), &got));
	assert_status(mirror_read_line(m, MIRROR_ROLE_BINDINGS,
			  EVENT("ADDED", BINDING("d", "2", "jim")), &got),
	    STATUS_LIMIT);
	mirror_free(m);
}

/*
 * Nothing checks the text of a rule or the name of a role for NUL, so who may
 * write a Role in one namespace may have it in every list.
 */
static void
test_nul_in_one_object_spoils_no_other(void **state)
{
	struct mirror *m = mirror_of_some();
	struct mirror_event got;

	(void)state;
	assert_true(mirror_read_list(m, MIRROR_ROLES,
	    LIST("Role", "",
		"{\"metadata\":{\"name\":\"r\\u0000r\",\"namespace\":\"dev\"},"
		"\"rules\":[{\"verbs\":[\"\\u0000\"]}]},"
		"{\"metadata\":{\"name\":\"r\",\"namespace\":\"dev\"}},"
		"{\"metadata\":{\"name\":\"r\",\"namespace\":\"d\\u0000v\"}"
		"}")));
	assert_int_equal(mirror_count(m, MIRROR_ROLES), 2);
	assert_ok(mirror_read_line(m, MIRROR_ROLE_BINDINGS,
	    EVENT("ADDED", BINDING("c", "2", "joe\\u0000x")), &got));
	assert_false(mirror_allows(m, "joe"));
	assert_ok(mirror_read_line(m, MIRROR_ROLE_BINDINGS,
	    EVENT("ADDED", BINDING("c", "3", "joe")), &got));
	assert_true(mirror_allows(m, "joe"));
	assert_ok(mirror_read_line(m, MIRROR_ROLES,
	    EVENT("DELETED",
		"{\"metadata\":{\"name\":\"r\\u0000r\",\"namespace\":\"dev\","
		"\"resourceVersion\":\"4\"}}"),
	    &got));
	assert_int_equal(mirror_count(m, MIRROR_ROLES), 1);
	mirror_free(m);
}

/* Field names in managedFields are what the writer of an object says. */
static void
test_managed_fields_are_not_read(void **state)
{
	static const char *const managed[] = {
	    "[]",
	    "[{\"fieldsV1\":{\"f:\\u0000\":{}}}]",
	    "[{\"fieldsV1\":{\"f:\xff\xfe\":{}}}]",
	    "[[[\"]\",\"\\\"]\"],{\"managedFields\":[1]}]] ",
	    "null",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(managed); i++) {
		struct mirror *m = mirror_of_some();
		struct mirror_event got;
		char text[1024];

		(void)snprintf(text, sizeof(text),
		    EVENT("ADDED",
			"{\"metadata\":{\"name\":\"c\",\"managedFields\" :\n"
			"%s,\"namespace\":\"dev\",\"resourceVersion\":\"2\"},"
			"\"roleRef\":{\"kind\":\"ClusterRole\","
			"\"name\":\"reader\"},\"subjects\":[{"
			"\"kind\":\"User\",\"name\":\"joe\"}]}"),
		    managed[i]);
		assert_ok(
		    mirror_read_line(m, MIRROR_ROLE_BINDINGS, text, &got));
		assert_true(mirror_allows(m, "joe"));
		for (size_t n = 0; n < strlen(text); n++) {
			char *cut = strndup(text, n);

			assert_status(mirror_read_line(m, MIRROR_ROLE_BINDINGS,
					  cut, &got),
			    STATUS_MALFORMED);
			free(cut);
		}
		mirror_free(m);
	}
}

/* A label may have that name. */
static void
test_a_label_called_managed_fields(void **state)
{
	struct mirror *m = mirror_new();

	(void)state;
	assert_true(mirror_read_list(m, MIRROR_NAMESPACES,
	    LIST("Namespace", "",
		"{\"metadata\":{\"name\":\"dev\",\"labels\":{\"guard\":"
		"\"yes\",\"managedFields\":\"x\"}}}")));
	assert_int_equal(mirror_count(m, MIRROR_NAMESPACES), 1);
	mirror_free(m);
}

/* --- events --- */

/* spec: K8S 410 Gone */
static struct event_row {
	const char *name, *line;
	enum mirror_said said;
	bool changed, jane, joe; /* afterwards */
	const char *version;
} events[] = {
    /* clang-format off */
	{ "a binding is added", EVENT("ADDED", BINDING("c", "12", "joe")),
	    MIRROR_OBJECT, true, true, true, "12" },
	{ "the same again", EVENT("ADDED", BINDING("b", "12", "jane")),
	    MIRROR_OBJECT, false, true, false, "12" },
	{ "a binding is modified", EVENT("MODIFIED", BINDING("b", "12", "joe")),
	    MIRROR_OBJECT, true, false, true, "12" },
	{ "one that was not there is modified",
	    EVENT("MODIFIED", BINDING("c", "12", "joe")),
	    MIRROR_OBJECT, true, true, true, "12" },
	{ "only its version", EVENT("MODIFIED", BINDING("b", "99", "jane")),
	    MIRROR_OBJECT, false, true, false, "99" },
	{ "a binding is deleted", EVENT("DELETED", BINDING("b", "13", "jane")),
	    MIRROR_OBJECT, true, false, false, "13" },
	{ "the name is what is deleted, whatever else it says",
	    EVENT("DELETED", BINDING("b", "13", "joe")),
	    MIRROR_OBJECT, true, false, false, "13" },
	{ "one that is not there is deleted",
	    EVENT("DELETED", BINDING("c", "13", "jane")),
	    MIRROR_OBJECT, false, true, false, "13" },
	{ "one of a wrong shape takes its former self with it",
	    EVENT("MODIFIED", "{" META("b", "14") ",\"subjects\":7}"),
	    MIRROR_OBJECT, true, false, false, "14" },
	{ "one without a name", EVENT("ADDED", "{\"metadata\":"
	    "{\"resourceVersion\":\"15\"}}"),
	    MIRROR_OBJECT, false, true, false, "15" },
	{ "a bookmark", EVENT("BOOKMARK", "{\"metadata\":"
	    "{\"resourceVersion\":\"16\"}}"),
	    MIRROR_BOOKMARK, false, true, false, "16" },
	{ "410", EVENT("ERROR", "{\"code\":410}"),
	    MIRROR_GONE, false, true, false, "" },
	{ "Expired", EVENT("ERROR", "{\"reason\":\"Expired\"}"),
	    MIRROR_GONE, false, true, false, "" },
	{ "Gone", EVENT("ERROR", "{\"reason\":\"Gone\",\"code\":500}"),
	    MIRROR_GONE, false, true, false, "" },
	{ "another error", EVENT("ERROR", "{\"code\":500,\"message\":\"x\"}"),
	    MIRROR_FAILED, false, true, false, "" },
	{ "an error without anything", EVENT("ERROR", "null"),
	    MIRROR_FAILED, false, true, false, "" },
    /* clang-format on */
};

static void
check_event(void **state)
{
	const struct event_row *row = *state;
	struct mirror *m = mirror_of_some();
	struct mirror_event got;

	assert_ok(mirror_read_line(m, MIRROR_ROLE_BINDINGS, row->line, &got));
	assert_int_equal(got.said, row->said);
	assert_int_equal(got.changed, row->changed);
	assert_string_equal(got.version, row->version);
	assert_int_equal(mirror_allows(m, "jane"), row->jane);
	assert_int_equal(mirror_allows(m, "joe"), row->joe);
	mirror_free(m);
}

static struct bad_event {
	const char *name, *line;
} bad_events[] = {
    /* clang-format off */
	{ "no JSON", "ADDED" },
	{ "no type", "{\"object\":" BINDING("b", "1", "joe") "}" },
	{ "another type", EVENT("added", BINDING("b", "1", "joe")) },
	{ "no object", "{\"type\":\"ADDED\"}" },
	{ "no version", EVENT("ADDED", "{\"metadata\":{\"name\":\"b\"}}") },
	{ "a bookmark without one", EVENT("BOOKMARK", "{}") },
	{ "two events in a line", EVENT("ERROR", "{}") EVENT("ERROR", "{}") },
    /* clang-format on */
};

static void
check_bad_event(void **state)
{
	const struct bad_event *row = *state;
	struct mirror *m = mirror_of_some();
	struct mirror_event got;

	assert_status(
	    mirror_read_line(m, MIRROR_ROLE_BINDINGS, row->line, &got),
	    STATUS_MALFORMED);
	assert_true(mirror_allows(m, "jane"));
	assert_false(mirror_allows(m, "joe"));
	mirror_free(m);
}

static void
test_no_event_is_good_when_cut(void **state)
{
	const char *whole = EVENT("MODIFIED", BINDING("b", "2", "joe"));
	struct mirror *m = mirror_of_some();

	(void)state;
	for (size_t n = 0; n < strlen(whole); n++) {
		char *cut = strndup(whole, n);
		struct mirror_event got;

		assert_non_null(cut);
		assert_status(
		    mirror_read_line(m, MIRROR_ROLE_BINDINGS, cut, &got),
		    STATUS_MALFORMED);
		free(cut);
	}
	assert_true(mirror_allows(m, "jane"));
	mirror_free(m);
}

static void
test_aggregated_roles_are_as_they_come(void **state)
{
	struct mirror *m = mirror_of_some();
	struct mirror_event got;

	(void)state;
	/* The controller fills the rules in: a selector adds nothing here. */
	assert_ok(mirror_read_line(m, MIRROR_CLUSTER_ROLES,
	    EVENT("MODIFIED",
		"{\"metadata\":{\"name\":\"reader\",\"resourceVersion\":\"5\"},"
		"\"aggregationRule\":{\"clusterRoleSelectors\":[{}]},"
		"\"rules\":[]}"),
	    &got));
	assert_ok(mirror_read_line(m, MIRROR_CLUSTER_ROLES,
	    EVENT("ADDED",
		"{\"metadata\":{\"name\":\"x\",\"resourceVersion\":\"6\"},"
		"\"rules\":[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],"
		"\"resources\":[\"*\"]}]}"),
	    &got));
	assert_false(mirror_allows(m, "jane"));
	mirror_free(m);
}

/* --- no memory --- */

/* A list that fails half way is not sealed; the next one heals it. */
static void
test_memory_runs_out_in_a_list(void **state)
{
	bool failed = true;

	(void)state;
	for (unsigned long n = 1; failed; n++) {
		struct mirror *m = mirror_of_some();
		struct errinfo err = {0};
		struct policy *p = NULL;
		struct mirror_page got;
		bool changed = false;
		enum status st;

		mirror_list_begin(m, MIRROR_ROLE_BINDINGS);
		failing_at(n);
		st = mirror_list_page(m, MIRROR_ROLE_BINDINGS,
		    slice_of(LIST("RoleBinding", "",
			BINDING("c", "2", "joe") "," BINDING("d", "2", "jim"))),
		    &got, &err);
		if (st == STATUS_OK)
			st = mirror_list_end(m, MIRROR_ROLE_BINDINGS, &changed,
			    &err);
		failed = failing_stop();
		errinfo_release(&err);
		if (st == STATUS_OK) {
			assert_false(mirror_allows(m, "jane"));
			assert_true(
			    mirror_allows(m, "joe") && mirror_allows(m, "jim"));
		} else {
			assert_status(st, STATUS_NOMEM);
			st = mirror_seal(m, &p);
			/* All of the former, or nothing. */
			policy_unref(p);
			if (st == STATUS_OK)
				assert_true(mirror_allows(m, "jane"));
			(void)mirror_read_list(m, MIRROR_ROLE_BINDINGS,
			    LIST("RoleBinding", "", BINDING("c", "2", "joe")));
			assert_true(mirror_allows(m, "joe"));
			assert_false(mirror_allows(m, "jane") ||
			    mirror_allows(m, "jim"));
		}
		mirror_free(m);
	}
}

static void
test_memory_runs_out_in_an_event(void **state)
{
	bool failed = true;

	(void)state;
	for (unsigned long n = 1; failed; n++) {
		struct mirror *m = mirror_of_some();
		struct errinfo err = {0};
		struct mirror_event got;
		enum status st;

		failing_at(n);
		st = mirror_watch_line(m, MIRROR_ROLE_BINDINGS,
		    SLICE(EVENT("MODIFIED", BINDING("b", "2", "joe"))), &got,
		    &err);
		failed = failing_stop();
		errinfo_release(&err);
		assert_true(st == STATUS_OK || st == STATUS_NOMEM);
		assert_int_equal(st == STATUS_NOMEM, failed);
		(void)mirror_read_list(m, MIRROR_ROLE_BINDINGS,
		    LIST("RoleBinding", "", BINDING("b", "2", "joe")));
		assert_true(mirror_allows(m, "joe"));
		assert_false(mirror_allows(m, "jane"));
		mirror_free(m);
	}
}

/* The map of bindings is full, so that the next one lets it grow. */
static void
test_memory_runs_out_in_a_new_object(void **state)
{
	bool failed = true;

	(void)state;
	for (unsigned long n = 1; failed; n++) {
		struct mirror *m = mirror_of_some();
		struct errinfo err = {0};
		struct mirror_event got;

		for (int c = 'c'; c < 'c' + 11; c++) {
			char text[512];

			(void)snprintf(text, sizeof(text),
			    EVENT("ADDED", BINDING("%c", "1", "%c")), c, c);
			assert_ok(mirror_read_line(m, MIRROR_ROLE_BINDINGS,
			    text, &got));
		}
		failing_at(n);
		(void)(mirror_watch_line(m, MIRROR_ROLE_BINDINGS,
			   SLICE(EVENT("ADDED", BINDING("z", "2", "joe"))),
			   &got, &err) == STATUS_OK);
		failed = failing_stop();
		errinfo_release(&err);
		/* It is gone before it was ever known. */
		(void)mirror_read_list(m, MIRROR_ROLE_BINDINGS,
		    LIST("RoleBinding", "", BINDING("b", "2", "jane")));
		assert_false(mirror_allows(m, "joe"));
		assert_true(mirror_allows(m, "jane"));
		mirror_free(m);
	}
}

int
main(void)
{
	struct rows r = {0};

	rows_add(&r, "pages replace a kind in one step",
	    test_pages_replace_in_one_step, NULL);
	rows_add(&r, "a list that was cut leaves nothing behind",
	    test_a_list_cut_leaves_nothing, NULL);
	rows_add(&r, "lists that change nothing say so",
	    test_lists_that_change_nothing, NULL);
	ROWS_ADD_TABLE(&r, bad_pages, check_bad_page);
	rows_add(&r, "no page is good when cut", test_no_page_is_good_when_cut,
	    NULL);
	rows_add(&r, "null stands for no items", test_null_items_are_none,
	    NULL);
	rows_add(&r, "a list that is too large", test_a_list_that_is_too_large,
	    NULL);
	rows_add(&r, "NUL in one object spoils no other",
	    test_nul_in_one_object_spoils_no_other, NULL);
	rows_add(&r, "managedFields are not read",
	    test_managed_fields_are_not_read, NULL);
	rows_add(&r, "a label called managedFields",
	    test_a_label_called_managed_fields, NULL);
	ROWS_ADD_TABLE(&r, events, check_event);
	ROWS_ADD_TABLE(&r, bad_events, check_bad_event);
	rows_add(&r, "no event is good when cut",
	    test_no_event_is_good_when_cut, NULL);
	rows_add(&r, "aggregated roles are taken as they come",
	    test_aggregated_roles_are_as_they_come, NULL);
	rows_add(&r, "memory runs out in a list",
	    test_memory_runs_out_in_a_list, NULL);
	rows_add(&r, "memory runs out in an event",
	    test_memory_runs_out_in_an_event, NULL);
	rows_add(&r, "memory runs out in an object that is new",
	    test_memory_runs_out_in_a_new_object, NULL);
	return rows_run(&r, "mirror");
}
