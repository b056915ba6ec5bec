/*
 * policy.h - RBAC roles and bindings, sealed, and their evaluation.
 *
 * A builder takes objects, a policy answers questions.  Semantics: kubernetes
 * plugin/pkg/auth/authorizer/rbac/rbac.go, pkg/apis/rbac/v1/
 * evaluation_helpers.go, pkg/registry/rbac/validation/rule.go.  An all-zero
 * policy grants nothing.  A sealed policy is constant; any thread may ask it.
 */
#ifndef RBAC_POLICY_H
#define RBAC_POLICY_H

#include "authn/user.h"
#include "base/buf.h"
#include "base/errinfo.h"
#include "rbac/attributes.h"
#include "rbac/verdict.h"

struct policy;

struct policy *policy_ref(struct policy *p);
void policy_unref(struct policy *p); /* NULL is fine */

/* How many of each kind the policy holds; for logs and `check`. */
struct policy_counts {
	size_t roles, cluster_roles, role_bindings, cluster_role_bindings;
	size_t skipped; /* manifests of other kinds */
};

/* p may be NULL: none of anything. */
struct policy_counts policy_counts(const struct policy *p);

/*
 * May u do a?  ALLOW with the binding that decided: the first by name of the
 * ClusterRoleBindings, else of the RoleBindings in a's namespace, that allows,
 * and its first subject that u is.  Else NO_OPINION and whether role lookups
 * failed; RBAC never denies.  p may be NULL: no opinion.  The group
 * system:masters is not looked at here.
 *
 * Reentrant.  Hot: a few hash probes for each of u's groups, however many
 * roles and bindings there are.
 */
struct verdict policy_evaluate(const struct policy *p, const struct user *u,
    const struct attributes *a);

/*
 * The API server's own sentence: `RBAC: allowed by ClusterRoleBinding "b" of
 * ClusterRole "r" to User "u"`, or `RBAC: ` and the lookup errors (asks p
 * again with u and a; 64 different ones at most), or nothing.
 */
void policy_put_reason(struct buf *out, const struct policy *p,
    const struct verdict *v, const struct user *u, const struct attributes *a);

#endif
