/*
 * entra.c - from the claims of an Entra ID token to an identity.
 */
#include "authn/entra.h"

#include "authn/strict_json.h"
#include "base/arena.h"

enum {
	ARENA_MAX = 64 * 1024
};

static const json_t *
claim(const json_t *claims, const char *name)
{
	return json_object_get(claims, name);
}

/* --- whose token it is --- */

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') ||
	    (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
}

bool
entra_is_guid(struct slice s)
{
	if (s.n != 36)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s.p[i] != '-' : !is_hex(s.p[i]))
			return false;
	}
	return true;
}

static bool
is_admitted(const struct entra_issuer *i, struct slice tenant)
{
	for (size_t n = 0; n < i->tenant_count; n++) {
		if (slice_eq(i->tenants[n], tenant))
			return true;
	}
	return i->every_tenant;
}

/* Take prefix off the front of *s. */
static bool
skip(struct slice *s, struct slice prefix)
{
	if (!slice_starts(*s, prefix))
		return false;
	*s = slice_from(*s, prefix.n);
	return true;
}

/*
 * spec: Entra issuer: the tenant is put in, then all of it must be equal.  What
 * has no place for a tenant is compared as it stands.
 */
static bool
is_issued_by(const struct entra_issuer *i, struct slice iss,
    struct slice tenant)
{
	struct slice want = i->url;
	bool has_place = false;

	while (want.n != 0) {
		if (skip(&want, ENTRA_TENANT)) {
			has_place = true;
			if (!entra_is_guid(tenant) || !skip(&iss, tenant))
				return false;
			continue;
		}
		if (!skip(&iss, slice_first(want, 1)))
			return false;
		want = slice_from(want, 1);
	}
	return iss.n == 0 && (!has_place || is_admitted(i, tenant));
}

size_t
entra_find_issuer(const struct entra *e, const json_t *claims)
{
	struct slice iss = strict_json_text(claim(claims, "iss"));
	struct slice tenant = strict_json_text(claim(claims, "tid"));
	size_t n = 0;

	while (n < e->issuer_count &&
	    (iss.n == 0 || !is_issued_by(&e->issuers[n], iss, tenant)))
		n++;
	return n;
}

/* --- who it is --- */

/*
 * spec: Entra name: upn if it is there, whatever it is; else oid.  Other
 * claims are for display, and a name of the cluster's own is nobody's.
 */
static enum authn_reason
read_name(const json_t *claims, struct user *u)
{
	const json_t *v = claim(claims, "upn");

	if (v == NULL)
		v = claim(claims, "oid");
	u->name = strict_json_text(v);
	if (!claim_is_name(u->name) || slice_starts(u->name, SLICE("system:")))
		return AUTHN_USERNAME_CLAIM;
	return AUTHN_OK;
}

/* spec: Entra name: where there is no object id, there is no key for it */
static void
read_object_id(const json_t *claims, struct user *u, struct user_extra *extra,
    struct slice *value)
{
	*value = strict_json_text(claim(claims, "oid"));
	if (!claim_is_name(*value))
		return;
	*extra = (struct user_extra){SLICE("oid"), value, 1};
	u->extra = extra;
	u->extra_count = 1;
}

static enum authn_reason
read_groups(struct arena *a, const json_t *list, struct user *u)
{
	size_t count = json_array_size(list);
	struct slice *groups;

	if (count > CLAIM_GROUPS_MAX)
		return AUTHN_GROUPS_CLAIM;
	groups = arena_alloc(a, (count + 1) * sizeof(*groups));
	if (groups == NULL)
		return AUTHN_INTERNAL;
	for (size_t i = 0; i < count; i++) {
		const json_t *v = json_array_get(list, i);
		struct slice s = strict_json_text(v);

		if (!json_is_string(v) || (s.n != 0 && !claim_is_plain(s)))
			return AUTHN_GROUPS_CLAIM;
		/* spec: T-55: what may not be is dropped */
		if (s.n != 0 && !slice_starts(s, SLICE("system:")))
			groups[u->group_count++] = s;
	}
	groups[u->group_count++] = GROUP_AUTHENTICATED;
	u->groups = groups;
	return AUTHN_OK;
}

/*
 * spec: Entra groups: the source that has the groups, if one is named.  It is
 * not asked where it says: that service has ended.
 */
static enum authn_reason
find_source(const json_t *claims, bool *elsewhere)
{
	const json_t *names = claim(claims, "_claim_names");
	const json_t *name = json_object_get(names, "groups");
	const json_t *source, *endpoint;

	*elsewhere = false;
	if (names == NULL || json_is_null(names) ||
	    (json_is_object(names) && name == NULL))
		return AUTHN_OK;
	if (strict_json_text(name).n == 0)
		return AUTHN_CLAIM_SOURCE;
	source = json_object_getn(claim(claims, "_claim_sources"),
	    json_string_value(name), json_string_length(name));
	if (!json_is_object(source))
		return AUTHN_CLAIM_SOURCE;
	endpoint = json_object_get(source, "endpoint");
	if (endpoint != NULL && !json_is_null(endpoint) &&
	    !json_is_string(endpoint))
		return AUTHN_CLAIM_SOURCE;
	*elsewhere = strict_json_text(endpoint).n != 0;
	return AUTHN_OK;
}

