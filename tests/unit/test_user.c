/*
 * test_user.c - deep copies of who is asking.
 */
#include "authn/user.h"

#include "tests/support/rows.h"

static void
test_in_group(void **state)
{
	struct slice groups[] = {SLICE("a"), SLICE("system:masters"),
	    SLICE("")};
	struct user u = {.groups = groups, .group_count = COUNT_OF(groups)};
	struct user nobody = {.group_count = 0};

	(void)state;
	assert_true(user_in_group(&u, GROUP_MASTERS));
	assert_true(user_in_group(&u, SLICE("")));
	/* spec: T-64 */
	assert_false(user_in_group(&u, SLICE("system:Masters")));
	assert_false(user_in_group(&u, SLICE("system:masters2")));
	assert_false(user_in_group(&u, SLICE("system:master")));
	assert_false(user_in_group(&nobody, SLICE("")));
}

static void
test_identity_is_a_deep_copy(void **state)
{
	char text[] = "jane|7|dev|ops|scopes|read|write|oid|1";
	struct slice groups[] = {{text + 7, 3}, {text + 11, 3}};
	struct slice scopes[] = {{text + 22, 4}, {text + 27, 5}};
	struct slice oid[] = {{text + 37, 1}};
	struct user_extra extra[] = {{{text + 15, 6}, scopes, 2},
	    {SLICE("none"), NULL, 0}, {{text + 33, 3}, oid, 1}};
	struct user u = {{text, 4}, {text + 5, 1}, groups, 2, extra, 3};
	struct identity *id = identity_new(&u);

	(void)state;
	assert_non_null(id);
	memset(text, 'x', sizeof(text));
	memset(groups, 0, sizeof(groups));
	memset(extra, 0, sizeof(extra));
	assert_slice(id->user.name, "jane");
	assert_slice(id->user.uid, "7");
	assert_int_equal(id->user.group_count, 2);
	assert_slice(id->user.groups[0], "dev");
	assert_slice(id->user.groups[1], "ops");
	assert_int_equal(id->user.extra_count, 3);
	assert_slice(id->user.extra[0].key, "scopes");
	assert_int_equal(id->user.extra[0].count, 2);
	assert_slice(id->user.extra[0].values[1], "write");
	assert_int_equal(id->user.extra[1].count, 0);
	assert_slice(id->user.extra[2].values[0], "1");
	identity_unref(identity_ref(id));
	assert_slice(id->user.name, "jane");
	identity_unref(id);
	identity_unref(NULL);
}

static void
test_identity_of_nobody(void **state)
{
	struct user nobody = {.group_count = 0};
	struct identity *id = identity_new(&nobody);

	(void)state;
	assert_non_null(id);
	assert_int_equal(id->user.name.n, 0);
	assert_int_equal(id->user.group_count, 0);
	identity_unref(id);
}

int
main(void)
{
	struct rows rows = {0};

	rows_add(&rows, "groups compare by octet", test_in_group, NULL);
	rows_add(&rows, "an identity is a deep copy",
	    test_identity_is_a_deep_copy, NULL);
	rows_add(&rows, "the identity of nobody", test_identity_of_nobody,
	    NULL);
	return rows_run(&rows, "user");
}
