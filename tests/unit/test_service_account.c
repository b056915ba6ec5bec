/*
 * test_service_account.c - who a service account's token is.
 */
#include "authn/service_account.h"

#include "authn/strict_json.h"
#include "tests/support/failing.h"
#include "tests/support/rows.h"

#define SUB     "\"sub\":\"system:serviceaccount:dev:ci\""
#define OWN     "\"namespace\":\"dev\",\"serviceaccount\":" ACCOUNT
#define ACCOUNT "{\"name\":\"ci\",\"uid\":\"u-1\"}"
/* The claims, with more in Kubernetes' own claim, and beside it. */
#define CLAIMS(more, beside)                                                   \
	"{" SUB ",\"kubernetes.io\":{" OWN more "}" beside "}"
#define USER "system:serviceaccount:dev:ci|u-1|"
#define POD  "pod-name=p-1;pod-uid=p-2;"
#define NODE "node-name=n-1;"
#define LONG_63                                                                \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG_64 LONG_63 "a"

/* spec: K8S service accounts */
static struct row {
	const char *name;
	const char *claims;
	enum authn_reason reason;
	const char *want; /* NAME|UID|KEY=VALUE;KEY=VALUE; of the extra */
} rows[] = {
    /* clang-format off */
	{ "an account", CLAIMS("", ""), AUTHN_OK, USER },
	{ "jti", CLAIMS("", ",\"jti\":\"t-1\""), AUTHN_OK, USER "credential-id=JTI=t-1;" },
	{ "a pod", CLAIMS(",\"pod\":{\"name\":\"p-1\",\"uid\":\"p-2\"}", ""), AUTHN_OK, USER POD },
	{ "a pod without uid is none", CLAIMS(",\"pod\":{\"name\":\"p-1\"}", ""), AUTHN_OK, USER },
	{ "a pod without name is none", CLAIMS(",\"pod\":{\"uid\":\"p-1\"}", ""), AUTHN_OK, USER },
	{ "a node", CLAIMS(",\"node\":{\"name\":\"n-1\",\"uid\":\"n-2\"}", ""), AUTHN_OK,
	    USER NODE "node-uid=n-2;" },
	{ "a node without uid", CLAIMS(",\"node\":{\"name\":\"n-1\"}", ""), AUTHN_OK, USER NODE },
	{ "a node without name is none", CLAIMS(",\"node\":{\"uid\":\"n-1\"}", ""), AUTHN_OK, USER },
	{ "all of it",
	    CLAIMS(",\"pod\":{\"name\":\"p-1\",\"uid\":\"p-2\"},\"node\":{\"name\":\"n-1\"}",
		",\"jti\":\"t-1\",\"groups\":[\"system:masters\"]"),
	    AUTHN_OK, USER POD NODE "credential-id=JTI=t-1;" },
	{ "a pod that is a string", CLAIMS(",\"pod\":\"p-1\"", ""), AUTHN_OK, USER },
	{ "a longest namespace",
	    "{\"sub\":\"system:serviceaccount:" LONG_63 ":ci\",\"kubernetes.io\":{\"namespace\":\"" LONG_63
	    "\",\"serviceaccount\":" ACCOUNT "}}",
	    AUTHN_OK, "system:serviceaccount:" LONG_63 ":ci|u-1|" },
	{ "a namespace that is too long",
	    "{\"sub\":\"system:serviceaccount:" LONG_64 ":ci\",\"kubernetes.io\":{\"namespace\":\"" LONG_64
	    "\",\"serviceaccount\":" ACCOUNT "}}",
	    AUTHN_USERNAME_CLAIM, NULL },
	{ "no claim of Kubernetes'", "{" SUB "}", AUTHN_USERNAME_CLAIM, NULL },
	{ "its claim is a string", "{" SUB ",\"kubernetes.io\":\"dev\"}", AUTHN_USERNAME_CLAIM, NULL },
	{ "no namespace", "{" SUB ",\"kubernetes.io\":{\"serviceaccount\":" ACCOUNT "}}",
	    AUTHN_USERNAME_CLAIM, NULL },
	{ "no account", "{" SUB ",\"kubernetes.io\":{\"namespace\":\"dev\"}}", AUTHN_USERNAME_CLAIM, NULL },
	{ "no sub", "{\"kubernetes.io\":{" OWN "}}", AUTHN_USERNAME_CLAIM, NULL },
	{ "sub says another account",
	    "{\"sub\":\"system:serviceaccount:dev:cd\",\"kubernetes.io\":{" OWN "}}", AUTHN_USERNAME_CLAIM, NULL },
	{ "sub says another namespace",
	    "{\"sub\":\"system:serviceaccount:kube-system:ci\",\"kubernetes.io\":{" OWN "}}",
	    AUTHN_USERNAME_CLAIM, NULL },
	{ "sub without the prefix", "{\"sub\":\"dev:ci\",\"kubernetes.io\":{" OWN "}}", AUTHN_USERNAME_CLAIM, NULL },
	{ "a colon cannot move between the two",
	    "{\"sub\":\"system:serviceaccount:dev:x:ci\",\"kubernetes.io\":"
	    "{\"namespace\":\"dev:x\",\"serviceaccount\":" ACCOUNT "}}",
	    AUTHN_USERNAME_CLAIM, NULL },
	{ "an account that is no name",
	    "{\"sub\":\"system:serviceaccount:dev:Ci\",\"kubernetes.io\":"
	    "{\"namespace\":\"dev\",\"serviceaccount\":{\"name\":\"Ci\",\"uid\":\"u-1\"}}}",
	    AUTHN_USERNAME_CLAIM, NULL },
	{ "no uid",
	    "{" SUB ",\"kubernetes.io\":{\"namespace\":\"dev\",\"serviceaccount\":{\"name\":\"ci\"}}}",
	    AUTHN_UID_CLAIM, NULL },
	{ "T-78 a line end in jti", CLAIMS("", ",\"jti\":\"a\\nb\""), AUTHN_UID_CLAIM, NULL },
	{ "T-78 a jti beyond 1024 octets", CLAIMS("", ",\"jti\":\"" /* 17 * 64 */
	    LONG_64 LONG_64 LONG_64 LONG_64 LONG_64 LONG_64 LONG_64 LONG_64 LONG_64
	    LONG_64 LONG_64 LONG_64 LONG_64 LONG_64 LONG_64 LONG_64 LONG_64 "\""), AUTHN_UID_CLAIM, NULL },
	{ "T-78 a blank behind a pod", CLAIMS(",\"pod\":{\"name\":\"p \",\"uid\":\"x\"}", ""), AUTHN_UID_CLAIM, NULL },
	{ "T-78 a blank before a pod's uid", CLAIMS(",\"pod\":{\"name\":\"p\",\"uid\":\" x\"}", ""),
	    AUTHN_UID_CLAIM, NULL },
	{ "T-78 a control in a node", CLAIMS(",\"node\":{\"name\":\"n\\u0001\"}", ""), AUTHN_UID_CLAIM, NULL },
	{ "T-78 a control in a node's uid", CLAIMS(",\"node\":{\"name\":\"n\",\"uid\":\"\\u007f\"}", ""),
	    AUTHN_UID_CLAIM, NULL },
    /* clang-format on */
};

