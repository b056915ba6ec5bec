/*
 * test_authorize.c - the order of authorizers, and the Forbidden sentence.
 */
#include "rbac/authorize.h"

#include "rbac/judge.h"
#include "rbac/policy_load.h"
#include "tests/support/rows.h"

static struct policy *policy;

static struct row {
	const char *name;
	enum authorizer order[AUTHORIZE_ORDER_MAX];
	size_t count;
	const char *user, *group;
	enum decision decision;
	enum authorizer by;
} rows_table[] = {
    /* clang-format off */
	/* spec: T-61 */
	{ "an empty order lets nobody in", { AUTHORIZER_NONE }, 0,
	    "reader", "x", NO_OPINION, AUTHORIZER_NONE },
	{ "rbac allows", { AUTHORIZER_RBAC }, 1,
	    "reader", "x", ALLOW, AUTHORIZER_RBAC },
	{ "rbac has no opinion", { AUTHORIZER_RBAC }, 1,
	    "x", "x", NO_OPINION, AUTHORIZER_NONE },
	{ "a name that is none of ours has no opinion", { AUTHORIZER_NONE,
	    AUTHORIZER_MASTERS }, 2, "reader", "x", NO_OPINION,
	    AUTHORIZER_NONE },
	{ "azure has no opinion before it is built",
	    { AUTHORIZER_AZURE, AUTHORIZER_RBAC }, 2,
	    "reader", "x", ALLOW, AUTHORIZER_RBAC },
	{ "upstream takes what nobody allowed",
	    { AUTHORIZER_RBAC, AUTHORIZER_UPSTREAM }, 2,
	    "x", "x", ALLOW, AUTHORIZER_UPSTREAM },
	{ "upstream alone", { AUTHORIZER_UPSTREAM }, 1,
	    "x", "x", ALLOW, AUTHORIZER_UPSTREAM },
	{ "rbac first, then upstream",
	    { AUTHORIZER_RBAC, AUTHORIZER_UPSTREAM }, 2,
	    "reader", "x", ALLOW, AUTHORIZER_RBAC },
	/* spec: kubernetes/apiserver pkg/authorization/authorizerfactory */
	{ "masters before an empty order", { AUTHORIZER_NONE }, 0,
	    "x", "system:masters", ALLOW, AUTHORIZER_MASTERS },
	{ "masters before rbac", { AUTHORIZER_RBAC }, 1,
	    "reader", "system:masters", ALLOW, AUTHORIZER_MASTERS },
	{ "a user named system:masters is nobody special",
	    { AUTHORIZER_RBAC }, 1, "system:masters", "x", NO_OPINION,
	    AUTHORIZER_NONE },
    /* clang-format on */
};

static void
check_row(void **state)
{
	const struct row *r = *state;
	struct slice group = slice_of(r->group);
	struct user u = {.name = slice_of(r->user),
	    .groups = &group,
	    .group_count = 1};
	struct attributes a = {.is_resource = true,
	    .verb = SLICE("get"),
	    .resource = SLICE("pods"),
	    .ns = SLICE("dev")};
	struct authorize_chain chain = {.count = r->count, .rbac = policy};
	struct verdict v;

	memcpy(chain.order, r->order, sizeof(chain.order));
	v = authorize(&chain, &u, &a);
	assert_int_equal(v.decision, r->decision);
	assert_string_equal(authorizer_name(v.by), authorizer_name(r->by));
}

static void
test_no_policy_no_right(void **state)
{
	struct authorize_chain chain = {.order = {AUTHORIZER_RBAC}, .count = 1};
	struct user u = {.name = SLICE("reader")};
	struct attributes a = {.verb = SLICE("get")};

	(void)state;
	assert_int_equal(authorize(&chain, &u, &a).decision, NO_OPINION);
}

static void
test_lookup_errors_reach_the_reason(void **state)
{
	struct authorize_chain chain = {
	    .order = {AUTHORIZER_RBAC, AUTHORIZER_AZURE},
	    .count = 2,
	    .rbac = policy,
	};
	struct user u = {.name = SLICE("lost")};
	struct attributes a = {.verb = SLICE("get"), .path = SLICE("/x")};
	struct verdict v = authorize(&chain, &u, &a);
	struct buf text;

	(void)state;
	assert_int_equal(v.decision, NO_OPINION);
	buf_init(&text, 1024);
	policy_put_reason(&text, policy, &v, &u, &a);
	assert_slice(buf_slice(&text),
	    "RBAC: role.rbac.authorization.k8s.io \"pod-reader\" not found");
	buf_release(&text);
}

static void
test_old_roles_are_named(void **state)
{
	struct authorize_chain chain = {.order = {AUTHORIZER_RBAC},
	    .count = 1,
	    .live_is_old = true};
	struct user u = {.name = SLICE("jane")};
	struct attributes a = {.is_resource = true,
	    .verb = SLICE("get"),
	    .resource = SLICE("pods")};
	struct verdict v = authorize(&chain, &u, &a);
	struct buf text;

	(void)state;
	/* spec: T-61 */
	assert_int_equal(v.decision, NO_OPINION);
	buf_init(&text, 1024);
	authorize_put_reason(&text, &chain, &v, &u, &a);
	assert_slice(buf_slice(&text),
	    "the cluster's roles are older than maxStaleness");
	buf_reset(&text);
	chain.order[0] = AUTHORIZER_UPSTREAM; /* nobody asks for roles */
	authorize_put_reason(&text, &chain, &v, &u, &a);
	assert_int_equal(text.len, 0);
	buf_release(&text);
}

