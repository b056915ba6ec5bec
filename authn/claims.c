/*
 * claims.c - from a token's claims to an identity.
 */
#include "authn/claims.h"

#include "authn/strict_json.h"
#include "base/arena.h"

enum {
	ARENA_MAX = 4 * 1024 * 1024
};

/* --- when and to whom --- */

static const json_t *
claim(const json_t *claims, const char *name)
{
	return json_object_get(claims, name);
}

/* spec: T-74: a finite number from 0 to 2^53, no string, no boolean */
static bool
read_time(const json_t *v, double *out)
{
	double t;

	if (!json_is_number(v))
		return false;
	t = json_number_value(v);
	if (!(t >= 0 && t <= 9007199254740992.0))
		return false;
	*out = t;
	return true;
}

/* spec: T-74, T-75, RFC 7519 4.1.4: not on or after exp */
enum authn_reason
claim_check_times(const json_t *claims, struct claim_skew skew, int64_t now_s,
    int64_t *expires_s)
{
	const json_t *not_before = claim(claims, "nbf");
	double exp, nbf = 0;

	if (!read_time(claim(claims, "exp"), &exp))
		return AUTHN_EXPIRED;
	*expires_s = (int64_t)exp + skew.exp_s;
	if ((double)(int64_t)exp < exp) /* a fraction lasts its second out */
		++*expires_s;
	if (now_s >= *expires_s)
		return AUTHN_EXPIRED;
	if (not_before != NULL && !json_is_null(not_before) &&
	    !read_time(not_before, &nbf))
		return AUTHN_NOT_YET_VALID;
	if (nbf > (double)(now_s + skew.nbf_s))
		return AUTHN_NOT_YET_VALID;
	return AUTHN_OK;
}

static bool
is_audience(const struct slice *audiences, size_t count, const json_t *v)
{
	struct slice text = strict_json_text(v);

	for (size_t i = 0; json_is_string(v) && i < count; i++) {
		if (slice_eq(audiences[i], text))
			return true;
	}
	return false;
}

/* spec: T-77: of a list every element must be a string */
bool
claim_names_audience(const struct slice *audiences, size_t count,
    const json_t *aud)
{
	const json_t *v;
	bool found = false;
	size_t i;

	if (!json_is_array(aud))
		return is_audience(audiences, count, aud);
	json_array_foreach(aud, i, v)
	{
		if (!json_is_string(v))
			return false;
		found = found || is_audience(audiences, count, v);
	}
	return found;
}

enum authn_reason
claims_check(const struct issuers *issuers, size_t n, const json_t *claims,
    int64_t now_s, int64_t *expires_s)
{
	struct claim_skew skew = {issuers->nbf_skew_s, issuers->exp_skew_s};
	const struct issuer *issuer = &issuers->list[n];
	enum authn_reason r = claim_check_times(claims, skew, now_s, expires_s);

	if (r != AUTHN_OK)
		return r;
	return claim_names_audience(issuer->audiences, issuer->audience_count,
		   claim(claims, "aud"))
	    ? AUTHN_OK
	    : AUTHN_AUDIENCE;
}

/* --- about whom --- */

struct reading {
	const struct issuers *issuers;
	const struct issuer *issuer;
	const json_t *claims;
	struct arena arena;
	struct user user;
};

static bool
is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0);
}

/* spec: T-78: 1 to 1024 octets without control characters */
bool
claim_is_plain(struct slice s)
{
	if (s.n == 0 || s.n > CLAIM_TEXT_MAX)
		return false;
	while (s.n != 0) {
		uint32_t cp;
		size_t n = slice_utf8_next(s, &cp);

		if (n == 0 || is_control(cp))
			return false;
		s = slice_from(s, n);
	}
	return true;
}

bool
claim_is_name(struct slice s)
{
	return claim_is_plain(s) && s.p[0] != ' ' && s.p[s.n - 1] != ' ';
}

static struct slice
joined(struct arena *a, struct slice prefix, struct slice s)
{
	char *p = arena_alloc(a, prefix.n + s.n + 1);

	if (p == NULL)
		return SLICE_EMPTY;
	if (prefix.n != 0)
		memcpy(p, prefix.p, prefix.n);
	if (s.n != 0)
		memcpy(p + prefix.n, s.p, s.n);
	return slice_make(p, prefix.n + s.n);
}

/*
 * An e-mail address that the issuer says it has not verified is nobody's;
 * null decodes as false.  Kubernetes asks this of the claim `email` only.
 */
static bool
is_unverified_email(const struct reading *r)
{
	const json_t *verified = claim(r->claims, "email_verified");

	return slice_eq(r->issuer->username_claim, SLICE("email")) &&
	    verified != NULL && !json_is_true(verified);
}

/* spec: T-48, T-55, T-78 */
static enum authn_reason
read_username(struct reading *r)
{
	const struct issuer *issuer = r->issuer;
	struct slice s =
	    strict_json_text(claim(r->claims, issuer->username_claim.p));

	if (!claim_is_name(s) || is_unverified_email(r))
		return AUTHN_USERNAME_CLAIM;
	r->user.name = joined(&r->arena, issuer->username_prefix, s);
	if (r->arena.overflow)
		return AUTHN_INTERNAL;
	return issuers_may_name(r->issuers, r->user.name) ? AUTHN_OK
							  : AUTHN_RESERVED;
}

/*
 * Groups that are elsewhere (OpenID Connect Core 5.6.2) are not fetched, and
 * somebody with too many groups is not somebody with none.  As the API server
 * reads it, a source without endpoint has none to offer.
 */
