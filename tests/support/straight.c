/*
 * straight.c - the oracle: sorted arrays and loops.
 */
#include "tests/support/straight.h"

#include <stdlib.h>

#include "base/text.h"
#include "rbac/aggregate.h"

enum {
	FAILURES = 64 /* different ones that a reason names */
};

struct policy_binding {
	const struct binding *binding;
	const struct policy_role *role; /* NULL: the lookup failed */
};

struct straight {
	struct stored **objects;
	size_t count;
	/* What straight_seal makes. */
	size_t kinds[STORED_KINDS];
	struct policy_role *roles, *cluster_roles;
	struct policy_binding *bindings, *cluster_bindings;
	const struct rule **rules, **aggregated;
};

static void *
must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

/* --- objects -------------------------------------------------------------- */

struct straight *
straight_new(void)
{
	return must(calloc(1, sizeof(struct straight)));
}

static void
unseal(struct straight *s)
{
	free(s->roles);
	free(s->bindings);
	free(s->rules);
	free(s->aggregated);
	s->roles = NULL;
	s->bindings = NULL;
	s->rules = s->aggregated = NULL;
}

void
straight_free(struct straight *s)
{
	unseal(s);
	for (size_t i = 0; i < s->count; i++)
		stored_unref(s->objects[i]);
	free(s->objects);
	free(s);
}

static struct slice
ns_of(const struct stored *x)
{
	return x->kind <= STORED_CLUSTER_ROLE ? x->role.ns : x->binding.ns;
}

static struct slice
name_of(const struct stored *x)
{
	return x->kind <= STORED_CLUSTER_ROLE ? x->role.name : x->binding.name;
}

static int
stored_cmp(const void *a, const void *b)
{
	const struct stored *x = *(const struct stored *const *)a;
	const struct stored *y = *(const struct stored *const *)b;
	int c = (x->kind > y->kind) - (x->kind < y->kind);

	if (c == 0)
		c = slice_cmp(ns_of(x), ns_of(y));
	return c != 0 ? c : slice_cmp(name_of(x), name_of(y));
}

static void
take_out(struct straight *s, enum stored_kind kind, struct slice ns,
    struct slice name)
{
	for (size_t i = 0; i < s->count; i++) {
		struct stored *x = s->objects[i];

		if (x->kind != kind || !slice_eq(ns_of(x), ns) ||
		    !slice_eq(name_of(x), name))
			continue;
		stored_unref(x);
		s->objects[i] = s->objects[--s->count];
		return;
	}
}

static void
put(struct straight *s, struct stored *x)
{
	take_out(s, x->kind, ns_of(x), name_of(x));
	s->objects =
	    must(realloc(s->objects, (s->count + 1) * sizeof(struct stored *)));
	s->objects[s->count++] = x;
}

void
straight_put_role(struct straight *s, const struct role *r)
{
	put(s, must(stored_new_role(r)));
}

void
straight_put_binding(struct straight *s, const struct binding *b)
{
	put(s, must(stored_new_binding(b)));
}

void
straight_remove_role(struct straight *s, bool cluster, struct slice ns,
    struct slice name)
{
	take_out(s, cluster ? STORED_CLUSTER_ROLE : STORED_ROLE,
	    cluster ? SLICE_EMPTY : ns, name);
}

void
straight_remove_binding(struct straight *s, bool cluster, struct slice ns,
    struct slice name)
{
	take_out(s, cluster ? STORED_CLUSTER_ROLE_BINDING : STORED_ROLE_BINDING,
	    cluster ? SLICE_EMPTY : ns, name);
}

/* --- sealing -------------------------------------------------------------- */

static const struct policy_role *
find_role(const struct policy_role *roles, size_t count, struct slice ns,
    struct slice name)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_eq(roles[i].role->ns, ns) &&
		    slice_eq(roles[i].role->name, name))
			return &roles[i];
	}
	return NULL;
}

/* A Role is looked up in the binding's namespace; other kinds are unknown. */
static const struct policy_role *
resolve(const struct straight *s, const struct binding *b)
{
	if (slice_eq(b->role_kind, SLICE("ClusterRole")))
		return find_role(s->cluster_roles,
		    s->kinds[STORED_CLUSTER_ROLE], SLICE_EMPTY, b->role_name);
	if (slice_eq(b->role_kind, SLICE("Role")) && !b->cluster)
		return find_role(s->roles, s->kinds[STORED_ROLE], b->ns,
		    b->role_name);
	return NULL;
}

