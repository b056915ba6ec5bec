/*
 * fuzz_entra.c - claims by the rules of Entra ID.
 */
#include <stdlib.h>

#include "authn/entra.h"
#include "authn/strict_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TENANT "11111111-2222-3333-4444-555555555555"

enum {
	NOW = 1000
};

static const struct slice tenants[] = {SLICE_INIT(TENANT)};
static const struct entra_issuer issuers[] = {
    {.url = SLICE_INIT("https://i.example.com/")},
    {.url = SLICE_INIT("https://{tenantid}.example.com/{tenantid}/"),
	.tenants = tenants,
	.tenant_count = 1},
    {.url = SLICE_INIT("https://o.example.com/{tenantid}/"),
	.every_tenant = true},
};
static const struct slice audiences[] = {SLICE_INIT("a"), SLICE_INIT("b")};
static const struct entra rules = {
    .issuers = issuers,
    .issuer_count = 3,
    .audiences = audiences,
    .audience_count = 2,
    .skew = {ENTRA_NBF_SKEW_S, ENTRA_EXP_SKEW_S},
};

static bool
is_own(struct slice s)
{
	return slice_starts(s, SLICE("system:"));
}

/* A name that may be, groups that may be, and the implicit one once. */
static void
check_user(const struct user *u, const json_t *claims, bool needs_lookup)
{
	size_t listed = json_array_size(json_object_get(claims, "groups"));

	if (!claim_is_name(u->name) || is_own(u->name) || u->uid.n != 0 ||
	    u->group_count == 0 || u->group_count > listed + 1 ||
	    listed > CLAIM_GROUPS_MAX || u->extra_count > 1)
		abort();
	for (size_t i = 0; i + 1 < u->group_count; i++) {
		if (!claim_is_plain(u->groups[i]) || is_own(u->groups[i]))
			abort();
	}
	if (!slice_eq(u->groups[u->group_count - 1], GROUP_AUTHENTICATED) ||
	    (needs_lookup && u->group_count != 1))
		abort();
	if (u->extra_count == 1 && !claim_is_name(u->extra[0].values[0]))
		abort();
}

/* Accepted is who is in time, of an issuer, with a name; nobody else. */
static void
check(const json_t *claims)
{
	struct entra_verdict v, again;

	entra_judge(&rules, claims, NOW, &v);
	if ((v.reason == AUTHN_OK) != (v.identity != NULL) ||
	    (v.reason == AUTHN_ISSUER) != (v.issuer == rules.issuer_count))
		abort();
	if (v.reason == AUTHN_OK) {
		check_user(&v.identity->user, claims, v.needs_group_lookup);
		if (v.expires_s <= NOW)
			abort();
		/* What ends, ends: it is refused from that second on. */
		entra_judge(&rules, claims, v.expires_s, &again);
		if (again.reason != AUTHN_EXPIRED || again.identity != NULL)
			abort();
	}
	identity_unref(v.identity);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data, size);
	json_t *claims;

	if (strict_json_parse(text, &claims, NULL) != STATUS_OK)
		return 0;
	check(claims);
	json_decref(claims);
	return 0;
}
