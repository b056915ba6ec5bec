/*
 * authorize.h - the configured order of authorizers.
 *
 * system:masters first, always; then each of the order until one allows
 * (kubernetes apiserver pkg/authorization/union, authorizerfactory/builtin).
 * Reentrant; asks only sealed parts.
 */
#ifndef RBAC_AUTHORIZE_H
#define RBAC_AUTHORIZE_H

#include "rbac/policy.h"

enum {
	AUTHORIZE_ORDER_MAX = 3
};

struct authorize_chain {
	enum authorizer order[AUTHORIZE_ORDER_MAX]; /* RBAC, AZURE, UPSTREAM */
	size_t count;
	/* RBAC asks both, in turn; NULL: none. */
	const struct policy *rbac; /* from files */
	const struct policy *live; /* from the cluster */
	bool live_is_old; /* live is NULL since it was not renewed in time */
};

/*
 * First ALLOW wins; no opinion everywhere is NO_OPINION, a DENY that nobody
 * outweighs is DENY.  Only ALLOW may pass.
 */
struct verdict authorize(const struct authorize_chain *chain,
    const struct user *u, const struct attributes *a);

/*
 * The API server's own sentence for a verdict of authorize() on u and a: what
 * allowed, or the role lookups that failed; or nothing.
 */
void authorize_put_reason(struct buf *out, const struct authorize_chain *chain,
    const struct verdict *v, const struct user *u, const struct attributes *a);

/*
 * The API server's Forbidden message for u and a, without a reason: `pods is
 * forbidden: User "x" cannot list resource "pods" in API group "" in the
 * namespace "y"`.  AS pkg/endpoints/handlers/responsewriters/errors.go.
 */
void authorize_put_forbidden(struct buf *out, const struct user *u,
    const struct attributes *a);

#endif
