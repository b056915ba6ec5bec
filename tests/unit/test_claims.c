/*
 * test_claims.c - what an issuer's mappings make of claims.
 */
#include "authn/claims.h"

#include "authn/strict_json.h"
#include "tests/support/rows.h"

static const char configuration[] =
    "apiVersion: apiserver.config.k8s.io/v1\n"
    "kind: AuthenticationConfiguration\n"
    "jwt:\n"
    "- issuer: {url: https://i.example.com, audiences: [a]}\n"
    "  claimMappings:\n"
    "    username: {claim: sub, prefix: \"\"}\n"
    "    uid: {claim: oid}\n";

/* spec: kubernetes/apiserver oidc.go: uid.claim must be there, a string */
static struct row {
	const char *name;
	const char *claims;
	enum authn_reason reason;
	const char *uid;
} rows[] = {
    {"a uid", "{\"sub\":\"jane\",\"oid\":\"4-2\"}", AUTHN_OK, "4-2"},
    {"an empty uid", "{\"sub\":\"jane\",\"oid\":\"\"}", AUTHN_OK, ""},
    {"null decodes as empty", "{\"sub\":\"jane\",\"oid\":null}", AUTHN_OK, ""},
    {"no uid", "{\"sub\":\"jane\"}", AUTHN_UID_CLAIM, NULL},
    {"a uid in another case", "{\"sub\":\"jane\",\"OID\":\"4\"}",
	AUTHN_UID_CLAIM, NULL},
    {"a number", "{\"sub\":\"jane\",\"oid\":4}", AUTHN_UID_CLAIM, NULL},
    {"a list", "{\"sub\":\"jane\",\"oid\":[\"4\"]}", AUTHN_UID_CLAIM, NULL},
    {"T-78 a line end", "{\"sub\":\"jane\",\"oid\":\"4\\r\\nA: b\"}",
	AUTHN_UID_CLAIM, NULL},
    {"T-78 a blank after", "{\"sub\":\"jane\",\"oid\":\"4 \"}", AUTHN_UID_CLAIM,
	NULL},
    {"the name is judged first", "{\"oid\":4}", AUTHN_USERNAME_CLAIM, NULL},
};

/* --- groups that are elsewhere, addresses, rules --- */

static const char mappings[] =
    "apiVersion: apiserver.config.k8s.io/v1\n"
    "kind: AuthenticationConfiguration\n"
    "jwt:\n"
    "- issuer: {url: https://i.example.com, audiences: [a]}\n"
    "  claimValidationRules: [{claim: r, requiredValue: v}, {claim: e}]\n"
    "  claimMappings:\n"
    "    username: {claim: email, prefix: \"\"}\n"
    "    groups: {claim: groups, prefix: \"g:\"}\n";

#define WITH(more) "{\"email\":\"a@b\",\"r\":\"v\",\"e\":null" more "}"
#define NAMES(names, sources)                                                  \
	WITH(",\"_claim_names\":" names ",\"_claim_sources\":" sources)

