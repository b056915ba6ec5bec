/*
 * test_impersonate.c - the fields of kubectl --as, and who may ask so.
 */
#include "rbac/impersonate.h"

#include <stdlib.h>
#include <unistd.h>

#include "rbac/policy_load.h"
#include "tests/support/rows.h"

enum {
	ARENA_MAX = 64 * 1024
};

#define RBAC_V1 "\"apiVersion\":\"rbac.authorization.k8s.io/v1\""
/* A cluster role of that name with these rules, bound to the user so named. */
#define GRANT(user, rules)                                                     \
	"{" RBAC_V1 ",\"kind\":\"ClusterRole\",\"metadata\":{\"name\":\"" user \
	"\"},\"rules\":[" rules "]},{" RBAC_V1                                 \
	",\"kind\":\"ClusterRoleBinding\",\"metadata\":{\"name\":\"" user      \
	"\"},\"roleRef\":{\"kind\":\"ClusterRole\",\"name\":\"" user           \
	"\"},\"subjects\":[{\"kind\":\"User\",\"name\":\"" user "\"}]}"
#define RULE(group, resources, verbs, more)                                    \
	"{\"apiGroups\":[\"" group "\"],\"resources\":[" resources             \
	"],\"verbs\":[" verbs "]" more "}"
#define NAMES(names) ",\"resourceNames\":[" names "]"
#define AUTHN        "authentication.k8s.io"
#define ON(mode)     RULE("", "\"pods\"", "\"impersonate-on:" mode ":list\"", "")

