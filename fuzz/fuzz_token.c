/*
 * fuzz_token.c - claims if the input begins with '{', else a whole token.
 */
#include <stdlib.h>

#include "authn/claims.h"
#include "authn/strict_json.h"
#include "authn/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char configuration[] =
    "{apiVersion: apiserver.config.k8s.io/v1, kind: AuthenticationConfiguration"
    ", jwt: [{issuer: {url: \"https://i.example.com\", audiences: [a]}, "
    "claimValidationRules: [{claim: r}], claimMappings: {username: {claim: "
    "email, prefix: \"\"}, groups: {claim: groups, prefix: \"\"}}}]}";

static struct issuers *issuers;
static struct jws_verifier *verifier;

static void
set_up(void)
{
	static const char *const algorithms[] = {"RS256", "ES256"};
	struct issuers_options o = {.path = "x",
	    .algorithms = algorithms,
	    .algorithm_count = 2};

	verifier = jws_verifier_new();
	if (verifier == NULL ||
	    issuers_parse(&o, slice_of(configuration), &issuers, NULL) !=
		STATUS_OK)
		abort();
}

/* Nobody's name, and no reserved one; implicit group, and no reserved one. */
static void
check_user(const struct user *u)
{
	if (u->name.n == 0 || slice_starts(u->name, SLICE("system:")) ||
	    !user_in_group(u, GROUP_AUTHENTICATED) ||
	    u->group_count > CLAIM_GROUPS_MAX + 1)
		abort();
	for (size_t i = 0; i < u->name.n; i++) {
		if ((unsigned char)u->name.p[i] < 0x20)
			abort();
	}
	for (size_t i = 0; i + 1 < u->group_count; i++) {
		if (u->groups[i].n == 0 ||
		    slice_starts(u->groups[i], SLICE("system:")))
			abort();
	}
}

static void
try_claims(struct slice text)
{
	struct identity *id = NULL;
	json_t *claims;
	int64_t expires_s;

	if (strict_json_parse(text, &claims, NULL) != STATUS_OK)
		return;
	if (claims_check(issuers, 0, claims, 1000, &expires_s) == AUTHN_OK &&
	    expires_s <= 1000)
		abort();
	if (claims_identity(issuers, 0, claims, &id) == AUTHN_OK)
		check_user(&id->user);
	else if (id != NULL)
		abort();
	identity_unref(id);
	json_decref(claims);
}

/* Without a key no token is welcome. */
static void
try_token(struct slice text)
{
	struct jwks *none[1] = {NULL};
	struct token_verdict v;

	token_judge(issuers, none, verifier, text, 1000, &v);
	if (v.reason == AUTHN_OK || v.identity != NULL ||
	    v.wants_keys != (v.reason == AUTHN_KEYS_UNAVAILABLE))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data, size);

	if (issuers == NULL)
		set_up();
	if (size != 0 && data[0] == '{')
		try_claims(text);
	else
		try_token(text);
	return 0;
}