/* spec: kubernetes/apiserver oidc.go */
static struct mapped_row {
	const char *name;
	const char *claims;
	enum authn_reason reason;
	const char *groups; /* with commas */
} mapped_rows[] = {
    /* clang-format off */
	{ "no groups", WITH(""), AUTHN_OK, "" },
	{ "groups null", WITH(",\"groups\":null"), AUTHN_OK, "" },
	{ "one group", WITH(",\"groups\":\"x\""), AUTHN_OK, "g:x," },
	{ "an empty one", WITH(",\"groups\":\"\""), AUTHN_OK, "" },
	{ "some, an empty one left out", WITH(",\"groups\":[\"x\",\"\",\"y\"]"), AUTHN_OK, "g:x,g:y," },
	{ "T-78 a number", WITH(",\"groups\":7"), AUTHN_GROUPS_CLAIM, NULL },
	{ "T-78 a number among them", WITH(",\"groups\":[\"x\",7]"), AUTHN_GROUPS_CLAIM, NULL },
	{ "T-78 a control", WITH(",\"groups\":[\"x\\u0085\"]"), AUTHN_GROUPS_CLAIM, NULL },
	{ "T-78 a blank at an end is a group's own", WITH(",\"groups\":[\"x \"]"), AUTHN_OK, "g:x ," },
	{ "groups elsewhere", NAMES("{\"groups\":\"s\"}", "{\"s\":{\"endpoint\":\"https://x\"}}"),
	    AUTHN_GROUPS_CLAIM, NULL },
	{ "groups here and elsewhere",
	    WITH(",\"groups\":[\"x\"],\"_claim_names\":{\"groups\":\"s\"}"), AUTHN_OK, "g:x," },
	{ "another claim elsewhere", NAMES("{\"x\":\"s\"}", "{}"), AUTHN_OK, "" },
	{ "nothing elsewhere", WITH(",\"_claim_names\":null"), AUTHN_GROUPS_CLAIM, NULL },
	{ "names that are a list", NAMES("[]", "{}"), AUTHN_GROUPS_CLAIM, NULL },
	{ "a source that is a number", NAMES("{\"groups\":7}", "{}"), AUTHN_GROUPS_CLAIM, NULL },
	{ "a source that is not there", NAMES("{\"groups\":\"s\"}", "{}"), AUTHN_GROUPS_CLAIM, NULL },
	{ "a source that is a string", NAMES("{\"groups\":\"s\"}", "{\"s\":\"x\"}"), AUTHN_GROUPS_CLAIM, NULL },
	{ "a source without endpoint", NAMES("{\"groups\":\"s\"}", "{\"s\":{\"JWT\":\"x\"}}"), AUTHN_OK, "" },
	{ "an empty endpoint", NAMES("{\"groups\":\"s\"}", "{\"s\":{\"endpoint\":\"\"}}"), AUTHN_OK, "" },
	{ "an endpoint that is null", NAMES("{\"groups\":\"s\"}", "{\"s\":{\"endpoint\":null}}"), AUTHN_OK, "" },
	{ "a verified address", WITH(",\"email_verified\":true"), AUTHN_OK, "" },
	{ "an address that is not", WITH(",\"email_verified\":false"), AUTHN_USERNAME_CLAIM, NULL },
	{ "one of which nothing is said", WITH(",\"email_verified\":null"), AUTHN_USERNAME_CLAIM, NULL },
	{ "one whose proof is a word", WITH(",\"email_verified\":\"true\""), AUTHN_USERNAME_CLAIM, NULL },
	{ "a rule without its claim", "{\"email\":\"a@b\",\"e\":null}", AUTHN_CLAIM_RULE, NULL },
	{ "a rule with another value", "{\"email\":\"a@b\",\"r\":\"V\",\"e\":null}", AUTHN_CLAIM_RULE, NULL },
	{ "a rule with a list", "{\"email\":\"a@b\",\"r\":[\"v\"],\"e\":null}", AUTHN_CLAIM_RULE, NULL },
	{ "null is empty, not missing", "{\"email\":\"a@b\",\"r\":\"v\"}", AUTHN_CLAIM_RULE, NULL },
    /* clang-format on */
};

/* --- times and audiences --- */

/* spec: T-74, T-75, T-77 */
static struct check_row {
	const char *name;
	const char *claims;
	enum authn_reason reason;
	int64_t until_s;
} check_rows[] = {
    /* clang-format off */
	{ "good", "{\"exp\":1001,\"aud\":\"a\"}", AUTHN_OK, 1001 },
	{ "nbf null is none", "{\"exp\":1001,\"nbf\":null,\"aud\":\"a\"}", AUTHN_OK, 1001 },
	{ "nbf within the leeway", "{\"exp\":2000,\"nbf\":1060,\"aud\":\"a\"}", AUTHN_OK, 2000 },
	{ "nbf beyond it", "{\"exp\":2000,\"nbf\":1061,\"aud\":\"a\"}", AUTHN_NOT_YET_VALID, 0 },
	{ "nbf is a string", "{\"exp\":2000,\"nbf\":\"1\",\"aud\":\"a\"}", AUTHN_NOT_YET_VALID, 0 },
	{ "nbf is negative", "{\"exp\":2000,\"nbf\":-1,\"aud\":\"a\"}", AUTHN_NOT_YET_VALID, 0 },
	{ "exp with a fraction", "{\"exp\":1001.9,\"aud\":\"a\"}", AUTHN_OK, 1002 },
	{ "a fraction that is over", "{\"exp\":999.9,\"aud\":\"a\"}", AUTHN_EXPIRED, 0 },
	{ "exp now", "{\"exp\":1000,\"aud\":\"a\"}", AUTHN_EXPIRED, 0 },
	{ "exp 2^53", "{\"exp\":9007199254740992,\"aud\":\"a\"}", AUTHN_OK, 9007199254740992 },
	{ "exp 2^53 and 2", "{\"exp\":9007199254740994,\"aud\":\"a\"}", AUTHN_EXPIRED, 0 },
	{ "exp 1e300", "{\"exp\":1e300,\"aud\":\"a\"}", AUTHN_EXPIRED, 0 },
	{ "aud twice", "{\"exp\":1001,\"aud\":[\"a\",\"a\",\"b\"]}", AUTHN_OK, 1001 },
	{ "aud the second", "{\"exp\":1001,\"aud\":[\"b\",\"a\"]}", AUTHN_OK, 1001 },
	{ "aud and a number", "{\"exp\":1001,\"aud\":[\"a\",7]}", AUTHN_AUDIENCE, 0 },
	{ "aud and null", "{\"exp\":1001,\"aud\":[\"a\",null]}", AUTHN_AUDIENCE, 0 },
	{ "aud empty", "{\"exp\":1001,\"aud\":[]}", AUTHN_AUDIENCE, 0 },
	{ "aud an object", "{\"exp\":1001,\"aud\":{\"a\":\"a\"}}", AUTHN_AUDIENCE, 0 },
	{ "aud missing", "{\"exp\":1001}", AUTHN_AUDIENCE, 0 },
    /* clang-format on */
};

