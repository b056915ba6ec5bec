/*
 * evaluate.c - may this user do that?  A loop over the bindings.
 *
 * Pure, and nothing but the rules as upstream states them: rules only add,
 * comparisons are exact, and the wildcards are those written out here.
 */
#include <assert.h>

#include "rbac/policy_parts.h"

#define ALL SLICE("*")

static bool
has(const struct strings *set, struct slice s)
{
	for (size_t i = 0; i < set->count; i++) {
		if (slice_eq(set->items[i], s))
			return true;
	}
	return false;
}

static bool
has_or_all(const struct strings *set, struct slice s)
{
	return has(set, s) || has(set, ALL);
}

/* --- one rule (kubernetes pkg/apis/rbac/v1/evaluation_helpers.go) --------- */

/* Whether s is a, then middle, then b. */
static bool
is_joined(struct slice s, struct slice a, struct slice middle, struct slice b)
{
	return s.n >= a.n && s.n - a.n >= middle.n &&
	    s.n - a.n - middle.n == b.n && slice_starts(s, a) &&
	    slice_starts(slice_from(s, a.n), middle) && slice_ends(s, b);
}

/*
 * A resource of a rule: everything, the exact resource or resource and
 * subresource, or that subresource of everything.
 */
static bool
resource_matches(struct slice rule, const struct attributes *a)
{
	if (slice_eq(rule, ALL))
		return true;
	if (slice_is_empty(a->subresource))
		return slice_eq(rule, a->resource);
	return is_joined(rule, a->resource, SLICE("/"), a->subresource) ||
	    is_joined(rule, ALL, SLICE("/"), a->subresource);
}

static bool
resources_match(const struct strings *rules, const struct attributes *a)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (resource_matches(rules->items[i], a))
			return true;
	}
	return false;
}

/* spec: T-62 - exact, or by what stands before all trailing stars */
static bool
url_matches(struct slice rule, struct slice path)
{
	struct slice prefix = rule;

	while (prefix.n != 0 && prefix.p[prefix.n - 1] == '*')
		prefix.n--;
	if (prefix.n == rule.n)
		return slice_eq(rule, path);
	return slice_starts(path, prefix);
}

static bool
urls_match(const struct strings *rules, struct slice path)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (url_matches(rules->items[i], path))
			return true;
	}
	return false;
}

static bool
rule_allows(const struct rule *r, const struct attributes *a)
{
	if (!has_or_all(&r->verbs, a->verb))
		return false;
	if (!a->is_resource)
		return urls_match(&r->urls, a->path);
	return has_or_all(&r->api_groups, a->api_group) &&
	    resources_match(&r->resources, a) &&
	    (r->resource_names.count == 0 || has(&r->resource_names, a->name));
}

static bool
role_allows(const struct policy_role *r, const struct attributes *a)
{
	for (size_t i = 0; i < r->count; i++) {
		if (rule_allows(r->rules[i], a))
			return true;
	}
	return false;
}

/* --- one binding (kubernetes pkg/registry/rbac/validation/rule.go) -------- */

/* user is "system:serviceaccount:" NS ":" NAME. */
static bool
is_service_account(struct slice user, struct slice ns, struct slice name)
{
	struct slice prefix = SLICE("system:serviceaccount:");

	return slice_starts(user, prefix) &&
	    is_joined(slice_from(user, prefix.n), ns, SLICE(":"), name);
}

/* Which kind of subject s is, if u is one; the binding's ns: empty if none. */
static enum subject_kind
subject_applies(const struct subject *s, struct slice binding_ns,
    const struct user *u)
{
	struct slice ns = slice_is_empty(s->ns) ? binding_ns : s->ns;

	if (slice_eq(s->kind, SLICE("User")))
		return slice_eq(s->name, u->name) ? SUBJECT_USER : SUBJECT_NONE;
	if (slice_eq(s->kind, SLICE("Group")))
		return user_in_group(u, s->name) ? SUBJECT_GROUP : SUBJECT_NONE;
	if (slice_eq(s->kind, SLICE("ServiceAccount")) && !slice_is_empty(ns) &&
	    is_service_account(u->name, ns, s->name))
		return SUBJECT_SERVICE_ACCOUNT;
	return SUBJECT_NONE;
}