/* Two documents, since compilers need not take longer literals. */
static const char *const roles[] = {
    /* clang-format off */
    "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":["
    GRANT("legacy",
	RULE("", "\"users\",\"groups\",\"serviceaccounts\"", "\"impersonate\"",
	    "") ","
	RULE(AUTHN, "\"uids\",\"userextras/scope\",\"userextras/a.b/c\"",
	    "\"impersonate\"", "")) ","
    GRANT("narrow",
	RULE("", "\"users\"", "\"impersonate\"", NAMES("\"rita\"")) ","
	RULE("", "\"groups\"", "\"impersonate\"", NAMES("\"ops\"")) ","
	RULE(AUTHN, "\"userextras/scope\"", "\"impersonate\"",
	    NAMES("\"1\""))) ","
    GRANT("info",
	ON("user-info") ","
	RULE(AUTHN, "\"users\",\"groups\",\"uids\",\"userextras/a.b/c\"",
	    "\"impersonate:user-info\"", "")) "]}\n---\n",
    "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":["
    GRANT("stars",
	ON("user-info") ","
	RULE(AUTHN, "\"users\"", "\"impersonate:user-info\"", "") ","
	RULE(AUTHN, "\"groups\",\"userextras/*\"",
	    "\"impersonate:user-info\"", NAMES("\"*\""))) ","
    GRANT("late", RULE(AUTHN, "\"users\"", "\"impersonate:user-info\"",
	"")) ","
    GRANT("accounts",
	ON("serviceaccount") ","
	RULE(AUTHN, "\"serviceaccounts\"", "\"impersonate:serviceaccount\"",
	    NAMES("\"bot\""))) ","
    GRANT("nodes",
	ON("arbitrary-node") ","
	RULE(AUTHN, "\"nodes\"", "\"impersonate:arbitrary-node\"",
	    NAMES("\"n1\""))) ","
    GRANT("system:serviceaccount:kube-system:agent",
	ON("associated-node") ","
	RULE(AUTHN, "\"nodes\"", "\"impersonate:associated-node\"",
	    NAMES("\"*\""))) "]}",
    /* clang-format on */
};

#define FORBIDDEN_ON(mode)                                                     \
	"pods is forbidden: User \"nobody\" cannot impersonate-on:" mode       \
	":list resource \"pods\" in API group \"\" in the namespace \"dev\""

/* spec: K8S impersonation; the last column: NAME|GROUPS, or the sentence */
static struct row {
	const char *name, *requestor;
	const char *fields; /* NAME: VALUE, a line each */
	bool allowed;
	const char *want;
} rows[] = {
    /* clang-format off */
	{ "a user", "legacy", "User: rita", true, "rita|system:authenticated" },
	{ "groups", "legacy", "User: rita\nGroup: b\nGroup: a", true,
	    "rita|b,a,system:authenticated" },
	{ "an account", "legacy", "User: system:serviceaccount:dev:bot", true,
	    "system:serviceaccount:dev:bot|system:serviceaccounts,"
	    "system:serviceaccounts:dev,system:authenticated" },
	{ "an account in a group", "legacy",
	    "User: system:serviceaccount:dev:bot\nGroup: a", true,
	    "system:serviceaccount:dev:bot|a,system:authenticated" },
	{ "no account: three parts", "legacy",
	    "User: system:serviceaccount:dev:a:b", true,
	    "system:serviceaccount:dev:a:b|system:authenticated" },
	{ "no account: an upper case", "legacy",
	    "User: system:serviceaccount:Dev:bot", true,
	    "system:serviceaccount:Dev:bot|system:authenticated" },
	{ "no account: no name", "legacy", "User: system:serviceaccount:dev:",
	    true, "system:serviceaccount:dev:|system:authenticated" },
	{ "no account: no parts", "legacy", "User: system:serviceaccount:dev",
	    true, "system:serviceaccount:dev|system:authenticated" },
	{ "a stranger", "legacy", "User: system:anonymous", true,
	    "system:anonymous|system:unauthenticated" },
	{ "a stranger who is said to be one", "legacy",
	    "User: system:anonymous\nGroup: system:unauthenticated", true,
	    "system:anonymous|system:unauthenticated" },
	{ "somebody who is said to be a stranger", "legacy",
	    "User: rita\nGroup: system:unauthenticated", true,
	    "rita|system:unauthenticated" },
	{ "authenticated once", "legacy",
	    "User: rita\nGroup: system:authenticated", true,
	    "rita|system:authenticated" },
	{ "masters, by the legacy mode", "legacy",
	    "User: rita\nGroup: system:masters", true,
	    "rita|system:masters,system:authenticated" },
	{ "uid and extra", "legacy",
	    "User: rita\nUid: u\nExtra-Scope: 1\nExtra-A.b%2fC: 2", true,
	    "rita|system:authenticated" },
	{ "a node, by the legacy mode", "legacy", "User: system:node:n1", true,
	    "system:node:n1|system:authenticated" },
	{ "one user only", "narrow", "User: rita\nGroup: ops\nExtra-scope: 1",
	    true, "rita|ops,system:authenticated" },
	{ "another user", "narrow", "User: rosa", false, NULL },
	{ "another group", "narrow", "User: rita\nGroup: ops\nGroup: dev",
	    false, NULL },
	{ "another value", "narrow", "User: rita\nExtra-scope: 2", false,
	    NULL },
	{ "another key", "narrow", "User: rita\nExtra-scope2: 1", false,
	    NULL },
	{ "a uid", "narrow", "User: rita\nUid: u", false, NULL },
	{ "by user-info", "info", "User: rita\nGroup: ops\nUid: u\n"
	    "Extra-a.b%2fc: 1", true, "rita|ops,system:authenticated" },
	{ "masters, by user-info", "info", "User: rita\nGroup: system:masters",
	    false, "groups.authentication.k8s.io \"system:masters\" is "
	    "forbidden: User \"info\" cannot impersonate:user-info resource "
	    "\"groups\" in API group \"authentication.k8s.io\" at the cluster "
	    "scope: impersonating the system:masters group is not allowed" },
	{ "an empty group, by user-info", "info", "User: rita\nGroup: ",
	    false, "groups.authentication.k8s.io is forbidden: User \"info\" "
	    "cannot impersonate:user-info resource \"groups\" in API group "
	    "\"authentication.k8s.io\" at the cluster scope: impersonating the "
	    "empty string group is not allowed" },
	{ "a key that is no path, by user-info", "info",
	    "User: rita\nExtra-scope: 1", false, NULL },
	{ "an empty value, by user-info", "info",
	    "User: rita\nExtra-a.b%2fc: ", false, NULL },
	{ "an empty key, by user-info", "info", "User: rita\nExtra-: 1", false,
	    NULL },
	{ "four groups by a star", "stars",
	    "User: x\nGroup: a\nGroup: b\nGroup: c\nGroup: d", true,
	    "x|a,b,c,d,system:authenticated" },
	{ "three groups by a star", "stars",
	    "User: x\nGroup: a\nGroup: b\nGroup: c", false, NULL },
	{ "four values by a star", "stars", "User: x\nExtra-a.b%2fc: 1\n"
	    "Extra-a.b%2fc: 2\nExtra-a.b%2fc: 3\nExtra-a.b%2fc: 4", true,
	    "x|system:authenticated" },
	{ "three values by a star", "stars", "User: x\nExtra-a.b%2fc: 1\n"
	    "Extra-a.b%2fc: 2\nExtra-a.b%2fc: 3", false, NULL },
	{ "the request by its own verb, too", "late", "User: rita", false,
	    NULL },
	{ "an account, by its mode", "accounts",
	    "User: system:serviceaccount:dev:bot", true,
	    "system:serviceaccount:dev:bot|system:serviceaccounts,"
	    "system:serviceaccounts:dev,system:authenticated" },
	{ "an account in a group, by its mode", "accounts",
	    "User: system:serviceaccount:dev:bot\nGroup: a", false, NULL },
	{ "a node, by its mode", "nodes", "User: system:node:n1", true,
	    "system:node:n1|system:nodes,system:authenticated" },
	{ "another node", "nodes", "User: system:node:n2", false, NULL },
	{ "no node: an upper case", "nodes", "User: system:node:N1", false,
	    NULL },
	{ "the own node", "system:serviceaccount:kube-system:agent",
	    "User: system:node:n7", true,
	    "system:node:n7|system:nodes,system:authenticated" },
	{ "not the own node", "system:serviceaccount:kube-system:agent",
	    "User: system:node:n1", false, NULL },
	{ "the first error is told", "nobody", "User: rita", false,
	    FORBIDDEN_ON("user-info") },
	{ "the first error of a node", "nobody", "User: system:node:n1", false,
	    FORBIDDEN_ON("arbitrary-node") },
	{ "the first error of an account", "nobody",
	    "User: system:serviceaccount:dev:bot", false,
	    FORBIDDEN_ON("serviceaccount") },
	{ "the first error where one mode applies", "nobody",
	    "User: system:serviceaccount:dev:bot\nGroup: a", false,
	    "serviceaccounts \"bot\" is forbidden: User \"nobody\" cannot "
	    "impersonate resource \"serviceaccounts\" in API group \"\" in the "
	    "namespace \"dev\"" },
    /* clang-format on */
};

static struct policy *policy;

static void
load(void)
{
	char path[] = "/tmp/test_impersonate.XXXXXX";
	const char *paths[] = {path};
	struct errinfo err = {0};
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	for (size_t i = 0; i < COUNT_OF(roles); i++)
		assert_int_equal(write(fd, roles[i], strlen(roles[i])),
		    strlen(roles[i]));
	(void)close(fd);
	if (policy_load(paths, 1, true, &policy, &err) != STATUS_OK)
		fail_msg("%.*s", SLICE_ARG(buf_slice(&err.text)));
	(void)unlink(path);
	errinfo_release(&err);
}

/* Each line behind "Impersonate-". */
static void
read_fields(struct headers *h, struct arena *a, const char *lines)
{
	struct slice rest = slice_of(lines), line;
	bool done = lines[0] == '\0';

	h->count = 0;
	while (!done && slice_split(&rest, '\n', &done, &line)) {
		size_t colon = slice_index(line, ':');
		struct buf name;

		buf_init_fixed(&name, arena_alloc(a, 128), 128);
		buf_puts(&name, "Impersonate-");
		buf_put(&name, slice_first(line, colon));
		assert_true(headers_add(h, buf_slice(&name),
		    slice_from(line, colon + 2)));
	}
}

static void
put_user(struct buf *b, const struct user *u)
{
	buf_put(b, u->name);
	for (size_t i = 0; i < u->group_count; i++) {
		buf_puts(b, i == 0 ? "|" : ",");
		buf_put(b, u->groups[i]);
	}
}

static void
put_refusal(struct buf *b, const struct user *requestor,
    const struct impersonation_verdict *v)
{
	authorize_put_forbidden(b, requestor, &v->about);
	if (v->why != NULL)
		buf_putf(b, ": %s", v->why);
}

static void
check_row(void **state)
{
	static const struct slice node = SLICE_INIT("n7");
	static const struct user_extra on_node = {
	    SLICE_INIT("authentication.kubernetes.io/node-name"), &node, 1};
	const struct row *r = *state;
	const struct authorize_chain chain = {.order = {AUTHORIZER_RBAC},
	    .count = 1,
	    .rbac = policy};
	const struct attributes list = {.is_resource = true,
	    .verb = SLICE("list"),
	    .resource = SLICE("pods"),
	    .api_version = SLICE("v1"),
	    .ns = SLICE("dev")};
	struct user requestor = {.name = slice_of(r->requestor),
	    .extra = &on_node,
	    .extra_count = 1};
	struct impersonation_verdict v;
	struct headers h;
	struct user asked;
	struct arena a;
	struct buf b;

	arena_init(&a, ARENA_MAX);
	buf_init(&b, 4096);
	read_fields(&h, &a, r->fields);
	assert_int_equal(impersonation_read(&h, &a, &asked),
	    IMPERSONATE_SOMEBODY);
	impersonation_judge(&chain, &requestor, &list, &asked, &a, &v);
	assert_int_equal(v.allowed, r->allowed);
	if (v.allowed)
		put_user(&b, &v.effective);
	else
		put_refusal(&b, &requestor, &v);
	if (r->want != NULL)
		assert_slice(buf_slice(&b), r->want);
	assert_int_equal(v.effective.uid.n, v.allowed ? asked.uid.n : 0);
	buf_release(&b);
	arena_release(&a);
}

/* --- what the fields say --- */

/* spec: K8S impersonation, T-45 */
static struct reading_row {
	const char *name, *fields;
	enum impersonation want;
} readings[] = {
    {"nothing", "", IMPERSONATE_NOBODY},
    {"a user", "User: x", IMPERSONATE_SOMEBODY},
    {"an empty user", "User: ", IMPERSONATE_NOBODY},
    {"a group alone", "Group: x", IMPERSONATE_NO_NAME},
    {"an empty group alone", "Group: ", IMPERSONATE_NO_NAME},
    {"a uid alone", "Uid: x", IMPERSONATE_NO_NAME},
    {"an empty uid alone", "Uid: ", IMPERSONATE_NOBODY},
    {"an extra alone", "Extra-a: x", IMPERSONATE_NO_NAME},
    {"an empty user with a group", "User: \nGroup: x", IMPERSONATE_NO_NAME},
    {"two users", "User: x\nUser: x", IMPERSONATE_AMBIGUOUS},
    {"two uids", "User: x\nUid: 1\nUid: 2", IMPERSONATE_AMBIGUOUS},
    {"a field of no meaning", "User: x\nSomething: y", IMPERSONATE_SOMEBODY},
    {"a field of no meaning alone", "Something: y", IMPERSONATE_NOBODY},
};

static void
check_reading(void **state)
{
	const struct reading_row *r = *state;
	struct headers h;
	struct user asked;
	struct arena a;

	arena_init(&a, ARENA_MAX);
	read_fields(&h, &a, r->fields);
	assert_int_equal(impersonation_read(&h, &a, &asked), r->want);
	arena_release(&a);
}

/* spec: K8S impersonation: lower-cased first, then decoded */
static void
test_extras(void **state)
{
	struct headers h;
	struct user asked;
	struct arena a;

	(void)state;
	arena_init(&a, ARENA_MAX);
	read_fields(&h, &a,
	    "User: x\nExtra-Scope: 1\nExtra-%41: 2\nExtra-scope: 3\n"
	    "Extra-b%2: 4");
	assert_int_equal(impersonation_read(&h, &a, &asked),
	    IMPERSONATE_SOMEBODY);
	assert_int_equal(asked.extra_count, 3);
	assert_slice(asked.extra[0].key, "scope");
	assert_int_equal(asked.extra[0].count, 2);
	assert_slice(asked.extra[0].values[0], "1");
	assert_slice(asked.extra[0].values[1], "3");
	assert_slice(asked.extra[1].key, "A");
	assert_slice(asked.extra[2].key, "b%2");
	arena_release(&a);
}

/* spec: T-125: no room is no right, and is told apart */
static void
test_no_memory(void **state)
{
	const struct authorize_chain chain = {.order = {AUTHORIZER_RBAC},
	    .count = 1,
	    .rbac = policy};
	const struct attributes list = {.is_resource = true,
	    .verb = SLICE("list"),
	    .resource = SLICE("pods")};
	const struct user requestor = {.name = SLICE("legacy")};
	const struct user asked = {.name = SLICE("rita")};
	unsigned refused = 0;
	bool allowed = false;

	(void)state;
	for (size_t cap = 1; !allowed; cap++) {
		struct impersonation_verdict v;
		struct arena a;

		arena_init(&a, cap);
		impersonation_judge(&chain, &requestor, &list, &asked, &a, &v);
		allowed = v.allowed;
		assert_int_equal(v.no_memory, !allowed);
		refused += !allowed;
		arena_release(&a);
	}
	assert_true(refused > 10);
}

int
main(void)
{
	struct rows all = {0};
	int failed;

	load();
	ROWS_ADD_TABLE(&all, rows, check_row);
	ROWS_ADD_TABLE(&all, readings, check_reading);
	rows_add(&all, "extras", test_extras, NULL);
	rows_add(&all, "no memory", test_no_memory, NULL);
	failed = rows_run(&all, "impersonate");
	policy_unref(policy);
	return failed;
}
