/*
 * test_policy_load.c - manifests in files and folders, right and wrong ones.
 */
#include "rbac/policy_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rbac/manifest.h"
#include "tests/support/rows.h"

#define V "apiVersion: rbac.authorization.k8s.io/v1\n"

/* --- a folder to put files into ------------------------------------------- */

static char folder[64];

static void
path_of(const char *name, char path[128])
{
	(void)snprintf(path, 128, "%s/%s", folder, name);
}

static void
put_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	path_of(name, path);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

static void
open_folder(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/test_policy.XXXXXX");
	assert_non_null(mkdtemp(folder));
}

static void
close_folder(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -r '%s'", folder);
	assert_int_equal(system(command), 0);
}

static struct policy *
load(const char *const *paths, size_t count, struct errinfo *err)
{
	struct policy *p = NULL;
	enum status st = policy_load(paths, count, true, &p, err);

	assert_int_equal(st == STATUS_OK, p != NULL);
	if (p == NULL && err == NULL)
		print_error("the policy did not load\n");
	return p;
}

/* One manifest text as a policy; NULL with errors in *err. */
static struct policy *
load_text(const char *text, struct errinfo *err)
{
	char path[128];
	const char *paths[] = {path};
	struct policy *p;

	open_folder();
	put_file("m.yaml", text);
	path_of("m.yaml", path);
	p = load(paths, 1, err);
	close_folder();
	return p;
}

static struct verdict
ask(const struct policy *p, const char *name, const char *verb, const char *ns)
{
	struct user u = {.name = slice_of(name)};
	struct attributes a = {
	    .is_resource = true,
	    .verb = slice_of(verb),
	    .resource = SLICE("pods"),
	    .ns = slice_of(ns),
	};

	return policy_evaluate(p, &u, &a);
}

static bool
may(const struct policy *p, const char *name, const char *verb, const char *ns)
{
	return ask(p, name, verb, ns).decision == ALLOW;
}

/* --- what is refused ------------------------------------------------------ */

static struct refusal {
	const char *name;
	const char *text;
	const char *report; /* without the file */
} refusals[] = {
    /* clang-format off */
	{ "rules that are no list", V "kind: Role\nrules: {}\n",
	    ":3: rules must be a list, not a mapping" },
	{ "a rule that is no mapping", V "kind: Role\nrules: [x]\n",
	    ":3: a rule must be a mapping, not a string" },
	{ "verbs that are one string", V "kind: Role\nrules:\n- verbs: get\n",
	    ":4: verbs must be a list, not a string" },
	{ "a verb that is a boolean",
	    V "kind: Role\nrules:\n- verbs:\n  - get\n  - on\n",
	    ":6: verbs must be a string in quotes, not a boolean" },
	{ "a resource name that is a number",
	    V "kind: Role\nrules:\n- resourceNames: [1]\n",
	    ":4: resourceNames must be a string in quotes, not an integer" },
	{ "a name that is a number", V "kind: Role\nmetadata: {name: 1}\n",
	    ":3: name must be a string in quotes, not an integer" },
	{ "metadata that is a list", V "kind: Role\nmetadata: []\n",
	    ":3: metadata must be a mapping, not a list" },
	{ "subjects that are a mapping",
	    V "kind: RoleBinding\nsubjects: {}\n",
	    ":3: subjects must be a list, not a mapping" },
	{ "a subject that is a string",
	    V "kind: RoleBinding\nsubjects: [jane]\n",
	    ":3: a subject must be a mapping, not a string" },
	{ "roleRef that is a string", V "kind: RoleBinding\nroleRef: admin\n",
	    ":3: roleRef must be a mapping, not a string" },
	{ "a label that is a boolean",
	    V "kind: ClusterRole\nmetadata: {labels: {a: true}}\n",
	    ":3: a label must be a string in quotes, not a boolean" },
	{ "a selector that is a list", V "kind: ClusterRole\n"
	    "aggregationRule: {clusterRoleSelectors: [[]]}\n",
	    ":3: a cluster role selector must be a mapping, not a list" },
	{ "a kind that is a number", V "kind: 1\n",
	    ":2: kind must be a string in quotes, not an integer" },
	{ "items that are a mapping", "apiVersion: v1\nkind: List\nitems: {}\n",
	    ":3: items must be a list, not a mapping" },
	{ "a document that is a list", "- a\n",
	    ":1: a manifest must be a mapping, not a list" },
	{ "an item that is nothing", "apiVersion: v1\nkind: List\nitems: [~]\n",
	    ":3: a manifest must be a mapping, not nothing" },
	{ "a duplicate field", V "kind: Role\nrules: []\nrules: []\n",
	    ":4: the key \"rules\" stands here twice, first in line 3" },
    /* clang-format on */
};

