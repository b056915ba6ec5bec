/*
 * test_mirror_copies.c - copies of an API server's roles that are none, objects
 * that are left out, and memory that runs out on the way.
 */
#include <stdlib.h>

#include "rbac/mirror.h"
#include "tests/support/failing.h"
#include "tests/support/rows.h"

#define RBAC_V1 "\"apiVersion\":\"rbac.authorization.k8s.io/v1\","
#define READER                                                                 \
	"{" RBAC_V1 "\"kind\":\"ClusterRole\",\"metadata\":{\"name\":"         \
	"\"reader\"},\"rules\":[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],"    \
	"\"resources\":[\"pods\"]}]}"
#define LOCAL                                                                  \
	"{" RBAC_V1 "\"kind\":\"Role\",\"metadata\":{\"name\":\"local\","      \
	"\"namespace\":\"dev\"},\"rules\":[{\"verbs\":[\"get\"],"              \
	"\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}]}"
#define BINDING(kind, ns, role_kind, role, user)                               \
	"{" RBAC_V1 "\"kind\":\"" kind "\",\"metadata\":{\"name\":\"" user     \
	"\"" ns "},\"roleRef\":{\"kind\":\"" role_kind "\",\"name\":\"" role   \
	"\"},\"subjects\":[{\"kind\":\"User\",\"name\":\"" user "\"}]}"
#define JANE                                                                   \
	BINDING("RoleBinding", ",\"namespace\":\"dev\"", "Role", "local",      \
	    "jane")
#define ANN BINDING("ClusterRoleBinding", "", "ClusterRole", "reader", "ann")
#define DEV                                                                    \
	"{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{"         \
	"\"name\":\"dev\",\"labels\":{\"guard\":\"yes\"}}}"
/* Where mirror_sign_copy writes. */
#define BEGIN                                                                  \
	"{\"apiVersion\":\"v1\",\"kind\":\"List\",\"metadata\":{"              \
	"\"annotations\":{\"kube-access-gateway/sha256\":\""                   \
	"0000000000000000000000000000000000000000000000000000000000000000\""
#define COPY(time, items)                                                      \
	BEGIN ",\"kube-access-gateway/synced\":\"" time                        \
	      "\",\"kube-access-gateway/"                                      \
	      "namespaces\":\"true\"}},\"items\":[" items "]}"
#define NOW "2023-11-14T22:13:20Z"
#define ALL READER "," LOCAL "," JANE "," ANN "," DEV
#define LIST(kind, items)                                                      \
	"{\"kind\":\"" kind "List\",\"metadata\":{\"resourceVersion\":\"9\"}," \
	"\"items\":[" items "]}"

static bool
allows(struct mirror *m, const char *user)
{
	struct user u = {.name = slice_of(user)};
	struct attributes a = {.is_resource = true,
	    .verb = SLICE("get"),
	    .resource = SLICE("pods"),
	    .ns = SLICE("dev")};
	struct policy *p = NULL;
	bool yes;

	assert_ok(mirror_seal(m, &p));
	yes = policy_evaluate(p, &u, &a).decision == ALLOW;
	policy_unref(p);
	return yes;
}

static bool
is_guarded(const struct mirror *m)
{
	const struct requirement guard = {.key = SLICE("guard"),
	    .op = SLICE("Exists")};
	const struct selector s = {&guard, 1};
	struct namespaces *n = NULL;
	bool yes;

	assert_ok(mirror_namespaces(m, &n));
	yes = namespaces_select(n, &s, SLICE("dev")) == NS_SELECTED;
	namespaces_unref(n);
	return yes;
}

/* As it would be read from disk; what is no copy at all cannot be signed. */
static struct buf
signed_copy(const char *text)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_puts(&b, text);
	assert_false(b.overflow);
	if (slice_starts(buf_slice(&b), SLICE(BEGIN)))
		mirror_sign_copy(&b);
	return b;
}

static struct mirror *
from_copy(const char *text)
{
	struct mirror *m = mirror_new();
	struct buf b = signed_copy(text);
	struct mirror_copy about;
	struct errinfo err = {0};

	assert_non_null(m);
	assert_ok(mirror_take_copy(m, buf_slice(&b), "copy.json", NULL, &about,
	    &err));
	buf_release(&b);
	assert_int_equal(about.heard_s, 1700000000);
	assert_true(about.has_namespaces);
	return m;
}