static void
fill_roles(struct straight *s, size_t count)
{
	size_t rules = 1;
	const struct rule **at;

	for (size_t i = 0; i < count; i++)
		rules += s->objects[i]->role.rule_count;
	at = s->rules = must(calloc(rules, sizeof(*s->rules)));
	for (size_t i = 0; i < count; i++) {
		const struct role *r = &s->objects[i]->role;

		s->roles[i] = (struct policy_role){r, at, r->rule_count};
		for (size_t j = 0; j < r->rule_count; j++)
			*at++ = &r->rules[j];
	}
	s->cluster_roles = s->roles + s->kinds[STORED_ROLE];
}

void
straight_seal(struct straight *s, bool aggregate)
{
	size_t roles;

	unseal(s);
	if (s->count != 0)
		qsort(s->objects, s->count, sizeof(struct stored *),
		    stored_cmp);
	memset(s->kinds, 0, sizeof(s->kinds));
	for (size_t i = 0; i < s->count; i++)
		s->kinds[s->objects[i]->kind]++;
	roles = s->kinds[STORED_ROLE] + s->kinds[STORED_CLUSTER_ROLE];
	s->roles = must(calloc(roles + 1, sizeof(*s->roles)));
	s->bindings = must(calloc(s->count + 1, sizeof(*s->bindings)));
	fill_roles(s, roles);
	if (aggregate &&
	    aggregate_roles(s->cluster_roles, s->kinds[STORED_CLUSTER_ROLE],
		&s->aggregated) != STATUS_OK)
		abort();
	for (size_t i = roles; i < s->count; i++) {
		const struct binding *b = &s->objects[i]->binding;

		s->bindings[i - roles] =
		    (struct policy_binding){b, resolve(s, b)};
	}
	s->cluster_bindings = s->bindings + s->kinds[STORED_ROLE_BINDING];
}

struct policy_counts
straight_counts(const struct straight *s)
{
	return (struct policy_counts){
	    .roles = s->kinds[STORED_ROLE],
	    .cluster_roles = s->kinds[STORED_CLUSTER_ROLE],
	    .role_bindings = s->kinds[STORED_ROLE_BINDING],
	    .cluster_role_bindings = s->kinds[STORED_CLUSTER_ROLE_BINDING],
	};
}

/* --- one rule (kubernetes pkg/apis/rbac/v1/evaluation_helpers.go) --------- */

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
	return has(set, s) || has(set, SLICE("*"));
}

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
	if (slice_eq(rule, SLICE("*")))
		return true;
	if (slice_is_empty(a->subresource))
		return slice_eq(rule, a->resource);
	return is_joined(rule, a->resource, SLICE("/"), a->subresource) ||
	    is_joined(rule, SLICE("*"), SLICE("/"), a->subresource);
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

/* Exact, or by what stands before all trailing stars. */
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
		v->lookup_errors = true;
		return false;
	}
	if (!role_allows(pb->role, a))
		return false;
	*v = allowed_by(pb, s, kind);
	return true;
}

/* --- all bindings --------------------------------------------------------- */

static bool
is_nobody(const struct user *u)
{
	return slice_is_empty(u->name) && u->group_count == 0;
}

/* Binding number i of those that count in ns, or NULL at the end. */
static const struct policy_binding *
nth_binding(const struct straight *s, struct slice ns, size_t i)
{
	if (i < s->kinds[STORED_CLUSTER_ROLE_BINDING])
		return &s->cluster_bindings[i];
	i -= s->kinds[STORED_CLUSTER_ROLE_BINDING];
	for (size_t j = 0;
	     !slice_is_empty(ns) && j < s->kinds[STORED_ROLE_BINDING]; j++) {
		if (slice_eq(s->bindings[j].binding->ns, ns) && i-- == 0)
			return &s->bindings[j];
	}
	return NULL;
}

struct verdict
straight_evaluate(const struct straight *s, const struct user *u,
    const struct attributes *a)
{
	struct verdict v = {.decision = NO_OPINION};
	const struct policy_binding *pb;

	if (is_nobody(u))
		return v;
	for (size_t i = 0; (pb = nth_binding(s, a->ns, i)) != NULL; i++) {
		if (try_binding(pb, u, a, &v))
			return v;
	}
	return v;
}

