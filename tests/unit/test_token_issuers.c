/*
 * test_token_issuers.c - tokens of Entra ID and of the cluster's own issuer.
 *
 * Signatures are over what row 1 of tokens.txt says (tests/support/signed.h),
 * so that any claims can be asked about.
 */
#include "authn/token.h"

#include <stdlib.h>

#include "authn/entra_cloud.h"
#include "authn/strict_json.h"
#include "base/base64url.h"
#include "tests/support/rows.h"
#include "tests/support/signed.h"

enum {
	NOW = 1800000000
};

#define TENANT "11111111-2222-3333-4444-55555555aaaa"
#define OTHER  "99999999-2222-3333-4444-55555555aaaa"
#define V1     "https://sts.windows.net/" TENANT "/"
#define V2     "https://login.microsoftonline.com/" TENANT "/v2.0"
#define ENTRA(more)                                                            \
	"{\"iss\":\"" V1 "\",\"aud\":\"api\",\"tid\":\"" TENANT                \
	"\",\"exp\":1800000060,\"upn\":\"ann\"" more "}"
#define ENTRA_OF(iss, tid)                                                     \
	"{\"iss\":\"" iss "\",\"aud\":\"api\",\"tid\":" tid                    \
	",\"exp\":1800000060,\"upn\":\"ann\"}"
#define HEADER(kid) "{\"alg\":\"RS256\",\"kid\":\"" kid "\"}"
#define CLUSTER     "https://kubernetes.default.svc"
#define ACCOUNT(more)                                                          \
	"{\"iss\":\"" CLUSTER "\",\"aud\":[\"api\"],\"exp\":1800000060,"       \
	"\"sub\":\"system:serviceaccount:dev:ci\",\"kubernetes.io\":"          \
	"{\"namespace\":\"dev\",\"serviceaccount\":{\"name\":\"ci\","          \
	"\"uid\":\"u\"}}" more "}"

/* spec: Entra issuer, Entra keys, Entra groups, K8S service accounts */
static struct row {
	const char *name;
	const char *header, *claims;
	enum authn_reason reason;
	const char *user;
} rows[] = {
    /* clang-format off */
	{ "v1.0", HEADER("plain"), ENTRA(""), AUTHN_OK, "ann" },
	{ "v2.0", HEADER("plain"), ENTRA_OF(V2, "\"" TENANT "\""), AUTHN_OK, "ann" },
	{ "another tenant's issuer", HEADER("plain"),
	    ENTRA_OF("https://sts.windows.net/" OTHER "/", "\"" OTHER "\""), AUTHN_ISSUER, NULL },
	{ "another tenant's tid", HEADER("plain"), ENTRA_OF(V1, "\"" OTHER "\""), AUTHN_ISSUER, NULL },
	{ "a tid that is a list", HEADER("plain"), ENTRA_OF(V1, "[\"" TENANT "\"]"), AUTHN_ISSUER, NULL },
	{ "a key of every tenant", HEADER("every"), ENTRA_OF(V2, "\"" TENANT "\""), AUTHN_OK, "ann" },
	{ "a key for v2.0 does not serve v1.0", HEADER("every"), ENTRA(""), AUTHN_UNKNOWN_KEY, NULL },
	{ "another tenant's key", HEADER("other"), ENTRA(""), AUTHN_UNKNOWN_KEY, NULL },
	{ "a key of the cloud", HEADER("cloud"), ENTRA(""), AUTHN_OK, "ann" },
	{ "another cloud's key", HEADER("gov"), ENTRA(""), AUTHN_UNKNOWN_KEY, NULL },
	{ "no kid", "{\"alg\":\"RS256\"}", ENTRA(""), AUTHN_UNKNOWN_KEY, NULL },
	{ "an unknown kid", HEADER("x"), ENTRA(""), AUTHN_UNKNOWN_KEY, NULL },
	{ "PS256, which is allowed elsewhere", "{\"alg\":\"PS256\",\"kid\":\"plain\"}", ENTRA(""),
	    AUTHN_ALGORITHM, NULL },
	{ "RFC 7800 3.1: bound to a key", HEADER("plain"), ENTRA(",\"cnf\":{\"kid\":\"k\"}"), AUTHN_POP_BINDING, NULL },
	{ "groups in the token", HEADER("plain"), ENTRA(",\"groups\":[\"g\"]"), AUTHN_OK, "ann" },
	{ "groups to be looked up", HEADER("plain"),
	    ENTRA(",\"_claim_names\":{\"groups\":\"s\"},\"_claim_sources\":{\"s\":{\"endpoint\":\"https://x\"}}"),
	    AUTHN_GROUP_LOOKUP, NULL },
	{ "an application's groups", HEADER("plain"),
	    ENTRA(",\"idtyp\":\"app\",\"_claim_names\":{\"groups\":\"s\"},\"_claim_sources\":"
		"{\"s\":{\"endpoint\":\"https://x\"}}"),
	    AUTHN_APP_OVERAGE, NULL },
	{ "a system: name", HEADER("plain"),
	    "{\"iss\":\"" V1 "\",\"aud\":\"api\",\"tid\":\"" TENANT "\",\"exp\":1800000060,\"upn\":\"system:x\"}",
	    AUTHN_USERNAME_CLAIM, NULL },
	{ "an account", HEADER("plain"), ACCOUNT(""), AUTHN_OK, "system:serviceaccount:dev:ci" },
	{ "an account by PS256 of another text", "{\"alg\":\"PS256\",\"kid\":\"plain\"}", ACCOUNT(""),
	    AUTHN_SIGNATURE, NULL },
	{ "T-73 a claim twice", HEADER("plain"), ACCOUNT(",\"aud\":\"x\""), AUTHN_MALFORMED, NULL },
	{ "an account without uid", HEADER("plain"),
	    "{\"iss\":\"" CLUSTER "\",\"aud\":\"api\",\"exp\":1800000060,\"sub\":\"system:serviceaccount:dev:ci\","
	    "\"kubernetes.io\":{\"namespace\":\"dev\",\"serviceaccount\":{\"name\":\"ci\"}}}",
	    AUTHN_UID_CLAIM, NULL },
    /* clang-format on */
};