/* --- copies --------------------------------------------------------------- */

static struct bad_copy {
	const char *name, *text;
	const char *why; /* the report, behind the file's name */
} bad_copies[] = {
    /* clang-format off */
	{ "no JSON", "x", ": is no copy of a cluster's roles" },
	{ "no object", "[]", ": is no copy of a cluster's roles" },
	{ "any list of roles", "{\"apiVersion\":\"v1\",\"kind\":\"List\","
	    "\"items\":[" ALL "]}", ": is no copy of a cluster's roles" },
	{ "no items", BEGIN ",\"kube-access-gateway/synced\":\"" NOW
	    "\"}}}", ": is no copy of a cluster's roles" },
	{ "no time", COPY("yesterday", ALL),
	    ": is no copy of a cluster's roles" },
	{ "a time without its zone", COPY("2023-11-14T22:13:20", ALL),
	    ": is no copy of a cluster's roles" },
	{ "a time of another zone", COPY("2023-11-14T22:13:20+01:00", ALL),
	    ": is no copy of a cluster's roles" },
	{ "a long time", COPY("2023-11-14T22:13:20.000000000000000000000000Z",
	    ALL), ": is no copy of a cluster's roles" },
	{ "an object of another kind", COPY(NOW, READER ",{\"kind\":\"Pod\"}"),
	    ": items[1] is of another kind" },
	{ "an object of no kind", COPY(NOW, "7"),
	    ": items[0] is of another kind" },
	{ "an object without a name", COPY(NOW,
	    "{\"kind\":\"ClusterRole\",\"metadata\":{}}"),
	    ": \"\" is left out: it has no metadata.name" },
	{ "an object without its namespace", COPY(NOW,
	    "{\"kind\":\"Role\",\"metadata\":{\"name\":\"x\"}}"),
	    ": \"x\" is left out: it has no metadata.namespace" },
	{ "an object of a wrong shape", COPY(NOW, "{\"kind\":\"ClusterRole\","
	    "\"metadata\":{\"name\":\"x\"},\"rules\":7}"),
	    ": \"x\" is left out: " },
    /* clang-format on */
};

/* spec: T-01 - half a copy is none */
static void
check_bad_copy(void **state)
{
	const struct bad_copy *row = *state;
	struct mirror *m = mirror_new();
	struct buf text = signed_copy(row->text);
	struct mirror_copy about = {.heard_s = 7};
	struct errinfo err = {0};

	assert_status(mirror_take_copy(m, buf_slice(&text), "copy.json", NULL,
			  &about, &err),
	    STATUS_MALFORMED);
	buf_release(&text);
	assert_int_equal(about.heard_s, 7);
	assert_int_equal(err.errors, 1);
	if (!slice_contains(buf_slice(&err.text), slice_of(row->why)))
		fail_msg("%.*s", SLICE_ARG(buf_slice(&err.text)));
	errinfo_release(&err);
	mirror_free(m);
}

static void
test_times_of_copies(void **state)
{
	static const char *const texts[] = {COPY(NOW, ALL),
	    COPY("2023-11-14T22:13:20.123456Z", ALL)};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct mirror *m = from_copy(texts[i]);

		assert_true(allows(m, "jane") && allows(m, "ann"));
		assert_false(allows(m, "joe"));
		assert_true(is_guarded(m));
		mirror_free(m);
	}
}

/* Who knows no labels must not write that there are none. */
static void
test_a_copy_without_namespaces(void **state)
{
	struct mirror *m = from_copy(COPY(NOW, ALL)), *again = mirror_new();
	struct mirror_copy about = {.heard_s = 1700000001};
	struct errinfo err = {0};
	struct buf text;

	(void)state;
	buf_init(&text, 1 << 20);
	mirror_put_copy(m, &about, "https://a", &text);
	mirror_sign_copy(&text);
	assert_false(slice_contains(buf_slice(&text), SLICE("Namespace\"")));
	assert_ok(mirror_take_copy(again, buf_slice(&text), "copy.json",
	    "https://a", &about, &err));
	assert_int_equal(about.heard_s, 1700000001);
	assert_false(about.has_namespaces);
	assert_true(allows(again, "jane"));
	assert_int_equal(mirror_count(again, MIRROR_NAMESPACES), 0);
	buf_release(&text);
	mirror_free(again);
	mirror_free(m);
}

