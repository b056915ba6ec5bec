/*
 * policy.c - a sealed policy's life, and what it says in words.
 */
#include "rbac/policy.h"

#include <stdlib.h>

#include "base/text.h"
#include "rbac/policy_parts.h"

/* Different lookup errors that one reason names; more are left out. */
enum {
	REASON_ERRORS_MAX = 64
};

struct policy *
policy_ref(struct policy *p)
{
	ref_up(&p->refs);
	return p;
}

void
policy_unref(struct policy *p)
{
	if (p == NULL || !ref_down(&p->refs))
		return;
	for (size_t i = 0; i < p->held_count; i++)
		stored_unref(p->held[i]);
	free(p->held);
	free(p->roles);
	free(p->bindings);
	free(p->rules);
	free(p->aggregated);
	free(p);
}

struct policy_counts
policy_counts(const struct policy *p)
{
	return p != NULL ? p->counts : (struct policy_counts){0};
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

/* Bindings whose role was not found, each with another message. */
struct failures {
	const struct binding *list[REASON_ERRORS_MAX];
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
add_failure(struct failures *f, const struct policy_binding *pb,
    const struct user *u)
{
	if (pb->role != NULL || f->count == REASON_ERRORS_MAX ||
	    !policy_binding_applies(pb, u))
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

static void
put_failures(struct buf *out, const struct policy *p, const struct user *u,
    const struct attributes *a)
{
	struct policy_range in_ns = policy_bindings_in(p, a->ns);
	struct failures f = {.count = 0};

	for (size_t i = 0; i < p->counts.cluster_role_bindings; i++)
		add_failure(&f, &p->cluster_bindings[i], u);
	for (size_t i = in_ns.first; i < in_ns.end; i++)
		add_failure(&f, &p->bindings[i], u);
	buf_puts(out, f.count > 1 ? "RBAC: [" : "RBAC: ");
	for (size_t i = 0; i < f.count; i++) {
		buf_puts(out, i != 0 ? ", " : "");
		put_failure(out, f.list[i]);
	}
	buf_puts(out, f.count > 1 ? "]" : "");
}

void
policy_put_reason(struct buf *out, const struct policy *p,
    const struct verdict *v, const struct user *u, const struct attributes *a)
{
	if (v->decision == ALLOW && v->by == AUTHORIZER_RBAC)
		put_allowed(out, v);
	else if (v->decision != ALLOW && v->lookup_errors != 0 && p != NULL)
		put_failures(out, p, u, a);
}