static void
check_refusal(void **state)
{
	const struct refusal *r = *state;
	struct errinfo err = {0};
	struct slice text;

	assert_null(load_text(r->text, &err));
	assert_int_equal(err.errors, 1);
	text = buf_slice(&err.text);
	text = slice_from(text, slice_index(text, ':'));
	text.n--; /* the line's end */
	assert_slice(text, r->report);
	errinfo_release(&err);
}

/* spec: half a policy is a wrong one, and one run shows every mistake */
static void
test_one_bad_file_fails_all(void **state)
{
	struct errinfo err = {0};
	const char *paths[] = {folder};

	(void)state;
	open_folder();
	put_file("a.yaml",
	    V "kind: Role\nrules: x\n---\n" V
	      "kind: RoleBinding\nsubjects: 1\n");
	put_file("b.yaml", "a: [\n");
	put_file("c.yaml", V "kind: Role\nmetadata: {name: fine}\n");
	assert_null(load(paths, 1, &err));
	assert_int_equal(err.errors, 3);
	assert_int_equal(err.first, STATUS_MALFORMED);
	close_folder();
	errinfo_release(&err);
}

static void
test_a_missing_file_fails_all(void **state)
{
	struct errinfo err = {0};
	const char *paths[] = {"tests/vectors/rbac/rules.yaml", "/none.yaml"};

	(void)state;
	assert_null(load(paths, 2, &err));
	assert_int_equal(err.first, STATUS_IO);
	errinfo_release(&err);
}

/* --- what is read --------------------------------------------------------- */

static const char pair_text[] =
    V "kind: ClusterRole\nmetadata: {name: r}\nrules:\n"
      "- {apiGroups: [''], resources: [pods], verbs: [get]}\n---\n" V
      "kind: ClusterRoleBinding\nmetadata: {name: b}\n"
      "roleRef: {kind: ClusterRole, name: r}\n"
      "subjects: [{kind: User, name: jane}]\n";

static void
test_other_kinds_are_counted(void **state)
{
	struct policy *p =
	    load_text("kind: Secret\napiVersion: v1\n---\n"
		      "{}\n---\n"
		      "apiVersion: other.io/v1\nkind: Role\n"
		      "rules: not even a list\n---\n" V "kind: Rule\n---\n"
		      "apiVersion: rbac.authorization.k8s.io\n"
		      "kind: Role\n---\n"
		      "apiVersion: "
		      "rbac.authorization.k8s.io/v1beta1\n"
		      "kind: Role\n",
		NULL);

	(void)state;
	assert_non_null(p);
	assert_int_equal(policy_counts(p).skipped, 5);
	assert_int_equal(policy_counts(p).roles, 1);
	policy_unref(p);
}

static void
test_unknown_fields_and_null(void **state)
{
	struct policy *p =
	    load_text(V "kind: ClusterRole\nstatus: {x: [1]}\n"
			"metadata: {name: r, uid: 1, labels: ~}\nrules:\n"
			"- {apiGroups: [~], resources: [pods], verbs: [get], "
			"resourceNames: ~, nonResourceURLs: ~, verb: 1}\n"
			"- ~\naggregationRule: ~\n---\n" V
			"kind: ClusterRoleBinding\nmetadata: {name: b}\n"
			"roleRef: {kind: ClusterRole, name: r, apiGroup: ~}\n"
			"subjects: [~, {kind: User, name: jane}]\n",
		NULL);

	(void)state;
	assert_non_null(p);
	assert_true(may(p, "jane", "get", ""));
	assert_false(may(p, "jane", "list", ""));
	policy_unref(p);
}

static void
test_the_later_duplicate_counts(void **state)
{
	struct errinfo err = {0};
	const char *paths[] = {folder};
	struct policy *p;

	(void)state;
	open_folder();
	put_file("10.yaml", pair_text);
	put_file("9.yaml",
	    V "kind: ClusterRole\nmetadata: {name: r}\nrules:\n"
	      "- {apiGroups: [''], resources: [pods], verbs: [list]}\n");
	p = load(paths, 1, &err);
	assert_non_null(p);
	assert_true(may(p, "jane", "list", ""));
	assert_false(may(p, "jane", "get", ""));
	assert_int_equal(policy_counts(p).cluster_roles, 1);
	policy_unref(p);
	close_folder();
	errinfo_release(&err);
}

static void
test_folders(void **state)
{
	struct errinfo err = {0};
	const char *paths[] = {folder};
	char path[128];
	struct policy *p;

	(void)state;
	open_folder();
	put_file("a.json",
	    "{\"apiVersion\":\"rbac.authorization.k8s.io/v1\","
	    "\"kind\":\"Role\",\"metadata\":{\"name\":\"a\"}}");
	put_file("b.yml", V "kind: Role\nmetadata: {name: b}\n");
	put_file(".hidden.yaml", "[");
	put_file("README.md", "[");
	path_of("sub.yaml", path);
	assert_int_equal(mkdir(path, 0700), 0);
	p = load(paths, 1, &err);
	assert_non_null(p);
	assert_int_equal(policy_counts(p).roles, 2);
	assert_int_equal(err.warnings, 0);
	policy_unref(p);
	close_folder();
	open_folder();
	p = load(paths, 1, &err);
	assert_non_null(p);
	assert_int_equal(err.warnings, 1);
	policy_unref(p);
	close_folder();
	errinfo_release(&err);
}