/* --- objects -------------------------------------------------------------- */

/* What grants jane and ann, one after the other; then the rest. */
static void
test_each_kind_goes(void **state)
{
	static const struct {
		enum mirror_kind kind;
		const char *object;
		bool jane, ann; /* afterwards */
	} rows[] = {
	    {MIRROR_ROLES, LOCAL, false, true},
	    {MIRROR_CLUSTER_ROLES, READER, true, false},
	    {MIRROR_ROLE_BINDINGS, JANE, false, true},
	    {MIRROR_CLUSTER_ROLE_BINDINGS, ANN, true, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct mirror *m = from_copy(COPY(NOW, ALL));
		struct mirror_event got;
		struct errinfo err = {0};
		struct buf line;

		buf_init(&line, 4096);
		buf_puts(&line, "{\"type\":\"DELETED\",\"object\":");
		/* A version is the only thing that copies do not have. */
		for (const char *p = rows[i].object; *p != '\0'; p++) {
			buf_putc(&line, *p);
			if (slice_ends(buf_slice(&line),
				SLICE("\"metadata\":{")))
				buf_puts(&line, "\"resourceVersion\":\"8\",");
		}
		buf_putc(&line, '}');
		assert_ok(mirror_watch_line(m, rows[i].kind, buf_slice(&line),
		    &got, &err));
		assert_true(got.changed);
		assert_int_equal(mirror_count(m, rows[i].kind), 0);
		assert_int_equal(allows(m, "jane"), rows[i].jane);
		assert_int_equal(allows(m, "ann"), rows[i].ann);
		buf_release(&line);
		mirror_free(m);
	}
}

/* A list's object that says too little is told of, and the others count. */
static struct left_out {
	const char *name;
	enum mirror_kind kind;
	const char *text, *why;
} left_outs[] = {
    /* clang-format off */
	{ "labels that are no mapping", MIRROR_NAMESPACES, LIST("Namespace",
	    "{\"metadata\":{\"name\":\"dev\",\"labels\":[1]}}"),
	    "namespaces: \"dev\" is left out: its labels are no mapping" },
	{ "a label that is no string", MIRROR_NAMESPACES, LIST("Namespace",
	    "{\"metadata\":{\"name\":\"dev\",\"labels\":{\"a\":null,"
	    "\"b\":\"c\"}}}"),
	    "namespaces: \"dev\" is left out: a label is no string" },
	{ "a namespace without a name", MIRROR_NAMESPACES, LIST("Namespace",
	    "{\"metadata\":{\"labels\":{}}}"),
	    "namespaces: \"\" is left out: it has no metadata.name" },
	{ "rules that are no list", MIRROR_CLUSTER_ROLES, LIST("ClusterRole",
	    "{\"metadata\":{\"name\":\"reader\"},\"rules\":{}}"),
	    "clusterroles: \"reader\" is left out: " },
    /* clang-format on */
};

static void
check_left_out(void **state)
{
	const struct left_out *row = *state;
	struct mirror *m = from_copy(COPY(NOW, ALL));
	struct errinfo err = {0};
	struct mirror_page page;
	bool changed = false;

	mirror_list_begin(m, row->kind);
	assert_ok(
	    mirror_list_page(m, row->kind, slice_of(row->text), &page, &err));
	assert_ok(mirror_list_end(m, row->kind, &changed, &err));
	assert_true(changed);
	assert_int_equal(err.errors, 1);
	if (!slice_contains(buf_slice(&err.text), slice_of(row->why)))
		fail_msg("%.*s", SLICE_ARG(buf_slice(&err.text)));
	assert_int_equal(mirror_count(m, row->kind), 0);
	assert_int_equal(allows(m, "ann"), row->kind == MIRROR_NAMESPACES);
	assert_int_equal(is_guarded(m), row->kind != MIRROR_NAMESPACES);
	errinfo_release(&err);
	mirror_free(m);
}

/* spec: T-05 - a role nested too deep grants nothing, and stops nothing */
static void
test_too_deep(void **state)
{
	struct mirror *m = from_copy(COPY(NOW, ALL));
	struct errinfo err = {0};
	struct mirror_page page;
	bool changed = false;
	struct buf text;

	(void)state;
	buf_init(&text, 1 << 16);
	buf_puts(&text,
	    "{\"kind\":\"ClusterRoleList\",\"metadata\":"
	    "{\"resourceVersion\":\"1\"},\"items\":[{\"metadata\":"
	    "{\"name\":\"reader\"},\"rules\":");
	for (unsigned i = 0; i < 500; i++)
		buf_putc(&text, '[');
	for (unsigned i = 0; i < 500; i++)
		buf_putc(&text, ']');
	buf_puts(&text, "}]}");
	mirror_list_begin(m, MIRROR_CLUSTER_ROLES);
	assert_ok(mirror_list_page(m, MIRROR_CLUSTER_ROLES, buf_slice(&text),
	    &page, &err));
	assert_ok(mirror_list_end(m, MIRROR_CLUSTER_ROLES, &changed, &err));
	assert_true(slice_contains(buf_slice(&err.text),
	    SLICE("\"reader\" is left out: it is nested too deeply")));
	assert_false(allows(m, "ann"));
	assert_true(allows(m, "jane"));
	errinfo_release(&err);
	buf_release(&text);
	mirror_free(m);
}

/* --- what comes from afar is bounded -------------------------------------- */

/* spec: T-05 - at the ceiling and one above */
static void
test_long_versions(void **state)
{
	struct mirror *m = mirror_new();
	struct errinfo err = {0};

	(void)state;
	for (size_t n = MIRROR_VERSION_MAX - 2; n <= MIRROR_VERSION_MAX; n++) {
		struct mirror_page page;
		struct buf text;

		buf_init(&text, 4096);
		buf_puts(&text,
		    "{\"kind\":\"RoleList\",\"metadata\":"
		    "{\"resourceVersion\":\"");
		for (size_t i = 0; i < n; i++)
			buf_putc(&text, '7');
		buf_puts(&text, "\"}}");
		assert_status(mirror_list_page(m, MIRROR_ROLES,
				  buf_slice(&text), &page, &err),
		    n < MIRROR_VERSION_MAX ? STATUS_OK : STATUS_MALFORMED);
		if (n < MIRROR_VERSION_MAX)
			assert_int_equal(strlen(page.version), n);
		buf_release(&text);
	}
	mirror_free(m);
}

static void
test_long_words_in_reports(void **state)
{
	struct mirror *m = mirror_new();
	struct errinfo err = {0};
	struct mirror_event got;
	struct mirror_page page;
	struct buf text;

	(void)state;
	buf_init(&text, 4096);
	buf_puts(&text,
	    "{\"type\":\"ERROR\",\"object\":{\"code\":500,\"message\":\"");
	for (unsigned i = 0; i < 500; i++)
		buf_putc(&text, 'm');
	buf_puts(&text, "\"}}");
	assert_ok(
	    mirror_watch_line(m, MIRROR_ROLES, buf_slice(&text), &got, &err));
	assert_int_equal(got.said, MIRROR_FAILED);
	assert_int_equal(strlen(got.why), sizeof(got.why) - 1);
	buf_reset(&text);
	buf_puts(&text,
	    "{\"kind\":\"RoleList\",\"metadata\":{\"resourceVersion\":\"1\"},"
	    "\"items\":[{\"metadata\":{\"name\":\"");
	for (unsigned i = 0; i < 500; i++)
		buf_putc(&text, 'n');
	buf_puts(&text, "\"}}]}");
	assert_ok(
	    mirror_list_page(m, MIRROR_ROLES, buf_slice(&text), &page, &err));
	assert_int_equal(err.errors, 1);
	assert_in_range(err.text.len, 253, 400);
	errinfo_release(&err);
	buf_release(&text);
	mirror_free(m);
}

static void
test_names_of_kinds(void **state)
{
	(void)state;
	assert_string_equal(mirror_resource(MIRROR_NAMESPACES), "namespaces");
	assert_string_equal(mirror_path(MIRROR_NAMESPACES),
	    "/api/v1/namespaces");
	assert_string_equal(mirror_resource(MIRROR_CLUSTER_ROLES),
	    "clusterroles");
	assert_string_equal(mirror_path(MIRROR_CLUSTER_ROLES),
	    "/apis/rbac.authorization.k8s.io/v1/clusterroles");
}

/* --- no memory ------------------------------------------------------------ */

/* spec: T-125 - no copy is taken in part and called whole */
static void
test_no_memory_for_a_copy(void **state)
{
	struct buf text = signed_copy(COPY(NOW, ALL));
	unsigned refused = 0;
	bool failed = true;

	(void)state;
	for (unsigned long n = 1; failed; n++) {
		struct mirror_copy about = {.heard_s = 7};
		struct errinfo err = {0};
		struct mirror *m;
		enum status st = STATUS_NOMEM;

		failing_at(n);
		m = mirror_new();
		if (m != NULL)
			st = mirror_take_copy(m, buf_slice(&text), "copy.json",
			    NULL, &about, &err);
		failed = failing_stop();
		if (st == STATUS_OK) {
			assert_true(allows(m, "jane") && allows(m, "ann"));
			assert_true(is_guarded(m));
		} else {
			assert_true(failed);
			assert_status(st, STATUS_NOMEM);
			assert_int_equal(about.heard_s, 7);
			refused++;
		}
		errinfo_release(&err);
		mirror_free(m);
	}
	assert_true(refused > 100);
	buf_release(&text);
}

/* Labels are all of those listed, or the kind is torn until the next list. */
static void
test_no_memory_for_labels(void **state)
{
	static const char text[] = LIST("Namespace",
	    "{\"metadata\":{\"name\":\"dev\"}},{\"metadata\":{\"name\":"
	    "\"lab\",\"labels\":{\"guard\":\"x\"}}}");
	bool failed = true;

	(void)state;
	for (unsigned long n = 1; failed; n++) {
		struct mirror *m = from_copy(COPY(NOW, ALL));
		struct namespaces *known = NULL;
		struct errinfo err = {0};
		struct mirror_page page;
		bool changed = false;
		enum status st;

		mirror_list_begin(m, MIRROR_NAMESPACES);
		failing_at(n);
		st = mirror_list_page(m, MIRROR_NAMESPACES, slice_of(text),
		    &page, &err);
		if (st == STATUS_OK)
			st = mirror_list_end(m, MIRROR_NAMESPACES, &changed,
			    &err);
		if (st == STATUS_OK)
			st = mirror_namespaces(m, &known);
		failed = failing_stop();
		if (st == STATUS_OK) {
			assert_int_equal(namespaces_count(known), 2);
			assert_false(is_guarded(m));
		} else {
			assert_true(failed);
			assert_null(known);
			mirror_list_begin(m, MIRROR_NAMESPACES);
			assert_ok(mirror_list_page(m, MIRROR_NAMESPACES,
			    slice_of(text), &page, &err));
			assert_ok(mirror_list_end(m, MIRROR_NAMESPACES,
			    &changed, &err));
			assert_false(is_guarded(m));
		}
		assert_true(allows(m, "ann"));
		namespaces_unref(known);
		errinfo_release(&err);
		mirror_free(m);
	}
}

int
main(void)
{
	struct rows r = {0};

	ROWS_ADD_TABLE(&r, bad_copies, check_bad_copy);
	rows_add(&r, "times of copies", test_times_of_copies, NULL);
	rows_add(&r, "a copy without namespaces",
	    test_a_copy_without_namespaces, NULL);
	rows_add(&r, "each kind goes", test_each_kind_goes, NULL);
	ROWS_ADD_TABLE(&r, left_outs, check_left_out);
	rows_add(&r, "too deep", test_too_deep, NULL);
	rows_add(&r, "long versions", test_long_versions, NULL);
	rows_add(&r, "long words in reports", test_long_words_in_reports, NULL);
	rows_add(&r, "names of kinds", test_names_of_kinds, NULL);
	rows_add(&r, "no memory for a copy", test_no_memory_for_a_copy, NULL);
	rows_add(&r, "no memory for labels", test_no_memory_for_labels, NULL);
	return rows_run(&r, "mirror copies");
}
