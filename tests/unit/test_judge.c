/*
 * test_judge.c - rules, authorizers and streams, judged together.
 */
#include "rbac/judge.h"

#include <stdlib.h>
#include <unistd.h>

#include "rbac/policy_load.h"
#include "tests/support/rows.h"

/* get may get streams, create may create them, both may do both. */
static const char files_text[] =
    "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":["
    "{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"ClusterRole\","
    "\"metadata\":{\"name\":\"get\"},\"rules\":[{\"apiGroups\":[\"\"],"
    "\"resources\":[\"pods\",\"pods/exec\"],\"verbs\":[\"get\"]}]},"
    "{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":"
    "\"ClusterRoleBinding\",\"metadata\":{\"name\":\"get\"},\"roleRef\":"
    "{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"ClusterRole\","
    "\"name\":\"get\"},\"subjects\":[{\"kind\":\"User\",\"name\":\"get\"},"
    "{\"kind\":\"User\",\"name\":\"both\"}]},"
    "{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":"
    "\"ClusterRoleBinding\",\"metadata\":{\"name\":\"lost\"},\"roleRef\":"
    "{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"ClusterRole\","
    "\"name\":\"gone\"},\"subjects\":[{\"kind\":\"User\",\"name\":\"lost\"}]}]"
    "}";
static const char live_text[] =
    "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":["
    "{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"ClusterRole\","
    "\"metadata\":{\"name\":\"create\"},\"rules\":[{\"apiGroups\":[\"\"],"
    "\"resources\":[\"pods/exec\"],\"verbs\":[\"create\"]}]},"
    "{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":"
    "\"ClusterRoleBinding\",\"metadata\":{\"name\":\"create\"},\"roleRef\":"
    "{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"ClusterRole\","
    "\"name\":\"create\"},\"subjects\":[{\"kind\":\"User\",\"name\":\"create\"}"
    ","
    "{\"kind\":\"User\",\"name\":\"both\"}]},"
    "{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":"
    "\"ClusterRoleBinding\",\"metadata\":{\"name\":\"lost\"},\"roleRef\":"
    "{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"ClusterRole\","
    "\"name\":\"missing\"},\"subjects\":[{\"kind\":\"User\",\"name\":\"lost\"},"
    "{\"kind\":\"User\",\"name\":\"lonely\"}]}]}";

static struct policy *files, *live;
static struct access_rules *rules;
static struct config *config;

static struct policy *
load(const char *text)
{
	char path[] = "/tmp/test_judge.XXXXXX";
	const char *paths[] = {path};
	struct policy *p = NULL;
	struct errinfo err = {0};
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	if (policy_load(paths, 1, true, &p, &err) != STATUS_OK)
		fail_msg("%.*s", SLICE_ARG(buf_slice(&err.text)));
	(void)unlink(path);
	errinfo_release(&err);
	return p;
}

#define FORBIDDEN(user, verb, thing)                                           \
	"pods \"web\" is forbidden: User \"" user "\" cannot " verb            \
	" resource \"" thing "\" in API group \"\" in the namespace \"dev\": "
#define GONE(role)                                                             \
	"RBAC: clusterrole.rbac.authorization.k8s.io \"" role "\" not found"

static struct judge_row {
	const char *name;
	const char *user, *verb, *subresource;
	enum authorizer order[2];
	bool ruled; /* the rule asks for a group */
	enum judge_stage stage;
	const char *message; /* NULL: allowed */
} judge_rows[] = {
    /* clang-format off */
	{ "files allow", "get", "get", "", { AUTHORIZER_RBAC }, false,
	    JUDGE_ALLOWED, NULL },
	/* spec: T-61 */
	{ "nobody allows", "create", "get", "", { AUTHORIZER_RBAC }, false,
	    JUDGE_NOBODY, FORBIDDEN("create", "get", "pods")
	    "no role grants this" },
	{ "the cluster allows what the files do not", "create", "create", "exec",
	    { AUTHORIZER_RBAC }, false, JUDGE_ALLOWED, NULL },
	{ "a stream needs create, whatever the verb", "get", "get", "exec",
	    { AUTHORIZER_RBAC }, false, JUDGE_STREAM,
	    FORBIDDEN("get", "create", "pods/exec") "no role grants this" },
	/* spec: T-07 - without a word of the role that grants create */
	{ "and the verb itself", "create", "get", "exec", { AUTHORIZER_RBAC },
	    false, JUDGE_NOBODY, FORBIDDEN("create", "create", "pods/exec")
	    "no role grants the verb \"get\"" },
	{ "who has both may", "both", "get", "exec", { AUTHORIZER_RBAC }, false,
	    JUDGE_ALLOWED, NULL },
	{ "upstream has the last word", "create", "get", "",
	    { AUTHORIZER_RBAC, AUTHORIZER_UPSTREAM }, false, JUDGE_ALLOWED, NULL },
	{ "both policies tell what they miss", "lost", "get", "",
	    { AUTHORIZER_RBAC }, false, JUDGE_NOBODY,
	    FORBIDDEN("lost", "get", "pods")
	    GONE("gone") "; " GONE("missing") ": no role grants this" },
	{ "one of them", "lonely", "get", "", { AUTHORIZER_RBAC }, false,
	    JUDGE_NOBODY, FORBIDDEN("lonely", "get", "pods")
	    GONE("missing") ": no role grants this" },
	{ "a rule refuses what is allowed", "get", "get", "", { AUTHORIZER_RBAC },
	    true, JUDGE_ACCESS_RULE, FORBIDDEN("get", "get", "pods")
	    "access rule \"ops\" requires group ops" },
	{ "and says so where no role grants it either", "x", "get", "",
	    { AUTHORIZER_RBAC }, true, JUDGE_ACCESS_RULE,
	    FORBIDDEN("x", "get", "pods")
	    "access rule \"ops\" requires group ops" },
    /* clang-format on */
};

static void
check_judge(void **state)
{
	const struct judge_row *row = *state;
	struct authorize_chain chain = {.count = row->order[1] != 0 ? 2 : 1,
	    .rbac = files,
	    .live = live};
	struct judge j = {.chain = &chain, .rules = row->ruled ? rules : NULL};
	struct user u = {.name = slice_of(row->user)};
	struct attributes a = {.is_resource = true,
	    .verb = slice_of(row->verb),
	    .resource = SLICE("pods"),
	    .subresource = slice_of(row->subresource),
	    .ns = SLICE("dev"),
	    .name = SLICE("web")};
	struct judge_question q = {.requestor = &u,
	    .user = &u,
	    .attributes = &a};
	struct judgement x;
	char text[1024];
	struct buf b;

	memcpy(chain.order, row->order, sizeof(row->order));
	x.stream.decision = ALLOW; /* not set where there is no stream */
	judge(&j, &q, &x);
	assert_int_equal(x.stage, row->stage);
	if (row->message == NULL)
		return;
	buf_init_fixed(&b, text, sizeof(text));
	judgement_put_message(&b, &j, &q, &x);
	assert_slice(buf_slice(&b), row->message);
}

/* Rules look at who authenticated, authorizers at who acts. */
static void
test_requestor_and_user(void **state)
{
	struct authorize_chain chain = {.order = {AUTHORIZER_RBAC},
	    .count = 1,
	    .rbac = files};
	struct judge j = {.chain = &chain, .rules = rules};
	struct slice ops = SLICE("ops");
	struct user boss = {.name = SLICE("boss"),
	    .groups = &ops,
	    .group_count = 1};
	struct user actor = {.name = SLICE("get")};
	struct attributes a = {.is_resource = true,
	    .verb = SLICE("get"),
	    .resource = SLICE("pods")};
	struct judge_question q = {.requestor = &boss,
	    .user = &actor,
	    .attributes = &a};
	struct judgement x;
	char text[256];
	struct buf b;

	(void)state;
	judge(&j, &q, &x);
	assert_int_equal(x.stage, JUDGE_ALLOWED);
	buf_init_fixed(&b, text, sizeof(text));
	judgement_put_decided(&b, &j, &q, &x);
	assert_slice(buf_slice(&b),
	    "RBAC: allowed by ClusterRoleBinding \"get\" of ClusterRole "
	    "\"get\" to User \"get\"");
	q.requestor = &actor;
	judge(&j, &q, &x);
	assert_int_equal(x.stage, JUDGE_ACCESS_RULE);
	q.requestor = q.user = &boss;
	judge(&j, &q, &x);
	assert_int_equal(x.stage, JUDGE_NOBODY);
}

/* spec: T-07 - what holds up an answer, and a no that nobody outweighs */
static void
test_words_without_a_role(void **state)
{
	struct authorize_chain chain = {.order = {AUTHORIZER_RBAC}, .count = 1};
	struct judge j = {.chain = &chain, .awaits_roles = true};
	struct user u = {.name = SLICE("get")};
	struct attributes a = {.is_resource = true,
	    .verb = SLICE("get"),
	    .resource = SLICE("pods")};
	struct judge_question q = {.requestor = &u,
	    .user = &u,
	    .attributes = &a};
	struct judgement x;
	char text[256];
	struct buf b;

	(void)state;
	judge(&j, &q, &x);
	assert_int_equal(x.stage, JUDGE_WAIT);
	buf_init_fixed(&b, text, sizeof(text));
	judgement_put_decided(&b, &j, &q, &x);
	assert_slice(buf_slice(&b), "the cluster's roles are not known yet");
	x.stage = JUDGE_NOBODY;
	x.verdict.decision = DENY;
	buf_reset(&b);
	judgement_put_decided(&b, &j, &q, &x);
	assert_slice(buf_slice(&b), "denied");
}

/*
 * spec: T-130 - only what labels may change waits for them: a rule that refuses
 * whatever they are ends open streams meanwhile.
 */
static void
test_labels_that_are_awaited(void **state)
{
	static const char *const groups[] = {"ops"};
	static const unsigned lines[] = {1};
	const struct config_requirement prod = {.key = "tier", .op = "Exists"};
	const struct config_rule list[] = {
	    {.name = "labels",
		.has_selector = true,
		.selector = &prod,
		.selector_count = 1,
		.required_groups = {groups, lines, 1}},
	    {.name = "ops", .required_groups = {groups, lines, 1}},
	};
	struct authorize_chain chain = {.order = {AUTHORIZER_RBAC},
	    .count = 1,
	    .rbac = files};
	struct user u = {.name = SLICE("get")};
	struct attributes a = {.is_resource = true,
	    .verb = SLICE("get"),
	    .resource = SLICE("pods"),
	    .ns = SLICE("dev")};
	struct judge_question q = {.requestor = &u,
	    .user = &u,
	    .attributes = &a};
	struct ns_labels *bare = ns_labels_new(SLICE("dev"), NULL, 0);
	struct namespaces *known = namespaces_new(&bare, 1);

	(void)state;
	for (size_t count = 1; count <= 2; count++) {
		struct config_cluster c = {.rules = list, .rule_count = count};
		struct judge j = {.chain = &chain, .awaits_labels = true};
		struct access_rules *made = NULL;
		struct errinfo err = {0};
		struct judgement x;

		assert_ok(access_rules_new(config, &c, NULL, 0, &made, &err));
		j.rules = made;
		judge(&j, &q, &x);
		assert_int_equal(x.stage,
		    count == 1 ? JUDGE_WAIT : JUDGE_ACCESS_RULE);
		assert_ptr_equal(x.rules.refused,
		    access_rules_at(made, count - 1));
		j.awaits_labels = false; /* too old by now: they count */
		judge(&j, &q, &x);
		assert_int_equal(x.stage, JUDGE_ACCESS_RULE);
		j.namespaces = known;
		judge(&j, &q, &x);
		assert_int_equal(x.stage,
		    count == 1 ? JUDGE_ALLOWED : JUDGE_ACCESS_RULE);
		access_rules_unref(made);
	}
	ns_labels_unref(bare);
	namespaces_unref(known);
}

int
main(void)
{
	static const char *const groups[] = {"ops"};
	static const unsigned lines[] = {1};
	const struct config_rule rule = {.name = "ops",
	    .required_groups = {groups, lines, 1}};
	struct config_cluster c = {.rules = &rule, .rule_count = 1};
	struct rows rows = {0};
	struct errinfo err = {0};
	int failed;

	files = load(files_text);
	live = load(live_text);
	assert_ok(config_load("tests/vectors/rules/rules.yaml", CONFIG_NEED_ALL,
	    &config, &err));
	assert_ok(access_rules_new(config, &c, NULL, 0, &rules, &err));
	ROWS_ADD_TABLE(&rows, judge_rows, check_judge);
	rows_add(&rows, "requestor and user", test_requestor_and_user, NULL);
	rows_add(&rows, "words without a role", test_words_without_a_role,
	    NULL);
	rows_add(&rows, "labels that are awaited", test_labels_that_are_awaited,
	    NULL);
	failed = rows_run(&rows, "judge");
	access_rules_unref(rules);
	config_unref(config);
	policy_unref(files);
	policy_unref(live);
	errinfo_release(&err);
	return failed;
}
