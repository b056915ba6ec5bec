/*
 * policy.c - a sealed policy's life, and what it says in words.
 */
#include "rbac/policy.h"

#include <stdlib.h>

#include "base/text.h"
#include "rbac/grants.h"
#include "rbac/policy_parts.h"

struct policy *
policy_ref(struct policy *p)
{
	ref_up(&p->refs);
	return p;
}

void
compiled_role_unref(struct compiled_role *r)
{
	if (r == NULL || !ref_down(&r->refs))
		return;
	rights_release(&r->rights);
	free(r);
}

void
role_chunk_unref(struct role_chunk *c)
{
	if (c == NULL || !ref_down(&c->refs))
		return;
	for (size_t i = 0; i < ROLE_CHUNK; i++)
		compiled_role_unref(c->roles[i]);
	free(c);
}

void
policy_unref(struct policy *p)
{
	if (p == NULL || !ref_down(&p->refs))
		return;
	shardmap_release(&p->merged);
	shardmap_release(&p->grants);
	for (size_t i = 0; i < p->chunk_count; i++)
		role_chunk_unref(p->chunks[i]);
	free(p->chunks);
	for (size_t i = 0; i < STORED_KINDS; i++)
		shardmap_release(&p->objects[i]);
	free(p);
}

struct policy_counts
policy_counts(const struct policy *p)
{
	if (p == NULL)
		return (struct policy_counts){0};
	return (struct policy_counts){
	    .roles = p->objects[STORED_ROLE].count,
	    .cluster_roles = p->objects[STORED_CLUSTER_ROLE].count,
	    .role_bindings = p->objects[STORED_ROLE_BINDING].count,
	    .cluster_role_bindings =
		p->objects[STORED_CLUSTER_ROLE_BINDING].count,
	    .skipped = p->skipped,
	};
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

void
policy_put_reason(struct buf *out, const struct policy *p,
    const struct verdict *v, const struct user *u, const struct attributes *a)
{
	struct failures f;

	if (v->decision == ALLOW && v->by == AUTHORIZER_RBAC) {
		put_allowed(out, v);
	} else if (v->decision != ALLOW && v->lookup_errors && p != NULL) {
		policy_failures(p, u, a->ns, &f);
		failures_put(out, &f);
	}
}
