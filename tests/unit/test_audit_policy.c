/*
 * test_audit_policy.c - which events are written.
 */
#include "audit/policy.h"

#include <stdio.h>

#include "tests/support/rows.h"

static const struct slice ops[] = {SLICE_INIT("ops")};

static struct row {
	const char *name; /* what the row proves */
	const char *user, *group, *verb, *api_group, *resource, *sub, *ns;
	const char *path; /* a non-resource request, if it is set */
	enum audit_level level;
	bool omit_started;
} table[] = {
    {"by user", "system:probe", "", "get", "", "pods", "", "", NULL, AUDIT_NONE,
	false},
    {"by a path's prefix", "u", "", "get", "", "", "", "", "/healthzz",
	AUDIT_NONE, false},
    {"a path exactly", "u", "", "get", "", "", "", "", "/version", AUDIT_NONE,
	false},
    {"no rule is None", "u", "", "get", "", "", "", "", "/versions", AUDIT_NONE,
	false},
    {"pods/* is every subresource", "u", "", "get", "", "pods", "log", "n",
	NULL, AUDIT_METADATA, true},
    {"pods/* is pods too", "u", "", "get", "", "pods", "", "n", NULL,
	AUDIT_METADATA, true},
    {"pods/* is not podtemplates", "u", "", "get", "", "podtemplates", "", "n",
	NULL, AUDIT_NONE, false},
    {"*/scale", "u", "", "get", "apps", "deployments", "scale", "prod", NULL,
	AUDIT_NONE, false},
    {"a group and a namespace", "u", "", "get", "apps", "deployments", "",
	"prod", NULL, AUDIT_METADATA, false},
    {"another namespace", "u", "", "get", "apps", "deployments", "", "dev",
	NULL, AUDIT_NONE, false},
    {"a verb", "u", "ops", "list", "", "configmaps", "", "n", NULL, AUDIT_NONE,
	false},
    {"another verb falls through to the group", "u", "ops", "get", "",
	"configmaps", "", "n", NULL, AUDIT_METADATA, false},
};

static struct audit_policy *policy;

/* spec: kubernetes/apiserver pkg/audit/policy/checker.go */
static void
check_row(void **state)
{
	const struct row *r = *state;
	struct user u = {.name = slice_of(r->user),
	    .groups = ops,
	    .group_count = r->group[0] != '\0'};
	struct attributes a = {.is_resource = r->path == NULL,
	    .path = slice_of(r->path),
	    .verb = slice_of(r->verb),
	    .api_group = slice_of(r->api_group),
	    .resource = slice_of(r->resource),
	    .subresource = slice_of(r->sub),
	    .ns = slice_of(r->ns)};
	struct audit_choice c = audit_policy_choose(policy, &u, &a);

	assert_int_equal(c.level, r->level);
	assert_int_equal(c.omit_started, r->omit_started);
}

static void
test_default(void **state)
{
	(void)state;
	assert_int_equal(audit_policy_choose(NULL, NULL, NULL).level,
	    AUDIT_METADATA);
	assert_int_equal(audit_policy_choose(policy, NULL, NULL).level,
	    AUDIT_NONE);
}

static struct bad {
	const char *name, *text, *want;
} bad[] = {
    {"bodies are never read", "kind: Policy\nrules:\n- level: Request\n",
	":3: level: Request"},
    {"a level", "kind: Policy\nrules:\n- users: [a]\n", ":3: level"},
    {"an unknown field", "kind: Policy\nrules:\n- {level: None, usrs: [a]}\n",
	":3: usrs: unknown field"},
    {"an unknown stage", "kind: Policy\nomitStages: [X]\nrules: []\n",
	"no stage \"X\""},
    {"another kind", "kind: Pod\nrules: []\n", "Policy with rules"},
};

static void
check_bad(void **state)
{
	const struct bad *b = *state;
	const char *path = "build/test-audit-policy.yaml";
	struct audit_policy *p = NULL;
	struct errinfo err = {0};
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(b->text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_not_equal(audit_policy_load(path, &p, &err), STATUS_OK);
	assert_null(p);
	if (!slice_contains(buf_slice(&err.text), slice_of(b->want)))
		fail_msg("%.*s", SLICE_ARG(buf_slice(&err.text)));
	errinfo_release(&err);
	(void)remove(path);
}

int
main(void)
{
	struct rows rows = {0};
	struct errinfo err = {0};
	int failed;

	if (audit_policy_load("tests/vectors/audit/policy.yaml", &policy,
		&err) != STATUS_OK)
		return 1;
	ROWS_ADD_TABLE(&rows, table, check_row);
	ROWS_ADD_TABLE(&rows, bad, check_bad);
	rows_add(&rows, "default", test_default, NULL);
	failed = rows_run(&rows, "audit_policy");
	audit_policy_unref(policy);
	errinfo_release(&err);
	return failed;
}
