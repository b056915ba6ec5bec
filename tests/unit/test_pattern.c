/*
 * test_pattern.c - resources and URLs by pattern.
 */
#include "rbac/pattern.h"

#include "tests/support/rows.h"

/* k8s.io/apiserver pkg/audit/policy/checker.go, ruleMatchesResource */
static struct resource_row {
	const char *name;
	const char *pattern, *resource, *subresource;
	bool has;
} resource_rows[] = {
    /* clang-format off */
	{ "a resource", "pods", "pods", "", true },
	{ "another", "pods", "nodes", "", false },
	{ "a longer one", "pods", "podsx", "", false },
	{ "by octet", "pods", "Pods", "", false },
	{ "without its subresources", "pods", "pods", "exec", false },
	{ "one subresource", "pods/exec", "pods", "exec", true },
	{ "another subresource", "pods/exec", "pods", "log", false },
	{ "not the resource itself", "pods/exec", "pods", "", false },
	{ "of another resource", "pods/exec", "jobs", "exec", false },
	{ "a resource with all of them", "pods/*", "pods", "exec", true },
	{ "and the resource itself", "pods/*", "pods", "", true },
	{ "not of another", "pods/*", "nodes", "proxy", false },
	{ "a subresource of all", "*/scale", "deployments", "scale", true },
	{ "and no other", "*/scale", "deployments", "status", false },
	{ "nor a resource", "*/scale", "scale", "", false },
	{ "nor one without a subresource", "*/", "scale", "", false },
	{ "all", "*", "pods", "exec", true },
	{ "all without a subresource", "*", "pods", "", true },
	{ "an empty subresource is none", "pods/", "pods", "", false },
	{ "an empty pattern is no pattern for pods", "", "pods", "", false },
	{ "only the first slash parts", "pods/exec/x", "pods", "exec", false },
    /* clang-format on */
};

static void
check_resource(void **state)
{
	const struct resource_row *r = *state;

	assert_int_equal(pattern_has_resource(slice_of(r->pattern),
			     slice_of(r->resource), slice_of(r->subresource)),
	    r->has);
}

/* spec: T-62, T-64 */
static struct url_row {
	const char *name;
	const char *pattern, *path;
	bool has;
} url_rows[] = {
    /* clang-format off */
	{ "exact", "/metrics", "/metrics", true },
	{ "not what is below", "/metrics", "/metrics/x", false },
	{ "not what begins so", "/metrics", "/metricsx", false },
	{ "not with a slash more", "/metrics", "/metrics/", false },
	{ "a prefix", "/debug/*", "/debug/pprof", true },
	{ "the prefix itself", "/debug/*", "/debug/", true },
	{ "not less", "/debug/*", "/debug", false },
	{ "in the midst of a segment", "/debu*", "/debug", true },
	{ "all", "*", "/", true },
	{ "all, and nothing", "*", "", true },
	{ "a star within is a star", "/a/*/b", "/a/x/b", false },
	{ "itself", "/a/*/b", "/a/*/b", true },
	{ "only the last is one", "/a/*/*", "/a/x/y", false },
	{ "by octet", "/Debug/*", "/debug/x", false },
	{ "nothing has only nothing", "", "/", false },
    /* clang-format on */
};

static void
check_url(void **state)
{
	const struct url_row *r = *state;

	assert_int_equal(
	    pattern_has_url(slice_of(r->pattern), slice_of(r->path)), r->has);
}

int
main(void)
{
	struct rows rows = {0};

	ROWS_ADD_TABLE(&rows, resource_rows, check_resource);
	ROWS_ADD_TABLE(&rows, url_rows, check_url);
	return rows_run(&rows, "pattern");
}