static struct issuers *
load(const char *text)
{
	static const char *const algorithms[] = {"RS256"};
	struct issuers_options o = {.path = "auth.yaml",
	    .algorithms = algorithms,
	    .algorithm_count = 1,
	    .nbf_skew_s = 60};
	struct errinfo err = {0};
	struct issuers *issuers = NULL;

	assert_ok(issuers_parse(&o, slice_of(text), &issuers, &err));
	errinfo_release(&err);
	return issuers;
}

static void
check_row(void **state)
{
	const struct row *r = *state;
	struct issuers *issuers = load(configuration);
	struct strict_json_error e;
	struct identity *id = NULL;
	json_t *claims;

	assert_ok(strict_json_parse(slice_of(r->claims), &claims, &e));
	assert_string_equal(
	    authn_reason_name(claims_identity(issuers, 0, claims, &id)),
	    authn_reason_name(r->reason));
	if (r->uid != NULL)
		assert_slice(id->user.uid, r->uid);
	else
		assert_null(id);
	identity_unref(id);
	json_decref(claims);
	issuers_unref(issuers);
}

static void
check_mapped(void **state)
{
	const struct mapped_row *r = *state;
	struct issuers *issuers = load(mappings);
	struct identity *id = NULL;
	struct buf text;
	json_t *claims;

	assert_ok(strict_json_parse(slice_of(r->claims), &claims, NULL));
	assert_string_equal(
	    authn_reason_name(claims_identity(issuers, 0, claims, &id)),
	    authn_reason_name(r->reason));
	assert_int_equal(id != NULL, r->groups != NULL);
	buf_init(&text, 4096);
	for (size_t i = 0; id != NULL && i + 1 < id->user.group_count; i++)
		buf_putf(&text, "%.*s,", SLICE_ARG(id->user.groups[i]));
	assert_slice(buf_slice(&text), r->groups);
	buf_release(&text);
	identity_unref(id);
	json_decref(claims);
	issuers_unref(issuers);
}

static void
check_check(void **state)
{
	const struct check_row *r = *state;
	struct issuers *issuers = load(mappings);
	int64_t until_s = 0;
	json_t *claims;

	assert_ok(strict_json_parse(slice_of(r->claims), &claims, NULL));
	assert_string_equal(
	    authn_reason_name(claims_check(issuers, 0, claims, 1000, &until_s)),
	    authn_reason_name(r->reason));
	if (r->reason == AUTHN_OK)
		assert_int_equal(until_s, r->until_s);
	json_decref(claims);
	issuers_unref(issuers);
}

int
main(void)
{
	struct rows all = {0};

	ROWS_ADD_TABLE(&all, rows, check_row);
	ROWS_ADD_TABLE(&all, mapped_rows, check_mapped);
	ROWS_ADD_TABLE(&all, check_rows, check_check);
	return rows_run(&all, "claims");
}