static bool
are_groups_elsewhere(const struct reading *r)
{
	const json_t *names = claim(r->claims, "_claim_names");
	const json_t *source, *endpoint;

	if (names == NULL)
		return false;
	if (!json_is_object(names))
		return true;
	source = json_object_get(names, r->issuer->groups_claim.p);
	if (source == NULL)
		return false;
	source = json_is_string(source)
	    ? json_object_get(claim(r->claims, "_claim_sources"),
		  json_string_value(source))
	    : NULL;
	if (!json_is_object(source))
		return true;
	endpoint = json_object_get(source, "endpoint");
	return endpoint != NULL && strict_json_text(endpoint).n != 0;
}

/* spec: T-55, T-78: what may not be is dropped, what is no group refused */
static bool
add_group(struct reading *r, const json_t *v, struct slice *groups)
{
	struct slice s = strict_json_text(v), name;

	if (!json_is_string(v) || (s.n != 0 && !claim_is_plain(s)))
		return false;
	if (s.n == 0)
		return true;
	name = joined(&r->arena, r->issuer->groups_prefix, s);
	if (issuers_may_group(r->issuers, name))
		groups[r->user.group_count++] = name;
	return true;
}

/* Room for all of v's groups and for the implicit one. */
static enum authn_reason
read_groups_of(struct reading *r, const json_t *v)
{
	size_t count = json_is_array(v) ? json_array_size(v) : 1;
	struct slice *groups;

	if (count > CLAIM_GROUPS_MAX)
		return AUTHN_GROUPS_CLAIM;
	groups = arena_alloc(&r->arena, (count + 1) * sizeof(*groups));
	if (groups == NULL)
		return AUTHN_INTERNAL;
	r->user.groups = groups;
	for (size_t i = 0; json_is_array(v) && i < count; i++) {
		if (!add_group(r, json_array_get(v, i), groups))
			return AUTHN_GROUPS_CLAIM;
	}
	if (v != NULL && !json_is_array(v) && !json_is_null(v) &&
	    !add_group(r, v, groups))
		return AUTHN_GROUPS_CLAIM;
	if (!user_in_group(&r->user, GROUP_AUTHENTICATED))
		groups[r->user.group_count++] = GROUP_AUTHENTICATED;
	return r->arena.overflow ? AUTHN_INTERNAL : AUTHN_OK;
}

static enum authn_reason
read_groups(struct reading *r)
{
	const json_t *v;

	if (r->issuer->groups_claim.n == 0)
		return read_groups_of(r, NULL);
	v = claim(r->claims, r->issuer->groups_claim.p);
	if (v == NULL && are_groups_elsewhere(r))
		return AUTHN_GROUPS_CLAIM;
	return read_groups_of(r, v);
}

/* A string, which may be empty; null decodes as "". */
static enum authn_reason
read_uid(struct reading *r)
{
	const json_t *v;

	if (r->issuer->uid_claim.n == 0)
		return AUTHN_OK;
	v = claim(r->claims, r->issuer->uid_claim.p);
	if (!json_is_string(v) && !json_is_null(v))
		return AUTHN_UID_CLAIM;
	r->user.uid = strict_json_text(v);
	return r->user.uid.n == 0 || claim_is_name(r->user.uid)
	    ? AUTHN_OK
	    : AUTHN_UID_CLAIM;
}

/* Kubernetes' name for a token in audit; one that no field can hold is none. */
static enum authn_reason
read_credential_id(struct reading *r)
{
	struct slice jti = strict_json_text(claim(r->claims, "jti"));
	struct user_extra *extra;
	struct slice *value;

	if (!claim_is_name(jti))
		return AUTHN_OK;
	extra = arena_alloc(&r->arena, sizeof(*extra));
	value = arena_alloc(&r->arena, sizeof(*value));
	if (extra == NULL || value == NULL)
		return AUTHN_INTERNAL;
	*value = joined(&r->arena, SLICE("JTI="), jti);
	*extra = (struct user_extra){CREDENTIAL_ID, value, 1};
	r->user.extra = extra;
	r->user.extra_count = 1;
	return r->arena.overflow ? AUTHN_INTERNAL : AUTHN_OK;
}

/* Present, and the string that is asked for; null decodes as "". */
static enum authn_reason
check_rules(const struct reading *r)
{
	for (size_t i = 0; i < r->issuer->rule_count; i++) {
		const struct claim_rule *rule = &r->issuer->rules[i];
		const json_t *v = claim(r->claims, rule->claim.p);

		if ((!json_is_string(v) && !json_is_null(v)) ||
		    !slice_eq(strict_json_text(v), rule->required_value))
			return AUTHN_CLAIM_RULE;
	}
	return AUTHN_OK;
}

enum authn_reason
claims_identity(const struct issuers *issuers, size_t n, const json_t *claims,
    struct identity **out)
{
	struct reading r = {.issuers = issuers,
	    .issuer = &issuers->list[n],
	    .claims = claims};
	enum authn_reason reason;

	arena_init(&r.arena, ARENA_MAX);
	reason = read_username(&r);
	if (reason == AUTHN_OK)
		reason = read_groups(&r);
	if (reason == AUTHN_OK)
		reason = read_uid(&r);
	if (reason == AUTHN_OK)
		reason = read_credential_id(&r);
	if (reason == AUTHN_OK)
		reason = check_rules(&r);
	if (reason == AUTHN_OK) {
		struct identity *id = identity_new(&r.user);

		if (id != NULL)
			*out = id;
		else
			reason = AUTHN_INTERNAL;
	}
	arena_release(&r.arena);
	return reason;
}