/* One sentence for what the files miss, one for what the cluster would say. */
static void
test_old_roles_beside_lost_ones(void **state)
{
	struct authorize_chain chain = {
	    .order = {AUTHORIZER_AZURE, AUTHORIZER_RBAC, AUTHORIZER_AZURE},
	    .count = 3,
	    .rbac = policy,
	    .live_is_old = true};
	struct user u = {.name = SLICE("lost")};
	struct attributes a = {.verb = SLICE("get"), .path = SLICE("/x")};
	struct verdict v = authorize(&chain, &u, &a);
	struct buf text;

	(void)state;
	assert_int_equal(v.decision, NO_OPINION);
	assert_true(v.lookup_errors);
	buf_init(&text, 1024);
	authorize_put_reason(&text, &chain, &v, &u, &a);
	assert_slice(buf_slice(&text),
	    "RBAC: role.rbac.authorization.k8s.io \"pod-reader\" not found; "
	    "the cluster's roles are older than maxStaleness");
	buf_release(&text);
}

/* They stand in audit, so they stay as they are. */
static void
test_names_of_authorizers(void **state)
{
	static const char *const names[] = {[AUTHORIZER_NONE] = "none",
	    [AUTHORIZER_MASTERS] = "masters",
	    [AUTHORIZER_RBAC] = "rbac",
	    [AUTHORIZER_AZURE] = "azure",
	    [AUTHORIZER_UPSTREAM] = "upstream"};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(names); i++)
		assert_string_equal(authorizer_name((enum authorizer)i),
		    names[i]);
}

/* What is awaited holds up a no, and never a yes. */
static void
test_awaited_roles_hold_up_a_no(void **state)
{
	struct authorize_chain chain = {.order = {AUTHORIZER_RBAC}, .count = 1};
	struct slice masters[] = {GROUP_MASTERS};
	struct user jane = {.name = SLICE("jane")};
	struct user root = {.groups = masters, .group_count = 1};
	struct attributes a = {.is_resource = true,
	    .verb = SLICE("get"),
	    .resource = SLICE("pods")};
	struct judge j = {.chain = &chain, .awaits_roles = true};
	struct judge_question q = {.requestor = &jane,
	    .user = &jane,
	    .attributes = &a};
	struct judgement x;

	(void)state;
	judge(&j, &q, &x);
	assert_int_equal(x.stage, JUDGE_WAIT);
	q.user = &root;
	judge(&j, &q, &x);
	assert_int_equal(x.stage, JUDGE_ALLOWED);
	q.user = &jane;
	j.awaits_roles = false;
	j.awaits_labels = true; /* no access rule refuses */
	judge(&j, &q, &x);
	assert_int_equal(x.stage, JUDGE_NOBODY);
}

static void
test_nobody_decided_no_words(void **state)
{
	struct verdict zero = {.decision = NO_OPINION};
	struct user u = {.name = SLICE("x")};
	struct attributes a = {.is_resource = false};
	struct buf text;

	(void)state;
	buf_init(&text, 1024);
	policy_put_reason(&text, NULL, &zero, &u, &a);
	zero.decision = ALLOW; /* by masters or upstream: no sentence */
	policy_put_reason(&text, policy, &zero, &u, &a);
	assert_int_equal(text.len, 0);
	buf_release(&text);
}

/* A message that does not fit is marked, and nothing is written past it. */
static void
test_forbidden_that_does_not_fit(void **state)
{
	struct user u = {.name = SLICE("somebody")};
	struct attributes a = {.verb = SLICE("get"), .path = SLICE("/healthz")};
	struct attributes thing = {.is_resource = true,
	    .verb = SLICE("get"),
	    .resource = SLICE("pods"),
	    .subresource = SLICE("log"),
	    .name = SLICE("web")};
	const struct attributes *const asked[] = {&a, &thing};
	char room[160];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(asked); i++) {
		struct buf text;
		size_t whole;

		buf_init_fixed(&text, room, sizeof(room));
		authorize_put_forbidden(&text, &u, asked[i]);
		assert_false(text.overflow);
		whole = text.len;
		for (size_t n = 0; n < whole; n++) {
			buf_init_fixed(&text, room, n);
			authorize_put_forbidden(&text, &u, asked[i]);
			assert_true(text.overflow);
			assert_true(text.len <= n);
		}
	}
}

int
main(void)
{
	const char *paths[] = {"tests/vectors/rbac/rules.yaml"};
	struct rows rows = {0};
	int failed;

	if (policy_load(paths, 1, true, &policy, NULL) != STATUS_OK)
		return 1;
	ROWS_ADD_TABLE(&rows, rows_table, check_row);
	rows_add(&rows, "no policy, no right", test_no_policy_no_right, NULL);
	rows_add(&rows, "lookup errors reach the reason",
	    test_lookup_errors_reach_the_reason, NULL);
	rows_add(&rows, "old roles are named", test_old_roles_are_named, NULL);
	rows_add(&rows, "old roles beside lost ones",
	    test_old_roles_beside_lost_ones, NULL);
	rows_add(&rows, "names of authorizers", test_names_of_authorizers,
	    NULL);
	rows_add(&rows, "awaited roles hold up a no",
	    test_awaited_roles_hold_up_a_no, NULL);
	rows_add(&rows, "nobody decided, no words",
	    test_nobody_decided_no_words, NULL);
	rows_add(&rows, "a Forbidden message that does not fit",
	    test_forbidden_that_does_not_fit, NULL);
	failed = rows_run(&rows, "authorize");
	policy_unref(policy);
	return failed;
}