static bool
is_application(const json_t *claims)
{
	return slice_eq_nocase(strict_json_text(claim(claims, "idtyp")),
	    SLICE("app"));
}

/* spec: Entra groups: lookups are for users, and only where groups overflow */
static enum authn_reason
find_groups(struct arena *a, const json_t *claims, struct user *u,
    bool *needs_lookup)
{
	const json_t *list = claim(claims, "groups");
	enum authn_reason r;

	*needs_lookup = false;
	if (list != NULL && !json_is_null(list) && !json_is_array(list))
		return AUTHN_GROUPS_CLAIM;
	if (list == NULL) {
		r = find_source(claims, needs_lookup);
		if (r != AUTHN_OK)
			return r;
		if (*needs_lookup && is_application(claims))
			return AUTHN_APP_OVERAGE;
	}
	return read_groups(a, list, u);
}

enum authn_reason
entra_identity(const json_t *claims, struct identity **out,
    bool *needs_group_lookup)
{
	struct identity *id = NULL;
	struct user_extra extra;
	struct slice oid;
	struct arena a;
	struct user u = {0};
	bool needs_lookup = false;
	enum authn_reason r = read_name(claims, &u);

	arena_init(&a, ARENA_MAX);
	read_object_id(claims, &u, &extra, &oid);
	if (r == AUTHN_OK)
		r = find_groups(&a, claims, &u, &needs_lookup);
	if (r == AUTHN_OK) {
		id = identity_new(&u);
		r = id != NULL ? AUTHN_OK : AUTHN_INTERNAL;
	}
	arena_release(&a);
	if (r != AUTHN_OK)
		return r;
	*out = id;
	*needs_group_lookup = needs_lookup;
	return AUTHN_OK;
}

void
entra_judge(const struct entra *e, const json_t *claims, int64_t now_s,
    struct entra_verdict *out)
{
	*out = (struct entra_verdict){.reason = AUTHN_ISSUER};
	out->issuer = entra_find_issuer(e, claims);
	if (out->issuer == e->issuer_count)
		return;
	out->reason =
	    claim_check_times(claims, e->skew, now_s, &out->expires_s);
	if (out->reason == AUTHN_OK &&
	    !claim_names_audience(e->audiences, e->audience_count,
		claim(claims, "aud")))
		out->reason = AUTHN_AUDIENCE;
	if (out->reason == AUTHN_OK)
		out->reason = entra_identity(claims, &out->identity,
		    &out->needs_group_lookup);
}

/* --- as one of a cluster's issuers --- */

/* spec: Entra lookup: the object id names the user, not a name that changes */
struct slice
entra_object_id(const struct user *u)
{
	for (size_t i = 0; i < u->extra_count; i++) {
		const struct user_extra *x = &u->extra[i];

		if (slice_eq(x->key, SLICE("oid")) && x->count == 1 &&
		    entra_is_guid(x->values[0]))
			return x->values[0];
	}
	return SLICE_EMPTY;
}

bool
entra_key_serves(const struct jwk *key, const struct issuer *issuer)
{
	struct entra_issuer own = {.url = jwk_issuer(key),
	    .every_tenant = true};
	struct slice cloud = jwk_cloud(key);

	return (own.url.n == 0 ||
		   is_issued_by(&own, issuer->url, issuer->tenant)) &&
	    (cloud.n == 0 || slice_eq_str(cloud, issuer->cloud->instance));
}

enum authn_reason
entra_admit(const struct issuer *issuer, const json_t *claims, bool has_proof,
    struct identity **out)
{
	struct identity *id = NULL;
	enum authn_reason r;
	bool needs_group_lookup;

	if (!slice_eq(strict_json_text(claim(claims, "tid")), issuer->tenant))
		return AUTHN_ISSUER;
	/* spec: RFC 7800 3.1: whoever has only the token is not its holder */
	if (!has_proof && claim(claims, "cnf") != NULL)
		return AUTHN_POP_BINDING;
	r = entra_identity(claims, &id, &needs_group_lookup);
	if (r != AUTHN_OK)
		return r;
	if (needs_group_lookup && entra_object_id(&id->user).n == 0) {
		identity_unref(id);
		id = NULL;
	}
	*out = id;
	return needs_group_lookup ? AUTHN_GROUP_LOOKUP : AUTHN_OK;
}
