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

static struct issuers *
load(void)
{
	static const char *const algorithms[] = {"RS256"};
	struct issuers_options o = {.path = "auth.yaml",
	    .algorithms = algorithms,
	    .algorithm_count = 1};
	struct errinfo err = {0};
	struct issuers *issuers = NULL;

	assert_ok(issuers_parse(&o, slice_of(configuration), &issuers, &err));
	errinfo_release(&err);
	return issuers;
}

static void
check_row(void **state)
{
	const struct row *r = *state;
	struct issuers *issuers = load();
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

int
main(void)
{
	struct rows all = {0};

	ROWS_ADD_TABLE(&all, rows, check_row);
	return rows_run(&all, "claims");
}