static void
check_user(const struct user *u, const char *want)
{
	const struct slice domain = SLICE("authentication.kubernetes.io/");
	struct buf text;

	buf_init(&text, 4096);
	buf_put(&text, u->name);
	buf_putf(&text, "|%.*s|", SLICE_ARG(u->uid));
	for (size_t i = 0; i < u->extra_count; i++) {
		assert_true(slice_starts(u->extra[i].key, domain));
		assert_int_equal(u->extra[i].count, 1);
		buf_put(&text, slice_from(u->extra[i].key, domain.n));
		buf_putf(&text, "=%.*s;", SLICE_ARG(u->extra[i].values[0]));
	}
	assert_slice(buf_slice(&text), want);
	buf_release(&text);
	assert_int_equal(u->group_count, 3);
	assert_slice(u->groups[0], "system:serviceaccounts");
	assert_true(
	    slice_starts(u->groups[1], SLICE("system:serviceaccounts:")));
	assert_slices(u->groups[2], GROUP_AUTHENTICATED);
}

static void
check_row(void **state)
{
	const struct row *r = *state;
	struct identity *id = NULL;
	json_t *claims;

	assert_ok(strict_json_parse(slice_of(r->claims), &claims, NULL));
	assert_string_equal(
	    authn_reason_name(service_account_identity(claims, &id)),
	    authn_reason_name(r->reason));
	if (r->want != NULL)
		check_user(&id->user, r->want);
	else
		assert_null(id);
	identity_unref(id);
	json_decref(claims);
}

/* spec: T-01 */
static void
test_no_memory(void **state)
{
	struct identity *id = NULL;
	json_t *claims;

	(void)state;
	assert_ok(strict_json_parse(SLICE(CLAIMS("", "")), &claims, NULL));
	failing_at(1);
	assert_int_equal(service_account_identity(claims, &id), AUTHN_INTERNAL);
	assert_true(failing_stop());
	assert_null(id);
	json_decref(claims);
}

int
main(void)
{
	struct rows all = {0};

	ROWS_ADD_TABLE(&all, rows, check_row);
	rows_add(&all, "no memory", test_no_memory, NULL);
	return rows_run(&all, "service_account");
}