bool
straight_grant(const struct straight *s, const struct user *u, struct slice ns,
    size_t i, struct policy_grant *out)
{
	const struct policy_binding *pb;
	enum subject_kind kind;

	if (is_nobody(u))
		return false;
	for (size_t at = 0; (pb = nth_binding(s, ns, at)) != NULL; at++) {
		const struct subject *x = find_subject(pb->binding, u, &kind);

		if (x == NULL || i-- != 0)
			continue;
		*out = (struct policy_grant){.binding = pb->binding,
		    .subject = x,
		    .subject_kind = kind};
		if (pb->role != NULL) {
			out->role = pb->role->role;
			out->rules = pb->role->rules;
			out->rule_count = pb->role->count;
		}
		return true;
	}
	return false;
}

/* --- reasons -------------------------------------------------------------- */

/* "a/b" in quotes: a slash ends any sequence, so the pieces quote alike. */
static void
put_quoted_pair(struct buf *out, struct slice a, struct slice b)
{
	buf_putc(out, '"');
	text_put_goescaped(out, a);
	buf_putc(out, '/');
	text_put_goescaped(out, b);
	buf_putc(out, '"');
}

static void
put_subject(struct buf *out, const struct verdict *v)
{
	switch (v->subject_kind) {
	case SUBJECT_USER:
		buf_puts(out, "User ");
		text_put_goquoted(out, v->subject);
		break;
	case SUBJECT_GROUP:
		buf_puts(out, "Group ");
		text_put_goquoted(out, v->subject);
		break;
	case SUBJECT_SERVICE_ACCOUNT:
		buf_puts(out, "ServiceAccount ");
		put_quoted_pair(out, v->subject, v->subject_ns);
		break;
	case SUBJECT_NONE:
		break;
	}
}

static void
put_allowed(struct buf *out, const struct verdict *v)
{
	buf_puts(out, "RBAC: allowed by ");
	if (v->cluster_binding) {
		buf_puts(out, "ClusterRoleBinding ");
		text_put_goquoted(out, v->binding);
	} else {
		buf_puts(out, "RoleBinding ");
		put_quoted_pair(out, v->binding, v->binding_ns);
	}
	buf_puts(out, v->cluster_role ? " of ClusterRole " : " of Role ");
	text_put_goquoted(out, v->role);
	buf_puts(out, " to ");
	put_subject(out, v);
}

static bool
applies(const struct policy_binding *pb, const struct user *u)
{
	enum subject_kind kind;

	return find_subject(pb->binding, u, &kind) != NULL;
}

/* Bindings whose role was not found, each with another message. */
struct told {
	const struct binding *list[FAILURES];
	size_t count;
};

static bool
says_the_same(const struct binding *a, const struct binding *b)
{
	bool known = slice_eq(a->role_kind, SLICE("Role")) ||
	    slice_eq(a->role_kind, SLICE("ClusterRole"));

	return slice_eq(a->role_kind, b->role_kind) &&
	    (!known || slice_eq(a->role_name, b->role_name));
}

static void
add_failure(struct told *f, const struct policy_binding *pb,
    const struct user *u)
{
	if (pb->role != NULL || f->count == FAILURES || !applies(pb, u))
		return;
	for (size_t i = 0; i < f->count; i++) {
		if (says_the_same(f->list[i], pb->binding))
			return;
	}
	f->list[f->count++] = pb->binding;
}

static void
put_failure(struct buf *out, const struct binding *b)
{
	bool cluster = slice_eq(b->role_kind, SLICE("ClusterRole"));

	if (!cluster && !slice_eq(b->role_kind, SLICE("Role"))) {
		buf_puts(out, "unsupported role reference kind: ");
		text_put_goquoted(out, b->role_kind);
		return;
	}
	buf_puts(out, cluster ? "clusterrole" : "role");
	buf_puts(out, ".rbac.authorization.k8s.io ");
	text_put_goquoted(out, b->role_name);
	buf_puts(out, " not found");
}

void
straight_put_reason(struct buf *out, const struct straight *s,
    const struct verdict *v, const struct user *u, const struct attributes *a)
{
	const struct policy_binding *pb;
	struct told f = {.count = 0};

	if (v->decision == ALLOW)
		put_allowed(out, v);
	if (v->decision == ALLOW || !v->lookup_errors)
		return;
	for (size_t i = 0; (pb = nth_binding(s, a->ns, i)) != NULL; i++)
		add_failure(&f, pb, u);
	buf_puts(out, f.count > 1 ? "RBAC: [" : "RBAC: ");
	for (size_t i = 0; i < f.count; i++) {
		buf_puts(out, i != 0 ? ", " : "");
		put_failure(out, f.list[i]);
	}
	buf_puts(out, f.count > 1 ? "]" : "");
}