static struct issuers *issuers;
static struct jwks *set;
static struct jws_verifier *verifier;
static struct vectors vectors;

/* --- what they are judged by --- */

static const char *const tenants[] = {TENANT};
static const char *const audiences[] = {"api"};
static const char *const algorithms[] = {"RS256", "PS256"};

static struct issuers_entra entra = {.tenants = tenants,
    .tenant_count = 1,
    .audiences = audiences,
    .audience_count = 1,
    .line = 7};
static const struct issuers_accounts accounts = {.url = CLUSTER,
    .audiences = audiences,
    .audience_count = 1,
    .line = 9};

static const struct issuers_options options = {.entra = &entra,
    .accounts = &accounts,
    .algorithms = algorithms,
    .algorithm_count = COUNT_OF(algorithms)};

/* The key of row 1 under many kids, for whoever its members say. */
static struct jwks *
make_set(void)
{
	static const struct {
		const char *kid, *member, *value;
	} all[] = {
	    {"plain", "zz", ""},
	    {"every", "issuer",
		"https://login.microsoftonline.com/{tenantid}/v2.0"},
	    {"other", "issuer", "https://sts.windows.net/" OTHER "/"},
	    {"cloud", "cloud_instance_name", "microsoftonline.com"},
	    {"gov", "cloud_instance_name", "microsoftonline.us"},
	};
	json_t *from = json_load_file("tests/vectors/authn/keys.json", 0, NULL);
	json_t *first = json_array_get(json_object_get(from, "keys"), 0);
	json_t *list = json_array();
	struct errinfo err = {0};
	struct jwks *made = NULL;
	char *text;

	assert_non_null(first);
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		json_t *key = json_pack("{s:O,s:O,s:O,s:s,s:s}", "kty",
		    json_object_get(first, "kty"), "n",
		    json_object_get(first, "n"), "e",
		    json_object_get(first, "e"), "kid", all[i].kid,
		    all[i].member, all[i].value);

		assert_int_equal(json_array_append_new(list, key), 0);
	}
	list = json_pack("{s:o}", "keys", list);
	text = json_dumps(list, 0);
	assert_ok(jwks_parse(slice_of(text), "keys", &made, &err));
	assert_int_equal(jwks_count(made), COUNT_OF(all));
	free(text);
	json_decref(list);
	json_decref(from);
	return made;
}

static void
judge(const char *header, const char *claims, struct token_verdict *v)
{
	struct jwks *sets[ISSUERS_MAX + 1];
	struct slice row = vectors.rows[0]->columns[5];
	size_t dot = row.n;
	struct buf token;

	while (row.p[dot - 1] != '.')
		dot--;
	for (size_t i = 0; i < COUNT_OF(sets); i++)
		sets[i] = set;
	buf_init(&token, TOKEN_MAX);
	base64url_put(&token, slice_of(header));
	buf_putc(&token, '.');
	base64url_put(&token, slice_of(claims));
	buf_putc(&token, '.');
	buf_put(&token, slice_from(row, dot));
	signed_exchange(slice_first(row, dot - 1));
	token_judge(issuers, sets, verifier, buf_slice(&token), NOW, v);
	(void)signed_restore();
	buf_release(&token);
}

