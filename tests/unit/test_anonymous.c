/*
 * test_anonymous.c - who may come without credentials, and where to.
 */
#include "authn/anonymous.h"

#include "authn/user.h"
#include "tests/support/rows.h"

static const char *const paths[] = {"/livez", "/readyz"};

/* spec: kubernetes/apiserver anonymous.go: paths are compared whole */
static struct row {
	const char *name;
	struct anonymous a;
	const char *path;
	bool admitted;
} rows[] = {
    {"off", {false, NULL, 0}, "/livez", false},
    {"off, whatever the paths", {false, paths, 2}, "/livez", false},
    {"on", {true, NULL, 0}, "/api/v1/pods", true},
    {"on for this path", {true, paths, 2}, "/livez", true},
    {"on for that path", {true, paths, 2}, "/readyz", true},
    {"another path", {true, paths, 2}, "/api", false},
    {"a path below it", {true, paths, 2}, "/livez/etcd", false},
    {"a final slash", {true, paths, 2}, "/livez/", false},
    {"a part of it", {true, paths, 2}, "/live", false},
    {"another case", {true, paths, 2}, "/Livez", false},
    {"nothing", {true, paths, 2}, "", false},
};

static void
check_row(void **state)
{
	const struct row *r = *state;

	assert_int_equal(anonymous_admits(&r->a, slice_of(r->path)),
	    r->admitted);
}

static void
test_who_it_is(void **state)
{
	(void)state;
	assert_slice(user_anonymous.name, "system:anonymous");
	assert_int_equal(user_anonymous.group_count, 1);
	assert_slice(user_anonymous.groups[0], "system:unauthenticated");
	assert_int_equal(user_anonymous.extra_count, 0);
	assert_slice(user_anonymous.uid, "");
}

int
main(void)
{
	struct rows all = {0};

	ROWS_ADD_TABLE(&all, rows, check_row);
	rows_add(&all, "who it is", test_who_it_is, NULL);
	return rows_run(&all, "anonymous");
}