static void
test_lists(void **state)
{
	struct policy *p = load_text(
	    "apiVersion: v1\nkind: List\nitems:\n"
	    "- apiVersion: rbac.authorization.k8s.io/v1\n"
	    "  kind: ClusterRoleBinding\n  metadata: {name: b}\n"
	    "  roleRef: {kind: ClusterRole, name: r}\n"
	    "  subjects: [{kind: User, name: jane}]\n"
	    "- {apiVersion: v1, kind: Pod}\n"
	    "- apiVersion: rbac.authorization.k8s.io/v1\n"
	    "  kind: ClusterRoleList\n  items:\n"
	    "  - metadata: {name: r}\n    rules:\n"
	    "    - {apiGroups: [''], resources: [pods], verbs: [get]}\n"
	    "  - {apiVersion: v1, kind: Pod}\n"
	    "- {metadata: {name: kindless}}\n"
	    "---\n" V "kind: RoleList\nitems: [{metadata: {name: x}}]\n---\n" V
	    "kind: RoleBindingList\nitems: [{metadata: {name: x}}, "
	    "{metadata: {name: x, namespace: z}}]\n---\n" V
	    "kind: ClusterRoleBindingList\nitems: ~\n",
	    NULL);
	struct policy_counts n;

	(void)state;
	assert_non_null(p);
	n = policy_counts(p);
	assert_int_equal(n.cluster_role_bindings, 1);
	assert_int_equal(n.cluster_roles, 1);
	assert_int_equal(n.roles, 1);
	assert_int_equal(n.role_bindings, 2);
	assert_int_equal(n.skipped, 3);
	assert_true(may(p, "jane", "get", "dev"));
	policy_unref(p);
}

static void
test_no_namespace_is_default(void **state)
{
	struct policy *p = load_text(V
	    "kind: Role\nmetadata: {name: r}\nrules:\n"
	    "- {apiGroups: [''], resources: [pods], verbs: [get]}\n---\n" V
	    "kind: RoleBinding\nmetadata: {name: b, namespace: default}\n"
	    "roleRef: {kind: Role, name: r}\n"
	    "subjects: [{kind: User, name: jane}]\n",
	    NULL);

	(void)state;
	assert_non_null(p);
	assert_true(may(p, "jane", "get", "default"));
	assert_false(may(p, "jane", "get", ""));
	assert_false(may(p, "jane", "get", "dev"));
	policy_unref(p);
}

/* A namespace on an object of the cluster does not make it another one. */
static void
test_namespace_of_a_cluster_role(void **state)
{
	struct policy *p = load_text(V
	    "kind: ClusterRole\nmetadata: {name: r, namespace: x}\n---\n" V
	    "kind: ClusterRole\nmetadata: {name: r}\n",
	    NULL);

	(void)state;
	assert_non_null(p);
	assert_int_equal(policy_counts(p).cluster_roles, 1);
	policy_unref(p);
}

/* What the cluster has aggregated already must not be computed again. */
static void
test_aggregation_may_be_off(void **state)
{
	static const char *const paths[] = {
	    "tests/vectors/rbac/aggregate.yaml"};
	struct policy *on = NULL, *off = NULL;

	(void)state;
	assert_ok(policy_load(paths, 1, true, &on, NULL));
	assert_ok(policy_load(paths, 1, false, &off, NULL));
	assert_true(may(on, "view", "va", ""));
	assert_false(may(on, "view", "stored", ""));
	assert_false(may(off, "view", "va", ""));
	assert_true(may(off, "view", "stored", ""));
	policy_unref(on);
	policy_unref(off);
}

int
main(void)
{
	struct rows rows = {0};

	ROWS_ADD_TABLE(&rows, refusals, check_refusal);
	rows_add(&rows, "one bad file fails all", test_one_bad_file_fails_all,
	    NULL);
	rows_add(&rows, "a missing file fails all",
	    test_a_missing_file_fails_all, NULL);
	rows_add(&rows, "other kinds are counted", test_other_kinds_are_counted,
	    NULL);
	rows_add(&rows, "unknown fields and null", test_unknown_fields_and_null,
	    NULL);
	rows_add(&rows, "the later duplicate counts",
	    test_the_later_duplicate_counts, NULL);
	rows_add(&rows, "folders", test_folders, NULL);
	rows_add(&rows, "lists", test_lists, NULL);
	rows_add(&rows, "no namespace is default", test_no_namespace_is_default,
	    NULL);
	rows_add(&rows, "namespace of a cluster role",
	    test_namespace_of_a_cluster_role, NULL);
	rows_add(&rows, "aggregation may be off", test_aggregation_may_be_off,
	    NULL);
	return rows_run(&rows, "policy_load");
}