static void
check_row(void **state)
{
	const struct row *r = *state;
	struct token_verdict v;

	judge(r->header, r->claims, &v);
	assert_string_equal(authn_reason_name(v.reason),
	    authn_reason_name(r->reason));
	if (r->user != NULL)
		assert_slice(v.identity->user.name, r->user);
	else
		assert_null(v.identity);
	identity_unref(v.identity);
}

/* --- the issuers themselves --- */

static void
test_what_they_are(void **state)
{
	struct slice tenant;

	(void)state;
	assert_int_equal(issuers->count, 3);
	assert_slice(issuers->list[0].url, V1);
	assert_slice(issuers->list[1].url, V2);
	assert_slice(issuers->list[2].url, CLUSTER);
	for (size_t i = 0; i < 2; i++) {
		assert_ptr_equal(issuers->list[i].cloud, entra_cloud_at(0));
		assert_slice(issuers->list[i].tenant, TENANT);
		assert_int_equal(issuers->list[i].line, 7);
		assert_ptr_equal(entra_cloud_of(issuers->list[i].url, &tenant),
		    entra_cloud_at(0));
		assert_slice(tenant, TENANT);
	}
	assert_true(issuers->list[2].is_service_accounts);
	/* spec: Entra keys: of the authority, for both versions */
	assert_string_equal(issuers_discovery_url(issuers, 0),
	    "https://login.microsoftonline.com/" TENANT
	    "/.well-known/openid-configuration");
	assert_string_equal(issuers_discovery_url(issuers, 1),
	    V2 "/.well-known/openid-configuration");
	assert_int_not_equal(memcmp(issuers->list[0].digest,
				 issuers->list[1].digest, DIGEST_SIZE),
	    0);
}

/* spec: Entra keys: a document of another cloud has other keys */
static void
test_discovery(void **state)
{
	static const struct {
		const char *cloud;
		bool good;
	} documents[] = {
	    {"", true},
	    {",\"cloud_instance_name\":\"microsoftonline.com\"", true},
	    {",\"cloud_instance_name\":\"microsoftonline.us\"", false},
	    {",\"cloud_instance_name\":7", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(documents); i++) {
		struct errinfo err = {0};
		char *uri = NULL;
		struct buf b;

		buf_init(&b, 4096);
		buf_putf(&b,
		    "{\"issuer\":\"" V1 "\",\"jwks_uri\":"
		    "\"https://login.microsoftonline.com/common/keys\"%s}",
		    documents[i].cloud);
		assert_status(issuers_read_discovery(issuers, 0, buf_slice(&b),
				  &uri, &err),
		    documents[i].good ? STATUS_OK : STATUS_MALFORMED);
		assert_int_equal(uri != NULL, documents[i].good);
		free(uri);
		buf_release(&b);
		errinfo_release(&err);
	}
}

/* A token of the cluster must have one issuer, whose rules are its own. */
static void
test_one_issuer_twice(void **state)
{
	static const struct issuers_accounts same = {.url = V1,
	    .audiences = audiences,
	    .audience_count = 1,
	    .line = 9};
	struct issuers_options o = options;
	struct issuers *i = NULL;
	struct errinfo err = {0};

	(void)state;
	o.accounts = &same;
	o.path = "gateway.yaml";
	assert_status(issuers_load(&o, &i, &err), STATUS_MALFORMED);
	assert_null(i);
	assert_true(slice_starts(buf_slice(&err.text), SLICE("gateway.yaml:")));
	errinfo_release(&err);
}

static void
test_accounts_alone(void **state)
{
	struct issuers_options o = options;
	struct issuers *i = NULL;

	(void)state;
	o.entra = NULL;
	assert_ok(issuers_load(&o, &i, NULL));
	assert_int_equal(i->count, 1);
	assert_int_equal(issuers_find(i, SLICE(CLUSTER)), 0);
	issuers_unref(i);
}

static void
set_up(void)
{
	struct errinfo err = {0};

	entra.cloud = entra_cloud_at(0);
	assert_ok(issuers_load(&options, &issuers, &err));
	errinfo_release(&err);
	set = make_set();
	verifier = jws_verifier_new();
	assert_non_null(verifier);
	vectors_read(&vectors, "tests/vectors/authn/tokens.txt");
}

int
main(void)
{
	struct rows all = {0};
	int failed;

	set_up();
	ROWS_ADD_TABLE(&all, rows, check_row);
	rows_add(&all, "what the issuers are", test_what_they_are, NULL);
	rows_add(&all, "discovery documents", test_discovery, NULL);
	rows_add(&all, "one issuer twice", test_one_issuer_twice, NULL);
	rows_add(&all, "the cluster's issuer alone", test_accounts_alone, NULL);
	failed = rows_run(&all, "token_issuers");
	vectors_release(&vectors);
	jws_verifier_free(verifier);
	jwks_unref(set);
	issuers_unref(issuers);
	return failed;
}