static const struct subject *
find_subject(const struct binding *b, const struct user *u,
    enum subject_kind *kind)
{
	for (size_t i = 0; i < b->subject_count; i++) {
		*kind = subject_applies(&b->subjects[i], b->ns, u);
		if (*kind != SUBJECT_NONE)
			return &b->subjects[i];
	}
	return NULL;
}

static struct verdict
allowed_by(const struct policy_binding *pb, const struct subject *s,
    enum subject_kind kind)
{
	const struct binding *b = pb->binding;
	struct verdict v = {
	    .decision = ALLOW,
	    .by = AUTHORIZER_RBAC,
	    .cluster_binding = b->cluster,
	    .binding = b->name,
	    .binding_ns = b->ns,
	    .cluster_role = pb->role->role->cluster,
	    .role = b->role_name,
	    .role_ns = pb->role->role->ns,
	    .subject_kind = kind,
	    .subject = s->name,
	};

	if (kind == SUBJECT_SERVICE_ACCOUNT)
		v.subject_ns = slice_is_empty(s->ns) ? b->ns : s->ns;
	return v;
}

/* True when the walk is over: *v allows. */
static bool
try_binding(const struct policy_binding *pb, const struct user *u,
    const struct attributes *a, struct verdict *v)
{
	enum subject_kind kind;
	const struct subject *s = find_subject(pb->binding, u, &kind);

	if (s == NULL)
		return false;
	if (pb->role == NULL) {
		v->lookup_errors++;
		return false;
	}
	if (!role_allows(pb->role, a))
		return false;
	*v = allowed_by(pb, s, kind);
	return true;
}

/* --- all bindings --------------------------------------------------------- */

struct policy_range
policy_bindings_in(const struct policy *p, struct slice ns)
{
	struct policy_range r = {0, p->counts.role_bindings};
	size_t high;

	if (slice_is_empty(ns))
		return (struct policy_range){0, 0};
	while (r.first < r.end) { /* the first that is not below ns */
		size_t mid = r.first + (r.end - r.first) / 2;

		if (slice_cmp(p->bindings[mid].binding->ns, ns) < 0)
			r.first = mid + 1;
		else
			r.end = mid;
	}
	high = p->counts.role_bindings;
	while (r.end < high) { /* the first that is above it */
		size_t mid = r.end + (high - r.end) / 2;

		if (slice_cmp(p->bindings[mid].binding->ns, ns) > 0)
			high = mid;
		else
			r.end = mid + 1;
	}
	return r;
}

bool
policy_binding_applies(const struct policy_binding *pb, const struct user *u)
{
	enum subject_kind kind;

	return find_subject(pb->binding, u, &kind) != NULL;
}

static bool
is_nobody(const struct user *u)
{
	return slice_is_empty(u->name) && u->group_count == 0;
}

/* spec: T-61 - what no rule allows is no opinion */
struct verdict
policy_evaluate(const struct policy *p, const struct user *u,
    const struct attributes *a)
{
	struct verdict v = {.decision = NO_OPINION};
	struct policy_range in_ns;

	if (p == NULL || is_nobody(u))
		return v;
	for (size_t i = 0; i < p->counts.cluster_role_bindings; i++) {
		if (try_binding(&p->cluster_bindings[i], u, a, &v))
			return v;
	}
	in_ns = policy_bindings_in(p, a->ns);
	for (size_t i = in_ns.first; i < in_ns.end; i++) {
		if (try_binding(&p->bindings[i], u, a, &v))
			return v;
	}
	return v;
}
